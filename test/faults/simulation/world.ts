import { AMBIENT_CONNECTION_ID } from "../../../provider/src/contract/inputs";
import { rotationId } from "../../../provider/src/contract/ids";
import { announcedKey, LEDGER_TAG, OWNER_TAG, parseLedger } from "../../../provider/src/rotation/ledger";
import { CALM, type LocalClock, type SimulatedRun, type Weather, type Write } from "../../support/simulatedCalls";
import { QUOTA, SimulatedIam, type SimulatedKey, type SimulatedUser } from "../../support/simulatedIam";
import { type Outcome, type Resource, SimulatedStack, type StackObserver } from "../../support/simulatedStack";
import { randomOf, VirtualTime } from "../../support/virtualTime";
import { type Event, USERS } from "./history";
import { Oracle } from "./oracle";
import { remedy } from "./remedy";

export const START = Date.parse("2027-01-10T08:30:00.000Z");
const HOUR = 3_600_000;

/** Longer than any run goes on, its orphans included, and than any lag. */
const QUIET = 2 * HOUR;

/** What a program gives; `owner` is what the resource class adds. */
export const PROGRAM: Readonly<Record<string, unknown>> = {
  name: "ci-bot",
  projectId: "platform",
  connectionId: AMBIENT_CONNECTION_ID,
  environment: "prod",
  secretPath: "/ci",
  rotationInterval: 30,
  parameters: { userName: USERS[0], region: "us-east-1" },
  secretsMapping: { accessKeyId: "AWS_ACCESS_KEY_ID", secretAccessKey: "AWS_SECRET_ACCESS_KEY" },
  owner: "acme/platform/prod/ci-bot",
};

/** A stack, its IAM and the people around them, with the invariants watched. */
export class World implements StackObserver {
  readonly time = new VirtualTime(START);
  readonly local: LocalClock = { offset: 0 };
  readonly iam = new SimulatedIam(this.time);
  readonly stack: SimulatedStack;
  readonly oracle: Oracle;
  program: Record<string, unknown> = { ...PROGRAM };
  /** States that were saved, the newest last: what a person may restore. */
  private readonly states: Resource[] = [];
  private triggers = 0;
  /** A ledger of later does not name the keys that only an earlier one named. */
  private isUntagged = false;
  /** What happened, for the report of a failure. */
  readonly story: string[] = [];

  constructor({ mark = "aa0000", owner }: { readonly mark?: string; readonly owner?: string } = {}) {
    this.stack = new SimulatedStack(this.iam, this.local, this, mark);
    this.oracle = new Oracle(
      this.iam,
      (id) => this.stack.condemned.some(({ state }) => state.keys.some((key) => key.accessKeyId === id)),
      () => this.stack.saved,
    );
    if (owner !== undefined) this.program["owner"] = owner;
    for (const userName of USERS) this.iam.addUser(userName);
  }

  get userName(): string {
    return (this.program["parameters"] as { userName: string }).userName;
  }

  get user(): SimulatedUser {
    return this.iam.users.get(this.userName)!;
  }

  get rotationId(): string {
    return rotationId(String(this.program["owner"]), this.userName);
  }

  onRunBegins(run: SimulatedRun): void {
    this.oracle.onRunBegins(run);
  }

  onWrite(write: Write): void {
    this.oracle.onWrite(write);
    this.isUntagged ||= write.action === "untag";
  }

  onSave(resource: Resource | undefined): void {
    this.oracle.onSave(resource);
    if (resource) this.states.push(resource);
  }

