// `npm run sweep`: every fault at every call, on the real host and on the real engine; writes docs/fault-sweep.md.
import { execFileSync } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";

import { startMoto } from "../../support/moto";
import { engineCases, sweepEngine } from "./engineCases";
import type { Outcome } from "./runCase";
import { SCENES } from "./scenes";
import { sweepHost, type Swept } from "./sweep";
import { reportOf, titleOf } from "./table";

const ROOT = join(__dirname, "../../..");
const REPORT = join(ROOT, "docs/fault-sweep.md");

/** Cases at the same time: most of a case is waiting for one moto. */
const PARALLEL = Number(process.env["SWEEP_PARALLEL"] ?? 6);
const ENGINES = Number(process.env["SWEEP_ENGINES"] ?? 2);

async function main(): Promise<number> {
  // Side by side, each with an emulator of its own: one half waits mostly for that, the other one for engines to start.
  const [host, engine] = await Promise.all([hostHalf(), engineHalf()]);
  const outcomes = [...host.undisturbed, ...host.disturbed, ...engine.outcomes];
  const text = reportOf({
    undisturbed: host.undisturbed,
    host: host.disturbed,
    engine: engine.outcomes,
    printedSecrets: host.printedSecrets,
    secrets: new Set(outcomes.flatMap((outcome) => outcome.secrets)).size,
    seconds: { host: host.seconds, engine: engine.seconds },
    versions: versions(engine.outcomes.length > 0),
    date: new Date().toISOString().slice(0, 10),
  });
  mkdirSync(dirname(REPORT), { recursive: true });
  writeFileSync(REPORT, text);
  const broken = outcomes.filter((outcome) => outcome.broken.length > 0).length;
  console.log(
    `${outcomes.length} cases, ${broken} broken, ${host.printedSecrets} secrets printed: docs/fault-sweep.md`,
  );
  return broken === 0 && host.printedSecrets === 0 ? 0 : 1;
}

async function hostHalf(): Promise<Swept & { seconds: number }> {
  const moto = await startMoto();
  const started = Date.now();
  try {
    const swept = await sweepHost(moto, { scenes: SCENES, parallel: PARALLEL, onOutcome: telling("host", started) });
    return { ...swept, seconds: (Date.now() - started) / 1_000 };
  } finally {
    await moto.stop();
  }
}

async function engineHalf(): Promise<{ outcomes: readonly Outcome[]; seconds: number }> {
  const missing = process.env["PULUMI_ENGINE_MISSING"];
  if (missing) {
    console.log(`THE CASES ON THE REAL ENGINE ARE SKIPPED: ${missing}`);
    return { outcomes: [], seconds: 0 };
  }
  const moto = await startMoto();
  const started = Date.now();
  const cases = engineCases();
  const tell = telling("engine", started);
  try {
    const outcomes = await sweepEngine(moto, cases, ENGINES, (outcome, done) => tell(outcome, done, cases.length));
    return { outcomes, seconds: (Date.now() - started) / 1_000 };
  } finally {
    await moto.stop();
  }
}

function telling(half: string, started: number): (outcome: Outcome, done: number, total: number) => void {
  return (outcome, done, total) => {
    if (outcome.broken.length > 0) {
      console.log(`BROKEN ${titleOf(outcome)}: ${outcome.broken.join("; ")}\n${outcome.said.join("\n---\n")}`);
    }
    if (done % Math.ceil(total / 16) !== 0 && done !== total) return;
    console.log(`${half}: ${done} of ${total} cases, ${((Date.now() - started) / 1_000).toFixed(0)} s`);
  };
}

function versions(hasEngine: boolean): Record<string, string> {
  const versionOf = (name: string) =>
    (JSON.parse(readFileSync(join(ROOT, "node_modules", name, "package.json"), "utf8")) as { version: string }).version;
  const provider = JSON.parse(readFileSync(join(ROOT, "provider/package.json"), "utf8")) as { version: string };
  return {
    "pulumi-iam-rotation": provider.version,
    "@pulumi/pulumi": versionOf("@pulumi/pulumi"),
    ...(hasEngine && { "Pulumi engine": execFileSync("pulumi", ["version"], { encoding: "utf8" }).trim() }),
    "AWS SDK": versionOf("@aws-sdk/client-iam"),
    "Node.js": process.version,
  };
}

// Without a handler a signal ends this process at once, and what it has started would stay.
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.once(signal, () => process.exit(1));

main().then(
  (code) => (process.exitCode = code),
  (error: unknown) => {
    console.error(error);
    process.exitCode = 1;
  },
);
