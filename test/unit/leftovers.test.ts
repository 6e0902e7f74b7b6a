import assert from "node:assert/strict";

import { ConflictError, InternalError, RotationError } from "../../provider/src/rotation/errors";
import { NO_LEDGER } from "../../provider/src/rotation/run";
import { FakeStack, type Inputs, program } from "../support/fakeStack";
import { ledgerOf, writeLedger } from "../support/runs";

const statesOf = (stack: FakeStack) => stack.state.keys.map(({ accessKeyId, state }) => `${accessKeyId} ${state}`);
const keyWritesOf = ({ aws }: FakeStack) => aws.calls.filter((call) => /^(create|delete|deactivate)/.test(call));
const tagsOf = ({ aws }: FakeStack) => Object.keys(aws.tagsOf("ci-bot"));
const BY_HAND = program({ rotationTrigger: "1" });
const TIMEOUT = new InternalError({ what: "timeout" });

async function created(given: Inputs = program()): Promise<FakeStack> {
  const stack = new FakeStack();
  await stack.up(given);
  stack.aws.calls.length = 0;
  return stack;
}

function useOf(stack: FakeStack, accessKeyId: string): void {
  stack.aws.key(accessKeyId).lastUse = { at: stack.clock.now().toISOString(), service: "s3", region: "us-east-1" };
}

describe("create, after one that was killed", () => {
  it("lists the key that the killed one made as a leftover, and makes another", async () => {
    const stack = new FakeStack();
    await stack.upKilledAfter("create");
    assert.deepEqual(stack.aws.listOf("ci-bot"), ["AKIA0001 Active"]);
    assert.deepEqual(await stack.up(), { did: "create" });
    assert.deepEqual(statesOf(stack), ["AKIA0002 current", "AKIA0001 leftover"]);
    assert.equal(stack.state.generation, 2);
    assert.deepEqual(ledgerOf(stack.aws)?.keys, ["AKIA0002", "AKIA0001"]);
    assert.deepEqual(await stack.up(), { did: "same" });
    await stack.destroy();
    assert.deepEqual([stack.aws.listOf("ci-bot"), tagsOf(stack)], [[], []]);
  });

  for (const call of ["create", "identify AKIA0002"] as const) {
    it(`deletes that key, and not a person's, where no slot is free: killed after ${call}`, async () => {
      const stack = new FakeStack();
      stack.aws.addKey("ci-bot");
      stack.clock.advance({ hours: 1 });
      await stack.upKilledAfter(call);
      assert.deepEqual(await stack.up(), { did: "create" });
      assert.deepEqual(stack.aws.listOf("ci-bot"), ["AKIA0001 Active", "AKIA0003 Active"]);
      assert.deepEqual(statesOf(stack), ["AKIA0003 current"]);
    });
  }

  it("refuses to delete that key where somebody used it, and changes nothing", async () => {
    const stack = new FakeStack();
    stack.aws.addKey("ci-bot");
    stack.clock.advance({ hours: 1 });
    await stack.upKilledAfter("create");
    useOf(stack, "AKIA0002");
    stack.clock.advance({ days: 300 });
    stack.aws.calls.length = 0;
    const { error, isSaved } = await stack.up();
    assert.match(error?.message ?? "", /^IAM user ci-bot has no free slot for a new access key/);
    assert.equal(isSaved, false);
    assert.deepEqual(keyWritesOf(stack), []);
  });

  it("goes on where the killed one had announced a key and made none", async () => {
    const stack = new FakeStack();
    await stack.upKilledAfter("tag");
    assert.deepEqual(await stack.up(), { did: "create" });
    assert.deepEqual(statesOf(stack), ["AKIA0001 current"]);
    assert.equal(ledgerOf(stack.aws)?.announcement, undefined);
  });

  it("finds the key also where only saving was missed", async () => {
    const stack = new FakeStack();
    await stack.up();
    stack.resource = undefined;
    await stack.up();
    assert.deepEqual(statesOf(stack), ["AKIA0002 current", "AKIA0001 leftover"]);
  });
});

