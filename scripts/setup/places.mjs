// Where things are, and the versions that set-up pins outside package-lock.json.
import { readFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

export const root = fileURLToPath(new URL("../..", import.meta.url)).replace(/\/$/, "");

/** Ignored by git; everything in it can be made again. */
export const cloneCache = join(root, ".cache");

/** Shared by all clones of this user: the engine takes minutes to build. */
export const userCache = join(process.env.XDG_CACHE_HOME || join(homedir(), ".cache"), "pulumi-iam-rotation");

/** What the engine's own SDK, and so this project, needs. */
export const minimumNode = 22;

/** The engine that set-up installs; setup/engine/pulumi/go.mod names the same one. */
export const engineVersion = "3.259.0";

/** The oldest engine on PATH that is taken instead. */
export const minimumEngine = "3.249.0";

/** The emulator's version, from requirements.txt: "moto[server]==5.2.1". */
export const motoRequirement = readFileSync(new URL("requirements.txt", import.meta.url), "utf8").trim();
export const motoVersion = motoRequirement.split("==")[1];
