import assert from "node:assert/strict";

import { ConflictError, ForbiddenError, InternalError } from "../../provider/src/rotation/errors";
import { EMPTY_RING } from "../../provider/src/rotation/keyRing";
import type { Ledger } from "../../provider/src/rotation/ledger";
import { OvertakenError } from "../../provider/src/rotation/ledgerKeeper";
import { NO_LEDGER } from "../../provider/src/rotation/run";
import { refusal } from "../support/fakeAws";
import {
  allWritesOf,
  ledgerOf,
  NEVER,
  prepare,
  ROTATION_ID,
  type Setting,
  statesOf,
  withOneKey,
  withTwoKeys,
  writeLedger,
  writesOf,
} from "../support/runs";

const LOST = new InternalError({ what: "iam:CreateAccessKey failed: timeout" });

/** What happens at the second list of keys: the run has announced, and looks whether another one made a key. */
function atSecondList({ aws }: Setting, happen: () => void): void {
  aws.happenings.set("list", () => aws.happenings.set("list", happen));
}

describe("The announcement of a run", () => {
  it("stands in the ledger before the first write, with the keys that exist, by AWS's clock", async () => {
    const { aws, run, ring } = await withTwoKeys();
    aws.skew = 90_000;
    let seen: Ledger | undefined;
    aws.happenings.set("delete AKIA0001", () => (seen = ledgerOf(aws)));
    const at = aws.clock.from({ seconds: 90 }).replace(/\.\d+Z/, ".000Z");
    const { generation, warning, unsettled } = await run({ intent: "rotate", ring });
    assert.deepEqual(seen, {
      rotationId: ROTATION_ID,
      generation: 3,
      keys: ["AKIA0002", "AKIA0001"],
      writtenBy: "update",
      createdAt: "2027-01-10T08:30:00.000Z",
      writtenAt: at,
      nonce: "000000030000",
      announcement: { at, seconds: 60, others: ["AKIA0001", "AKIA0002"] },
    });
    assert.deepEqual([generation, warning, unsettled], [3, undefined, undefined]);
    assert.equal(aws.tagsOf("ci-bot")["iam-rotation-owner"], "platform/prod/ci-bot");
  });

  it("is closed once the key is made, and the ledger names it first", async () => {
    const { aws, run, ring } = await withTwoKeys();
    await run({ intent: "rotate", ring });
    const { keys, announcement, generation } = ledgerOf(aws) ?? {};
    assert.deepEqual([keys, announcement, generation], [["AKIA0003", "AKIA0002"], undefined, 3]);
  });

  it("of a creation is of generation 1, and says that a creation wrote it", async () => {
    const { aws, run } = prepare();
    const { generation } = await run();
    assert.deepEqual([generation, ledgerOf(aws)?.generation, ledgerOf(aws)?.writtenBy], [1, 1, "create"]);
  });

  it("is read back: while reads show the tags as they were, no key is made", async () => {
    for (const setting of [prepare(), await withOneKey()]) {
      const { aws, run } = setting;
      aws.tagLagReads = 4;
      const started = aws.clock.now().getTime();
      let made = 0;
      aws.happenings.set("create", () => (made = aws.clock.now().getTime() - started));
      const ring = "ring" in setting ? (setting.ring as typeof EMPTY_RING) : EMPTY_RING;
      const { unsettled } = await run({ intent: ring === EMPTY_RING ? "create" : "rotate", ring });
      assert.equal(made, 4_000);
      assert.equal(unsettled, undefined);
    }
  });

  it("that cannot be read back in time ends the run, with no key made", async () => {
    const { aws, fails, ring } = await withTwoKeys();
    aws.tagLagReads = 1_000;
    const { error, ring: after } = await fails({ intent: "rotate", ring });
    assert.ok(error instanceof InternalError);
    assert.equal(
      error.message,
      [
        "the tag iam-rotation of IAM user ci-bot was written, but it could not be read back within 90 s",
        "Next: run `pulumi up` again; iam-rotation:limits.lagSeconds gives it more time",
      ].join("\n"),
    );
    assert.deepEqual(allWritesOf(aws), ["tag"]);
    assert.deepEqual(statesOf(after), statesOf(ring));
  });

  it("that cannot be written, though it is permitted, ends the run with nothing changed", async () => {
    const { aws, fails, ring } = await withTwoKeys();
    aws.fail("tag", new InternalError({ what: "iam:TagUser failed: 503" }));
    const before = aws.tagsOf("ci-bot");
    const { error, generation } = await fails({ intent: "rotate", ring });
    assert.match(error.message, /^iam:TagUser failed: 503/);
    assert.deepEqual(writesOf(aws), []);
    assert.deepEqual(aws.tagsOf("ci-bot"), before);
    assert.equal(generation, 2);
  });

  it("is renewed where writing it took so long that the key could not be made in its window", async () => {
    const { aws, run } = prepare();
    aws.happenings.set("tag", () => aws.clock.advance({ seconds: 40 }));
    await run();
    assert.deepEqual(allWritesOf(aws), ["tag", "tag", "create", "tag"]);
    assert.deepEqual(aws.createSeconds, [60]);
  });

  it("leaves the call the rest of its window, and no more", async () => {
    const { aws, run } = prepare();
    aws.happenings.set("tag", () => aws.clock.advance({ seconds: 20 }));
    await run();
    assert.deepEqual(aws.createSeconds, [40]);
  });

  it("that is slow twice ends the run with no key made and nothing announced", async () => {
    const { aws, fails } = prepare();
    const slow = () => aws.clock.advance({ seconds: 40 });
    aws.happenings.set("tag", () => {
      slow();
      aws.happenings.set("tag", slow);
    });
    const { error } = await fails();
    assert.match(error.message, /^the tags of IAM user ci-bot were written too slowly to make a key in the time/);
    assert.deepEqual(writesOf(aws), []);
    assert.equal(ledgerOf(aws)?.announcement, undefined);
  });
});

