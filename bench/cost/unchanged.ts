import { startAwsProxy } from "../../test/support/awsProxy";
import type { Moto } from "../../test/support/moto";
import type { Cost } from "./measure";
import type { Measured, Ratios, Unchanged, UnchangedRow } from "./results";
import { type CostStack, type Deployment, isRotation, type Kind, KINDS, multiplied, namesOf } from "./stacks";
import { ratiosOf, type Spread, spreadOf } from "./statistics";
import { emptied, inFull, type Templates, withStacks } from "./templates";

/** The size of the targets. */
const COMPARED = 500;

const COMMANDS = { preview: ["preview"], up: ["up", "--yes", "--skip-preview"] } as const;
type Name = keyof typeof COMMANDS;

/** Measures runs in which nothing is due. */
export async function measureUnchanged(
  moto: Moto,
  templates: Templates,
  {
    sizes,
    pairs,
    say,
  }: { readonly sizes: readonly number[]; readonly pairs: number; readonly say: (text: string) => void },
): Promise<Unchanged> {
  const proxy = await startAwsProxy(moto.endpoint);
  try {
    return await withStacks(proxy.endpoint, async (stacks) => {
      const like = templates.ours.deployment.resources.find(isRotation);
      const rows: UnchangedRow[] = [];
      for (const size of sizes) {
        for (const kind of KINDS) {
          await stacks[kind].import(multiplied(templates[kind], namesOf(size)));
          stacks[kind].write(namesOf(size), like);
        }
        const costs = await interleaved(stacks, pairs, (pair) => say(`no-op of ${size}, pair ${pair} of ${pairs}`));
        for (const command of ["preview", "up"] as const) rows.push(rowOf(command, size, costs[command]));
      }
      const size = sizes.includes(COMPARED) ? COMPARED : Math.max(...sizes);
      say(`no-op of ${size}, against the usual one with as many outputs`);
      const likeWithLike = await againstUsualInFull(stacks, templates, size, pairs);
      const empty = await emptyStack(stacks.ours, templates.ours, pairs);
      return { rows, likeWithLike, empty, growth: growthOf(rows, empty), awsCalls: proxy.calls.length };
    });
  } finally {
    await proxy.stop();
  }
}

type Costs = Record<Name, Record<Kind, Cost[]>>;

async function interleaved(
  stacks: Record<Kind, CostStack>,
  pairs: number,
  tell: (pair: number) => void,
): Promise<Costs> {
  const none = () => ({ floor: [], usual: [], ours: [] });
  const costs: Costs = { preview: none(), up: none() };
  for (let pair = 0; pair < pairs; pair += 1) {
    tell(pair + 1);
    // Another one comes first each time: what grows or wears out in the course of a pair favours none.
    const order = KINDS.map((_kind, index) => KINDS[(index + pair) % KINDS.length] ?? "ours");
    for (const command of ["preview", "up"] as const) {
      for (const kind of order) costs[command][kind].push(await stacks[kind].measure(...COMMANDS[command]));
    }
  }
  return costs;
}

/** `up` of ours beside the usual resource with our inputs and outputs: what is left when both carry as much. */
async function againstUsualInFull(
  { ours, usual }: Record<Kind, CostStack>,
  templates: Templates,
  rotations: number,
  pairs: number,
): Promise<Unchanged["likeWithLike"]> {
  const names = namesOf(rotations);
  const like = templates.ours.deployment.resources.find(isRotation) ?? {};
  await ours.import(multiplied(templates.ours, names));
  ours.write(names, like);
  await usual.import(multiplied(inFull(templates), names));
  usual.writeInFull(names, like);
  const costs = { ours: [] as Cost[], usual: [] as Cost[] };
  for (let pair = 0; pair < pairs; pair += 1) {
    const order = pair % 2 === 0 ? (["usual", "ours"] as const) : (["ours", "usual"] as const);
    for (const kind of order) costs[kind].push(await { ours, usual }[kind].measure(...COMMANDS.up));
  }
  return {
    rotations,
    usual: measuredOf(costs.usual),
    ours: measuredOf(costs.ours),
    toUsual: ratios(costs.ours, costs.usual),
  };
}

