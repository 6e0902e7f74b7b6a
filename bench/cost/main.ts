// `npm run bench`: writes bench/results.json, bench/results.md and the tables in docs/performance.md.
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { arch, availableParallelism, cpus, loadavg, platform, totalmem } from "node:os";
import { join } from "node:path";
import { performance } from "node:perf_hooks";
import { parseArgs } from "node:util";

import { format } from "prettier";

import { callCosts } from "../../test/support/callCosts";
import { type Moto, startMoto } from "../../test/support/moto";
import { tablesOf } from "./markdown";
import { measureModule } from "./module";
import { withTables } from "./page";
import type { Circumstances, Results, StateSize } from "./results";
import { measureRotations } from "./rotations";
import { makeTemplates, type Templates } from "./templates";
import { measureThrottled } from "./throttled";
import { measureUnchanged } from "./unchanged";

const ROOT = join(__dirname, "../..");
const PARTS = ["calls", "state", "module", "unchanged", "rotations", "throttled"] as const;
type PartName = (typeof PARTS)[number];

const USAGE = `npm run bench -- [--quick] [--only PART,...] [--sizes N,...] [--pairs N]
  --quick   about a minute, small; written to .cache/bench, not into the repository
  --only    measures these parts and keeps the others as they were: ${PARTS.join(", ")}
  --sizes   no-op runs of so many rotations; 1,100,500,1000 by default
  --tables  measures nothing: writes the tables from bench/results.json again
  --pairs   so many measurements of each kind, side by side; 5 by default`;

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      quick: { type: "boolean", default: false },
      only: { type: "string" },
      sizes: { type: "string" },
      pairs: { type: "string" },
      tables: { type: "boolean", default: false },
      help: { type: "boolean", default: false },
    },
  });
  if (values.help) return void process.stdout.write(`${USAGE}\n`);
  const { quick } = values;
  const wanted = values.only?.split(",") ?? [...PARTS];
  const unknown = wanted.find((part) => !(PARTS as readonly string[]).includes(part));
  if (unknown !== undefined) throw new Error(`there is no part "${unknown}"\n${USAGE}`);
  const sizes = values.sizes?.split(",").map(Number) ?? (quick ? [1, 10, 20] : [1, 100, 500, 1_000]);
  const pairs = Number(values.pairs ?? (quick ? 1 : 5));
  const rotations = quick ? 10 : 100;

  const folder = quick ? join(ROOT, ".cache/bench") : join(ROOT, "bench");
  mkdirSync(folder, { recursive: true });
  const file = join(folder, "results.json");
  const before: Results = existsSync(file) ? (JSON.parse(readFileSync(file, "utf8")) as Results) : {};
  if (values.tables) return write(folder, before, quick);
  const moto = await startMoto();
  try {
    const { templates, state } = await prepared(moto);
    let results = before;
    const part = async <T>(name: PartName, work: () => Promise<T>): Promise<void> => {
      if (!wanted.includes(name)) return;
      results = { ...results, [name]: await inCircumstances(work) };
      // After each part: a run that is ended keeps what it has.
      await write(folder, results, quick);
    };
    await part("calls", async () => {
      say("calls of each operation");
      await moto.reset();
      return callCosts(moto);
    });
    await part("state", () => Promise.resolve(state));
    await part("module", () => {
      say("the provider's module");
      return measureModule(Math.max(3, pairs));
    });
    await part("unchanged", () => measureUnchanged(moto, templates, { sizes, pairs, say }));
    const costs = results.calls?.result ?? (await callCosts(moto));
    const first = costs.find(({ operation }) => operation === "rotation, a slot is free");
    await part("rotations", () =>
      measureRotations(moto, templates, { rotations, delays: [0, 100], pairs, rounds: first?.rounds ?? [], say }),
    );
    await part("throttled", () =>
      measureThrottled(moto, templates, { rotations, callsPerRotation: first?.calls.length ?? 0, say }),
    );
    process.stdout.write(await tablesOf(results));
  } finally {
    await moto.stop();
  }
}

// Without a handler these end the process at once, and what it started would stay.
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.once(signal, () => process.exit(1));

const started = performance.now();

function say(text: string): void {
  process.stderr.write(`[bench] ${((performance.now() - started) / 1_000).toFixed(0).padStart(4)} s  ${text}\n`);
}

async function prepared(moto: Moto): Promise<{ templates: Templates; state: StateSize }> {
  say("one rotation of each kind");
  const { templates, saved } = await makeTemplates(moto);
  const parsed = (text: string) => JSON.parse(text) as Record<"inputs" | "outputs", { __provider: string }>;
  const [ours, usual] = [parsed(saved.ours), parsed(saved.usual)];
  const bytes = (value: unknown) => Buffer.byteLength(JSON.stringify(value));
  const code = usual.inputs.__provider;
  return {
    templates,
    state: {
      ours: bytes(ours),
      oursInputs: bytes(ours.inputs),
      oursOutputs: bytes(ours.outputs),
      usual: bytes(usual),
      usualSameOutputs: bytes({
        ...ours,
        inputs: { ...ours.inputs, __provider: code },
        outputs: { ...ours.outputs, __provider: code },
      }),
    },
  };
}

async function inCircumstances<T>(work: () => Promise<T>): Promise<{ circumstances: Circumstances; result: T }> {
  const load = () => loadavg()[0] ?? 0;
  const before = load();
  const begun = performance.now();
  const result = await work();
  const circumstances: Circumstances = {
    at: new Date().toISOString(),
    seconds: (performance.now() - begun) / 1_000,
    machine: `${availableParallelism()} x ${cpus()[0]?.model ?? arch()}, ${(totalmem() / 1e9).toFixed(0)} GB, ${platform()}`,
    load: [before, load()],
    versions: {
      "Node.js": process.versions.node,
      Pulumi: execFileSync("pulumi", ["version"], { encoding: "utf8" }).trim().replace(/^v/, ""),
      "@pulumi/pulumi": versionOf("@pulumi/pulumi"),
      "@aws-sdk/client-iam": versionOf("@aws-sdk/client-iam"),
    },
  };
  return { circumstances, result };
}

function versionOf(name: string): string {
  const manifest = readFileSync(join(ROOT, "node_modules", name, "package.json"), "utf8");
  return (JSON.parse(manifest) as { version: string }).version;
}

async function write(folder: string, results: Results, quick: boolean): Promise<void> {
  const tables = await tablesOf(results);
  // In the form that `npm run lint` asks of every file.
  writeFileSync(
    join(folder, "results.json"),
    await format(JSON.stringify(results), { parser: "json", printWidth: 120 }),
  );
  writeFileSync(join(folder, "results.md"), `# What it costs\n\nMade by \`npm run bench\`.\n\n${tables}`);
  if (quick) return;
  const page = join(ROOT, "docs/performance.md");
  writeFileSync(page, withTables(readFileSync(page, "utf8"), tables));
}

void main();
