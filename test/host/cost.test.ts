import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";

import { type Operation, type OperationCost, PASSES, callCosts, VERIFICATION } from "../support/callCosts";
import { program } from "../support/fakeStack";
import { sharedMoto } from "../support/moto";

const ROOT = join(__dirname, "../..");

/** The packages that a script of Node.js has loaded when it ends. */
async function packagesLoadedBy(script: string): Promise<string[]> {
  const report = `process.on("exit", () => console.log(JSON.stringify(Object.keys(require.cache))));`;
  const { stdout } = await promisify(execFile)(process.execPath, ["-e", `${report}${script}`], { cwd: ROOT });
  const files = JSON.parse(stdout) as string[];
  const names = files.map((file) => /.*node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(file)?.[1] ?? "");
  return [...new Set(names)].filter((name) => name !== "");
}

describe("What it costs", () => {
  describe("in calls to AWS", () => {
    let costs: OperationCost[];

    before(async () => {
      const moto = await sharedMoto();
      await moto.reset();
      costs = await callCosts(moto);
    });

    const costOf = (operation: Operation) =>
      costs.find((cost) => cost.operation === operation) ?? assert.fail(`nothing is known of ${operation}`);
    const verificationsOf = ({ calls }: OperationCost) => calls.filter((call) => call === VERIFICATION).length;
    const otherCallsOf = (cost: OperationCost) => cost.calls.length - verificationsOf(cost);

    it("a run in which nothing is due makes none", () => {
      assert.deepEqual(costOf("no-op").calls, []);
    });

    for (const operation of ["rotation, a slot is free", "rotation, a slot is needed"] as const) {
      it(`at most six wait on one another in a rotation, its three passes apart: ${operation}`, () => {
        assert.ok(costOf(operation).rounds.length - PASSES <= 6, JSON.stringify(costOf(operation).rounds));
      });
    }

    it("each pass of a verification is three calls at the same time, on its own in the chain", () => {
      for (const operation of ["creation", "rotation, a slot is free", "rotation, a slot is needed"] as const) {
        const passes = costOf(operation).rounds.map((round) => round.filter((call) => call === VERIFICATION).length);
        assert.deepEqual(
          passes.filter((calls) => calls > 0),
          [3, 3, 3],
        );
      }
    });

    it("each operation makes as many as it needs, the verification apart", () => {
      assert.deepEqual(
        costs.map((cost) => [cost.operation, otherCallsOf(cost), verificationsOf(cost)]),
        [
          ["creation", 10, 9],
          ["no-op", 0, 0],
          ["rotation, a slot is free", 10, 9],
          ["rotation, a slot is needed", 12, 9],
          ["retirement", 5, 0],
          ["refresh", 2, 0],
          ["destroy", 6, 0],
        ],
      );
    });
  });

  describe("in modules that are loaded", () => {
    it("a run in which nothing is due loads nothing of the AWS SDK", async () => {
      const news = JSON.stringify(program());
      const loaded = await packagesLoadedBy(`
        const { provider } = require("pulumi-iam-rotation/dynamic");
        const properties = ${news};
        provider.configure({ config: { get: () => undefined } })
          .then(() => provider.check({}, properties))
          .then(({ inputs }) => provider.check(inputs, properties))
          .then(({ inputs }) => provider.diff("id", { ...inputs, keys: [] }, inputs));
      `);
      assert.deepEqual(loaded.sort(), ["fastest-levenshtein", "uuid", "zod"]);
    });

    it("a program loads no library but Pulumi's, which it has loaded anyway", async () => {
      const pulumis = new Set(await packagesLoadedBy(`require("@pulumi/pulumi");`));
      const ours = await packagesLoadedBy(`require("pulumi-iam-rotation");`);
      assert.deepEqual(
        ours.filter((name) => !pulumis.has(name)),
        [],
      );
    });
  });
});
