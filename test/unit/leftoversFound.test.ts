import assert from "node:assert/strict";

import { ForbiddenError } from "../../provider/src/rotation/errors";
import { FakeStack, type Inputs, program } from "../support/fakeStack";
import { ledgerOf, NEVER, writeLedger } from "../support/runs";

const statesOf = (stack: FakeStack) => stack.state.keys.map(({ accessKeyId, state }) => `${accessKeyId} ${state}`);
const keyWritesOf = ({ aws }: FakeStack) => aws.calls.filter((call) => /^(create|delete|deactivate)/.test(call));
const tagsOf = ({ aws }: FakeStack) => Object.keys(aws.tagsOf("ci-bot"));
const BY_HAND = program({ rotationTrigger: "1" });

async function created(given: Inputs = program()): Promise<FakeStack> {
  const stack = new FakeStack();
  await stack.up(given);
  stack.aws.calls.length = 0;
  return stack;
}

function useOf(stack: FakeStack, accessKeyId: string): void {
  stack.aws.key(accessKeyId).lastUse = { at: stack.clock.now().toISOString(), service: "s3", region: "us-east-1" };
}

describe("read, of what runs left", () => {
  const cases: readonly [string, (stack: FakeStack) => Promise<void> | void, string, string[]][] = [
    [
      "a key that a killed run made",
      (stack) => stack.upKilledAfter("create", BY_HAND),
      "the key AKIA0002 was made by a run that did not end; the user's tag iam-rotation still announces a key",
      ["AKIA0001 current", "AKIA0002 leftover"],
    ],
    [
      "a key that was announced and never made",
      (stack) => stack.upKilledAfter("tag", BY_HAND),
      "the user's tag iam-rotation still announces a key",
      ["AKIA0001 current"],
    ],
    [
      "a ledger that names a key long gone",
      ({ aws }) => writeLedger(aws, { keys: ["AKIA0001", "AKIAGONE"] }),
      "the user's tag iam-rotation names a key that is no longer on the user",
      ["AKIA0001 current"],
    ],
    [
      "a ledger that does not name a key that state lists",
      ({ aws }) => writeLedger(aws, { keys: [] }),
      "the user's tag iam-rotation does not name every key of this rotation",
      ["AKIA0001 current"],
    ],
    [
      "a leftover that is named, and nothing is announced",
      ({ aws }) => writeLedger(aws, { keys: ["AKIA0001", aws.addKey("ci-bot").accessKeyId] }),
      "the key AKIA0002 was made by a run that did not end",
      ["AKIA0001 current", "AKIA0002 leftover"],
    ],
  ];
  for (const [what, happen, says, settled] of cases) {
    it(`says ${what}; the next run settles it and makes no key`, async () => {
      const stack = await created();
      await happen(stack);
      await stack.refresh();
      assert.equal(stack.state.unsettled, says);
      assert.equal("drift" in stack.state.rotation, false);
      stack.aws.calls.length = 0;
      assert.deepEqual(await stack.up(), { did: "update" });
      assert.deepEqual(statesOf(stack), settled);
      assert.equal(stack.state.unsettled, null);
      assert.deepEqual(keyWritesOf(stack), []);
      const { keys, announcement } = ledgerOf(stack.aws) ?? {};
      assert.deepEqual([keys, announcement], [stack.state.keys.map(({ accessKeyId }) => accessKeyId), undefined]);
      assert.deepEqual(await stack.up(), { did: "same" });
    });
  }

  it("says that a pending key was disabled or is gone", async () => {
    const stack = await created();
    stack.aws.passes.push(...NEVER);
    await stack.up(BY_HAND);
    stack.aws.passes.length = 0;
    stack.aws.key("AKIA0002").status = "Inactive";
    await stack.refresh();
    assert.equal(stack.state.unsettled, "the pending key AKIA0002 was set Inactive");
    stack.aws.removeKey("AKIA0002");
    await stack.refresh();
    assert.match(stack.state.unsettled ?? "", /^the pending key AKIA0002 is no longer on the user/);
  });

  it("finds nothing unsettled in another rotation's ledger, or where the tags are gone", async () => {
    const stack = await created();
    writeLedger(stack.aws, { rotationId: "ffffffff-1111-5222-8333-444455556666", keys: ["AKIAGONE"] });
    await stack.refresh();
    assert.equal(stack.state.unsettled, null);
    stack.aws.setTags("ci-bot", { "iam-rotation": undefined });
    await stack.refresh();
    assert.equal(stack.state.unsettled, null);
  });
});