describe("A run that may not write tags", () => {
  it("goes on without a ledger, asks once, and says so", async () => {
    const { aws, run, ring } = await withTwoKeys();
    aws.mayTag = false;
    const before = aws.tagsOf("ci-bot");
    const result = await run({ intent: "rotate", ring });
    assert.equal(result.warning, NO_LEDGER);
    assert.deepEqual(statesOf(result.ring), ["AKIA0003 current", "AKIA0002 previous"]);
    assert.deepEqual(allWritesOf(aws), ["tag", "delete AKIA0001", "create"]);
    assert.deepEqual(aws.tagsOf("ci-bot"), before);
    assert.deepEqual([result.generation, result.unsettled], [2, undefined]);
  });

  it("never deletes a leftover: state does not know it", async () => {
    const { aws, fails, ring } = await withOneKey();
    aws.fail("create", LOST, { isAfter: true });
    await fails({ intent: "rotate", ring });
    aws.mayTag = false;
    aws.calls.length = 0;
    const { error, ring: after } = await fails({ intent: "rotate", ring });
    assert.match(error.message, /^IAM user ci-bot has no free slot for a new access key/);
    assert.match(
      error.message,
      /\n {2}AKIA0002 {2}Active, made 2027-02-09T08:30:04\.000Z, never used; unknown to this rotation\n/,
    );
    assert.deepEqual(writesOf(aws), []);
    assert.deepEqual(aws.listOf("ci-bot"), ["AKIA0001 Active", "AKIA0002 Active"]);
    assert.deepEqual(statesOf(after), statesOf(ring));
  });

  it("leaves a leftover where it is, keeps it in state, and says that the announcement of it is still open", async () => {
    const { aws, run, fails } = prepare();
    aws.fail("create", LOST, { isAfter: true });
    await fails();
    aws.mayTag = false;
    const { ring, unsettled } = await run();
    assert.deepEqual(statesOf(ring), ["AKIA0002 current", "AKIA0001 leftover"]);
    assert.deepEqual(aws.listOf("ci-bot"), ["AKIA0001 Active", "AKIA0002 Active"]);
    assert.equal(unsettled, "the user's tag iam-rotation still announces a key, and may not be written");
  });
});

