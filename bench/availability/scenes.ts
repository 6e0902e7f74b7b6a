import { Account, type Tally } from "./account";
import { INTERVAL_DAYS, STRATEGIES } from "./strategies";

/** What one strategy did in one scene. */
export interface Row extends Tally {
  readonly strategy: string;
  /** Who does it like this. */
  readonly like: string;
}

/** All strategies in one scene. */
export interface SceneResult {
  readonly scene: string;
  readonly rows: readonly Row[];
}

/** Who the rows of this package are like. */
export const OURS = "pulumi-iam-rotation";

/**
 * Takes a consumer through so many rotations, by each strategy, in each scene.
 *
 * @param killedAt The rotation after whose CreateAccessKey the one kill comes.
 */
export async function compare(rotations: number, killedAt: number): Promise<SceneResult[]> {
  const scenes = [
    { title: "Undisturbed", hasForeignKey: false, killAtRotation: undefined },
    {
      title: `Killed once, right after CreateAccessKey of rotation ${killedAt}`,
      hasForeignKey: false,
      killAtRotation: killedAt,
    },
    { title: "Beside a key that somebody else uses", hasForeignKey: true, killAtRotation: undefined },
  ];
  const results = [];
  for (const scene of scenes) {
    const rows = [];
    for (const strategy of STRATEGIES) {
      const account = new Account(scene);
      const job = strategy.start(account);
      for (let day = 0; day <= rotations * (INTERVAL_DAYS + 1) + 1; day += 1) await account.day(job);
      rows.push({ strategy: strategy.name, like: strategy.like, ...account.close() });
    }
    results.push({ scene: scene.title, rows });
  }
  return results;
}

/** What this package promises never to happen, where it happened; empty when it kept its word. */
export function broken(results: readonly SceneResult[]): string[] {
  return results.flatMap(({ scene, rows }) =>
    rows
      .filter(({ like }) => like === OURS)
      .flatMap(({ strategy, failedUses, orphans, foreignDestroyed, inUseDestroyed }) =>
        Object.entries({ failedUses, orphans, foreignDestroyed, inUseDestroyed })
          .filter(([, count]) => count > 0)
          .map(([what, count]) => `${scene}: ${strategy}: ${what} ${count}`),
      ),
  );
}
