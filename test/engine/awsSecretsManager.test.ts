import assert from "node:assert/strict";

import { GetSecretValueCommand, ListSecretsCommand, SecretsManagerClient } from "@aws-sdk/client-secrets-manager";

import { useAws } from "../support/aws";
import { exampleOf } from "../support/example";
import type { Credential } from "../support/iam";
import { daysOn } from "../support/rotation";
import { describeEngine, type TestStack, useStacks } from "../support/stack";

const USER = "ci-bot";

describeEngine("the example aws-secrets-manager", () => {
  const aws = useAws();
  const newStack = useStacks();
  let secretsManager: SecretsManagerClient;
  let stack: TestStack;

  beforeEach(async () => {
    secretsManager = new SecretsManagerClient({
      endpoint: aws.moto.endpoint,
      region: "us-east-1",
      credentials: { accessKeyId: "test", secretAccessKey: "test" },
    });
    stack = await newStack({ endpoint: aws.endpoint, ...exampleOf("aws-secrets-manager") });
  });
  afterEach(() => secretsManager.destroy());

  /** What a consumer reads. */
  async function published(): Promise<Credential> {
    const { SecretList = [] } = await secretsManager.send(new ListSecretsCommand({}));
    const { SecretString = "" } = await secretsManager.send(
      new GetSecretValueCommand({ SecretId: SecretList[0]?.ARN }),
    );
    const secrets = JSON.parse(SecretString) as Record<string, string>;
    return {
      accessKeyId: secrets["AWS_ACCESS_KEY_ID"] ?? "",
      secretAccessKey: secrets["AWS_SECRET_ACCESS_KEY"] ?? "",
    };
  }

  it("keeps a working key in the secret, through a rotation, and takes everything away in the end", async () => {
    await stack.up();
    const first = await published();
    assert.equal(await aws.iam.keyWorks(USER, first), true);

    await stack.asOf(daysOn(31, 4));
    await stack.up();
    const second = await published();
    assert.notEqual(second.accessKeyId, first.accessKeyId);
    assert.equal(await aws.iam.keyWorks(USER, second), true);
    assert.equal(await aws.iam.keyWorks(USER, first), true);

    await stack.destroy();
    assert.equal(await aws.iam.tags(USER), undefined);
    assert.deepEqual((await secretsManager.send(new ListSecretsCommand({}))).SecretList, []);
    assert.deepEqual(await stack.resources(), []);
  });

  it("leaves the rotation's own tags on the user, also when a refresh has seen them", async () => {
    await stack.up();
    const tags = { "iam-rotation": "by-the-rotation", "iam-rotation-owner": "by-the-rotation" };
    await aws.iam.tag(USER, tags);

    await stack.refresh();
    await stack.up();

    assert.deepEqual(await aws.iam.tags(USER), { purpose: "ci", ...tags });
  });
});
