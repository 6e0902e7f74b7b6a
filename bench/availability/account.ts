import { CALM, type Fault, SimulatedRun, type Weather, type Write } from "../../test/support/simulatedCalls";
import { SimulatedIam, type SimulatedKey, type SimulatedUser } from "../../test/support/simulatedIam";
import { randomOf, VirtualTime } from "../../test/support/virtualTime";
import type { Credential, UserAccessKeys } from "../../provider/src/rotation/ports";

export const USER_NAME = "ci-bot";
export const REGION = "eu-central-1";
const SECOND = 1_000;
const DAY = 86_400 * SECOND;

/** The consumer uses its secret twenty times a second. */
const USE_EVERY = SECOND / 20;
/** How long a deleted or disabled key works on (reported: 3 to 4 seconds). */
const ENDED_WORKS_ON = 3.5 * SECOND;
/** By then everything that a run changed has reached all of AWS. */
const SETTLED_AFTER = 60 * SECOND;

/** A new key works everywhere after 5 to 15 seconds; before that it works on some of AWS's servers: it flickers. */
class SlowIam extends SimulatedIam {
  constructor(
    time: VirtualTime,
    private readonly random: () => number,
  ) {
    super(time);
  }

  override makeKey(user: SimulatedUser, maker: string): SimulatedKey {
    return super.makeKey(user, maker, (5 + this.random() * 10) * SECOND);
  }
}

/** What came of it all. */
export interface Tally {
  uses: number;
  failedUses: number;
  /** Milliseconds. */
  longestOutage: number;
  published: number;
  foreignDestroyed: number;
  inUseDestroyed: number;
  orphans: number;
}

/** An account with one IAM user, a consumer of its published secret, and a clock that needs no waiting. */
export class Account {
  readonly time = new VirtualTime(Date.parse("2026-01-01T00:00:00Z"));
  readonly iam: SlowIam;
  readonly user: SimulatedUser;
  readonly tally: Tally = {
    uses: 0,
    failedUses: 0,
    longestOutage: 0,
    published: 0,
    foreignDestroyed: 0,
    inUseDestroyed: 0,
    orphans: 0,
  };
  private readonly random = randomOf(20261122);
  private readonly foreign: SimulatedKey | undefined;
  private readonly lost = new Set<SimulatedKey>();
  private held: SimulatedKey | undefined;
  private countedUntil = this.time.now;
  private outageSince: number | undefined;
  private lastWrite = -Infinity;
  private hasKilled = false;

  constructor(
    private readonly options: { readonly hasForeignKey: boolean; readonly killAtRotation: number | undefined },
  ) {
    this.iam = new SlowIam(this.time, this.random);
    this.user = this.iam.addUser(USER_NAME);
    if (options.hasForeignKey) this.foreign = this.iam.makeKey(this.user, "person");
  }

  /** The weather of a run: calm, but for the one kill right after CreateAccessKey. */
  weather(): Weather {
    const { killAtRotation } = this.options;
    const kill: Fault = { action: "create", nth: 1, kind: "killAfter" };
    const isTheOne = killAtRotation !== undefined && !this.hasKilled && this.tally.published === killAtRotation;
    return { ...CALM, seed: 1 + Math.floor(this.random() * 1e9), faults: isTheOne ? [kill] : [] };
  }

  /** Tells the account of a write; for those who have a run of their own. */
  readonly onWrite = (write: Write): void => {
    this.lastWrite = this.time.now;
    if (write.action === "create" && this.weather().faults.length > 0) {
      this.hasKilled = true;
      queueMicrotask(() => {
        const made = this.user.keys.at(-1);
        if (made) this.lost.add(made);
      });
    }
    if (write.action !== "delete" && write.action !== "deactivate") return;
    if (write.key && write.key === this.foreign) this.tally.foreignDestroyed += 1;
    if (write.key && write.key === this.held) this.tally.inUseDestroyed += 1;
  };

  /** The user's keys as a strategy calls them, in one run under the weather. Undefined results mean that it was killed. */
  open(): { readonly aws: UserAccessKeys; readonly killed: Promise<"killed"> } {
    const run = new SimulatedRun(this.iam, this.weather(), { offset: 0 }, this.onWrite);
    const limits = {
      callSeconds: 60,
      lagSeconds: 0,
      verifySeconds: 120,
      verifySpacingSeconds: 2,
      rotationSeconds: 300,
    };
    const connection = { id: "", name: "ambient", method: "default" } as const;
    const target = { connection, connections: new Map(), region: REGION, userName: USER_NAME, limits };
    const aws = run.open({ ...target, rotationId: "strategy", jobId: "", onlyLocalEndpoints: false });
    return { aws, killed: run.killed };
  }

  /** The consumer is given a secret, as a dependent resource is: at once. */
  publish({ accessKeyId }: Credential): void {
    const key = this.iam.keys.get(accessKeyId);
    if (key && key !== this.held) {
      this.held = key;
      this.tally.published += 1;
    }
  }

  /** The clock, in days. */
  ageInDays(createdAt: string): number {
    return (this.time.now - Date.parse(createdAt)) / DAY;
  }

  /** Lets a day begin, and the day's job run, with the consumer at work all the time. */
  async day(job: () => Promise<void>): Promise<void> {
    const next = Math.ceil((this.time.now + 1) / DAY) * DAY;
    this.useUntil(next);
    this.time.now = next;
    for (const key of [this.held, this.foreign]) {
      // What IAM tells of uses: the last one, a moment ago.
      if (key && !key.isDeleted && key.status === "Active") {
        key.uses.splice(0, key.uses.length, {
          at: next - SECOND,
          service: "s3",
          region: REGION,
          isOurs: false,
          reportedAt: next - SECOND,
        });
      }
    }
    let isDone = false;
    const work = job().finally(() => (isDone = true));
    const consumer = (async () => {
      while (!isDone || this.time.now < this.lastWrite + SETTLED_AFTER) {
        await this.time.wait(USE_EVERY);
        this.useUntil(this.time.now);
      }
    })();
    await this.time.until(Promise.all([work, consumer]));
  }

  /** Ends the account's life: what is left on the user that nobody has the secret of? */
  close(): Tally {
    this.tally.orphans = this.user.keys.filter((key) => this.lost.has(key)).length;
    if (this.outageSince !== undefined) this.endOutage();
    return this.tally;
  }

  // Between two runs nothing changes, so that all uses of that time end alike: they are counted, not made one by one.
  private useUntil(now: number): void {
    const uses = Math.floor((now - this.countedUntil) / USE_EVERY);
    if (uses <= 0) return;
    this.countedUntil += uses * USE_EVERY;
    if (!this.held) return;
    this.tally.uses += uses;
    if (this.iam.works(this.held, ENDED_WORKS_ON, this.random())) {
      if (this.outageSince !== undefined) this.endOutage();
      return;
    }
    this.tally.failedUses += uses;
    this.outageSince ??= now - uses * USE_EVERY;
  }

  private endOutage(): void {
    this.tally.longestOutage = Math.max(this.tally.longestOutage, this.time.now - (this.outageSince ?? this.time.now));
    this.outageSince = undefined;
  }
}
