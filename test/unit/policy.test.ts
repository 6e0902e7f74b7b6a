import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";

import {
  InputError,
  rotationPolicyDocument,
  type RotationPolicyOptions,
  trustPolicyDocument,
  type TrustPolicyOptions,
} from "../../provider/src";
import { ACTIONS } from "../../provider/src/aws/userAccessKeys";
import { LEDGER_TAG, OWNER_TAG } from "../../provider/src/rotation/ledger";

const ARN = "arn:aws:iam::123456789012:user/ci-bot";

function refusalOf(make: () => unknown): string {
  try {
    make();
  } catch (error) {
    assert.ok(error instanceof InputError);
    return error.message;
  }
  throw new assert.AssertionError({ message: "nothing was refused" });
}

const actionsOf = (options: Omit<RotationPolicyOptions, "userArns">) =>
  rotationPolicyDocument({ userArns: [ARN], ...options }).Statement.flatMap((statement) => statement.Action);

describe("rotationPolicyDocument", () => {
  it("allows each action of a rotation on the user, and tags with the rotation's own two keys only", () => {
    assert.deepEqual(rotationPolicyDocument({ userArns: [ARN] }), {
      Version: "2012-10-17",
      Statement: [
        {
          Sid: "RotateAccessKeys",
          Effect: "Allow",
          Action: [
            "iam:GetUser",
            "iam:ListAccessKeys",
            "iam:CreateAccessKey",
            "iam:UpdateAccessKey",
            "iam:DeleteAccessKey",
            "iam:GetAccessKeyLastUsed",
          ],
          Resource: [ARN],
        },
        {
          Sid: "WriteRotationTags",
          Effect: "Allow",
          Action: ["iam:TagUser", "iam:UntagUser"],
          Resource: [ARN],
          Condition: {
            "ForAllValues:StringEquals": { "aws:TagKeys": [LEDGER_TAG, OWNER_TAG] },
            Null: { "aws:TagKeys": "false" },
          },
        },
      ],
    });
  });

  it("holds every action that a call declares, each once, and no other", () => {
    const declared = Object.values(ACTIONS).flatMap(({ name, on }) => (on === "user" ? [name] : []));
    assert.deepEqual(actionsOf({}).sort(), declared.sort());
  });

  it("leaves out the optional abilities, each by itself and all together", () => {
    const all = actionsOf({});
    const without = (options: Omit<RotationPolicyOptions, "userArns">) => {
      const kept = actionsOf(options);
      assert.ok(kept.every((action) => all.includes(action)));
      return all.filter((action) => !kept.includes(action));
    };
    assert.deepEqual(without({ tags: false }), ["iam:TagUser", "iam:UntagUser"]);
    assert.deepEqual(without({ lastUsed: false }), ["iam:GetAccessKeyLastUsed"]);
    assert.deepEqual(without({ deactivation: false }), ["iam:UpdateAccessKey"]);
    assert.deepEqual(actionsOf({ tags: false, lastUsed: false, deactivation: false }), [
      "iam:GetUser",
      "iam:ListAccessKeys",
      "iam:CreateAccessKey",
      "iam:DeleteAccessKey",
    ]);
  });

  it("takes arns with paths, of every partition, each once and in their order", () => {
    const userArns = [
      "arn:aws-us-gov:iam::123456789012:user/ci-bot",
      "arn:aws-cn:iam::123456789012:user/teams/build+deploy/ci.bot_1@a=b,c",
      "arn:aws-iso-b:iam::123456789012:user/a:b/c",
      ARN,
    ];
    for (const { Resource } of rotationPolicyDocument({ userArns: [...userArns, ARN] }).Statement) {
      assert.deepEqual(Resource, userArns);
    }
  });

  it("takes wildcards in paths and names only when asked to", () => {
    for (const pattern of ["user/*", "user/ci/*", "user/ci-?", "user/*/bot"]) {
      const userArns = [`arn:aws:iam::123456789012:${pattern}`];
      assert.deepEqual(rotationPolicyDocument({ userArns, allowWildcards: true }).Statement[0]?.Resource, userArns);
      assert.equal(
        refusalOf(() => rotationPolicyDocument({ userArns })),
        `userArns[0]: "${String(userArns[0])}" has a wildcard: allow it on purpose, with allowWildcards`,
      );
    }
  });

  const wrong = [
    "ci-bot",
    "",
    "*",
    "arn:aws:iam::123456789012:role/ci",
    "arn:aws:iam::123456789012:root",
    "arn:aws:s3:::bucket",
    "arn:aws:iam:us-east-1:123456789012:user/ci-bot",
    "arn:aws:iam::123456789012:user/ci bot",
    "arn:AWS:iam::123456789012:user/ci-bot",
    "arn:*:iam::123456789012:user/ci-bot",
    "arn:aws:iam::12345:user/ci-bot",
    "arn:aws:iam::*:user/ci-bot",
    "arn:aws:iam::123456789012:user",
    "arn:aws:iam::123456789012:user/",
    "arn:aws:iam::123456789012:user//ci-bot",
    `arn:aws:iam::123456789012:user/${"n".repeat(65)}`,
    "arn:aws:iam::123456789012:user/${aws:username}",
  ];
  for (const arn of wrong) {
    it(`refuses "${arn}", also where wildcards are allowed`, () => {
      for (const allowWildcards of [false, true]) {
        assert.equal(
          refusalOf(() => rotationPolicyDocument({ userArns: [ARN, arn], allowWildcards })),
          `userArns[1]: ${JSON.stringify(arn)} must be the arn of an IAM user, arn:PARTITION:iam::ACCOUNT:user/PATH/NAME, its account 12 digits`,
        );
      }
    });
  }

  it("refuses an empty list, which would allow nothing", () => {
    assert.equal(
      refusalOf(() => rotationPolicyDocument({ userArns: [] })),
      "userArns: must have at least one arn",
    );
  });

  it("gives the policy that the README shows", () => {
    const readme = readFileSync(join(__dirname, "../../README.md"), "utf8");
    const [, shown = ""] = /```json\n([^`]*"iam:CreateAccessKey"[^`]*)```/.exec(readme) ?? [];
    assert.deepEqual(JSON.parse(shown), rotationPolicyDocument({ userArns: [ARN] }));
  });
});

