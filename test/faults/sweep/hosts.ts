import { mkdirSync, mkdtempSync, rmSync, symlinkSync } from "node:fs";
import { join } from "node:path";

import { ProviderHost } from "../../support/providerHost";

const ROOT = join(__dirname, "../../..");
const DAY = 86_400_000;

/** Connections that differ in name only: each has AWS clients of its own, and so a throttled case slows down no other. */
export const CONNECTIONS = Array.from(
  { length: 12 },
  (_, index) => `11111111-0000-4000-8000-${String(index).padStart(12, "0")}`,
);

// A call's own time is long, for the SDK's retries; nothing waits for it to pass, since AWS's clock moves at will.
const LIMITS = { callSeconds: 8, lagSeconds: 0, verifySeconds: 4, verifySpacingSeconds: 0.01, rotationSeconds: 60 };

/** The config of a stack on a day of the schedule. */
export function configOf(day: number, from: Date): Record<string, string> {
  const connections = Object.fromEntries(
    CONNECTIONS.map((id, index) => [
      id,
      { name: `sweep ${index}`, method: "access-key", accessKeyId: "test", secretAccessKey: "test" },
    ]),
  );
  return {
    "iam-rotation:asOf": new Date(from.getTime() + day * DAY).toISOString(),
    "iam-rotation:limits": JSON.stringify(LIMITS),
    "iam-rotation:connections": JSON.stringify(connections),
  };
}

/** The provider processes of a sweep: one for each day that many cases share, and more that can be killed. */
export class Hosts {
  /** All that processes which are gone have printed. */
  printed = "";
  readonly folder: string;
  private readonly shared = new Map<string, Promise<ProviderHost>>();
  private readonly from = new Date();

  constructor(private readonly endpoint: string) {
    const cache = join(ROOT, ".cache");
    mkdirSync(cache, { recursive: true });
    this.folder = mkdtempSync(join(cache, "sweep-"));
    // The provider of this clone, whatever the workspace's links say.
    mkdirSync(join(this.folder, "node_modules"));
    symlinkSync(join(ROOT, "provider"), join(this.folder, "node_modules/pulumi-iam-rotation"));
  }

  /** The day's instant on the schedule's clock. */
  at(day: number): Date {
    return new Date(this.from.getTime() + day * DAY);
  }

  /** A process that cases share. `other` gives a second one, for two runs at once. */
  on(day: number, other = false): Promise<ProviderHost> {
    const key = `${day} ${other}`;
    let host = this.shared.get(key);
    if (!host) this.shared.set(key, (host = this.fresh(day)));
    return host;
  }

  /** A process of its own. */
  fresh(day: number): Promise<ProviderHost> {
    return ProviderHost.start({ folder: this.folder, endpoint: this.endpoint, config: configOf(day, this.from) });
  }

  /** Ends a process, and keeps what it has printed. */
  async end(host: ProviderHost): Promise<void> {
    await host.kill();
    this.printed += host.printed;
  }

  /** Ends all of them. */
  async stop(): Promise<void> {
    for (const host of this.shared.values()) await this.end(await host);
    this.shared.clear();
    rmSync(this.folder, { recursive: true, force: true });
  }
}
