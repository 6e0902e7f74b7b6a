import { NotFoundError, RotationError } from "./errors";
import { type KeyRecord, type KeyRing } from "./keyRing";
import { announcedKey, type Ledger, LEDGER_TAG, leftoversOf, OWNER_TAG, parseLedger, windowEnd } from "./ledger";
import { ACCESS_KEYS_PER_USER, type Intent } from "./plan";
import type { AccessKey, Clock, LastUse, Limits, TaggedUser, UserAccessKeys } from "./ports";
import type { Progress } from "./progress";

/** A run's surroundings; everything with an effect is in here. */
export interface RunContext {
  readonly aws: UserAccessKeys;
  readonly clock: Clock;
  readonly limits: Limits;
  /** Tells the user of the run a step that was just done. */
  readonly tell: (progress: Progress) => void;
}

/** What is on AWS, as far as a run needs it. */
export interface Observation {
  readonly user: TaggedUser;
  readonly listed: readonly AccessKey[];
  /** The ledger on the user, whosever it is. */
  readonly ledger: Ledger | undefined;
  /** The owner tag beside it. */
  readonly owner: string | undefined;
  /** Keys that are ours by the ledger, and unknown to state. */
  readonly leftovers: readonly KeyRecord[];
  /** When the observation began, by AWS's clock as it was told then: the local one may jump meanwhile; milliseconds. */
  readonly startedAt: number;
  /** It may have been written since the observation began: the first look showed another one, or took long. */
  readonly isLedgerNew: boolean;
}

/** What an observation is for. A destroy deletes what state names by its id: only what state does not know must show. */
export type Purpose = Intent | "read" | "destroy";

/** A key younger than this may be one that the tags do not show yet. */
const YOUNG = 300_000;

/** How long a user that no state knows is looked for: it may have been made a moment ago. */
const NEW_USER_LAG = 10_000;

/** A first look that takes longer may show what another run wrote meanwhile. */
const SLOW_LOOK = 1_000;

/** How long to wait before the next look, while lists and tags lag. */
const LOOK_AGAIN = 5_000;

/** AWS's time by now, in milliseconds. */
export function awsNow({ aws, clock }: RunContext): number {
  return clock.now().getTime() + aws.skew();
}

/**
 * Looks at the user, its tags and its keys. Lists and tags lag: it looks again, for `lagSeconds` at most, and until an
 * open announcement's window has closed, while something that must be there is not.
 *
 * @param rotationId Whose ledger counts.
 * @returns undefined when IAM says that there is no such user.
 */
export async function observe(
  ring: KeyRing,
  rotationId: string,
  intent: Purpose,
  context: RunContext,
): Promise<Observation | undefined> {
  const { aws, clock, limits } = context;
  const started = clock.now().getTime();
  let startedAt: number | undefined;
  let first: { readonly nonce: string | undefined; readonly isSlow: boolean } | undefined;
  for (;;) {
    // By when the look began: an answer that was long under way shows what was so then.
    const isLate = clock.now().getTime() - started >= limits.lagSeconds * 1_000;
    const [user, listed] = await Promise.all([aws.user(), aws.list()]);
    startedAt ??= started + aws.skew();
    if (user && listed) {
      const ledger = parseLedger(user.tags[LEDGER_TAG]);
      first ??= { nonce: ledger?.nonce, isSlow: clock.now().getTime() - started > SLOW_LOOK };
      const own = ledger?.rotationId === rotationId ? ledger : undefined;
      const observation = {
        user,
        listed,
        ledger,
        owner: user.tags[OWNER_TAG],
        leftovers: leftoversOf(ring, own, listed),
        startedAt,
        isLedgerNew: first.isSlow || first.nonce !== ledger?.nonce,
      };
      const isOpen = isWindowOpen(own, listed, awsNow(context));
      if ((isLate && !isOpen) || (!isOpen && isComplete(ring, own, listed, intent, awsNow(context))))
        return observation;
    } else if (
      isLate ||
      intent === "destroy" ||
      (ring.keys.length === 0 && clock.now().getTime() - started >= NEW_USER_LAG)
    ) {
      return undefined;
    }
    await clock.sleep(Math.min(LOOK_AGAIN, Math.max(limits.lagSeconds * 1_000, 250)));
  }
}

/** Whether an announced key may still turn up. */
function isWindowOpen(ledger: Ledger | undefined, listed: readonly AccessKey[], now: number): boolean {
  const announcement = ledger?.announcement;
  if (!announcement || now > windowEnd(announcement)) return false;
  return announcedKey(announcement, listed) === undefined;
}

function isComplete(
  ring: KeyRing,
  ledger: Ledger | undefined,
  listed: readonly AccessKey[],
  intent: Purpose,
  now: number,
): boolean {
  const ids = listed.map((key) => key.accessKeyId);
  const inState = ring.keys.map((key) => key.accessKeyId);
  const named = [...inState, ...(ledger?.keys ?? [])];
  const mustShow = intent === "destroy" ? named.filter((id) => !inState.includes(id)) : named;
  if (!mustShow.every((id) => ids.includes(id))) return false;
  const announced = announcedKey(ledger?.announcement, listed);
  if (ledger?.announcement && !announced) return false;
  const matters = intent === "create" || (intent === "rotate" && listed.length >= ACCESS_KEYS_PER_USER);
  const unnamed = listed.filter((key) => !named.includes(key.accessKeyId) && key !== announced);
  return !matters || !unnamed.some((key) => now - Date.parse(key.createdAt) < YOUNG);
}

/** Observes a user that must be there. */
export async function observeUser(
  ring: KeyRing,
  rotationId: string,
  intent: Intent,
  userName: string,
  context: RunContext,
): Promise<Observation> {
  const observation = await observe(ring, rotationId, intent, context);
  if (observation) return observation;
  throw new NotFoundError({
    what: `IAM user ${userName} does not exist in the account of this connection`,
    next: "make the user, or correct parameters.userName or connectionId; if it was deleted on purpose, `pulumi refresh` takes the rotation out of state",
    details: { userName },
  });
}

/** Reads last uses. One that cannot be read stays out of the map: the key then counts as in use. */
export async function readLastUses(
  accessKeyIds: readonly string[],
  { aws }: Pick<RunContext, "aws">,
): Promise<Map<string, LastUse | null>> {
  const lastUses = new Map<string, LastUse | null>();
  await Promise.all(
    accessKeyIds.map(async (accessKeyId) => {
      try {
        lastUses.set(accessKeyId, await aws.lastUse(accessKeyId));
      } catch (error) {
        if (!(error instanceof RotationError)) throw error;
      }
    }),
  );
  return lastUses;
}
