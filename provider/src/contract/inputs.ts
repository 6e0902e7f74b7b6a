import { z } from "zod";

import { failuresOf, type InputFailure } from "./failures";
import { environmentId } from "./ids";
import { REGIONS } from "./regions";
import { containsUnknown, orUnknown, UNKNOWN } from "./unknown";

export { AMBIENT_CONNECTION_ID } from "./constants";

/** Keeps every date of the schedule inside four-digit years; the API has no upper limit. */
const LONGEST_INTERVAL_DAYS = 1_000_000;

const SLUG = /^[a-z0-9]+(-[a-z0-9]+)*$/;
/** What is said of what is no uuid. */
export const UUID_RULE = "must be a uuid, as in 3b7a3c1e-1d2f-4e5a-9b8c-7d6e5f4a3b2c";

/** A uuid of any version. */
export const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

const text = () => z.string().trim().min(1);
const SLUG_REASON = 'must be lower-case letters and digits, words joined by single hyphens, as in "ci-bot"';
const slug = (reason = SLUG_REASON) => text().max(64).regex(SLUG, reason);
const wholeNumber = (least: number, most?: number) => {
  const number = z.int("must be a whole number").min(least);
  return most === undefined ? number : number.max(most);
};
// The API refuses both: they separate folders and references in secret names.
const secretName = () => text().regex(/^[^:/]*$/, 'must not contain ":" or "/"');

// The API coerces, so `config.require("days")` works; only a string that spells a number counts.
const coercedNumber = (value: unknown) =>
  typeof value === "string" && value.trim() !== "" && value !== UNKNOWN && !Number.isNaN(Number(value))
    ? Number(value)
    : value;

const rotationInterval = z.preprocess(coercedNumber, wholeNumber(1, LONGEST_INTERVAL_DAYS));

const environmentSlug = slug();
const ENVIRONMENT_NAMES: readonly string[] = ["slug", "name", "id"];
// `ignoreChanges` hands back what an earlier check returned, so the API's response form is taken as well.
const environment = z.unknown().transform((value, context) => {
  const isResponseForm = typeof value === "object" && value !== null && "slug" in value;
  const parsed = environmentSlug.safeParse(isResponseForm ? value.slug : value);
  if (isResponseForm) {
    const keys = Object.keys(value).filter((name) => !ENVIRONMENT_NAMES.includes(name));
    if (keys.length > 0) context.issues.push({ code: "unrecognized_keys", keys, input: { ...value } });
  }
  if (parsed.success) return parsed.data;
  context.issues.push(...(parsed.error.issues as typeof context.issues));
  return z.NEVER;
});

const shapes = {
  rotateAtUtc: { hours: orUnknown(wholeNumber(0, 23)), minutes: orUnknown(wholeNumber(0, 59)) },
  parameters: { userName: orUnknown(text()), region: orUnknown(z.enum(REGIONS).optional()) },
  secretsMapping: { accessKeyId: orUnknown(secretName()), secretAccessKey: orUnknown(secretName()) },
  previousKey: {
    deactivateAfterHours: orUnknown(wholeNumber(0).optional()),
    quietHours: orUnknown(wholeNumber(0, LONGEST_INTERVAL_DAYS * 24).optional()),
    whenInUse: orUnknown(z.enum(["wait", "retire"]).default("wait")),
  },
  adopt: { accessKeyId: orUnknown(text()), secretAccessKey: orUnknown(text()) },
};

const rootShape = {
  name: orUnknown(slug(`${SLUG_REASON}; left out, it is the resource's logical name`)),
  projectId: orUnknown(text()),
  description: orUnknown(
    z
      .string()
      .trim()
      .max(256)
      .nullish()
      .transform((value) => value ?? null),
  ),
  connectionId: orUnknown(z.string().regex(UUID, UUID_RULE)),
  environment: orUnknown(environment),
  secretPath: orUnknown(
    // One trailing slash goes, as in the API; the root stays.
    text().transform((path) => (path.length > 1 && path.endsWith("/") ? path.slice(0, -1) : path)),
  ),
  isAutoRotationEnabled: orUnknown(z.boolean().default(true)),
  rotationInterval: orUnknown(rotationInterval),
  rotateAtUtc: orUnknown(z.strictObject(shapes.rotateAtUtc).default({ hours: 0, minutes: 0 })),
  parameters: orUnknown(z.strictObject(shapes.parameters)),
  secretsMapping: orUnknown(z.strictObject(shapes.secretsMapping)),
  rotationTrigger: orUnknown(z.string().optional()),
  previousKey: orUnknown(z.strictObject(shapes.previousKey).prefault({})),
  adopt: orUnknown(z.strictObject(shapes.adopt).optional()),
  revokeGeneratedCredentials: orUnknown(z.boolean().default(true)),
};

// The class gives it, nobody writes it: the provider cannot see organization, project, stack and logical name otherwise.
const owner = { owner: orUnknown(text()) };
const schema = z.strictObject({ ...rootShape, ...owner });

/** The names of all inputs, as a program writes them. */
export const INPUT_NAMES = Object.keys(rootShape);

