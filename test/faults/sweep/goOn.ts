import type { Ran } from "../../support/engineModel";
import { brokenAfterDestroy, brokenAfterUp } from "./invariants";
import type { Scene } from "./scenes";
import type { World } from "./world";

/**
 * Goes on after a fault as a person would, and judges what is there then.
 *
 * @param broken Takes what does not hold.
 * @returns What had to be typed beside the command itself.
 */
export async function goOn(world: World, scene: Scene, broken: string[]): Promise<string[]> {
  const typed: string[] = [];
  if (scene.operation === "destroy") {
    await destroyAgain(world);
    broken.push(...(await brokenAfterDestroy(world)));
  } else {
    await upAgain(world, scene, typed);
    broken.push(...(await brokenAfterUp(world)));
  }
  broken.push(...world.violations, ...world.leaks());
  return typed;
}

/** The next undisturbed `pulumi up`; where it refuses, what it says is typed. */
async function upAgain(world: World, scene: Scene, typed: string[]): Promise<void> {
  if (scene.operation.startsWith("destroy")) await world.refresh();
  const { did } = await upOrType(world, typed);
  if (did !== "same") return;
  await world.refresh();
  await upOrType(world, typed);
}

async function upOrType(world: World, typed: string[]): Promise<Ran> {
  let ran = await world.up();
  for (let attempt = 0; ran.error !== undefined && attempt < 3; attempt += 1) {
    typed.push(await typeWhatItSays(world, ran.error));
    world.pause();
    ran = await world.up();
  }
  if (ran.error !== undefined) world.violations.push(`6: stuck: ${ran.error.split("\n")[0] ?? ""}`);
  return ran;
}

/** The next undisturbed `pulumi destroy`. */
async function destroyAgain(world: World): Promise<void> {
  const ran = await world.destroy();
  if (ran.error !== undefined) world.violations.push(`6: destroy is stuck: ${ran.error.split("\n")[0] ?? ""}`);
}

/** Does what a message says, as a person would, and nothing else. */
async function typeWhatItSays(world: World, message: string): Promise<string> {
  const { account } = world.around;
  if (world.inUse !== undefined && message.includes('previousKey.whenInUse to "retire"')) {
    world.inputs = { ...world.inputs, previousKey: { ...(world.inputs["previousKey"] ?? {}), whenInUse: "retire" } };
    return "whenInUse: retire";
  }
  const deletions = message.matchAll(/aws iam delete-access-key --user-name (\S+) --access-key-id (\w+)/g);
  const offered = [...deletions].map(([, , accessKeyId]) => accessKeyId);
  if (offered.length > 0) {
    const index = world.foreign.findIndex((key) => offered.includes(key.accessKeyId));
    const [foreign] = index < 0 ? [] : world.foreign.splice(index, 1);
    if (foreign) await account.deleteKey(world.userName, foreign.accessKeyId);
    else world.violations.push("6: the message offers no key that nobody uses");
    return "delete-access-key of a foreign key";
  }
  if (message.includes("`pulumi refresh`")) {
    await world.refresh();
    return "pulumi refresh";
  }
  if (/run `pulumi up` again|then run `pulumi up`/.test(message)) return "pulumi up";
  world.violations.push("6: the message does not say what to type");
  return "nothing";
}
