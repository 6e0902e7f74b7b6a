// mocha's spec reporter, and after it one plain line for people and machines: "N passed, N failed", ", N skipped" if any.
const { Spec } = require("mocha").reporters;

/** How long handles that a test left open may take to close. */
const patienceMs = 20_000;

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
    const closingLine = `${passes} passed, ${failed} failed${pending > 0 ? `, ${pending} skipped` : ""}`;
    console.log(closingLine);
    endIfKeptAlive(closingLine);
  }
};

/** mocha ends when nothing is open any more. What a test forgot to close must not keep a CI job until its own timeout. */
function endIfKeptAlive(closingLine) {
  setTimeout(() => {
    const open = process.getActiveResourcesInfo().filter((name) => !["TTYWrap", "PipeWrap"].includes(name));
    console.log(`A test left something open, which keeps the tests from ending: ${open.join(", ")}\n${closingLine}`);
    process.exit();
  }, patienceMs).unref();
}
