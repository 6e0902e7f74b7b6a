import type { Credential, LastUse } from "./ports";

/** What a key of this rotation is at the moment. */
export type KeyState = "current" | "previous" | "inactive" | "pending" | "leftover";

/** What state says about a key of this rotation; without secrets. */
export interface KeyRecord {
  /** The key's id. */
  readonly accessKeyId: string;
  /** What it is in the rotation. */
  readonly state: KeyState;
  /** ISO instant, by AWS's clock. */
  readonly createdAt: string;
  /** When our own verification last used it, ISO instant; null when it never did. */
  readonly verifiedAt: string | null;
  /** The region of that verification, which `parameters.region` may have left since; absent where there was none. */
  readonly verifiedIn?: string | undefined;
  /** Since when it is not the current one, ISO instant by the schedule's clock; null while it is. */
  readonly retiredAt: string | null;
  /** Its last use when last looked at, ISO instant; null when never used or never looked at. */
  readonly lastUsedAt: string | null;
}

/** All that state keeps about the keys of a rotation. Immutable: every change gives a new one. */
export interface KeyRing {
  /** The slot of the current key. */
  readonly activeIndex: number;
  /** The API's generated credentials: at most two slots. The slot that is not active may hold a key long gone. */
  readonly generatedCredentials: readonly Credential[];
  /** A key that was made and not handed out yet. */
  readonly pendingCredentials: Credential | null;
  /** The keys that are on the user, as far as is known. */
  readonly keys: readonly KeyRecord[];
}

/** The ring of a rotation that has no key. */
export const EMPTY_RING: KeyRing = { activeIndex: 0, generatedCredentials: [], pendingCredentials: null, keys: [] };

/** The record of the key that consumers are given, if it is on the user. */
export function currentKey(ring: KeyRing): KeyRecord | undefined {
  return ring.keys.find((key) => key.state === "current");
}

/** The record of the key that the current one replaced, if it is on the user. */
export function previousKey(ring: KeyRing): KeyRecord | undefined {
  return ring.keys.find((key) => key.state === "previous") ?? ring.keys.find((key) => key.state === "inactive");
}

/** Takes in a key that was just made, before anything else can fail. */
export function withPending(ring: KeyRing, credential: Credential, createdAt: string): KeyRing {
  const { accessKeyId, secretAccessKey } = credential;
  return {
    ...ring,
    pendingCredentials: { accessKeyId, secretAccessKey },
    keys: [
      ...ring.keys,
      { accessKeyId, state: "pending", createdAt, verifiedAt: null, retiredAt: null, lastUsedAt: null },
    ],
  };
}

/** Takes in keys that turned out to be ours though state did not know them. */
export function withLeftovers(ring: KeyRing, leftovers: readonly KeyRecord[]): KeyRing {
  return leftovers.length === 0 ? ring : { ...ring, keys: [...ring.keys, ...leftovers] };
}

/** The ids of all keys, the one that is to be published first: what the ledger names. */
export function ledgerKeys(ring: KeyRing): string[] {
  const pending = ring.keys.filter((key) => key.state === "pending");
  return [...pending, ...ring.keys.filter((key) => key.state !== "pending")].map((key) => key.accessKeyId);
}

/** Changes what is known of one key. */
export function withKey(ring: KeyRing, accessKeyId: string, change: Partial<KeyRecord>): KeyRing {
  return { ...ring, keys: ring.keys.map((key) => (key.accessKeyId === accessKeyId ? { ...key, ...change } : key)) };
}

/** Notes when a key was last seen in use. */
export function withLastUse(ring: KeyRing, accessKeyId: string, lastUse: LastUse | null | undefined): KeyRing {
  return lastUse ? withKey(ring, accessKeyId, { lastUsedAt: lastUse.at }) : ring;
}

/** Takes out a key that is no longer on the user. Its slot keeps its old content until it is used again. */
export function withoutKey(ring: KeyRing, accessKeyId: string): KeyRing {
  return {
    ...ring,
    pendingCredentials: ring.pendingCredentials?.accessKeyId === accessKeyId ? null : ring.pendingCredentials,
    keys: ring.keys.filter((key) => key.accessKeyId !== accessKeyId),
  };
}

/**
 * Makes the pending key the current one. It takes the slot of a key that is no longer on the user, else the previous
 * key's; so the key in use keeps its slot, and `activeIndex` flips.
 *
 * @param at The rotation's instant: the old current key is retired since then.
 * @param disabled Keys that IAM lists as not Active: a current key that a person disabled becomes `inactive` at once.
 */
export function handOver(ring: KeyRing, at: string, disabled: readonly string[]): KeyRing {
  const pending = ring.pendingCredentials;
  if (!pending) throw new TypeError("there is no pending key to hand over");
  const isGone = (slot: number) => {
    const credential = ring.generatedCredentials[slot];
    return !credential || !ring.keys.some((key) => key.accessKeyId === credential.accessKeyId);
  };
  const inactiveSlot = ring.generatedCredentials.length === 0 ? 0 : 1 - ring.activeIndex;
  const slot = !isGone(inactiveSlot) && isGone(ring.activeIndex) ? ring.activeIndex : inactiveSlot;
  const generatedCredentials = [...ring.generatedCredentials];
  generatedCredentials[slot] = pending;
  return {
    activeIndex: slot,
    generatedCredentials,
    pendingCredentials: null,
    keys: ring.keys
      .map((key): KeyRecord => {
        if (key.accessKeyId === pending.accessKeyId) return { ...key, state: "current" };
        if (key.state === "current") {
          return { ...key, state: disabled.includes(key.accessKeyId) ? "inactive" : "previous", retiredAt: at };
        }
        return key.state === "leftover" ? key : { ...key, retiredAt: key.retiredAt ?? at };
      })
      .sort((a, b) => ORDER.indexOf(a.state) - ORDER.indexOf(b.state)),
  };
}

const ORDER: readonly KeyState[] = ["current", "previous", "inactive", "pending", "leftover"];
