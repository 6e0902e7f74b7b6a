import { AMBIENT_CONNECTION_ID } from "../../provider/src/contract/inputs";
import type { CheckedInputs, RotationState } from "../../provider/src/contract/outputs";
import { check } from "../../provider/src/lifecycle/check";
import type { LifecycleContext } from "../../provider/src/lifecycle/context";
import { create } from "../../provider/src/lifecycle/create";
import { deleteRotation } from "../../provider/src/lifecycle/delete";
import { diff } from "../../provider/src/lifecycle/diff";
import { PartialFailure } from "../../provider/src/lifecycle/partialFailure";
import { read } from "../../provider/src/lifecycle/read";
import { update } from "../../provider/src/lifecycle/update";
import { RotationError } from "../../provider/src/rotation/errors";
import { FakeAws } from "./fakeAws";
import { FakeClock } from "./fakeClock";

export type Inputs = Record<string, unknown>;

/** The connection of the fake account "other": see {@link FakeStack.other}. */
export const OTHER_CONNECTION_ID = "aaaaaaaa-0000-4000-8000-00000000000b";

/** What every program gives; `owner` is what the resource class adds. */
export function program(changes: Inputs = {}): Inputs {
  const given: Inputs = {
    name: "ci-bot",
    projectId: "platform",
    connectionId: AMBIENT_CONNECTION_ID,
    environment: "prod",
    secretPath: "/ci",
    rotationInterval: 30,
    parameters: { userName: "ci-bot", region: "us-east-1" },
    secretsMapping: { accessKeyId: "AWS_ACCESS_KEY_ID", secretAccessKey: "AWS_SECRET_ACCESS_KEY" },
    owner: "acme/platform/prod/ci-bot",
    ...changes,
  };
  return Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));
}

/** What a run of the stack did to the resource. */
export interface Outcome {
  readonly did: "invalid" | "create" | "update" | "replace" | "same" | "refresh" | "gone" | "destroy";
  readonly failures?: readonly string[];
  readonly error?: RotationError;
  /** Whether what failed was saved all the same. */
  readonly isSaved?: boolean;
}

interface Resource {
  readonly id: string;
  readonly inputs: CheckedInputs;
  readonly state: RotationState;
  /** The engine updates once more after a partial failure, even where `diff` sees no change. */
  readonly hasInitErrors: boolean;
}

/** One resource under a model of Pulumi's engine: it keeps what the engine keeps, and calls in the engine's order. */
export class FakeStack implements LifecycleContext {
  readonly clock = new FakeClock();
  readonly aws = new FakeAws(this.clock);
  /** A second account, with a user of the same name. */
  readonly other = new FakeAws(this.clock, "210987654321");
  readonly logs: string[] = [];
  readonly settings: Record<string, string> = {
    "iam-rotation:connections": JSON.stringify({ [OTHER_CONNECTION_ID]: { name: "other", method: "default" } }),
  };
  /** What `open` was asked for. */
  readonly opened: Parameters<LifecycleContext["open"]>[0][] = [];
  resource: Resource | undefined;
  private runs = 0;

  constructor() {
    this.aws.addUser("ci-bot");
    this.other.addUser("ci-bot");
  }

  uuid(): string {
    this.runs += 1;
    return `${String(this.runs).padStart(8, "0")}-0000-4000-8000-000000000000`;
  }

  config(key: string): string | undefined {
    return this.settings[key];
  }

  log(message: string): void {
    this.logs.push(message);
  }

  open(target: Parameters<LifecycleContext["open"]>[0]): ReturnType<LifecycleContext["open"]> {
    this.opened.push(target);
    const aws = target.connection.id === OTHER_CONNECTION_ID ? this.other : this.aws;
    return Promise.resolve(aws.open(target.userName, target.region));
  }

  /** The state, where a test knows that there is one. */
  get state(): RotationState {
    if (!this.resource) throw new Error("the stack has no resource");
    return this.resource.state;
  }

  /** What `preview` computes: the checked inputs, and whether an update is due. */
  preview(news: Inputs = program()) {
    const checked = check(this.resource ? plain(this.resource.inputs) : {}, plain(news), this);
    if (!checked.inputs) return { failures: checked.failures };
    const inputs = plain<CheckedInputs>(checked.inputs);
    return { failures: [], inputs, diff: this.resource && diff(plain(this.resource.state), inputs, this) };
  }

  async up(news: Inputs = program()): Promise<Outcome> {
    const { failures, inputs, diff: difference } = this.preview(news);
    if (!inputs) return { did: "invalid", failures };
    const old = this.resource;
    if (!old) return this.create(inputs, "create");
    if (difference?.replaces.length) return this.replace(news);
    if (!difference?.changes && !old.hasInitErrors) {
      this.resource = { ...old, inputs };
      return { did: "same" };
    }
    try {
      const state = await update(old.id, plain(old.state), plain(inputs), this);
      this.resource = { id: old.id, inputs, state: plain(state), hasInitErrors: false };
      return { did: "update" };
    } catch (error) {
      return this.saved("update", error, old.inputs);
    }
  }

  /** The provider's process dies right after a call, so nothing is saved; the next run finds what it left. */
  async upKilledAfter(call: Parameters<FakeAws["killAfter"]>[0], news: Inputs = program()): Promise<void> {
    const before = this.resource;
    this.aws.killAfter(call);
    await this.up(news);
    this.resource = before;
    if (!this.aws.revive()) throw new Error(`the run made no call ${call}`);
  }

  /** Create before delete, with the second check that the engine makes. */
  async replace(news: Inputs = program()): Promise<Outcome> {
    const old = this.resource;
    const checked = check({}, plain(news), this);
    if (!checked.inputs) return { did: "invalid", failures: checked.failures };
    const outcome = await this.create(plain(checked.inputs), "replace");
    if (old && !outcome.error) await deleteRotation(old.id, plain(old.state), this);
    return outcome;
  }

  async refresh(): Promise<Outcome> {
    const old = this.resource;
    if (!old) return { did: "same" };
    const result = await read(old.id, plain(old.state), this);
    // A refresh clears the engine's own memory of a partial failure.
    this.resource = result && {
      id: old.id,
      inputs: plain<CheckedInputs>(result.inputs),
      state: plain(result.state),
      hasInitErrors: false,
    };
    return { did: result ? "refresh" : "gone" };
  }

  async destroy(): Promise<Outcome> {
    if (this.resource) await deleteRotation(this.resource.id, plain(this.resource.state), this);
    this.resource = undefined;
    return { did: "destroy" };
  }

  private async create(inputs: CheckedInputs, did: "create" | "replace"): Promise<Outcome> {
    try {
      const { id, state } = await create(plain(inputs), this);
      this.resource = { id, inputs, state: plain(state), hasInitErrors: false };
      return { did };
    } catch (error) {
      return this.saved(did, error, inputs);
    }
  }

  private saved(did: Outcome["did"], error: unknown, inputs: CheckedInputs): Outcome {
    if (error instanceof PartialFailure) {
      this.resource = { id: error.id, inputs, state: plain(error.state), hasInitErrors: true };
      return { did, error: error.error, isSaved: true };
    }
    if (error instanceof RotationError) return { did, error, isSaved: false };
    throw error;
  }
}

/** What is left of a value on its way over gRPC: a copy in plain JSON. */
export function plain<T>(value: object): T {
  return JSON.parse(JSON.stringify(value)) as T;
}
