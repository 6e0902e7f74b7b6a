import { execFileSync } from "node:child_process";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const PROVIDER = join(__dirname, "../../provider");

/** The package as npm would publish it. */
export interface Packed {
  /** The tarball. */
  readonly file: string;
  /** The paths in it. */
  readonly paths: readonly string[];
  /** Bytes of the tarball, and of what is in it. */
  readonly size: number;
  readonly unpackedSize: number;
  /** Takes the tarball away. */
  remove(): void;
}

/** Packs the package. Set-up has built it; to build it again would pull it away from under those that use it. */
export function pack(): Packed {
  const folder = mkdtempSync(join(tmpdir(), "iam-rotation-pack-"));
  const npm = (...args: string[]) =>
    execFileSync("npm", [...args, "--loglevel=error"], {
      cwd: PROVIDER,
      encoding: "utf8",
      stdio: ["ignore", "pipe", "pipe"],
    });
  npm("run", "--silent", "prepack");
  try {
    const said = npm("pack", "--ignore-scripts", "--json", "--pack-destination", folder);
    const [packed] = Object.values(
      JSON.parse(said) as Record<string, { size: number; unpackedSize: number; files: { path: string }[] }>,
    );
    const [name] = readdirSync(folder);
    if (!packed || name === undefined) throw new Error(`npm packed nothing: ${said}`);
    return {
      file: join(folder, name),
      paths: packed.files.map(({ path }) => path),
      size: packed.size,
      unpackedSize: packed.unpackedSize,
      remove: () => rmSync(folder, { recursive: true, force: true }),
    };
  } finally {
    npm("run", "--silent", "postpack");
  }
}
