#!/usr/bin/env node
import { readFileSync } from "node:fs";
import { join } from "node:path";

import { realIo } from "./io";
import { runCli } from "./program";

const { version } = JSON.parse(readFileSync(join(__dirname, "../../package.json"), "utf8")) as { version: string };

// Not process.exit: what was written to a pipe must get there.
void runCli(process.argv.slice(2), version, realIo).then((code) => (process.exitCode = code));
