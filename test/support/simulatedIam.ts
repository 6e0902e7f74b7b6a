import type { AccessKey } from "../../provider/src/rotation/ports";
import type { VirtualTime } from "./virtualTime";

export const ACCOUNT = "123456789012";
export const QUOTA = 2;

/** A use of a key as it really was, and when IAM begins to tell of it. */
export interface Use {
  readonly at: number;
  readonly service: string;
  readonly region: string;
  /** Whether it was our own verification. */
  readonly isOurs: boolean;
  readonly reportedAt: number;
}

/** A key as it really is. */
export interface SimulatedKey {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly userId: string;
  /** The id of the rotation whose run made it, or `person`. */
  maker: string;
  /** Whole seconds, as in IAM; milliseconds. */
  readonly createdAt: number;
  /** From when on every server knows it; before, some do. */
  readonly liveAt: number;
  status: "Active" | "Inactive";
  /** When it was deleted or disabled; it works a little longer. */
  endedAt: number | undefined;
  isDeleted: boolean;
  readonly uses: Use[];
  /** Every call that was signed with it to verify it. */
  readonly tries: { readonly at: number; readonly isPass: boolean; readonly by: object }[];
  /** A person disabled, enabled or deleted it. */
  isTouched: boolean;
  /** Why an invariant does not hold it: one of the known limits by name. */
  limit: string | undefined;
}

interface Snapshot {
  readonly at: number;
  readonly keys: readonly AccessKey[];
  readonly tags: Readonly<Record<string, string>>;
}

/** An IAM user as it really is, with what lagging reads may still show. */
export interface SimulatedUser {
  readonly userName: string;
  readonly userId: string;
  readonly arn: string;
  readonly keys: SimulatedKey[];
  tags: Readonly<Record<string, string>>;
  /** Whether our connection may write tags. */
  isTaggable: boolean;
  readonly past: Snapshot[];
}

/** How long lagging reads may look back, at most; milliseconds. */
const LONGEST_LAG = 90_000;

/** IAM in memory: what is so, and what was so a moment ago. It knows nothing of rotations. */
export class SimulatedIam {
  readonly users = new Map<string, SimulatedUser>();
  /** Every key that ever existed, by id. */
  readonly keys = new Map<string, SimulatedKey>();
  private usersMade = 0;

  constructor(readonly time: VirtualTime) {}

  /** Makes a user, or makes it again: then with another unique id, and no keys. */
  addUser(userName: string): SimulatedUser {
    for (const key of this.users.get(userName)?.keys ?? []) this.end(key, true);
    this.usersMade += 1;
    const user: SimulatedUser = {
      userName,
      userId: `AIDA${String(this.usersMade).padStart(4, "0")}`,
      arn: `arn:aws:iam::${ACCOUNT}:user/${userName}`,
      keys: [],
      tags: {},
      isTaggable: true,
      past: [],
    };
    this.users.set(userName, user);
    this.changed(user);
    return user;
  }

  makeKey(user: SimulatedUser, maker: string, liveAfter = 0): SimulatedKey {
    const number = String(this.keys.size + 1).padStart(3, "0");
    const key: SimulatedKey = {
      accessKeyId: `AKIASIMULATED0000${number}`,
      secretAccessKey: `sEcReT/of+key/number/${number}`,
      userId: user.userId,
      maker,
      createdAt: Math.floor(this.time.now / 1_000) * 1_000,
      liveAt: this.time.now + liveAfter,
      status: "Active",
      endedAt: undefined,
      isDeleted: false,
      uses: [],
      tries: [],
      isTouched: false,
      limit: undefined,
    };
    this.keys.set(key.accessKeyId, key);
    user.keys.push(key);
    this.changed(user);
    return key;
  }

  setStatus(user: SimulatedUser, key: SimulatedKey, status: "Active" | "Inactive"): void {
    key.status = status;
    key.endedAt = status === "Active" ? undefined : this.time.now;
    this.changed(user);
  }

  deleteKey(user: SimulatedUser, key: SimulatedKey): void {
    user.keys.splice(user.keys.indexOf(key), 1);
    this.end(key, true);
    this.changed(user);
  }

  setTags(user: SimulatedUser, tags: Readonly<Record<string, string>>): void {
    user.tags = tags;
    this.changed(user);
  }

  /** What a read shows that lags so many milliseconds. */
  view(user: SimulatedUser, lag: number): Snapshot {
    const at = this.time.now - lag;
    return user.past.findLast((snapshot) => snapshot.at <= at) ?? user.past[0]!;
  }

  /** Whether AWS takes a signature of the key. A new one works here and there before it works everywhere; one that has ended works on for a while. */
  works(key: SimulatedKey, lag: number, chance: number): boolean {
    if (key.isDeleted || key.status !== "Active") return key.endedAt !== undefined && this.time.now - key.endedAt < lag;
    return this.time.now >= key.liveAt || chance < 0.4;
  }

  /** What GetAccessKeyLastUsed tells: the last use that is reported by now. */
  lastUse(key: SimulatedKey): Use | undefined {
    return key.uses.findLast((use) => use.reportedAt <= this.time.now);
  }

  private end(key: SimulatedKey, isDeleted: boolean): void {
    key.isDeleted = isDeleted;
    key.endedAt = this.time.now;
  }

  private changed(user: SimulatedUser): void {
    const oldest = this.time.now - LONGEST_LAG;
    while (user.past.length > 1 && user.past[1]!.at <= oldest) user.past.shift();
    user.past.push({
      at: this.time.now,
      keys: user.keys.map(({ accessKeyId, status, createdAt }) => ({
        accessKeyId,
        status,
        createdAt: new Date(createdAt).toISOString(),
      })),
      tags: user.tags,
    });
  }
}
