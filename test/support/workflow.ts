import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { parse } from "yaml";

import { type Command, runCommand } from "./command";

/** A step of a workflow: an action, or a script. */
export interface WorkflowStep {
  readonly name?: string;
  readonly uses?: string;
  readonly with?: Readonly<Record<string, string | number | boolean>>;
  readonly run?: string;
  readonly if?: string;
}

/** What of a GitHub workflow tests look at. */
export interface Workflow {
  readonly on: { readonly schedule?: readonly { readonly cron: string }[]; readonly workflow_dispatch?: null };
  readonly concurrency?: { readonly group: string; readonly "cancel-in-progress": boolean };
  readonly permissions?: Readonly<Record<string, string>>;
  readonly defaults?: { readonly run: { readonly shell: string } };
  readonly jobs: Readonly<
    Record<string, { readonly env?: Readonly<Record<string, string>>; readonly steps: readonly WorkflowStep[] }>
  >;
}

/** Reads a workflow's file. */
export function readWorkflow(file: string): Workflow {
  return parse(readFileSync(file, "utf8")) as Workflow;
}

/**
 * Runs the scripts among steps, in their order, as a runner does where `shell: bash` is the default: each in a shell of its
 * own with errexit and pipefail. After a failed one only those run that say `if: always()`.
 *
 * @param env What a runner and the actions before would have set, but for `RUNNER_TEMP` and `GITHUB_STEP_SUMMARY`.
 * @returns Each script's end by the step's name, and the job's summary.
 */
export async function runSteps(
  steps: readonly WorkflowStep[],
  { cwd, env }: { readonly cwd: string; readonly env: NodeJS.ProcessEnv },
): Promise<{ ran: Readonly<Record<string, Command>>; summary: string }> {
  const summary = join(cwd, "summary.md");
  writeFileSync(summary, "");
  const ran: Record<string, Command> = {};
  let hasFailed = false;
  for (const { name = "", run, if: when } of steps) {
    if (run === undefined || (hasFailed && when !== "always()")) continue;
    const script = join(cwd, "step.sh");
    writeFileSync(script, run);
    const command = await runCommand("bash", ["--noprofile", "--norc", "-eo", "pipefail", script], {
      cwd,
      env: { ...env, RUNNER_TEMP: cwd, GITHUB_STEP_SUMMARY: summary },
    });
    ran[name] = command;
    hasFailed ||= command.code !== 0;
  }
  return { ran, summary: readFileSync(summary, "utf8") };
}
