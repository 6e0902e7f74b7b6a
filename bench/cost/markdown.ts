import { format } from "prettier";

import { PASSES, VERIFICATION } from "../../test/support/callCosts";
import type { Circumstances, Measured, Results, UnchangedRow } from "./results";
import { KINDS } from "./stacks";
import type { Spread } from "./statistics";
import { targetsOf } from "./targets";

const KIND_TEXTS = {
  floor:
    "a provider that only echoes, with our type, loader text, inputs, outputs and secrets: what the engine itself takes",
  usual:
    "what is written by hand after Pulumi's guide: the code in the state, a date that forces the update, no verification",
  ours: "this package",
} as const;

/** All tables as Markdown, without a title of the first level. Pure. */
export function tablesOf(results: Results): Promise<string> {
  const parts = [
    targets(results),
    unchanged(results),
    rotations(results),
    calls(results),
    state(results),
    moduleCost(results),
    throttled(results),
  ];
  return format(parts.filter((part) => part !== "").join("\n\n"), { parser: "markdown", printWidth: 120 });
}

function targets(results: Results): string {
  return section("Targets", undefined, [
    table(
      ["what", "target", "measured", "verdict", "why not"],
      targetsOf(results).map(({ what, target, measured, verdict, reason }) => [
        what,
        target,
        measured,
        verdict,
        reason,
      ]),
    ),
    `Ratios are medians of what was measured side by side, pair by pair. ${pairsOf(results)}`,
  ]);
}

/** How often it was measured: a figure that was measured once says little on a busy machine. */
function pairsOf({ unchanged: noOps, rotations: rotated }: Results): string {
  const counts = [noOps?.result.empty.seconds.count, rotated?.result[0]?.ratioInTurn.count].filter(
    (pairs) => pairs !== undefined,
  );
  const least = Math.min(...counts);
  if (counts.length === 0 || least >= 5) return "";
  return `Here of only ${least} ${least === 1 ? "pair" : "pairs"}: a sample, not yet the five of a full run.`;
}

function unchanged({ unchanged: part }: Results): string {
  if (!part) return "";
  const { rows, empty, likeWithLike } = part.result;
  const each = (what: string) => KINDS.map((kind) => `${kind}: ${what}`);
  const inEach = (row: UnchangedRow, cell: (measured: Measured) => string) =>
    KINDS.map((kind) => cell(row.kinds[kind]));
  const tableOf = (heads: readonly string[], cells: (row: UnchangedRow) => readonly string[]) =>
    table(
      ["command", "rotations", ...heads],
      rows.map((row) => [row.command, count(row.rotations), ...cells(row)]),
    );
  return section("Nothing is due", part.circumstances, [
    KINDS.map((kind) => `- **${kind}**: ${KIND_TEXTS[kind]}`).join("\n"),
    `Medians; in brackets the least and the most. An \`up\` of a stack without a resource takes ${spread(empty.seconds, 1)} s, of it ${spread(empty.cpuSeconds, 1)} s of CPU.`,
    "Time from start to end:",
    tableOf([...each("s"), "ours / floor", "ours / usual"], (row) => [
      ...inEach(row, ({ seconds }) => spread(seconds, 1)),
      spread(row.toFloor.seconds, 2),
      spread(row.toUsual.seconds, 2),
    ]),
    "CPU of all processes (engine, program, provider), which tells more than the time where other work is on the machine:",
    tableOf([...each("CPU s"), "ours / floor", "ours / usual"], (row) => [
      ...inEach(row, ({ cpuSeconds }) => spread(cpuSeconds, 1)),
      spread(row.toFloor.cpuSeconds, 2),
      spread(row.toUsual.cpuSeconds, 2),
    ]),
    "The same by process: engine / program / provider:",
    tableOf(each("CPU s"), (row) =>
      inEach(row, ({ engineCpuSeconds, programCpuSeconds, providerCpuSeconds }) =>
        [engineCpuSeconds, programCpuSeconds, providerCpuSeconds].map((value) => middle(value, 1)).join(" / "),
      ),
    ),
    "The most memory that the provider process ever held:",
    tableOf([...each("MB"), "ours / floor"], (row) => [
      ...inEach(row, ({ providerMegabytes }) => middle(providerMegabytes, 0)),
      middle(row.toFloor.providerMegabytes, 2),
    ]),
    "Like with like: `up` beside the usual resource when that has our inputs, outputs and secrets, too:",
    table(
      ["rotations", "usual: s", "ours: s", "ours / usual", "usual: CPU s", "ours: CPU s", "CPU, ours / usual"],
      [
        [
          count(likeWithLike.rotations),
          spread(likeWithLike.usual.seconds, 1),
          spread(likeWithLike.ours.seconds, 1),
          spread(likeWithLike.toUsual.seconds, 2),
          spread(likeWithLike.usual.cpuSeconds, 1),
          spread(likeWithLike.ours.cpuSeconds, 1),
          spread(likeWithLike.toUsual.cpuSeconds, 2),
        ],
      ],
    ),
  ]);
}

function rotations({ rotations: part }: Results): string {
  if (!part) return "";
  const rows = part.result.map((row) => [
    String(row.rotations),
    String(row.delayMilliseconds),
    ...KINDS.map((kind) => spread(row.create[kind], 1)),
    ...KINDS.map((kind) => spread(row.rotate[kind], 1)),
    spread(row.loopInTurn, 1),
    spread(row.loopAtOnce, 1),
    spread(row.ratioInTurn, 2),
    spread(row.ratioAtOnceLessFloor, 2),
  ]);
  const heads = [
    "rotations",
    "ms a call",
    ...KINDS.map((kind) => `create, ${kind}: s`),
    ...KINDS.map((kind) => `rotate, ${kind}: s`),
  ];
  return section("Something is due", part.circumstances, [
    `Seconds, ${part.result[0]?.parallel ?? ""} resources at the same time (the engine's default here), without the verification's spacing. The SDK loop makes as many calls as our rotations, each rotation's one after another, or those at once that do not wait on one another.`,
    table(
      [
        ...heads,
        "SDK loop, in turn: s",
        "SDK loop, at once: s",
        "rotate, ours / loop in turn",
        "rotate, (ours - floor) / loop at once",
      ],
      rows,
    ),
  ]);
}

