import assert from "node:assert/strict";

import type { RotationError } from "../../provider/src/rotation/errors";
import { EMPTY_RING, type KeyRing } from "../../provider/src/rotation/keyRing";
import { formatLedger, type Ledger, LEDGER_TAG, OWNER_TAG, parseLedger } from "../../provider/src/rotation/ledger";
import type { Identity, Limits } from "../../provider/src/rotation/ports";
import { RunFailure, runRotation, type RunRequest, type RunResult } from "../../provider/src/rotation/run";
import { FakeAws } from "./fakeAws";

export const LIMITS: Limits = {
  callSeconds: 60,
  lagSeconds: 90,
  verifySeconds: 120,
  verifySpacingSeconds: 2,
  rotationSeconds: 300,
};

export const ROTATION_ID = "5b9a3f10-1111-5222-8333-444455556666";

/** More answers than any verification asks for. */
export const NEVER = Array<"unknown">(1_000).fill("unknown");

/** Runs on one user of a fake account, without a lifecycle around them. */
export interface Setting {
  readonly aws: FakeAws;
  readonly user: Identity;
  /** An update goes on from the generation of the last run that ended well, unless it is told another one. */
  run(changes?: Partial<RunRequest>, limits?: Partial<Limits>): Promise<RunResult>;
  fails(changes?: Partial<RunRequest>, limits?: Partial<Limits>): Promise<RunFailure & { error: RotationError }>;
}

const CREATED_AT = "2027-01-10T08:30:00.000Z";

export function prepare(): Setting {
  const aws = new FakeAws();
  const { identity } = aws.addUser("ci-bot");
  let runs = 0;
  let generation: number | undefined;
  const run: Setting["run"] = async (changes = {}, limits = {}) => {
    runs += 1;
    const isCreation = (changes.intent ?? "create") === "create";
    const result = await runRotation(
      {
        intent: "create",
        rotationId: ROTATION_ID,
        owner: "acme/platform/prod/ci-bot",
        jobId: `${String(runs).padStart(8, "0")}-0000-4000-8000-000000000000`,
        userName: "ci-bot",
        region: "us-east-1",
        connection: { name: "ambient" },
        policy: { quietHours: 24, whenInUse: "wait" },
        ring: EMPTY_RING,
        generation: isCreation ? undefined : generation,
        createdAt: CREATED_AT,
        user: undefined,
        at: aws.clock.now().toISOString(),
        now: aws.clock.now(),
        ...changes,
      },
      {
        aws: aws.open("ci-bot"),
        clock: aws.clock,
        limits: { ...LIMITS, ...limits },
        tell: () => undefined,
      },
    );
    ({ generation } = result);
    return result;
  };
  return {
    aws,
    user: identity,
    run,
    fails: async (changes, limits) => {
      try {
        await run(changes, limits);
      } catch (failure) {
        assert.ok(failure instanceof RunFailure);
        return failure;
      }
      throw new assert.AssertionError({ message: "the run did not fail" });
    },
  };
}

/** A user with one key. */
export async function withOneKey(): Promise<Setting & { ring: KeyRing }> {
  const setting = prepare();
  const { ring } = await setting.run();
  setting.aws.clock.advance({ days: 30 });
  setting.aws.calls.length = 0;
  return { ...setting, ring };
}

/** A user with a current and a previous key; the previous one was retired a month ago. */
export async function withTwoKeys(): Promise<Setting & { ring: KeyRing }> {
  const setting = await withOneKey();
  const { ring } = await setting.run({ intent: "rotate", ring: setting.ring });
  setting.aws.clock.advance({ days: 30 });
  setting.aws.calls.length = 0;
  return { ...setting, ring };
}

/** The ledger on the user; undefined where there is none. */
export function ledgerOf(aws: FakeAws): Ledger | undefined {
  return parseLedger(aws.tagsOf("ci-bot")[LEDGER_TAG]);
}

/** Writes the ledger as another run would do it at this moment. */
export function writeLedger(aws: FakeAws, changes: Partial<Ledger> = {}): void {
  const ledger: Ledger = {
    rotationId: ROTATION_ID,
    generation: 1,
    keys: [],
    writtenBy: "update",
    createdAt: CREATED_AT,
    writtenAt: aws.clock.now().toISOString(),
    nonce: "another",
    ...ledgerOf(aws),
    ...changes,
  };
  aws.setTags("ci-bot", { [LEDGER_TAG]: formatLedger(ledger), [OWNER_TAG]: "platform/prod/ci-bot" });
}

export const statesOf = ({ keys }: KeyRing): string[] =>
  keys.map(({ accessKeyId, state }) => `${accessKeyId} ${state}`);

/** The calls that make or change keys. */
export const writesOf = ({ calls }: FakeAws): string[] =>
  calls.filter((call) => /^(create|delete|deactivate)/.test(call));

/** The calls that change anything. */
export const allWritesOf = ({ calls }: FakeAws): string[] =>
  calls.filter((call) => /^(create|delete|deactivate|tag|untag)/.test(call));
