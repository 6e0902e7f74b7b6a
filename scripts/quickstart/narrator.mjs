// Captions over the engine's output, a check mark for each thing seen, and the table at the end.
import { isDeepStrictEqual } from "node:util";
import Table from "cli-table3";

const styled = process.stdout.isTTY && !process.env.NO_COLOR;
const style = (code, text) => (styled ? `\x1b[${code}m${text}\x1b[0m` : text);

/** What was seen is not what should be. */
export class Unexpected extends Error {
  name = "Unexpected";
}

export class Narrator {
  #started = Date.now();
  #chapters = [];
  #failure;

  /** Runs one chapter; `work` hands back what came of it, for the table. */
  chapter = async (title, caption, work) => {
    const number = this.#chapters.length + 1;
    console.log(`\n${style("1;36", `--- ${number}. ${title} ${"-".repeat(Math.max(3, 90 - title.length))}`)}`);
    console.log(`${caption}\n`);
    const started = Date.now();
    const row = { title, outcome: "FAILED", seconds: 0 };
    this.#chapters.push(row);
    try {
      row.outcome = await work();
    } finally {
      row.seconds = (Date.now() - started) / 1000;
    }
  };

  /** Says what was seen; throws where it is something else than wanted. Of a text that is to match, says the matching part. */
  expect = (what, seen, wanted) => {
    const found =
      wanted instanceof RegExp ? wanted.exec(seen)?.[0] : isDeepStrictEqual(seen, wanted) ? seen : undefined;
    if (found === undefined) {
      throw new Unexpected(`${what}\n  expected: ${inWords(wanted)}\n  seen:     ${inWords(seen)}`);
    }
    console.log(`${style("32", "✓")} ${what}: ${inWords(found)}`);
  };

  /** Notes what ended the story early. */
  fail(error) {
    this.#failure = error;
    console.error(`\n${style("1;31", "✗")} ${error instanceof Unexpected ? error.message : error.stack}`);
  }

  /** Prints the table; hands back the exit code. */
  close() {
    const head = ["", "Chapter", "What came of it", "Seconds"];
    const noLinesBetween = { mid: "", "left-mid": "", "mid-mid": "", "right-mid": "" };
    const table = new Table({ head, chars: noLinesBetween, style: { head: styled ? ["bold"] : [], border: [] } });
    this.#chapters.forEach(({ title, outcome, seconds }, index) => {
      table.push([index + 1, title, outcome, { content: seconds.toFixed(1), hAlign: "right" }]);
    });
    console.log(`\n${table.toString()}`);
    const seconds = ((Date.now() - this.#started) / 1000).toFixed(0);
    console.log(this.#failure ? `Failed after ${seconds} s.` : `All as it should be, in ${seconds} s.`);
    return this.#failure ? 1 : 0;
  }
}

function inWords(value) {
  if (typeof value !== "object" || value === null || value instanceof RegExp) return String(value);
  const entries = Object.entries(value).map(([key, text]) => `${key} ${text}`);
  return entries.length > 0 ? entries.join(", ") : "none";
}
