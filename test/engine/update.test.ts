import assert from "node:assert/strict";

import {
  type AwsIamUserSecretRotationArgs,
  AMBIENT_CONNECTION_ID,
  AwsIamUserSecretRotation,
} from "pulumi-iam-rotation";

import { useAws } from "../support/aws";
import { writesOf } from "../support/awsProxy";
import { ARGS, assertSameKey, currentOf, daysOn, NAME, previousOf, rotating, USER } from "../support/rotation";
import { describeEngine, useStacks } from "../support/stack";

const OTHER_CONNECTION = "3b7a3c1e-1d2f-4e5a-9b8c-7d6e5f4a3b2c";

describeEngine("changing a rotation", () => {
  const aws = useAws();
  const newStack = useStacks();

  it("changes every input but the user name in place, without an AWS write", async () => {
    const changes: Record<string, Partial<AwsIamUserSecretRotationArgs>> = {
      name: { name: "another-name" },
      projectid: { projectId: "another-project" },
      description: { description: "for the nightly build" },
      connectionid: { connectionId: OTHER_CONNECTION },
      environment: { environment: "staging" },
      secretpath: { secretPath: "/nightly/" },
      autorotation: { isAutoRotationEnabled: false },
      interval: { rotationInterval: 90 },
      rotateatutc: { rotateAtUtc: { hours: 4, minutes: 30 } },
      region: { parameters: { userName: "region", region: "eu-central-1" } },
      mapping: { secretsMapping: { accessKeyId: "KEY", secretAccessKey: "SECRET" } },
      previouskey: { previousKey: { deactivateAfterHours: 48, quietHours: 2, whenInUse: "retire" } },
      revoke: { revokeGeneratedCredentials: false },
    };
    const names = Object.keys(changes);
    for (const name of names) await aws.iam.createUser(name);
    // One rotation for each input: all in one, an input whose change nobody notices would pass.
    const program = (isChanged: boolean) => async () => {
      for (const userName of names) {
        const parameters = { userName, region: "us-east-1" as const };
        new AwsIamUserSecretRotation(userName, { ...ARGS, parameters, ...(isChanged && changes[userName]) });
      }
    };
    const stack = await newStack({
      endpoint: aws.endpoint,
      config: { "iam-rotation:connections": { [OTHER_CONNECTION]: { name: "other", method: "default" } } },
    });
    await stack.up(program(false));
    const before = await stack.outputs();
    aws.forgetCalls();

    const { ops } = await stack.up(program(true));

    assert.deepEqual(ops, Object.fromEntries(names.map((name) => [name, "update"])));
    assert.deepEqual(writesOf(aws.calls), []);
    const outputs = await stack.outputs();
    const after = (name: string, output: string) => outputs.get(name)?.[output];
    for (const name of names) assertSameKey(currentOf(outputs.get(name)), currentOf(before.get(name)));
    assert.equal(after("name", "name"), "another-name");
    assert.equal(after("projectid", "projectId"), "another-project");
    assert.notEqual(after("projectid", "folderId"), before.get("projectid")?.["folderId"]);
    assert.equal(after("description", "description"), "for the nightly build");
    assert.deepEqual(after("connectionid", "connection"), { app: "aws", name: "other", id: OTHER_CONNECTION });
    assert.equal((after("environment", "environment") as { slug: string }).slug, "staging");
    assert.equal(after("secretpath", "secretPath"), "/nightly");
    assert.equal(after("autorotation", "nextRotationAt"), null);
    assert.notEqual(after("interval", "nextRotationAt"), before.get("interval")?.["nextRotationAt"]);
    assert.match(String(after("rotateatutc", "nextRotationAt")), /T04:30:00\.000Z$/);
    assert.ok(after("region", "sesSmtpPassword") !== before.get("region")?.["sesSmtpPassword"], "the same password");
    assert.deepEqual(Object.keys(after("mapping", "secrets") as object).sort(), ["KEY", "SECRET"]);
    assert.equal(after("revoke", "revokeGeneratedCredentials"), false);
  });

  it("replaces for another user name: the new user gets a key, and then the old user's keys are deleted", async () => {
    await aws.iam.createUser(USER);
    await aws.iam.createUser("successor");
    const foreign = await aws.iam.addKey(USER);
    const stack = await newStack({ endpoint: aws.endpoint });
    await stack.up(rotating());
    aws.forgetCalls();

    const { ops } = await stack.up(rotating({ parameters: { userName: "successor", region: "us-east-1" } }));

    assert.match(ops[NAME] ?? "", /create-replacement.*delete-replaced/);
    const writes = writesOf(aws.calls);
    assert.deepEqual(writes, [
      "iam:TagUser",
      "iam:CreateAccessKey",
      "iam:TagUser",
      "iam:DeleteAccessKey",
      "iam:UntagUser",
    ]);
    assert.equal(await aws.iam.keyWorks("successor", currentOf(await stack.outputsOf(NAME))), true);
    assert.deepEqual(await aws.iam.keyIds(USER), [foreign.accessKeyId]);
  });

  it('keeps rotating under ignoreChanges ["*"], and takes no other change', async () => {
    await aws.iam.createUser(USER);
    const options = { ignoreChanges: ["*"] };
    const stack = await newStack({ endpoint: aws.endpoint });
    await stack.up(rotating({}, options));
    const first = currentOf(await stack.outputsOf(NAME));

    const { ops } = await stack.up(rotating({ description: "ignored", rotationInterval: 90 }, options));
    assert.deepEqual(ops, { [NAME]: "same" });

    await stack.asOf(daysOn(31, 1));
    await stack.up();
    const outputs = await stack.outputsOf(NAME);
    assertSameKey(previousOf(outputs), first);
    assert.equal(outputs?.["description"], null);
    assert.deepEqual((await stack.up()).ops, { [NAME]: "same" });
  });

  it('keeps the environment under ignoreChanges ["environment"], and takes every other change', async () => {
    await aws.iam.createUser(USER);
    const options = { ignoreChanges: ["environment"] };
    const stack = await newStack({ endpoint: aws.endpoint });
    await stack.up(rotating({}, options));

    await stack.up(rotating({ environment: "staging", description: "taken" }, options));

    const outputs = await stack.outputsOf(NAME);
    assert.equal((outputs?.["environment"] as { slug: string }).slug, "prod");
    assert.equal(outputs?.["description"], "taken");
  });

  it("accepts inputs that a preview does not know yet, anywhere, and follows them in the update", async () => {
    for (const name of [USER, "follower", "stranger"]) await aws.iam.createUser(name);
    const program = async () => {
      const leader = new AwsIamUserSecretRotation(NAME, ARGS);
      const unknown = <T>(value: T) => leader.accessKeyId.apply(() => value);
      new AwsIamUserSecretRotation("follower", {
        name: unknown("follower"),
        projectId: unknown("project"),
        description: leader.accessKeyId,
        connectionId: unknown(AMBIENT_CONNECTION_ID),
        environment: unknown("prod"),
        secretPath: unknown("/follower"),
        isAutoRotationEnabled: unknown(true),
        rotationInterval: leader.activeIndex.apply((slot) => 60 + slot),
        rotateAtUtc: { hours: unknown(3), minutes: unknown(0) },
        parameters: { userName: "follower", region: unknown("us-east-1" as const) },
        secretsMapping: { accessKeyId: unknown("KEY"), secretAccessKey: unknown("SECRET") },
        rotationTrigger: leader.accessKeyId,
        previousKey: { deactivateAfterHours: unknown(24), quietHours: unknown(4), whenInUse: unknown("wait" as const) },
        revokeGeneratedCredentials: unknown(true),
      });
      new AwsIamUserSecretRotation("stranger", {
        ...ARGS,
        rotationInterval: 60,
        rotateAtUtc: unknown({ hours: 3, minutes: 0 }),
        parameters: unknown({ userName: "stranger" }),
        secretsMapping: unknown({ accessKeyId: "KEY", secretAccessKey: "SECRET" }),
        previousKey: unknown({ quietHours: 4 }),
      });
    };
    const stack = await newStack({ endpoint: aws.endpoint, program });
    const creation = await stack.preview();
    assert.deepEqual(creation.ops, { [NAME]: "create", follower: "create", stranger: "create" });
    await stack.up();
    const before = await stack.outputs();
    assert.equal(before.get("follower")?.["description"], currentOf(before.get(NAME)).accessKeyId);

    // The leader alone is due; its new key, which the preview cannot know, is the follower's trigger.
    await stack.asOf(daysOn(31, 1));
    const { ops } = await stack.preview();
    assert.deepEqual([ops[NAME], ops["follower"]], ["update", "update"]);
    await stack.up();
    const after = await stack.outputs();
    for (const name of [NAME, "follower"]) assertSameKey(previousOf(after.get(name)), currentOf(before.get(name)));
    assertSameKey(currentOf(after.get("stranger")), currentOf(before.get("stranger")));
    assert.equal(after.get("follower")?.["rotationInterval"], 61);
  });
});
