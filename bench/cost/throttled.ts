import { type AwsProxy, startAwsProxy } from "../../test/support/awsProxy";
import { Iam } from "../../test/support/iam";
import type { Moto } from "../../test/support/moto";
import { makeUsers } from "./account";
import type { Throttled } from "./results";
import { UP } from "./rotations";
import { type CostStack, isRotation, namesOf } from "./stacks";
import { dayOfRotation, emptied, type Templates, withStacks } from "./templates";

/** IAM does not say what it allows; that many calls a second, after a burst, is what people report of an account. */
const CALLS_PER_SECOND = 20;
const BURST = 100;

/** After so many runs something is wrong. */
const MOST_RUNS = 6;

/** Rotates many under an IAM that throttles, until nothing is due any more. */
export async function measureThrottled(
  moto: Moto,
  templates: Templates,
  {
    rotations,
    callsPerRotation,
    say,
  }: { readonly rotations: number; readonly callsPerRotation: number; readonly say: (text: string) => void },
): Promise<Throttled> {
  const names = namesOf(rotations);
  const proxy = await startAwsProxy(moto.endpoint);
  try {
    return await withStacks(proxy.endpoint, async ({ ours }) => {
      await moto.reset();
      await makeUsers(moto.endpoint, names);
      await ours.import(emptied(templates.ours));
      ours.write(names, undefined);
      say(`${rotations} rotations for an IAM that throttles: creating them`);
      await ours.measure(...UP);
      ours.write(names, undefined, dayOfRotation(2));
      const runs: Throttled["runs"][number][] = [];
      for (let left = rotations; left > 0 && runs.length < MOST_RUNS;) {
        say(`${left} rotations of ${rotations} are due, under an IAM that throttles`);
        const run = await throttledRun(ours, proxy);
        const due = dueIn(ours);
        runs.push({ ...run, rotated: left - due });
        left = due;
      }
      return {
        rotations,
        callsPerSecond: CALLS_PER_SECOND,
        burst: BURST,
        runs,
        callsUndisturbed: rotations * callsPerRotation,
        lost: await lostKeys(ours, names, moto),
      };
    });
  } finally {
    await proxy.stop();
  }
}

async function throttledRun(stack: CostStack, proxy: AwsProxy) {
  let throttled = 0;
  let tokens = BURST;
  let filledAt = performance.now();
  proxy.forgetCalls();
  proxy.fault = ({ action }) => {
    // STS has limits of its own, thirty times as high.
    if (!action.startsWith("iam:")) return undefined;
    const now = performance.now();
    tokens = Math.min(BURST, tokens + ((now - filledAt) / 1_000) * CALLS_PER_SECOND);
    filledAt = now;
    if (tokens >= 1) {
      tokens -= 1;
      return undefined;
    }
    throttled += 1;
    return { status: 400, code: "Throttling" };
  };
  const started = performance.now();
  await stack.run(...UP, "--continue-on-error");
  proxy.fault = undefined;
  return { seconds: (performance.now() - started) / 1_000, calls: proxy.calls.length, throttled };
}

interface SavedOutputs {
  readonly rotation: { readonly number: number };
  readonly keys: readonly { readonly accessKeyId: string }[];
  readonly parameters: { readonly userName: string };
}

function savedOutputs(stack: CostStack): SavedOutputs[] {
  return stack
    .saved()
    .filter(isRotation)
    .map(({ outputs }) => outputs as SavedOutputs);
}

/** How many have not been rotated yet. */
function dueIn(stack: CostStack): number {
  return savedOutputs(stack).filter(({ rotation }) => rotation.number === 0).length;
}

async function lostKeys(stack: CostStack, names: readonly string[], moto: Moto): Promise<number> {
  const iam = new Iam(moto.endpoint);
  const known = new Set(savedOutputs(stack).flatMap(({ keys }) => keys.map(({ accessKeyId }) => accessKeyId)));
  const there = new Set<string>();
  for (const name of names) for (const id of await iam.keyIds(name)) there.add(id);
  iam.stop();
  const alone = (some: Set<string>, others: Set<string>) => [...some].filter((id) => !others.has(id)).length;
  return alone(known, there) + alone(there, known);
}