function calls({ calls: part }: Results): string {
  if (!part) return "";
  return section("Calls to AWS", part.circumstances, [
    table(
      ["operation", "calls", "of them to verify the new key", "longest chain", "of it passes of the verification"],
      part.result.map(({ operation, calls: made, rounds }) => {
        const verifications = made.filter((call) => call === VERIFICATION).length;
        return [operation, made.length, verifications, rounds.length, verifications > 0 ? PASSES : 0].map(String);
      }),
    ),
    "The chain of a rotation that needs a slot, what is in one line at the same time:",
    part.result
      .find(({ operation }) => operation === "rotation, a slot is needed")
      ?.rounds.map((round, index) => `${index + 1}. ${grouped(round)}`)
      .join("\n") ?? "",
  ]);
}

function grouped(round: readonly string[]): string {
  return [...new Set(round)]
    .map((call) => {
      const count = round.filter((other) => other === call).length;
      return count > 1 ? `${count} x ${call}` : call;
    })
    .join(", ");
}

function state({ state: part }: Results): string {
  if (!part) return "";
  const { ours, oursInputs, oursOutputs, usual, usualSameOutputs } = part.result;
  return section("State", part.circumstances, [
    "Bytes of one resource as compact JSON, secrets encrypted by a passphrase:",
    table(
      ["what", "bytes"],
      [
        ["ours, two keys", count(ours)],
        ["of it inputs", count(oursInputs)],
        ["of it outputs", count(oursOutputs)],
        ["usual, with one key and two outputs", count(usual)],
        ["usual, with our inputs and outputs", count(usualSameOutputs)],
      ],
    ),
  ]);
}

function moduleCost({ module: part }: Results): string {
  if (!part) return "";
  const { loadMilliseconds, loadMegabytes, installedMegabytes } = part.result;
  const { own, awsSdk, others, packages } = installedMegabytes;
  return section("The module", part.circumstances, [
    table(
      ["what", "floor", "ours"],
      [
        [
          "from loading the provider to the end of its first check, ms",
          spread(loadMilliseconds.floor, 0),
          spread(loadMilliseconds.ours, 0),
        ],
        ["memory taken meanwhile, MB", spread(loadMegabytes.floor, 1), spread(loadMegabytes.ours, 1)],
      ],
    ),
    `Installed: ${(own + awsSdk + others).toFixed(1)} MB in ${packages} packages, of it ${own.toFixed(1)} MB our own, ${awsSdk.toFixed(1)} MB the AWS SDK, ${others.toFixed(1)} MB all others.`,
  ]);
}

function throttled({ throttled: part }: Results): string {
  if (!part) return "";
  const { rotations: many, callsPerSecond, burst, runs, callsUndisturbed, lost } = part.result;
  const sum = (of: (run: (typeof runs)[number]) => number) => runs.reduce((total, run) => total + of(run), 0);
  return section("An IAM that throttles", part.circumstances, [
    `${many} rotations are due; IAM takes ${callsPerSecond} calls a second after a burst of ${burst}, and answers the others with \`Throttling\`.`,
    table(
      ["`pulumi up`", "s", "rotated", "calls", "of them throttled"],
      runs.map((run, index) => [
        String(index + 1),
        run.seconds.toFixed(1),
        String(run.rotated),
        count(run.calls),
        count(run.throttled),
      ]),
    ),
    `In all ${count(sum((run) => run.calls))} calls, against ${count(callsUndisturbed)} where nothing is throttled. Keys that were lost (on a user and in no state, or in state and on no user): ${lost}.`,
  ]);
}

function section(title: string, circumstances: Circumstances | undefined, parts: readonly string[]): string {
  const told = circumstances ? [`_${toldOf(circumstances)}_`] : [];
  return [`## ${title}`, ...parts, ...told].filter((part) => part !== "").join("\n\n");
}

function toldOf({ at, seconds, machine, load, versions }: Circumstances): string {
  const names = Object.entries(versions).map(([name, version]) => `${name} ${version}`);
  return `${at.slice(0, 16).replace("T", " ")} UTC, in ${seconds.toFixed(0)} s, on ${machine}; load ${load[0].toFixed(1)} before and ${load[1].toFixed(1)} after; ${names.join(", ")}.`;
}

function table(heads: readonly string[], rows: readonly (readonly string[])[]): string {
  const isNumeric = (index: number) => rows.every((cells) => /^[\d,. ()-]+$/.test(cells[index] ?? ""));
  return [heads, heads.map((_head, index) => (index === 0 || !isNumeric(index) ? "---" : "---:")), ...rows]
    .map((cells) => `| ${cells.join(" | ")} |`)
    .join("\n");
}

function spread(value: Spread | null, digits: number): string {
  if (!value) return "";
  const { median, least, most } = value;
  return value.count === 1
    ? median.toFixed(digits)
    : `${median.toFixed(digits)} (${least.toFixed(digits)}-${most.toFixed(digits)})`;
}

function middle(value: Spread | null, digits: number): string {
  return value ? value.median.toFixed(digits) : "";
}

const count = (value: number) => value.toLocaleString("en-US");
