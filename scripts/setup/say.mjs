// What set-up tells the person who waits for it.

/** A problem that the person can solve: its message says how, so no stack trace is shown. */
export class SetupError extends Error {
  name = "SetupError";
}

/** Prints one line of progress. */
export function say(line) {
  console.log(`[setup] ${line}`);
}

/** Says what is being done, that it still is (every 15 s), and how long it took. */
export async function during(what, work) {
  const started = Date.now();
  const seconds = () => ((Date.now() - started) / 1000).toFixed(0);
  say(`${what} ...`);
  const ticker = setInterval(() => say(`${what} ... ${seconds()} s`), 15_000);
  try {
    return await work();
  } finally {
    clearInterval(ticker);
    say(`${what}: ${seconds()} s`);
  }
}
