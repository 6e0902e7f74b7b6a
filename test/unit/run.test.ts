import assert from "node:assert/strict";

import { ConflictError, ForbiddenError, InternalError, NotFoundError } from "../../provider/src/rotation/errors";
import { EMPTY_RING } from "../../provider/src/rotation/keyRing";
import { refusal } from "../support/fakeAws";
import { START } from "../support/fakeClock";
import { allWritesOf, ledgerOf, NEVER, prepare, statesOf, withTwoKeys, writesOf } from "../support/runs";

describe("A run", () => {
  it("looks first, then makes a key, then verifies it", async () => {
    const { aws, user, run } = prepare();
    const { ring, user: seen, heldBack } = await run();
    assert.deepEqual(aws.calls.slice(0, 3).sort(), ["caller", "list", "user"]);
    const pass = Array<string>(3).fill("identify AKIA0001");
    // The ledger is announced and read back before the key is made, and settled during the first pass.
    const announced = ["user", "tag", "list", "user"];
    assert.deepEqual(aws.calls.slice(3), [...announced, "create", ...pass, "user", "tag", ...pass, ...pass]);
    assert.deepEqual(statesOf(ring), ["AKIA0001 current"]);
    assert.equal(ring.keys[0]?.verifiedAt, "2027-01-10T08:30:04.000Z");
    assert.deepEqual(seen, user);
    assert.deepEqual(heldBack, []);
  });

  it("deletes the previous key before it makes a new one, and looks at its last use before that", async () => {
    const { aws, run, ring } = await withTwoKeys();
    const result = await run({ intent: "rotate", ring });
    assert.deepEqual(aws.calls.slice(0, 3).sort(), ["caller", "list", "user"]);
    const announced = ["user", "tag", "list", "user"];
    assert.deepEqual(aws.calls.slice(3, 10), ["lastUse AKIA0001", ...announced, "delete AKIA0001", "create"]);
    assert.deepEqual(statesOf(result.ring), ["AKIA0003 current", "AKIA0002 previous"]);
    assert.deepEqual(aws.listOf("ci-bot"), ["AKIA0002 Active", "AKIA0003 Active"]);
  });

  it("takes a key that somebody deletes in between as done", async () => {
    const retirement = await withTwoKeys();
    retirement.aws.happenings.set("deactivate AKIA0001", () => retirement.aws.removeKey("AKIA0001"));
    const retired = await retirement.run({ intent: "retire", ring: retirement.ring });
    assert.deepEqual(statesOf(retired.ring), ["AKIA0002 current"]);

    const rotation = await withTwoKeys();
    rotation.aws.happenings.set("delete AKIA0001", () => rotation.aws.removeKey("AKIA0001"));
    const rotated = await rotation.run({ intent: "rotate", ring: rotation.ring });
    assert.deepEqual(statesOf(rotated.ring), ["AKIA0003 current", "AKIA0002 previous"]);
  });

  it("notes the last use of the keys that it looked at", async () => {
    const { aws, run, ring } = await withTwoKeys();
    const at = aws.clock.from({ hours: -1 });
    aws.key("AKIA0001").lastUse = { at, service: "s3", region: "eu-west-1" };
    const { ring: after, heldBack } = await run({ intent: "retire", ring });
    assert.equal(after.keys.find(({ accessKeyId }) => accessKeyId === "AKIA0001")?.lastUsedAt, at);
    assert.equal(heldBack[0]?.accessKeyId, "AKIA0001");
    assert.deepEqual(allWritesOf(aws), []);
  });

  it("counts a key as in use when its last use may not be read, and says so", async () => {
    const { aws, fails, ring } = await withTwoKeys();
    aws.fail("lastUse", new ForbiddenError({ what: "AccessDenied" }));
    const { error } = await fails({ intent: "rotate", ring });
    assert.equal(
      error.message,
      [
        "access key AKIA0001 of IAM user ci-bot must go to make room for a new one, but it counts as in use: its last use could not be read",
        "Now: nothing was changed",
        'Next: allow iam:GetAccessKeyLastUsed, or run `pulumi up` later; or set previousKey.whenInUse to "retire" to retire it all the same',
      ].join("\n"),
    );
    assert.deepEqual(allWritesOf(aws), []);
  });

  it("refuses, with key, service, region, time and end, while the key that must go is in use", async () => {
    const { aws, fails, ring } = await withTwoKeys();
    aws.key("AKIA0001").lastUse = { at: "2027-03-11T07:00:00.000Z", service: "s3", region: "eu-west-1" };
    const { error, ring: after } = await fails({ intent: "rotate", ring });
    assert.ok(error instanceof ConflictError);
    assert.equal(
      error.message,
      [
        "access key AKIA0001 of IAM user ci-bot must go to make room for a new one, but it counts as in use: it was used at 2027-03-11T07:00:00.000Z for s3 in eu-west-1",
        "Now: nothing was changed",
        'Next: run `pulumi up` after 2027-03-12T07:00:00.000Z; or set previousKey.whenInUse to "retire" to retire it all the same',
      ].join("\n"),
    );
    assert.deepEqual(statesOf(after), ["AKIA0002 current", "AKIA0001 previous"]);
    assert.deepEqual(allWritesOf(aws), []);
  });

  it("refuses, with all keys and what to type, where both slots are taken by others", async () => {
    const { aws, fails } = prepare();
    aws.addKey("ci-bot");
    aws.addKey("ci-bot").status = "Inactive";
    aws.key("AKIA0001").lastUse = { at: START, service: "ec2", region: "us-west-2" };
    const { error, ring, user } = await fails();
    assert.ok(error instanceof ConflictError);
    assert.equal(
      error.message,
      [
        "IAM user ci-bot has no free slot for a new access key, and none of these may be deleted by this rotation:",
        "  AKIA0001  Active, made 2027-01-10T08:30:00.000Z, last used 2027-01-10T08:30:00.000Z for ec2 in us-west-2; unknown to this rotation",
        "  AKIA0002  Inactive, made 2027-01-10T08:30:00.000Z, never used; unknown to this rotation",
        "Now: nothing was changed",
        "Next: delete one that nobody uses, then run `pulumi up` again:",
        "  aws iam delete-access-key --user-name ci-bot --access-key-id AKIA0001",
        "  aws iam delete-access-key --user-name ci-bot --access-key-id AKIA0002",
        "If this is a replacement (`--replace`, or a tainted resource): drop --replace or `pulumi state untaint`, and set a new rotationTrigger instead",
      ].join("\n"),
    );
    assert.deepEqual(ring, EMPTY_RING);
    assert.ok(user);
    assert.deepEqual(allWritesOf(aws), []);
  });

  it("says that there is no such user, and writes nothing", async () => {
    const { aws, fails } = prepare();
    aws.removeUser("ci-bot");
    const { error, user } = await fails({}, { lagSeconds: 0 });
    assert.ok(error instanceof NotFoundError);
    assert.match(
      error.message,
      /^IAM user ci-bot does not exist in the account of this connection\nNext: make the user/,
    );
    assert.equal(user, undefined);
    assert.deepEqual(allWritesOf(aws), []);
  });

  it("refuses a user that was made again under the same name, and another account's user", async () => {
    const { aws, user, fails, ring } = await withTwoKeys();
    aws.recreateUser("ci-bot");
    const again = await fails({ intent: "rotate", ring, user }, { lagSeconds: 0 });
    assert.equal(
      again.error.message,
      [
        "IAM user ci-bot was deleted and made again: its id is AIDA12340002, and this rotation's keys belonged to AIDA12340001",
        "Now: nothing was changed",
        "Next: `pulumi refresh`, then `pulumi up`: the rotation starts anew with the new user",
      ].join("\n"),
    );
    const elsewhere = { ...user, accountId: "999999999999", arn: "arn:aws:iam::999999999999:user/ci-bot" };
    const other = await fails({ intent: "rotate", ring, user: elsewhere }, { lagSeconds: 0 });
    assert.match(
      other.error.message,
      /^connectionId reaches arn:aws:iam::123456789012:user\/ci-bot, but this rotation's keys belong to arn:aws:iam::999999999999:user\/ci-bot\n/,
    );
    assert.deepEqual(allWritesOf(aws), []);
  });

  it("reads the list again while a key that it knows is missing, for no longer than the lag may be", async () => {
    const { aws, run, ring } = await withTwoKeys();
    aws.removeKey("AKIA0001");
    const before = aws.clock.now().getTime();
    await run({ intent: "settle", ring });
    assert.equal(aws.calls.filter((call) => call === "list").length, 19);
    assert.equal(aws.clock.now().getTime() - before, 90_000);
  });

  it("reads the list once where it shows every key that is known", async () => {
    const { aws, run, ring } = await withTwoKeys();
    await run({ intent: "settle", ring });
    assert.equal(aws.calls.filter((call) => call === "list").length, 1);
  });

  it("gives the new key as pending when its verification fails", async () => {
    const { aws, fails, ring } = await withTwoKeys();
    aws.passes.push(...NEVER);
    const { error, ring: after } = await fails({ intent: "rotate", ring });
    assert.ok(error instanceof InternalError);
    assert.deepEqual(statesOf(after), ["AKIA0002 current", "AKIA0003 pending"]);
    assert.equal(after.pendingCredentials?.secretAccessKey, aws.key("AKIA0003").secretAccessKey);
    assert.equal(after.activeIndex, ring.activeIndex);
    assert.deepEqual(after.generatedCredentials, ring.generatedCredentials);
  });

  it("gives the ring without the previous key when making the new one fails after that was deleted", async () => {
    const { aws, fails, ring } = await withTwoKeys();
    aws.fail("create", new InternalError({ what: "iam:CreateAccessKey failed: 503" }));
    const { ring: after } = await fails({ intent: "rotate", ring });
    assert.deepEqual(statesOf(after), ["AKIA0002 current"]);
    assert.equal(aws.calls.filter((call) => call === "create").length, 1);
  });

  it("asks for a key once, also where AWS made it and the answer was lost", async () => {
    const { aws, fails } = prepare();
    aws.fail("create", new InternalError({ what: "timeout" }), { isAfter: true });
    const { ring } = await fails();
    assert.equal(ring, EMPTY_RING);
    assert.equal(aws.calls.filter((call) => call === "create").length, 1);
  });

  it("asks for a key again while AWS throttles it, for then none was made", async () => {
    const { aws, run } = prepare();
    aws.fail("create", refusal(InternalError, "Throttling"), { times: 3 });
    const { ring } = await run();
    assert.deepEqual(statesOf(ring), ["AKIA0001 current"]);
    assert.equal(aws.calls.filter((call) => call === "create").length, 4);
  });

  it("gives up a key that AWS throttles for half of the time in which it must be made, and closes the ledger", async () => {
    const { aws, fails } = prepare();
    aws.fail("create", refusal(InternalError, "Throttling"), { times: 1_000 });
    const { ring } = await fails();
    assert.equal(ring, EMPTY_RING);
    assert.equal(aws.calls.filter((call) => call === "create").length, 5);
    assert.equal(ledgerOf(aws)?.announcement, undefined);
  });

  it("keeps a previous key in the ring whose deletion fails, and makes no new one", async () => {
    const { aws, fails, ring } = await withTwoKeys();
    aws.fail("delete", new ForbiddenError({ what: "AccessDenied" }));
    const { error, ring: after } = await fails({ intent: "rotate", ring });
    assert.ok(error instanceof ForbiddenError);
    assert.deepEqual(statesOf(after), ["AKIA0002 current", "AKIA0001 previous"]);
    assert.deepEqual(writesOf(aws), ["delete AKIA0001"]);
  });

  it("starts no step after the time of a whole rotation", async () => {
    const { aws, fails } = prepare();
    aws.happenings.set("list", () => aws.clock.advance({ seconds: 301 }));
    const { error } = await fails();
    assert.equal(
      error.message,
      [
        "the rotation of IAM user ci-bot took longer than 300 s",
        "Next: run `pulumi up` again; iam-rotation:limits.rotationSeconds gives it more time",
      ].join("\n"),
    );
    assert.deepEqual(allWritesOf(aws), []);
  });

  it("gives a pending key that is older than an hour up when it fails again, and makes none in the same run", async () => {
    const { aws, fails, ring } = await withTwoKeys();
    aws.passes.push(...NEVER);
    const first = await fails({ intent: "rotate", ring });
    aws.clock.advance({ minutes: 56 });
    const second = await fails({ intent: "rotate", ring: first.ring });
    assert.deepEqual(statesOf(second.ring), ["AKIA0002 current", "AKIA0003 pending"]);
    aws.clock.advance({ minutes: 2 });
    const third = await fails({ intent: "rotate", ring: second.ring });
    assert.deepEqual(statesOf(third.ring), ["AKIA0002 current"]);
    assert.equal(third.ring.pendingCredentials, null);
    assert.match(
      third.error.message,
      /^access key AKIA0003 still does not work an hour after it was made, and was deleted/,
    );
    assert.match(third.error.message, /Next: run `pulumi up` again: it makes a new key$/);
    assert.deepEqual(aws.listOf("ci-bot"), ["AKIA0002 Active"]);
  });

  it("turns what it did not expect into an error of the family, with its cause", async () => {
    const { aws, fails } = prepare();
    aws.fail("list", new RangeError("out of range"));
    const { error } = await fails();
    assert.ok(error instanceof InternalError && error.cause instanceof RangeError);
    assert.equal(error.message, "the rotation of IAM user ci-bot failed: out of range");
  });
});
