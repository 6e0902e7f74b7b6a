import { type GatePolicy, inUse, type InUse, isOwnVerification, type OwnUse } from "./gate";
import type { KeyRecord, KeyRing } from "./keyRing";
import type { LedgerWriter } from "./ledger";
import type { AccessKey, LastUse } from "./ports";

/** Keys that one IAM user can have, Inactive ones included (AWS: "IAM and AWS STS quotas"). Not raisable. */
export const ACCESS_KEYS_PER_USER = 2;

/**
 * What a run is to bring about.
 *
 * - `create`: the first key of a new rotation
 * - `rotate`: a new current key
 * - `retire`: the previous key Inactive
 * - `settle`: state and ledger in accord with what is on the user; no new key
 */
export type Intent = "create" | "rotate" | "retire" | "settle";

/** Everything that a plan depends on, as plain data. */
export interface Situation {
  readonly intent: Intent;
  /** What state knows, and the leftovers that the ledger knows. */
  readonly ring: KeyRing;
  /** What IAM lists. */
  readonly listed: readonly AccessKey[];
  /** Last uses by key; a key that is left out could not be read. */
  readonly lastUses: ReadonlyMap<string, LastUse | null>;
  readonly policy: GatePolicy;
  readonly own: OwnUse;
  /** What wrote the ledger; undefined where there is none. */
  readonly ledgerWrittenBy: LedgerWriter | undefined;
  /** The ledger announces a key, or names others than the ring. */
  readonly isLedgerOff: boolean;
  /** The schedule's clock. */
  readonly now: Date;
}

/** One thing to do. Those about keys name them by id; nothing is ever chosen by its date. */
export type Step =
  /** State forgets a key that is no longer on the user. */
  | { readonly kind: "forget"; readonly accessKeyId: string }
  /** State learns that somebody set a previous key Inactive. */
  | { readonly kind: "noteInactive"; readonly accessKeyId: string }
  /** The ledger says that a key is about to be made, before anything is written. */
  | { readonly kind: "announce" }
  | { readonly kind: "delete"; readonly accessKeyId: string }
  | { readonly kind: "deactivate"; readonly accessKeyId: string }
  | { readonly kind: "create" }
  /** Three passes in a row with the pending key while the ledger is settled, then it becomes the current one. */
  | { readonly kind: "verifyAndHandOver"; readonly disabled: readonly string[] }
  /** The ledger names exactly the keys of the ring, and nothing is announced. */
  | { readonly kind: "settle" };

/** Why nothing may be done. */
export type Refusal =
  | { readonly kind: "noSlot"; readonly listed: readonly AccessKey[] }
  | { readonly kind: "inUse"; readonly inUse: InUse };

/** What to do, or why not. A key held back stays as it is and is told about; the rest is done. */
export type Plan =
  | { readonly refusal: Refusal; readonly steps?: undefined; readonly heldBack?: undefined }
  | { readonly refusal?: undefined; readonly steps: readonly Step[]; readonly heldBack: readonly InUse[] };

/** The keys whose last use a plan may ask for: those that may have to go while they still work. */
export function keysThatMayGo(ring: KeyRing, listed: readonly AccessKey[]): string[] {
  return ring.keys
    .filter((key) => key.state !== "current")
    .map((key) => key.accessKeyId)
    .filter((id) => listed.some((key) => key.accessKeyId === id && key.status === "Active"));
}

/** Those of them that state alone tells, before IAM has listed any. */
export function keysThatMayHaveToGo(ring: KeyRing): string[] {
  return ring.keys.filter((key) => key.state !== "current" && key.state !== "inactive").map((key) => key.accessKeyId);
}

/**
 * Decides what to do. Pure: the same situation gives the same plan.
 *
 * The current key is never deleted while it is Active; a key that the ring does not name is never touched.
 */
