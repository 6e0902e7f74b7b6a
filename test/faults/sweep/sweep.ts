import { startFaultProxy } from "../../support/faultProxy";
import { Iam } from "../../support/iam";
import type { Moto } from "../../support/moto";
import { VERIFICATION } from "../../support/faultLane";
import { type Fault, FAULTS, type Target } from "./faults";
import { Hosts } from "./hosts";
import { inParallel } from "./inParallel";
import { type Case, type Outcome, runCase } from "./runCase";
import { type Scene } from "./scenes";
import type { Surroundings } from "./world";

/** What is swept. */
export interface Choice {
  readonly scenes: readonly Scene[];
  /** Which faults at which call; by default all of them. */
  readonly takes?: (scene: Scene, fault: Fault, index: number, action: string) => boolean;
  /** Cases at the same time. */
  readonly parallel: number;
  readonly onOutcome?: (outcome: Outcome, done: number, total: number) => void;
}

/** What came of it. */
export interface Swept {
  /** Each scene undisturbed: its calls are the rows of the table. */
  readonly undisturbed: readonly Outcome[];
  readonly disturbed: readonly Outcome[];
  /** Secrets that were found in what the provider processes printed. */
  readonly printedSecrets: number;
}

/** Sweeps the real dynamic-provider host over gRPC: each call of each scene, with each fault. */
export async function sweepHost(moto: Moto, { scenes, takes, parallel, onOutcome }: Choice): Promise<Swept> {
  const proxy = await startFaultProxy(moto.endpoint);
  const account = new Iam(moto.endpoint);
  const hosts = new Hosts(proxy.endpoint);
  const around: Surroundings = { proxy, account, hosts };
  try {
    const undisturbed = await inParallel(scenes, parallel, (scene) => runCase(around, { scene }));
    const cases = undisturbed.flatMap(({ scene, calls }): Case[] =>
      worthDisturbing(calls).flatMap((target, index) =>
        FAULTS.filter((fault) => takes?.(scene, fault, index, target.action) ?? true).map((fault) => ({
          scene,
          target,
          fault,
        })),
      ),
    );
    let done = 0;
    const disturbed = await inParallel(cases, parallel, async (one) => {
      const outcome = await runCase(around, one).catch((error: unknown) => crashed(one, error));
      onOutcome?.(outcome, ++done, cases.length);
      return outcome;
    });
    await hosts.stop();
    const secrets = new Set([...undisturbed, ...disturbed].flatMap((outcome) => outcome.secrets));
    const printedSecrets = [...secrets].filter((secret) => hosts.printed.includes(secret)).length;
    return { undisturbed, disturbed, printedSecrets };
  } finally {
    await hosts.stop();
    account.stop();
    await proxy.stop();
  }
}

/** All calls; of the many alike that ask whether the new key works, the first and the last. */
export function worthDisturbing(calls: readonly Target[]): readonly Target[] {
  const last = calls.findLast(isVerification);
  return calls.filter((call) => !isVerification(call) || call.nth === 1 || call === last);
}

const isVerification = ({ action }: Target) => action === VERIFICATION;

/** A harness that fails is a case that did not hold. */
function crashed(one: Case, error: unknown): Outcome {
  const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
  return {
    ...one,
    result: "ran",
    typed: [],
    broken: [`the case could not be run: ${text}`],
    calls: [],
    secrets: [],
    said: [],
  };
}
