import { SECRET_OUTPUTS } from "../../../provider/src/contract/outputs";
import { type Announcement, LEDGER_TAG, parseLedger } from "../../../provider/src/rotation/ledger";
import { type SimulatedRun, toldUseTime, type Write } from "../../support/simulatedCalls";
import type { SimulatedIam, SimulatedKey, SimulatedUser, Use } from "../../support/simulatedIam";
import type { Resource } from "../../support/simulatedStack";

const HOUR = 3_600_000;

/** The window of an announcement, by the design: the attempt's time limit, and 5 s because CreateDate is in whole seconds. */
const SLACK = 5_000;

function isInWindow(announcement: Announcement | undefined, instant: number): boolean {
  if (!announcement) return false;
  const opened = Date.parse(announcement.at);
  return instant >= opened - SLACK && instant <= opened + announcement.seconds * 1_000 + SLACK;
}

/** By the design: uses by STS within the rotation's time limit after CreateDate were ours, as far as IAM tells. */
function isInFirstRun({ at }: Use, createdAt: number): boolean {
  return toldUseTime(at) <= createdAt + 305_000;
}

/** Whether the last three passes of one run were good and at least 2 s apart; calls within a second are one pass. */
function isVerified({ tries }: SimulatedKey): boolean {
  return [...new Set(tries.map(({ by }) => by))].some((run) => {
    const passes: { start: number; isPass: boolean }[] = [];
    let last = -Infinity;
    for (const { at, isPass } of tries.filter(({ by }) => by === run)) {
      const pass = passes.at(-1);
      if (pass && at - last < 1_000) pass.isPass &&= isPass;
      else passes.push({ start: at, isPass });
      last = at;
    }
    const [first, second, third] = passes.slice(-3);
    if (!first?.isPass || !second?.isPass || !third?.isPass) return false;
    return second.start - first.start >= 1_800 && third.start - second.start >= 1_800;
  });
}

/** The ledger says that only creations ever wrote it. */
function isOfCreations({ tags }: SimulatedUser): boolean {
  return parseLedger(tags[LEDGER_TAG])?.writtenBy === "create";
}

const REPLACEMENT_IN_LAG = "a replacement within the lag after another run";

interface Window {
  readonly run: SimulatedRun;
  readonly user: SimulatedUser;
  readonly from: number;
  readonly to: number;
}

/**
 * The invariants, told by what is really so and not by what the protocol believes. Each exception is one of the known
 * limits, and stands on the key that it is about, by name (`limit`).
 */
export class Oracle {
  readonly violations: string[] = [];
  /** The key that the last saved state publishes. */
  published: string | undefined;
  /** Every key that a saved state published, in order. */
  readonly everPublished: string[] = [];
  /** Keys that people made, and gave to the rotation to adopt. */
  readonly offered = new Set<string>();
  /** Those of them that a saved state took over. */
  readonly adopted = new Set<string>();
  /** By the schedule's clock: since when a key is not the published one any more. */
  private readonly stoppedAt = new Map<string, number>();
  private readonly lastTag = new Map<string, { readonly run: SimulatedRun; readonly at: number }>();
  private readonly windows: Window[] = [];
  /** Keys that a destroy left to people. */
  private readonly released: SimulatedKey[] = [];
  private readonly runs = new Set<SimulatedRun>();
  /** Users whose ledger did not name the current key when a run began. */
  private readonly unledgered = new Set<string>();
  /** Runs that began while a change before them did not show yet. */
  private readonly lagging = new Set<SimulatedRun>();
  private readonly clockSet = new Set<SimulatedRun>();
  private readonly writes: { readonly run: SimulatedRun; readonly at: number }[] = [];

  constructor(
    private readonly iam: SimulatedIam,
    private readonly isCondemned: (accessKeyId: string) => boolean,
    private readonly saved: () => Resource | undefined,
  ) {}