describe("delete, of what runs left", () => {
  it("takes both tags away with the last key, and leaves other tags alone", async () => {
    const stack = await created();
    stack.aws.setTags("ci-bot", { team: "ci" });
    await stack.destroy();
    assert.deepEqual(stack.aws.tagsOf("ci-bot"), { team: "ci" });
    assert.deepEqual(stack.aws.listOf("ci-bot"), []);
  });

  it("deletes the leftover of an update that was killed, one generation ahead of state", async () => {
    const stack = await created();
    await stack.upKilledAfter("create", BY_HAND);
    await stack.destroy();
    assert.deepEqual([stack.aws.listOf("ci-bot"), tagsOf(stack)], [[], []]);
    assert.deepEqual(keyWritesOf(stack), ["create", "delete AKIA0001", "delete AKIA0002"]);
  });

  it("leaves such a leftover that somebody used, names it in the ledger, and announces nothing any more", async () => {
    const stack = await created();
    await stack.upKilledAfter("create", BY_HAND);
    useOf(stack, "AKIA0002");
    await stack.destroy();
    assert.deepEqual(stack.aws.listOf("ci-bot"), ["AKIA0002 Active"]);
    const { keys, announcement } = ledgerOf(stack.aws) ?? {};
    assert.deepEqual([keys, announcement], [["AKIA0002"], undefined]);
  });

  it("fails before its first write where the last use of such a leftover cannot be read", async () => {
    const stack = await created();
    await stack.upKilledAfter("create", BY_HAND);
    stack.aws.calls.length = 0;
    stack.aws.fail("lastUse", new ForbiddenError({ what: "iam:GetAccessKeyLastUsed failed: AccessDenied" }));
    await assert.rejects(stack.destroy(), ForbiddenError);
    assert.deepEqual(keyWritesOf(stack), []);
    await stack.destroy();
    assert.deepEqual(stack.aws.listOf("ci-bot"), []);
  });

  for (const [what, changes] of [
    ["of a creation", { writtenBy: "create", generation: 2 }],
    ["two generations ahead", { writtenBy: "update", generation: 3 }],
    ["of a resource that replaces it", { writtenBy: "update", generation: 2, createdAt: "2028-01-01T00:00:00.000Z" }],
    ["of state's own generation", { writtenBy: "update", generation: 1 }],
  ] as const) {
    it(`leaves a leftover ${what}, and names it in the ledger`, async () => {
      const stack = await created();
      const { accessKeyId } = stack.aws.addKey("ci-bot");
      writeLedger(stack.aws, { keys: [accessKeyId, "AKIA0001"], ...changes });
      await stack.destroy();
      assert.deepEqual(stack.aws.listOf("ci-bot"), ["AKIA0002 Active"]);
      assert.deepEqual(ledgerOf(stack.aws)?.keys, ["AKIA0002"]);
    });
  }

  it("leaves another rotation's ledger, and deletes the keys of its own state all the same", async () => {
    const stack = await created();
    writeLedger(stack.aws, { rotationId: "ffffffff-1111-5222-8333-444455556666" });
    const before = stack.aws.tagsOf("ci-bot");
    await stack.destroy();
    assert.deepEqual(stack.aws.tagsOf("ci-bot"), before);
    assert.deepEqual(stack.aws.listOf("ci-bot"), []);
  });

  it("touches nothing of a user that was made again under the same name", async () => {
    const stack = await created();
    stack.aws.recreateUser("ci-bot");
    stack.aws.addKey("ci-bot");
    writeLedger(stack.aws, { keys: ["AKIA0002"] });
    const before = stack.aws.tagsOf("ci-bot");
    await stack.destroy();
    assert.deepEqual(stack.aws.listOf("ci-bot"), ["AKIA0002 Active"]);
    assert.deepEqual(stack.aws.tagsOf("ci-bot"), before);
  });

  it("ends well where the tags may not be taken away, and says how to do that by hand", async () => {
    const stack = await created();
    stack.aws.mayTag = false;
    assert.deepEqual(await stack.destroy(), { did: "destroy" });
    assert.deepEqual(stack.aws.listOf("ci-bot"), []);
    assert.deepEqual(stack.logs.slice(-1), [
      "the tags iam-rotation and iam-rotation-owner of IAM user ci-bot may not be taken away (iam:UntagUser), and keep every other rotation from it; by hand: aws iam untag-user --user-name ci-bot --tag-keys iam-rotation iam-rotation-owner",
    ]);
  });

  it("with revokeGeneratedCredentials off leaves the leftover of a killed update to people, too", async () => {
    const kept = { revokeGeneratedCredentials: false };
    const stack = await created(program(kept));
    await stack.upKilledAfter("create", program({ ...kept, rotationTrigger: "1" }));
    stack.aws.calls.length = 0;
    await stack.destroy();
    assert.deepEqual(keyWritesOf(stack), []);
    assert.deepEqual(stack.aws.listOf("ci-bot"), ["AKIA0001 Active", "AKIA0002 Active"]);
    assert.equal(ledgerOf(stack.aws), undefined);
  });

  it("with revokeGeneratedCredentials off leaves the ledger to a resource that replaces this one", async () => {
    const given = program({ revokeGeneratedCredentials: false });
    const stack = await created(given);
    await stack.replace(given);
    assert.deepEqual(stack.aws.listOf("ci-bot"), ["AKIA0001 Active", "AKIA0002 Active"]);
    assert.deepEqual(ledgerOf(stack.aws)?.keys, ["AKIA0002"]);
  });
});
