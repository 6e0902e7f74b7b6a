import assert from "node:assert/strict";

import { type PolicyDocument, rotationPolicyDocument } from "pulumi-iam-rotation";

import { useAws } from "../support/aws";
import { writesOf } from "../support/awsProxy";
import { forMoto, permits } from "../support/policyModel";
import { currentOf, NAME, rotating, USER } from "../support/rotation";
import { describeEngine, failing, useStacks } from "../support/stack";

const ID = "aaaaaaaa-0000-4000-8000-0000000000f1";
const OWN = "aaaaaaaa-0000-4000-8000-0000000000f2";
const UNKNOWN = "aaaaaaaa-0000-4000-8000-0000000000f3";
const ARN = `arn:aws:iam::123456789012:user/${USER}`;
const POLICY: PolicyDocument = rotationPolicyDocument({ userArns: [ARN] });

describeEngine("the connections of a stack", () => {
  const aws = useAws();
  const newStack = useStacks();

  beforeEach(() => aws.iam.createUser(USER));

  it("come from `pulumi config set --path --secret`, and a rotation lives under exactly the printed policy", async () => {
    await aws.iam.createUser("rotator");
    const rotator = await aws.iam.addKey("rotator");
    await aws.requireSignatures();
    await aws.iam.allow("rotator", forMoto(POLICY));
    aws.failOn((call) => {
      if (call.signedBy !== rotator.accessKeyId || permits(POLICY, call, ARN)) return undefined;
      return { status: 403, code: "AccessDenied" };
    });
    const stack = await newStack({ endpoint: aws.endpoint });
    const path = (property: string) => `iam-rotation:connections["${ID}"].${property}`;
    await stack.setConfig(path("name"), "rotator");
    await stack.setConfig(path("method"), "access-key");
    await stack.setConfig(path("accessKeyId"), rotator.accessKeyId);
    await stack.setConfig(path("secretAccessKey"), rotator.secretAccessKey, { secret: true });

    await stack.up(rotating({ connectionId: ID }));
    const first = await stack.outputsOf(NAME);
    await stack.up(rotating({ connectionId: ID, rotationTrigger: "1" }));
    const second = await stack.outputsOf(NAME);
    await stack.refresh();

    assert.deepEqual(first?.["connection"], { app: "aws", name: "rotator", id: ID });
    assert.equal(second?.["lastRotationMessage"], null);
    for (const outputs of [first, second]) assert.ok(await aws.iam.keyWorks(USER, currentOf(outputs)));
    assert.ok(!stack.savedText().includes(rotator.secretAccessKey), "the connection's secret was saved in plain text");
    await stack.destroy();
    assert.deepEqual(await aws.iam.keyIds(USER), []);
    assert.ok(aws.calls.some((call) => call.signedBy === rotator.accessKeyId));
  });

  it("are listed in a preview that names an unknown one, and wrong ones are told by their path, without a value", async () => {
    const stack = await newStack({ endpoint: aws.endpoint });
    const path = (id: string, property: string) => `iam-rotation:connections["${id}"].${property}`;
    await stack.setConfig(path(ID, "name"), "production");
    await stack.setConfig(path(ID, "method"), "default");
    const { text } = await failing(stack.preview(rotating({ connectionId: UNKNOWN })));
    assert.ok(text.includes("connectionId: is not among the connections of this stack: "), text);
    assert.ok(text.includes(`${ID} ("production")`), text);

    await stack.setConfig(path(ID, "method"), "access-key");
    await stack.setConfig(path(ID, "secretAccesKey"), "hidden/value", { secret: true });
    const wrong = await failing(stack.preview());
    assert.ok(wrong.text.includes(`iam-rotation:connections.${ID}.accessKeyId: must be a string`), wrong.text);
    assert.ok(
      wrong.text.includes(`.secretAccesKey: is not a known property; did you mean "secretAccessKey"?`),
      wrong.text,
    );
    assert.ok(!wrong.text.includes("hidden/value"));
    assert.deepEqual(aws.calls, []);
  });

  it("may not sign with a key of the very user, unless they say so", async () => {
    const own = { name: "own key", method: "access-key", ...(await aws.iam.addKey(USER)) };
    const stack = await newStack({ endpoint: aws.endpoint, config: { "iam-rotation:connections": { [OWN]: own } } });

    const { text } = await failing(stack.up(rotating({ connectionId: OWN })));

    assert.match(text, /connection "own key" signs with an access key of arn:aws:iam::\d{12}:user\/ci-bot/);
    assert.deepEqual(writesOf(aws.calls), []);
    assert.deepEqual(await stack.resources(), []);
    await stack.setConfig(`iam-rotation:connections["${OWN}"].allowSelfRotation`, "true");
    await stack.up();
    assert.ok(await aws.iam.keyWorks(USER, currentOf(await stack.outputsOf(NAME))));
  });
});
