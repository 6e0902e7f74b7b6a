import assert from "node:assert/strict";

import { LEDGER_TAG, parseLedger } from "../../../provider/src/rotation/ledger";
import { CALM, type Fault, type Weather } from "../../support/simulatedCalls";
import { World } from "./world";

export const HOUR = 3_600_000;

export const weather = (...faults: Fault[]): Weather => ({ ...CALM, faults });
export const fault = (action: Fault["action"], kind: Fault["kind"], nth = 1): Weather => weather({ action, kind, nth });
/** Longer than the budget of a verification. */
export const SLOW: Weather = { ...CALM, seed: 7, propagationSeconds: 4_000 };

export const stateOf = (world: World) => world.stack.saved!.state;
export const keysOf = (world: World) => stateOf(world).keys.map((key) => `${key.accessKeyId.slice(-1)} ${key.state}`);
export const onUser = (world: World) => world.user.keys.map((key) => key.accessKeyId.slice(-1)).join(" ");
export const ledgerOf = (world: World) => parseLedger(world.user.tags[LEDGER_TAG]);

export async function created(program: Record<string, unknown> = {}): Promise<World> {
  const world = new World();
  Object.assign(world.program, program);
  const { error } = await world.up();
  assert.equal(error, undefined);
  await world.time.advance(48 * HOUR);
  return world;
}
