import assert from "node:assert/strict";

import type { RotationError } from "../../provider/src/rotation/errors";
import { EMPTY_RING, type KeyRing, type KeyState } from "../../provider/src/rotation/keyRing";
import type { Ledger } from "../../provider/src/rotation/ledger";
import type { Identity } from "../../provider/src/rotation/ports";
import {
  otherUserFailure,
  type Precondition,
  preconditionFailure,
  refusalError,
} from "../../provider/src/rotation/refusals";

const AT = "2027-01-10T08:30:00.000Z";

const LEDGER: Ledger = {
  rotationId: "a9c673a6-cdbb-540a-a6fc-93a127d1e8d8",
  generation: 3,
  keys: ["AKIACURRENT", "AKIAPREVIOUS"],
  writtenBy: "update",
  createdAt: AT,
  writtenAt: AT,
  nonce: "0123456789ab",
};

/** A run that nothing stands against. */
const GOOD: Precondition = {
  userName: "ci-bot",
  rotationId: LEDGER.rotationId,
  generation: 3,
  currentKeyId: "AKIACURRENT",
  ledger: LEDGER,
  ledgerOwner: "platform/prod/ci-bot",
  startedAt: Date.parse(AT) + 60_000,
  isLedgerNew: false,
  skew: 0,
};

const KNOWN: Identity = { userId: "AIDAOLD", arn: "arn:aws:iam::123456789012:user/ci-bot", accountId: "123456789012" };

/** The whole text that a person sees. */
const textOf = (change: Partial<Precondition>) => preconditionFailure({ ...GOOD, ...change })?.message;

const says = (actual: string | undefined, ...lines: string[]) => assert.equal(actual, lines.join("\n"));

describe("what stands against a run, in full", () => {
  it("is nothing where all is well, for a creation and for an update", () => {
    assert.equal(preconditionFailure(GOOD), undefined);
    assert.equal(preconditionFailure({ ...GOOD, generation: 2 }), undefined, "a run that was killed is one ahead");
    assert.equal(preconditionFailure({ ...GOOD, generation: undefined }), undefined);
    assert.equal(preconditionFailure({ ...GOOD, ledger: undefined }), undefined);
    assert.equal(preconditionFailure({ ...GOOD, skew: -299_000 }), undefined);
  });

  it("names another rotation of the user", () => {
    says(
      textOf({ rotationId: "00000000-0000-5000-8000-000000000000" }),
      "the access keys of IAM user ci-bot are rotated by another rotation: platform/prod/ci-bot (a9c673a6-cdbb-540a-a6fc-93a127d1e8d8)",
      "Now: nothing was changed",
      "Next: declare the user's rotation once only. If it is the same resource under a former name: give it `aliases`, or `pulumi state untaint` it",
      "If that rotation is gone: `aws iam untag-user --user-name ci-bot --tag-keys iam-rotation iam-rotation-owner`, then run `pulumi up` again",
    );
    says(
      textOf({ rotationId: "00000000-0000-5000-8000-000000000000", ledgerOwner: undefined })?.split("\n")[0],
      "the access keys of IAM user ci-bot are rotated by another rotation: its owner tag is missing (a9c673a6-cdbb-540a-a6fc-93a127d1e8d8)",
    );
  });

  it("tells that an older state was restored", () => {
    says(
      textOf({ generation: 1 }),
      "this state is older than the keys of IAM user ci-bot: it is of generation 1, and the user's tag iam-rotation of 3: an older state was restored",
      "Now: nothing was changed; the tag names these keys: AKIACURRENT, AKIAPREVIOUS",
      "Next: `pulumi stack import` the newest state",
      "If it is lost: `aws iam untag-user --user-name ci-bot --tag-keys iam-rotation iam-rotation-owner`, delete by hand the keys that nobody uses (`aws iam delete-access-key --user-name ci-bot --access-key-id KEY_ID`), then run `pulumi up` again",
    );
  });

  it("tells that another run is at work", () => {
    says(
      textOf({ startedAt: Date.parse(AT) - 60_000 }),
      "another run is rotating the keys of IAM user ci-bot: it wrote the tag iam-rotation at 2027-01-10T08:30:00.000Z, after this run had begun",
      "Now: nothing was changed by this run",
      "Next: wait until the other run has ended, then run `pulumi up` again",
    );
    const atOnce = { startedAt: Date.parse(AT) };
    assert.equal(textOf(atOnce), undefined, "within the step of the clocks it was there before");
    assert.match(textOf({ ...atOnce, isLedgerNew: true })!, /another run/);
    assert.equal(textOf({ isLedgerNew: true }), undefined, "it lagged");
  });

  it("tells by how much the local clock is off", () => {
    says(
      textOf({ skew: 900_000 }),
      "the local clock is 900 s behind AWS's",
      "Now: nothing was changed",
      "Next: set the clock of this machine (NTP), then run `pulumi up` again",
    );
    says(textOf({ skew: -900_000 })?.split("\n")[0], "the local clock is 900 s ahead of AWS's");
  });

  it("tells that the user was made again under the same name", () => {
    says(
      otherUserFailure(KNOWN, { ...KNOWN, userId: "AIDANEW" }, "ci-bot")?.message,
      "IAM user ci-bot was deleted and made again: its id is AIDANEW, and this rotation's keys belonged to AIDAOLD",
      "Now: nothing was changed",
      "Next: `pulumi refresh`, then `pulumi up`: the rotation starts anew with the new user",
    );
    assert.equal(otherUserFailure(KNOWN, KNOWN, "ci-bot"), undefined);
  });

  it("tells that the connection reaches another account", () => {
    const seen = { userId: "AIDANEW", arn: "arn:aws:iam::210987654321:user/ci-bot", accountId: "210987654321" };
    says(
      otherUserFailure(KNOWN, seen, "ci-bot")?.message,
      "connectionId reaches arn:aws:iam::210987654321:user/ci-bot, but this rotation's keys belong to arn:aws:iam::123456789012:user/ci-bot",
      "Now: nothing was changed",
      "Next: go back to a connection of the old account; to rotate the other account's user, declare a resource of its own",
    );
  });
});

