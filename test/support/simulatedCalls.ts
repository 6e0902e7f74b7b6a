import { awsError } from "../../provider/src/aws/errors";
import type { AccessKeysTarget } from "../../provider/src/lifecycle/context";
import type { Caller, Credential, Identity, UserAccessKeys } from "../../provider/src/rotation/ports";
import { ACCOUNT, QUOTA, type SimulatedIam, type SimulatedKey, type SimulatedUser, type Use } from "./simulatedIam";
import { randomOf } from "./virtualTime";

export type Action = keyof Omit<UserAccessKeys, "skew">;

/**
 * What befalls a call.
 *
 * - `refuse`, `throttle`: a definite no; nothing is done
 * - `fail`, `timeout`: no answer to trust, and nothing was done
 * - `failAfter`, `lose`: the same answers, and it was done
 * - `retry`: the SDK's retry succeeds after a lost answer; what is not retried is lost
 * - `stall`: it takes nearly as long as a call may; `suspend`: the machine sleeps for minutes before it
 * - `killBefore`, `killAfter`: the provider and the engine end there
 * - `killEngine`: the engine ends there; the provider goes on to its end
 */
export const FAULT_KINDS = [
  "refuse",
  "throttle",
  "fail",
  "failAfter",
  "timeout",
  "lose",
  "retry",
  "stall",
  "suspend",
  "killBefore",
  "killAfter",
  "killEngine",
] as const;
export type FaultKind = (typeof FAULT_KINDS)[number];

export interface Fault {
  readonly action: Action | "any";
  /** Which of these calls in the run: 1 is the first. */
  readonly nth: number;
  readonly kind: FaultKind;
}

/** What AWS is like during a run. A seed of 0: every read is fresh, every key works at once. */
export interface Weather {
  readonly seed: number;
  readonly lagSeconds: number;
  readonly propagationSeconds: number;
  readonly reportHours: number;
  readonly faults: readonly Fault[];
}

export const CALM: Weather = { seed: 0, lagSeconds: 0, propagationSeconds: 0, reportHours: 0, faults: [] };

/** A write that a run is about to do; told before it is done. */
export interface Write {
  readonly run: SimulatedRun;
  readonly action: "create" | "deactivate" | "delete" | "tag" | "untag";
  readonly user: SimulatedUser;
  readonly key?: SimulatedKey | undefined;
  readonly tags?: Readonly<Record<string, string>> | undefined;
  /** When the call was made; it may have been long under way. */
  readonly calledAt?: number;
}

/** The local clock: AWS's, and how far it is off. */
export interface LocalClock {
  offset: number;
}

/** The time that IAM tells of a use: its minute, as in all of AWS's own examples. */
export const toldUseTime = (at: number): number => Math.floor(at / 60_000) * 60_000;

const never = () => new Promise<never>(() => undefined);

/** One run of the engine: its provider's calls on the simulated IAM, under its weather. */
export class SimulatedRun {
  /** Ends when the engine is killed. */
  readonly killed: Promise<"killed">;
  /** The provider is dead: not one call goes on. */
  isDead = false;
  /** The engine is dead: what the provider gives is not saved. */
  isOrphan = false;
  /** The resource id for which it runs at the moment. */
  rotationId = "";
  /** Whether it was told to retire keys in use: `whenInUse: "retire"`, a destroy, another user. */
  isToldToRetire = false;
  quietHours = 0;
  phase: "create" | "read" | "update" | "delete" = "read";
  /** The last uses that it was told. */
  readonly toldUses = new Map<string, Use | null>();
  /** The keys that it was told are not Active, or was not told of. */
  readonly toldActive = new Set<string>();
  readonly made: SimulatedKey[] = [];
  /** The engine told an error. */
  hasFailed = false;
  /** A method of the provider is under way, be it an orphan's. */
  isAtWork = false;
  /** What it deletes at the moment was replaced, and what replaced it stays. */
  isEndOfReplacement = false;
  /** It is still at work on a state in whose place an older one was restored. */
  isOfNewerState = false;
  /** It was told that tags may not be written. */
  isTagDenied = false;
  /** Why the ledger could not tell of its keys, were it killed now. */
  noLedger: string | undefined;
  /** It did not end well: it was killed, or failed. */
  get isCut(): boolean {
    return this.isDead || this.isOrphan || this.hasFailed;
  }
  private readonly counts = new Map<string, number>();
  private readonly random: () => number;
  private kill: (how: "killed") => void = () => undefined;

