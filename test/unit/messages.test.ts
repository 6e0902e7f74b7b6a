import assert from "node:assert/strict";

import { awsError, type AwsCall } from "../../provider/src/aws/errors";
import { RotationError } from "../../provider/src/rotation/errors";
import { LEDGER_TAG } from "../../provider/src/rotation/ledger";
import { FakeStack, type Inputs, OTHER_CONNECTION_ID, program } from "../support/fakeStack";
import { NEVER, writeLedger } from "../support/runs";

// The refusals that stand in rotation/refusals.ts are in refusals.test.ts, each with its whole text, too.

/** What AWS's SDK throws, as the calls of this package hand it on. */
function aws(action: string, code: string, status: number | undefined, said: string, accessKeyId?: string) {
  const call: AwsCall = { action, userName: "ci-bot", accessKeyId, connection: "ambient" };
  const metadata = status === undefined ? {} : { httpStatusCode: status, requestId: "8c8f-EXAMPLE" };
  return awsError(Object.assign(new Error(said), { name: code, $metadata: metadata }), call);
}

const BY_HAND = program({ rotationTrigger: "1" });

async function created(rotations = 0): Promise<FakeStack> {
  const stack = new FakeStack();
  await stack.up();
  for (let count = 1; count <= rotations; count += 1) {
    stack.clock.advance({ days: 31 });
    await stack.up();
  }
  stack.clock.advance({ hours: 48 });
  return stack;
}

async function thrown(work: Promise<unknown>): Promise<RotationError | undefined> {
  try {
    await work;
    return undefined;
  } catch (error) {
    if (error instanceof RotationError) return error;
    throw error;
  }
}

const up = async (stack: FakeStack, given?: Inputs) => (await stack.up(given)).error;
const adopt = (accessKeyId: string, secretAccessKey = "wJalr/SECRET+0001/123456789012") =>
  program({ adopt: { accessKeyId, secretAccessKey } });

interface Failure {
  readonly when: string;
  happens(): Promise<RotationError | undefined>;
  readonly says: readonly string[];
}

