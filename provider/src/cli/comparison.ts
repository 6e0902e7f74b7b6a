import { type Connections, findConnection } from "../aws/connections";
import { regionOf } from "../aws/clients";
import { accountIdOf } from "../aws/arns";
import { RotationError } from "../rotation/errors";
import { currentKey, type KeyRing, ledgerKeys } from "../rotation/keyRing";
import { type Observation, observe, readLastUses, type RunContext } from "../rotation/observe";
import { ACCESS_KEYS_PER_USER, planRotation } from "../rotation/plan";
import type { Caller, Identity, LastUse, Limits } from "../rotation/ports";
import { advanceRotation } from "../rotation/schedule";
import {
  otherUserFailure,
  preconditionFailure,
  refusalError,
  selfRotationFailure,
  type SigningConnection,
} from "../rotation/refusals";
import type { Io } from "./io";
import { type RotationFacts, userNameOf } from "./stackState";
import { fromNow } from "./words";

/** One answer of `status --check`. */
export interface Finding {
  readonly question: "who am I" | "may I look" | "same user" | "whose keys" | "free slot" | "would it rotate";
  readonly isGood: boolean;
  /** For people, in one or more lines. Never a secret. */
  readonly answer: string;
}

/** All that was looked at, as plain data. */
export interface Seen {
  readonly caller: Caller;
  readonly connection: SigningConnection;
  /** Undefined when IAM says that there is no such user. */
  readonly observation: Observation | undefined;
  /** Last uses by key; a key that is left out could not be read. */
  readonly lastUses: ReadonlyMap<string, LastUse | null>;
  readonly region: string;
  /** By how much AWS's clock is ahead; milliseconds. */
  readonly skew: number;
  readonly now: Date;
}

/**
 * Looks at a rotation's user in IAM, and says what it finds beside what state says. Reads only.
 *
 * @param facts What state knows of the rotation.
 * @returns The answers; what AWS refuses is one of them.
 */
export async function compareWithIam(
  id: string,
  facts: RotationFacts,
  setting: { readonly connections: Connections; readonly limits: Limits },
  io: Io,
): Promise<Finding[]> {
  const userName = userNameOf(facts);
  const who: Finding[] = [];
  try {
    const connection = findConnection(setting.connections, facts.connectionId ?? "");
    const region = regionOf(facts.parameters ?? {}, connection);
    // One look: what lags is told as it shows, and nobody waits for it.
    const limits = { ...setting.limits, lagSeconds: 0 };
    const aws = await io.open({
      connection,
      connections: setting.connections,
      region,
      userName,
      limits,
      rotationId: id,
      jobId: io.uuid(),
      onlyLocalEndpoints: false,
    });
    const caller = await aws.caller();
    who.push({ question: "who am I", isGood: true, answer: `${caller.arn}, over connection "${connection.name}"` });
    const context: RunContext = { aws, clock: io.clock, limits, tell: () => undefined };
    const observation = await observe(ringOf(facts), id, "read", context);
    const ids = observation?.listed.map((key) => key.accessKeyId) ?? [];
    const lastUses = await readLastUses(ids, context);
    const seen: Seen = { caller, connection, observation, lastUses, region, skew: aws.skew(), now: io.clock.now() };
    return [...who, ...findingsOf(id, facts, setting.limits, seen)];
  } catch (error) {
    if (!(error instanceof RotationError)) throw error;
    const { what, next } = error.explanation;
    const answer = next === undefined ? what : `${what}\nNext: ${next}`;
    return [...who, { question: who.length === 0 ? "who am I" : "may I look", isGood: false, answer }];
  }
}

/** Says what a look found, beside what state says. Pure. */
export function findingsOf(id: string, facts: RotationFacts, limits: Limits, seen: Seen): Finding[] {
  const { observation, lastUses, caller } = seen;
  const userName = userNameOf(facts);
  const known: Identity = { userId: facts.userId, arn: facts.userArn, accountId: accountIdOf(facts.userArn) };
  if (!observation) {
    const answer =
      caller.accountId === known.accountId
        ? `IAM user ${userName} does not exist any more; \`pulumi refresh\` takes the rotation out of state`
        : `the connection is in account ${caller.accountId}, and this rotation's user is ${known.arn}`;
    return [{ question: "same user", isGood: false, answer }];
  }
  const { user, listed } = observation;
  const unread = listed.filter(({ accessKeyId }) => !lastUses.has(accessKeyId));
  const mayLook: Finding = {
    question: "may I look",
    isGood: unread.length === 0,
    answer:
      unread.length === 0
        ? "yes: the user, its keys, and when they were last used; writes were not tried"
        : `iam:GetAccessKeyLastUsed failed for ${unread.map((key) => key.accessKeyId).join(", ")}: they count as in use`,
  };
  const other = otherUserFailure(known, user, userName);
  if (other) return [mayLook, { question: "same user", isGood: false, answer: other.explanation.what }];

  const ring = ringOf(facts);
  const withLeftovers: KeyRing = { ...ring, keys: [...ring.keys, ...observation.leftovers] };
  const free = ACCESS_KEYS_PER_USER - listed.length;
  return [
    mayLook,
    { question: "same user", isGood: true, answer: `yes: ${user.arn} (${user.userId})` },
    whoseKeys(withLeftovers, observation, lastUses, seen.now),
    {
      question: "free slot",
      isGood: true,
      answer: `${free > 0 ? "yes" : "no"}: ${listed.length} of ${ACCESS_KEYS_PER_USER} keys`,
    },
    wouldItRotate(id, facts, limits, withLeftovers, observation, seen),
  ];
}

