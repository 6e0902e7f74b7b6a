import { type ChildProcess, spawn } from "node:child_process";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";

import { type AwsProxy, startAwsProxy } from "../../test/support/awsProxy";
import { endWithUs } from "../../test/support/endWithUs";
import type { Moto } from "../../test/support/moto";
import { makeUsers } from "./account";
import type { RotationsRow } from "./results";
import { type CostStack, isRotation, type Kind, KINDS, namesOf } from "./stacks";
import { ratiosOf, spreadOf } from "./statistics";
import { dayOfRotation, emptied, type Templates, withStacks } from "./templates";

/** The engine's own default: four steps at the same time for each processor. */
export const PARALLEL = availableParallelism() * 4;

export const UP = ["up", "--yes", "--skip-preview", "--parallel", String(PARALLEL)] as const;

/** What the rotations are to be measured with. */
export interface RotationsOptions {
  readonly rotations: number;
  /** Milliseconds that each call takes longer than the emulator's own time. */
  readonly delays: readonly number[];
  readonly pairs: number;
  /** The calls of one rotation, in rounds. */
  readonly rounds: readonly (readonly string[])[];
  /** Told of the progress. */
  readonly say: (text: string) => void;
}

/** Measures the creation and the first rotation of many, against the SDK's bare calls. */
export async function measureRotations(
  moto: Moto,
  templates: Templates,
  options: RotationsOptions,
): Promise<RotationsRow[]> {
  const proxy = await startAwsProxy(moto.endpoint);
  try {
    return await withStacks(proxy.endpoint, async (stacks) => {
      const rows: RotationsRow[] = [];
      for (const milliseconds of options.delays) {
        proxy.hold = milliseconds > 0 ? () => delay(milliseconds) : undefined;
        rows.push(await atDelay(milliseconds, { moto, proxy, stacks, templates }, options));
      }
      return rows;
    });
  } finally {
    await proxy.stop();
  }
}

interface Around {
  readonly moto: Moto;
  readonly proxy: AwsProxy;
  readonly stacks: Record<Kind, CostStack>;
  readonly templates: Templates;
}

async function atDelay(
  delayMilliseconds: number,
  around: Around,
  { rotations, pairs, rounds, say }: RotationsOptions,
): Promise<RotationsRow> {
  const create: Record<Kind, number[]> = { floor: [], usual: [], ours: [] };
  const rotate: Record<Kind, number[]> = { floor: [], usual: [], ours: [] };
  const inTurn: number[] = [];
  const atOnce: number[] = [];
  const names = namesOf(rotations);
  for (let pair = 0; pair < pairs; pair += 1) {
    say(`${rotations} rotations at ${delayMilliseconds} ms a call, pair ${pair + 1} of ${pairs}`);
    for (const kind of KINDS) {
      const seconds = await createAndRotate(kind, names, around);
      create[kind].push(seconds.create);
      rotate[kind].push(seconds.rotate);
    }
    inTurn.push(await loop(names, { rounds, inTurn: true }, around));
    atOnce.push(await loop(names, { rounds, inTurn: false }, around));
  }
  const lessFloor = rotate.ours.map((seconds, index) => seconds - (rotate.floor[index] ?? 0));
  const spreads = (of: Record<Kind, number[]>) => ({
    floor: spreadOf(of.floor),
    usual: spreadOf(of.usual),
    ours: spreadOf(of.ours),
  });
  return {
    rotations,
    delayMilliseconds,
    parallel: PARALLEL,
    create: spreads(create),
    rotate: spreads(rotate),
    loopInTurn: spreadOf(inTurn),
    loopAtOnce: spreadOf(atOnce),
    ratioInTurn: ratiosOf(rotate.ours, inTurn),
    ratioAtOnce: ratiosOf(rotate.ours, atOnce),
    ratioAtOnceLessFloor: ratiosOf(lessFloor, atOnce),
  };
}

async function createAndRotate(
  kind: Kind,
  names: readonly string[],
  { moto, stacks, templates }: Around,
): Promise<{ create: number; rotate: number }> {
  const stack = stacks[kind];
  const like = templates.ours.deployment.resources.find(isRotation);
  await moto.reset();
  if (kind !== "floor") await makeUsers(moto.endpoint, names);
  await stack.import(emptied(templates[kind]));
  stack.write(names, like);
  const created = await stack.measure(...UP);
  stack.write(names, like, dayOfRotation(2));
  const rotated = await stack.measure(...UP);
  return { create: created.seconds, rotate: rotated.seconds };
}

/** The bare calls, in a process of their own; its start does not count. */
async function loop(
  names: readonly string[],
  what: { readonly rounds: readonly (readonly string[])[]; readonly inTurn: boolean },
  { moto, proxy }: Around,
): Promise<number> {
  await moto.reset();
  const users = await makeUsers(moto.endpoint, names, 1);
  const child = spawn(process.execPath, [join(__dirname, "programs/sdkLoop.cjs")], {
    stdio: ["pipe", "pipe", "inherit"],
    env: {
      PATH: process.env["PATH"],
      AWS_ENDPOINT_URL: proxy.endpoint,
      AWS_REGION: "us-east-1",
      AWS_ACCESS_KEY_ID: "test",
      AWS_SECRET_ACCESS_KEY: "test",
      AWS_EC2_METADATA_DISABLED: "true",
    },
  });
  endWithUs(child);
  child.stdin.end(JSON.stringify({ users, parallel: PARALLEL, ...what }));
  const { seconds } = JSON.parse(await outputOf(child)) as { seconds: number };
  return seconds;
}

async function outputOf(child: ChildProcess): Promise<string> {
  let text = "";
  for await (const part of child.stdout?.setEncoding("utf8") ?? []) text += String(part);
  return text;
}
