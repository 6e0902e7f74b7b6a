import { writeFileSync } from "node:fs";
import { join } from "node:path";

import { ROOT } from "../support/markdown";
import { REFERENCE, referencePage } from "./reference";

// `npm run docs`: makes the tables of the reference anew.
void (async () => {
  writeFileSync(join(ROOT, REFERENCE), await referencePage());
  console.log(`${REFERENCE} is as the code is.`);
})();
