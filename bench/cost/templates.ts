import type { Moto } from "../../test/support/moto";
import type { Wire } from "../../test/support/providerHost";
import { makeUsers } from "./account";
import { CostStack, type Deployment, isRotation, type Kind, TEMPLATE } from "./stacks";

/** The state of one resource of each kind; those of many are made from it. */
export type Templates = Readonly<Record<Kind, Deployment>>;

const UP = ["up", "--yes", "--skip-preview"] as const;
const DAY = 86_400_000;

/** The day so many intervals of 30 days on, so that each rotation is due once more. */
export function dayOfRotation(number: number): string {
  return new Date(Date.now() + number * 31 * DAY).toISOString();
}

/** Makes a stack of each kind, and removes them after the work. */
export async function withStacks<T>(
  endpoint: string,
  work: (stacks: Record<Kind, CostStack>) => Promise<T>,
): Promise<T> {
  const made: CostStack[] = [];
  const create = async (kind: Kind) => {
    const stack = await CostStack.create(kind, endpoint);
    made.push(stack);
    return stack;
  };
  try {
    return await work({ floor: await create("floor"), usual: await create("usual"), ours: await create("ours") });
  } finally {
    for (const stack of made) stack.remove();
  }
}

/** A state without the resources that are measured. */
export function emptied({ version, deployment }: Deployment): Deployment {
  const resources = deployment.resources.filter((resource) => !isRotation(resource));
  return { version, deployment: { ...deployment, resources } };
}

/** The usual resource with the inputs, outputs and secrets of ours beside its own. */
export function inFull({ ours, usual }: Templates): Deployment {
  const like = ours.deployment.resources.find(isRotation) ?? {};
  const both = (resource: Wire, field: string) => ({ ...(like[field] as Wire), ...(resource[field] as Wire) });
  const resources = usual.deployment.resources.map((resource) =>
    isRotation(resource)
      ? {
          ...resource,
          inputs: both(resource, "inputs"),
          outputs: both(resource, "outputs"),
          additionalSecretOutputs: like["additionalSecretOutputs"],
        }
      : resource,
  );
  return { ...usual, deployment: { ...usual.deployment, resources } };
}

/** Makes one rotation with two keys, and one key in the usual way; the floor takes our state as its own. */
export async function makeTemplates(
  moto: Moto,
): Promise<{ templates: Templates; saved: Record<"usual" | "ours", string> }> {
  return withStacks(moto.endpoint, async ({ ours, usual }) => {
    await moto.reset();
    await makeUsers(moto.endpoint, [TEMPLATE]);
    ours.write([TEMPLATE], undefined);
    await ours.measure(...UP);
    ours.write([TEMPLATE], undefined, dayOfRotation(1));
    await ours.measure(...UP);

    await moto.reset();
    await makeUsers(moto.endpoint, [TEMPLATE]);
    usual.write([TEMPLATE], undefined);
    await usual.measure(...UP);

    const [ofOurs, ofUsual] = [await ours.export(), await usual.export()];
    return {
      templates: { floor: ofOurs, ours: ofOurs, usual: ofUsual },
      saved: { usual: JSON.stringify(ownPart(usual)), ours: JSON.stringify(ownPart(ours)) },
    };
  });
}

/** A resource as it lies in the state, without where the program declares it, which is the program's own. */
function ownPart(stack: CostStack): Record<string, unknown> {
  const { sourcePosition: _position, stackTrace: _stack, ...resource } = stack.saved()[0] ?? {};
  return resource;
}