describe("create, as a replacement by hand", () => {
  it("makes the new key beside the old one, which delete then takes away; the next refresh and run settle that", async () => {
    const stack = await created();
    assert.deepEqual(await stack.replace(), { did: "replace" });
    assert.deepEqual(stack.aws.listOf("ci-bot"), ["AKIA0002 Active"]);
    assert.deepEqual(statesOf(stack), ["AKIA0002 current", "AKIA0001 leftover"]);
    assert.deepEqual([ledgerOf(stack.aws)?.keys, stack.state.generation], [["AKIA0002"], 2]);
    await stack.refresh();
    assert.equal(stack.state.unsettled, "the leftover key AKIA0001 is no longer on the user");
    assert.deepEqual(await stack.up(), { did: "update" });
    assert.deepEqual(statesOf(stack), ["AKIA0002 current"]);
    assert.deepEqual(await stack.up(), { did: "same" });
  });

  it("takes a key that somebody used for one that was current until now", async () => {
    const stack = await created();
    stack.clock.advance({ days: 1 });
    useOf(stack, "AKIA0001");
    stack.clock.advance({ days: 2 });
    const at = stack.clock.now().toISOString();
    await stack.replace();
    assert.equal(stack.state.keys[1]?.accessKeyId, "AKIA0001");
    assert.equal(stack.state.keys[1].retiredAt, at);
  });

  it("refuses where both slots are ours and rotated once, changes nothing, and says what to do instead", async () => {
    const stack = await created();
    await stack.up(BY_HAND);
    stack.clock.advance({ days: 3 });
    stack.aws.calls.length = 0;
    const before = stack.resource;
    const { error, isSaved } = await stack.replace(BY_HAND);
    assert.ok(error instanceof ConflictError);
    assert.match(error.message, /\nNow: nothing was changed\n/);
    assert.match(error.message, /drop --replace or `pulumi state untaint`, and set a new rotationTrigger instead$/);
    assert.equal(isSaved, false);
    assert.equal(stack.resource, before);
    assert.deepEqual(keyWritesOf(stack), []);
    assert.deepEqual(await stack.up(BY_HAND), { did: "same" });
  });

  it("writes the generation after a later ledger's, so that the old state cannot be taken for the newest", async () => {
    const stack = await created();
    await stack.up(BY_HAND);
    stack.aws.removeKey("AKIA0001");
    stack.clock.advance({ days: 3 });
    assert.deepEqual(await stack.replace(BY_HAND), { did: "replace" });
    assert.equal(stack.state.generation, 3);
    assert.equal(ledgerOf(stack.aws)?.generation, 3);
    assert.deepEqual(stack.aws.listOf("ci-bot"), ["AKIA0003 Active"]);
    // The ledger was written without the keys that delete took away.
    assert.deepEqual(ledgerOf(stack.aws)?.keys, ["AKIA0003"]);
  });
});

describe("create with adopt, beside a ledger", () => {
  const adopting = (stack: FakeStack) => {
    const { accessKeyId, secretAccessKey } = stack.aws.addKey("ci-bot");
    return program({ adopt: { accessKeyId, secretAccessKey } });
  };

  it("writes the adopted key into the ledger, with nothing announced", async () => {
    const stack = new FakeStack();
    await stack.up(adopting(stack));
    const { keys, generation, writtenBy, announcement, rotationId } = ledgerOf(stack.aws) ?? {};
    assert.deepEqual([keys, generation, writtenBy, announcement], [["AKIA0001"], 1, "takeover", undefined]);
    assert.equal(rotationId, stack.resource?.id);
    assert.equal(stack.aws.tagsOf("ci-bot")["iam-rotation-owner"], "platform/prod/ci-bot");
    assert.equal(stack.state.generation, 1);
  });

  it("adopts without tags, and says so", async () => {
    const stack = new FakeStack();
    stack.aws.mayTag = false;
    await stack.up(adopting(stack));
    assert.deepEqual(statesOf(stack), ["AKIA0001 current"]);
    assert.equal(stack.state.lastRotationMessage, NO_LEDGER);
  });

  it("takes in what a killed creation left", async () => {
    const stack = new FakeStack();
    await stack.upKilledAfter("create");
    // Past the window of what was announced: a key made in it would be nobody's.
    stack.clock.advance({ minutes: 2 });
    await stack.up(adopting(stack));
    assert.deepEqual(statesOf(stack), ["AKIA0002 current", "AKIA0001 leftover"]);
    assert.deepEqual(ledgerOf(stack.aws)?.keys, ["AKIA0002", "AKIA0001"]);
  });

  it("saves nothing for a wrong pair, another rotation's ledger, or one that cannot be written", async () => {
    const cases: readonly ((stack: FakeStack, given: Inputs) => Inputs)[] = [
      (_stack, { adopt, ...rest }) => ({ ...rest, adopt: { ...(adopt as object), secretAccessKey: "wrong" } }),
      (stack, given) => {
        writeLedger(stack.aws, { rotationId: "ffffffff-1111-5222-8333-444455556666" });
        return given;
      },
      (stack, given) => {
        stack.aws.fail("tag", new InternalError({ what: "503" }));
        return given;
      },
    ];
    for (const spoil of cases) {
      const stack = new FakeStack();
      const given = spoil(stack, adopting(stack));
      const before = stack.aws.tagsOf("ci-bot");
      const { error, isSaved } = await stack.up(given);
      assert.ok(error instanceof RotationError);
      assert.equal(isSaved, false);
      assert.deepEqual(stack.aws.tagsOf("ci-bot"), before);
      assert.deepEqual(stack.aws.listOf("ci-bot"), ["AKIA0001 Active"]);
    }
  });
});