  onWrite(write: Write): void {
    const { run, action, user, key, tags } = write;
    this.writes.push({ run, at: this.iam.time.now });
    if (run.phase === "create" && this.lagging.has(run)) {
      run.noLedger ??= REPLACEMENT_IN_LAG;
      for (const other of this.recentKeys()) other.limit ??= REPLACEMENT_IN_LAG;
    }
    if (run.phase === "delete" && action === "untag") this.onUntagged(user);
    if (run.phase === "read") this.violate("2", `a refresh does ${action}`);
    if (write.calledAt !== undefined) this.onLedgerWritten(run, user, write.calledAt);
    if (tags) this.onTag(run, user, tags);
    if (action === "create") this.onCreate(write);
    // The delete of a replacement follows its create at once, and writes by tags that may lag.
    if (run.phase === "delete" && run.weather.lagSeconds > 0 && (action === "tag" || action === "untag")) {
      for (const other of user.keys) {
        if (this.iam.time.now - other.createdAt <= 180_000)
          other.limit ??= "a ledger written by a delete while tags lag";
      }
    }
    if (key && (action === "delete" || action === "deactivate")) this.onRetire(run, action, user, key);
  }

  /** A run that begins while the writes of one before it do not show yet: the first of the known limits. */
  onRunBegins(run: SimulatedRun): void {
    this.runs.add(run);
    const current = this.saved()?.state.accessKeyId;
    for (const { userId, tags, keys } of this.iam.users.values()) {
      const isThere = keys.some(({ accessKeyId }) => accessKeyId === current);
      if (isThere && !parseLedger(tags[LEDGER_TAG])?.keys.some((id) => id === current)) this.unledgered.add(userId);
    }
    const { lagSeconds } = run.weather;
    const reason = "a re-run within the lag after another run";
    const others = [...this.runs].filter((other) => other !== run && other.isAtWork);
    // To those that outlived their engine this run's writes do not show yet, either.
    if (others.some((other) => other.weather.lagSeconds > 0)) run.noLedger ??= reason;
    if (lagSeconds === 0) return;
    for (const other of others) other.noLedger ??= reason;
    const { now } = this.iam.time;
    const isRecent = ({ at }: { readonly at: number }) => now - at <= 90_000;
    const writes = this.writes.filter(isRecent);
    // What a run wrote that ended well stands in state, and state's keys are waited for: that is no excuse.
    const isCut = others.length > 0 || writes.some(({ run: writer }) => writer.isCut);
    // People's changes do not show yet, either.
    const changes = [...this.iam.users.values()].flatMap(({ past }) => past.filter(isRecent));
    const isPeoples = changes.some(({ at }) => !writes.some((write) => write.at === at));
    if (changes.length > 0) {
      this.lagging.add(run);
      // What a destroy has just left to people may still read as the rotation's.
      for (const key of this.released) key.limit ??= reason;
    }
    if (!isCut && !isPeoples) return;
    for (const key of this.recentKeys()) key.limit ??= reason;
  }

  /** Keys that lagging lists and tags may not show yet, or not as what they are. */
  private recentKeys(): SimulatedKey[] {
    const { now } = this.iam.time;
    return [...this.iam.keys.values()].filter(
      (key) => now - key.createdAt <= 180_000 && (key.maker !== "person" || this.windowsOf(key).length > 0),
    );
  }

  /** A destroy that leaves its keys has left those, too, that only the ledger knew; even where it is killed then. */
  private onUntagged(user: SimulatedUser): void {
    const inState = this.saved()?.state.keys.map((key) => key.accessKeyId) ?? [];
    for (const key of user.keys) {
      if (key.maker !== "person" && !inState.includes(key.accessKeyId)) key.limit ??= "left to people by a destroy";
    }
  }

  /** A known limit: a call made before another run wrote takes away what only that run's ledger told. */
  private onLedgerWritten(run: SimulatedRun, user: SimulatedUser, calledAt: number): void {
    const before = this.lastTag.get(user.userId);
    this.lastTag.set(user.userId, { run, at: this.iam.time.now });
    if (!before || before.run === run || before.at < calledAt) return;
    const reason = "a ledger written over by a call that was long under way";
    before.run.noLedger ??= reason;
    const ledger = parseLedger(user.tags[LEDGER_TAG]);
    for (const key of user.keys) {
      const isNamed = ledger?.keys.includes(key.accessKeyId) || isInWindow(ledger?.announcement, key.createdAt);
      if (isNamed) key.limit ??= reason;
    }
  }