describe("A run that another one overtakes", () => {
  it("stops before its first write where the ledger is another's by then", async () => {
    const { aws, fails, ring } = await withTwoKeys();
    aws.happenings.set("lastUse AKIA0001", () => writeLedger(aws, { nonce: "another" }));
    const { error } = await fails({ intent: "rotate", ring });
    assert.ok(error instanceof OvertakenError);
    assert.deepEqual(allWritesOf(aws), []);
    assert.equal(ledgerOf(aws)?.nonce, "another");
  });

  it("stops before it makes room where its own announcement was written over", async () => {
    const setting = await withTwoKeys();
    const { aws, fails, ring } = setting;
    atSecondList(setting, () => writeLedger(aws, { nonce: "another" }));
    const { error } = await fails({ intent: "rotate", ring });
    assert.ok(error instanceof OvertakenError);
    assert.equal(
      error.message,
      [
        "another run is rotating the keys of IAM user ci-bot at this moment: it wrote the user's tag iam-rotation after this run had read it",
        "Next: wait until the other run has ended, then run `pulumi up` again",
      ].join("\n"),
    );
    assert.deepEqual(allWritesOf(aws), ["tag"]);
  });

  it("deletes the key that it has just made, by its id, and leaves the ledger to the other", async () => {
    const { aws, fails, ring } = await withTwoKeys();
    aws.happenings.set("create", () => writeLedger(aws, { nonce: "another" }));
    const { error, ring: after } = await fails({ intent: "rotate", ring });
    assert.ok(error instanceof OvertakenError);
    assert.deepEqual(allWritesOf(aws), ["tag", "delete AKIA0001", "create", "delete AKIA0003"]);
    assert.deepEqual(statesOf(after), ["AKIA0002 current"]);
    assert.equal(after.pendingCredentials, null);
    assert.equal(ledgerOf(aws)?.nonce, "another");
  });

  it("keeps a pending key of an earlier run: the other one may have published it", async () => {
    const { aws, fails, ring } = await withOneKey();
    aws.passes.push(...NEVER);
    const first = await fails({ intent: "rotate", ring });
    aws.passes.length = 0;
    aws.happenings.set("identify AKIA0002", () => writeLedger(aws, { nonce: "another" }));
    const { error, ring: after } = await fails({ intent: "rotate", ring: first.ring, generation: first.generation });
    assert.ok(error instanceof OvertakenError);
    assert.deepEqual(statesOf(after), ["AKIA0001 current", "AKIA0002 pending"]);
    assert.deepEqual(aws.listOf("ci-bot"), ["AKIA0001 Active", "AKIA0002 Active"]);
  });

  it("does not take a ledger older than the one that it saw for another's: tags lag", async () => {
    const { aws, run, ring } = await withTwoKeys();
    const old = aws.tagsOf("ci-bot");
    aws.happenings.set("lastUse AKIA0001", () => {
      writeLedger(aws, { nonce: "older", writtenAt: aws.clock.from({ days: -40 }), generation: 1 });
      aws.happenings.set("tag", () => aws.setTags("ci-bot", old));
    });
    assert.deepEqual(statesOf((await run({ intent: "rotate", ring })).ring), ["AKIA0003 current", "AKIA0002 previous"]);
  });

  it("makes no key where one was made while it announced, and leaves the announcement open for it", async () => {
    const setting = await withOneKey();
    const { aws, fails, ring } = setting;
    atSecondList(setting, () => void aws.addKey("ci-bot"));
    const { error } = await fails({ intent: "rotate", ring });
    assert.ok(error instanceof ConflictError);
    assert.match(error.message, /^access key AKIA0002 of IAM user ci-bot was made at .*, while this run was about to/);
    assert.deepEqual(allWritesOf(aws), ["tag"]);
    assert.ok(ledgerOf(aws)?.announcement);
  });
});

