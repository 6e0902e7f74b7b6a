import { asRotationError, awsCodeOf, InternalError, isDefiniteRefusal, RotationError } from "./errors";
import { type GatePolicy, type InUse, isOwnVerification } from "./gate";
import {
  currentKey,
  handOver,
  type KeyRecord,
  type KeyRing,
  ledgerKeys,
  withKey,
  withLastUse,
  withLeftovers,
  withoutKey,
  withPending,
} from "./keyRing";
import { type Ledger, type LedgerWriter, windowEnd } from "./ledger";
import { LedgerKeeper, OvertakenError } from "./ledgerKeeper";
import { awsNow, type Observation, observeUser, readLastUses, type RunContext } from "./observe";
import {
  type Intent,
  keysThatMayGo,
  keysThatMayHaveToGo,
  mayGoInCreate,
  type Plan,
  planRotation,
  type Step,
} from "./plan";
import type { Credential, Identity } from "./ports";
import {
  otherUserFailure,
  preconditionFailure,
  refusalError,
  selfRotationFailure,
  type SigningConnection,
} from "./refusals";
import { verifyKey } from "./verify";

/** What a run is asked to do. */
export interface RunRequest {
  readonly intent: Intent;
  /** The resource id. */
  readonly rotationId: string;
  /** `project/stack/name`, for people. */
  readonly owner: string;
  /** The run's job id: a uuid. */
  readonly jobId: string;
  readonly userName: string;
  readonly region: string;
  readonly connection: SigningConnection;
  readonly policy: GatePolicy;
  /** What state knows; {@link EMPTY_RING} for a creation. */
  readonly ring: KeyRing;
  /** State's generation; undefined for a creation. */
  readonly generation: number | undefined;
  /** When the resource was created, ISO instant: state's own; for a creation, now. */
  readonly createdAt: string;
  /** The user that state knows; undefined for a creation. */
  readonly user: Identity | undefined;
  /** The rotation's instant, by the schedule's clock: the old current key is retired since then. */
  readonly at: string;
  /** The schedule's clock. */
  readonly now: Date;
}

/** What a run brought about. */
export interface RunResult {
  readonly ring: KeyRing;
  readonly user: Identity;
  /** The generation that the ledger now has. */
  readonly generation: number;
  /** Keys that were to be retired and count as in use. */
  readonly heldBack: readonly InUse[];
  /** What a person should know though all went well: without the ledger a killed run cannot be recognised. */
  readonly warning: string | undefined;
  /** What the next update has to put right; undefined when nothing. */
  readonly unsettled: string | undefined;
}

/** A run that failed, with all that it had brought about by then. */
export class RunFailure extends Error {
  constructor(
    readonly error: RotationError,
    readonly ring: KeyRing,
    readonly user: Identity | undefined,
    readonly generation: number | undefined,
    /** Whether the user's tags, and perhaps keys, are no longer what they were. */
    readonly hasWritten = false,
  ) {
    super(error.message, { cause: error });
    this.name = "RunFailure";
  }
}

/** A pending key of this age that fails its verification again is given up. */
const HOPELESS_AFTER = 3_600_000;

/** AWS's codes for too many calls, as its SDK knows them. */
const THROTTLED = /^(Throttl|TooManyRequests|RequestLimitExceeded|RequestThrottled|SlowDown)/;

/** A last use that was read before an observation which took longer than this is read again; milliseconds. */
const STILL_EARLY = 5_000;

/** What is told when tags may not be written. */
export const NO_LEDGER =
  "the user's tags may not be written (iam:TagUser, or 50 tags already): a key whose run is killed cannot be recognised, and must be deleted by hand";

/** What the next update has to put right where the tags may no longer be written. */
const STILL_OPEN = "the user's tag iam-rotation still announces a key, and may not be written";

/**
 * Observes, plans and acts. Nothing is written before the plan is made; a refusal changes nothing.
 *
 * @throws RunFailure with the ring as it is by then, so that no secret that was received is lost.
 */
export async function runRotation(request: RunRequest, context: RunContext): Promise<RunResult> {
  const run = new Run(request, context);
  try {
    return await run.toEnd();
  } catch (error) {
    throw run.failure(error);
  }
}

/** The generation that a run announces: an update the one after state's, a creation the one after the ledger's. */
export function nextGeneration(generation: number | undefined, ledger: Ledger | undefined): number {
  return (generation ?? ledger?.generation ?? 0) + 1;
}

