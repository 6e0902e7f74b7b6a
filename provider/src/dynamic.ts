import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";

import type { dynamic } from "@pulumi/pulumi";

import { ClientPool } from "./aws/clients";
import type { CheckedInputs, RotationState } from "./contract/outputs";
import { check } from "./lifecycle/check";
import type { LifecycleContext } from "./lifecycle/context";
import { create } from "./lifecycle/create";
import { deleteRotation } from "./lifecycle/delete";
import { diff } from "./lifecycle/diff";
import { Exclusive } from "./lifecycle/exclusive";
import { PartialFailure } from "./lifecycle/partialFailure";
import { accessKeysOpener } from "./lifecycle/opener";
import { read } from "./lifecycle/read";
import { update } from "./lifecycle/update";
import type { Clock } from "./rotation/ports";

type Properties = Record<string, unknown>;

/** The property that holds the code which Pulumi's host loads; results that lose it can never be refreshed or destroyed. */
const PROVIDER_KEY = "__provider";

const CLOCK: Clock = { now: () => new Date(), sleep: async (milliseconds) => void (await sleep(milliseconds)) };

/** What Pulumi's dynamic host gets as an error; `id`, `properties` and `reasons` make it a partial failure. */
interface HostError {
  readonly id: string;
  readonly properties: Properties;
  readonly reasons: readonly string[];
}

/**
 * The provider that Pulumi's dynamic host loads: the lifecycle, translated to what the host passes and takes.
 *
 * @internal Programs use the class `AwsIamUserSecretRotation`.
 */
class DynamicRotationProvider implements dynamic.ResourceProvider {
  private config: dynamic.Config | undefined;
  // Two resources of a run may name the same user: they must not count its slots at the same time.
  private readonly perUser = new Exclusive();

  private readonly context: LifecycleContext = {
    clock: CLOCK,
    uuid: () => randomUUID(),
    config: (key) => this.config?.get(key),
    open: accessKeysOpener(new ClientPool(), CLOCK),
    log: (message) => console.log(message),
  };

  // Keeps the config and nothing else: the host does not wait for this before it makes parallel calls.
  configure({ config }: dynamic.ConfigureRequest): Promise<void> {
    this.config = config;
    return Promise.resolve();
  }

  async check(olds: Properties, news: Properties): Promise<dynamic.CheckResult> {
    const result = await atHost(() => check(plain(olds), plain(news), this.context));
    // With the property `""` and the path in the reason: the engine prints the value of a failing property, secret or not.
    const failures = result.failures.map((reason) => ({ property: "", reason }));
    return result.inputs ? { inputs: jsonOf(result.inputs), failures } : { failures };
  }

  async diff(_id: string, olds: Properties, news: Properties): Promise<dynamic.DiffResult> {
    const { changes, replaces } = await atHost(() =>
      diff(plain(olds) as unknown as RotationState, plain(news) as unknown as CheckedInputs, this.context),
    );
    return { changes, replaces: [...replaces] };
  }

  async create(inputs: Properties): Promise<dynamic.CreateResult> {
    const checked = plain(inputs) as unknown as CheckedInputs;
    const { id, state } = await atHost(
      () => this.perUser.run(checked.parameters.userName, () => create(checked, this.context)),
      inputs,
    );
    return { id, outs: jsonOf(state) };
  }

  async read(id: string, properties: Properties): Promise<dynamic.ReadResult> {
    const result = await atHost(() => read(id, plain(properties) as unknown as RotationState, this.context));
    return result ? { id, props: jsonOf(result.state), inputs: jsonOf(result.inputs) } : {};
  }

  async update(id: string, olds: Properties, news: Properties): Promise<dynamic.UpdateResult> {
    const checked = plain(news) as unknown as CheckedInputs;
    const old = plain(olds) as unknown as RotationState;
    const state = await atHost(
      () => this.perUser.run(checked.parameters.userName, () => update(id, old, checked, this.context)),
      news,
    );
    return { outs: jsonOf(state) };
  }

  async delete(id: string, properties: Properties): Promise<void> {
    const state = plain(properties) as unknown as RotationState;
    await atHost(() => this.perUser.run(state.parameters.userName, () => deleteRotation(id, state, this.context)));
  }
}

/** The one provider of a host's process. Its subpath `pulumi-iam-rotation/dynamic` stands in every state: a promise. */
export const provider: dynamic.ResourceProvider = new DynamicRotationProvider();

function plain(properties: Properties): Properties {
  const { [PROVIDER_KEY]: _code, ...rest } = properties;
  return rest;
}

/** Plain JSON, and a copy: the host writes into results, and fails on anything else after the key was made. */
function jsonOf(value: object): Properties {
  return JSON.parse(JSON.stringify(value)) as Properties;
}

/**
 * Runs a method and translates what it throws. The host prints the stack of an error as well as its message; ours
 * carry all that a person needs in the message.
 *
 * @param inputs The inputs that hold the provider's code, for a partial failure.
 */
async function atHost<T>(method: () => T | Promise<T>, inputs: Properties = {}): Promise<T> {
  try {
    return await method();
  } catch (cause) {
    if (!(cause instanceof Error)) throw new Error(String(cause), { cause });
    const error = new Error(cause.message);
    error.name = cause.name;
    error.stack = "";
    if (!(cause instanceof PartialFailure)) throw error;
    const partial: HostError = {
      id: cause.id,
      properties: { ...jsonOf(cause.state), [PROVIDER_KEY]: inputs[PROVIDER_KEY] },
      reasons: [cause.error.message],
    };
    throw Object.assign(error, partial);
  }
}
