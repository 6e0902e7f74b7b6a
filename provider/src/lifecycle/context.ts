import type { Connection, Connections } from "../aws/connections";
import type { Clock, Limits, UserAccessKeys } from "../rotation/ports";

/** What a host gives to the lifecycle: everything with an effect. */
export interface LifecycleContext {
  readonly clock: Clock;
  /** A random uuid. */
  uuid(): string;
  /** A value of the stack's config by its full key, structured ones as JSON text; undefined when it is not set. */
  config(key: string): string | undefined;
  /** Opens the access keys of a user. Loads the AWS SDK, so only called when a call is needed. */
  open(target: AccessKeysTarget): Promise<UserAccessKeys>;
  /** Tells the user of the run something, in one line, without secrets. */
  log(message: string): void;
}

/** Whose keys, over which connection, in which run. */
export interface AccessKeysTarget {
  readonly connection: Connection;
  readonly connections: Connections;
  readonly region: string;
  readonly userName: string;
  readonly limits: Limits;
  readonly rotationId: string;
  readonly jobId: string;
  readonly onlyLocalEndpoints: boolean;
}