  private onTag(run: SimulatedRun, user: SimulatedUser, tags: Readonly<Record<string, string>>): void {
    for (const [name, value] of Object.entries(tags)) {
      if (!/^[\p{L}\p{N} _.:/=+\-@]{0,256}$/u.test(value)) this.violate("tag", `${name} is not a tag value: ${value}`);
      this.mustNotTell(value);
    }
    const announcement = parseLedger(tags[LEDGER_TAG])?.announcement;
    if (!announcement) return;
    const at = Date.parse(announcement.at);
    this.windows.push({ run, user, from: at - SLACK, to: at + announcement.seconds * 1_000 + SLACK });
  }

  private onCreate({ run }: Write): void {
    const { now } = this.iam.time;
    const isAnnounced = this.windows.some((window) => window.run === run && now >= window.from && now <= window.to);
    if (run.isTagDenied && !isAnnounced) run.noLedger = "tags are denied";
  }

  /** A destroy left the key to people, as it was told. */
  onReleased(key: SimulatedKey): void {
    key.maker = "person";
    this.offered.delete(key.accessKeyId);
    this.adopted.delete(key.accessKeyId);
    // A provider that outlived its engine goes on with the state that it was given.
    if (this.hasOrphan) key.limit ??= "left to people while a run was at work";
    this.released.push(key);
  }

  /** Nothing tells a person's key from an announced one: the second of the known limits. */
  private isTakenForAnnounced(key: SimulatedKey): boolean {
    return this.windowsOf(key).some(({ run }) => !run.made.some((made) => !made.isDeleted));
  }

  /** Two keys in one window are nobody's; the other is a person's, or of a run that could not announce it. */
  private isOneOfTwo(key: SimulatedKey): boolean {
    const windows = this.windowsOf(key);
    const unannounced = [...this.runs].filter((run) => run.isTagDenied).flatMap((run) => run.made);
    return [...this.iam.keys.values()]
      .filter((other) => other !== key && (other.maker === "person" || unannounced.includes(other)))
      .some((other) => this.windowsOf(other).some((window) => windows.includes(window)));
  }

  private windowsOf(key: SimulatedKey): Window[] {
    return this.windows.filter(
      ({ user, from, to }) => user.userId === key.userId && key.createdAt >= from && key.createdAt <= to,
    );
  }

  private onRetire(run: SimulatedRun, action: string, user: SimulatedUser, key: SimulatedKey): void {
    const { accessKeyId } = key;
    if (
      key.maker !== run.rotationId &&
      !this.offered.has(accessKeyId) &&
      !key.limit &&
      !this.isTakenForAnnounced(key)
    ) {
      this.violate("2", `${action} of ${accessKeyId}, which ${key.maker} made`);
    }
    const isTold = run.phase === "delete" || this.isCondemned(accessKeyId);
    // Whoever restores an older state while a run is at work on the newer one gets what that run does.
    if (run.isOfNewerState) key.isTouched = true;
    // The end of a replacement gives no leave to take what the replacement publishes.
    const isOfReplaced = run.isEndOfReplacement && accessKeyId === this.published;
    // A replacement has no state: what a run wrote just before it shows in the ledger alone, which lags.
    if (isOfReplaced && this.lagging.has(run)) key.limit ??= REPLACEMENT_IN_LAG;
    if (isOfReplaced && this.offered.has(accessKeyId) && this.unledgered.has(user.userId)) {
      key.limit ??= "adopt left in the program of a replacement, without a ledger";
    }
    if (isOfReplaced && !key.isTouched && !key.limit) {
      this.violate(
        "1",
        `${action} of ${accessKeyId}, which the replacement publishes, with the resource that was replaced`,
      );
    }
    // Whoever has a destroy fail half-way has been told which keys are gone.
    if (run.phase === "delete") key.isTouched = true;
    if (isTold || key.status !== "Active" || !run.toldActive.has(accessKeyId)) return;
    const use = this.usesOfOthers(run, key);
    if (accessKeyId === this.published && !key.isTouched && !key.limit) {
      // The design's rule for --replace: only creations ever wrote the ledger, and only we ever used it, as far as IAM tells.
      const isUnusedFirst = run.phase === "create" && isOfCreations(user) && use === null;
      if (isUnusedFirst) key.isTouched = true;
      else this.violate("1", `${action} of the published key ${accessKeyId}`);
    }
    // What was long past when it was decided may be recent by a clock that was set back since.
    if (this.clockSet.has(run)) return;
    if (run.isToldToRetire || !this.everPublished.includes(accessKeyId)) return;
    if (use === undefined) {
      this.violate("5", `${action} of ${accessKeyId}, whose last use was not read`);
      return;
    }
    if (use && toldUseTime(use.at) + run.quietHours * HOUR > run.localNow) {
      this.violate("5", `${action} of ${accessKeyId}, used ${new Date(use.at).toISOString()}`);
    }
    // The known limit: a replacement of what was never updated, within IAM's reporting lag.
    if (run.phase === "create" && isOfCreations(user)) return;
    const stopped = this.stoppedAt.get(accessKeyId);
    if (stopped !== undefined && stopped + Math.min(run.quietHours, 4) * HOUR > run.localNow) {
      this.violate("5", `${action} of ${accessKeyId}, which was current until ${new Date(stopped).toISOString()}`);
    }
  }

