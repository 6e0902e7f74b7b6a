import assert from "node:assert/strict";

import * as pulumi from "@pulumi/pulumi";
import type { AwsIamUserSecretRotationArgs } from "pulumi-iam-rotation";

import { useAws } from "../support/aws";
import { assertSameKey, currentOf, daysOn, NAME, rotating, USER } from "../support/rotation";
import { describeEngine, failing, useStacks } from "../support/stack";

describeEngine("the inputs of a rotation", () => {
  const aws = useAws();
  const newStack = useStacks();

  beforeEach(() => aws.iam.createUser(USER));

  it("are reported all at once where they are wrong, each by its path, none by its value", async () => {
    const stack = await newStack({ endpoint: aws.endpoint });
    const wrong = {
      name: "Not A Slug",
      projectId: pulumi.secret(" "),
      description: "wrongdescription".repeat(20),
      connectionId: "wrongconnection",
      environment: "wrong_environment",
      rotationInterval: 0,
      rotateAtUtc: { hours: 24, minutes: 0 },
      parameters: { userName: USER, region: "wrong-region-1" },
      secretsMapping: { accessKeyId: "wrong:name", secretAccessKey: "ok" },
      adopt: { accessKeyId: "AKIAWRONGADOPTION", secretAccessKey: "", sessionToken: "wrongtoken" },
      previousKey: { whenInUse: "wrongword" },
      rotateAtUTC: "wrongproperty",
    };

    const runs = [
      await failing(stack.preview(rotating(wrong as unknown as Partial<AwsIamUserSecretRotationArgs>))),
      await failing(stack.up()),
    ];

    for (const { text, events } of runs) {
      for (const path of [
        "name",
        "projectId",
        "description",
        "connectionId",
        "environment",
        "rotationInterval",
        "rotateAtUtc.hours",
        "parameters.region",
        "secretsMapping.accessKeyId",
        "adopt.secretAccessKey",
        "adopt.sessionToken",
        "previousKey.whenInUse",
        "rotateAtUTC",
      ]) {
        assert.ok(text.includes(` ${path}: `), `${path} is missing in:\n${text}`);
      }
      assert.match(text, /rotateAtUTC: is not a known property; did you mean "rotateAtUtc"\?/);
      const said = text + JSON.stringify(events.map((event) => event.diagnosticEvent));
      assert.ok(!/wrong(?!-)|Not A Slug|AKIAWRONG/.test(said.replaceAll("what is wrong", "")), said);
    }
    assert.deepEqual(aws.calls, []);
    assert.deepEqual(await stack.resources(), []);
  });

  it("asOf is refused by an up whose AWS is not on this machine, before anything is sent", async () => {
    // 192.0.2.0/24 is for documentation (RFC 5737): nobody answers there.
    const elsewhere = "http://192.0.2.1";
    const refusal = /iam-rotation:asOf is set, and the AWS endpoint 192\.0\.2\.1 is not on this machine/;
    const stack = await newStack({ endpoint: elsewhere, program: rotating() });
    await stack.asOf(daysOn(31, 1));
    assert.match((await failing(stack.up())).text, refusal);
    assert.deepEqual(await stack.resources(), []);

    await stack.asOf(null);
    stack.setEnv("AWS_ENDPOINT_URL", aws.endpoint);
    await stack.up();
    const key = currentOf(await stack.outputsOf(NAME));
    stack.setEnv("AWS_ENDPOINT_URL", elsewhere);
    await stack.asOf(daysOn(31, 1));
    assert.deepEqual((await stack.preview()).ops, { [NAME]: "update" });
    assert.match((await failing(stack.up())).text, refusal);
    assertSameKey(currentOf(await stack.outputsOf(NAME)), key);
  });
});
