import type { Ran } from "../../support/engineModel";
import type { FaultRule } from "../../support/faultLane";
import type { ProviderHost } from "../../support/providerHost";
import type { Fault, Target } from "./faults";
import { CONNECTIONS } from "./hosts";
import { goOn } from "./goOn";
import { brokenAfterFault } from "./invariants";
import type { Scene } from "./scenes";
import { type Surroundings, World } from "./world";

/** A scene, and what happens in it; without a target it is undisturbed. */
export interface Case {
  readonly scene: Scene;
  readonly target?: Target;
  readonly fault?: Fault;
}

/** How a case went. */
export interface Outcome extends Case {
  /**
   * - `ran`: the disturbed command succeeded all the same
   * - `went on`: it did not, and the next one succeeded
   * - `told`: the next one refused and said what to type; that was typed, and the one after it succeeded
   * - `not reached`: the call was not made in this run
   */
  readonly result: "ran" | "went on" | "told" | "not reached";
  /** What was typed. */
  readonly typed: readonly string[];
  /** The broken invariants, by number; empty when all held. */
  readonly broken: readonly string[];
  /** The calls of the operation, in their order. */
  readonly calls: readonly Target[];
  /** Every secret that existed in it, for the search in what was printed. */
  readonly secrets: readonly string[];
  readonly said: readonly string[];
}

let users = 0;

/** Runs one case from an empty user to the end. */
export async function runCase(around: Surroundings, { scene, target, fault }: Case): Promise<Outcome> {
  const number = ++users;
  const userName = `sweep-${number}`;
  await around.account.createUser(userName);
  const world = new World(around, userName, {
    seed: seedOf(`${scene.operation} ${scene.start}`),
    // The SDK slows down a client that was throttled: its neighbours must not share it.
    connectionId: CONNECTIONS[fault?.name.startsWith("throttled") ? 1 + (number % (CONNECTIONS.length - 1)) : 0] ?? "",
    previousKey: scene.previousKey,
  });
  const isRemoval = scene.operation.startsWith("destroy");
  await scene.prepare(world);
  world.pause();
  if (isRemoval) world.allowRemoval();
  const operate = (host: ProviderHost, saves: boolean): Promise<Ran> =>
    isRemoval ? world.engine.destroy(host, saves) : world.engine.up(host, world.inputs, saves);

  const own = fault?.kills === "provider" ? await around.hosts.fresh(world.day) : undefined;
  const host = own ?? (await around.hosts.on(world.day));
  let isReached = false;
  let other: Promise<Ran> | undefined;
  const isRefused = (action: string) => target?.action === action && fault?.name === "refused";
  world.mayLackLedger = fault?.overlaps === true || isRefused("TagUser");
  world.mayKeepTags = isRefused("UntagUser");
  const rule =
    target &&
    fault?.rule(target, {
      killProvider: () => host.kill(),
      upMeanwhile: async () => {
        world.lane.rule = undefined;
        // As if the first one's machine had slept: its announcement is old, and it does not know.
        world.pause();
        other = around.hosts.on(world.day, true).then((second) => operate(second, true));
        await other;
      },
    });
  world.lane.watch(rule && noting(rule, () => (isReached = true)));
  const ran = await operate(host, fault?.kills !== "engine");
  // On a slow machine the first one gives its call up before the other one has ended.
  await other;
  const calls = world.lane.calls.map(({ action, nth }) => ({ action, nth }));
  if (own) await around.hosts.end(own);
  world.lane.watch();
  world.pause();

  const broken = await brokenAfterFault(world, isRemoval, fault === undefined || fault.kills === "nothing");
  const typed = await goOn(world, scene, broken);
  around.proxy.close(world.lane);

  const hasFailed = ran.error !== undefined || (fault !== undefined && fault.kills !== "nothing");
  const result = target && !isReached ? "not reached" : typed.length > 0 ? "told" : hasFailed ? "went on" : "ran";
  return {
    scene,
    ...(target && { target }),
    ...(fault && { fault }),
    result,
    typed,
    broken: [...new Set(broken)],
    calls,
    secrets: world.secrets,
    said: world.engine.told,
  };
}

function noting(rule: FaultRule, note: () => void): FaultRule {
  return {
    ...rule,
    effect: (call) => {
      note();
      return rule.effect(call);
    },
  };
}

/** A small number for a text: the same one in every run. */
function seedOf(text: string): number {
  return [...text].reduce((sum, letter) => (sum * 31 + letter.charCodeAt(0)) % 65_521, 7);
}
