import { ConflictError, InternalError } from "./errors";
import { type KeyRing, ledgerKeys } from "./keyRing";
import {
  type Announcement,
  formatLedger,
  type Ledger,
  LEDGER_TAG,
  type LedgerWriter,
  OWNER_TAG,
  parseLedger,
} from "./ledger";
import { awsNow, type RunContext } from "./observe";
import type { AccessKey } from "./ports";

/** Of whom, and by whom, a ledger is written. */
export interface LedgerIdentity {
  readonly rotationId: string;
  /** `project/stack/name`, for people. */
  readonly owner: string;
  readonly userName: string;
  readonly generation: number;
  readonly writtenBy: LedgerWriter;
  /** When the resource was created, ISO instant. */
  readonly createdAt: string;
  /** The run's own mark: letters and digits. */
  readonly nonce: string;
}

/** Another run wrote the ledger since this one looked, or took it away: it is at work on the same keys. */
export class OvertakenError extends ConflictError {
  constructor(userName: string, did: "wrote" | "took away") {
    super({
      what: `another run is ${did === "wrote" ? "rotating" : "destroying"} the keys of IAM user ${userName} at this moment: it ${did} the user's tag ${LEDGER_TAG} after this run had read it`,
      next: "wait until the other run has ended, then run `pulumi up` again",
      details: { userName },
    });
  }
}

/** How often a tag that lags is read again. */
const READ_AGAIN = 1_000;

/** `organization/project/stack/name` as a tag value, without the organization: AWS takes letters, digits, space and `_.:/=+-@`, at most 256 characters. */
export function ownerTag(owner: string): string {
  return owner
    .slice(owner.indexOf("/") + 1)
    .replace(OTHER_CHARACTERS, "_")
    .slice(0, 256);
}

const OTHER_CHARACTERS = /[^\p{L}\p{N} _.:/=+\-@]/gu;

/** Writes the ledger in the course of one run, and notices when another run does. */
export class LedgerKeeper {
  /** False once AWS has said that tags may not be written: the run goes on without. */
  isWritable = true;
  /** Whether this run has written it. */
  hasWritten = false;
  private readonly seen: Ledger[];
  private announcement: Announcement | undefined;
  /** Whether the ledger announces a key, as far as this run knows. */
  isOpen: boolean;

  constructor(
    private readonly identity: LedgerIdentity,
    observed: Ledger | undefined,
    private readonly context: RunContext,
  ) {
    this.seen = observed ? [observed] : [];
    this.isOpen = observed?.announcement !== undefined;
  }

  /**
   * Says that a key is about to be made, and reads it back.
   *
   * @returns False when tags may not be written.
   * @throws OvertakenError when another run wrote meanwhile; RotationError when it cannot be written or read back.
   */
  async announce(ring: KeyRing, listed: readonly AccessKey[]): Promise<boolean> {
    const { clock, limits } = this.context;
    await this.assertNotOvertaken();
    const announcement = {
      at: new Date(Math.floor(awsNow(this.context) / 1_000) * 1_000).toISOString(),
      seconds: Math.ceil(limits.callSeconds),
      // A list may lag: what state knows existed, too.
      others: [...new Set([...listed.map((key) => key.accessKeyId), ...ledgerKeys(ring)])],
    };
    if (!(await this.write(ring, announcement))) return false;
    const started = clock.now().getTime();
    // Both look at what came of the write, and neither needs the other's answer.
    let [, isRead] = await Promise.all([this.assertUnchanged(listed, announcement.others), this.assertNotOvertaken()]);
    while (!isRead) {
      if (clock.now().getTime() - started >= limits.lagSeconds * 1_000) {
        throw new InternalError({
          what: `the tag ${LEDGER_TAG} of IAM user ${this.identity.userName} was written, but it could not be read back within ${limits.lagSeconds} s`,
          next: "run `pulumi up` again; iam-rotation:limits.lagSeconds gives it more time",
        });
      }
      await clock.sleep(READ_AGAIN);
      isRead = await this.assertNotOvertaken();
    }
    return true;
  }

