import { ConflictError, type Explanation, RotationError, UnauthorizedError } from "../../provider/src/rotation/errors";
import type {
  AccessKey,
  Caller,
  Credential,
  Identity,
  LastUse,
  UserAccessKeys,
} from "../../provider/src/rotation/ports";
import { FakeClock } from "./fakeClock";

/** A key as the fake account keeps it. */
export interface FakeKey extends Credential {
  status: string;
  readonly createdAt: string;
  lastUse: LastUse | null;
}

interface FakeUser {
  readonly identity: Identity;
  readonly keys: FakeKey[];
  tags: Readonly<Record<string, string>>;
  /** What reads still show of the tags, and how many of them. */
  stale: { readonly tags: Readonly<Record<string, string>>; reads: number };
}

type Method = keyof UserAccessKeys;

/** A failure to come: before the call has any effect, or after it (AWS did it, and the answer was lost). */
interface Fault {
  readonly error: unknown;
  readonly isAfter: boolean;
  times: number;
}

/** What one call of a verification sees, in place of what is so; a pass has three of them. */
export type Pass = "works" | "unknown" | RotationError;

/** A definite no of AWS's, as the real calls give it. */
export function refusal<E extends RotationError>(
  kind: new (explanation: Explanation) => E,
  code: string,
  what = `${code}: AWS's own words`,
): E {
  return new kind({ what, details: { code, isDefinite: true } });
}

/** An AWS account in memory, with IAM's quota of two keys per user. Time is the given clock's. */
export class FakeAws {
  /** Every call as a line, for example `delete AKIA0001`. */
  readonly calls: string[] = [];
  /** Every secret that was ever made here. */
  readonly secrets: string[] = [];
  /** How long after its creation a key begins to work. */
  propagationSeconds = 0;
  /** Something that happens just before a call takes effect, by the call's line or method; once each. */
  readonly happenings = new Map<string, () => void>();
  /** Answers of coming verification calls; once they are used up, the truth is told. */
  readonly passes: Pass[] = [];
  /** Whether the credentials may tag users. */
  mayTag = true;
  /** Whose credentials sign; a user of its own where it is not set. */
  signer: Caller | undefined;
  /** How many reads of a user show the tags as they were before the last write. */
  tagLagReads = 0;
  /** How far AWS's clock is ahead of the local one, in milliseconds. */
  skew = 0;
  /** The time limits that keys were asked for with. */
  readonly createSeconds: number[] = [];

  private readonly users = new Map<string, FakeUser>();
  private readonly faults = new Map<string, Fault>();
  private killer: string | undefined;
  private isDead = false;
  private made = 0;
  private usersMade = 0;

  constructor(
    readonly clock: FakeClock = new FakeClock(),
    readonly accountId: string = "123456789012",
  ) {}

  addUser(userName: string): FakeUser {
    this.usersMade += 1;
    const user: FakeUser = {
      identity: {
        userId: `AIDA${this.accountId.slice(0, 4)}${String(this.usersMade).padStart(4, "0")}`,
        arn: `arn:aws:iam::${this.accountId}:user/${userName}`,
        accountId: this.accountId,
      },
      keys: [],
      tags: {},
      stale: { tags: {}, reads: 0 },
    };
    this.users.set(userName, user);
    return user;
  }

  removeUser(userName: string): void {
    this.users.delete(userName);
  }

  /** The same name, another unique id, no keys. */
  recreateUser(userName: string): FakeUser {
    this.removeUser(userName);
    return this.addUser(userName);
  }

  tagsOf(userName: string): Readonly<Record<string, string>> {
    return this.users.get(userName)?.tags ?? {};
  }

  /** Tags written by somebody else: seen at once. An undefined one is taken away. */
  setTags(userName: string, tags: Readonly<Record<string, string | undefined>>): void {
    const user = this.users.get(userName);
    if (!user) throw new Error(`the fake account has no user ${userName}`);
    const all = Object.entries({ ...user.tags, ...tags });
    user.tags = Object.fromEntries(all.filter((entry): entry is [string, string] => entry[1] !== undefined));
    user.stale = { tags: {}, reads: 0 };
  }

  keysOf(userName: string): FakeKey[] {
    return this.users.get(userName)?.keys ?? [];
  }

  /** The ids of a user's keys with their status: `AKIA0001 Active`. */
  listOf(userName: string): string[] {
    return this.keysOf(userName).map((key) => `${key.accessKeyId} ${key.status}`);
  }

  key(accessKeyId: string): FakeKey {
    const key = [...this.users.values()].flatMap(({ keys }) => keys).find((each) => each.accessKeyId === accessKeyId);
    if (!key) throw new Error(`the fake account has no key ${accessKeyId}`);
    return key;
  }

  /** A key made by somebody else. */
  addKey(userName: string): FakeKey {
    this.made += 1;
    const number = String(this.made).padStart(4, "0");
    const key: FakeKey = {
      accessKeyId: `AKIA${number}`,
      secretAccessKey: `wJalr/SECRET+${number}/${this.accountId}`,
      status: "Active",
      createdAt: `${this.time().slice(0, 19)}.000Z`,
      lastUse: null,
    };
    this.secrets.push(key.secretAccessKey);
    const user = this.users.get(userName);
    if (!user) throw new Error(`the fake account has no user ${userName}`);
    user.keys.push(key);
    return key;
  }

  /** AWS's own time. */
  private time(): string {
    return new Date(this.clock.now().getTime() + this.skew).toISOString();
  }