  /**
   * The last use that the run was told of, our own set aside; undefined where it did not ask. Of a leftover we know no
   * verification: by the design, uses by STS within the rotation's time limit after its CreateDate were ours.
   */
  private usesOfOthers(run: SimulatedRun, { accessKeyId, createdAt }: SimulatedKey): Use | null | undefined {
    const use = run.toldUses.get(accessKeyId);
    if (!use) return use;
    const record =
      run.phase === "create" ? undefined : this.saved()?.state.keys.find((key) => key.accessKeyId === accessKeyId);
    const isLeftover = record === undefined || record.state === "leftover";
    // Nobody but us can use a pending key; a restored state may be wrong about that, and then takes STS for ours.
    const isPending = record?.state === "pending";
    const isTakenForOurs = use.service === "sts" && (isPending || (isLeftover && isInFirstRun(use, createdAt)));
    const isInMinuteOfOurs =
      use.service === "sts" && toldUseTime(use.at) <= Date.parse(record?.verifiedAt ?? "") + SLACK;
    return use.isOurs || isTakenForOurs || isInMinuteOfOurs ? null : use;
  }

  /** The engine has saved: what it publishes now works, and was verified. */
  onSave(resource: Resource | undefined): void {
    const before = this.published;
    const state = resource?.state;
    const offered = resource?.inputs.adopt?.accessKeyId;
    if (offered !== undefined && this.offered.has(offered)) this.adopted.add(offered);
    this.published = state?.accessKeyId ?? undefined;
    if (!state || !this.published) return;
    const key = this.iam.keys.get(this.published);
    if (!key) return this.violate("1", `the state publishes ${this.published}, which never was`);
    if (state.secretAccessKey !== key.secretAccessKey) this.violate("4", `the secret of ${key.accessKeyId} is wrong`);
    if (!this.isPublishedGood()) this.violate("1", `the state publishes ${key.accessKeyId}, which does not work`);
    const open = Object.fromEntries(
      Object.entries(state).filter(([name]) => !(SECRET_OUTPUTS as readonly string[]).includes(name)),
    );
    this.mustNotTell(JSON.stringify(open));
    if (this.published === before) return;
    if (!this.everPublished.includes(this.published)) {
      if (!isVerified(key)) this.violate("3", `${key.accessKeyId} is published, and was not verified 3 times in a row`);
    }
    this.everPublished.push(this.published);
    this.stoppedAt.delete(this.published);
    const isUnusedFirst =
      state.rotation.number === 0 && this.isOfCreations(state.userId) && this.isUnusedByOthers(before);
    if (before !== undefined && !isUnusedFirst) this.stoppedAt.set(before, Date.parse(state.rotation.at));
  }

  private isOfCreations(userId: string): boolean {
    const user = [...this.iam.users.values()].find((other) => other.userId === userId);
    return user !== undefined && isOfCreations(user);
  }

