import assert from "node:assert/strict";

import type { EngineEvent } from "@pulumi/pulumi/automation";

import { useAws } from "../support/aws";
import type { Credential } from "../support/iam";
import { daysOn, NAME, rotating, USER } from "../support/rotation";
import { SecretSearch } from "../support/secretSearch";
import { describeEngine, failing, type Run, useStacks } from "../support/stack";

const CONNECTION = "aaaaaaaa-0000-4000-8000-0000000000b1";

const isDebug = ({ diagnosticEvent }: EngineEvent) => (diagnosticEvent?.severity as string | undefined) === "debug";

describeEngine("the secrets of a rotation", () => {
  const aws = useAws();
  const newStack = useStacks();

  beforeEach(() => aws.iam.createUser(USER));

  it("stand nowhere in plain text: not in saved state, not in what is printed, not in events; and are searched for", async function () {
    this.timeout(240_000);
    const search = new SecretSearch();
    const adopt = await aws.iam.addKey(USER);
    const wrong = { ...adopt, secretAccessKey: "Wrong/Secret+0123456789abcdefghijklmnopq" };
    const connectionSecret = "Conn/ection+Secret0123456789abcdefghijkl";
    search.plant("the adopted key", adopt.secretAccessKey);
    search.plant("a wrong pair", wrong.secretAccessKey);
    search.plant("the connection's secret", connectionSecret);
    const stack = await newStack({ endpoint: aws.endpoint, limits: { verifySeconds: 2 } });
    const path = (property: string) => `iam-rotation:connections["${CONNECTION}"].${property}`;
    await stack.setConfig(path("name"), "production");
    await stack.setConfig(path("method"), "access-key");
    await stack.setConfig(path("accessKeyId"), "AKIACONNECTION");
    await stack.setConfig(path("secretAccessKey"), connectionSecret, { secret: true });
    const note = async (command: Promise<Run>) => {
      const { text, events } = await command;
      // Debug messages hold what the SDK sends to the engine for any resource; the engine shows and keeps none of them.
      search.note("what was printed", text);
      search.note("an event", JSON.stringify(events.filter((event) => !isDebug(event))));
      search.note("what was saved", stack.savedText());
      const outputs = await stack.outputsOf(NAME);
      const credentials = [outputs?.["generatedCredentials"] ?? [], outputs?.["pendingCredentials"] ?? []].flat();
      for (const { secretAccessKey } of credentials as unknown as Credential[]) search.plant("a key", secretAccessKey);
      search.plant("a password", outputs?.["sesSmtpPassword"]);
    };
    const given = { connectionId: CONNECTION };
    const refuseNewKeys = (code: string) =>
      aws.failOn(({ signedBy }) => (signedBy === "AKIACONNECTION" ? undefined : { status: 403, code }));

    await note(stack.preview(rotating({ ...given, adopt })));
    aws.failOn(() => ({ status: 403, code: "ExpiredToken" }));
    await note(failing(stack.up()));
    refuseNewKeys("SignatureDoesNotMatch");
    await note(failing(stack.up(rotating({ ...given, adopt: wrong }))));
    aws.failOn(undefined);
    await note(stack.up(rotating({ ...given, adopt })));
    await stack.asOf(daysOn(31, 1));
    await note(stack.preview());
    refuseNewKeys("InvalidClientTokenId");
    await note(failing(stack.up()));
    aws.failOn(undefined);
    await note(stack.refresh());
    await note(stack.up());
    assert.ok(aws.calls.some((call) => call.signedBy === "AKIACONNECTION"));
    // The adopted pair and the rotated one with a password for each, the wrong pair, the connection's secret.
    assert.equal(search.count, 6);
    // Not the connection's: the engine itself hides secrets of the config in all that it prints.
    const planted = rotating({ ...given, description: `for ${adopt.secretAccessKey}` });
    const plantedSearch = new SecretSearch();
    plantedSearch.plant("planted", adopt.secretAccessKey);
    plantedSearch.note("what was printed", (await stack.preview(planted)).text);
    await note(stack.destroy());

    assert.deepEqual(search.found(), []);
    assert.deepEqual(plantedSearch.found(), ["planted: what was printed"]);
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
