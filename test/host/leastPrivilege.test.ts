import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { format } from "prettier";

import { type PolicyDocument, rotationPolicyDocument, trustPolicyDocument } from "../../provider/src";
import { ACTIONS } from "../../provider/src/aws/userAccessKeys";
import type { KeyRecord } from "../../provider/src/rotation/keyRing";
import { LEDGER_TAG, parseLedger } from "../../provider/src/rotation/ledger";
import { useAws } from "../support/aws";
import { EngineModel, type Ran } from "../support/engineModel";
import { program } from "../support/fakeStack";
import { PROVIDER_CODE } from "../support/host";
import { type Credential, Iam } from "../support/iam";
import { forMoto, permits, without } from "../support/policyModel";
import { ProviderHost, type Wire } from "../support/providerHost";

const ROOT = join(__dirname, "../..");
const DOCS = join(ROOT, "docs/least-privilege.md");
const USER = "ci-bot";
const ARN = `arn:aws:iam::123456789012:user/${USER}`;
const CONNECTION_ID = "aaaaaaaa-0000-4000-8000-0000000000e1";
// A run that fails between announcement and creation leaves a window of callSeconds, which the next run waits for.
const LIMITS = JSON.stringify({ callSeconds: 5, lagSeconds: 0, verifySeconds: 10, verifySpacingSeconds: 0.01 });
const POLICY = rotationPolicyDocument({ userArns: [ARN] });

/** The life of a rotation: each step does something else on AWS. */
const STEPS = ["create", "rotate", "retire", "rotate again", "refresh", "destroy"] as const;
type Step = (typeof STEPS)[number];

/** The program's trigger at each step. */
const TRIGGERS: Readonly<Record<Step, string | undefined>> = {
  create: undefined,
  rotate: "1",
  retire: "1",
  "rotate again": "2",
  refresh: "2",
  destroy: "2",
};

/** What the program says at a step; the previous key may go as soon as it is not the current one any more. */
const given = (step: Step): Wire => ({
  ...program({
    connectionId: CONNECTION_ID,
    previousKey: { deactivateAfterHours: 0, quietHours: 0 },
    rotationTrigger: TRIGGERS[step],
  }),
  __provider: PROVIDER_CODE,
});

/** What came of a step without an action that it needs. */
interface Outcome {
  readonly action: string;
  readonly step: Step;
  readonly did: "failed" | "went on" | "held back";
  /** The first line of the error, or the message in state. */
  readonly reads: string;
  readonly held: string;
}

