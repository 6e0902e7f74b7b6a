// Breaks each rule of the protocol in turn, in a copy of the tree, and shows which test fails. Prints a table; with
// `--write` it also writes test/faults/mutations.md. Arguments that are words choose mutations by their name.
import { spawnSync } from "node:child_process";
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

import { MUTATIONS } from "./mutations.mjs";

const root = fileURLToPath(new URL("../..", import.meta.url));
const words = process.argv.slice(2).filter((word) => !word.startsWith("--"));
const chosen = MUTATIONS.filter(({ rule }) => words.every((word) => rule.includes(word)));

const copy = mkdtempSync(join(tmpdir(), "iam-rotation-mutations-"));
try {
  for (const path of ["provider/src", "provider/package.json", "test", "bench", "package.json", "tsconfig.json"]) {
    cpSync(join(root, path), join(copy, path), { recursive: true });
  }
  symlinkSync(join(root, "node_modules"), join(copy, "node_modules"));
  // What a mutation must break passes unbroken: else a table of failures would prove nothing.
  const unbroken = run(["test/faults/simulation/*.test.ts", ...new Set(MUTATIONS.flatMap(({ tests = [] }) => tests))]);
  if (unbroken) throw new Error(`the tests fail without any mutation: ${unbroken}`);

  const rows = chosen.map((mutation) => {
    const caught = tryOut(mutation);
    console.log(`${caught ? "caught " : "MISSED "} ${mutation.rule}\n         ${caught ?? "by no test"}`);
    return { ...mutation, caught };
  });
  if (process.argv.includes("--write")) writeFileSync(join(root, "test/faults/mutations.md"), table(rows));
  process.exitCode = rows.every(({ caught }) => caught) ? 0 : 1;
} finally {
  rmSync(copy, { recursive: true, force: true });
}

/** Tries a mutation out; gives the tests that fail. */
function tryOut({ file, find, replace, tests = ["rules", "retirement", "replacement", "histories"] }) {
  const path = join(copy, "provider/src", file);
  const source = readFileSync(path, "utf8");
  if (source.split(find).length !== 2) throw new Error(`${file} does not hold exactly once: ${find}`);
  writeFileSync(
    path,
    source.replace(find, () => replace),
  );
  try {
    // The short ones first: the histories only where no other test sees it.
    for (const test of tests) {
      const failed = run([test.includes("/") ? test : `test/faults/simulation/${test}.test.ts`]);
      if (failed) return failed;
    }
    return undefined;
  } finally {
    writeFileSync(path, source);
  }
}

/** Runs tests; the titles of those that failed, the first three of them, with an invariant where one broke. */
function run(files) {
  const mocha = join(root, "node_modules/mocha/bin/mocha.js");
  const { stdout, stderr } = spawnSync(
    process.execPath,
    [
      mocha,
      "--no-config",
      "--require",
      "ts-node/register/transpile-only",
      "--reporter",
      "json",
      "--timeout",
      "0",
      ...files,
    ],
    {
      cwd: copy,
      encoding: "utf8",
      maxBuffer: 1 << 28,
      env: { IAM_ROTATION_HISTORIES: "2500", IAM_ROTATION_SEED: "1", IAM_ROTATION_SHRINK: "no", ...process.env },
    },
  );
  const start = stdout.indexOf('{\n  "stats"');
  if (start < 0) return `the tests cannot run: ${stderr.split("\n")[0]}`;
  const failures = JSON.parse(stdout.slice(start)).failures;
  if (failures.length === 0) return undefined;
  const titles = failures.slice(0, 3).map(({ fullTitle, err }) => {
    const invariant = /invariant (\w+)/.exec(`${err.message} ${err.stack}`)?.[1];
    return invariant ? `${fullTitle} (invariant ${invariant})` : fullTitle;
  });
  const more = failures.length > 3 ? `, and ${failures.length - 3} more` : "";
  return titles.map((title) => title.replace(/, in \d+ random histories/, ", in random histories")).join("; ") + more;
}

function table(rows) {
  return [
    "# What catches a broken rule",
    "",
    "Written by `node test/faults/mutate.mjs --write`: it breaks each rule of the protocol in a copy of the tree, and runs the tests.",
    "",
    "| broken rule | where | caught by |",
    "| --- | --- | --- |",
    ...rows.map(({ rule, file, caught }) => `| ${rule} | \`${file}\` | ${caught ?? "**nothing**"} |`),
    "",
  ].join("\n");
}
