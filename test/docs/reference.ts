import { readFileSync } from "node:fs";
import { join } from "node:path";

import * as iamRotation from "pulumi-iam-rotation";

import { connectionSchema } from "../../provider/src/aws/connections";
import { REGIONS } from "../../provider/src/contract/regions";
import { SECRET_OUTPUTS } from "../../provider/src/contract/outputs";
import { readSettings } from "../../provider/src/lifecycle/settings";
import { ROOT } from "../support/markdown";
import { FakeClock } from "../support/fakeClock";
import { commentOf, type Member, membersOf } from "./sources";

/** The page whose tables are made from the code. */
export const REFERENCE = "docs/reference.md";

const ERRORS_FILE = "provider/src/rotation/errors.ts";

/** A class of error that programs can import. */
type ErrorName =
  "InputError" | "ConflictError" | "UnauthorizedError" | "ForbiddenError" | "NotFoundError" | "InternalError";

/** What to do, where the error's own words are not at hand. They are always more exact. */
const WHAT_TO_DO: Readonly<Record<ErrorName, string>> = {
  InputError: "correct every property that it names, then `pulumi up`",
  ConflictError: "what its last line says: wait until the time in it, free a slot, or set `previousKey.whenInUse`",
  UnauthorizedError: "renew the credentials of the connection that it names, then `pulumi up`",
  ForbiddenError: "allow the action that it names on the user, then `pulumi up`",
  NotFoundError: "check `parameters.userName` and the account of the connection; make the user, then `pulumi up`",
  InternalError: "`pulumi up` again; it goes on with a key that was made already",
};

/** The page as it has to be: everything between the marks made anew from the code, and formatted. */
export async function referencePage(): Promise<string> {
  const { format, resolveConfig } = await import("prettier");
  const file = join(ROOT, REFERENCE);
  let text = readFileSync(file, "utf8");
  for (const [name, table] of Object.entries(tables())) {
    const [begin, end] = [`<!-- made from the code: ${name} -->`, "<!-- end -->"];
    const start = text.indexOf(begin);
    const stop = text.indexOf(end, start);
    if (start < 0 || stop < 0) throw new Error(`${REFERENCE} has no "${begin}" with an "${end}" after it`);
    text = `${text.slice(0, start + begin.length)}\n\n${table}\n\n${text.slice(stop)}`;
  }
  return format(text, { ...(await resolveConfig(file)), parser: "markdown" });
}

/** All inputs: those of the interface that programs give. */
export function inputs(): Member[] {
  return membersOf("provider/src/resource.ts", "AwsIamUserSecretRotationArgs");
}

/** All outputs that programs can use. */
export function outputs(): Member[] {
  return membersOf("provider/src/resource.ts", "AwsIamUserSecretRotation");
}

/** The classes of errors that the package exports, by name. */
export function errorNames(): ErrorName[] {
  return Object.entries(iamRotation)
    .filter(([, value]) => typeof value === "function" && value.prototype instanceof iamRotation.RotationError)
    .map(([name]) => name as ErrorName);
}

function tables(): Record<string, string> {
  return {
    inputs: table(
      ["input", "type", "default", ""],
      inputs().map((input) => [code(input.path), code(input.type), defaultOf(input), input.text]),
    ),
    outputs: table(
      ["output", "type", ""],
      outputs().map(({ path, type, text }) => [
        `${code(path)}${SECRET_OUTPUTS.some((name) => name === path) ? " (secret)" : ""}`,
        code(type),
        text.replace(/ Secret\.$/, ""),
      ]),
    ),
    keys: table(
      ["property", "type", ""],
      membersOf("provider/src/rotation/keyRing.ts", "KeyRecord").map(({ path, type, text }) => [
        code(path),
        code(type === "KeyState" ? keyStates().join(" | ") : type),
        text,
      ]),
    ),
    regions: REGIONS.map(code).join(", "),
    connections: table(["method", "property", "", ""], connections()),
    limits: table(
      ["limit", "default", ""],
      membersOf("provider/src/rotation/ports.ts", "Limits").map(({ path, text }) => [
        code(`iam-rotation:limits.${path}`),
        `${limitsByDefault()[path] ?? "?"} s`,
        text,
      ]),
    ),
    "rotation policy": optionsTable("RotationPolicyOptions"),
    "trust policy": optionsTable("TrustPolicyOptions"),
    errors: table(
      ["class", "`statusCode`", "`error`", "what it means", "what to do"],
      errorNames()
        .map((name) => ({ name, error: new iamRotation[name]({ what: "" }) }))
        .sort((a, b) => a.error.statusCode - b.error.statusCode)
        .map(({ name, error }) => [
          code(name),
          String(error.statusCode),
          code(error.error),
          commentOf(ERRORS_FILE, name).replace(/ \(\d{3}\)/, ""),
          WHAT_TO_DO[name],
        ]),
    ),
  };
}

/** The options of what makes a policy. */
function optionsTable(name: string): string {
  return table(
    ["option", "type", "default", ""],
    membersOf("provider/src/aws/policy.ts", name).map((option) => [
      code(option.path),
      code(option.type.replace(/^readonly /, "")),
      defaultOf(option),
      option.text,
    ]),
  );
}

/** The states that a key of a rotation can be in. */
export function keyStates(): string[] {
  const source = readFileSync(join(ROOT, "provider/src/rotation/keyRing.ts"), "utf8");
  return /type KeyState = (.*);/.exec(source)?.[1]?.split(" | ") ?? [];
}

/** The limits, in seconds, of a stack whose config names none. */
function limitsByDefault(): Readonly<Record<string, number>> {
  return { ...readSettings({ config: () => undefined, clock: new FakeClock() }).limits };
}

function connections(): string[][] {
  return connectionSchema.options.flatMap(({ shape, description = "" }) => {
    const { method, ...properties } = shape;
    return [
      [code(method.value), "", "", description],
      ...Object.entries(properties).map(([name, property]) => [
        "",
        code(name),
        property.safeParse(undefined).success ? "" : "required",
        property.description ?? "",
      ]),
    ];
  });
}

function defaultOf({ isOptional, byDefault }: Member): string {
  if (!isOptional) return "required";
  if (byDefault === undefined) return "";
  return isValue(byDefault) ? code(byDefault) : byDefault.replace(/^- /, "");
}

/** Whether what stands after `@default` is a value, and no sentence. */
export function isValue(byDefault: string): boolean {
  return /^(true|false|\d+|"[^"]*")$/.test(byDefault);
}

const code = (text: string) => `\`${text}\``;

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |`;
  return [line(head), line(head.map(() => "---")), ...rows.map(line)].join("\n");
}