describe("A run whose ledger does not fit", () => {
  const cases: readonly [string, (setting: Setting) => void, RegExp][] = [
    [
      "is another rotation's",
      ({ aws }) => writeLedger(aws, { rotationId: "ffffffff-1111-5222-8333-444455556666" }),
      /^the access keys of IAM user ci-bot are rotated by another rotation: platform\/prod\/ci-bot /,
    ],
    [
      "was written after the run began",
      ({ aws }) => writeLedger(aws, { writtenAt: aws.clock.from({ seconds: 10 }) }),
      /^another run is rotating the keys of IAM user ci-bot: it wrote the tag iam-rotation at /,
    ],
    [
      "is two generations ahead of state",
      ({ aws }) => writeLedger(aws, { generation: 4 }),
      /^this state is older than the keys of IAM user ci-bot: it is of generation 2, /,
    ],
    [
      "cannot be dated, the local clock being too far off",
      ({ aws }) => void (aws.skew = -301_000),
      /^the local clock is 301 s ahead of AWS's\n/,
    ],
  ];
  for (const [what, spoil, says] of cases) {
    for (const intent of ["rotate", "retire", "settle"] as const) {
      it(`is refused, to ${intent} too, where it ${what}, and changes nothing`, async () => {
        const setting = await withTwoKeys();
        const { aws, fails, ring } = setting;
        spoil(setting);
        const { error } = await fails({ intent, ring });
        assert.match(error.message, says);
        assert.deepEqual(allWritesOf(aws), []);
      });
    }
  }

  it("goes on where the ledger is one generation ahead, and announces the one after state's again", async () => {
    const { aws, run, ring } = await withTwoKeys();
    writeLedger(aws, { generation: 3 });
    assert.equal((await run({ intent: "rotate", ring })).generation, 3);
    assert.equal(ledgerOf(aws)?.generation, 3);
  });

  it("goes on where the tags were taken away, and writes them anew", async () => {
    const { aws, run, ring } = await withTwoKeys();
    aws.setTags("ci-bot", { "iam-rotation": undefined, "iam-rotation-owner": undefined });
    await run({ intent: "rotate", ring });
    assert.deepEqual(ledgerOf(aws)?.keys, ["AKIA0003", "AKIA0002"]);
  });
});