  /** With `revokeGeneratedCredentials: false` the keys are left to people on purpose. */
  onDeleted({ id, state }: Resource): void {
    if (state.revokeGeneratedCredentials) return;
    this.isUntagged = true;
    const inState = this.stack.saved?.state.keys.map((key) => key.accessKeyId) ?? [];
    // Where the tags may not be taken away, the ledger claims the keys on.
    const user = this.iam.users.get(state.parameters.userName);
    const ledger = parseLedger(user?.tags[LEDGER_TAG]);
    if (ledger?.rotationId === id) {
      const listed = (user?.keys ?? []).map((key) => ({ ...key, createdAt: new Date(key.createdAt).toISOString() }));
      const announced = announcedKey(ledger.announcement, listed);
      inState.push(...ledger.keys, ...(announced ? [announced.accessKeyId] : []));
    }
    for (const key of this.iam.users.get(state.parameters.userName)?.keys ?? []) {
      const isOurs = key.maker === id || this.oracle.adopted.has(key.accessKeyId);
      if (isOurs && key.userId === state.userId && !inState.includes(key.accessKeyId)) this.oracle.onReleased(key);
    }
  }

  /** An `up`; what it says is searched for secrets, and its failure must say what to do. */
  async up(how: { trigger?: boolean; refresh?: boolean; replace?: boolean; weather?: Weather } = {}): Promise<Outcome> {
    const { trigger = false, refresh = false, replace = false, weather = CALM } = how;
    const adopted = this.program["adopt"] as { accessKeyId: string } | undefined;
    if (adopted) this.oracle.offered.add(adopted.accessKeyId);
    if (trigger) this.program["rotationTrigger"] = `trigger ${(this.triggers += 1)}`;
    return this.told(await this.stack.up(this.program, { refresh, replace }, weather));
  }

  async destroy(weather: Weather = CALM): Promise<Outcome> {
    return this.told(await this.stack.destroy(weather));
  }

  async play(event: Event): Promise<Outcome | undefined> {
    const outcome = await this.happen(event);
    const { error } = outcome ?? {};
    const said = outcome ? ` -> ${outcome.did}${error ? `: ${error.message.split("\n")[0]}` : ""}` : "";
    const { kind, weather, ...rest } = { weather: undefined, ...event };
    this.story.push(
      `${new Date(this.time.now).toISOString()} ${kind} ${JSON.stringify(rest)}${weather && weather !== CALM ? ` in ${JSON.stringify(weather)}` : ""}${said}`,
    );
    this.check();
    return outcome;
  }

  check(): void {
    this.oracle.check(this.rotationId, this.user, [
      ...(this.stack.saved ? [this.stack.saved] : []),
      ...this.stack.condemned,
    ]);
    if (this.oracle.violations.length > 0) throw new Error([...this.oracle.violations, ...this.story].join("\n"));
  }

  /** Ours on the user are exactly those that state lists, the published one works, nothing is open or pending. */
  assertSettled(): void {
    const state = this.stack.saved?.state;
    if (!state) return this.fail("there is no state");
    const ours = this.user.keys.filter(
      (key) => !key.limit && (key.maker === this.rotationId || this.oracle.adopted.has(key.accessKeyId)),
    );
    const listed = state.keys.map((key) => key.accessKeyId);
    const problems = [
      ...ours
        .filter((key) => !listed.includes(key.accessKeyId))
        .map((key) => `${key.accessKeyId} is ours, and not in state`),
      ...listed
        .filter((id) => !this.user.keys.some((key) => key.accessKeyId === id))
        .map((id) => `${id} is in state, and not on the user`),
      ...(state.pendingCredentials ? ["a key is pending"] : []),
      ...(state.unsettled ? [`unsettled: ${state.unsettled}`] : []),
      ...(this.user.keys.some((key) => key.accessKeyId === state.accessKeyId && key.status === "Active")
        ? []
        : ["the published key does not work"]),
    ];
    const ledger = parseLedger(this.user.tags[LEDGER_TAG]);
    if (ledger?.announcement) problems.push("a key is announced");
    // It may name fewer: where tags were denied for a time, the next rotation brings it up to date.
    if (ledger?.keys.some((id) => !listed.includes(id))) {
      problems.push(`the ledger names ${ledger.keys.join()}, state ${listed.join()}`);
    }
    if (problems.length > 0) this.fail(`invariant 3: ${problems.join("; ")}`);
  }