  constructor(
    readonly iam: SimulatedIam,
    readonly weather: Weather,
    readonly local: LocalClock,
    private readonly onWrite: (write: Write) => void,
  ) {
    this.killed = new Promise((resolve) => (this.kill = resolve));
    this.random = randomOf(weather.seed);
  }

  get localNow(): number {
    return this.iam.time.now + this.local.offset;
  }

  /** The engine dies now; the provider with it, or not. */
  die(isProviderToo: boolean): void {
    this.isDead ||= isProviderToo;
    if (isProviderToo) this.isAtWork = false;
    this.isOrphan = true;
    this.kill("killed");
  }

  open({ userName, region, limits, rotationId }: AccessKeysTarget): UserAccessKeys {
    const { iam } = this;
    this.rotationId = rotationId;
    let skew = 0;
    const call = async <T>(
      action: Action,
      effect: (user: SimulatedUser | undefined) => T,
      accessKeyId?: string,
      seconds = limits.callSeconds,
    ) => {
      if (this.isDead) return never();
      const fault = this.faultOf(action);
      const limit = Math.max(0, seconds * 1_000);
      const error = (name: string, status?: number) =>
        awsError(
          Object.assign(new Error(`simulated ${fault?.kind ?? name}`), {
            name,
            $metadata: status === undefined ? {} : { httpStatusCode: status, requestId: "REQUEST" },
          }),
          { action: `sim:${action}`, userName, accessKeyId, connection: "ambient" },
        );
      if (fault?.kind === "suspend" && action !== "create") await iam.time.wait(60_000 + this.random() * 600_000);
      if (fault?.kind === "killBefore") return this.dieHere();
      if (fault?.kind === "killEngine") this.die(false);
      let latency = 10 + this.random() * 140;
      if (fault?.kind === "stall") latency = 20_000 + this.random() * 35_000;
      if (fault?.kind === "lose" || fault?.kind === "failAfter") latency = this.random() * limit;
      const isTooSlow = latency >= limit;
      await iam.time.wait(Math.min(latency, limit));
      if (this.isDead) return never();
      const lost = async () => {
        await iam.time.wait(limit - latency);
        throw error("TimeoutError");
      };
      switch (fault?.kind) {
        case "refuse":
          // The port's own word for a tag that may not be written.
          if (action === "tag" || action === "untag") {
            this.isTagDenied = true;
            return false as T;
          }
          throw error("AccessDenied", 403);
        case "throttle":
          throw error("Throttling", 400);
        case "fail":
          throw error("ServiceFailure", 500);
        case "timeout":
          return lost();
        default:
        // The others befall the call once it is done.
      }
      let result: T;
      try {
        result = effect(iam.users.get(userName));
      } catch (refusal) {
        if (refusal instanceof Refusal) throw error(refusal.code, refusal.status);
        throw refusal;
      } finally {
        skew = Math.floor(iam.time.now / 1_000) * 1_000 - this.localNow;
      }
      if (fault?.kind === "killAfter") return this.dieHere();
      if (fault?.kind === "failAfter") throw error("ServiceFailure", 500);
      if (fault?.kind === "lose" || isTooSlow) return lost();
      if (fault?.kind === "retry") {
        // These two are made in one attempt.
        if (action === "create" || action === "identify") return lost();
        return effect(iam.users.get(userName));
      }
      return result;
    };
    const keyOf = (user: SimulatedUser | undefined, accessKeyId: string) =>
      user?.keys.find((key) => key.accessKeyId === accessKeyId);
    const there = (user: SimulatedUser | undefined): SimulatedUser => {
      if (!user) throw new Refusal("NoSuchEntity", 404);
      return user;
    };

    return {
      user: () => call("user", (user) => user && { ...identityOf(user), tags: iam.view(user, this.lag()).tags }),
      list: () =>
        call("list", (user) => {
          const listed = user && [...iam.view(user, this.lag()).keys];
          this.toldActive.clear();
          for (const key of listed ?? []) if (key.status === "Active") this.toldActive.add(key.accessKeyId);
          return listed;
        }),
      create: (seconds) =>
        call(
          "create",
          (found) => {
            const user = there(found);
            const counted = Math.max(user.keys.length, iam.view(user, this.lag()).keys.length);
            if (counted >= QUOTA) throw new Refusal("LimitExceeded", 409);
            this.onWrite({ run: this, action: "create", user });
            const key = iam.makeKey(user, rotationId, this.random() * this.weather.propagationSeconds * 1_000);
            this.made.push(key);
            const { accessKeyId, secretAccessKey, createdAt } = key;
            return { accessKeyId, secretAccessKey, createdAt: new Date(createdAt).toISOString() };
          },
          undefined,
          seconds,
        ),
      deactivate: (accessKeyId) =>
        call(
          "deactivate",
          (user) => {
            const key = keyOf(user, accessKeyId);
            if (!user || !key) return false;
            this.onWrite({ run: this, action: "deactivate", user, key });
            iam.setStatus(user, key, "Inactive");
            return true;
          },
          accessKeyId,
        ),
      delete: (accessKeyId) =>
        call(
          "delete",
          (user) => {
            const key = keyOf(user, accessKeyId);
            if (!user || !key) return false;
            this.onWrite({ run: this, action: "delete", user, key });
            iam.deleteKey(user, key);
            return true;
          },
          accessKeyId,
        ),
      lastUse: (accessKeyId) =>
        call(
          "lastUse",
          () => {
            const key = iam.keys.get(accessKeyId);
            if (!key || key.isDeleted) throw new Refusal("NoSuchEntity", 404);
            const use = iam.lastUse(key);
            this.toldUses.set(accessKeyId, use ?? null);
            return use ? { at: wholeMinutes(use.at), service: use.service, region: use.region } : null;
          },
          accessKeyId,
        ),
      identify: (credential) => call("identify", () => this.identify(credential, region), credential.accessKeyId),
      caller: () =>
        call("caller", (): Caller => ({
          userId: "AIDACALLER",
          arn: `arn:aws:iam::${ACCOUNT}:user/pipeline`,
          accountId: ACCOUNT,
          isTemporary: false,
        })),
      tag: (tags) => {
        const calledAt = iam.time.now;
        return call("tag", (found) => {
          const user = there(found);
          this.isTagDenied ||= !user.isTaggable;
          if (!user.isTaggable) return false;
          this.onWrite({ run: this, action: "tag", user, tags, calledAt });
          iam.setTags(user, { ...user.tags, ...tags });
          return true;
        });
      },
      untag: (names) => {
        const calledAt = iam.time.now;
        return call("untag", (user) => {
          if (!user) return true;
          if (!user.isTaggable) return false;
          this.onWrite({ run: this, action: "untag", user, calledAt });
          iam.setTags(user, Object.fromEntries(Object.entries(user.tags).filter(([name]) => !names.includes(name))));
          return true;
        });
      },
      skew: () => skew,
    };
  }

