import Table from "cli-table3";

import type { Finding } from "./comparison";
import type { Io } from "./io";
import type { Overview } from "./overview";
import { counted, fromNow, utc } from "./words";

/** A rotation as `status` shows it. */
export interface StatusRow extends Overview {
  /** What a comparison with IAM found; absent where there was none. */
  readonly check?: readonly Finding[];
}

/** The rows as a table for people, with all that needs somebody under it. */
export function statusText(rows: readonly StatusRow[], now: Date, styled: Io["styled"]): string {
  if (rows.length === 0) return "No rotation is in this state.\n";
  const stacks = new Set(rows.map(({ project, stack }) => `${project}/${stack}`));
  const table = new Table({
    head: ["Rotation", "Key", "Next rotation", "Previous key", "Last result"],
    chars: RULES,
    style: { head: [], border: [], "padding-left": 0, "padding-right": 2 },
  });
  for (const overview of rows) table.push(rowOf(overview, stacks.size > 1, now, styled));
  const checked = rows.flatMap((row) => findingLines(row, styled));
  const needing = rows.filter(({ attention }) => attention.length > 0);
  const all = counted(rows.length, "rotation");
  const verdict =
    needing.length === 0
      ? styled("green", `${all}: nothing is due, nothing failed.`)
      : styled("red", `${all}, ${needing.length} ${needing.length === 1 ? "needs" : "need"} attention:`);
  return [
    ...trimmed(table.toString()),
    "",
    ...(checked.length > 0 ? [...checked, ""] : []),
    verdict,
    ...needing.flatMap(({ rotation, attention }) => attention.map(({ text }) => `- ${rotation}: ${indented(text)}`)),
    "",
  ].join("\n");
}

// A rule under the head and between rows, and nothing else: rows of several lines need it, frames only take room.
const RULES = {
  top: "",
  "top-mid": "",
  "top-left": "",
  "top-right": "",
  bottom: "",
  "bottom-mid": "",
  "bottom-left": "",
  "bottom-right": "",
  left: "",
  "left-mid": "",
  mid: "─",
  "mid-mid": "",
  right: "",
  "right-mid": "",
  middle: "",
};

function rowOf(overview: Overview, withStack: boolean, now: Date, styled: Io["styled"]): string[] {
  const { rotation, project, stack, userName, key, previousKey, otherKeys, next, last } = overview;
  const others = otherKeys.map(({ accessKeyId, fate }) => `${accessKeyId}\n${fate}`);
  return [
    lines(rotation, withStack && `in ${project}/${stack}`, userName !== null && `user ${userName}`),
    key ? lines(key.accessKeyId, `${counted(key.ageDays, "day")} old`) : styled("red", "none"),
    lines(next.isDue ? styled("red", next.inWords) : next.inWords, next.at !== null && utc(next.at)),
    lines(previousKey ? `${previousKey.accessKeyId}\n${previousKey.fate}` : "none", ...others),
    lines(last.status === "failed" ? styled("red", "failed") : last.status, last.at !== null && fromNow(last.at, now)),
  ];
}

function findingLines({ rotation, check: findings = [] }: StatusRow, styled: Io["styled"]): string[] {
  if (findings.length === 0) return [];
  const width = Math.max(...findings.map(({ question }) => question.length));
  return [
    styled("bold", `${rotation}, compared with IAM:`),
    ...findings.map(({ question, isGood, answer }) => {
      const mark = isGood ? styled("green", "ok ") : styled("red", "NO ");
      return `  ${mark} ${question.padEnd(width)}  ${answer.split("\n").join(`\n${" ".repeat(width + 8)}`)}`;
    }),
  ];
}

const lines = (...parts: (string | false)[]): string => parts.filter((part) => part !== false).join("\n");

const indented = (text: string): string => text.split("\n").join("\n  ");

/** Cells are padded to the right; a copied text need not be. */
const trimmed = (text: string): string[] => text.split("\n").map((line) => line.trimEnd());
