import { type CheckedInputs, inputsOf, ringOf, type RotationState } from "../contract/outputs";
import { ConflictError, RotationError } from "../rotation/errors";
import { currentKey, type KeyRing, ledgerKeys } from "../rotation/keyRing";
import type { AccessKey } from "../rotation/ports";
import { type Observation, observe } from "../rotation/observe";
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
  try {
    return await look(id, state, session);
  } catch (error) {
    if (!(error instanceof RotationError)) throw error;
    throw error.withSituation({ now: "nothing was changed", next: "run it again", reqId: session.jobId });
  }
}

async function look(id: string, state: RotationState, session: Session): Promise<ReadResult> {
  const ring = ringOf(state);
  const observation = await observe(ring, id, "read", session);
  if (!observation) {
    await assertSameAccount(state, session);
    return undefined;
  }
  const { user, listed } = observation;
  const known = userOf(state);
  if (user.accountId !== known.accountId) await assertSameAccount(state, session);
  // Made again under the same name: the old user's keys went with it, and the next `up` starts anew.
  if (user.userId !== known.userId) return undefined;

  const drift = driftOf(ring, listed);
  const { drift: _old, ...rotation } = state.rotation;
  const found: RotationState = {
    ...state,
    rotation: drift === undefined ? rotation : { ...rotation, drift },
    unsettled: unsettledOf(id, ring, observation) ?? null,
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

/** What state and ledger say that is not so, the current key apart. */
function unsettledOf(id: string, ring: KeyRing, { listed, ledger, leftovers }: Observation): string | undefined {
  const statusOf = (accessKeyId: string) => listed.find((key) => key.accessKeyId === accessKeyId)?.status;
  const found = ring.keys
    .filter((key) => key.state !== "current")
    .flatMap(({ accessKeyId, state }) => {
      const status = statusOf(accessKeyId);
      if (status === undefined) return [`the ${state} key ${accessKeyId} is no longer on the user`];
      const mustWork = state === "previous" || state === "pending";
      return mustWork && status !== "Active" ? [`the ${state} key ${accessKeyId} was set ${status}`] : [];
    });
  found.push(...leftovers.map(({ accessKeyId }) => `the key ${accessKeyId} was made by a run that did not end`));
  if (ledger?.rotationId === id) {
    if (ledger.announcement) found.push("the user's tag iam-rotation still announces a key");
    else if (ledgerKeys(ring).some((accessKeyId) => !ledger.keys.includes(accessKeyId) && statusOf(accessKeyId))) {
      // Of two runs that overlapped the slower one wrote last, or tags could not be written for a time.
      found.push("the user's tag iam-rotation does not name every key of this rotation");
    } else if (ledger.keys.some((accessKeyId) => !ledgerKeys(ring).includes(accessKeyId) && !statusOf(accessKeyId))) {
      found.push("the user's tag iam-rotation names a key that is no longer on the user");
    }
  }
  return found.join("; ") || undefined;
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
