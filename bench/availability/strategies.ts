import { RotationError } from "../../provider/src/rotation/errors";
import type { AccessKey, UserAccessKeys } from "../../provider/src/rotation/ports";
import { SimulatedStack } from "../../test/support/simulatedStack";
import { type Account, REGION, USER_NAME } from "./account";

/** Days between rotations: what CIS asks for. */
export const INTERVAL_DAYS = 90;

/** A way to rotate: gives the job that runs once a day. */
export interface Strategy {
  readonly name: string;
  /** Who does it like this. */
  readonly like: string;
  start(account: Account): () => Promise<void>;
}

/** Runs a job in one run of its own; a kill ends it, an error of AWS fails it: the next day has another run. */
function daily(account: Account, job: (aws: UserAccessKeys) => Promise<void>): () => Promise<void> {
  return async () => {
    const { aws, killed } = account.open();
    try {
      await Promise.race([job(aws), killed]);
    } catch (error) {
      if (!(error instanceof RotationError)) throw error;
    }
  };
}

const oldestFirst = (keys: readonly AccessKey[] = []) =>
  [...keys].sort((a, b) => Date.parse(a.createdAt) - Date.parse(b.createdAt));

/** Create, publish, no verification. */
async function createAndPublish(account: Account, aws: UserAccessKeys): Promise<string> {
  const key = await aws.create(60);
  account.publish(key);
  return key.createdAt;
}

/** With two keys the oldest by CreateDate is deleted first, then one is created and published at once. */
const deleteOldest: Strategy = {
  name: "delete oldest, then create",
  like: "Vault static roles, Infisical",
  start(account) {
    let rotatedAt: string | undefined;
    return daily(account, async (aws) => {
      if (rotatedAt !== undefined && account.ageInDays(rotatedAt) < INTERVAL_DAYS) return;
      const keys = oldestFirst(await aws.list());
      if (keys.length >= 2 && keys[0]) await aws.delete(keys[0].accessKeyId);
      rotatedAt = await createAndPublish(account, aws);
    });
  },
};

/** A replacement: the new key is created, dependents get it, the old one is deleted, all in one run. */
const createThenDelete: Strategy = {
  name: "create, then delete in the same run",
  like: "replacing aws.iam.AccessKey (Terraform with create_before_destroy, Pulumi)",
  start(account) {
    let state: { readonly accessKeyId: string; readonly createdAt: string } | undefined;
    return daily(account, async (aws) => {
      if (state && account.ageInDays(state.createdAt) < INTERVAL_DAYS) return;
      const key = await aws.create(60);
      account.publish(key);
      const old = state;
      state = key;
      if (old) await aws.delete(old.accessKeyId);
    });
  },
};

/** No state: what happened is guessed from the keys' ages. Create at the interval, Inactive 10 days later, deleted after 10 more. */
const guessByAge: Strategy = {
  name: "guess by age",
  like: "aws-samples/aws-iam-access-key-auto-rotation",
  start(account) {
    return daily(account, async (aws) => {
      const keys = oldestFirst(await aws.list());
      const [older, newer] = keys;
      if (!older) return void (await createAndPublish(account, aws));
      if (account.ageInDays(older.createdAt) < INTERVAL_DAYS) return;
      if (!newer) return void (await createAndPublish(account, aws));
      const age = account.ageInDays(newer.createdAt);
      if (age >= INTERVAL_DAYS) {
        const uses = await Promise.all(keys.map(async (key) => ({ key, use: await aws.lastUse(key.accessKeyId) })));
        uses.sort((a, b) => Date.parse(a.use?.at ?? "1970-01-01") - Date.parse(b.use?.at ?? "1970-01-01"));
        if (uses[0]) await aws.delete(uses[0].key.accessKeyId);
        await createAndPublish(account, aws);
      } else if (age >= 20) await aws.delete(older.accessKeyId);
      else if (age >= 10 && older.status === "Active") await aws.deactivate(older.accessKeyId);
    });
  },
};

/** This package, by its own lifecycle: `pulumi up` once a day. */
function ours(name: string, previousKey: Readonly<Record<string, unknown>>): Strategy {
  return {
    name,
    like: "pulumi-iam-rotation",
    start(account) {
      const nothing = () => undefined;
      const observer = { onRunBegins: nothing, onWrite: account.onWrite, onSave: nothing, onDeleted: nothing };
      const stack = new SimulatedStack(account.iam, { offset: 0 }, observer, "be");
      const program = {
        name: "ci-bot",
        owner: "organization/bench/dev/ci-bot",
        projectId: "bench",
        connectionId: "00000000-0000-0000-0000-000000000000",
        environment: "prod",
        secretPath: "/",
        rotationInterval: INTERVAL_DAYS,
        parameters: { userName: USER_NAME, region: REGION },
        secretsMapping: { accessKeyId: "ID", secretAccessKey: "SECRET" },
        previousKey,
      };
      return async () => {
        await stack.up(program, { refresh: false, replace: false }, account.weather());
        const { state } = stack.saved ?? {};
        if (state?.accessKeyId && state.secretAccessKey) {
          account.publish({ accessKeyId: state.accessKeyId, secretAccessKey: state.secretAccessKey });
        }
      };
    },
  };
}

/** All that are compared, ours last. */
export const STRATEGIES: readonly Strategy[] = [
  deleteOldest,
  createThenDelete,
  guessByAge,
  ours("verify, then retire when unused", {}),
  ours("the same, one active key after 10 days", { deactivateAfterHours: 240 }),
];
