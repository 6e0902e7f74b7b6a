import assert from "node:assert/strict";

import type { EngineEvent } from "@pulumi/pulumi/automation";

import { useAws } from "../support/aws";
import type { Credential } from "../support/iam";
import { daysOn, NAME, rotating, USER } from "../support/rotation";
import { describeEngine, failing, type Run, useStacks } from "../support/stack";

const isDebug = ({ diagnosticEvent }: EngineEvent) => (diagnosticEvent?.severity as string | undefined) === "debug";

describeEngine("the secrets of a rotation", () => {
  const aws = useAws();
  const newStack = useStacks();

  beforeEach(() => aws.iam.createUser(USER));

  it("stand nowhere in plain text: not in saved state, not in what is printed, not in events", async () => {
    const secrets = new Set<string>();
    const runs: Run[] = [];
    const saved: string[] = [];
    const adopt = await aws.iam.addKey(USER);
    secrets.add(adopt.secretAccessKey);
    const stack = await newStack({ endpoint: aws.endpoint, limits: { verifySeconds: 0.2 } });
    const note = async (command: Promise<Run>) => {
      runs.push(await command);
      saved.push(stack.savedText());
      const outputs = await stack.outputsOf(NAME);
      const credentials = [outputs?.["generatedCredentials"] ?? [], outputs?.["pendingCredentials"] ?? []].flat();
      for (const { secretAccessKey } of credentials as unknown as Credential[]) secrets.add(secretAccessKey);
      if (typeof outputs?.["sesSmtpPassword"] === "string") secrets.add(outputs["sesSmtpPassword"]);
    };

    await note(stack.preview(rotating({ adopt })));
    await note(stack.up());
    await stack.asOf(daysOn(31, 1));
    await note(stack.preview());
    aws.failOn((call) => (call.signedBy === "test" ? undefined : { status: 403, code: "InvalidClientTokenId" }));
    await note(failing(stack.up()));
    aws.failOn(undefined);
    await note(stack.refresh());
    await note(stack.up());
    await note(stack.destroy());

    // The adopted pair, the rotated one, and a password for each.
    assert.equal(secrets.size, 4);
    for (const { text, events } of runs) {
      // Debug messages hold what the SDK sends to the engine for any resource; the engine shows and keeps none of them.
      const said = text + JSON.stringify(events.filter((event) => !isDebug(event)));
      for (const secret of secrets) assert.ok(!said.includes(secret), "a secret was printed or stands in an event");
    }
    for (const text of saved) {
      for (const secret of secrets) assert.ok(!text.includes(secret), "a secret was saved in plain text");
    }
  });

  it("make a state of at most 6,000 bytes, without serialized code", async () => {
    const stack = await newStack({ endpoint: aws.endpoint });
    await stack.up(rotating({ previousKey: { deactivateAfterHours: 24 } }));
    await stack.up(rotating({ previousKey: { deactivateAfterHours: 24 }, rotationTrigger: "once" }));

    const resource = stack.rawState().resources.find(({ urn }) => String(urn).endsWith(`::${NAME}`));

    const text = JSON.stringify(resource);
    assert.ok(Buffer.byteLength(text) <= 6_000, `it is ${Buffer.byteLength(text)} bytes`);
    const code = 'exports.handler=()=>require("pulumi-iam-rotation/dynamic").provider';
    assert.equal((resource?.["outputs"] as { __provider?: string }).__provider, code);
  });
});
