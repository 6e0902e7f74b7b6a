import assert from "node:assert/strict";

import { UNKNOWN } from "../../provider/src/contract/unknown";
import type { CheckedInputs, RotationState } from "../../provider/src/contract/outputs";
import { diff } from "../../provider/src/lifecycle/diff";
import { intentOf } from "../../provider/src/lifecycle/intent";
import { FakeStack, type Inputs, OTHER_CONNECTION_ID, program } from "../support/fakeStack";

/** A stack after its first rotation: two keys. */
async function rotatedStack(given: Inputs = program()): Promise<{ stack: FakeStack; inputs: CheckedInputs }> {
  const stack = new FakeStack();
  await stack.up(given);
  stack.clock.advance({ days: 31 });
  await stack.up(given);
  assert.ok(stack.resource);
  return { stack, inputs: stack.resource.inputs };
}

const NOTHING = { changes: false, replaces: [] };
const UPDATE = { changes: true, replaces: [] };

describe("diff", () => {
  it("sees nothing right after a creation, a rotation, and any later check that moves nothing", async () => {
    const { stack, inputs } = await rotatedStack();
    assert.deepEqual(diff(stack.state, inputs, stack), NOTHING);
    stack.clock.advance({ days: 3 });
    assert.deepEqual(stack.preview().diff, NOTHING);
  });

  const changes: readonly [string, Inputs][] = [
    ["name", { name: "ci-bot-2" }],
    ["projectId", { projectId: "other" }],
    ["description", { description: "for CI" }],
    ["connectionId", { connectionId: OTHER_CONNECTION_ID }],
    ["environment", { environment: "dev" }],
    ["secretPath", { secretPath: "/other" }],
    ["isAutoRotationEnabled", { isAutoRotationEnabled: false }],
    ["rotationInterval", { rotationInterval: 60 }],
    ["rotateAtUtc", { rotateAtUtc: { hours: 3, minutes: 0 } }],
    ["parameters.region", { parameters: { userName: "ci-bot", region: "eu-west-1" } }],
    ["parameters.region, left out", { parameters: { userName: "ci-bot" } }],
    ["secretsMapping", { secretsMapping: { accessKeyId: "ID", secretAccessKey: "SECRET" } }],
    ["previousKey", { previousKey: { quietHours: 1 } }],
    ["revokeGeneratedCredentials", { revokeGeneratedCredentials: false }],
    ["owner", { owner: "acme/platform/prod/renamed" }],
  ];
  for (const [name, changed] of changes) {
    it(`sees an update in place for another ${name}`, async () => {
      const { stack } = await rotatedStack();
      const { inputs, diff: seen } = stack.preview(program(changed));
      assert.deepEqual(seen, UPDATE);
      assert.ok(inputs);
      assert.equal(intentOf(stack.state, inputs), undefined);
    });
  }

  it("sees a replacement for another user, and for one that is not known yet", async () => {
    const { stack } = await rotatedStack();
    const replacement = { changes: true, replaces: ["parameters"] };
    assert.deepEqual(stack.preview(program({ parameters: { userName: "other" } })).diff, replacement);
    assert.deepEqual(stack.preview(program({ parameters: { userName: UNKNOWN } })).diff, replacement);
    assert.deepEqual(stack.preview(program({ parameters: UNKNOWN })).diff, replacement);
  });

  const intents: readonly [string, Partial<RotationState>, (inputs: CheckedInputs) => CheckedInputs, string][] = [
    ["rotates where the number moved", {}, (i) => ({ ...i, rotation: { ...i.rotation, number: 2 } }), "rotate"],
    [
      "retires where the previous key's state moved",
      {},
      (i) => ({ ...i, rotation: { ...i.rotation, previousKey: "inactive" } }),
      "retire",
    ],
    [
      "settles where state holds a pending key",
      { pendingCredentials: { accessKeyId: "A", secretAccessKey: "s" } },
      (i) => i,
      "settle",
    ],
    ["settles where state holds something unsettled", { unsettled: "a key is gone" }, (i) => i, "settle"],
    [
      "rotates, before all else, where the number moved and all the rest did too",
      { unsettled: "a key is gone", pendingCredentials: { accessKeyId: "A", secretAccessKey: "s" } },
      (i) => ({ ...i, rotation: { ...i.rotation, number: 2, previousKey: "inactive" } }),
      "rotate",
    ],
  ];
  for (const [does, state, move, intent] of intents) {
    it(does, async () => {
      const { stack, inputs } = await rotatedStack();
      const moved = move(inputs);
      assert.equal(intentOf({ ...stack.state, ...state }, moved), intent);
      assert.deepEqual(diff({ ...stack.state, ...state }, moved, stack), UPDATE);
    });
  }

  it("sees an update where state holds drift that the inputs do not hold", async () => {
    const { stack, inputs } = await rotatedStack();
    const state = { ...stack.state, rotation: { ...stack.state.rotation, drift: "the current key is gone" } };
    assert.equal(intentOf(state, inputs), "settle");
    assert.deepEqual(diff(state, inputs, stack), UPDATE);
  });

  it("does not hang on the clock: what check decided holds a year later", async () => {
    const { stack, inputs } = await rotatedStack();
    stack.clock.advance({ days: 365 });
    assert.deepEqual(diff(stack.state, inputs, stack), NOTHING);
  });

  it("says on the console why a new key is to be made, as a preview without --diff shows no values", async () => {
    const { stack } = await rotatedStack();
    stack.logs.length = 0;
    stack.clock.advance({ days: 40 });
    stack.preview();
    assert.equal(stack.logs.length, 1);
    assert.match(
      stack.logs[0] ?? "",
      /^ci-bot: a new access key is to be made: due since \S+: every 30 days at 00:00 UTC$/,
    );
  });

  it("says on the console why a retirement is tried again, and nothing else", async () => {
    const given = program({ previousKey: { deactivateAfterHours: 1 } });
    const { stack } = await rotatedStack(given);
    stack.aws.key("AKIA0001").lastUse = { at: stack.clock.now().toISOString(), service: "s3", region: "us-east-1" };
    stack.clock.advance({ hours: 2 });
    await stack.up(given);
    stack.logs.length = 0;
    stack.preview(given);
    assert.deepEqual(stack.logs, [`ci-bot: ${stack.state.lastRotationMessage}; trying again`]);
    assert.match(stack.logs[0] ?? "", /the previous key AKIA0001 stays active/);
  });
});