const FAILURES: readonly Failure[] = [
  {
    when: "AWS denies the first look",
    async happens() {
      const stack = await created();
      stack.aws.fail("user", aws("iam:GetUser", "AccessDenied", 403, "User: pipeline is not authorized"));
      return up(stack, BY_HAND);
    },
    says: [
      'iam:GetUser for IAM user ci-bot failed over connection "ambient": AccessDenied: User: pipeline is not authorized (request id 8c8f-EXAMPLE)',
      "Now: AKIA0001 is current; consumers keep AKIA0001",
      'Next: allow iam:GetUser on the user to the credentials of connection "ambient", then run `pulumi up` again',
    ],
  },
  {
    when: "the credentials of the connection have expired",
    async happens() {
      const stack = await created();
      stack.aws.fail("caller", aws("sts:GetCallerIdentity", "ExpiredToken", 403, "The security token is expired"));
      return up(stack, BY_HAND);
    },
    says: [
      'sts:GetCallerIdentity for IAM user ci-bot failed over connection "ambient": ExpiredToken: The security token is expired (request id 8c8f-EXAMPLE)',
      "Now: AKIA0001 is current; consumers keep AKIA0001",
      'Next: renew or correct the credentials of connection "ambient", then run `pulumi up` again',
    ],
  },
  {
    when: "there is no such user",
    async happens() {
      const stack = new FakeStack();
      stack.aws.removeUser("ci-bot");
      return up(stack);
    },
    says: [
      "IAM user ci-bot does not exist in the account of this connection",
      "Now: nothing was changed",
      "Next: make the user, or correct parameters.userName or connectionId; if it was deleted on purpose, `pulumi refresh` takes the rotation out of state",
    ],
  },
  {
    when: "the user was deleted, and a rotation is due",
    async happens() {
      const stack = await created();
      stack.aws.removeUser("ci-bot");
      return up(stack, BY_HAND);
    },
    says: [
      "IAM user ci-bot does not exist in the account of this connection",
      "Now: AKIA0001 is current; consumers keep AKIA0001",
      "Next: make the user, or correct parameters.userName or connectionId; if it was deleted on purpose, `pulumi refresh` takes the rotation out of state",
    ],
  },
  {
    when: "the user was made again under the same name",
    async happens() {
      const stack = await created();
      stack.aws.recreateUser("ci-bot");
      return up(stack, BY_HAND);
    },
    says: [
      "IAM user ci-bot was deleted and made again: its id is AIDA12340002, and this rotation's keys belonged to AIDA12340001",
      "Now: nothing was changed",
      "Next: `pulumi refresh`, then `pulumi up`: the rotation starts anew with the new user",
    ],
  },
  {
    when: "a new connection reaches another account",
    async happens() {
      const stack = await created();
      return up(stack, program({ connectionId: OTHER_CONNECTION_ID }));
    },
    says: [
      "connectionId reaches arn:aws:iam::210987654321:user/ci-bot, but this rotation's keys belong to arn:aws:iam::123456789012:user/ci-bot",
      "Now: nothing was changed",
      "Next: go back to a connection of the old account; to rotate the other account's user, declare a resource of its own",
    ],
  },
  {
    when: "a new connection reaches an account without such a user",
    async happens() {
      const stack = await created();
      stack.other.removeUser("ci-bot");
      return up(stack, program({ connectionId: OTHER_CONNECTION_ID }));
    },
    says: [
      "connectionId reaches an account that has no IAM user ci-bot; this rotation's keys belong to arn:aws:iam::123456789012:user/ci-bot",
      "Now: nothing was changed",
      "Next: go back to a connection of the old account",
    ],
  },
  {
    when: "both slots are taken by strangers",
    async happens() {
      const stack = new FakeStack();
      stack.aws.addKey("ci-bot");
      stack.aws.addKey("ci-bot");
      return up(stack);
    },
    says: [
      "IAM user ci-bot has no free slot for a new access key, and none of these may be deleted by this rotation:",
      "  AKIA0001  Active, made 2027-01-10T08:30:00.000Z, never used; unknown to this rotation",
      "  AKIA0002  Active, made 2027-01-10T08:30:00.000Z, never used; unknown to this rotation",
      "Now: nothing was changed",
      "Next: delete one that nobody uses, then run `pulumi up` again:",
      "  aws iam delete-access-key --user-name ci-bot --access-key-id AKIA0001",
      "  aws iam delete-access-key --user-name ci-bot --access-key-id AKIA0002",
      "If this is a replacement (`--replace`, or a tainted resource): drop --replace or `pulumi state untaint`, and set a new rotationTrigger instead",
    ],
  },
  {
    when: "a rotation is due, and the other slot is taken by a stranger",
    async happens() {
      const stack = await created();
      stack.aws.addKey("ci-bot");
      return up(stack, BY_HAND);
    },
    says: [
      "IAM user ci-bot has no free slot for a new access key, and none of these may be deleted by this rotation:",
      "  AKIA0001  Active, made 2027-01-10T08:30:00.000Z, last used 2027-01-10T08:30:04.000Z for sts in us-east-1; this rotation's current key",
      "  AKIA0002  Active, made 2027-01-12T08:30:04.000Z, never used; unknown to this rotation",
      "Now: nothing was changed",
      "Next: delete one that nobody uses, then run `pulumi up` again:",
      "  aws iam delete-access-key --user-name ci-bot --access-key-id AKIA0002",
    ],
  },
  {
    when: "the previous key is still in use, and its slot is needed",
    async happens() {
      const stack = await created(1);
      stack.aws.key("AKIA0001").lastUse = { at: stack.clock.from({ hours: -1 }), service: "s3", region: "eu-west-1" };
      return up(stack, BY_HAND);
    },
    says: [
      "access key AKIA0001 of IAM user ci-bot must go to make room for a new one, but it counts as in use: it was used at 2027-02-12T07:30:08.000Z for s3 in eu-west-1",
      "Now: nothing was changed",
      'Next: run `pulumi up` after 2027-02-13T07:30:08.000Z; or set previousKey.whenInUse to "retire" to retire it all the same',
    ],
  },
  {
    when: "the last use of the previous key cannot be read, and its slot is needed",
    async happens() {
      const stack = await created(1);
      stack.aws.fail("lastUse", aws("iam:GetAccessKeyLastUsed", "AccessDenied", 403, "no"), { times: 9 });
      return up(stack, BY_HAND);
    },
    says: [
      "access key AKIA0001 of IAM user ci-bot must go to make room for a new one, but it counts as in use: its last use could not be read",
      "Now: nothing was changed",
      'Next: allow iam:GetAccessKeyLastUsed, or run `pulumi up` later; or set previousKey.whenInUse to "retire" to retire it all the same',
    ],
  },
  {
    when: "the tags are throttled",
    async happens() {
      const stack = await created();
      stack.aws.fail("tag", aws("iam:TagUser", "Throttling", 400, "Rate exceeded"));
      return up(stack, BY_HAND);
    },
    says: [
      'iam:TagUser for IAM user ci-bot failed over connection "ambient": Throttling: Rate exceeded (request id 8c8f-EXAMPLE)',
      "Now: AKIA0001 is current; consumers keep AKIA0001",
      "Next: run `pulumi up` again",
    ],
  },
  {
    when: "the tag does not read as it was written",
    async happens() {
      const stack = await created();
      stack.aws.tagLagReads = 1_000;
      return up(stack, BY_HAND);
    },
    says: [
      "the tag iam-rotation of IAM user ci-bot was written, but it could not be read back within 90 s",
      "Now: AKIA0001 is current; consumers keep AKIA0001",
      "Next: run `pulumi up` again; iam-rotation:limits.lagSeconds gives it more time",
    ],
  },
  {
    when: "another run writes the ledger",
    async happens() {
      const stack = await created();
      stack.aws.happenings.set("tag", () => {
        stack.aws.happenings.set("list", () => writeLedger(stack.aws, { nonce: "another" }));
      });
      return up(stack, BY_HAND);
    },
    says: [
      "another run is rotating the keys of IAM user ci-bot at this moment: it wrote the user's tag iam-rotation after this run had read it",
      "Now: AKIA0001 is current; consumers keep AKIA0001",
      "Next: wait until the other run has ended, then run `pulumi up` again",
    ],
  },
  {
    when: "a destroy takes the ledger away",
    async happens() {
      const stack = await created();
      stack.aws.happenings.set("tag", () => {
        stack.aws.happenings.set("list", () => stack.aws.setTags("ci-bot", { [LEDGER_TAG]: undefined }));
      });
      return up(stack, BY_HAND);
    },
    says: [
      "another run is destroying the keys of IAM user ci-bot at this moment: it took away the user's tag iam-rotation after this run had read it",
      "Now: AKIA0001 is current; consumers keep AKIA0001",
      "Next: wait until the other run has ended, then run `pulumi up` again",
    ],
  },
  {
    when: "somebody makes a key at the same moment",
    async happens() {
      const stack = await created();
      stack.aws.happenings.set("tag", () => void stack.aws.addKey("ci-bot"));
      return up(stack, BY_HAND);
    },
    says: [
      "access key AKIA0002 of IAM user ci-bot was made at 2027-01-12T08:30:04.000Z, while this run was about to make one: another run, or a person, is at work",
      "Now: AKIA0001 is current; consumers keep AKIA0001",
      "Next: wait until the other run has ended, then run `pulumi up` again",
    ],
  },
  {
    when: "somebody makes an Inactive key active at the same moment",
    async happens() {
      const stack = await created(1);
      stack.aws.key("AKIA0001").status = "Inactive";
      stack.aws.happenings.set("tag", () => void (stack.aws.key("AKIA0001").status = "Active"));
      return up(stack, BY_HAND);
    },
    says: [
      "access key AKIA0001 of IAM user ci-bot was made active while this run was about to make a new one",
      "Now: AKIA0002 is current, AKIA0001 is inactive; consumers keep AKIA0002",
      "Next: run `pulumi up` again",
    ],
  },
  {
    when: "writing the tags takes too long",
    async happens() {
      const stack = await created();
      stack.aws.happenings.set("tag", () => {
        stack.clock.advance({ seconds: 50 });
        stack.aws.happenings.set("tag", () => stack.clock.advance({ seconds: 50 }));
      });
      return up(stack, BY_HAND);
    },
    says: [
      "the tags of IAM user ci-bot were written too slowly to make a key in the time that they tell; none was made",
      "Now: AKIA0001 is current; consumers keep AKIA0001",
      "Next: run `pulumi up` again; iam-rotation:limits.callSeconds gives it more time",
    ],
  },
  {
    when: "the rotation takes too long",
    async happens() {
      const stack = await created();
      stack.aws.happenings.set("caller", () => stack.clock.advance({ seconds: 301 }));
      return up(stack, BY_HAND);
    },
    says: [
      "the rotation of IAM user ci-bot took longer than 300 s",
      "Now: AKIA0001 is current; consumers keep AKIA0001",
      "Next: run `pulumi up` again; iam-rotation:limits.rotationSeconds gives it more time",
    ],
  },
  {
    when: "the user has more keys than the tag can name",
    async happens() {
      const stack = await created();
      writeLedger(stack.aws, { keys: Array.from({ length: 12 }, () => stack.aws.addKey("ci-bot").accessKeyId) });
      return up(stack, program({ rotationTrigger: "1", previousKey: { whenInUse: "retire" } }));
    },
    says: [
      "IAM user ci-bot has more access keys than the tag iam-rotation can name",
      "Now: AKIA0001 is current, AKIA0002 is leftover, AKIA0003 is leftover, AKIA0004 is leftover, AKIA0005 is leftover, AKIA0006 is leftover, AKIA0007 is leftover, AKIA0008 is leftover, AKIA0009 is leftover, AKIA0010 is leftover, AKIA0011 is leftover, AKIA0012 is leftover, AKIA0013 is leftover; consumers keep AKIA0001",
      "Next: delete those that nobody uses with `aws iam delete-access-key`, then run `pulumi up` again",
    ],
  },
  {
    when: "AWS refuses to make a key",
    async happens() {
      const stack = await created();
      stack.aws.fail("create", aws("iam:CreateAccessKey", "AccessDenied", 403, "no"));
      return up(stack, BY_HAND);
    },
    says: [
      'iam:CreateAccessKey for IAM user ci-bot failed over connection "ambient": AccessDenied: no (request id 8c8f-EXAMPLE)',
      "Now: AKIA0001 is current; consumers keep AKIA0001",
      'Next: allow iam:CreateAccessKey on the user to the credentials of connection "ambient", then run `pulumi up` again',
    ],
  },
  {
    when: "AWS says that there are two keys already",
    async happens() {
      const stack = await created();
      const said = "Cannot exceed quota for AccessKeysPerUser: 2";
      stack.aws.fail("create", aws("iam:CreateAccessKey", "LimitExceeded", 409, said));
      return up(stack, BY_HAND);
    },
    says: [
      'iam:CreateAccessKey for IAM user ci-bot failed over connection "ambient": LimitExceeded: Cannot exceed quota for AccessKeysPerUser: 2 (request id 8c8f-EXAMPLE)',
      "Now: AKIA0001 is current; consumers keep AKIA0001",
      "Next: run `pulumi up` again",
    ],
  },
  {
    when: "the answer to CreateAccessKey is lost in a rotation",
    async happens() {
      const stack = await created();
      stack.aws.fail("create", aws("iam:CreateAccessKey", "TimeoutError", undefined, "socket hang up"), {
        isAfter: true,
      });
      return up(stack, BY_HAND);
    },
    says: [
      'iam:CreateAccessKey for IAM user ci-bot failed over connection "ambient": TimeoutError: socket hang up',
      "Now: AKIA0001 is current; consumers keep AKIA0001",
      "Next: run `pulumi up` again; iam-rotation:limits.callSeconds gives each call more time",
    ],
  },
  {
    when: "the answer to CreateAccessKey is lost in a creation",
    async happens() {
      const stack = new FakeStack();
      stack.aws.fail("create", aws("iam:CreateAccessKey", "ServiceFailure", 500, "try later"), { isAfter: true });
      return up(stack);
    },
    says: [
      'iam:CreateAccessKey for IAM user ci-bot failed over connection "ambient": ServiceFailure: try later (request id 8c8f-EXAMPLE)',
      "Now: no key was handed out, and none is in state; the user's tag iam-rotation tells the next run what this one left",
      "Next: run `pulumi up` again",
    ],
  },
  {
    when: "a new key does not work in time, in a rotation",
    async happens() {
      const stack = await created();
      stack.aws.passes.push(...NEVER);
      return up(stack, BY_HAND);
    },
    says: [
      "access key AKIA0002 did not work 3 times in a row within 120 s: AWS does not know it yet",
      "Now: AKIA0001 is current, AKIA0002 is pending; consumers keep AKIA0001",
      "Next: run `pulumi up` again: it goes on with this key; iam-rotation:limits.verifySeconds gives it more time",
    ],
  },
  {
    when: "a new key does not work in time, in a creation",
    async happens() {
      const stack = new FakeStack();
      stack.aws.passes.push(...NEVER);
      return up(stack);
    },
    says: [
      "access key AKIA0001 did not work 3 times in a row within 120 s: AWS does not know it yet",
      "Now: state keeps the new key: no key is current, AKIA0001 is pending; nobody was given it yet",
      "Next: run `pulumi up` again: it goes on with this key; iam-rotation:limits.verifySeconds gives it more time",
    ],
  },
  {
    when: "a pending key still does not work an hour later",
    async happens() {
      const stack = await created();
      stack.aws.passes.push(...NEVER);
      await stack.up(BY_HAND);
      stack.clock.advance({ hours: 2 });
      stack.aws.passes.push(...NEVER);
      return up(stack, BY_HAND);
    },
    says: [
      "access key AKIA0002 still does not work an hour after it was made, and was deleted: access key AKIA0002 did not work 3 times in a row within 120 s: AWS does not know it yet",
      "Now: AKIA0001 is current; consumers keep AKIA0001",
      "Next: run `pulumi up` again: it makes a new key",
    ],
  },
  {
    when: "making room fails",
    async happens() {
      const stack = await created(1);
      const error = aws("iam:DeleteAccessKey", "ServiceFailure", 500, "try later", "AKIA0001");
      stack.aws.fail("delete AKIA0001", error);
      return up(stack, BY_HAND);
    },
    says: [
      'iam:DeleteAccessKey for IAM user ci-bot (access key AKIA0001) failed over connection "ambient": ServiceFailure: try later (request id 8c8f-EXAMPLE)',
      "Now: AKIA0002 is current, AKIA0001 is previous; consumers keep AKIA0002",
      "Next: run `pulumi up` again",
    ],
  },
  {
    when: "setting the previous key Inactive fails",
    async happens() {
      const stack = await created(1);
      stack.aws.fail("deactivate", aws("iam:UpdateAccessKey", "AccessDenied", 403, "no", "AKIA0001"));
      return up(stack, program({ previousKey: { deactivateAfterHours: 24 } }));
    },
    says: [
      'iam:UpdateAccessKey for IAM user ci-bot (access key AKIA0001) failed over connection "ambient": AccessDenied: no (request id 8c8f-EXAMPLE)',
      "Now: AKIA0002 is current, AKIA0001 is previous; consumers keep AKIA0002",
      'Next: allow iam:UpdateAccessKey on the user to the credentials of connection "ambient", then run `pulumi up` again',
    ],
  },
  {
    when: "a key to adopt is not the user's",
    async happens() {
      const stack = new FakeStack();
      stack.aws.addKey("ci-bot");
      return up(stack, adopt("AKIAOTHER"));
    },
    says: [
      "adopt: access key AKIAOTHER is not a key of IAM user ci-bot",
      "Now: nothing was changed",
      "Next: give an Active key of the user; its keys: AKIA0001 (Active)",
    ],
  },
  {
    when: "a key to adopt is Inactive",
    async happens() {
      const stack = new FakeStack();
      stack.aws.addKey("ci-bot").status = "Inactive";
      return up(stack, adopt("AKIA0001"));
    },
    says: [
      "adopt: access key AKIA0001 is Inactive",
      "Now: nothing was changed",
      "Next: give an Active key of the user; its keys: AKIA0001 (Inactive)",
    ],
  },
  {
    when: "the secret of a key to adopt is wrong",
    async happens() {
      const stack = new FakeStack();
      stack.aws.addKey("ci-bot");
      const said = "The request signature we calculated does not match";
      stack.aws.passes.push(aws("sts:GetCallerIdentity", "SignatureDoesNotMatch", 403, said, "AKIA0001"));
      return up(stack, adopt("AKIA0001"));
    },
    says: [
      'the secret of access key AKIA0001 is wrong: sts:GetCallerIdentity for IAM user ci-bot (access key AKIA0001) failed over connection "ambient": SignatureDoesNotMatch: The request signature we calculated does not match (request id 8c8f-EXAMPLE)',
      "Now: nothing was changed",
      "Next: correct adopt.accessKeyId and adopt.secretAccessKey, then run `pulumi up` again",
    ],
  },
  {
    when: "a key to adopt is the rotation's already, and the resource is replaced",
    async happens() {
      const stack = new FakeStack();
      stack.aws.addKey("ci-bot");
      await stack.up(adopt("AKIA0001"));
      return (await stack.replace(adopt("AKIA0001"))).error;
    },
    says: [
      "adopt: access key AKIA0001 of IAM user ci-bot is a key of this rotation already, by the user's tag: if this replaces the resource (`--replace`, or tainted), the old one would take the key with it",
      "Now: nothing was changed",
      "Next: take `adopt` out of the program, and drop --replace or `pulumi state untaint`",
      "If state has no such rotation (an adoption was killed, or state was lost): `aws iam untag-user --user-name ci-bot --tag-keys iam-rotation iam-rotation-owner`, then run `pulumi up` again",
    ],
  },
  {
    when: "nobody thought of what happens in an adoption",
    async happens() {
      const stack = new FakeStack();
      stack.aws.addKey("ci-bot");
      stack.aws.fail("list", new RangeError("out of range"));
      return up(stack, adopt("AKIA0001"));
    },
    says: [
      "adopting access key AKIA0001 of IAM user ci-bot failed: out of range",
      "Now: nothing was changed",
      "Next: run `pulumi up` again",
    ],
  },
  {
    when: "a destroy reaches another account",
    async happens() {
      const stack = await created();
      stack.other.removeUser("ci-bot");
      stack.resource = { ...stack.resource!, state: { ...stack.state, connectionId: OTHER_CONNECTION_ID } };
      return thrown(stack.destroy());
    },
    says: [
      'connection "other" is in account 210987654321, but this rotation\'s keys belong to arn:aws:iam::123456789012:user/ci-bot',
      "Now: nothing was changed",
      "Next: use a connection of that account, then try again",
    ],
  },
  {
    when: "nobody thought of what happens in a destroy",
    async happens() {
      const stack = await created();
      stack.aws.fail("delete AKIA0001", new RangeError("out of range"));
      return thrown(stack.destroy());
    },
    says: [
      "deleting the keys of arn:aws:iam::123456789012:user/ci-bot failed: out of range",
      "Now: AKIA0001 is current; keys already deleted stay deleted",
      "Next: run it again: what is already gone counts as done",
    ],
  },
  {
    when: "a destroy fails half-way",
    async happens() {
      const stack = await created(1);
      stack.aws.fail("delete AKIA0001", aws("iam:DeleteAccessKey", "AccessDenied", 403, "no", "AKIA0001"));
      return thrown(stack.destroy());
    },
    says: [
      'iam:DeleteAccessKey for IAM user ci-bot (access key AKIA0001) failed over connection "ambient": AccessDenied: no (request id 8c8f-EXAMPLE)',
      "Now: no key is current, AKIA0001 is previous; keys already deleted stay deleted",
      'Next: allow iam:DeleteAccessKey on the user to the credentials of connection "ambient", then run `pulumi up` again',
    ],
  },
  {
    when: "a refresh is denied",
    async happens() {
      const stack = await created();
      stack.aws.fail("list", aws("iam:ListAccessKeys", "AccessDenied", 403, "no"));
      return thrown(stack.refresh());
    },
    says: [
      'iam:ListAccessKeys for IAM user ci-bot failed over connection "ambient": AccessDenied: no (request id 8c8f-EXAMPLE)',
      "Now: nothing was changed",
      'Next: allow iam:ListAccessKeys on the user to the credentials of connection "ambient", then run `pulumi up` again',
    ],
  },
  {
    when: "a refresh looks at another account, which has no such user",
    async happens() {
      const stack = await created();
      stack.other.removeUser("ci-bot");
      stack.resource = { ...stack.resource!, state: { ...stack.state, connectionId: OTHER_CONNECTION_ID } };
      return thrown(stack.refresh());
    },
    says: [
      'connection "other" is in account 210987654321, but this rotation\'s keys belong to arn:aws:iam::123456789012:user/ci-bot',
      "Now: nothing was changed",
      "Next: use a connection of that account, then try again",
    ],
  },
  {
    when: "something happens that nobody thought of",
    async happens() {
      const stack = await created();
      stack.aws.fail("list", new RangeError("out of range"));
      return up(stack, BY_HAND);
    },
    says: [
      "the rotation of IAM user ci-bot failed: out of range",
      "Now: AKIA0001 is current; consumers keep AKIA0001",
      "Next: run `pulumi up` again",
    ],
  },
];

describe("what a person reads, in full", () => {
  for (const { when, happens, says } of FAILURES) {
    it(`when ${when}`, async () => {
      const error = await happens();
      assert.ok(error, "it did not fail");
      assert.deepEqual(error.message.split("\n"), says);
    });
  }
});