describe("trustPolicyDocument", () => {
  const ROLE = "arn:aws:iam::210987654321:role/ci/deploy";

  it("lets the trusted assume the role, with the external id where one is asked for", () => {
    assert.deepEqual(trustPolicyDocument({ trustedArns: [ROLE], externalId: "acme/platform:1" }), {
      Version: "2012-10-17",
      Statement: [
        {
          Sid: "AssumeForRotation",
          Effect: "Allow",
          Principal: { AWS: [ROLE] },
          Action: ["sts:AssumeRole"],
          Condition: { StringEquals: { "sts:ExternalId": "acme/platform:1" } },
        },
      ],
    });
    assert.equal(trustPolicyDocument({ trustedArns: [ROLE] }).Statement[0]?.Condition, undefined);
  });

  it("takes roles, users, sessions, roots and accounts of every partition", () => {
    const trustedArns = [
      ROLE,
      "210987654321",
      "arn:aws-us-gov:iam::210987654321:root",
      "arn:aws-cn:iam::210987654321:user/a/b",
      "arn:aws:sts::210987654321:assumed-role/deploy/run-1",
    ];
    assert.deepEqual(trustPolicyDocument({ trustedArns }).Statement[0]?.Principal, { AWS: trustedArns });
  });

  const FORM = "must be the arn of a role, a user, a session or an account's root, or an account's 12 digits";
  const wrong: readonly (readonly [string, TrustPolicyOptions, string])[] = [
    ["everybody", { trustedArns: ["*"] }, `trustedArns[0]: "*" ${FORM}`],
    [
      "all roles of an account",
      { trustedArns: ["arn:aws:iam::210987654321:role/*"] },
      `trustedArns[0]: "arn:aws:iam::210987654321:role/*" ${FORM}`,
    ],
    ["a service", { trustedArns: [ROLE, "lambda.amazonaws.com"] }, `trustedArns[1]: "lambda.amazonaws.com" ${FORM}`],
    ["nobody", { trustedArns: [] }, "trustedArns: must have at least one arn"],
    [
      "an external id that STS does not take",
      { trustedArns: [ROLE], externalId: "" },
      "externalId: must be 2 to 1,224 letters, digits and +=,.@:/-_",
    ],
  ];
  for (const [what, options, says] of wrong) {
    it(`refuses ${what}`, () => {
      assert.equal(
        refusalOf(() => trustPolicyDocument(options)),
        says,
      );
    });
  }
});
