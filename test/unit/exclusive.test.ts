import assert from "node:assert/strict";

import { Exclusive } from "../../provider/src/lifecycle/exclusive";

/** Work that ends when it is told to, and notes when it begins. */
function work(name: string, begun: string[]) {
  let end = () => {};
  let fail = () => {};
  const promise = new Promise<string>((resolve, reject) => {
    end = () => resolve(name);
    fail = () => reject(new Error(name));
  });
  const start = () => {
    begun.push(name);
    return promise;
  };
  return { start, end, fail };
}

/** Lets everything happen that waits for nothing but its turn. */
const turns = () => new Promise((resolve) => setImmediate(resolve));

describe("Exclusive work", () => {
  it("runs one at a time for a key, in the order in which it came", async () => {
    const begun: string[] = [];
    const exclusive = new Exclusive();
    const [first, second, third] = ["first", "second", "third"].map((name) => work(name, begun));
    const results = [first, second, third].map((each) => exclusive.run("ci-bot", each!.start));
    await turns();
    assert.deepEqual(begun, ["first"]);
    first!.end();
    await turns();
    assert.deepEqual(begun, ["first", "second"]);
    second!.end();
    third!.end();
    assert.deepEqual(await Promise.all(results), ["first", "second", "third"]);
    assert.deepEqual(begun, ["first", "second", "third"]);
  });

  it("runs at the same time for another key", async () => {
    const begun: string[] = [];
    const exclusive = new Exclusive();
    const [one, other] = [work("one", begun), work("other", begun)];
    const results = [exclusive.run("ci-bot", one.start), exclusive.run("deployer", other.start)];
    await turns();
    assert.deepEqual(begun, ["one", "other"]);
    other.end();
    assert.equal(await results[1], "other");
    one.end();
    assert.equal(await results[0], "one");
  });

  it("goes on after work that fails, and gives the failure to its own caller alone", async () => {
    const begun: string[] = [];
    const exclusive = new Exclusive();
    const [first, second] = [work("first", begun), work("second", begun)];
    const failed = exclusive.run("ci-bot", first.start);
    const done = exclusive.run("ci-bot", second.start);
    first.fail();
    await assert.rejects(failed, /^Error: first$/);
    second.end();
    assert.equal(await done, "second");
  });

  it("takes work that throws before it gives a promise for work that fails", async () => {
    const exclusive = new Exclusive();
    const thrown = exclusive.run("ci-bot", () => {
      throw new Error("at once");
    });
    await assert.rejects(thrown, /^Error: at once$/);
    assert.equal(await exclusive.run("ci-bot", () => Promise.resolve("after")), "after");
  });

  it("runs at once where all earlier work for the key has ended", async () => {
    const begun: string[] = [];
    const exclusive = new Exclusive();
    await exclusive.run("ci-bot", () => Promise.resolve());
    const next = work("next", begun);
    const result = exclusive.run("ci-bot", next.start);
    await turns();
    assert.deepEqual(begun, ["next"]);
    next.end();
    assert.equal(await result, "next");
  });
});
