import assert from "node:assert/strict";

import { broken, compare, OURS } from "../../../bench/availability/scenes";

/** The availability bench, shorter: `npm run bench:availability` has the whole of it. */
describe("a consumer through some rotations", () => {
  it("loses not one use with this package, killed or not, and loses some by each other way", async () => {
    const results = await compare(4, 2);
    assert.deepEqual(broken(results), []);
    const undisturbed = results[0]?.rows ?? [];
    for (const { like, published, failedUses } of undisturbed) {
      assert.equal(published, 5, like);
      if (like !== OURS) assert.ok(failedUses > 0, like);
    }
    const foreign = results[2]?.rows ?? [];
    assert.ok(foreign.some(({ foreignDestroyed }) => foreignDestroyed > 0));
  }).timeout(120_000);

  it("is seen to lose one", async () => {
    const [scene] = await compare(1, 1);
    assert.ok(scene);
    const rows = scene.rows.map((row) => ({ ...row, failedUses: 1 }));
    assert.match(broken([{ ...scene, rows }])[0] ?? "", /^Undisturbed: verify, then retire when unused: failedUses 1$/);
  }).timeout(120_000);
});
