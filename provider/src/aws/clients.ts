import type { IAMClient } from "@aws-sdk/client-iam";
import type { STSClient } from "@aws-sdk/client-sts";

import { type Connection, type Connections, chainOf, credentialsOf } from "./connections";

/** The clients of one connection in one region. */
export interface AwsClients {
  readonly iam: IAMClient;
  /** Never retries: for CreateAccessKey, which has no idempotency token. */
  readonly iamOnce: IAMClient;
  readonly sts: STSClient;
}

/** The region of a rotation that names none, and of a connection that names none. */
const DEFAULT_REGION = "us-east-1";

/** `parameters.region`, else the connection's, else the environment's, else us-east-1. */
export function regionOf(
  parameters: { readonly region?: string | undefined },
  connection: Connection,
  environment: NodeJS.ProcessEnv = process.env,
): string {
  const ambient = environment["AWS_REGION"] ?? environment["AWS_DEFAULT_REGION"];
  return parameters.region ?? connection.region ?? (ambient?.trim() || DEFAULT_REGION);
}

/** Makes clients once per connection and region, and loads the SDK only when one is needed. */
export class ClientPool {
  private readonly clients = new Map<string, Promise<AwsClients>>();

  /** The clients of a connection in a region, shared by all rotations of a run. */
  of(connection: Connection, connections: Connections, region: string): Promise<AwsClients> {
    // By what they say, not by id alone: the command line reads many stacks, and each has its own under the same ids.
    const chain = chainOf(connection, connections).map((id) => connections.get(id));
    const key = JSON.stringify([chain, region]);
    let clients = this.clients.get(key);
    if (!clients) {
      clients = openClients(connection, connections, region);
      this.clients.set(key, clients);
      // A failure must not stick: the next call may find credentials.
      clients.catch(() => this.clients.delete(key));
    }
    return clients;
  }
}

async function openClients(connection: Connection, connections: Connections, region: string): Promise<AwsClients> {
  const [{ IAMClient }, { STSClient }] = await Promise.all([
    import("@aws-sdk/client-iam"),
    import("@aws-sdk/client-sts"),
  ]);
  const given = await credentialsOf(connection, connections);
  const retrying = { region, retryMode: "adaptive", maxAttempts: 5 };
  const iam = new IAMClient({ ...retrying, credentials: given });
  // The client's own, which keeps credentials until they expire, and sockets alive: a role is assumed once for all three.
  const { credentials, requestHandler } = iam.config;
  return {
    iam,
    iamOnce: new IAMClient({ region, credentials, requestHandler, maxAttempts: 1 }),
    sts: new STSClient({ ...retrying, credentials, requestHandler }),
  };
}
