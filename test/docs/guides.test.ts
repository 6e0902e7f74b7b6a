import assert from "node:assert/strict";

import { useAws } from "../support/aws";
import { writesOf } from "../support/awsProxy";
import { AWS_PLUGIN } from "../support/example";
import { Guide, PREAMBLE } from "../support/guide";
import { assumed, Iam } from "../support/iam";
import { assertSameKey, currentOf, daysOn, NAME, previousOf, USER } from "../support/rotation";
import { describeEngine, type TestStack, useStacks } from "../support/stack";

/** For guides with many commands, each of which starts the engine and the program. */
const PATIENCE_MS = 300_000;

describeEngine("the guide", () => {
  const aws = useAws();
  const newStack = useStacks();
  let stack: TestStack;

  beforeEach(async () => {
    await aws.iam.createUser(USER);
    stack = await newStack({
      endpoint: aws.endpoint,
      project: { folder: "examples/aws-secrets-manager", parts: ["Pulumi.yaml", "package.json", "tsconfig.json"] },
      path: [AWS_PLUGIN],
      // All programs on the pages are compiled together, in a test of their own.
      env: { PULUMI_NODEJS_TRANSPILE_ONLY: "true" },
    });
  });

  /** The program that the reader has before the guide begins. */
  const declare = (more: { rotationTrigger?: string } = {}) =>
    stack.write(
      "index.ts",
      `${PREAMBLE}new AwsIamUserSecretRotation("${NAME}", { ...inputs, ...${JSON.stringify(more)} });`,
    );
  const guide = (name: string) => Guide.open(`docs/guides/${name}.md`, stack);
  const statusOf = async (accessKeyId: string) =>
    (await aws.iam.keys(USER)).find((key) => key.accessKeyId === accessKeyId)?.status;

  it("rotate now: the preview says why, and the key before stays good", async () => {
    declare();
    await stack.up();
    const before = currentOf(await stack.outputsOf(NAME));
    const rotateNow = await guide("rotate-now");

    await rotateNow.section("Ask for it");
    await rotateNow.section("Look, and do it");

    const after = await stack.outputsOf(NAME);
    assertSameKey(previousOf(after), before);
    assert.equal(await aws.iam.keyWorks(USER, currentOf(after)), true);
    assert.equal(await aws.iam.keyWorks(USER, before), true);
  });

  it("a key has leaked: the second up disables it, though it is in use", async () => {
    declare();
    await stack.up();
    const leaked = currentOf(await stack.outputsOf(NAME));
    const inAHurry = await guide("leaked-key");

    await inAHurry.section("1. Make a new key");
    await aws.iam.use(leaked);
    assert.equal(await statusOf(leaked.accessKeyId), "Active");
    await inAHurry.section("2. Disable the leaked key");

    const outputs = await stack.outputsOf(NAME);
    assert.equal(await statusOf(leaked.accessKeyId), "Inactive");
    assert.equal(await aws.iam.keyWorks(USER, currentOf(outputs)), true);
    assert.equal(outputs?.["previousAccessKeyId"], leaked.accessKeyId);
  });

  it("adopt an existing key: no key is made, and none when adopt is taken out again", async () => {
    const existing = await aws.iam.addKey(USER);
    stack.setEnv("SECRET", existing.secretAccessKey);
    const adopt = await guide("adopt-a-key");

    await stack.type(`pulumi config set --secret adoptedAccessKeyId ${existing.accessKeyId}`);
    await stack.type('printf %s "$SECRET" | pulumi config set --secret adoptedSecretAccessKey');
    await adopt.section("2. Declare the rotation");
    assertSameKey(currentOf(await stack.outputsOf(NAME)), existing);
    await adopt.section("3. Clean up");

    assertSameKey(currentOf(await stack.outputsOf(NAME)), existing);
    assert.deepEqual(await aws.iam.keyIds(USER), [existing.accessKeyId]);
  });

  it("move to one active key: a previous key that is due is disabled, one in use is waited for", async () => {
    declare({ rotationTrigger: "once" });
    await stack.up();
    declare({ rotationTrigger: "twice" });
    await stack.up();
    const previous = previousOf(await stack.outputsOf(NAME));
    const oneActive = await guide("one-active-key");

    await aws.iam.use(previous);
    await stack.asOf(daysOn(0, 13));
    await oneActive.section("1. Say how long consumers need");
    assert.equal(await statusOf(previous.accessKeyId), "Active");
    await oneActive.section("2. When a key stays active");

    await stack.asOf(daysOn(2));
    await oneActive.section("3. Run it often enough");
    assert.equal(await statusOf(previous.accessKeyId), "Inactive");
    assert.equal(await aws.iam.keyWorks(USER, currentOf(await stack.outputsOf(NAME))), true);
  }).timeout(PATIENCE_MS);

  it("several accounts: each rotation reaches its user by the role of its account", async () => {
    const roles = ["111111111111", "222222222222"].map((account) => `arn:aws:iam::${account}:role/rotator`);
    const people = await Promise.all(
      roles.map(async (role) => new Iam(aws.moto.endpoint, await assumed(aws.moto.endpoint, role))),
    );
    for (const person of people) await person.createUser(USER);
    const accounts = await guide("several-accounts");

    await accounts.section("2. A connection for each");
    await accounts.section("3. A rotation for each user");

    const outputs = [await stack.outputsOf("ci-bot-production"), await stack.outputsOf("ci-bot-staging")];
    assert.deepEqual(
      outputs.map((output) => output?.["userArn"]),
      ["arn:aws:iam::111111111111:user/ci-bot", "arn:aws:iam::222222222222:user/ci-bot"],
    );
    for (const [index, person] of people.entries()) {
      assert.deepEqual(await person.keyIds(USER), [currentOf(outputs[index]).accessKeyId]);
      person.stop();
    }
    assert.deepEqual(await aws.iam.keys(USER), []);
  });

  it("import from keys rotated by hand: a second key is made beside the one whose secret nobody knows", async () => {
    const { accessKeyId: old } = await aws.iam.addKey(USER);
    const byHand = await guide("hand-rotated-keys");

    await byHand.section("4. Declare the rotation");

    const current = currentOf(await stack.outputsOf(NAME));
    assert.deepEqual((await aws.iam.keyIds(USER)).sort(), [old, current.accessKeyId].sort());
    assert.equal(await aws.iam.keyWorks(USER, current), true);
  });

  it("migrate from aws.iam.AccessKey: the rotation goes on with the key, which is neither made anew nor deleted", async () => {
    const migrate = await guide("migrate-from-access-key");
    await migrate.section("Migrate from aws.iam.AccessKey and time.Rotating");
    await stack.up();
    const [before] = await aws.iam.keyIds(USER);

    await migrate.section("1. Let the rotation adopt the key");
    await migrate.section("2. Take the access key out of the program");

    assert.deepEqual(await stack.resources(), ["ci-bot-rotation"]);
    assert.deepEqual(await aws.iam.keyIds(USER), [before]);
    const adopted = currentOf(await stack.outputsOf("ci-bot-rotation"));
    assert.equal(adopted.accessKeyId, before);
    assert.equal(await aws.iam.keyWorks(USER, adopted), true);
  }).timeout(PATIENCE_MS);

  it("leave this tool: the key goes on working, only the rotation's tags are taken away", async () => {
    declare();
    await stack.up();
    const key = currentOf(await stack.outputsOf(NAME));
    const leave = await guide("leave");

    const printed = await leave.section("1. Keep the keys, and copy what you need");
    assert.ok(printed.includes(key.secretAccessKey), "the pair is not shown");
    aws.forgetCalls();
    await leave.section("2. Take the rotation away");

    assert.deepEqual(writesOf(aws.calls), ["iam:UntagUser"]);
    assert.deepEqual(await stack.resources(), []);
    assert.equal(await aws.iam.keyWorks(USER, key), true);
    assert.deepEqual(await aws.iam.tags(USER), {});
  });
});