  removeKey(accessKeyId: string): void {
    for (const { keys } of this.users.values()) {
      const index = keys.findIndex((key) => key.accessKeyId === accessKeyId);
      if (index >= 0) keys.splice(index, 1);
    }
  }

  /** Makes the next calls of a method fail; of those on one key only, where `method` is `delete AKIA0001`. */
  fail(method: Method | `${Method} ${string}`, error: unknown, { times = 1, isAfter = false } = {}): void {
    this.faults.set(method, { error, isAfter, times });
  }

  /** Kills the provider's process right after a call has taken effect: no call after it does anything. */
  killAfter(call: Method | `${Method} ${string}`): void {
    this.killer = call;
  }

  /** A new process. @returns Whether the old one was killed. */
  revive(): boolean {
    const wasDead = this.isDead;
    this.isDead = false;
    this.killer = undefined;
    return wasDead;
  }

  open(userName: string, region = "us-east-1"): UserAccessKeys {
    const keyOfUser = (accessKeyId: string) => this.keysOf(userName).find((key) => key.accessKeyId === accessKeyId);
    const call = async <T>(method: Method, effect: () => T, accessKeyId?: string): Promise<T> => {
      const line = accessKeyId === undefined ? method : `${method} ${accessKeyId}`;
      if (this.isDead) throw new Error("the process was killed");
      this.calls.push(line);
      for (const name of new Set([line, method])) {
        const happen = this.happenings.get(name);
        this.happenings.delete(name);
        happen?.();
      }
      const fault = [this.faults.get(line), this.faults.get(method)].find((each) => each && each.times > 0);
      if (fault) fault.times -= 1;
      if (fault && !fault.isAfter) throw fault.error;
      const result = effect();
      if (this.killer === line || this.killer === method) this.isDead = true;
      if (this.isDead) throw new Error("the process was killed");
      if (fault) throw fault.error;
      return result;
    };
    return {
      user: () =>
        call("user", () => {
          const user = this.users.get(userName);
          if (!user) return undefined;
          const isStale = user.stale.reads > 0;
          if (isStale) user.stale.reads -= 1;
          return { ...user.identity, tags: { ...(isStale ? user.stale.tags : user.tags) } };
        }),
      list: () =>
        call("list", () =>
          this.users
            .get(userName)
            ?.keys.map(({ accessKeyId, status, createdAt }): AccessKey => ({ accessKeyId, status, createdAt })),
        ),
      create: (seconds) =>
        call("create", () => {
          this.createSeconds.push(seconds);
          if (this.keysOf(userName).length >= 2) throw refusal(ConflictError, "LimitExceeded");
          const { accessKeyId, secretAccessKey, createdAt } = this.addKey(userName);
          return { accessKeyId, secretAccessKey, createdAt };
        }),
      deactivate: (accessKeyId) =>
        call(
          "deactivate",
          () => {
            const key = keyOfUser(accessKeyId);
            if (key) key.status = "Inactive";
            return key !== undefined;
          },
          accessKeyId,
        ),
      delete: (accessKeyId) =>
        call(
          "delete",
          () => {
            const wasThere = keyOfUser(accessKeyId) !== undefined;
            if (wasThere) this.removeKey(accessKeyId);
            return wasThere;
          },
          accessKeyId,
        ),
      lastUse: (accessKeyId) => call("lastUse", () => keyOfUser(accessKeyId)?.lastUse ?? null, accessKeyId),
      identify: (credential) => call("identify", () => this.identify(credential, region), credential.accessKeyId),
      caller: () =>
        call(
          "caller",
          () =>
            this.signer ?? {
              userId: "AIDACALLER",
              arn: `arn:aws:iam::${this.accountId}:user/pipeline`,
              accountId: this.accountId,
              isTemporary: false,
            },
        ),
      tag: (tags) => call("tag", () => this.mayTag && this.write(userName, (old) => ({ ...old, ...tags }))),
      untag: (keys) =>
        call(
          "untag",
          () =>
            this.mayTag &&
            this.write(userName, (old) =>
              Object.fromEntries(Object.entries(old).filter(([key]) => !keys.includes(key))),
            ),
        ),
      skew: () => this.skew,
    };
  }

  private write(userName: string, change: (tags: FakeUser["tags"]) => FakeUser["tags"]): true {
    const user = this.users.get(userName);
    if (user) {
      user.stale = { tags: user.tags, reads: this.tagLagReads };
      user.tags = change(user.tags);
    }
    return true;
  }

  private identify({ accessKeyId, secretAccessKey }: Credential, region: string): Identity | undefined {
    const scripted = this.passes.shift();
    if (scripted instanceof RotationError) throw scripted;
    if (scripted === "unknown") return undefined;
    const user = [...this.users.values()].find(({ keys }) => keys.some((key) => key.accessKeyId === accessKeyId));
    const key = user?.keys.find((each) => each.accessKeyId === accessKeyId);
    if (!user || !key || key.status !== "Active") return undefined;
    if (
      scripted === undefined &&
      Date.parse(this.time()) < Date.parse(key.createdAt) + this.propagationSeconds * 1_000
    ) {
      return undefined;
    }
    if (key.secretAccessKey !== secretAccessKey) throw new UnauthorizedError({ what: "SignatureDoesNotMatch" });
    key.lastUse = { at: this.time(), service: "sts", region };
    return user.identity;
  }
}
