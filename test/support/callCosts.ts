import { setTimeout as delay } from "node:timers/promises";

import { type AwsCall, type AwsProxy, startAwsProxy } from "./awsProxy";
import { type Inputs, program } from "./fakeStack";
import { Host } from "./host";
import { Iam } from "./iam";
import type { Moto } from "./moto";

/** What one operation of the provider asks of AWS. */
export interface OperationCost {
  readonly operation: Operation;
  /** All calls. */
  readonly calls: readonly string[];
  /**
   * The same calls, those that do not wait on one another together: the number of rounds is the longest chain of calls
   * that do.
   */
  readonly rounds: readonly (readonly string[])[];
}

/** The operations, in the order in which a rotation lives through them. */
export type Operation =
  | "creation"
  | "no-op"
  | "rotation, a slot is free"
  | "rotation, a slot is needed"
  | "retirement"
  | "refresh"
  | "destroy";

/** A call that asks whether a new key works. */
export const VERIFICATION = "sts:GetCallerIdentity (new key)";

/** The passes of a verification: rounds of a chain. */
export const PASSES = 3;

/** After so many milliseconds without another call all that can come at the same time has come. */
const QUIET = 400;

/** Lets calls go on in rounds: those that wait on an answer of one round are in a later one. */
class Rounds {
  readonly rounds: string[][] = [];
  private held: { readonly action: string; readonly go: () => void }[] = [];
  private arrivals = 0;

  readonly hold = (call: AwsCall): Promise<void> =>
    new Promise((go) => {
      const isNewKey = call.action === "sts:GetCallerIdentity" && call.signedBy !== "test";
      this.held.push({ action: isNewKey ? VERIFICATION : call.action, go });
      this.arrivals += 1;
      void this.letGo(this.arrivals);
    });

  private async letGo(arrivals: number): Promise<void> {
    await delay(QUIET);
    if (arrivals !== this.arrivals) return;
    const round = this.held.splice(0);
    this.rounds.push(round.map(({ action }) => action).sort());
    for (const { go } of round) go();
  }
}

/** Takes one rotation through its life in Pulumi's own host, and notes each operation's calls. */
export async function callCosts(moto: Moto): Promise<OperationCost[]> {
  const proxy = await startAwsProxy(moto.endpoint);
  const iam = new Iam(moto.endpoint);
  const limits = { lagSeconds: 0, verifySeconds: 60, verifySpacingSeconds: 0 };
  const host = await Host.start({
    endpoint: proxy.endpoint,
    config: { "iam-rotation:limits": JSON.stringify(limits) },
  });
  try {
    await iam.createUser("ci-bot");
    return await life(host, proxy);
  } finally {
    await host.stop();
    iam.stop();
    await proxy.stop();
  }
}

async function life(host: Host, proxy: AwsProxy): Promise<OperationCost[]> {
  const costs: OperationCost[] = [];
  const noted = async <T>(operation: Operation, work: () => Promise<T>): Promise<T> => {
    const rounds = new Rounds();
    proxy.hold = rounds.hold;
    const result = await work();
    costs.push({ operation, calls: rounds.rounds.flat(), rounds: rounds.rounds });
    return result;
  };
  let inputs: Inputs = {};
  const checked = async (changes: Inputs = {}) => {
    ({ inputs = {} } = await host.check(inputs, program(changes)));
    return inputs;
  };
  // The keys of this life are young, and would count as in use.
  const whenInUse = "retire";

  const { id, properties } = await noted("creation", async () => host.create(await checked()));
  await noted("no-op", async () => {
    const { changes } = await host.diff(id, properties, await checked());
    if (changes) throw new Error("something is due");
  });
  let state = properties;
  const update = async (changes: Inputs) => (state = await host.update(id, state, await checked(changes)));
  await noted("rotation, a slot is free", () => update({ rotationTrigger: "1", previousKey: { whenInUse } }));
  await noted("rotation, a slot is needed", () => update({ rotationTrigger: "2", previousKey: { whenInUse } }));
  const previousKey = { whenInUse, deactivateAfterHours: 0 };
  await noted("retirement", () => update({ rotationTrigger: "2", previousKey }));
  await noted("refresh", () => host.read(id, state));
  await noted("destroy", () => host.delete(id, state));
  return costs;
}