describe("update, and what runs before it left", () => {
  it("says in lastRotationMessage that tags may not be written, and stops saying so once they may", async () => {
    const stack = new FakeStack();
    stack.aws.mayTag = false;
    await stack.up();
    assert.equal(stack.state.lastRotationMessage, NO_LEDGER);
    assert.equal(stack.state.rotationStatus, "success");
    assert.deepEqual(await stack.up(), { did: "same" });
    await stack.up(BY_HAND);
    assert.equal(stack.state.lastRotationMessage, NO_LEDGER);
    stack.aws.mayTag = true;
    stack.clock.advance({ days: 3 });
    await stack.up(program({ rotationTrigger: "2" }));
    assert.equal(stack.state.lastRotationMessage, null);
    assert.deepEqual(ledgerOf(stack.aws)?.keys, ["AKIA0003", "AKIA0002"]);
  });

  it("fails with state as it was where an answer is lost, and goes on in the next run", async () => {
    const stack = await created();
    const { keys, rotation, generation } = stack.state;
    stack.aws.fail("create", TIMEOUT, { isAfter: true });
    const { isSaved } = await stack.up(BY_HAND);
    assert.equal(isSaved, true);
    assert.deepEqual([stack.state.keys, stack.state.rotation, stack.state.generation], [keys, rotation, generation]);
    assert.deepEqual(await stack.up(BY_HAND), { did: "update" });
    assert.deepEqual(statesOf(stack), ["AKIA0003 current", "AKIA0001 previous"]);
    assert.deepEqual(stack.aws.listOf("ci-bot"), ["AKIA0001 Active", "AKIA0003 Active"]);
  });

  for (const call of ["tag", "create", "identify AKIA0002"] as const) {
    it(`goes on after a run that was killed after ${call}, with the key that consumers have untouched`, async () => {
      const stack = await created();
      await stack.upKilledAfter(call, BY_HAND);
      assert.deepEqual(await stack.up(BY_HAND), { did: "update" });
      const { accessKeyId } = stack.state;
      assert.deepEqual(statesOf(stack), [`${accessKeyId} current`, "AKIA0001 previous"]);
      assert.deepEqual(stack.aws.listOf("ci-bot"), ["AKIA0001 Active", `${accessKeyId} Active`]);
      assert.deepEqual([stack.state.generation, ledgerOf(stack.aws)?.generation], [2, 2]);
      assert.equal(ledgerOf(stack.aws)?.announcement, undefined);
    });
  }

  it("settles the ledger in the next run where that failed, and makes no key", async () => {
    const stack = await created();
    stack.aws.happenings.set("create", () => stack.aws.fail("tag", new InternalError({ what: "503" })));
    assert.deepEqual(await stack.up(BY_HAND), { did: "update" });
    assert.equal(stack.state.accessKeyId, "AKIA0002");
    assert.equal(stack.state.unsettled, "the user's tag iam-rotation could not be written after the key was made");
    stack.aws.calls.length = 0;
    assert.deepEqual(await stack.up(BY_HAND), { did: "update" });
    assert.deepEqual([stack.state.unsettled, stack.state.accessKeyId], [null, "AKIA0002"]);
    assert.deepEqual(keyWritesOf(stack), []);
    assert.equal(ledgerOf(stack.aws)?.announcement, undefined);
    assert.deepEqual(await stack.up(BY_HAND), { did: "same" });
  });

  it("refuses the second rotation of one user by the name of the first", async () => {
    const stack = await created();
    const second = new FakeStack();
    second.open = ({ userName }) => Promise.resolve(stack.aws.open(userName));
    const before = stack.aws.tagsOf("ci-bot");
    const { error, isSaved } = await second.up(program({ owner: "acme/billing/dev/deployer" }));
    assert.match(error?.message ?? "", /are rotated by another rotation: platform\/prod\/ci-bot \(/);
    assert.equal(isSaved, false);
    assert.deepEqual(stack.aws.tagsOf("ci-bot"), before);
    assert.deepEqual(keyWritesOf(stack), []);
  });
});