/** Whether a rotation's own ledger says something else than its ring. */
function isOff(ledger: Ledger, ring: KeyRing): boolean {
  const keys = ledgerKeys(ring);
  return (
    ledger.announcement !== undefined ||
    ledger.keys.length !== keys.length ||
    ledger.keys.some((id) => !keys.includes(id))
  );
}

/** As what a run writes the ledger. A ledger that names no key of the user's was left by a destroy: it counts as none. */
function writerOf(intent: Intent, { ledger, leftovers }: Observation): LedgerWriter {
  if (intent !== "create") return "update";
  return ledger === undefined || leftovers.length === 0 || ledger.writtenBy === "create" ? "create" : "takeover";
}

/** The keeper of the ledger for one run. */
export function keeperOf(
  { rotationId, owner, userName, jobId, intent, createdAt }: RunRequest,
  generation: number,
  observation: Observation,
  context: RunContext,
  writtenBy = writerOf(intent, observation),
): LedgerKeeper {
  const nonce = jobId.replaceAll("-", "").slice(0, 12);
  return new LedgerKeeper(
    { rotationId, owner, userName, generation, writtenBy, createdAt, nonce },
    observation.ledger,
    context,
  );
}

/** Observes, and refuses what stands against any write. The one way in for everything that writes. */
export async function observeForWriting(request: RunRequest, context: RunContext): Promise<Observation> {
  const [observation, caller] = await Promise.all([
    observeUser(request.ring, request.rotationId, request.intent, request.userName, context),
    // In the rotation's own region: one that the account has not enabled would look for ever like a key not live yet.
    context.aws.caller(),
  ]);
  const { user, ledger, owner, startedAt, isLedgerNew } = observation;
  const skew = context.aws.skew();
  const failure =
    (request.user && otherUserFailure(request.user, user, request.userName)) ??
    selfRotationFailure(caller, user, request.connection) ??
    preconditionFailure({
      userName: request.userName,
      rotationId: request.rotationId,
      generation: request.generation,
      currentKeyId: currentKey(request.ring)?.accessKeyId,
      ledger,
      ledgerOwner: owner,
      startedAt,
      isLedgerNew,
      skew,
    });
  if (failure) throw failure;
  return observation;
}

class Run {
  private ring: KeyRing;
  private user: Identity | undefined;
  private generation: number | undefined;
  private keeper: LedgerKeeper | undefined;
  private hasCreated = false;
  private unsettled: string | undefined;
  private readonly started: number;

  constructor(
    private readonly request: RunRequest,
    private readonly context: RunContext,
  ) {
    this.ring = request.ring;
    this.started = context.clock.now().getTime();
  }

  async toEnd(): Promise<RunResult> {
    const { request, context } = this;
    // Asked for beside the first look, which as a rule is the only one: what state knows may have to go.
    const asked = keysThatMayHaveToGo(request.ring);
    const [observation, early] = await Promise.all([observeForWriting(request, context), readLastUses(asked, context)]);
    const { user, ledger, leftovers, listed } = observation;
    this.user = { userId: user.userId, arn: user.arn, accountId: user.accountId };
    this.generation = nextGeneration(request.generation, ledger);
    const keeper = keeperOf(request, this.generation, observation, context);
    this.keeper = keeper;

    let known = withLeftovers(request.ring, leftovers);
    const ids = request.intent === "create" ? listed.map((key) => key.accessKeyId) : keysThatMayGo(known, listed);
    const isRecent = context.clock.now().getTime() - this.started < STILL_EARLY;
    const isKnown = (id: string) => isRecent && asked.includes(id);
    const lastUses = new Map([
      ...[...early].filter(([id]) => ids.includes(id) && isKnown(id)),
      ...(await readLastUses(
        ids.filter((id) => !isKnown(id)),
        context,
      )),
    ]);
    const own = { region: request.region, rotationSeconds: context.limits.rotationSeconds };
    if (request.intent === "create") {
      // It may have been current until now, before a forced replacement: uses of it may be reported late.
      const mayHaveUsers = leftovers.filter(
        (key) => !mayGoInCreate(key, { ledgerWrittenBy: ledger?.writtenBy, lastUses, own }),
      );
      for (const { accessKeyId } of mayHaveUsers) known = withKey(known, accessKeyId, { retiredAt: request.at });
    }
    const planWith = async (ring: KeyRing): Promise<Plan & { refusal?: undefined }> => {
      const plan = planRotation({
        ...request,
        ring,
        listed,
        lastUses,
        own,
        ledgerWrittenBy: ledger?.writtenBy,
        isLedgerOff: ledger !== undefined && isOff(ledger, ring),
      });
      if (!plan.refusal) return plan;
      // Who has to choose a key to delete needs the last use of each.
      const unread = listed.map((key) => key.accessKeyId).filter((id) => !lastUses.has(id));
      const told = plan.refusal.kind === "noSlot" ? await readLastUses(unread, context) : [];
      throw refusalError(plan.refusal, request.userName, ring, new Map([...lastUses, ...told]));
    };
    const noted = (ring: KeyRing) =>
      [...lastUses].reduce((before, [id, lastUse]) => withLastUse(before, id, lastUse), ring);
    // What a refusal looked at is saved; what only the ledger knows is not.
    this.ring = noted(request.ring);
    let plan = await planWith(known);
    this.ring = noted(known);

    const queue = [...plan.steps];
    for (let step = queue.shift(); step; step = queue.shift()) {
      this.assertInTime();
      if (step.kind === "announce") {
        if (await keeper.announce(this.ring, listed)) continue;
        // The announcement of a run that was killed stays open then: a second key in its window would hide the first.
        if (ledger?.announcement) {
          const milliseconds = windowEnd(ledger.announcement) - awsNow(context);
          if (milliseconds >= 0) await context.clock.sleep(milliseconds + 1_000);
        }
        // Without a ledger a key that state does not know is never deleted: plan again as if it were a stranger's.
        this.ring = noted(request.ring);
        plan = await planWith(request.ring);
        // From now on state knows it: the next key may be made in the same window, and nothing would tell the two apart.
        this.ring = noted(known);
        queue.splice(0, queue.length, ...plan.steps.filter((other) => other.kind !== "announce"));
        continue;
      }
      await this.act(step, observation, keeper);
    }
    return {
      ring: this.ring,
      user: this.user,
      generation: keeper.hasWritten ? this.generation : (request.generation ?? this.generation),
      heldBack: plan.heldBack,
      warning: keeper.isWritable ? undefined : NO_LEDGER,
      unsettled: this.unsettled,
    };
  }