export function planRotation(situation: Situation): Plan {
  const { intent, ring, listed } = situation;
  const statusOf = (key: KeyRecord) => listed.find((other) => other.accessKeyId === key.accessKeyId)?.status;
  const isPresent = (key: KeyRecord) => statusOf(key) !== undefined;
  const isActive = (key: KeyRecord) => statusOf(key) === "Active";

  const present = ring.keys.filter(isPresent);
  const pending = present.find((key) => key.state === "pending");
  const hasCurrent = ring.keys.some((key) => key.state === "current");
  // Without a current key, whatever the run came for: a run that failed may have lost the first one, or the old one.
  const wantsKey = intent === "create" || intent === "rotate" || !hasCurrent;
  const resumes = wantsKey && pending !== undefined && isActive(pending);

  const steps: Step[] = [];
  for (const key of ring.keys) {
    const { accessKeyId } = key;
    // Only a run that makes a new current key forgets the old one: else nobody would be told that it is missing.
    if (!isPresent(key) && (key.state !== "current" || wantsKey)) steps.push({ kind: "forget", accessKeyId });
    if (key.state === "previous" && isPresent(key) && !isActive(key)) steps.push({ kind: "noteInactive", accessKeyId });
  }

  if (wantsKey) {
    const disabled = present.filter((key) => !isActive(key)).map((key) => key.accessKeyId);
    const dropped: Step[] = pending && !resumes ? [{ kind: "delete", accessKeyId: pending.accessKeyId }] : [];
    if (!resumes) {
      const ours = present.filter((key) => key !== pending);
      const room = planRoom(situation, ours, listed.length - dropped.length, isActive);
      if ("refusal" in room) return room;
      steps.push({ kind: "announce" }, ...dropped, ...room.steps, { kind: "create" });
    }
    steps.push({ kind: "verifyAndHandOver", disabled });
    return { steps, heldBack: [] };
  }

  if (pending) {
    // Nobody was given it, as far as this state knows: one that was restored is older than a run that gave it out.
    const use = isActive(pending) ? useOf(pending, situation) : undefined;
    if (use) return { refusal: { kind: "inUse", inUse: use } };
    steps.push({ kind: "delete", accessKeyId: pending.accessKeyId });
  }
  // A ledger that names what is gone would make every later run look again for it.
  if (intent === "settle" || steps.length > 0 || situation.isLedgerOff) steps.push({ kind: "settle" });
  if (intent !== "retire") return { steps, heldBack: [] };
  const heldBack: InUse[] = [];
  for (const key of present.filter((candidate) => candidate.state === "previous" && isActive(candidate))) {
    const use = useOf(key, situation);
    if (use) heldBack.push(use);
    else steps.push({ kind: "deactivate", accessKeyId: key.accessKeyId });
  }
  return { steps, heldBack };
}

/** Our keys that go until a slot is free: first those that no longer work, then leftovers, then the previous key. */
function planRoom(
  situation: Situation,
  ours: readonly KeyRecord[],
  occupied: number,
  isActive: (key: KeyRecord) => boolean,
): { refusal: Refusal } | { steps: Step[] } {
  const steps: Step[] = [];
  const mayGo = ours.filter((key) => situation.intent !== "create" || mayGoInCreate(key, situation));
  const candidates = [
    ...mayGo.filter((key) => !isActive(key)),
    ...mayGo.filter((key) => isActive(key) && key.state === "leftover"),
    // An inactive one that works again was enabled by a person: it is gated like the previous key.
    ...mayGo.filter((key) => isActive(key) && (key.state === "previous" || key.state === "inactive")),
  ];
  if (occupied - candidates.length >= ACCESS_KEYS_PER_USER) {
    return { refusal: { kind: "noSlot", listed: situation.listed } };
  }
  for (const key of candidates.slice(0, Math.max(0, occupied - ACCESS_KEYS_PER_USER + 1))) {
    const use = isActive(key) ? useOf(key, situation) : undefined;
    if (use) return { refusal: { kind: "inUse", inUse: use } };
    steps.push({ kind: "delete", accessKeyId: key.accessKeyId });
  }
  return { steps };
}

/**
 * A creation has no state, so it cannot tell its own killed attempt from a forced replacement, whose old key is in use.
 * It deletes only what creations left and only we ever used.
 */
export function mayGoInCreate(
  key: KeyRecord,
  { ledgerWrittenBy, lastUses, own }: Pick<Situation, "ledgerWrittenBy" | "lastUses" | "own">,
): boolean {
  if (ledgerWrittenBy !== "create") return false;
  const lastUse = lastUses.get(key.accessKeyId);
  return lastUse === null || (lastUse !== undefined && isOwnVerification(key, lastUse, own));
}

function useOf(key: KeyRecord, { lastUses, policy, own, now }: Situation): InUse | undefined {
  return inUse(key, lastUses.get(key.accessKeyId), policy, own, now);
}
