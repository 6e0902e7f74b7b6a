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
import { type LocalClock, SimulatedRun, type Weather, type Write } from "./simulatedCalls";
import type { SimulatedIam } from "./simulatedIam";

export type Program = Readonly<Record<string, unknown>>;

/** A resource as the engine keeps it. */
export interface Resource {
  readonly id: string;
  readonly inputs: CheckedInputs;
  readonly state: RotationState;
  /** After a partial failure the next `up` updates, even where `diff` sees no change; a refresh clears it. */
  readonly hasInitErrors: boolean;
}

/** How a run of the engine ended. */
export interface Outcome {
  readonly did: "same" | "create" | "update" | "replace" | "destroy" | "gone" | "killed";
  readonly error?: RotationError | undefined;
  /** Keys were looked at with a refresh, or worked on by an update. */
  readonly hasSettled: boolean;
}

/** What a stack tells its observer. */
export interface StackObserver {
  onRunBegins(run: SimulatedRun): void;
  onWrite(write: Write): void;
  /** The engine has saved; undefined when the resource is gone. */
  onSave(resource: Resource | undefined): void;
  /** A resource was deleted, well; another of the same id may stand in its place. */
  onDeleted(resource: Resource): void;
}

class Killed extends Error {}

/** One resource under a model of Pulumi's engine: it keeps what the engine keeps, and calls in the engine's order. */
export class SimulatedStack {
  saved: Resource | undefined;
  /** What replacements left behind, to be deleted at the end of an `up` that goes well. */
  condemned: Resource[] = [];
  readonly logs: string[] = [];
  /** The stack's config, as JSON text by full key. */
  readonly settings: Record<string, string> = {};
  private runs = 0;

  constructor(
    readonly iam: SimulatedIam,
    readonly local: LocalClock,
    private readonly observer: StackObserver,
    private readonly mark: string,
  ) {}

  async up(
    program: Program,
    how: { readonly refresh: boolean; readonly replace: boolean },
    weather: Weather,
  ): Promise<Outcome> {
    return this.running(weather, async (run, context) => {
      const isRefreshed = how.refresh && this.saved !== undefined;
      if (isRefreshed) await this.refresh(run, context);
      const old = this.saved;
      const inputs = checked(old?.inputs ?? {}, program, context);
      const difference = old && diff(old.state, inputs, context);
      if (!old || how.replace || difference?.replaces.length) {
        const fresh = old ? checked({}, program, context) : inputs;
        await this.create(fresh, old, run, context);
        await this.deleteCondemned(run, context);
        return { did: old ? "replace" : "create", hasSettled: !old };
      }
      if (!difference?.changes && !old.hasInitErrors) {
        this.save({ ...old, inputs });
        await this.deleteCondemned(run, context);
        return { did: "same", hasSettled: isRefreshed };
      }
      const { rotation } = old.state;
      const isWorkedOn =
        isRefreshed ||
        old.state.pendingCredentials !== null ||
        inputs.rotation.number !== rotation.number ||
        old.state.unsettled !== null;
      await this.update(old, inputs, run, context);
      await this.deleteCondemned(run, context);
      return { did: "update", hasSettled: isWorkedOn };
    });
  }

  async destroy(weather: Weather): Promise<Outcome> {
    return this.running(weather, async (run, context) => {
      await this.deleteCondemned(run, context, { isDestroy: true });
      const { saved } = this;
      if (saved) {
        await this.delete(saved, run, context);
        this.save(undefined);
        this.observer.onDeleted(saved);
      }
      return { did: "destroy", hasSettled: true };
    });
  }

  private async running(
    weather: Weather,
    work: (run: SimulatedRun, context: LifecycleContext) => Promise<Outcome>,
  ): Promise<Outcome> {
    const run = new SimulatedRun(this.iam, weather, this.local, (write) => this.observer.onWrite(write));
    this.observer.onRunBegins(run);
    const { time } = this.iam;
    const context: LifecycleContext = {
      clock: { now: () => new Date(time.now + this.local.offset), sleep: (milliseconds) => time.wait(milliseconds) },
      uuid: () => {
        this.runs += 1;
        return `${this.mark}${String(this.runs).padStart(6, "0")}-0000-4000-8000-000000000000`;
      },
      config: (key) => this.settings[key],
      log: (message) => void this.logs.push(message),
      open: (target) => Promise.resolve(run.open(target)),
    };
    try {
      return await time.until(work(run, context));
    } catch (error) {
      if (error instanceof Killed) return { did: "killed", hasSettled: false };
      run.hasFailed = true;
      if (error instanceof RotationError) return { did: "same", error, hasSettled: false };
      throw error;
    }
  }