describe("Under exactly the printed policy, with signatures and policies enforced,", function () {
  this.timeout(300_000);
  const aws = useAws();
  let host: ProviderHost | undefined;
  let engine: EngineModel;
  let rotator: Credential;
  let owned: readonly string[];

  beforeEach(async () => {
    await aws.iam.createUser(USER);
    await aws.iam.createUser("other");
    await aws.iam.createUser("rotator");
    rotator = await aws.iam.addKey("rotator");
    engine = new EngineModel();
    owned = [];
    await aws.requireSignatures();
    // What moto lets pass is held to the policy's resources and conditions.
    aws.failOn((call) => {
      if (call.signedBy !== rotator.accessKeyId) return undefined;
      const { UserName, AccessKeyId = "" } = call.parameters;
      const name = UserName ?? (owned.includes(AccessKeyId) ? USER : "other");
      const isAllowed = permits(POLICY, call, ARN.replace(USER, name));
      return isAllowed ? undefined : { status: 403, code: "AccessDenied" };
    });
    host = await ProviderHost.start({
      folder: ROOT,
      endpoint: aws.endpoint,
      config: {
        "iam-rotation:limits": LIMITS,
        "iam-rotation:connections": JSON.stringify({
          [CONNECTION_ID]: { name: "rotator", method: "access-key", ...rotator },
        }),
      },
    });
  });
  afterEach(async () => {
    await host?.kill();
    host = undefined;
  });

  async function allow(document: PolicyDocument): Promise<void> {
    await aws.iam.allow("rotator", forMoto(document));
  }

  async function run(step: Step): Promise<Ran> {
    assert.ok(host);
    owned = await aws.iam.keyIds(USER);
    if (step === "refresh") return engine.refresh(host);
    return step === "destroy" ? engine.destroy(host) : engine.up(host, given(step));
  }

  /** The pair that state hands to consumers. */
  function published(): Credential | undefined {
    const { accessKeyId, secretAccessKey } = engine.state?.outputs ?? {};
    if (typeof accessKeyId !== "string" || typeof secretAccessKey !== "string") return undefined;
    return { accessKeyId, secretAccessKey };
  }

  /**
   * Nothing is lost: what was published works, and each key on the user is named by state or by the ledger.
   *
   * @returns What was looked at, for people.
   */
  async function assertNothingLost(before: Credential | undefined): Promise<string> {
    // After a destroy nothing is published any more, and one that failed has taken nothing away here.
    const credentials = engine.state ? [before, published()].filter((pair) => pair !== undefined) : [];
    for (const pair of credentials) assert.ok(await aws.iam.keyWorks(USER, pair), "a published key does not work");
    const ledger = parseLedger((await aws.iam.tags(USER))?.[LEDGER_TAG]);
    const inState = ((engine.state?.outputs["keys"] ?? []) as KeyRecord[]).map((key) => key.accessKeyId);
    const keys = await aws.iam.keys(USER);
    const isKnown = keys.map(({ accessKeyId: id }) => inState.includes(id) || ledger?.keys.includes(id) === true);
    assert.ok(isKnown.every(Boolean), "a key is known neither to state nor to the ledger");
    if (keys.length === 0) return "no key is on the user";
    return credentials.length > 0 ? "the published key works; no key is unknown" : "no key is unknown";
  }

  it("a rotation lives: created, rotated, retired, rotated again, refreshed, destroyed", async () => {
    await allow(POLICY);
    for (const step of STEPS) {
      const ran = await run(step);
      assert.equal(ran.error, undefined);
      if (step !== "destroy") {
        assert.equal(engine.state?.outputs["lastRotationMessage"], null);
        assert.ok(await aws.iam.keyWorks(USER, published()!));
      }
    }
    assert.deepEqual(await aws.iam.keyIds(USER), []);
    assert.deepEqual(await aws.iam.tags(USER), {});
    const used = new Set(aws.calls.filter((call) => call.signedBy === rotator.accessKeyId).map((call) => call.action));
    const declared = Object.values(ACTIONS).map(({ name }) => name);
    assert.deepEqual([...used].sort(), [...new Set(declared)].sort(), "the life does not make every call");
  });

  it("a rotation lives over a role with the printed trust policy and external id, and not with another one", async () => {
    const trust = trustPolicyDocument({ trustedArns: [ARN.replace(USER, "rotator")], externalId: "acme:platform" });
    const roleArn = await aws.iam.createRole("rotation", trust, forMoto(POLICY));
    await aws.iam.allow("rotator", {
      Version: "2012-10-17",
      Statement: [{ Effect: "Allow", Action: "sts:AssumeRole", Resource: roleArn }],
    });
    aws.failOn(undefined);
    const source = { name: "rotator", method: "access-key", ...rotator };
    const wrongId = CONNECTION_ID.replace("e1", "e2");
    const sourceId = CONNECTION_ID.replace("e1", "e3");
    const assumed = (externalId: string) => ({
      name: "role",
      method: "assume-role",
      roleArn,
      externalId,
      source: sourceId,
    });
    const other = await ProviderHost.start({
      folder: ROOT,
      endpoint: aws.endpoint,
      config: {
        "iam-rotation:limits": LIMITS,
        "iam-rotation:connections": JSON.stringify({
          [sourceId]: source,
          [CONNECTION_ID]: assumed("acme:platform"),
          [wrongId]: assumed("somebody:else"),
        }),
      },
    });
    try {
      const refused = await engine.up(other, { ...given("create"), connectionId: wrongId });
      assert.match(
        String(refused.error),
        /^connection "role" has no credentials, by assuming role \S+: AccessDenied: /,
      );
      assert.equal((await engine.up(other, given("create"))).error, undefined);
      assert.equal((await engine.up(other, given("rotate"))).error, undefined);
      assert.ok(await aws.iam.keyWorks(USER, published()!));
      assert.equal((await engine.destroy(other)).error, undefined);
    } finally {
      await other.kill();
    }
  });

  describe("without one of its actions,", () => {
    const outcomes: Outcome[] = [];
    const actions = POLICY.Statement.flatMap(({ Action }) => Action);

    /** The steps that fail without the action; in the others it is not needed, or they go on without it. */
    const failing: Readonly<Record<string, readonly Step[]>> = {
      "iam:GetUser": STEPS,
      "iam:ListAccessKeys": STEPS,
      "iam:CreateAccessKey": ["create", "rotate", "rotate again"],
      "iam:UpdateAccessKey": ["retire"],
      "iam:DeleteAccessKey": ["rotate again", "destroy"],
      "iam:GetAccessKeyLastUsed": [],
      "iam:TagUser": [],
      "iam:UntagUser": [],
    };

    for (const action of actions) {
      it(`${action}: what needs it fails and names it, nothing is lost, and with it the step is done`, async () => {
        for (const step of STEPS) {
          const before = published();
          await allow(without(POLICY, action));
          aws.forgetCalls();
          const printedBefore = host?.printed ?? "";
          const { error } = await run(step);
          const isAsked = aws.calls.some((call) => call.action === action && call.signedBy === rotator.accessKeyId);

          assert.equal(error !== undefined, failing[action]?.includes(step), `${step}: ${error}`);
          if (error !== undefined) {
            const head = `${action} for IAM user ${USER} failed over connection "rotator": AccessDenied: `;
            assert.ok(error.replace(/ \(access key \w+\)/, "").startsWith(head), error);
            assert.ok(error.includes(`allow ${action} on the user to the credentials of connection "rotator"`), error);
          }
          const held = await assertNothingLost(before);
          const isHeldBack = action === "iam:GetAccessKeyLastUsed" && step === "retire";
          if (isAsked) {
            const did = error !== undefined ? "failed" : isHeldBack ? "held back" : "went on";
            const message = engine.state?.outputs["lastRotationMessage"];
            const printed = host?.printed.slice(printedBefore.length).split("\n") ?? [];
            const line = printed.find((text) => text.includes(action)) ?? "nothing";
            const reads = error?.split("\n")[0] ?? (typeof message === "string" ? message : line);
            outcomes.push({
              action,
              step,
              did,
              reads: reads.replace(/ \(request id \w+\)/, "").replace(/AKIA\w+/g, "AKIA..."),
              held,
            });
          }

          await allow(POLICY);
          if (error === undefined && !isHeldBack) continue;
          assert.equal((await run(step)).error, undefined);
          await assertNothingLost(isHeldBack ? published() : before);
        }
        assert.deepEqual(await aws.iam.keyIds(USER), []);
        const tags = await aws.iam.tags(USER);
        assert.equal(Object.keys(tags ?? {}).length > 0, action === "iam:UntagUser");
      });
    }

    it("which of them fail, what is read then, and what held: as docs/least-privilege.md has it", async function () {
      const seen = new Set(outcomes.map(({ action }) => action));
      // With `--grep` some of the rows are missing.
      if (!actions.every((action) => seen.has(action))) this.skip();
      const text = await format(documentOf(outcomes), { parser: "markdown", printWidth: 120 });
      if (process.env["IAM_ROTATION_WRITE_DOCS"]) writeFileSync(DOCS, text);
      assert.equal(readFileSync(DOCS, "utf8"), text);
    });
  });

  it("moto still passes over resources and conditions, as docs/least-privilege.md says", async () => {
    await aws.iam.addKey(USER);
    const client = new Iam(aws.moto.endpoint, rotator);
    try {
      const tagging = POLICY.Statement.filter(({ Sid }) => Sid === "WriteRotationTags");
      await aws.iam.allow("rotator", { ...POLICY, Statement: tagging });
      await assert.rejects(client.tag(USER, { [LEDGER_TAG]: "x" }), /AccessDenied|not authorized/);
      await aws.iam.allow("rotator", {
        ...POLICY,
        Statement: tagging.map((statement) => ({ ...statement, Resource: "*" })),
      });
      await client.tag("other", { admin: "true" });
    } finally {
      client.stop();
    }
  });
});

