import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

import { runCommand } from "../support/command";
import { engineEnvironment } from "../support/engineEnvironment";
import type { Credential, Iam } from "../support/iam";
import { daysOn } from "../support/rotation";

const USER = "ci-bot";
const SETTINGS = "Pulumi.dev.yaml";

/**
 * Takes an installed program through a whole life on the real engine: creation, rotation, a look by the package's
 * command line, destruction; looks at each from outside, as a consumer of the key.
 *
 * @throws AssertionError when a key does not work that should, or one is left; it holds what the engine printed.
 */
export async function live(folder: string, endpoint: string, iam: Iam): Promise<void> {
  const env = engineEnvironment({ endpoint, backend: pathToFileURL(folder).href, home: join(folder, "home") });
  const pulumi = async (...args: string[]) => {
    const { code, text } = await runCommand("pulumi", [...args, "--non-interactive", "--color", "never"], {
      cwd: folder,
      env,
    });
    assert.equal(code, 0, `pulumi ${args.join(" ")} failed:\n${text}`);
    return text;
  };
  const up = () => pulumi("up", "--yes", "--skip-preview", "--suppress-outputs", "--stack", "dev");
  const published = async (): Promise<Credential> => {
    const text = await pulumi("stack", "output", "secrets", "--json", "--show-secrets", "--stack", "dev");
    const secrets = JSON.parse(text) as Record<string, string>;
    return { accessKeyId: secrets["AWS_ACCESS_KEY_ID"] ?? "", secretAccessKey: secrets["AWS_SECRET_ACCESS_KEY"] ?? "" };
  };

  await iam.createUser(USER);
  const limits = JSON.stringify({ lagSeconds: 0, verifySpacingSeconds: 0.01 });
  writeFileSync(join(folder, SETTINGS), `config:\n  iam-rotation:limits: ${limits}\n`);
  await pulumi("stack", "init", "dev");

  await up();
  const first = await published();
  assert.equal(await iam.keyWorks(USER, first), true);

  const settings = readFileSync(join(folder, SETTINGS), "utf8");
  const due = `config:\n  iam-rotation:asOf: "${daysOn(31, 1).toISOString()}"\n`;
  writeFileSync(join(folder, SETTINGS), settings.replace("config:\n", due));
  await up();
  const second = await published();
  assert.notEqual(second.accessKeyId, first.accessKeyId);
  assert.equal(await iam.keyWorks(USER, second), true);
  assert.equal(await iam.keyWorks(USER, first), true);

  const cli = join(folder, "node_modules/.bin/pulumi-iam-rotation");
  const status = await runCommand(cli, ["status", "--stack", "dev", "--json"], { cwd: folder, env });
  assert.equal(status.code, 0, status.text);
  const { rotations } = JSON.parse(status.text) as { rotations: { userName: string }[] };
  assert.deepEqual(
    rotations.map(({ userName }) => userName),
    [USER],
  );

  await pulumi("destroy", "--yes", "--skip-preview", "--stack", "dev");
  assert.deepEqual(await iam.keyIds(USER), []);
}
