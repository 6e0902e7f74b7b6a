import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:net";
import { setTimeout as delay } from "node:timers/promises";

const START_SECONDS = 60;

/** A running moto server: AWS's API on this machine, in memory. */
export interface Moto {
  /** Its address, as for `AWS_ENDPOINT_URL`. */
  readonly endpoint: string;
  /** Forgets everything that was made in it. */
  reset(): Promise<void>;
  /** From now on checks signatures and policies of every call; until the next reset. */
  requireSignatures(): Promise<void>;
  /** Ends the server. */
  stop(): Promise<void>;
}

let shared: Promise<Moto> | undefined;

/** The server that all test files share; it takes seconds to start, so it is started by the first that asks. */
export function sharedMoto(): Promise<Moto> {
  shared ??= startMoto();
  return shared;
}

/** Ends the shared server, if anybody asked for one. */
export async function stopSharedMoto(): Promise<void> {
  const moto = await shared;
  shared = undefined;
  await moto?.stop();
}

/** Starts a server on a free port and waits until it answers. */
export async function startMoto(): Promise<Moto> {
  const [command, ...args] = motoCommand();
  const port = await freePort();
  const endpoint = `http://127.0.0.1:${port}`;
  const child = spawn(command, [...args, "-H", "127.0.0.1", "-p", String(port)], {
    stdio: ["ignore", "ignore", "pipe"],
  });
  const endWithUs = () => void child.kill();
  process.once("exit", endWithUs);
  let log = "";
  child.stderr?.setEncoding("utf8").on("data", (text: string) => (log = (log + text).slice(-2_000)));
  let failure: Error | undefined;
  child.once("error", (error) => (failure = error));

  const stop = async () => {
    process.off("exit", endWithUs);
    await end(child);
  };
  const deadline = Date.now() + START_SECONDS * 1_000;
  while (!(await answers(endpoint))) {
    if (failure || child.exitCode !== null || Date.now() > deadline) {
      await stop();
      throw new Error(`moto did not start: ${failure?.message ?? log}`);
    }
    await delay(50);
  }
  const post = async (path: string, body?: string) => {
    const answer = await fetch(`${endpoint}/moto-api/${path}`, { method: "POST", ...(body && { body }) });
    if (!answer.ok) throw new Error(`moto answered ${answer.status} to ${path}`);
  };
  return {
    endpoint,
    stop,
    requireSignatures: () => post("reset-auth", "0"),
    reset: async () => {
      await post("reset-auth", "inf");
      await post("reset");
    },
  };
}

function motoCommand(): [string, ...string[]] {
  const text = process.env["MOTO_SERVER_COMMAND"];
  if (!text) throw new Error("MOTO_SERVER_COMMAND is not set: run the tests with `npm test`");
  return JSON.parse(text) as [string, ...string[]];
}

async function answers(endpoint: string): Promise<boolean> {
  try {
    return (await fetch(`${endpoint}/moto-api/`)).ok;
  } catch {
    return false;
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  server.close();
  if (address === null || typeof address === "string") throw new Error("no port was given");
  return address.port;
}

async function end(child: ChildProcess): Promise<void> {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
  const gone = once(child, "exit");
  child.kill();
  await gone;
}