  /** Seconds that are left for the announced key to be made in; all of an attempt's when nothing is announced. */
  secondsLeft(): number {
    const { callSeconds } = this.context.limits;
    if (!this.announcement) return callSeconds;
    return Math.min(callSeconds, (Date.parse(this.announcement.at) - awsNow(this.context)) / 1_000 + callSeconds);
  }

  /** Writes the ledger again: the keys of the ring, nothing announced. False when tags may not be written. */
  async settle(ring: KeyRing): Promise<boolean> {
    if (!this.isWritable) return false;
    await this.assertNotOvertaken();
    return this.write(ring, undefined);
  }

  /**
   * A write that was long under way may have replaced the ledger of a run that began and ended meanwhile: its key shows.
   * A key that works again is not to be deleted as one that does not. The announcement stays open.
   */
  private async assertUnchanged(before: readonly AccessKey[], others: readonly string[]): Promise<void> {
    const listed = (await this.context.aws.list()) ?? [];
    const { userName } = this.identity;
    const made = listed.find((key) => !others.includes(key.accessKeyId));
    if (made) {
      throw new ConflictError({
        what: `access key ${made.accessKeyId} of IAM user ${userName} was made at ${made.createdAt}, while this run was about to make one: another run, or a person, is at work`,
        next: "wait until the other run has ended, then run `pulumi up` again",
        details: { userName, accessKeyId: made.accessKeyId },
      });
    }
    const wasDisabled = (id: string) => before.some((key) => key.accessKeyId === id && key.status !== "Active");
    const enabled = listed.find((key) => key.status === "Active" && wasDisabled(key.accessKeyId));
    if (enabled) {
      throw new ConflictError({
        what: `access key ${enabled.accessKeyId} of IAM user ${userName} was made active while this run was about to make a new one`,
        next: "run `pulumi up` again",
        details: { userName, accessKeyId: enabled.accessKeyId },
      });
    }
  }

  /**
   * @returns Whether the ledger reads as this run wrote it; false while it lags, or before it was written.
   * @throws OvertakenError when another run wrote it since this one looked, or took it away: a destroy does.
   */
  async assertNotOvertaken(): Promise<boolean> {
    const ledger = await this.read();
    if (!ledger) return false;
    if (ledger.nonce === this.identity.nonce) return true;
    // One that was seen before, or is older than it, is lag; only a new one is another run's.
    const isKnown = this.seen.some(
      (before) => before.nonce === ledger.nonce || Date.parse(ledger.writtenAt) < Date.parse(before.writtenAt),
    );
    if (!isKnown) throw new OvertakenError(this.identity.userName, "wrote");
    return false;
  }

  /** One that was there, and is not, may lag for a while; then it was taken away. */
  private async read(): Promise<Ledger | undefined> {
    const { aws, clock, limits } = this.context;
    const started = clock.now().getTime();
    for (;;) {
      const isLate = clock.now().getTime() - started >= limits.lagSeconds * 1_000;
      const ledger = parseLedger((await aws.user())?.tags[LEDGER_TAG]);
      if (ledger || (this.seen.length === 0 && !this.hasWritten)) return ledger;
      if (isLate) throw new OvertakenError(this.identity.userName, "took away");
      await clock.sleep(READ_AGAIN);
    }
  }

  private async write(ring: KeyRing, announcement: Announcement | undefined): Promise<boolean> {
    const { rotationId, generation, writtenBy, createdAt, nonce, owner, userName } = this.identity;
    const value = formatLedger({
      rotationId,
      generation,
      keys: ledgerKeys(ring),
      writtenBy,
      createdAt,
      writtenAt: new Date(awsNow(this.context)).toISOString(),
      nonce,
      announcement,
    });
    if (value === undefined) {
      throw new ConflictError({
        what: `IAM user ${userName} has more access keys than the tag ${LEDGER_TAG} can name`,
        next: "delete those that nobody uses with `aws iam delete-access-key`, then run `pulumi up` again",
      });
    }
    this.isWritable = await this.context.aws.tag({
      [LEDGER_TAG]: value,
      [OWNER_TAG]: ownerTag(owner),
    });
    this.hasWritten ||= this.isWritable;
    this.announcement = this.isWritable ? announcement : undefined;
    if (this.isWritable) this.isOpen = announcement !== undefined;
    return this.isWritable;
  }
}
