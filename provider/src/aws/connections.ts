import type { AwsCredentialIdentityProvider } from "@smithy/types";
import { z } from "zod";

import { failuresOf, formatFailure } from "../contract/failures";
import { AMBIENT_CONNECTION_ID } from "../contract/inputs";
import { InputError } from "../rotation/errors";

const common = { name: z.string().trim().min(1), region: z.string().trim().min(1).optional() };

const shapes = {
  default: z.strictObject({ ...common, method: z.literal("default") }),
  profile: z.strictObject({ ...common, method: z.literal("profile"), profile: z.string().min(1) }),
  "access-key": z.strictObject({
    ...common,
    method: z.literal("access-key"),
    accessKeyId: z.string().min(1),
    secretAccessKey: z.string().min(1),
    sessionToken: z.string().min(1).optional(),
  }),
  "assume-role": z.strictObject({
    ...common,
    method: z.literal("assume-role"),
    roleArn: z.string().min(1),
    externalId: z.string().min(1).optional(),
    sessionName: z.string().min(1).optional(),
    durationSeconds: z.int().min(900).max(43_200).optional(),
    /** Id of the connection whose credentials assume the role; the ambient ones by default. */
    source: z.string().optional(),
  }),
};

const connectionSchema = z.discriminatedUnion(
  "method",
  [shapes.default, shapes.profile, shapes["access-key"], shapes["assume-role"]],
  // A connection that is no object at all, or whose method nobody knows.
  { error: `must be one of ${Object.keys(shapes).join(", ")}` },
);
const connectionsSchema = z.record(z.string(), connectionSchema);

/** How AWS is reached: one entry of config `iam-rotation:connections`, with its id. */
export type Connection = z.output<typeof connectionSchema> & { readonly id: string };

const AMBIENT: Connection = { id: AMBIENT_CONNECTION_ID, name: "ambient", method: "default" };

/** The stack's connections by id, the ambient one among them. */
export type Connections = ReadonlyMap<string, Connection>;

/**
 * Reads config `iam-rotation:connections`.
 *
 * @param text The config value: JSON text of a map from uuid to connection; undefined when the stack has none.
 * @throws InputError that names the config path of everything wrong. It never holds a value.
 */
export function parseConnections(text: string | undefined): Connections {
  const raw = text === undefined ? {} : parseJson(text);
  const result = connectionsSchema.safeParse(raw);
  if (!result.success) {
    const failures = failuresOf(result.error.issues, (path) => knownNames(raw, path));
    throw new InputError({
      what: failures
        .map(({ path, reason }) => formatFailure({ path: `iam-rotation:connections.${path}`, reason }))
        .join("\n"),
      now: "nothing was changed",
      next: "correct it with `pulumi config set --path 'iam-rotation:connections[\"ID\"].PROPERTY' VALUE`",
    });
  }
  return new Map([
    [AMBIENT.id, AMBIENT],
    ...Object.entries(result.data).map(([id, connection]): [string, Connection] => [
      id.toLowerCase(),
      { ...connection, id },
    ]),
  ]);
}

/**
 * Finds a connection. An unknown id is an error that lists the known ones: never a silent fall-back.
 *
 * @throws InputError for an unknown id.
 */
export function findConnection(connections: Connections, id: string): Connection {
  const connection = connections.get(id.toLowerCase());
  if (connection) return connection;
  throw new InputError({
    what: `connectionId: is not among the connections of this stack: ${knownConnections(connections)}`,
    now: "nothing was changed",
    next: "add it to the stack's config iam-rotation:connections, or use AMBIENT_CONNECTION_ID for the ambient credentials",
  });
}

/** The connections of a stack for people: ids with names. */
export function knownConnections(connections: Connections): string {
  return [...connections.values()].map(({ id, name }) => `${id} ("${name}")`).join(", ");
}

/**
 * The SDK's own credential provider for a connection; undefined for the SDK's default chain.
 *
 * @throws InputError when connections are chained on one another in a circle, or on an unknown one.
 */
export async function credentialsOf(
  connection: Connection,
  connections: Connections,
  seen: readonly string[] = [],
): Promise<AwsCredentialIdentityProvider | undefined> {
  if (seen.includes(connection.id)) {
    throw new InputError({
      what: `iam-rotation:connections: these are chained in a circle: ${[...seen, connection.id].join(" -> ")}`,
      now: "nothing was changed",
    });
  }
  switch (connection.method) {
    case "default":
      return undefined;
    case "access-key": {
      const { accessKeyId, secretAccessKey, sessionToken } = connection;
      return () => Promise.resolve({ accessKeyId, secretAccessKey, ...(sessionToken && { sessionToken }) });
    }
    case "profile": {
      const { fromIni } = await import("@aws-sdk/credential-providers");
      return fromIni({ profile: connection.profile });
    }
    case "assume-role": {
      const { fromTemporaryCredentials } = await import("@aws-sdk/credential-providers");
      const { roleArn, externalId, sessionName, durationSeconds, source, region } = connection;
      const master =
        source === undefined
          ? undefined
          : await credentialsOf(findConnection(connections, source), connections, [...seen, connection.id]);
      return fromTemporaryCredentials({
        ...(master && { masterCredentials: master }),
        ...(region && { clientConfig: { region } }),
        params: {
          RoleArn: roleArn,
          RoleSessionName: sessionName ?? "pulumi-iam-rotation",
          ...(externalId && { ExternalId: externalId }),
          ...(durationSeconds && { DurationSeconds: durationSeconds }),
        },
      });
    }
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new InputError({
      what: "iam-rotation:connections: must be a map from connection id to connection",
      now: "nothing was changed",
      next: "set it with `pulumi config set --path 'iam-rotation:connections[\"ID\"].method' default`",
    });
  }
}

function knownNames(raw: unknown, path: string): string[] {
  const entry = (raw as Record<string, { method?: keyof typeof shapes } | undefined> | null)?.[path];
  const shape = entry?.method && shapes[entry.method];
  return shape ? Object.keys(shape.shape) : [];
}
