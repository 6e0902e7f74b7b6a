// A lock between processes, by nothing but files: the lock file holds its owner's process id.
import { linkSync, mkdirSync, readFileSync, rmSync, statSync, unlinkSync, utimesSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { say } from "./say.mjs";

/** An owner's file is touched this often... */
const heartbeatMs = 5_000;
/** ...and counts as left behind when it was not for this long: process ids are used again, in containers soon. */
const silenceMs = 120_000;

/** Runs `work` while holding the lock `file`; waits for a living owner, takes over from a dead one. */
export async function withLock(file, work) {
  mkdirSync(dirname(file), { recursive: true });
  const owner = `${process.pid} ${Math.random().toString(36).slice(2)}`;
  await acquire(file, owner, () => say("waiting for another set-up that runs at the same time ..."));
  const heartbeat = setInterval(() => touch(file), heartbeatMs);
  try {
    return await work();
  } finally {
    clearInterval(heartbeat);
    release(file, owner);
  }
}

async function acquire(file, owner, onWait) {
  let told = false;
  for (;;) {
    if (create(file, owner)) return;
    const other = ownerOf(file);
    if (other === undefined) continue;
    if (isDead(file, other)) {
      await takeAway(file, other, owner);
      continue;
    }
    if (!told) onWait();
    told = true;
    await sleep(250);
  }
}

/** Removes a dead owner's lock. Only under a lock of its own, or two could remove: the dead one's, then the living one's. */
async function takeAway(file, dead, owner) {
  const guard = `${file}.${dead.replace(" ", "-")}`;
  await acquire(guard, owner, () => {});
  if (ownerOf(file) === dead) rmSync(file, { force: true });
  release(guard, owner);
}

/** Creates the file together with its content, or not at all: a link is made at once, and never over an existing file. */
function create(file, owner) {
  const draft = `${file}.draft-${owner.replace(" ", "-")}`;
  writeFileSync(draft, owner);
  try {
    linkSync(draft, file);
    return true;
  } catch (error) {
    if (error.code === "EEXIST") return false;
    throw error;
  } finally {
    unlinkSync(draft);
  }
}

function release(file, owner) {
  if (ownerOf(file) === owner) rmSync(file, { force: true });
}

function ownerOf(file) {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return undefined;
  }
}

function isDead(file, owner) {
  try {
    return Date.now() - statSync(file).mtimeMs > silenceMs || !isRunning(Number(owner.split(" ")[0]));
  } catch {
    // Released in the meantime.
    return true;
  }
}

/** Whether there is a process with this id, be it another user's. */
export function isRunning(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error.code === "EPERM";
  }
}

function touch(file) {
  try {
    utimesSync(file, new Date(), new Date());
  } catch {
    // Taken over while this process was suspended: the work goes on, its result is put in place whole or not at all.
  }
}
