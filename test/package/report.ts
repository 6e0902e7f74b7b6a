import { type Combination } from "./matrix";
import type { InstalledSize } from "./size";

/** What became of a combination. */
export interface Ran {
  readonly combination: Combination;
  /** The versions of the package manager and of the program's `@pulumi/pulumi`. */
  readonly manager: string;
  readonly sdk: string;
  readonly installSeconds: number;
  readonly lifeSeconds: number;
  /** Why it failed; undefined when all of it went well. */
  readonly failure: string | undefined;
}

/** All that the report tells. */
export interface Report {
  readonly ran: readonly Ran[];
  readonly tarball: { readonly size: number; readonly unpackedSize: number; readonly files: number };
  readonly installed: InstalledSize;
  readonly versions: {
    readonly own: string;
    readonly node: string;
    readonly engine: string;
    readonly typescript: string;
  };
  /** TypeScript's versions that compiled a program, beside the one that programs ran with. */
  readonly compilers: readonly string[];
  readonly ranges: { readonly node: string; readonly sdk: string };
  /** The day of the run: 2026-11-22. */
  readonly date: string;
}

/** The report as Markdown. */
export function reportOf({ ran, tarball, installed, versions, compilers, ranges, date }: Report): string {
  const failed = ran.filter(({ failure }) => failure !== undefined);
  return [
    "# The package as its users get it",
    "",
    "Made by `npm run package:matrix`; not to be edited by hand.",
    "",
    `Run on ${date} with pulumi-iam-rotation ${versions.own}, Pulumi engine ${versions.engine}, Node.js ${versions.node}, on Linux.`,
    "",
    "## What it needs",
    "",
    "| what             | range      | what was run |",
    "| ---------------- | ---------- | ------------ |",
    `| Node.js          | ${ranges.node} | ${versions.node} |`,
    `| \`@pulumi/pulumi\` | ${ranges.sdk} | ${unique(ran.map(({ sdk }) => sdk))} |`,
    `| Pulumi engine    | 3.249 or newer | ${versions.engine} |`,
    `| TypeScript, where the program is in it | 4.7 to 6, with \`ts-node\` 10 | ${versions.typescript}; ${compilers.join(", ")} compiled |`,
    "",
    "Older engines than the one named here were not run, nor were macOS, Windows, Bun, Deno and Yarn's Plug'n'Play.",
    "The package has to be a direct dependency of the program, and so does `@pulumi/pulumi`.",
    "",
    "## Installed and run",
    "",
    "Each row is a program in an empty folder outside of this repository that installs the packed tarball, and then goes through a",
    "whole life on the real engine against an AWS emulator: `up` makes the first key, `up` 31 days later rotates it (both keys",
    "answer), `pulumi-iam-rotation status` knows it, `destroy` leaves none. TypeScript programs are type-checked against the package's types.",
    "",
    `**${ran.length - failed.length} of ${ran.length} went well.**`,
    "",
    "| package manager | modules | language | `@pulumi/pulumi` | created | rotated | destroyed | install | life |",
    "| --- | --- | --- | --- | --- | --- | --- | --- | --- |",
    ...ran.map(rowOf),
    "",
    ...failed.flatMap(({ combination, failure }) => [
      `${combination.manager}, ${combination.module}, ${combination.language}:`,
      "",
      "```text",
      failure ?? "",
      "```",
      "",
    ]),
    "Yarn links with `nodeLinker: node-modules`. The seconds are those of one run on a machine with other work to do: they say that",
    "it is seconds, and no more. `npm test` runs three of these rows.",
    "",
    "## Size",
    "",
    "| what                                                                    | size |",
    "| ----------------------------------------------------------------------- | ---- |",
    `| the tarball                                                             | ${kilobytes(tarball.size)} |`,
    `| the package, installed: ${tarball.files} files | ${kilobytes(tarball.unpackedSize)} |`,
    `| its dependencies: ${installed.packages} packages, the AWS SDK for IAM and STS among them | ${kilobytes(installed.dependencies)} |`,
    "",
    "`@pulumi/pulumi` is not counted: the program has it anyway.",
    "",
  ].join("\n");
}

function rowOf({ combination, manager, sdk, installSeconds, lifeSeconds, failure }: Ran): string {
  const result = failure === undefined ? ["yes", "yes", "yes"] : ["**FAILED**", "", ""];
  const cells = [
    `${combination.manager} ${manager}`,
    combination.module === "commonjs" ? "CommonJS" : "ESM",
    combination.language === "javascript" ? "JavaScript" : "TypeScript",
    sdk,
    ...result,
    `${installSeconds.toFixed(0)} s`,
    `${lifeSeconds.toFixed(0)} s`,
  ];
  return `| ${cells.join(" | ")} |`;
}

function unique(values: readonly string[]): string {
  return [...new Set(values)].join(", ");
}

function kilobytes(bytes: number): string {
  return bytes < 1_000_000 ? `${(bytes / 1_000).toFixed(0)} kB` : `${(bytes / 1_000_000).toFixed(1)} MB`;
}
