import assert from "node:assert/strict";

import fc from "fast-check";

import { formatFailure } from "../../provider/src/contract/failures";
import { AMBIENT_CONNECTION_ID, parseInputs } from "../../provider/src/contract/inputs";
import { UNKNOWN } from "../../provider/src/contract/unknown";
import { check } from "../../provider/src/lifecycle/check";
import { API_REGIONS } from "../support/apiPage";
import { FakeClock } from "../support/fakeClock";
import { type Inputs, OTHER_CONNECTION_ID, plain, program } from "../support/fakeStack";

const context = {
  clock: new FakeClock(),
  config: (key: string) =>
    key === "iam-rotation:connections"
      ? JSON.stringify({ [OTHER_CONNECTION_ID]: { name: "other", method: "default" } })
      : undefined,
};

const padded = (text: fc.Arbitrary<string>) =>
  fc.tuple(fc.stringMatching(/^\s{0,2}$/), text, fc.stringMatching(/^\s{0,2}$/)).map((parts) => parts.join(""));
const slug = padded(fc.stringMatching(/^[a-z0-9]{1,9}(-[a-z0-9]{1,9}){0,3}$/));
const text = fc.string({ minLength: 1 }).filter((value) => value.trim() !== "");
// The API drops one trailing slash and no more, so a path with two of them is another one when it is checked again.
const withoutSlash = (path: string) => (path.length > 1 && path.endsWith("/") ? path.slice(0, -1) : path);
const isStable = (path: string) => withoutSlash(path.trim()) === withoutSlash(withoutSlash(path.trim()).trim());
const secretName = text.filter((value) => !/[:/]/.test(value));

/** Good programs: every property in every form that is taken. */
const programs: fc.Arbitrary<Inputs> = fc
  .record(
    {
      name: slug,
      projectId: text,
      description: fc.option(fc.string({ maxLength: 256 })),
      connectionId: fc.constantFrom(AMBIENT_CONNECTION_ID, OTHER_CONNECTION_ID, OTHER_CONNECTION_ID.toUpperCase()),
      environment: fc.oneof(
        slug,
        slug.map((given) => ({ slug: given, name: given, id: "an id" })),
      ),
      secretPath: fc.oneof(text, padded(fc.stringMatching(/^(\/[a-z/ ]{0,4}){1,4}$/))).filter(isStable),
      isAutoRotationEnabled: fc.boolean(),
      rotationInterval: fc
        .integer({ min: 2, max: 1_000_000 })
        .chain((days) => fc.constantFrom<number | string>(days, String(days), ` ${days} `)),
      rotateAtUtc: fc.record({ hours: fc.integer({ min: 0, max: 23 }), minutes: fc.integer({ min: 0, max: 59 }) }),
      parameters: fc.record(
        { userName: text, region: fc.constantFrom(...API_REGIONS) },
        { requiredKeys: ["userName"] },
      ),
      secretsMapping: fc
        .record({ accessKeyId: secretName, secretAccessKey: secretName })
        .filter(({ accessKeyId, secretAccessKey }) => accessKeyId.trim() !== secretAccessKey.trim()),
      rotationTrigger: fc.string(),
      previousKey: fc.record(
        {
          deactivateAfterHours: fc.integer({ min: 0, max: 47 }),
          quietHours: fc.nat(1_000),
          whenInUse: fc.constantFrom("wait", "retire"),
        },
        { requiredKeys: [] },
      ),
      adopt: fc.record({ accessKeyId: text, secretAccessKey: text }),
      revokeGeneratedCredentials: fc.boolean(),
      owner: fc.constant("acme/platform/prod/ci-bot"),
    },
    {
      requiredKeys: [
        "name",
        "projectId",
        "connectionId",
        "environment",
        "secretPath",
        "rotationInterval",
        "parameters",
        "secretsMapping",
        "owner",
      ],
    },
  )
  .map((given) => plain<Inputs>(given));

/** The paths of all nodes below the root. */
function pathsOf(value: unknown, path: readonly string[] = []): string[][] {
  const below =
    typeof value === "object" && value !== null
      ? Object.entries(value).flatMap(([name, child]) => pathsOf(child, [...path, name]))
      : [];
  return path.length === 0 ? below : [[...path], ...below];
}

/** A copy with one node replaced; as it is where the path is no more. */
function replaced(given: Inputs, path: readonly string[], value: unknown): Inputs {
  const [name, ...rest] = path;
  if (name === undefined || !(name in given)) return given;
  if (rest.length === 0) return { ...given, [name]: value };
  const child = given[name];
  return typeof child === "object" && child !== null
    ? { ...given, [name]: replaced(child as Inputs, rest, value) }
    : given;
}

/** A good program with any of its nodes not known yet. */
const programsInPreview = programs.chain((given) =>
  fc.subarray(pathsOf(given)).map((paths) => paths.reduce((inputs, path) => replaced(inputs, path, UNKNOWN), given)),
);

function checked(olds: Inputs, news: Inputs): Inputs {
  const { inputs, failures } = check(olds, news, context);
  assert.deepEqual(failures, []);
  assert.ok(inputs);
  return plain<Inputs>(inputs);
}

