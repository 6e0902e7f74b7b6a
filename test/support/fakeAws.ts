import { ConflictError, RotationError, UnauthorizedError } from "../../provider/src/rotation/errors";
import type { AccessKey, Credential, Identity, LastUse, UserAccessKeys } from "../../provider/src/rotation/ports";
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
}

type Method = keyof UserAccessKeys;

/** A failure to come: before the call has any effect, or after it (AWS did it, and the answer was lost). */
interface Fault {
  readonly error: unknown;
  readonly isAfter: boolean;
  times: number;
}

/** What the next verification sees, in place of what is so. */
export type Pass = "works" | "unknown" | RotationError;

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
  /** Answers of coming verifications; once they are used up, the truth is told. */
  readonly passes: Pass[] = [];

  private readonly users = new Map<string, FakeUser>();
  private readonly faults = new Map<string, Fault>();
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
      createdAt: `${this.clock.now().toISOString().slice(0, 19)}.000Z`,
      lastUse: null,
    };
    this.secrets.push(key.secretAccessKey);
    const user = this.users.get(userName);
    if (!user) throw new Error(`the fake account has no user ${userName}`);
    user.keys.push(key);
    return key;
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

  open(userName: string, region = "us-east-1"): UserAccessKeys {
    const keyOfUser = (accessKeyId: string) => this.keysOf(userName).find((key) => key.accessKeyId === accessKeyId);
    const call = async <T>(method: Method, effect: () => T, accessKeyId?: string): Promise<T> => {
      const line = accessKeyId === undefined ? method : `${method} ${accessKeyId}`;
      this.calls.push(line);
      for (const name of [line, method]) {
        this.happenings.get(name)?.();
        this.happenings.delete(name);
      }
      const fault = [this.faults.get(line), this.faults.get(method)].find((each) => each && each.times > 0);
      if (fault) fault.times -= 1;
      if (fault && !fault.isAfter) throw fault.error;
      const result = effect();
      if (fault) throw fault.error;
      return result;
    };
    return {
      user: () => call("user", () => this.users.get(userName)?.identity),
      list: () =>
        call("list", () =>
          this.users
            .get(userName)
            ?.keys.map(({ accessKeyId, status, createdAt }): AccessKey => ({ accessKeyId, status, createdAt })),
        ),
      create: () =>
        call("create", () => {
          if (this.keysOf(userName).length >= 2) throw new ConflictError({ what: "LimitExceeded: 2 keys per user" });
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
        call("caller", () => ({
          userId: "AIDACALLER",
          arn: `arn:aws:iam::${this.accountId}:user/pipeline`,
          accountId: this.accountId,
        })),
    };
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
      this.clock.now().getTime() < Date.parse(key.createdAt) + this.propagationSeconds * 1_000
    ) {
      return undefined;
    }
    if (key.secretAccessKey !== secretAccessKey) throw new UnauthorizedError({ what: "SignatureDoesNotMatch" });
    key.lastUse = { at: this.clock.now().toISOString(), service: "sts", region };
    return user.identity;
  }
}