/** Where the rotation lives: the API's `environment` in its response form. */
export interface Environment {
  readonly slug: string;
  readonly name: string;
  /** Stable for equal projects and slugs: see {@link environmentId}. */
  readonly id: string;
}

/** What happens to the key that a rotation replaced; every default filled in. */
export interface PreviousKeyPolicy {
  /** Hours after the rotation until the previous key is set Inactive. Left out: it stays until the next rotation. */
  readonly deactivateAfterHours?: number | undefined;
  /** A key used within these hours is in use. Default: min(24, half the interval). */
  readonly quietHours: number;
  /** Whether a key in use is waited for, or retired all the same. */
  readonly whenInUse: "wait" | "retire";
}

/** The inputs after validation: trimmed, with defaults, in the API's response form. In previews any part may be {@link UNKNOWN}. */
export interface RotationInputs {
  readonly name: string;
  readonly projectId: string;
  readonly description: string | null;
  readonly connectionId: string;
  readonly environment: Environment;
  readonly secretPath: string;
  readonly isAutoRotationEnabled: boolean;
  readonly rotationInterval: number;
  readonly rotateAtUtc: { readonly hours: number; readonly minutes: number };
  readonly parameters: { readonly userName: string; readonly region?: (typeof REGIONS)[number] | undefined };
  readonly secretsMapping: { readonly accessKeyId: string; readonly secretAccessKey: string };
  readonly rotationTrigger?: string | undefined;
  readonly previousKey: PreviousKeyPolicy;
  readonly adopt?: { readonly accessKeyId: string; readonly secretAccessKey: string } | undefined;
  readonly revokeGeneratedCredentials: boolean;
  /** `organization/project/stack/logical name`: the address that the resource id is made of. */
  readonly owner: string;
}

/**
 * Validates the inputs of a rotation by the rules of the API (page "Create"; the rules beyond it, such as the slug's
 * form and trimming, as its server applies them). Accepts unknown values anywhere, and its own result.
 *
 * @param raw The inputs as the program gave them.
 * @returns The inputs with defaults, or every failure at once.
 */
export function parseInputs(
  raw: Record<string, unknown>,
): { inputs: RotationInputs; failures: [] } | { inputs?: undefined; failures: InputFailure[] } {
  const result = schema.safeParse(raw);
  const failures = [
    ...(result.success ? [] : failuresOf(result.error.issues, knownProperties)),
    ...crossPropertyFailures(raw),
  ];
  if (!result.success || failures.length > 0) return { failures };
  const { environment: slugOrUnknown, previousKey, ...rest } = withoutUndefined(result.data);
  const inputs = {
    ...rest,
    environment:
      slugOrUnknown === UNKNOWN || rest.projectId === UNKNOWN
        ? UNKNOWN
        : { slug: slugOrUnknown, name: slugOrUnknown, id: environmentId(rest.projectId, slugOrUnknown) },
    parameters: withoutUndefined(rest.parameters),
    previousKey:
      (previousKey as unknown) === UNKNOWN
        ? UNKNOWN
        : withoutUndefined({
            ...previousKey,
            quietHours: previousKey.quietHours ?? defaultQuietHours(rest.rotationInterval),
          }),
  };
  return { inputs: inputs as RotationInputs, failures: [] };
}

function knownProperties(path: string): readonly string[] {
  if (path === "environment") return ENVIRONMENT_NAMES;
  return path === "" ? INPUT_NAMES : Object.keys(shapes[path as keyof typeof shapes] ?? {});
}

function defaultQuietHours(rotationInterval: unknown): number | string {
  return typeof rotationInterval === "number" ? Math.min(24, rotationInterval * 12) : UNKNOWN;
}

/** Rules that need two properties. They read the raw inputs, so that they are told along with all other failures. */
function crossPropertyFailures(raw: Record<string, unknown>): InputFailure[] {
  const failures: InputFailure[] = [];
  const mapping = asRecord(raw["secretsMapping"]);
  const [first, second] = [mapping["accessKeyId"], mapping["secretAccessKey"]];
  if (typeof first === "string" && typeof second === "string" && !containsUnknown(mapping)) {
    if (first.trim() === second.trim()) {
      failures.push({
        path: "secretsMapping.secretAccessKey",
        reason: "must differ from secretsMapping.accessKeyId: each secret needs a name of its own",
      });
    }
  }
  const hours = asRecord(raw["previousKey"])["deactivateAfterHours"];
  const days = rotationInterval.safeParse(raw["rotationInterval"]);
  if (typeof hours === "number" && days.success && hours >= days.data * 24) {
    failures.push({
      path: "previousKey.deactivateAfterHours",
      reason: "must be below the rotation interval; left out, the previous key stays active until the next rotation",
    });
  }
  return failures;
}

function asRecord(value: unknown): Record<string, unknown> {
  return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : {};
}

/** Drops properties that are undefined: a plain JSON value has none. */
function withoutUndefined<T>(value: T): T {
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).filter(([, property]) => property !== undefined)) as T;
}