describe("check, for every program", () => {
  it("takes every good program", () => {
    fc.assert(fc.property(programs, (given) => void checked({}, given)));
  });

  it("takes what is not known yet in place of any value at any depth", () => {
    fc.assert(
      fc.property(programsInPreview, (given) => void checked({}, given)),
      { numRuns: 500 },
    );
  });

  it("keeps what is not known where it was given, and makes nothing up that hangs on it", () => {
    fc.assert(
      fc.property(programsInPreview, (given) => {
        const result = checked({}, given);
        for (const [name, value] of Object.entries(given)) {
          if (value === UNKNOWN) assert.equal(result[name], UNKNOWN, name);
        }
        if (given["rotationInterval"] === UNKNOWN) assert.equal(result["nextRotationAt"], UNKNOWN);
        if (given["projectId"] === UNKNOWN) assert.equal(result["environment"], UNKNOWN);
      }),
    );
  });

  it("takes its own result back, as ignoreChanges hands it, and gives it again", () => {
    fc.assert(
      fc.property(programs, (given) => {
        const first = checked({}, given);
        const { adopt: _onlyAtCreation, ...kept } = first;
        assert.deepEqual(checked(first, first), kept);
        assert.deepEqual(checked(kept, kept), kept);
      }),
    );
  });

  it("takes its own result back where parts of it were not known", () => {
    fc.assert(
      fc.property(programsInPreview, (given) => {
        const first = checked({}, given);
        const { adopt: _onlyAtCreation, ...kept } = first;
        assert.deepEqual(checked(first, first), kept);
      }),
    );
  });

  it("gives the program's own order of things no meaning: the same inputs checked again move nothing", () => {
    fc.assert(
      fc.property(programs, (given) => {
        const first = checked({}, given);
        const { adopt: _onlyAtCreation, ...kept } = first;
        assert.deepEqual(checked(first, Object.fromEntries(Object.entries(given).reverse())), kept);
      }),
    );
  });

  it("refuses an unknown property at every level and names it with its path", () => {
    const levels = ["", "environment", "rotateAtUtc", "parameters", "secretsMapping", "previousKey", "adopt"];
    const whole: Inputs = program({
      environment: { slug: "prod", name: "prod", id: "x" },
      rotateAtUtc: { hours: 1, minutes: 2 },
      previousKey: {},
      adopt: { accessKeyId: "AKIAIOSFODNN7EXAMPLE", secretAccessKey: "x" },
    });
    for (const level of levels) {
      const wrong =
        level === "" ? { ...whole, zzz: 1 } : { ...whole, [level]: { ...(whole[level] as Inputs), zzz: 1 } };
      const path = level === "" ? "zzz" : `${level}.zzz`;
      const lines = parseInputs(wrong).failures.map(formatFailure);
      assert.equal(lines.length, 1, path);
      assert.match(lines[0] ?? "", new RegExp(`^${path}: is not a known property; known here: [a-zA-Z, ]+$`));
    }
  });

  it("names the nearest known property for one slip of the pen in any name", () => {
    const levels = ["", "rotateAtUtc", "parameters", "secretsMapping", "previousKey", "adopt"] as const;
    const whole: Inputs = program({
      description: "d",
      isAutoRotationEnabled: true,
      rotateAtUtc: { hours: 1, minutes: 2 },
      rotationTrigger: "1",
      previousKey: { deactivateAfterHours: 1, quietHours: 1, whenInUse: "wait" },
      adopt: { accessKeyId: "AKIAIOSFODNN7EXAMPLE", secretAccessKey: "x" },
      revokeGeneratedCredentials: true,
      owner: undefined,
    });
    const names = levels.flatMap((level) =>
      Object.keys(level === "" ? whole : (whole[level] as Inputs)).map((name) => ({ level, name })),
    );
    fc.assert(
      fc.property(fc.constantFrom(...names), fc.nat(), ({ level, name }, at) => {
        const position = at % name.length;
        const slip = name.slice(0, position) + "q" + name.slice(position);
        const inputs =
          level === "" ? { ...whole, [slip]: 1 } : { ...whole, [level]: { ...(whole[level] as Inputs), [slip]: 1 } };
        const lines = parseInputs({ ...inputs, owner: "o" }).failures.map(formatFailure);
        const path = level === "" ? slip : `${level}.${slip}`;
        assert.ok(
          lines.includes(`${path}: is not a known property; did you mean "${name}"?`),
          `${path}: ${lines.join()}`,
        );
      }),
    );
  });

  it("never echoes a value, whatever is wrong with it and wherever it stands", () => {
    const secret = fc.stringMatching(/^[A-Za-z0-9+/]{40}$/);
    const wrapped = (value: string) =>
      fc.constantFrom<unknown>(
        value,
        ` ${value} `,
        [value],
        { slug: value },
        { [AMBIENT_CONNECTION_ID]: value },
        `${value}:/`,
      );
    const whole: Inputs = program({
      description: "d",
      rotateAtUtc: { hours: 1, minutes: 2 },
      rotationTrigger: "1",
      isAutoRotationEnabled: true,
      previousKey: { deactivateAfterHours: 1, quietHours: 1, whenInUse: "wait" },
      adopt: { accessKeyId: "AKIAIOSFODNN7EXAMPLE", secretAccessKey: "x" },
      revokeGeneratedCredentials: true,
    });
    const paths = [...pathsOf(whole), ["rotation"], ["nextRotationAt"], ["zzz"]];
    let failures = 0;
    fc.assert(
      fc.property(
        fc.subarray(paths, { minLength: 1 }),
        secret.chain((value) => fc.tuple(fc.constant(value), wrapped(value))),
        (chosen, [value, given]) => {
          const wrong = chosen.reduce(
            (inputs, path) =>
              path.length === 1 ? { ...inputs, [path[0] ?? ""]: given } : replaced(inputs, path, given),
            whole,
          );
          const lines = check({}, wrong, context).failures;
          failures += lines.length;
          for (const line of lines) assert.ok(!line.includes(value), "a failure holds the value");
        },
      ),
      { numRuns: 500 },
    );
    assert.ok(failures > 500, "the property was tried on failures");
  });
});
