import { isOwnVerification } from "./gate";
import { type KeyRecord, type KeyRing, withoutKey } from "./keyRing";
import { formatLedger, isSameSecond, type Ledger, LEDGER_TAG, OWNER_TAG, parseLedger } from "./ledger";
import { OvertakenError } from "./ledgerKeeper";
import { awsNow, observe, type RunContext } from "./observe";

/** What a destroy is asked to do. */
export interface DestroyRequest {
  /** The resource id. */
  readonly rotationId: string;
  readonly userName: string;
  readonly region: string;
  readonly ring: KeyRing;
  /** State's generation. */
  readonly generation: number;
  /** When the resource was created; ISO instant. */
  readonly createdAt: string;
  /** The user that state knows. */
  readonly userId: string;
  /** Whether the keys go, too; else only the ledger does. */
  readonly revoke: boolean;
}

/**
 * Deletes the keys that state names, and the unused leftovers of an update exactly one generation ahead: its run was
 * killed before it saved. Never those of a creation: they may be the keys of a resource that replaces this one. The
 * ledger is written without what was deleted; both tags go when nothing is left.
 *
 * @param onDeleted Told of each key that is gone; `wasThere` is false when it was gone already.
 * @returns `isUntagged` is false where both tags should have gone, and may not be taken away.
 */
export async function destroyKeys(
  request: DestroyRequest,
  context: RunContext,
  onDeleted: (ring: KeyRing, wasThere: boolean) => Promise<void> | void,
): Promise<{ readonly isUntagged: boolean }> {
  const { aws } = context;
  let { ring } = request;
  const observation = await observe(ring, request.rotationId, "destroy", context);
  // Another user under the same name: this rotation's keys went with the old one.
  if (observation?.user.userId !== request.userId) {
    await onDeleted(ring, false);
    return { isUntagged: true };
  }
  const { listed, leftovers } = observation;
  const ledger = observation.ledger?.rotationId === request.rotationId ? observation.ledger : undefined;
  const killed = ofKilledUpdate(request, ledger, leftovers);
  const gone = ring.keys.map((key) => key.accessKeyId);
  if (request.revoke) {
    const unused = await unusedOf(killed, request, context);
    for (const accessKeyId of [...gone, ...unused]) {
      const wasThere = await aws.delete(accessKeyId);
      if (wasThere) context.tell({ kind: "deleted", accessKeyId });
      ring = withoutKey(ring, accessKeyId);
      await onDeleted(ring, wasThere);
    }
    gone.push(...unused);
  } else {
    // Left to people, as the keys that state names: a ledger that went on naming it would keep every other rotation away.
    gone.push(...killed.map((key) => key.accessKeyId));
  }
  if (!ledger) return { isUntagged: true };
  await assertStill(ledger, request, context);
  // An announced key that stays is named from now on: its announcement is closed with this.
  const ours = [...ledger.keys, ...leftovers.map((key) => key.accessKeyId).filter((id) => !ledger.keys.includes(id))];
  const keys = ours.filter((id) => !gone.includes(id) && listed.some((key) => key.accessKeyId === id));
  if (keys.length === 0) return { isUntagged: await aws.untag([LEDGER_TAG, OWNER_TAG]) };
  const value = formatLedger({
    ...ledger,
    keys,
    writtenAt: new Date(awsNow(context)).toISOString(),
    announcement: undefined,
  });
  if (value !== undefined) await aws.tag({ [LEDGER_TAG]: value });
  return { isUntagged: true };
}

/** A provider that outlived its engine may still be making a key: only its ledger knows it. */
async function assertStill(
  ledger: Ledger,
  { rotationId, userName }: DestroyRequest,
  { aws }: RunContext,
): Promise<void> {
  const seen = parseLedger((await aws.user())?.tags[LEDGER_TAG]);
  const isNewer = seen?.rotationId === rotationId && Date.parse(seen.writtenAt) >= Date.parse(ledger.writtenAt);
  if (isNewer && seen.nonce !== ledger.nonce) throw new OvertakenError(userName, "wrote");
}

/**
 * The leftovers of an update that was killed before it saved: of this very resource, not of one that replaces it, and it
 * announced the generation after state's.
 */
function ofKilledUpdate(
  { generation, createdAt }: DestroyRequest,
  ledger: Ledger | undefined,
  leftovers: readonly KeyRecord[],
): readonly KeyRecord[] {
  const isOwn = ledger?.createdAt !== undefined && isSameSecond(ledger.createdAt, createdAt);
  return isOwn && ledger.writtenBy === "update" && ledger.generation === generation + 1 ? leftovers : [];
}

async function unusedOf(
  killed: readonly KeyRecord[],
  { region }: DestroyRequest,
  { aws, limits }: RunContext,
): Promise<string[]> {
  const own = { region, rotationSeconds: limits.rotationSeconds };
  // A use that cannot be read stops the destroy before its first write: once the state is gone, nobody would try again.
  const lastUses = await Promise.all(killed.map((key) => aws.lastUse(key.accessKeyId)));
  return killed
    .filter((key, index) => {
      const lastUse = lastUses[index];
      return !lastUse || isOwnVerification(key, lastUse, own);
    })
    .map((key) => key.accessKeyId);
}