describe("The model of policies that the tests under enforcement use", () => {
  const call = (action: string, parameters: Readonly<Record<string, string>> = {}) => ({
    action,
    parameters,
    signedBy: "",
    userAgent: "",
  });

  it("refuses other actions, other users, and tags with other keys or none", () => {
    assert.ok(permits(POLICY, call("iam:CreateAccessKey"), ARN));
    assert.ok(!permits(POLICY, call("iam:CreateAccessKey"), `${ARN}2`));
    assert.ok(!permits(POLICY, call("iam:CreateAccessKey"), ARN.replace("aws", "aws-us-gov")));
    assert.ok(!permits(POLICY, call("iam:CreateUser"), ARN));
    const tagging = (...keys: string[]) =>
      call("iam:TagUser", Object.fromEntries(keys.map((key, index) => [`Tags.member.${index + 1}.Key`, key])));
    assert.ok(permits(POLICY, tagging("iam-rotation", "iam-rotation-owner"), ARN));
    assert.ok(!permits(POLICY, tagging("iam-rotation", "admin"), ARN));
    assert.ok(!permits(POLICY, tagging(), ARN));
    assert.ok(!permits(POLICY, call("iam:UntagUser", { "TagKeys.member.1": "team" }), ARN));
  });

  it("takes wildcards where they were asked for", () => {
    const many = rotationPolicyDocument({ userArns: [ARN.replace(USER, "ci/*-bo?")], allowWildcards: true });
    assert.ok(permits(many, call("iam:GetUser"), ARN.replace(USER, "ci/a/b-bot")));
    assert.ok(!permits(many, call("iam:GetUser"), ARN.replace(USER, "cd/b-bot")));
  });
});

