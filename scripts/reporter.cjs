// mocha's spec reporter, and after it one plain line for people and machines: "N passed, N failed", ", N skipped" if any.
const { Spec } = require("mocha").reporters;

module.exports = class extends Spec {
  epilogue() {
    super.epilogue();
    const { passes, failures, pending } = this.stats;
    const { PULUMI_ENGINE_MISSING: missing, CI } = process.env;
    if (missing) {
      const consequence = CI ? " In CI that is a failure." : "";
      console.log(`THE TESTS ON THE PULUMI ENGINE WERE SKIPPED: none was found.${consequence}\n${missing}\n`);
    }
    const failed = failures + (missing && CI ? 1 : 0);
    console.log(`${passes} passed, ${failed} failed${pending > 0 ? `, ${pending} skipped` : ""}`);
  }
};