  failure(error: unknown): RunFailure {
    const { userName, generation } = this.request;
    return new RunFailure(
      asRotationError(error, `the rotation of IAM user ${userName}`),
      this.ring,
      this.user,
      this.hasCreated ? this.generation : generation,
      this.keeper?.hasWritten,
    );
  }

  private async act(
    step: Exclude<Step, { kind: "announce" }>,
    observation: Observation,
    keeper: LedgerKeeper,
  ): Promise<void> {
    const { aws, tell } = this.context;
    switch (step.kind) {
      case "forget":
        this.ring = withoutKey(this.ring, step.accessKeyId);
        return;
      case "noteInactive":
        this.ring = withKey(this.ring, step.accessKeyId, { state: "inactive" });
        return;
      case "delete":
        return this.delete(step.accessKeyId, keeper);
      case "deactivate":
        if (await aws.deactivate(step.accessKeyId)) {
          this.ring = withKey(this.ring, step.accessKeyId, { state: "inactive" });
          tell({ kind: "deactivated", accessKeyId: step.accessKeyId });
        } else this.ring = withoutKey(this.ring, step.accessKeyId);
        return;
      case "create":
        return this.create(observation, keeper);
      case "settle":
        if (!(await keeper.settle(this.ring)) && keeper.isOpen) this.unsettled = STILL_OPEN;
        return;
      case "verifyAndHandOver":
        return this.verifyAndHandOver(step.disabled, keeper);
    }
  }

  private async delete(accessKeyId: string, keeper: LedgerKeeper): Promise<void> {
    const isPending = this.ring.pendingCredentials?.accessKeyId === accessKeyId;
    // A run that overlaps may be about to publish a pending key that both found in state.
    if (isPending && !this.hasCreated) await keeper.assertNotOvertaken();
    if (await this.context.aws.delete(accessKeyId)) this.context.tell({ kind: "deleted", accessKeyId });
    this.ring = withoutKey(this.ring, accessKeyId);
  }

  private async create({ listed }: Observation, keeper: LedgerKeeper): Promise<void> {
    const { limits } = this.context;
    // The key must be made within the window that the ledger tells, or nobody could recognise it.
    const isShort = () => keeper.isWritable && keeper.secondsLeft() < limits.callSeconds / 2;
    if (isShort()) await keeper.announce(this.ring, listed);
    try {
      if (isShort()) {
        throw new InternalError({
          what: `the tags of IAM user ${this.request.userName} were written too slowly to make a key in the time that they tell; none was made`,
          next: "run `pulumi up` again; iam-rotation:limits.callSeconds gives it more time",
          details: { isDefinite: true },
        });
      }
      const { createdAt, ...credential } = await this.createUnthrottled(keeper);
      this.ring = withPending(this.ring, credential, createdAt);
      this.hasCreated = true;
      this.context.tell({ kind: "created", accessKeyId: credential.accessKeyId });
    } catch (error) {
      // LimitExceeded may come from a key of our own that no list shows yet: the announcement stays open for it.
      if (isDefiniteRefusal(error) && !awsCodeOf(error)?.startsWith("LimitExceeded")) {
        await keeper.settle(this.ring).catch(() => undefined);
      }
      throw error;
    }
  }

