import { readSettings, type Settings } from "../../lifecycle/settings";
import { InputError } from "../../rotation/errors";
import { compareWithIam, type Finding } from "../comparison";
import { configOf, type StackChoice } from "../engine";
import { EXIT, type ExitCode } from "../exitCodes";
import type { Io } from "../io";
import { type Attention, byUrgency, type Overview, overviewOf } from "../overview";
import { type Found, findRotations, type SourceOptions } from "../sources";
import { type StatusRow, statusText } from "../statusTable";

/** Rotations that are compared at the same time: IAM throttles an account's calls. */
const AT_ONCE = 8;

/** The options of `status`. */
export interface StatusOptions extends SourceOptions {
  readonly check?: boolean;
  readonly json?: boolean;
}

/**
 * Shows every rotation of the stacks. Writes nothing, and decrypts no state.
 *
 * @returns `attention` when something is due, failed, or (with `check`) not as state says.
 */
export async function status(io: Io, options: StatusOptions): Promise<ExitCode> {
  if (options.check && options.file) {
    throw new InputError({
      what: "--check needs the connections in the stack's config, which a file does not hold",
      next: "leave out --file, and name the stack with --stack",
    });
  }
  const now = io.clock.now();
  const found = await findRotations(io, options);
  const findings = options.check ? await compareAll(io, found) : [];
  const rows = found.map(({ record }, index) => rowOf(overviewOf(record, now), findings[index])).sort(byUrgency);
  const needAttention = rows.filter(({ attention }) => attention.length > 0).length;
  if (options.json) io.out(`${JSON.stringify({ at: now.toISOString(), needAttention, rotations: rows }, null, 2)}\n`);
  else io.out(statusText(rows, now, io.styled));
  return needAttention > 0 ? EXIT.attention : EXIT.ok;
}

function rowOf(overview: Overview, check: readonly Finding[] | undefined): StatusRow {
  if (!check) return overview;
  const bad = check.filter(({ isGood }) => !isGood);
  const more = bad.map(({ question, answer }): Attention => ({ kind: "check", text: `${question}: ${answer}` }));
  return { ...overview, attention: [...overview.attention, ...more], check };
}

/** What is found of each rotation; undefined where there is nothing to compare. */
async function compareAll(io: Io, found: readonly Found[]): Promise<(Finding[] | undefined)[]> {
  const settings = new Map<StackChoice, Promise<Settings>>();
  const settingsOf = (choice: StackChoice) => {
    const known = settings.get(choice) ?? readStackSettings(io, choice);
    settings.set(choice, known);
    return known;
  };
  const compare = async ({ record: { id, facts }, choice }: Found) =>
    facts && choice ? compareWithIam(id, facts, await settingsOf(choice), io) : undefined;
  const findings: (Finding[] | undefined)[] = [];
  for (let start = 0; start < found.length; start += AT_ONCE) {
    findings.push(...(await Promise.all(found.slice(start, start + AT_ONCE).map(compare))));
  }
  return findings;
}

async function readStackSettings(io: Io, choice: StackChoice): Promise<Settings> {
  const config = await configOf(io, choice, ["iam-rotation:connections", "iam-rotation:limits"]);
  // `asOf` is not among them: a look is at what is now.
  return readSettings({ config: (key) => config.get(key), clock: io.clock });
}
