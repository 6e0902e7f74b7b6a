import assert from "node:assert/strict";

import { parseInputs } from "../../provider/src/contract/inputs";
import { REGIONS } from "../../provider/src/contract/regions";
import { API_REGIONS, API_REQUEST, type ApiProperty } from "../support/apiPage";
import { type Inputs, plain, program } from "../support/fakeStack";

interface Leaf {
  readonly path: string;
  readonly property: ApiProperty;
}

const leaves: Leaf[] = Object.entries(API_REQUEST).flatMap(([name, property]) => [
  { path: name, property },
  ...Object.entries(property.properties ?? {}).map(([child, below]) => ({ path: `${name}.${child}`, property: below })),
]);

const whole: Inputs = program({
  description: "d",
  isAutoRotationEnabled: false,
  rotateAtUtc: { hours: 1, minutes: 2 },
});

/** The whole program with the property at a path set, or left out. */
function withProperty(path: string, value: unknown): Inputs {
  const [name = "", child] = path.split(".");
  const changed: Inputs = { ...whole };
  if (child === undefined) changed[name] = value;
  else changed[name] = { ...(whole[name] as Inputs), [child]: value };
  return plain<Inputs>(changed);
}

const pathsOf = (given: Inputs) => parseInputs(given).failures.map(({ path }) => path);

/** Strings of a length that break no other rule of the property. */
const textOf = (length: number) => "a".repeat(length);

describe("The inputs and the API's page", () => {
  it("takes a program that gives every property of the page", () => {
    assert.deepEqual(pathsOf(whole), []);
  });

  for (const { path, property } of leaves) {
    if (property.required) {
      it(`requires ${path}, as the page does`, () => assert.deepEqual(pathsOf(withProperty(path, undefined)), [path]));
    } else {
      it(`lets ${path} be left out, as the page does`, () =>
        assert.deepEqual(pathsOf(withProperty(path, undefined)), []));
    }
    it(`takes only the page's type for ${path}`, () => {
      const wrong = { string: 5, number: {}, boolean: "true", object: "text" }[property.type];
      assert.deepEqual([...new Set(pathsOf(withProperty(path, wrong)))], [path]);
    });
    if (property.nullable) {
      it(`lets ${path} be null, as the page does`, () => assert.deepEqual(pathsOf(withProperty(path, null)), []));
    } else {
      it(`refuses null for ${path}, as the page does`, () =>
        assert.deepEqual([...new Set(pathsOf(withProperty(path, null)))], [path]));
    }
    if (property.minLength !== undefined) {
      const { minLength } = property;
      it(`takes at least ${minLength} characters for ${path}`, () => {
        assert.deepEqual(pathsOf(withProperty(path, textOf(minLength))), []);
        assert.deepEqual([...new Set(pathsOf(withProperty(path, textOf(minLength - 1))))], [path]);
      });
    }
    if (property.maxLength !== undefined) {
      const { maxLength } = property;
      it(`takes at most ${maxLength} characters for ${path}`, () => {
        assert.deepEqual(pathsOf(withProperty(path, textOf(maxLength))), []);
        assert.deepEqual(pathsOf(withProperty(path, textOf(maxLength + 1))), [path]);
      });
    }
    if (property.minimum !== undefined) {
      const { minimum } = property;
      it(`takes ${minimum} and nothing below for ${path}`, () => {
        assert.deepEqual(pathsOf(withProperty(path, minimum)), []);
        assert.deepEqual(pathsOf(withProperty(path, minimum - 1)), [path]);
      });
    }
    if (property.maximum !== undefined) {
      const { maximum } = property;
      it(`takes ${maximum} and nothing above for ${path}`, () => {
        assert.deepEqual(pathsOf(withProperty(path, maximum)), []);
        assert.deepEqual(pathsOf(withProperty(path, maximum + 1)), [path]);
      });
    }
    if (property.default !== undefined) {
      it(`fills in the page's default for ${path}`, () => {
        const { inputs } = parseInputs(withProperty(path, undefined));
        assert.deepEqual({ ...inputs }[path], property.default);
      });
    }
    if (property.properties) {
      it(`takes no property beside the page's in ${path}`, () =>
        assert.deepEqual(pathsOf(withProperty(`${path}.more`, 1)), [`${path}.more`]));
    }
    if (property.format === "uuid") {
      it(`takes a uuid and nothing else for ${path}`, () => {
        assert.deepEqual(pathsOf(withProperty(path, "0F0F0F0F-0000-1111-2222-0f0f0f0f0f0f")), []);
        for (const wrong of ["0f0f0f0f000011112222000000000000", "0f0f0f0f-0000-1111-2222-0f0f0f0f0f0g", ""]) {
          assert.deepEqual(pathsOf(withProperty(path, wrong)), [path]);
        }
      });
    }
  }

  it("knows the page's 29 regions and no other", () => {
    assert.equal(API_REGIONS.length, 29);
    assert.deepEqual([...REGIONS].sort(), [...API_REGIONS].sort());
    for (const region of API_REGIONS) assert.deepEqual(pathsOf(withProperty("parameters.region", region)), []);
  });
});
