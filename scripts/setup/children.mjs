// Child processes, and the promise that none outlives this one.
import { spawn, spawnSync } from "node:child_process";
import { constants } from "node:os";
import { setTimeout as sleep } from "node:timers/promises";

/** What a process that ended left behind gets to end by itself. */
const orphanGraceMs = 2_000;

const alive = new Set();
/** When this process was told to end: from then on nobody goes on with what a child's end would have led to. */
let ending = 0;

/**
 * Starts a process in a group of its own, so that a Ctrl-C reaches it once, through `endOnSignal`, and not a second time
 * from the terminal (the engine takes a second one as "drop everything"), and so that the group can be ended.
 */
export function start(command, args, options = {}) {
  const child = spawn(command, args, { ...options, detached: true });
  alive.add(child);
  const forget = () => alive.delete(child);
  child.once("exit", forget);
  child.once("error", forget);
  return child;
}

/** Waits for the end of a process: its exit code, or 128 and more after a signal, as a shell has it. */
export function ended(child) {
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code, signal) => {
      if (!ending) resolve(code ?? 128 + (constants.signals[signal] ?? 0));
    });
  });
}

/** Runs a command to its end and hands back `{ code, output }`, standard output and error in one; never throws. */
export async function run(command, args, options = {}) {
  let output = "";
  const child = start(command, args, { ...options, stdio: ["ignore", "pipe", "pipe"] });
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding("utf8").on("data", (text) => (output += text));
  try {
    return { code: await ended(child), output: output.trim() };
  } catch (error) {
    return { code: 127, output: error.message };
  }
}

/**
 * Asks a process and its group to end; after `graceSeconds` ends it without asking, and whatever it started with it. That
 * is looked up beforehand: the engine's providers are in groups of their own, and stay when the engine is torn down.
 */
export async function end(child, signal = "SIGTERM", graceSeconds = 10) {
  if (!alive.has(child)) return;
  const family = descendants(child.pid);
  const gone = new Promise((resolve) => child.once("exit", resolve));
  tell(-child.pid, signal);
  const timer = setTimeout(() => tell(-child.pid, "SIGKILL"), graceSeconds * 1000);
  await gone;
  clearTimeout(timer);
  const deadline = Date.now() + orphanGraceMs;
  while (family.some((pid) => tell(pid, 0)) && Date.now() < deadline) await sleep(50);
  for (const pid of family) tell(pid, "SIGKILL");
}

/**
 * Ends all children, then this process, when it is told to end. `graceSeconds` is what they get to clean up after
 * themselves; a second signal leaves them a tenth of it.
 */
export function endOnSignal(graceSeconds) {
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) {
    process.on(signal, async () => {
      // One Ctrl-C can arrive twice, from the terminal and from npm.
      if (ending && Date.now() - ending < 1000) return;
      const grace = ending ? graceSeconds / 10 : graceSeconds;
      ending ||= Date.now();
      await Promise.all([...alive].map((child) => end(child, signal, grace)));
      process.exit(128 + constants.signals[signal]);
    });
  }
}

/** All processes that a process started, directly or not. */
function descendants(pid) {
  const { stdout } = spawnSync("ps", ["-A", "-o", "pid=,ppid="], { encoding: "utf8" });
  const processes = (stdout ?? "").split("\n").map((line) => line.trim().split(/ +/).map(Number));
  const below = (parent) => processes.filter(([, of]) => of === parent).flatMap(([id]) => [id, ...below(id)]);
  return below(pid);
}

/** Sends a signal to a process, or to a group given as a negative number; whether there is one. */
function tell(pid, signal) {
  try {
    return process.kill(pid, signal);
  } catch {
    return false;
  }
}