  private identify({ accessKeyId, secretAccessKey }: Credential, region: string): Identity | undefined {
    const key = this.iam.keys.get(accessKeyId);
    const user = [...this.iam.users.values()].find(({ userId }) => userId === key?.userId);
    const { now } = this.iam.time;
    const isPass = key !== undefined && user !== undefined && this.iam.works(key, this.lag(), this.random());
    key?.tries.push({ at: now, isPass, by: this });
    if (!isPass) return undefined;
    if (key.secretAccessKey !== secretAccessKey) throw new Refusal("SignatureDoesNotMatch", 403);
    const reportedAt = now + this.random() * this.weather.reportHours * 3_600_000;
    key.uses.push({ at: now, service: "sts", region, isOurs: true, reportedAt });
    return identityOf(user);
  }

  /** How far back a read looks: as often as not it is fresh. */
  private lag(): number {
    if (this.weather.lagSeconds === 0) return 0;
    return this.random() < 0.5 ? 0 : this.random() * this.weather.lagSeconds * 1_000;
  }

  private faultOf(action: Action): Fault | undefined {
    const count = (name: string) => {
      const next = (this.counts.get(name) ?? 0) + 1;
      this.counts.set(name, next);
      return next;
    };
    const own = count(action);
    const any = count("any");
    return this.weather.faults.find(
      (fault) => fault.nth === (fault.action === "any" ? any : fault.action === action ? own : -1),
    );
  }

  private dieHere(): Promise<never> {
    this.die(true);
    return never();
  }
}

/** AWS's no. */
class Refusal extends Error {
  constructor(
    readonly code: string,
    readonly status: number,
  ) {
    super(code);
  }
}

const wholeMinutes = (at: number) => new Date(toldUseTime(at)).toISOString();

function identityOf({ userId, arn }: SimulatedUser): Identity {
  return { userId, arn, accountId: ACCOUNT };
}
