import type { ClientPool } from "../aws/clients";
import { openUserAccessKeys } from "../aws/userAccessKeys";
import type { Clock } from "../rotation/ports";
import type { LifecycleContext } from "./context";

/** Opens access keys over the AWS SDK; clients are shared by all that the function opens. */
export function accessKeysOpener(pool: ClientPool, clock: Clock): LifecycleContext["open"] {
  return async ({ connection, connections, ...run }) =>
    openUserAccessKeys({
      ...run,
      clock,
      clients: await pool.of(connection, connections, run.region),
      connection: connection.name,
    });
}