/** Whether a rotation would go through now: the rules of a run itself, asked without doing anything. */
function wouldItRotate(
  id: string,
  facts: RotationFacts,
  limits: Limits,
  ring: KeyRing,
  observation: Observation,
  seen: Seen,
): Finding {
  const { user, listed, ledger } = observation;
  const { lastUses } = seen;
  const userName = userNameOf(facts);
  const question = "would it rotate";
  const stands =
    selfRotationFailure(seen.caller, user, seen.connection) ??
    preconditionFailure({
      userName,
      rotationId: id,
      generation: facts.generation,
      currentKeyId: currentKey(ring)?.accessKeyId,
      ledger,
      ledgerOwner: observation.owner,
      startedAt: observation.startedAt,
      isLedgerNew: observation.isLedgerNew,
      skew: seen.skew,
    });
  if (stands) return { question, isGood: false, answer: stands.explanation.what };
  const own = ledger?.rotationId === id ? ledger : undefined;
  const plan = planRotation({
    intent: "rotate",
    ring: ring,
    listed,
    lastUses,
    policy: facts.previousKey,
    own: { region: seen.region, rotationSeconds: limits.rotationSeconds },
    ledgerWrittenBy: own?.writtenBy,
    isLedgerOff: own !== undefined && !isSameSet(own.keys, ledgerKeys(ring)),
    now: seen.now,
  });
  if (!plan.refusal) return { question, isGood: true, answer: "yes, if it were due now" };
  // A key that is in use today need not be so on the day of the next rotation; a slot does not free itself.
  const isDue = advanceRotation(facts, facts, seen.now).number !== facts.rotation.number;
  const isGood = plan.refusal.kind === "inUse" && !isDue;
  const answer = refusalError(plan.refusal, userName, ring, lastUses).explanation.what;
  return { question, isGood, answer: isGood ? `not now, and none is due: ${answer}` : answer };
}

function whoseKeys(ring: KeyRing, { listed }: Observation, lastUses: Seen["lastUses"], now: Date): Finding {
  const lines = listed.map(({ accessKeyId, status }) => {
    const record = ring.keys.find((key) => key.accessKeyId === accessKeyId);
    const use = lastUses.get(accessKeyId);
    const used = use
      ? `last used ${fromNow(use.at, now)} for ${use.service} in ${use.region}`
      : use === null
        ? "never used"
        : "last use not read";
    return `${accessKeyId} ${status}: ${record ? `this rotation's ${record.state} key` : "not this rotation's"}, ${used}`;
  });
  const listedIds = listed.map((key) => key.accessKeyId);
  const current = ring.keys.find(({ state }) => state === "current");
  const isWorking = listed.some((key) => key.accessKeyId === current?.accessKeyId && key.status === "Active");
  const missing = ring.keys.filter((key) => !listedIds.includes(key.accessKeyId));
  return {
    question: "whose keys",
    isGood: isWorking && missing.length === 0,
    answer: [
      ...lines,
      ...missing.map(
        ({ accessKeyId, state }) => `${accessKeyId}: this rotation's ${state} key is no longer on the user`,
      ),
      ...(current && listedIds.includes(current.accessKeyId) && !isWorking
        ? ["consumers are given a key that does not work"]
        : []),
      ...(lines.length + missing.length === 0 ? ["the user has no key"] : []),
    ].join("\n"),
  };
}

/** The keys that state knows, without their secrets: nothing here needs them. */
function ringOf({ keys }: RotationFacts): KeyRing {
  return {
    activeIndex: 0,
    generatedCredentials: [],
    pendingCredentials: null,
    keys: keys.map((key) => ({
      ...key,
      verifiedAt: key.verifiedAt ?? null,
      retiredAt: key.retiredAt ?? null,
      lastUsedAt: key.lastUsedAt ?? null,
    })),
  };
}

const isSameSet = (some: readonly string[], others: readonly string[]) =>
  some.length === others.length && some.every((id) => others.includes(id));
