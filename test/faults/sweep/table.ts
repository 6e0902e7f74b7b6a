import { type Fault, FAULTS, type Target } from "./faults";
import type { Case, Outcome } from "./runCase";
import type { Scene } from "./scenes";

/** What a sweep brought, as the report needs it. */
export interface Report {
  readonly undisturbed: readonly Outcome[];
  readonly host: readonly Outcome[];
  /** Empty when there is no engine. */
  readonly engine: readonly Outcome[];
  /** Secrets that were found in what the provider processes printed. */
  readonly printedSecrets: number;
  readonly secrets: number;
  readonly seconds: { readonly host: number; readonly engine: number };
  readonly versions: Readonly<Record<string, string>>;
  readonly date: string;
}

const RESULTS: Readonly<Record<Outcome["result"], string>> = {
  ran: "the disturbed command succeeded all the same",
  "went on": "it failed, or its process was killed; the next command succeeded",
  told: "the next command refused and said what to type; that was typed, and the command after it succeeded",
  "not reached": "the call was not made in this run",
};

const LEGEND = [
  "A row is a call that the operation makes to AWS, in order; a column is what happens at that call. After it comes one",
  "undisturbed command (`up`; for `destroy` another `destroy`; `refresh` and `up` where the operation says so, and where",
  "the `up` found nothing to do), and the invariants are checked from outside, with an AWS client past the proxy.",
  "",
  "| in a cell | what happened; in every case all invariants held |",
  "| --- | --- |",
  ...Object.entries(RESULTS).map(([result, text]) => `| ${result} | ${text} |`),
  "| **BROKEN** | an invariant did not hold; it stands under the table |",
  "",
  "- Throttled, and refused, calls are those that AWS did not apply; a lost answer and a 500 come after it has.",
  '- "engine killed": what the provider hands back is not saved. "next up at once": the call\'s answer is withheld while',
  "  another run, of another process, goes to its end, 30 s later by AWS's clock.",
  "- New keys propagate with flicker. Of the many calls that ask whether a new key works the first and the last are rows.",
  "- Between two commands 30 s pass on AWS's clock (Date, CreateDate, LastUsedDate), so that an announcement's window",
  "  closes without anybody waiting. The schedule moves by `iam-rotation:asOf`.",
  "",
];

/** Writes the report as Markdown. */
export function reportOf(report: Report): string {
  const all = [...report.undisturbed, ...report.host, ...report.engine];
  const broken = all.filter((outcome) => outcome.broken.length > 0);
  const versions = Object.entries(report.versions).map(([name, version]) => `${name} ${version}`);
  return [
    "# Fault sweep: every call, every fault",
    "",
    "Made by `npm run sweep`; not to be edited by hand.",
    "",
    `Run on ${report.date} with ${versions.join(", ")}.`,
    "",
    `**${all.length} cases, ${broken.length} with a broken invariant.** ${report.undisturbed.length} undisturbed and ${report.host.length} disturbed ones on the`,
    `real dynamic-provider host over gRPC (${minutes(report.seconds.host)}), ${report.engine.length} on the real engine (${minutes(report.seconds.engine)}). ${report.secrets} secrets`,
    `existed; ${report.printedSecrets} of them were found in what was printed by the provider's processes, and each case has searched its own`,
    "messages, plain outputs and inputs, on the engine also all that was printed and saved.",
    "",
    `Outcomes: ${countsOf([...report.host, ...report.engine])}.`,
    "",
    "## How to read it",
    "",
    ...LEGEND,
    "## On the dynamic-provider host",
    "",
    ...report.undisturbed.flatMap((scene) => sceneTable(scene, report.host)),
    "## On the real engine",
    "",
    ...(report.engine.length > 0
      ? [
          "The command after a killed engine is `pulumi cancel`, then `up` at once, while the provider that outlives its engine still works.",
          "",
          ...engineTable(report.engine),
        ]
      : ["There was no engine on this machine.", ""]),
    ...(broken.length > 0
      ? ["## Broken", "", ...broken.map((outcome) => `- ${titleOf(outcome)}: ${outcome.broken.join("; ")}`), ""]
      : []),
  ].join("\n");
}

/** One line for a case. */
export function titleOf({ scene, target, fault }: Case): string {
  return [`${scene.operation} from "${scene.start}"`, target && nameOf(target), fault?.name].filter(Boolean).join(", ");
}

function sceneTable({ scene, calls, result, typed }: Outcome, disturbed: readonly Outcome[]): string[] {
  const own = disturbed.filter((outcome) => outcome.scene === scene);
  const rows = calls.filter((call) => own.some((outcome) => isSame(outcome.target, call)));
  const cell = (call: Target, fault: Fault) =>
    cellOf(own.find((outcome) => isSame(outcome.target, call) && outcome.fault === fault));
  return [
    `### ${headOf(scene)}`,
    "",
    `Undisturbed: ${result}${typed.length > 0 ? ` (typed: ${typed.join(", ")})` : ""}.`,
    "",
    `| call | ${FAULTS.map((fault) => fault.name).join(" | ")} |`,
    `| --- | ${FAULTS.map(() => "---").join(" | ")} |`,
    ...rows.map((call) => `| ${nameOf(call)} | ${FAULTS.map((fault) => cell(call, fault)).join(" | ")} |`),
    "",
  ];
}

function engineTable(outcomes: readonly Outcome[]): string[] {
  return [
    "| operation | from | call | fault | outcome |",
    "| --- | --- | --- | --- | --- |",
    ...outcomes.map((outcome) => {
      const { scene, target, fault } = outcome;
      return `| ${scene.operation} | ${scene.start} | ${target ? nameOf(target) : ""} | ${fault?.name ?? ""} | ${cellOf(outcome)} |`;
    }),
    "",
  ];
}

function cellOf(outcome: Outcome | undefined): string {
  if (!outcome) return "";
  if (outcome.broken.length > 0) return "**BROKEN**";
  const typed = [...new Set(outcome.typed)];
  return typed.length > 0 ? `${outcome.result}: ${typed.join(", ")}` : outcome.result;
}

function countsOf(outcomes: readonly Outcome[]): string {
  return (Object.keys(RESULTS) as Outcome["result"][])
    .map((result) => `${outcomes.filter((outcome) => outcome.result === result).length} ${result}`)
    .join(", ");
}

const headOf = ({ operation, start }: Scene) => `${operation.charAt(0).toUpperCase()}${operation.slice(1)}: ${start}`;
const nameOf = ({ action, nth }: Target) => `${action} ${nth}`;
const isSame = (a: Target | undefined, b: Target) => a?.action === b.action && a.nth === b.nth;
const minutes = (seconds: number) => `${Math.floor(seconds / 60)} min ${Math.round(seconds % 60)} s`;
