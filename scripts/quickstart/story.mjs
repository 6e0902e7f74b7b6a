// The life of one access key, told by the real engine's own output. Every chapter looks at AWS itself for what came of it.
import { main } from "../setup.mjs";
import { Account } from "./account.mjs";
import { startEmulator } from "./emulator.mjs";
import { Narrator } from "./narrator.mjs";
import { Stack } from "./stack.mjs";

const userName = "ci-bot";
const dayMs = 24 * 60 * 60 * 1000;

/** The instant to pretend: the provider takes it as the time of day, on an emulator only. */
function asOf(days, hours = 0) {
  return `iam-rotation:asOf=${new Date(Date.now() + days * dayMs + hours * (dayMs / 24)).toISOString()}`;
}

async function tell(narrator, account, stack) {
  const { chapter, expect } = narrator;
  let first;
  let second;
  let foreign;

  await chapter(
    "An IAM user",
    `Made by hand, without a key: ${userName}. (An AWS emulator plays the account.)`,
    async () => {
      await account.createUser();
      expect("access keys of the user", await account.keys(), {});
      return "the user, no key";
    },
  );

  await chapter("The first key", "examples/quickstart declares the rotation. The engine runs it:", async () => {
    await stack.pulumi("up", "--yes", "--skip-preview");
    first = await stack.output("accessKeyId");
    expect("access keys of the user", await account.keys(), { [first]: "Active" });
    expect("the key from the secret outputs answers as", await account.whoIs(await currentKey()), userName);
    return `${first} made`;
  });

  await chapter(
    "Nothing is due",
    "The same again, as a nightly job would. The engine finds nothing to change:",
    async () => {
      await stack.pulumi("up", "--yes", "--skip-preview", "--expect-no-changes");
      expect("access keys of the user", await account.keys(), { [first]: "Active" });
      return "no change";
    },
  );

  await chapter("A look 31 days ahead", "The preview says what would rotate on that day, and why:", async () => {
    const shown = await stack.pulumi("preview", "--diff", "--config", asOf(31));
    expect("the preview names the resource", shown, /~ .*AwsIamUserSecretRotation: \(update\)/);
    expect("the preview says why", shown, /reason\s*: .*due.*/);
    expect("access keys of the user", await account.keys(), { [first]: "Active" });
    return "rotation announced, with its reason; nothing touched";
  });

  await chapter("31 days later", "The rotation. Who still holds the old key can go on with it:", async () => {
    const old = await currentKey();
    await stack.pulumi("up", "--yes", "--skip-preview", "--config", asOf(31));
    second = await stack.output("accessKeyId");
    expect("the previous key in the outputs", await stack.output("previousAccessKeyId"), first);
    expect("access keys of the user", await account.keys(), { [first]: "Active", [second]: "Active" });
    expect("the new key answers as", await account.whoIs(await currentKey()), userName);
    expect("the old key answers as", await account.whoIs(old), userName);
    return `${second} made, ${first} still good`;
  });

  await chapter(
    "25 hours after that",
    "previousKey.deactivateAfterHours is 24: the old key is switched off (not deleted yet):",
    async () => {
      await stack.pulumi("up", "--yes", "--skip-preview", "--config", asOf(31, 25));
      expect("access keys of the user", await account.keys(), { [first]: "Inactive", [second]: "Active" });
      return `${first} inactive`;
    },
  );

  await chapter(
    "Somebody acts by hand",
    "Plain AWS calls, no Pulumi: the old key is deleted, another one made for some purpose.",
    async () => {
      await account.deleteKey(first);
      foreign = await account.createKey();
      expect("access keys of the user", await account.keys(), { [second]: "Active", [foreign]: "Active" });
      return `${first} deleted, ${foreign} made`;
    },
  );

  await chapter("The end", "The rotation takes its own key with it, and nobody else's:", async () => {
    await stack.pulumi("destroy", "--yes", "--skip-preview");
    expect("access keys of the user", await account.keys(), { [foreign]: "Active" });
    return `${second} deleted, ${foreign} still there`;
  });

  async function currentKey() {
    const secrets = await stack.output("secrets");
    return { accessKeyId: secrets.AWS_ACCESS_KEY_ID, secretAccessKey: secrets.AWS_SECRET_ACCESS_KEY };
  }
}

await main(
  async () => {
    const narrator = new Narrator();
    const emulator = await startEmulator(JSON.parse(process.env.MOTO_SERVER_COMMAND));
    try {
      const stack = await Stack.create(emulator.url);
      await tell(narrator, new Account(emulator.url, userName), stack);
    } catch (error) {
      narrator.fail(error);
    } finally {
      await emulator.stop();
    }
    return narrator.close();
  },
  { graceSeconds: 20 },
);
