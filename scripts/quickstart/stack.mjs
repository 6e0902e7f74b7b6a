// One stack of examples/quickstart on the real engine: a backend of plain files in the clone's cache folder.
import { copyFileSync, mkdirSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { ended, start } from "../setup/children.mjs";
import { isRunning } from "../setup/lock.mjs";
import { cloneCache, root } from "../setup/places.mjs";

const project = join(root, "examples/quickstart");
const stackName = "demo";

export class Stack {
  /** A new, empty stack that knows no AWS but the given endpoint. */
  static async create(endpoint) {
    const folder = newFolder();
    // The stack's settings belong into the cache folder, not beside the example: a copy of the project file is enough for
    // all commands that do not run the program.
    copyFileSync(join(project, "Pulumi.yaml"), join(folder, "Pulumi.yaml"));
    const stack = new Stack(folder, endpoint);
    await stack.#quietly("stack", "init", stackName);
    // An emulator's keys work at once: no need to wait for AWS to spread them, as the real one must.
    for (const [limit, value] of Object.entries({ verifySpacingSeconds: "0.1", lagSeconds: "0" })) {
      await stack.#quietly("config", "set", "--path", `iam-rotation:limits.${limit}`, value);
    }
    return stack;
  }

  constructor(folder, endpoint) {
    this.folder = folder;
    this.env = {
      ...withoutSettings(process.env),
      PULUMI_BACKEND_URL: pathToFileURL(join(folder, "state")).href,
      PULUMI_HOME: join(folder, "home"),
      PULUMI_CONFIG_PASSPHRASE: "only for this demonstration",
      PULUMI_SKIP_UPDATE_CHECK: "true",
      AWS_ENDPOINT_URL: endpoint,
      AWS_REGION: "us-east-1",
      AWS_ACCESS_KEY_ID: "test",
      AWS_SECRET_ACCESS_KEY: "test",
      AWS_CONFIG_FILE: "/dev/null",
      AWS_SHARED_CREDENTIALS_FILE: "/dev/null",
    };
  }

  /** Runs the engine, shows what it prints, and hands it back. */
  async pulumi(...args) {
    console.log(`$ pulumi ${args.join(" ")}`);
    const color = process.stdout.isTTY && !process.env.NO_COLOR ? "always" : "never";
    const settings = ["--stack", stackName, "--config-file", join(this.folder, `Pulumi.${stackName}.yaml`)];
    const quieter = ["--suppress-permalink=true", "--non-interactive", "--color", color];
    return this.#run(project, [...args, ...settings, ...quieter], (text) => process.stdout.write(text));
  }

  /** One of the program's outputs, secrets in plain text. */
  async output(name) {
    const outputs = JSON.parse(await this.#quietly("stack", "output", "--json", "--show-secrets"));
    return outputs[name];
  }

  #quietly(...args) {
    return this.#run(this.folder, [...args, "--non-interactive"], () => {});
  }

  async #run(cwd, args, onText) {
    let output = "";
    const child = start("pulumi", args, { cwd, env: this.env, stdio: ["ignore", "pipe", "pipe"] });
    child.stdout.setEncoding("utf8").on("data", (text) => {
      output += text;
      onText(text);
    });
    let complaints = "";
    child.stderr.setEncoding("utf8").on("data", (text) => {
      complaints += text;
      onText(text);
    });
    const code = await ended(child);
    if (code !== 0) throw new Error(`pulumi ${args.join(" ")} ended with exit code ${code}\n${complaints}`);
    return output;
  }
}

/** A folder of this process; it goes with the process, and those of processes that were killed go now. */
function newFolder() {
  const prefix = "quickstart-";
  const remove = (folder) => rmSync(folder, { recursive: true, force: true });
  for (const name of readdirSync(cloneCache).filter((name) => name.startsWith(prefix))) {
    if (!isRunning(Number(name.slice(prefix.length)))) remove(join(cloneCache, name));
  }
  const folder = join(cloneCache, `${prefix}${process.pid}`);
  mkdirSync(join(folder, "state"), { recursive: true });
  process.once("exit", () => remove(folder));
  return folder;
}

/** The demonstration must never reach a real account, or the reader's own stacks. */
function withoutSettings(env) {
  return Object.fromEntries(Object.entries(env).filter(([name]) => !/^(AWS|PULUMI)_/.test(name)));
}