async function emptyStack(stack: CostStack, template: Deployment, pairs: number): Promise<Measured> {
  await stack.import(emptied(template));
  stack.write([], undefined);
  const costs: Cost[] = [];
  for (let pair = 0; pair < pairs; pair += 1) costs.push(await stack.measure(...COMMANDS.up));
  return measuredOf(costs);
}

function rowOf(command: Name, rotations: number, costs: Record<Kind, Cost[]>): UnchangedRow {
  return {
    command,
    rotations,
    kinds: { floor: measuredOf(costs.floor), usual: measuredOf(costs.usual), ours: measuredOf(costs.ours) },
    toFloor: ratios(costs.ours, costs.floor),
    toUsual: ratios(costs.ours, costs.usual),
  };
}

function measuredOf(costs: readonly Cost[]): Measured {
  return {
    seconds: spreadOf(costs.map((cost) => cost.seconds)),
    cpuSeconds: spreadOfAll(costs.map((cost) => cost.cpuSeconds)),
    engineCpuSeconds: spreadOfAll(costs.map(engineCpuSeconds)),
    programCpuSeconds: spreadOfAll(costs.map((cost) => cost.programCpuSeconds)),
    providerCpuSeconds: spreadOfAll(costs.map((cost) => cost.providerCpuSeconds)),
    providerMegabytes: spreadOfAll(costs.map((cost) => cost.providerMegabytes)),
  };
}

/** What is left when program and provider are taken from the sum: the engine, and the helpers that it starts. */
function engineCpuSeconds({ cpuSeconds, programCpuSeconds, providerCpuSeconds }: Cost): number | null {
  const isKnown = cpuSeconds !== null && programCpuSeconds !== null && providerCpuSeconds !== null;
  return isKnown ? cpuSeconds - programCpuSeconds - providerCpuSeconds : null;
}

function ratios(some: readonly Cost[], others: readonly Cost[]): Ratios {
  const of = (field: "cpuSeconds" | "providerMegabytes"): Spread | null => {
    const [own, other] = [known(some.map((cost) => cost[field])), known(others.map((cost) => cost[field]))];
    return own && other && ratiosOf(own, other);
  };
  const seconds = ratiosOf(
    some.map((cost) => cost.seconds),
    others.map((cost) => cost.seconds),
  );
  return { seconds, cpuSeconds: of("cpuSeconds"), providerMegabytes: of("providerMegabytes") };
}

function spreadOfAll(values: readonly (number | null)[]): Spread | null {
  const all = known(values);
  return all && spreadOf(all);
}

/** The numbers, or null where this system did not tell one of them. */
function known(values: readonly (number | null)[]): number[] | null {
  const numbers = values.filter((value) => value !== null);
  return numbers.length === values.length ? numbers : null;
}

function growthOf(rows: readonly UnchangedRow[], empty: Measured): Unchanged["growth"] {
  const ups = rows.filter(({ command }) => command === "up");
  const to = ups.at(-1);
  const from = ups.find(({ rotations }) => rotations * 2 === to?.rotations);
  if (!from || !to) return null;
  const grown = (value: (measured: Measured) => number | undefined): number =>
    ((value(to.kinds.ours) ?? Number.NaN) - (value(empty) ?? 0)) /
    ((value(from.kinds.ours) ?? Number.NaN) - (value(empty) ?? 0));
  const cpu = grown(({ cpuSeconds }) => cpuSeconds?.median);
  return {
    from: from.rotations,
    to: to.rotations,
    seconds: grown(({ seconds }) => seconds.median),
    cpu: Number.isNaN(cpu) ? null : cpu,
  };
}
