import { PASSES } from "../../test/support/callCosts";
import type { Results } from "./results";

/** Something that was promised, and what was measured. */
export interface Target {
  readonly what: string;
  readonly target: string;
  readonly measured: string;
  readonly verdict: "met" | "not met" | "not measured";
  /** Why it is not met, from what was measured beside it; empty otherwise. */
  readonly reason: string;
}

const ratio = (value: number) => value.toFixed(2);

/** Holds what was measured against the targets. Pure. */
export function targetsOf(results: Results): Target[] {
  const { unchanged, rotations, calls, state } = {
    unchanged: results.unchanged?.result,
    rotations: results.rotations?.result,
    calls: results.calls?.result,
    state: results.state?.result,
  };
  const ups = unchanged?.rows.filter(({ command }) => command === "up") ?? [];
  const up = ups.find((row) => row.rotations === 500) ?? ups.at(-1);
  const largest = ups.at(-1);
  const likeWithLike = unchanged?.likeWithLike;
  const slow = rotations?.find((row) => row.delayMilliseconds === 100) ?? rotations?.at(-1);
  const chains = calls
    ?.filter(({ operation }) => operation.startsWith("rotation"))
    .map(({ rounds }) => rounds.length - PASSES);
  const noOp = calls?.find(({ operation }) => operation === "no-op");
  const memory = largest?.toFloor.providerMegabytes?.median;
  const growth = unchanged?.growth;
  const grown = growth ? `, ${growth.to} against ${growth.from}` : "";

  return [
    target(
      `no-op \`up\` of ${up?.rotations ?? 500}, ours / floor`,
      "at most 1.10",
      up && withCpu(up.toFloor),
      up && up.toFloor.seconds.median <= 1.1,
      up && isMetByCpu(up.toFloor.cpuSeconds, 1.1) ? busy(results.unchanged?.circumstances) : "",
    ),
    target(
      `no-op \`up\` of ${up?.rotations ?? 500}, ours / usual`,
      "below 1",
      up &&
        `${withCpu(up.toUsual)}${likeWithLike ? `; with as many inputs and outputs in both ${withCpu(likeWithLike.toUsual)}` : ""}`,
      up && up.toUsual.seconds.median < 1,
      up &&
        `the floor, which does nothing, takes ${ratio(up.kinds.floor.seconds.median / up.kinds.usual.seconds.median)} times as long as usual: it is the engine and Pulumi's SDK, for as many inputs, outputs and secrets as ours`,
    ),
    target(
      `growth of a no-op \`up\`${grown}, less the empty stack's time`,
      "at most 2.2",
      growth ? `${ratio(growth.seconds)}${growth.cpu === null ? "" : ` (CPU: ${ratio(growth.cpu)})`}` : undefined,
      growth && growth.seconds <= 2.2,
      growth && growth.cpu !== null && growth.cpu <= 2.2 ? busy(results.unchanged?.circumstances) : "",
    ),
    target(
      "AWS calls of a no-op `up`",
      "0, and the SDK is not loaded",
      noOp && String(noOp.calls.length + (unchanged?.awsCalls ?? 0)),
      noOp && noOp.calls.length + (unchanged?.awsCalls ?? 0) === 0,
    ),
    target(
      `rotation of ${slow?.rotations ?? 100} at ${slow?.delayMilliseconds ?? 100} ms a call, ours / SDK loop of as many calls`,
      "at most 1.3",
      slow &&
        `${ratio(slow.ratioInTurn.median)} (against one that also makes at once what does not wait: ${ratio(slow.ratioAtOnce.median)}; less the floor's time: ${ratio(slow.ratioAtOnceLessFloor.median)})`,
      slow && slow.ratioInTurn.median <= 1.3,
      slow &&
        `the floor, which calls nothing, takes ${slow.rotate.floor.median.toFixed(1)} s of ${slow.rotate.ours.median.toFixed(1)} s`,
    ),
    target(
      "longest chain of calls in a rotation, without the three passes",
      "at most 6",
      chains && chains.join(" and "),
      chains?.every((chain) => chain <= 6),
    ),
    target(
      "bytes of state of a rotation with two keys",
      "at most 6,000",
      state && number(state.ours),
      state && state.ours <= 6_000,
    ),
    target(
      "the same, against usual with the same outputs",
      "below",
      state && `${number(state.ours)} against ${number(state.usualSameOutputs)}`,
      state && state.ours < state.usualSameOutputs,
    ),
    target(
      `memory of the provider process at ${largest?.rotations ?? 1_000}, ours / floor`,
      "at most 1.3",
      memory === undefined ? undefined : ratio(memory),
      memory === undefined ? undefined : memory <= 1.3,
    ),
  ];
}

function isMetByCpu(spread: { readonly median: number } | null, most: number): boolean {
  return spread !== null && spread.median <= most;
}

function busy(circumstances: { readonly load: readonly [number, number] } | undefined): string {
  const load = Math.max(...(circumstances?.load ?? [0]));
  return `by CPU it is met; other work was on the machine (load ${load.toFixed(1)}), which the time includes`;
}

function withCpu({
  seconds,
  cpuSeconds,
}: {
  seconds: { median: number };
  cpuSeconds: { median: number } | null;
}): string {
  return `${ratio(seconds.median)}${cpuSeconds ? ` (CPU: ${ratio(cpuSeconds.median)})` : ""}`;
}

function target(
  what: string,
  goal: string,
  measured: string | null | undefined,
  isMet: boolean | null | undefined,
  reason: string | undefined = "",
): Target {
  const measuredOrNot = measured ?? "";
  if (measuredOrNot === "") return { what, target: goal, measured: "", verdict: "not measured", reason: "" };
  return {
    what,
    target: goal,
    measured: measuredOrNot,
    verdict: isMet ? "met" : "not met",
    reason: isMet ? "" : reason,
  };
}

const number = (value: number) => value.toLocaleString("en-US");
