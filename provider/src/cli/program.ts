import { Command, CommanderError } from "commander";

import { InputError, RotationError } from "../rotation/errors";
import { policy, type PolicyOptions } from "./commands/policy";
import { report, type ReportOptions } from "./commands/report";
import { status, type StatusOptions } from "./commands/status";
import { EXIT, type ExitCode } from "./exitCodes";
import type { Io } from "./io";

const EXIT_CODES = `
Exit codes:
  0  all is well
  1  the command could not be carried out
  2  status only: something is due, failed, or not as state says`;

/**
 * Runs the command line. Nothing is thrown: what fails is told on standard error.
 *
 * @param args The arguments without node and the script.
 * @param version The package's version.
 */
export async function runCli(args: readonly string[], version: string, io: Io): Promise<ExitCode> {
  let code: ExitCode = EXIT.ok;
  const program = programOf(version, io, async (command) => void (code = await command));
  try {
    await program.parseAsync([...args], { from: "user" });
    return code;
  } catch (error) {
    // Help and version end in this way, too; the parser has told everything by then.
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.ok : EXIT.error;
    tell(io, error, args.includes("--json"));
    return EXIT.error;
  }
}

function programOf(version: string, io: Io, end: (command: Promise<ExitCode>) => Promise<void>): Command {
  const program = new Command("pulumi-iam-rotation")
    .description("What the rotations of IAM access keys in Pulumi stacks are up to. Changes nothing.")
    .version(version)
    .configureOutput({ writeOut: (text) => io.out(text), writeErr: (text) => io.err(text) })
    .exitOverride()
    .showHelpAfterError("(--help tells more)")
    .addHelpText("after", EXIT_CODES);

  sources(program.command("status"))
    .summary("show every rotation: key, age, next rotation, previous key, last result")
    .description(
      "Shows every rotation of the stacks: key, age, next rotation, previous key and what becomes of it, last result.\n" +
        "Reads what `pulumi stack export` prints; secrets in it stay encrypted.",
    )
    .option("--check", "compare with IAM, by reads only; decrypts iam-rotation:connections if it holds a secret")
    .option("--json", "print JSON")
    .addHelpText(
      "after",
      `
Examples:
  $ npx pulumi-iam-rotation status
  $ npx pulumi-iam-rotation status --stack prod --stack staging --cwd infrastructure
  $ npx pulumi-iam-rotation status --check
  $ npx pulumi-iam-rotation status --json | jq '.rotations[] | select(.next.isDue) | .userName'
  $ pulumi stack export | npx pulumi-iam-rotation status --file -
${EXIT_CODES}`,
    )
    .action((options: StatusOptions) => end(status(io, options)));

  sources(program.command("report"))
    .summary("write one HTML page with a timeline of every user's keys")
    .description(
      "Writes one HTML page with a timeline of every user's keys, and what is overdue in red.\n" +
        "It needs no network and no script, and holds no secret.",
    )
    .requiredOption("--html <file>", "the file to write")
    .option("--json", "print JSON: the file, and how many rotations need attention")
    .addHelpText(
      "after",
      `
Examples:
  $ npx pulumi-iam-rotation report --html keys.html
  $ npx pulumi-iam-rotation report --html keys.html --stack prod --stack staging
  $ pulumi stack export | npx pulumi-iam-rotation report --html keys.html --file -`,
    )
    .action((options: ReportOptions) => end(report(io, options)));

  sources(program.command("policy"))
    .summary("print the IAM policy that the credentials of the rotations need, and no more")
    .description(
      "Prints the IAM policy that the credentials of the rotations need, and no more: for the users of the stacks'\n" +
        "rotations, or for those that are named. With --trust the trust policy of a role that has it.",
    )
    .option("-u, --user <arn>", "a user, instead of those in state; may be repeated", collect)
    .option("--allow-wildcards", "`*` and `?` may stand in the path and the name of a user's arn")
    .option("--no-tags", "without iam:TagUser and iam:UntagUser: a killed run's key is not recognised then")
    .option(
      "--no-last-used",
      "without iam:GetAccessKeyLastUsed: a previous key then counts as in use for ever, and no slot gets free",
    )
    .option("--no-deactivation", "without iam:UpdateAccessKey: previousKey.deactivateAfterHours cannot be used then")
    .option("--trust <arn>", "print a trust policy: who may assume the role; may be repeated", collect)
    .option("--external-id <id>", "what they must give as external id")
    .option("--json", "the policy is JSON with or without it; errors are, too")
    .addHelpText(
      "after",
      `
Examples:
  $ npx pulumi-iam-rotation policy --stack prod > policy.json
  $ npx pulumi-iam-rotation policy --user "$(aws iam get-user --user-name ci-bot --query User.Arn --output text)"
  $ npx pulumi-iam-rotation policy --user 'arn:PARTITION:iam::ACCOUNT:user/bots/*' --allow-wildcards
  $ npx pulumi-iam-rotation policy --trust arn:PARTITION:iam::ACCOUNT:role/deploy --external-id rotation`,
    )
    .action((options: PolicyOptions) => end(policy(io, options)));

  return program;
}

/** The values of an option that may be repeated. */
const collect = (value: string, before: string[] | undefined) => [...(before ?? []), value];

/** The options of all commands that read state. */
function sources(command: Command): Command {
  return command
    .option("-s, --stack <name>", "a stack, by default the selected one; may be repeated", collect)
    .option("-C, --cwd <dir>", "the folder of the Pulumi project", ".")
    .option("-f, --file <file>", "read an exported state instead, `-` for standard input; may be repeated", collect);
}

function tell(io: Io, error: unknown, asJson: boolean): void {
  const known = error instanceof RotationError ? error : undefined;
  if (known && asJson) io.err(`${JSON.stringify(known, null, 2)}\n`);
  else if (known) io.err(`error: ${known.message}\n`);
  else io.err(`error: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
  if (error instanceof InputError && !asJson) io.err("(--help tells more)\n");
}