describe("A run whose CreateAccessKey fails", () => {
  const outcomes: readonly [string, unknown, boolean][] = [
    ["a definite refusal closes the announcement", refusal(ForbiddenError, "AccessDenied"), false],
    [
      "LimitExceeded leaves it open: a key of ours may not be listed yet",
      refusal(ConflictError, "LimitExceeded"),
      true,
    ],
    ["so does its other name", refusal(ConflictError, "LimitExceededException"), true],
    ["a timeout leaves it open", LOST, true],
  ];
  for (const [says, failure, isOpen] of outcomes) {
    it(`fails with what AWS said: ${says}`, async () => {
      const { aws, fails, ring } = await withOneKey();
      aws.fail("create", failure);
      const { error, ring: after, generation } = await fails({ intent: "rotate", ring });
      assert.equal(error, failure);
      assert.equal(ledgerOf(aws)?.announcement !== undefined, isOpen);
      assert.deepEqual(statesOf(after), ["AKIA0001 current"]);
      // State as it was: nothing was received.
      assert.equal(generation, 1);
    });
  }

  it("fails with that refusal also where the announcement cannot be closed", async () => {
    const { aws, fails } = prepare();
    const denied = refusal(ForbiddenError, "AccessDenied");
    aws.fail("create", denied);
    aws.happenings.set("create", () => aws.fail("tag", new InternalError({ what: "503" })));
    assert.equal((await fails()).error, denied);
  });

  it("finds the key of a lost answer in the next run, and deletes it when room is needed", async () => {
    const { aws, run, fails, ring } = await withOneKey();
    // The announcement is by AWS's clock, as the key's date is.
    aws.skew = 200_000;
    aws.fail("create", LOST, { isAfter: true });
    const { ring: kept } = await fails({ intent: "rotate", ring });
    assert.deepEqual(statesOf(kept), ["AKIA0001 current"]);
    aws.calls.length = 0;
    const { ring: after } = await run({ intent: "rotate", ring: kept });
    assert.deepEqual(writesOf(aws), ["delete AKIA0002", "create"]);
    assert.deepEqual(statesOf(after), ["AKIA0003 current", "AKIA0001 previous"]);
    assert.deepEqual(ledgerOf(aws)?.keys, ["AKIA0003", "AKIA0001"]);
  });

  it("lists that key as a leftover where no room is needed", async () => {
    const { aws, run, fails, ring } = await withOneKey();
    aws.fail("create", LOST, { isAfter: true });
    await fails({ intent: "rotate", ring });
    aws.calls.length = 0;
    const { ring: after } = await run({ intent: "settle", ring });
    assert.deepEqual(statesOf(after), ["AKIA0001 current", "AKIA0002 leftover"]);
    assert.deepEqual(allWritesOf(aws), ["tag"]);
    assert.deepEqual([ledgerOf(aws)?.keys, ledgerOf(aws)?.announcement], [["AKIA0001", "AKIA0002"], undefined]);
  });

  it("refuses to delete that key while somebody uses it, unless told to", async () => {
    const { aws, run, fails, ring } = await withOneKey();
    aws.fail("create", LOST, { isAfter: true });
    await fails({ intent: "rotate", ring });
    aws.key("AKIA0002").lastUse = { at: aws.clock.now().toISOString(), service: "s3", region: "us-east-1" };
    aws.calls.length = 0;
    const { error } = await fails({ intent: "rotate", ring });
    assert.match(error.message, /^access key AKIA0002 of IAM user ci-bot must go .*: it was used at .* for s3/);
    assert.deepEqual(allWritesOf(aws), []);
    await run({ intent: "rotate", ring, policy: { quietHours: 24, whenInUse: "retire" } });
    assert.deepEqual(aws.listOf("ci-bot"), ["AKIA0001 Active", "AKIA0003 Active"]);
  });

  it("waits, in the next run, until no key can come of it any more, and only then makes one", async () => {
    const { aws, run, fails, ring } = await withOneKey();
    aws.fail("create", LOST);
    await fails({ intent: "rotate", ring });
    const started = aws.clock.now().getTime();
    let made = 0;
    aws.happenings.set("create", () => (made = aws.clock.now().getTime() - started));
    const { ring: after } = await run({ intent: "rotate", ring }, { lagSeconds: 0 });
    // callSeconds and the slack of 5 s are over.
    assert.ok(made > 65_000, String(made));
    assert.deepEqual(statesOf(after), ["AKIA0002 current", "AKIA0001 previous"]);
  });

  it("takes two keys made in that window for nobody's: a person made one of them", async () => {
    const { aws, run, fails } = prepare();
    aws.fail("create", LOST, { isAfter: true });
    await fails();
    aws.addKey("ci-bot");
    const { error } = await fails();
    assert.match(error.message, /^IAM user ci-bot has no free slot/);
    aws.removeKey("AKIA0002");
    assert.deepEqual(statesOf((await run()).ring), ["AKIA0003 current", "AKIA0001 leftover"]);
  });
});

describe("A ledger that cannot be settled after the key was made", () => {
  it("holds nothing up: the key is handed over, and the next run settles it and makes none", async () => {
    const { aws, run, ring } = await withOneKey();
    aws.happenings.set("create", () => aws.fail("tag", new InternalError({ what: "503" })));
    const first = await run({ intent: "rotate", ring });
    assert.deepEqual(statesOf(first.ring), ["AKIA0002 current", "AKIA0001 previous"]);
    assert.equal(first.unsettled, "the user's tag iam-rotation could not be written after the key was made");
    assert.equal(first.generation, 2);
    assert.ok(ledgerOf(aws)?.announcement);
    aws.calls.length = 0;
    const second = await run({ intent: "settle", ring: first.ring });
    assert.equal(second.unsettled, undefined);
    assert.deepEqual(allWritesOf(aws), ["tag"]);
    assert.deepEqual([ledgerOf(aws)?.keys, ledgerOf(aws)?.announcement], [["AKIA0002", "AKIA0001"], undefined]);
    assert.deepEqual(statesOf(second.ring), statesOf(first.ring));
  });

  it("is told where the tags may no longer be written", async () => {
    const { aws, run, ring } = await withOneKey();
    aws.happenings.set("create", () => (aws.mayTag = false));
    const { unsettled, warning } = await run({ intent: "rotate", ring });
    assert.equal(unsettled, "the user's tag iam-rotation still announces a key, and may not be written");
    assert.equal(warning, NO_LEDGER);
  });
});