  /**
   * Nobody disturbs any more. A refresh and an `up`, or what their errors say, must set everything right; a rotation
   * must go; a destroy must leave nothing of ours, and everything of others.
   */
  async epilogue(): Promise<void> {
    await this.quiet();
    for (const user of this.iam.users.values()) user.isTaggable = true;
    // What a replacement left is deleted at the end of an `up`: the one after it puts state right.
    if (this.stack.condemned.length > 0) await this.untilItWorks({});
    await this.untilItWorks({ refresh: true });
    this.assertSettled();
    await this.quiet();
    await this.untilItWorks({ trigger: true });
    this.assertSettled();
    const foreign = this.user.keys.filter((key) => key.maker === "person" && !this.oracle.offered.has(key.accessKeyId));
    this.program["revokeGeneratedCredentials"] = true;
    await this.untilItWorks({});
    const { error } = await this.destroy();
    if (error) this.fail(`the destroy failed: ${error.message}`);
    const left = this.user.keys.filter((key) => key.maker === this.rotationId && !key.limit);
    if (left.length > 0) this.fail(`invariant 4: left after the destroy: ${left.map((key) => key.accessKeyId).join()}`);
    const tags = [LEDGER_TAG, OWNER_TAG].filter((name) => name in this.user.tags);
    const hasLimited = this.user.keys.some((key) => key.limit);
    if (tags.length > 0 && !hasLimited)
      this.fail(`left after the destroy: ${tags.join()} ${this.user.tags[LEDGER_TAG]}`);
    if (!foreign.every((key) => this.user.keys.includes(key) || key.limit))
      this.fail("invariant 2: the destroy took a foreign key");
    this.check();
  }

  /** An undisturbed `up`, and as long as it fails, what its error says. */
  private async untilItWorks(how: { trigger?: boolean; refresh?: boolean }): Promise<void> {
    const tried: string[] = [];
    for (let attempt = 0; attempt < 6; attempt += 1) {
      const { error } = await this.up({ ...how, trigger: attempt === 0 && how.trigger === true });
      this.story.push(`epilogue ${JSON.stringify(how)} -> ${error?.message ?? "ok"}`);
      this.check();
      if (!error) return;
      const done = await remedy(error, this);
      tried.push(`${error.message}\n  DID ${done ?? "nothing: it does not say what"}`);
      if (done === undefined) break;
    }
    this.fail(`invariant 6: stuck\n${tried.join("\n")}`);
  }

  /** Lets everything end that is under way, and every lag. */
  async quiet(): Promise<void> {
    await this.time.advance(QUIET);
    this.local.offset = 0;
  }

  restoreNewest(): void {
    const newest = this.states.at(-1);
    if (newest) this.restore(newest);
  }

  fail(what: string): never {
    const keys = this.user.keys.map((key) =>
      JSON.stringify({ ...key, uses: key.uses.length, tries: key.tries.length }),
    );
    const { saved } = this.stack;
    const state =
      saved &&
      JSON.stringify({ keys: saved.state.keys, generation: saved.state.generation, rotation: saved.state.rotation });
    throw new Error(
      [
        what,
        ...this.story,
        `keys: ${keys.join("\n")}`,
        `tags: ${JSON.stringify(this.user.tags)}`,
        `state: ${state}`,
      ].join("\n"),
    );
  }

  private told(outcome: Outcome): Outcome {
    const { error } = outcome;
    if (error) {
      this.oracle.mustNotTell(`${error.message} ${JSON.stringify(error)}`);
      if (!error.explanation.next) this.oracle.violate("6", `an error does not say what to do: ${error.message}`);
    }
    for (const line of this.stack.logs.splice(0)) this.oracle.mustNotTell(line);
    return outcome;
  }