function documentOf(outcomes: readonly Outcome[]): string {
  // Steps that went alike are one row.
  const rows = new Map<string, Step[]>();
  for (const { action, step, did, reads, held } of outcomes) {
    const row = [action, "STEPS", did, reads, held].join(" | ");
    rows.set(row, [...(rows.get(row) ?? []), step]);
  }
  return [
    "# Least privilege, shown",
    "",
    "Made by a test, from what it saw; not to be edited by hand:",
    "`IAM_ROTATION_WRITE_DOCS=1 npm test -- test/host/leastPrivilege.test.ts`. Without the variable the test compares.",
    "",
    "A rotation's whole life (create, rotate, retire, rotate again, refresh, destroy) runs in Pulumi's dynamic host over the",
    "AWS SDK against moto, which checks signatures and policies, with credentials that have exactly the policy that",
    "`rotationPolicyDocument` gives for the user. Then one action is taken away before each step. What needs it fails and",
    "names it, or goes on without it; then the action is given back, and the same step, run again, is done. Steps that do",
    "not make the call are left out. The user reads the error's first line, `lastRotationMessage`, or a line of the run.",
    "",
    "Without | Step | It | What the user reads | What held",
    "--- | --- | --- | --- | ---",
    ...[...rows].map(([row, steps]) => row.replace("STEPS", steps.join(", "))),
    "",
    "`sts:GetCallerIdentity` cannot be taken away: AWS lets everybody call it, even where it is denied, and so does moto.",
    "",
    "## What only AWS itself can show",
    "",
    "- moto takes the resource of every call about a user for `*`, so a statement that names an arn would allow nothing there.",
    "  It gets the same statements with `*`. Each call is held to the policy's arns by the tests' own model of IAM",
    "  (`test/support/policyModel.ts`), with the user that the call names.",
    "- moto passes over all conditions but `StringEquals`. `aws:TagKeys` is checked by that model, too.",
    "- In a trust policy moto checks the principal, and the external id where one is given; AWS also refuses a call without one.",
    "- moto's message of a denial ends after the action; AWS adds the resource, and why.",
    "",
  ].join("\n");
}
