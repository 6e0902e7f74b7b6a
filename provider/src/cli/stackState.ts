import { stripVTControlCharacters } from "node:util";

import { z } from "zod";

import { RESOURCE_TYPE } from "../contract/resourceType";
import { InputError } from "../rotation/errors";

// How the engine writes a secret into exported state: this key, with the cipher text (or the plain text) beside it.
const SECRET_KEY = "4dabf18193072939515e22adb298388d";

const instant = z.iso.datetime();

const keySchema = z.object({
  accessKeyId: z.string(),
  state: z.enum(["current", "previous", "inactive", "pending", "leftover"]),
  createdAt: instant,
  verifiedAt: instant.nullish(),
  verifiedIn: z.string().optional(),
  retiredAt: instant.nullish(),
  lastUsedAt: instant.nullish(),
});

// What is read of a rotation's outputs: no secret is among it. A program may have made more of them secret; those are
// missing then.
const factsSchema = z.object({
  name: z.string().optional(),
  connectionId: z.string().optional(),
  connection: z.object({ name: z.string().optional() }).optional(),
  parameters: z.object({ userName: z.string().optional(), region: z.string().optional() }).optional(),
  userArn: z.string(),
  userId: z.string(),
  keys: z.array(keySchema),
  isAutoRotationEnabled: z.boolean(),
  rotationInterval: z.number(),
  rotateAtUtc: z.object({ hours: z.number(), minutes: z.number() }),
  rotationTrigger: z.string().optional(),
  previousKey: z.object({
    deactivateAfterHours: z.number().optional(),
    quietHours: z.number(),
    whenInUse: z.enum(["wait", "retire"]),
  }),
  rotation: z.object({
    number: z.number(),
    at: instant,
    manual: z.boolean(),
    reason: z.string(),
    previousKey: z.enum(["none", "active", "inactive"]),
    drift: z.string().optional(),
  }),
  nextRotationAt: instant.nullish(),
  rotationStatus: z.enum(["success", "failed"]),
  lastRotationAttemptedAt: instant,
  lastRotatedAt: instant,
  lastRotationMessage: z.string().nullish(),
  updatedAt: instant,
  generation: z.number().optional(),
  unsettled: z.string().nullish(),
});

/** What state knows of a rotation, secrets apart. */
export type RotationFacts = z.output<typeof factsSchema>;

/** A rotation in a stack's state. */
export interface RotationRecord {
  readonly urn: string;
  readonly project: string;
  readonly stack: string;
  /** The logical name. */
  readonly rotation: string;
  /** The resource id; empty where a creation was interrupted. */
  readonly id: string;
  /** Undefined where state does not hold them; `problem` says why. */
  readonly facts: RotationFacts | undefined;
  /** What is wrong with the resource in state; undefined when nothing. */
  readonly problem: string | undefined;
}

const resourceSchema = z.object({
  urn: z.string(),
  type: z.string(),
  id: z.string().optional(),
  delete: z.boolean().optional(),
  outputs: z.record(z.string(), z.unknown()).optional(),
});

const exportSchema = z.object({
  deployment: z.object({
    resources: z.array(resourceSchema).default([]),
    pending_operations: z.array(z.object({ resource: resourceSchema, type: z.string() })).default([]),
  }),
});

/**
 * Finds the rotations in what `pulumi stack export` prints. Reads no secret, encrypted or not.
 *
 * @param source Where the text came from, for messages.
 * @throws InputError when it is something else.
 */
export function rotationsIn(text: string, source: string): RotationRecord[] {
  const parsed = exportSchema.safeParse(jsonOf(text));
  if (!parsed.success) {
    throw new InputError({
      what: `${source} is not what \`pulumi stack export\` prints`,
      next: "export the stack's state with `pulumi stack export > FILE`",
    });
  }
  const { resources, pending_operations: pending } = parsed.data.deployment;
  const known = resources.filter(({ type }) => type === RESOURCE_TYPE).map(recordOf);
  const interrupted = pending
    .filter(({ resource }) => resource.type === RESOURCE_TYPE)
    .filter(({ resource }) => !known.some(({ urn }) => urn === resource.urn))
    .map(({ resource, type }) => ({
      ...addressOf(resource.urn),
      id: resource.id ?? "",
      facts: undefined,
      problem: `a run was killed while ${type} it: run \`pulumi up\` again`,
    }));
  return [...known, ...interrupted];
}

function recordOf({ urn, id, outputs, delete: isOld }: z.output<typeof resourceSchema>): RotationRecord {
  const parsed = factsSchema.safeParse(readable(outputs ?? {}));
  const record = { ...addressOf(urn), id: id ?? "" };
  if (parsed.success) {
    return {
      ...record,
      facts: parsed.data,
      problem: isOld ? "was replaced, and is to be deleted by the next run" : undefined,
    };
  }
  // The path alone: a message of the schema could hold a value.
  const paths = parsed.error.issues.map(({ path }) => path.join("."));
  return { ...record, facts: undefined, problem: `state is not as this version writes it: ${paths.join(", ")}` };
}

/** The parts of an urn: `urn:pulumi:STACK::PROJECT::TYPES::NAME`. */
function addressOf(urn: string): Pick<RotationRecord, "urn" | "stack" | "project" | "rotation"> {
  const [head = "", project = "", , ...name] = urn.split("::");
  return { urn, project, stack: head.split(":").at(-1) ?? "", rotation: name.join("::") };
}

/** The user's name; by the arn where a program made `parameters` secret. */
export function userNameOf({ parameters, userArn }: RotationFacts): string {
  return parameters?.userName ?? userArn.split("/").at(-1) ?? "";
}

/** Without secrets, and without what would steer the terminal that shows it. */
function readable(value: unknown): unknown {
  if (typeof value === "string") return stripVTControlCharacters(value);
  if (Array.isArray(value)) return value.map(readable);
  if (typeof value !== "object" || value === null) return value;
  if (SECRET_KEY in value) return undefined;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, readable(inner)]));
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
