import type { fromIni } from "@aws-sdk/credential-providers";
import { z } from "zod";

import { failuresOf, formatFailure, type InputFailure } from "../contract/failures";
import { AMBIENT_CONNECTION_ID, UUID, UUID_RULE } from "../contract/inputs";
import { InputError } from "../rotation/errors";
import { isIamArn, ROLE_RESOURCE } from "./arns";
import { credentialsError } from "./errors";
import { EXTERNAL_ID, EXTERNAL_ID_RULE } from "./policy";

// `pulumi config set --path` stores what looks like a number as a number.
const text = z.preprocess(
  (value) => (typeof value === "number" && Number.isSafeInteger(value) ? String(value) : value),
  z.string().trim().min(1),
);

// The descriptions here are those of the reference in `docs`.
const common = {
  name: text.describe("for people: errors and the output `connection` show it"),
  region: z
    .string()
    .trim()
    .min(1)
    .optional()
    .describe("where keys are verified for rotations that name no `parameters.region`"),
  allowSelfRotation: z
    .boolean()
    .optional()
    .describe("lets the connection rotate the user whose long-lived key it signs with"),
};

const shapes = {
  default: z
    .strictObject({ ...common, method: z.literal("default") })
    .describe("the credentials that the AWS SDK finds by itself"),
  profile: z
    .strictObject({
      ...common,
      method: z.literal("profile"),
      profile: text.describe("its name in the AWS config files"),
    })
    .describe("a profile of the AWS config files"),
  "access-key": z
    .strictObject({
      ...common,
      method: z.literal("access-key"),
      accessKeyId: z.string().min(1).describe("the key's id"),
      secretAccessKey: z.string().min(1).describe("its secret: set it with `--secret`"),
      sessionToken: z.string().min(1).optional().describe("with temporary credentials: set it with `--secret`"),
    })
    .describe("a key in the stack's config"),
  "assume-role": z
    .strictObject({
      ...common,
      method: z.literal("assume-role"),
      roleArn: z
        .string()
        .refine(
          (arn) => isIamArn(arn, ROLE_RESOURCE),
          "must be the arn of a role, arn:PARTITION:iam::ACCOUNT:role/PATH/NAME",
        )
        .describe("the role's arn"),
      externalId: text
        .refine((id) => EXTERNAL_ID.test(id), EXTERNAL_ID_RULE)
        .optional()
        .describe("the external id that the role's trust policy asks for"),
      // By the STS API reference, AssumeRole; so is the duration.
      sessionName: text
        .refine((name) => /^[\w+=,.@-]{2,64}$/.test(name), "must be 2 to 64 letters, digits and +=,.@-_")
        .optional()
        .describe("CloudTrail shows it; by default `pulumi-iam-rotation`"),
      durationSeconds: z.int().min(900).max(43_200).optional().describe("how long the session is good; 900 to 43,200"),
      source: z
        .string()
        .optional()
        .describe("id of the connection whose credentials assume the role; by default the ambient ones"),
    })
    .describe("a role"),
};

/** One entry of config `iam-rotation:connections`. */
export const connectionSchema = z.discriminatedUnion(
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
  if (!result.success) throw refused(failuresOf(result.error.issues, (path) => knownNames(raw, path)));
  const connections = new Map<string, Connection>([[AMBIENT.id, AMBIENT]]);
  const failures: InputFailure[] = [];
  for (const [id, connection] of Object.entries(result.data)) {
    if (!UUID.test(id)) failures.push({ path: id, reason: UUID_RULE });
    else if (connections.has(id.toLowerCase())) {
      failures.push({ path: id, reason: id === AMBIENT.id ? "is the ambient credentials' own id" : "is there twice" });
    } else connections.set(id.toLowerCase(), { ...connection, id: id.toLowerCase() });
  }
  for (const connection of connections.values()) {
    const reason = chainFailure(connection, connections);
    if (reason) failures.push({ path: `${connection.id}.source`, reason });
  }
  if (failures.length > 0) throw refused(failures);
  return connections;
}