  /** As far as IAM tells by now: what a creation takes for its own killed attempt. */
  private isUnusedByOthers(accessKeyId: string | undefined): boolean {
    const key = this.iam.keys.get(accessKeyId ?? "");
    const use = key && this.iam.lastUse(key);
    return !use || use.isOurs || (key !== undefined && use.service === "sts" && isInFirstRun(use, key.createdAt));
  }

  /** A person puts an older state in place: what it publishes may be long gone. */
  onRestore(resource: Resource): void {
    // It does not know which keys were current since: the known limit "restored within that lag".
    this.stoppedAt.clear();
    for (const run of this.runs) run.isOfNewerState ||= run.isAtWork;
    // An adopted key that neither it nor a ledger names is its people's again.
    const named = [...this.iam.users.values()].flatMap(({ tags }) => parseLedger(tags[LEDGER_TAG])?.keys ?? []);
    const inState = resource.state.keys.map(({ accessKeyId }) => accessKeyId);
    for (const id of this.adopted) if (![...named, ...inState].includes(id)) this.adopted.delete(id);
    // Keys that a destroy had left to people are the rotation's again.
    for (const key of this.released) {
      if (resource.state.keys.some(({ accessKeyId }) => accessKeyId === key.accessKeyId)) key.maker = resource.id;
    }
    this.published = resource.state.accessKeyId ?? undefined;
    const key = this.published === undefined ? undefined : this.iam.keys.get(this.published);
    if (key && (key.isDeleted || key.status !== "Active")) key.isTouched = true;
  }

  /** What holds after everything that happens. */
  check(rotationId: string, user: SimulatedUser, resources: readonly Resource[]): void {
    if (this.published !== undefined && !this.isPublishedGood()) {
      this.violate("1", `the published key ${this.published} does not work`);
    }
    const ledger = parseLedger(user.tags[LEDGER_TAG]);
    const announcement = ledger?.announcement;
    const inState = resources.flatMap(({ state }) => state.keys.map((key) => key.accessKeyId));
    for (const key of user.keys) {
      const { accessKeyId } = key;
      if (key.maker !== rotationId || key.limit || inState.includes(accessKeyId)) continue;
      if (ledger?.rotationId === rotationId) {
        if (ledger.keys.includes(accessKeyId)) continue;
        if (isInWindow(announcement, key.createdAt) && !announcement?.others.includes(accessKeyId)) continue;
      }
      const maker = [...this.runs].find((run) => run.made.includes(key));
      // A provider that outlived its engine is still at it: it ends by deleting the key or naming it.
      if (maker?.isAtWork) continue;
      if (maker?.noLedger) key.limit = maker.noLedger;
      else if (this.isOneOfTwo(key)) key.limit = "two keys within the window of an announcement";
      else this.violate("4", `nobody knows ${accessKeyId}: it is neither in state nor in the ledger`);
    }
  }

  /** A provider that outlived its engine is still at it. */
  get hasOrphan(): boolean {
    return [...this.runs].some((run) => run.isAtWork);
  }

  /** The local clock is set while runs are at work. */
  onClockSet(): void {
    for (const run of this.runs) if (run.isAtWork) this.clockSet.add(run);
  }

  /** The ledger is taken away, or the state is: what only it knew is lost. */
  onKnowledgeLost(user: SimulatedUser, reason: string, inState: readonly string[]): void {
    for (const key of user.keys) if (!inState.includes(key.accessKeyId)) key.limit ??= reason;
    for (const run of this.runs) if (run.isAtWork) run.noLedger = reason;
  }

  /** A run at work has written its ledger on the old user, and makes its key on the new one. */
  onUserMadeAgain(): void {
    for (const run of this.runs) if (run.isAtWork) run.noLedger ??= "a user made again while a run was at work";
  }

  mustNotTell(text: string): void {
    for (const { secretAccessKey } of this.iam.keys.values()) {
      if (text.includes(secretAccessKey)) this.violate("secret", text);
    }
  }

  private isPublishedGood(): boolean {
    const key = this.published === undefined ? undefined : this.iam.keys.get(this.published);
    return (
      key !== undefined && ((!key.isDeleted && key.status === "Active") || key.isTouched || key.limit !== undefined)
    );
  }

  violate(invariant: string, what: string): void {
    this.violations.push(`invariant ${invariant}: ${what}`);
  }
}