  private async happen(event: Event): Promise<Outcome | undefined> {
    switch (event.kind) {
      case "up":
        return this.up(event);
      case "destroy":
        return this.destroy(event.weather);
      case "wait":
        await this.time.advance(event.seconds * 1_000);
        return undefined;
      case "use":
        // Long enough after a save to be no verification of ours.
        await this.time.advance(10_000);
        this.use(event.which, event.service);
        return undefined;
      case "set":
        this.program = { ...this.program, ...event.change };
        return undefined;
      case "policy": {
        const policy = { ...(this.program["previousKey"] as object | undefined), ...event.change };
        this.program["previousKey"] = Object.fromEntries(
          Object.entries(policy).filter(([, value]) => value !== undefined),
        );
        return undefined;
      }
      case "user":
        this.program["parameters"] = { userName: event.userName, region: "us-east-1" };
        return undefined;
      case "person":
        this.person(event.act, event.index);
        return undefined;
      case "adopt":
        this.adopt(event.isGiven);
        return undefined;
      case "untag": {
        const { [LEDGER_TAG]: _ledger, [OWNER_TAG]: _owner, ...rest } = this.user.tags;
        this.isUntagged = true;
        this.knowledgeLost("a person took the tags away");
        this.iam.setTags(this.user, rest);
        return undefined;
      }
      case "taggable":
        this.user.isTaggable = event.isTaggable;
        return undefined;
      case "recreateUser":
        for (const key of this.user.keys) key.isTouched = true;
        this.oracle.onUserMadeAgain();
        this.iam.addUser(this.userName);
        return undefined;
      case "restore": {
        const older = this.states.at(-1 - event.back);
        if (!older) return undefined;
        this.restore(older);
        // It may be of another user than the program now names.
        for (const user of this.iam.users.values()) {
          if (LEDGER_TAG in user.tags && !this.isUntagged) continue;
          this.knowledgeLost("an older state restored where the ledger was taken away", user);
        }
        return undefined;
      }
      case "clock":
        this.local.offset = event.offsetSeconds * 1_000;
        this.oracle.onClockSet();
        return undefined;
    }
  }

  knowledgeLost(reason: string, user = this.user): void {
    const inState = [this.stack.saved, ...this.stack.condemned].flatMap((resource) => resource?.state.keys ?? []);
    this.oracle.onKnowledgeLost(
      user,
      reason,
      inState.map((key) => key.accessKeyId),
    );
  }

  private restore(resource: Resource): void {
    this.stack.saved = resource;
    this.stack.condemned = [];
    this.oracle.onRestore(resource);
  }

  private use(which: "published" | "former", service: string): void {
    const published = this.oracle.everPublished;
    const id =
      which === "published" ? this.oracle.published : published.findLast((other) => other !== this.oracle.published);
    const key = id === undefined ? undefined : this.iam.keys.get(id);
    if (!key || key.isDeleted || key.status !== "Active") return;
    const hours = randomOf(key.uses.length + 1)() * 3;
    key.uses.push({
      at: this.time.now,
      service,
      region: "us-east-1",
      isOurs: false,
      reportedAt: this.time.now + hours * HOUR,
    });
  }

  private adopt(isGiven: boolean): void {
    delete this.program["adopt"];
    if (!isGiven) return;
    const { user, iam } = this;
    const theirs = user.keys.find((key) => key.maker === "person" && key.status === "Active");
    const key = theirs ?? (user.keys.length < QUOTA ? iam.makeKey(user, "person") : undefined);
    if (!key) return;
    const { accessKeyId, secretAccessKey } = key;
    this.program["adopt"] = { accessKeyId, secretAccessKey };
  }

  private person(act: Extract<Event, { kind: "person" }>["act"], index: number): void {
    const { user, iam } = this;
    if (act === "add" || act === "addBeyondQuota") {
      if (user.keys.length < QUOTA + (act === "add" ? 0 : 1)) iam.makeKey(user, "person");
      return;
    }
    const key: SimulatedKey | undefined = user.keys[index];
    if (!key) return;
    key.isTouched = true;
    if (act === "delete") iam.deleteKey(user, key);
    else iam.setStatus(user, key, act === "disable" ? "Inactive" : "Active");
  }
}
