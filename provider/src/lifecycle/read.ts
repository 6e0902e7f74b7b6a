import { type CheckedInputs, inputsOf, ringOf, type RotationState } from "../contract/outputs";
import { ConflictError } from "../rotation/errors";
import { currentKey, type KeyRing } from "../rotation/keyRing";
import type { AccessKey } from "../rotation/ports";
import { listKeys } from "../rotation/run";
import type { LifecycleContext } from "./context";
import { openSession, type Session, userOf } from "./session";

/** What a refresh finds; undefined when the user, and every key with it, is gone. */
export type ReadResult = { readonly state: RotationState; readonly inputs: Omit<CheckedInputs, "adopt"> } | undefined;

/**
 * Looks at the user's keys. Writes nothing, on AWS or in the keys that state knows: it notes what the next update has
 * to heal. The engine saves the inputs that are returned, so drift reaches the next `check`.
 */
export async function read(id: string, state: RotationState, context: LifecycleContext): Promise<ReadResult> {
  const session = await openSession(id, state, context, { writes: false });
  const ring = ringOf(state);
  const [user, listed] = await Promise.all([session.aws.user(), listKeys(ring, session)]);
  if (!user || !listed) {
    await assertSameAccount(state, session);
    return undefined;
  }
  const known = userOf(state);
  if (user.accountId !== known.accountId) await assertSameAccount(state, session);
  // Made again under the same name: the old user's keys went with it, and the next `up` starts anew.
  if (user.userId !== known.userId) return undefined;

  const drift = driftOf(ring, listed);
  const { drift: _old, ...rotation } = state.rotation;
  const found: RotationState = {
    ...state,
    rotation: drift === undefined ? rotation : { ...rotation, drift },
    unsettled: unsettledOf(ring, listed) ?? null,
  };
  return { state: found, inputs: inputsOf(found) };
}

/** Why the current key no longer works; undefined when it does, and when there is none. */
function driftOf(ring: KeyRing, listed: readonly AccessKey[]): string | undefined {
  const current = currentKey(ring);
  if (!current) return undefined;
  const status = listed.find((key) => key.accessKeyId === current.accessKeyId)?.status;
  if (status === "Active") return undefined;
  return status === undefined
    ? `the current key ${current.accessKeyId} is no longer on the user`
    : `the current key ${current.accessKeyId} was set ${status}`;
}

/** What state says of other keys that is no longer so. */
function unsettledOf(ring: KeyRing, listed: readonly AccessKey[]): string | undefined {
  const gone = ring.keys
    .filter((key) => key.state !== "current" && !listed.some((other) => other.accessKeyId === key.accessKeyId))
    .map((key) => `the ${key.state} key ${key.accessKeyId} is no longer on the user`);
  const disabled = ring.keys
    .filter((key) => key.state === "previous" || key.state === "pending")
    .filter((key) => listed.some((other) => other.accessKeyId === key.accessKeyId && other.status !== "Active"))
    .map((key) => `the ${key.state} key ${key.accessKeyId} was set Inactive`);
  return [...gone, ...disabled].join("; ") || undefined;
}

/**
 * A user counts as gone only in the account that state keeps: another connection's account says "no such user" too.
 *
 * @throws ConflictError when the connection is in another account.
 */
export async function assertSameAccount(state: RotationState, session: Session): Promise<void> {
  const caller = await session.aws.caller();
  const known = userOf(state);
  if (caller.accountId === known.accountId) return;
  throw new ConflictError({
    what: `connection "${session.connection.name}" is in account ${caller.accountId}, but this rotation's keys belong to ${known.arn}`,
    now: "nothing was changed",
    next: "use a connection of that account, then try again",
    details: { known: known.arn, caller: caller.arn },
  });
}
