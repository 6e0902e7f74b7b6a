import assert from "node:assert/strict";

import { DescribeParametersCommand, GetParameterCommand, SSMClient } from "@aws-sdk/client-ssm";

import { sesSmtpPassword } from "../../provider/src/aws/sesSmtpPassword";
import { useAws } from "../support/aws";
import { exampleOf } from "../support/example";
import type { Credential } from "../support/iam";
import { daysOn } from "../support/rotation";
import { describeEngine, useStacks } from "../support/stack";

const USER = "mailer";

/** What the two parameters hold. */
interface Published {
  readonly key: Credential;
  readonly smtp: { host: string; port: number; username: string; password: string };
}

describeEngine("the example parameter-store-and-ses", () => {
  const aws = useAws();
  const newStack = useStacks();
  let ssm: SSMClient;

  beforeEach(() => {
    ssm = new SSMClient({
      endpoint: aws.moto.endpoint,
      region: "us-east-1",
      credentials: { accessKeyId: "test", secretAccessKey: "test" },
    });
  });
  afterEach(() => ssm.destroy());

  async function valueOf(name: string): Promise<unknown> {
    const { Parameter } = await ssm.send(new GetParameterCommand({ Name: name, WithDecryption: true }));
    return JSON.parse(Parameter?.Value ?? "");
  }

  /** What a mail server reads. */
  async function published(): Promise<Published> {
    const pair = (await valueOf("/mailer/key")) as Record<string, string>;
    return {
      key: { accessKeyId: pair["AWS_ACCESS_KEY_ID"] ?? "", secretAccessKey: pair["AWS_SECRET_ACCESS_KEY"] ?? "" },
      smtp: (await valueOf("/mailer/smtp")) as Published["smtp"],
    };
  }

  async function assertOneLogin({ key, smtp }: Published): Promise<void> {
    assert.equal(await aws.iam.keyWorks(USER, key), true);
    assert.equal(smtp.username, key.accessKeyId);
    assert.equal(smtp.host, "email-smtp.eu-central-1.amazonaws.com");
    assert.ok(smtp.password === sesSmtpPassword(key.secretAccessKey, "eu-central-1"), "not the password of this key");
  }

  it("keeps key and SMTP login in step through a rotation, and takes everything away in the end", async () => {
    const stack = await newStack({ endpoint: aws.endpoint, ...exampleOf("parameter-store-and-ses") });

    await stack.up();
    const first = await published();
    await assertOneLogin(first);

    await stack.asOf(daysOn(31, 4));
    await stack.up();
    const second = await published();
    await assertOneLogin(second);
    assert.notEqual(second.key.accessKeyId, first.key.accessKeyId);
    assert.equal(await aws.iam.keyWorks(USER, first.key), true);

    await stack.destroy();
    assert.equal(await aws.iam.tags(USER), undefined);
    assert.deepEqual((await ssm.send(new DescribeParametersCommand({}))).Parameters, []);
    assert.deepEqual(await stack.resources(), []);
  });

  it("keeps both parameters encrypted, in Parameter Store and in the engine's state", async () => {
    const stack = await newStack({ endpoint: aws.endpoint, ...exampleOf("parameter-store-and-ses") });

    const { text } = await stack.up();

    const { Parameters = [] } = await ssm.send(new DescribeParametersCommand({}));
    assert.deepEqual(
      Parameters.map(({ Type }) => Type),
      ["SecureString", "SecureString"],
    );
    const { key, smtp } = await published();
    for (const secret of [key.secretAccessKey, smtp.password]) {
      assert.ok(!text.includes(secret), "a secret is in the output");
      assert.ok(!stack.savedText().includes(secret), "a secret is in the state");
    }
  });
});
