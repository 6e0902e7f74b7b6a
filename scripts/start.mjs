// `npm start`: set-up, then the quickstart: examples/quickstart lives through a month on a real engine and an AWS emulator.
import { fileURLToPath } from "node:url";
import { ended, start } from "./setup/children.mjs";
import { root } from "./setup/places.mjs";
import { SetupError } from "./setup/say.mjs";
import { environment, main, setUp } from "./setup.mjs";

// Longer than the quickstart's own grace time for the engine.
await main(
  async () => {
    const tools = await setUp();
    if (tools.engine.reason) throw new SetupError(tools.engine.reason);
    // In a process of its own: this one may run on an older Node.js, which the AWS SDK does not take.
    const story = fileURLToPath(new URL("quickstart/story.mjs", import.meta.url));
    return ended(start(tools.node.path, [story], { cwd: root, env: environment(tools), stdio: "inherit" }));
  },
  { graceSeconds: 40 },
);