  /** A call that AWS throttled has made no key: it may be made again, while the window that the ledger tells is open. */
  private async createUnthrottled(keeper: LedgerKeeper): Promise<Credential & { readonly createdAt: string }> {
    const { aws, clock, limits } = this.context;
    for (let wait = 1_000; ; wait *= 2) {
      try {
        return await aws.create(keeper.secondsLeft());
      } catch (error) {
        const isThrottled = isDefiniteRefusal(error) && THROTTLED.test(awsCodeOf(error) ?? "");
        if (!isThrottled || keeper.secondsLeft() - wait / 1_000 < limits.callSeconds / 2) throw error;
        this.assertInTime();
        await clock.sleep(wait);
      }
    }
  }

  private async verifyAndHandOver(disabled: readonly string[], keeper: LedgerKeeper): Promise<void> {
    const { aws, clock, limits, tell } = this.context;
    const pending = this.ring.pendingCredentials;
    const { user } = this;
    if (!pending || !user) throw new TypeError("there is no pending key to verify");
    const [verified, settled] = await Promise.allSettled([
      verifyKey(aws, pending, user, clock, limits),
      keeper.settle(this.ring),
    ]);
    if (settled.status === "rejected") {
      if (settled.reason instanceof OvertakenError) {
        // Only what this run has made itself: the other one may have published a pending key that both found in state.
        if (this.hasCreated) await this.delete(pending.accessKeyId, keeper);
        throw settled.reason;
      }
      this.unsettled = "the user's tag iam-rotation could not be written after the key was made";
    } else if (!settled.value && keeper.isOpen) {
      this.unsettled = STILL_OPEN;
    }
    if (verified.status === "rejected") {
      const record = this.ring.keys.find((key) => key.accessKeyId === pending.accessKeyId);
      // Never handed out, and known by its id: giving it up harms nobody, and the next run makes a new one.
      if (
        record &&
        awsNow(this.context) - Date.parse(record.createdAt) > HOPELESS_AFTER &&
        !(await this.hasUsers(record))
      ) {
        await this.delete(pending.accessKeyId, keeper);
        const reason: unknown = verified.reason;
        throw new InternalError({
          what: `access key ${pending.accessKeyId} still does not work an hour after it was made, and was deleted: ${reason instanceof RotationError ? reason.explanation.what : String(reason)}`,
          next: "run `pulumi up` again: it makes a new key",
          details: { accessKeyId: pending.accessKeyId },
          cause: reason,
        });
      }
      throw verified.reason;
    }
    // A run that overlaps knows this key, too, and may be about to give it up; one that was just made only this run knows.
    if (!this.hasCreated) await keeper.assertNotOvertaken();
    const marked = withKey(this.ring, pending.accessKeyId, {
      verifiedAt: new Date(awsNow(this.context)).toISOString(),
      verifiedIn: this.request.region,
    });
    const replaced = currentKey(marked);
    this.ring = handOver(marked, this.request.at, disabled);
    tell({ kind: "verified", accessKeyId: pending.accessKeyId, milliseconds: verified.value });
    if (replaced && !disabled.includes(replaced.accessKeyId)) {
      tell({ kind: "replaced", accessKeyId: replaced.accessKeyId });
    }
  }

  /** A state that was restored may take a key for pending that a later run gave out. */
  private async hasUsers(record: KeyRecord): Promise<boolean> {
    const lastUse = (await readLastUses([record.accessKeyId], this.context)).get(record.accessKeyId);
    const own = { region: this.request.region, rotationSeconds: this.context.limits.rotationSeconds };
    return lastUse === undefined || (lastUse !== null && !isOwnVerification(record, lastUse, own));
  }

  private assertInTime(): void {
    const { clock, limits } = this.context;
    if (clock.now().getTime() - this.started <= limits.rotationSeconds * 1_000) return;
    throw new InternalError({
      what: `the rotation of IAM user ${this.request.userName} took longer than ${limits.rotationSeconds} s`,
      next: "run `pulumi up` again; iam-rotation:limits.rotationSeconds gives it more time",
    });
  }
}
