import { ConcurrentUpdateError, LocalWorkspace } from "@pulumi/pulumi/automation";

import { type Account, accounts, connectionId } from "./accounts";

// Each stack that is up takes an engine and a provider: some 300 MB.
const parallel = 4;
const command = process.argv[2] === "destroy" ? "destroy" : "up";

interface Rotation {
  user: string;
  rotatedAt: string;
  nextAt: string;
}

async function run(account: string, { roleArn }: Account) {
  const startedAt = new Date().toISOString();
  try {
    const stack = await LocalWorkspace.createOrSelectStack(
      { stackName: account, workDir: __dirname },
      { secretsProvider: process.env["FLEET_SECRETS_PROVIDER"] ?? "passphrase" },
    );
    const connection = { name: account, method: "assume-role", roleArn };
    await stack.setConfig("iam-rotation:connections", { value: JSON.stringify({ [connectionId]: connection }) });

    // One user's failure holds nobody else back. Outputs would be printed to nobody; the keys stay in the state.
    await stack[command]({ continueOnError: true, suppressOutputs: true });
    const outputs = await stack.outputs();
    const rotations = (outputs["rotations"]?.value ?? []) as Rotation[];
    return {
      account,
      result: "ok",
      users: rotations.length,
      rotated: rotations
        .filter(({ rotatedAt }) => rotatedAt >= startedAt)
        .map(({ user }) => user)
        .join(" "),
      next: rotations.map(({ nextAt }) => nextAt).sort()[0],
    };
  } catch (error) {
    if (error instanceof ConcurrentUpdateError) return { account, result: "locked" };
    console.error(`${account}: ${error instanceof Error ? error.message : String(error)}`);
    return { account, result: "FAILED" };
  }
}

async function main() {
  const waiting = Object.entries(accounts);
  const results: Awaited<ReturnType<typeof run>>[] = [];
  const worker = async () => {
    for (let next = waiting.shift(); next; next = waiting.shift()) results.push(await run(...next));
  };
  await Promise.all(Array.from({ length: parallel }, worker));
  console.table(results);
  // A lock counts, too: a run that was killed leaves the same one as a run that is at work.
  process.exitCode = results.every(({ result }) => result === "ok") ? 0 : 1;
}

void main();