function refused(failures: readonly InputFailure[]): InputError {
  return new InputError({
    what: failures
      .map(({ path, reason }) =>
        formatFailure({ path: ["iam-rotation:connections", path].filter(Boolean).join("."), reason }),
      )
      .join("\n"),
    now: "nothing was changed",
    next: "correct it with `pulumi config set --path 'iam-rotation:connections[\"ID\"].PROPERTY' VALUE`",
  });
}

/** What is wrong with the connection that a connection is chained on. */
function chainFailure(connection: Connection, connections: Connections): string | undefined {
  const chain = chainOf(connection, connections);
  const [, source] = chain;
  if (source === undefined) return undefined;
  if (!connections.has(source)) {
    return `is not among the connections of this stack: ${knownConnections(connections)}`;
  }
  // Told at those in the circle, not at those that are chained on one of them.
  return chain.at(-1) === connection.id ? `is chained in a circle: ${chain.join(" -> ")}` : undefined;
}

/** The ids that a connection is chained on, its own first; up to one that nobody knows, or that was there before. */
export function chainOf(connection: Connection, connections: Connections): string[] {
  const chain = [connection.id];
  let id = sourceOf(connection);
  while (id !== undefined && !chain.includes(id)) {
    chain.push(id);
    id = sourceOf(connections.get(id));
  }
  return id === undefined ? chain : [...chain, id];
}

function sourceOf(connection: Connection | undefined): string | undefined {
  return connection?.method === "assume-role" ? connection.source?.toLowerCase() : undefined;
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

/** A credential provider of the SDK's. */
type CredentialProvider = ReturnType<typeof fromIni>;

/**
 * The SDK's own credential provider for a connection. It throws errors that name
 * the connection: what AssumeRole says of a role would pass for an answer of IAM's.
 *
 * @param connections Those that it is chained on, as {@link parseConnections} gives them: in no circle.
 * @param chainedOn The names of the connections that are chained on this one, the outermost first.
 */
export async function credentialsOf(
  connection: Connection,
  connections: Connections,
  chainedOn: readonly string[] = [],
): Promise<CredentialProvider> {
  const named = (provider: CredentialProvider, how: string, next: string): CredentialProvider => {
    const source = { connection: connection.name, chainedOn, how, next };
    return async (properties) => {
      try {
        return await provider(properties);
      } catch (cause) {
        throw credentialsError(cause, source);
      }
    };
  };
  switch (connection.method) {
    case "default": {
      const { fromNodeProviderChain } = await import("@aws-sdk/credential-providers");
      return named(
        fromNodeProviderChain(),
        "the AWS SDK's default chain",
        "give the run credentials where the AWS SDK looks for them (environment, profile, web identity, the machine's role), or correct what AWS refused there; then run `pulumi up` again",
      );
    }
    case "access-key": {
      const { accessKeyId, secretAccessKey, sessionToken } = connection;
      return () => Promise.resolve({ accessKeyId, secretAccessKey, ...(sessionToken && { sessionToken }) });
    }
    case "profile": {
      const { fromIni } = await import("@aws-sdk/credential-providers");
      const { profile } = connection;
      return named(
        fromIni({ profile }),
        `profile "${profile}"`,
        `correct the profile in AWS's config files, or log in to it, then run \`pulumi up\` again`,
      );
    }
    case "assume-role": {
      const { fromTemporaryCredentials } = await import("@aws-sdk/credential-providers");
      const { roleArn, externalId, sessionName, durationSeconds, source, region } = connection;
      const master =
        source === undefined
          ? undefined
          : await credentialsOf(findConnection(connections, source), connections, [...chainedOn, connection.name]);
      const provider = fromTemporaryCredentials({
        ...(master && { masterCredentials: master }),
        ...(region && { clientConfig: { region } }),
        params: {
          RoleArn: roleArn,
          RoleSessionName: sessionName ?? "pulumi-iam-rotation",
          ...(externalId && { ExternalId: externalId }),
          ...(durationSeconds && { DurationSeconds: durationSeconds }),
        },
      });
      return named(
        provider,
        `assuming role ${roleArn}`,
        "let the role's trust policy name who assumes it, with the connection's externalId if it asks for one, and allow them sts:AssumeRole on the role; then run `pulumi up` again",
      );
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
