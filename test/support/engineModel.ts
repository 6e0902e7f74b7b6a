import { HostError, type ProviderHost, type Wire } from "./providerHost";

/** One resource as the engine's state keeps it. */
export interface Saved {
  readonly id: string;
  readonly inputs: Wire;
  readonly outputs: Wire;
  /** The last operation failed in part: the next `up` updates, whatever `diff` says. */
  readonly hasFailed: boolean;
}

/** What one command did. */
export interface Ran {
  readonly did: "create" | "update" | "same" | "delete" | "refresh" | "nothing";
  /** What it said when it failed. */
  readonly error?: string;
}

/**
 * The engine's part of `pulumi up`, `refresh` and `destroy` for one resource: which method of the host it calls with
 * what, and what it saves. As seen on the real engine; the cases that run there keep it honest.
 */
export class EngineModel {
  state: Saved | undefined;
  /** All texts that a person would have seen. */
  readonly told: string[] = [];

  /**
   * @param inputs What the program gives.
   * @param saves False when the engine is killed before it saves.
   */
  async up(host: ProviderHost, inputs: Wire, saves = true): Promise<Ran> {
    const old = this.state;
    return this.run(async () => {
      const { inputs: checked, failures } = await host.check(old?.inputs ?? {}, inputs);
      if (failures.length > 0) throw new Error(failures.join("\n"));
      if (!old) {
        const { saved, error } = await outcome(async () => {
          const { id, outputs } = await host.create(checked);
          return { id, inputs: checked, outputs, hasFailed: false };
        }, checked);
        if (saves && saved) this.state = saved;
        return { did: "create", ...error };
      }
      const { changes, replaces } = await host.diff(old.id, old.outputs, checked);
      if (replaces.length > 0) throw new Error("the model does not replace");
      if (!changes && !old.hasFailed) {
        if (saves) this.state = { ...old, inputs: checked };
        return { did: "same" };
      }
      // A failed update keeps the old inputs: what was due stays due.
      const { saved, error } = await outcome(async () => {
        const { outputs } = await host.update(old.id, old.outputs, checked);
        return { id: old.id, inputs: checked, outputs, hasFailed: false };
      }, old.inputs);
      if (saves && saved) this.state = saved;
      return { did: "update", ...error };
    });
  }

  async refresh(host: ProviderHost): Promise<Ran> {
    const old = this.state;
    if (!old) return { did: "nothing" };
    return this.run(async () => {
      const found = await host.read(old.id, old.outputs);
      this.state = found && { id: old.id, outputs: found.outputs, inputs: found.inputs, hasFailed: false };
      return { did: "refresh" };
    });
  }

  async destroy(host: ProviderHost, saves = true): Promise<Ran> {
    const old = this.state;
    if (!old) return { did: "nothing" };
    return this.run(async () => {
      await host.delete(old.id, old.outputs);
      if (saves) this.state = undefined;
      return { did: "delete" };
    });
  }

  private async run(command: () => Promise<Ran>): Promise<Ran> {
    try {
      const ran = await command();
      if (ran.error !== undefined) this.told.push(ran.error);
      return ran;
    } catch (error) {
      const text = error instanceof Error ? error.message : String(error);
      this.told.push(text);
      return { did: "nothing", error: text };
    }
  }
}

/** Runs create or update: what is to be saved, and what it said when it failed. */
async function outcome(
  method: () => Promise<Saved>,
  failedInputs: Wire,
): Promise<{ saved: Saved | undefined; error?: { error: string } }> {
  try {
    return { saved: await method() };
  } catch (error) {
    if (!(error instanceof HostError)) throw error;
    const { saved } = error;
    return {
      saved: saved && { id: saved.id, inputs: failedInputs, outputs: saved.properties, hasFailed: true },
      error: { error: [error.message, ...(saved?.reasons ?? [])].join("\n") },
    };
  }
}
