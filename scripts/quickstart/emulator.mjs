// The AWS emulator as a process of its own, on a free port of this machine.
import { createServer } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { end, start } from "../setup/children.mjs";

const startSeconds = 30;

/** Starts it and waits until it answers: `{ url, stop() }`. */
export async function startEmulator([command, ...args]) {
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  let log = "";
  const child = start(command, [...args, "--host", "127.0.0.1", "--port", String(port)], {
    stdio: ["ignore", "ignore", "pipe"],
  });
  child.stderr.setEncoding("utf8").on("data", (text) => (log = (log + text).slice(-2000)));
  child.once("error", (error) => (log = error.message));
  const deadline = Date.now() + startSeconds * 1000;
  while (!(await answers(url))) {
    const over = child.exitCode !== null || child.pid === undefined;
    if (over || Date.now() > deadline) {
      await end(child);
      throw new Error(`The AWS emulator did not start:\n${log}`);
    }
    await sleep(100);
  }
  return { url, stop: () => end(child) };
}

async function answers(url) {
  try {
    return (await fetch(`${url}/moto-api/`)).ok;
  } catch {
    return false;
  }
}

function freePort() {
  return new Promise((resolve, reject) => {
    const server = createServer().once("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });
}
