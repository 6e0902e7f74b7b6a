import { z } from "zod";

/**
 * What a value that Pulumi does not know yet looks like in a preview: this string, at any depth, also where a number
 * or an object is expected (pulumi/pulumi#6310).
 */
export const UNKNOWN = "04da6b54-80e4-46f7-96ec-b56ff0331ba9";

/** Says whether a value, or anything inside it, is not known yet. */
export function containsUnknown(value: unknown): boolean {
  if (value === UNKNOWN) return true;
  if (typeof value !== "object" || value === null) return false;
  return Object.values(value).some(containsUnknown);
}

/**
 * Lets an unknown value pass a schema as it is. The result's type leaves the unknown out: it is there in previews
 * only, and create and update never see one.
 */
export function orUnknown<Schema extends z.ZodType>(schema: Schema) {
  // `optional` because zod takes a missing key as an error of its own before the inner schema could give its default.
  return z
    .unknown()
    .optional()
    .transform((value, context): z.output<Schema> => {
      if (value === UNKNOWN) return UNKNOWN as z.output<Schema>;
      const result = schema.safeParse(value);
      if (result.success) return result.data;
      context.issues.push(...(result.error.issues as typeof context.issues));
      return z.NEVER;
    });
}
