import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import { performance } from "node:perf_hooks";

/** What a command of the engine cost. What this system does not tell (all but Linux: CPU and memory) is null. */
export interface Cost {
  /** From start to end. */
  readonly seconds: number;
  /** CPU of all its processes. */
  readonly cpuSeconds: number | null;
  /** CPU of the program's process. */
  readonly programCpuSeconds: number | null;
  /** CPU of the provider process. */
  readonly providerCpuSeconds: number | null;
  /** The most memory that the provider process ever held. */
  readonly providerMegabytes: number | null;
}

/** The kernel's unit of CPU time: USER_HZ, 100 on every Linux that Node.js runs on. */
const TICKS_PER_SECOND = 100;

const LOOK_EVERY = 20;

/**
 * Measures a command from outside, so that nothing of it is in the way.
 *
 * @param folder The program's folder: its process and the provider's are known by it.
 */
export async function measured(folder: string, command: () => Promise<unknown>): Promise<Cost> {
  const program = new Watched(folder, "cmd/run/index.js");
  const provider = new Watched(folder, "cmd/dynamic-provider/index.js");
  const look = setInterval(() => {
    program.look();
    provider.look();
  }, LOOK_EVERY);
  try {
    const cpuBefore = childrenCpu();
    const started = performance.now();
    await command();
    const seconds = (performance.now() - started) / 1_000;
    const cpuAfter = childrenCpu();
    return {
      seconds,
      cpuSeconds: cpuBefore === undefined || cpuAfter === undefined ? null : cpuAfter - cpuBefore,
      programCpuSeconds: program.cost?.cpuSeconds ?? null,
      providerCpuSeconds: provider.cost?.cpuSeconds ?? null,
      providerMegabytes: provider.cost?.megabytes ?? null,
    };
  } finally {
    clearInterval(look);
  }
}

interface ProcessCost {
  readonly cpuSeconds: number;
  readonly megabytes: number;
}

/** A process of Pulumi's SDK, from the time that it is seen to its end. */
class Watched {
  /** What it cost until the last look. */
  cost: ProcessCost | undefined;
  private pid: number | undefined;

  constructor(
    private readonly folder: string,
    private readonly script: string,
  ) {}

  look(): void {
    this.pid ??= processIn(this.folder, this.script);
    this.cost = (this.pid === undefined ? undefined : processCost(this.pid)) ?? this.cost;
  }
}

function processIn(folder: string, script: string): number | undefined {
  for (const entry of contentOf(() => readdirSync("/proc")) ?? []) {
    if (!/^\d+$/.test(entry)) continue;
    if (contentOf(() => readlinkSync(`/proc/${entry}/cwd`)) !== folder) continue;
    const command = contentOf(() => readFileSync(`/proc/${entry}/cmdline`, "utf8"))?.split("\0") ?? [];
    // Not the shell and the look-up that come before it.
    if (command[0]?.endsWith("node") && command[1]?.includes(script)) return Number(entry);
  }
  return undefined;
}

function processCost(pid: number): ProcessCost | undefined {
  const status = contentOf(() => readFileSync(`/proc/${pid}/status`, "utf8"));
  const kilobytes = /^VmHWM:\s+(\d+) kB$/m.exec(status ?? "")?.[1];
  const ticks = ticksOf(pid);
  if (kilobytes === undefined || !ticks) return undefined;
  return { cpuSeconds: ticks.own, megabytes: Number(kilobytes) / 1_024 };
}

/** CPU of the children that have ended, and of theirs. */
function childrenCpu(): number | undefined {
  return ticksOf("self")?.children;
}

function ticksOf(pid: number | "self"): { readonly own: number; readonly children: number } | undefined {
  const stat = contentOf(() => readFileSync(`/proc/${pid}/stat`, "utf8"));
  // After the command's name, which may hold anything: state is the third field, utime the 14th.
  const fields = stat?.slice(stat.lastIndexOf(")") + 2).split(" ");
  if (!fields) return undefined;
  const seconds = (first: number) => (Number(fields[first]) + Number(fields[first + 1])) / TICKS_PER_SECOND;
  return { own: seconds(11), children: seconds(13) };
}

function contentOf<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch {
    // The process has ended, or this is no Linux.
    return undefined;
  }
}