  /** A method of the provider; its end is not heard of when the engine is killed before. */
  private async provider<T>(run: SimulatedRun, method: () => Promise<T>): Promise<T> {
    const result = method();
    run.isAtWork = true;
    const end = () => void (run.isAtWork = false);
    // An orphan's failure is nobody's.
    result.then(end, end);
    const ended = await Promise.race([result.then((value) => ({ value })), run.killed]);
    if (ended === "killed" || run.isOrphan) throw new Killed();
    return ended.value;
  }

  private save(resource: Resource | undefined): void {
    this.saved = resource;
    this.observer.onSave(resource);
  }

  private async refresh(run: SimulatedRun, context: LifecycleContext): Promise<void> {
    const old = this.saved;
    if (!old) return;
    run.phase = "read";
    const found = await this.provider(run, () => read(old.id, old.state, context));
    this.save(
      found && {
        id: old.id,
        inputs: plain<CheckedInputs>(found.inputs),
        state: plain(found.state),
        hasInitErrors: false,
      },
    );
  }

  private async create(
    inputs: CheckedInputs,
    old: Resource | undefined,
    run: SimulatedRun,
    context: LifecycleContext,
  ): Promise<void> {
    told(run, "create", inputs);
    const condemn = () => {
      if (old) this.condemned.push(old);
    };
    try {
      const { id, state } = await this.provider(run, () => create(inputs, context));
      condemn();
      this.save({ id, inputs, state: plain(state), hasInitErrors: false });
    } catch (error) {
      if (!(error instanceof PartialFailure)) throw error;
      condemn();
      this.save({ id: error.id, inputs, state: plain(error.state), hasInitErrors: true });
      throw error.error;
    }
  }

  private async update(
    old: Resource,
    inputs: CheckedInputs,
    run: SimulatedRun,
    context: LifecycleContext,
  ): Promise<void> {
    told(run, "update", inputs);
    try {
      const state = await this.provider(run, () => update(old.id, old.state, inputs, context));
      this.save({ id: old.id, inputs, state: plain(state), hasInitErrors: false });
    } catch (error) {
      if (!(error instanceof PartialFailure)) throw error;
      this.save({ id: old.id, inputs: old.inputs, state: plain(error.state), hasInitErrors: true });
      throw error.error;
    }
  }

  private async deleteCondemned(
    run: SimulatedRun,
    context: LifecycleContext,
    { isDestroy = false } = {},
  ): Promise<void> {
    // A destroy takes what replaced it, too.
    run.isEndOfReplacement = !isDestroy;
    while (this.condemned[0]) {
      const [condemned] = this.condemned;
      await this.delete(condemned, run, context);
      this.condemned.shift();
      this.observer.onDeleted(condemned);
    }
  }

  private async delete(resource: Resource, run: SimulatedRun, context: LifecycleContext): Promise<void> {
    run.phase = "delete";
    run.isToldToRetire = true;
    await this.provider(run, () => deleteRotation(resource.id, resource.state, context));
  }
}

function told(run: SimulatedRun, phase: "create" | "update", { previousKey }: CheckedInputs): void {
  run.phase = phase;
  run.isToldToRetire = previousKey.whenInUse === "retire";
  run.quietHours = previousKey.quietHours;
}

function checked(olds: object, program: Program, context: LifecycleContext): CheckedInputs {
  const result = check(olds as Program, program, context);
  if (!result.inputs) throw new Error(`the program is wrong: ${result.failures.join("; ")}`);
  return plain(result.inputs);
}

/** What is left of a value on its way over gRPC: a copy in plain JSON. */
export function plain<T>(value: object): T {
  return JSON.parse(JSON.stringify(value)) as T;
}