describe("why nothing may be done, in full", () => {
  const lastUses = new Map([
    ["AKIAONE", { at: "2027-01-09T08:00:00.000Z", service: "s3", region: "eu-west-1" }],
    ["AKIATWO", null],
  ]);
  const key = (accessKeyId: string, status = "Active") => ({ accessKeyId, status, createdAt: AT });

  const ringOf = (...states: readonly (readonly [string, KeyState])[]): KeyRing => ({
    ...EMPTY_RING,
    keys: states.map(([accessKeyId, state]) => ({
      accessKeyId,
      state,
      createdAt: AT,
      verifiedAt: null,
      retiredAt: null,
      lastUsedAt: null,
    })),
  });

  it("lists every key with its age and last use where no slot is free", () => {
    const refusal = { kind: "noSlot", listed: [key("AKIAONE"), key("AKIATWO", "Inactive"), key("AKIATHREE")] } as const;
    says(
      refusalError(refusal, "ci-bot", EMPTY_RING, lastUses).message,
      "IAM user ci-bot has no free slot for a new access key, and none of these may be deleted by this rotation:",
      "  AKIAONE  Active, made 2027-01-10T08:30:00.000Z, last used 2027-01-09T08:00:00.000Z for s3 in eu-west-1; unknown to this rotation",
      "  AKIATWO  Inactive, made 2027-01-10T08:30:00.000Z, never used; unknown to this rotation",
      "  AKIATHREE  Active, made 2027-01-10T08:30:00.000Z, last use not read; unknown to this rotation",
      "Now: nothing was changed",
      "Next: delete one that nobody uses, then run `pulumi up` again:",
      "  aws iam delete-access-key --user-name ci-bot --access-key-id AKIAONE",
      "  aws iam delete-access-key --user-name ci-bot --access-key-id AKIATWO",
      "  aws iam delete-access-key --user-name ci-bot --access-key-id AKIATHREE",
      "If this is a replacement (`--replace`, or a tainted resource): drop --replace or `pulumi state untaint`, and set a new rotationTrigger instead",
    );
  });

  it("never offers the current key for deletion, however unused it looks", () => {
    const refusal = { kind: "noSlot", listed: [key("AKIATWO"), key("AKIAONE")] } as const;
    says(
      refusalError(refusal, "ci-bot", ringOf(["AKIATWO", "current"]), lastUses).message,
      "IAM user ci-bot has no free slot for a new access key, and none of these may be deleted by this rotation:",
      "  AKIATWO  Active, made 2027-01-10T08:30:00.000Z, never used; this rotation's current key",
      "  AKIAONE  Active, made 2027-01-10T08:30:00.000Z, last used 2027-01-09T08:00:00.000Z for s3 in eu-west-1; unknown to this rotation",
      "Now: nothing was changed",
      "Next: delete one that nobody uses, then run `pulumi up` again:",
      "  aws iam delete-access-key --user-name ci-bot --access-key-id AKIAONE",
    );
  });

  it("offers keys of this rotation by the tag only where there is no other, and tells what a replacement does", () => {
    const refusal = { kind: "noSlot", listed: [key("AKIATWO"), key("AKIAONE")] } as const;
    const offered = (ring: KeyRing) => {
      const { next } = refusalError(refusal, "ci-bot", ring, lastUses).explanation;
      return (next ?? "").split("\n").slice(1);
    };
    const replacement =
      "If this is a replacement (`--replace`, or a tainted resource): drop --replace or `pulumi state untaint`, and set a new rotationTrigger instead";
    assert.deepEqual(offered(ringOf(["AKIATWO", "leftover"])), [
      "  aws iam delete-access-key --user-name ci-bot --access-key-id AKIAONE",
      replacement,
    ]);
    assert.deepEqual(offered(ringOf(["AKIATWO", "leftover"], ["AKIAONE", "leftover"])), [
      "  aws iam delete-access-key --user-name ci-bot --access-key-id AKIATWO",
      "  aws iam delete-access-key --user-name ci-bot --access-key-id AKIAONE",
      replacement,
    ]);
  });

  it("says until when a key counts as in use", () => {
    const inUse = {
      accessKeyId: "AKIAONE",
      reason: "it was used at 2027-01-09T08:00:00.000Z for s3 in eu-west-1",
      until: "2027-01-10T08:00:00.000Z",
    };
    says(
      refusalError({ kind: "inUse", inUse }, "ci-bot", EMPTY_RING, lastUses).message,
      "access key AKIAONE of IAM user ci-bot must go to make room for a new one, but it counts as in use: it was used at 2027-01-09T08:00:00.000Z for s3 in eu-west-1",
      "Now: nothing was changed",
      'Next: run `pulumi up` after 2027-01-10T08:00:00.000Z; or set previousKey.whenInUse to "retire" to retire it all the same',
    );
  });

  it("says what to do where nobody can tell until when", () => {
    const inUse = { accessKeyId: "AKIATHREE", reason: "its last use could not be read", until: null };
    says(
      refusalError({ kind: "inUse", inUse }, "ci-bot", EMPTY_RING, lastUses).message,
      "access key AKIATHREE of IAM user ci-bot must go to make room for a new one, but it counts as in use: its last use could not be read",
      "Now: nothing was changed",
      'Next: allow iam:GetAccessKeyLastUsed, or run `pulumi up` later; or set previousKey.whenInUse to "retire" to retire it all the same',
    );
  });

  it("carries the same as data, and the API's error body", () => {
    const error: RotationError = refusalError(
      { kind: "noSlot", listed: [key("AKIAONE")] },
      "ci-bot",
      EMPTY_RING,
      lastUses,
    );
    const { statusCode, error: name, details } = error.toJSON();
    assert.deepEqual(
      { statusCode, name, details },
      {
        statusCode: 400,
        name: "BadRequest",
        details: { userName: "ci-bot", accessKeyIds: ["AKIAONE"] },
      },
    );
  });
});
