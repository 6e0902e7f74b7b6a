// `npm run bench:availability`: writes bench/availability.md and bench/availability.json. No figure in them is made by hand.
import { writeFileSync } from "node:fs";
import { join } from "node:path";

import { broken, compare, type SceneResult } from "./scenes";
import { INTERVAL_DAYS } from "./strategies";

const ROTATIONS = 20;
const KILLED_AT = 10;

async function main(): Promise<void> {
  const results = await compare(ROTATIONS, KILLED_AT);
  const folder = join(__dirname, "..");
  writeFileSync(join(folder, "availability.json"), `${JSON.stringify(results, undefined, 2)}\n`);
  writeFileSync(join(folder, "availability.md"), markdown(results));
  process.stdout.write(markdown(results));
  for (const promise of broken(results)) {
    process.stderr.write(`BROKEN: ${promise}\n`);
    process.exitCode = 1;
  }
}

function markdown(results: readonly SceneResult[]): string {
  const tables = results.map(({ scene, rows }) =>
    [
      `## ${scene}`,
      "",
      "| strategy | like | rotations | uses | failed uses | longest outage | orphans left | foreign keys destroyed | keys in use destroyed |",
      "| --- | --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |",
      ...rows.map((row) =>
        [
          "",
          row.strategy,
          row.like,
          Math.max(0, row.published - 1),
          thousands(row.uses),
          thousands(row.failedUses),
          duration(row.longestOutage),
          row.orphans,
          row.foreignDestroyed,
          row.inUseDestroyed,
          "",
        ]
          .join(" | ")
          .trim(),
      ),
    ].join("\n"),
  );
  return [
    "# Availability: a consumer through twenty rotations",
    "",
    "Made by `npm run bench:availability`.",
    "",
    `A consumer uses the published secret twenty times a second, and takes up a new one in the moment in which it is published. A job runs once a day; the interval is ${INTERVAL_DAYS} days. A new key works everywhere after 5 to 15 seconds, and before that on some of AWS's servers (it flickers); a deleted or disabled one works on for 3.5 seconds. All of it runs on a simulated IAM in virtual time, nothing is scaled; our rows run the package's own lifecycle, the others are a few lines each, written from their descriptions.`,
    "",
    tables.join("\n\n"),
    "",
    "*Rotations*: how many new keys were published. Where a foreign key holds the second slot, a strategy that spares it cannot rotate: it fails, and says why, each day, and the consumer goes on with the key that it has. *Orphans*: keys on the user, at the end, whose secret nobody has.",
    "",
  ].join("\n");
}

const thousands = (count: number) => count.toLocaleString("en-US");

function duration(milliseconds: number): string {
  if (milliseconds === 0) return "none";
  const seconds = milliseconds / 1_000;
  return seconds < 600 ? `${seconds.toFixed(1)} s` : `${(seconds / 86_400).toFixed(1)} days`;
}

void main();
