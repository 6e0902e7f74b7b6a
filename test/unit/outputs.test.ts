import assert from "node:assert/strict";

import { SECRET_OUTPUTS } from "../../provider/src/contract/outputs";
import { environmentId, folderId, rotationId } from "../../provider/src/contract/ids";
import { API_RESPONSE, type ApiProperty } from "../support/apiPage";
import { START } from "../support/fakeClock";
import { FakeStack, type Inputs, program } from "../support/fakeStack";

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;
const INSTANT = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.\d{3}Z$/;

async function stackAfter(rotations: number, given: Inputs = program()): Promise<FakeStack> {
  const stack = new FakeStack();
  await stack.up(given);
  for (let rotation = 0; rotation < rotations; rotation += 1) {
    stack.clock.advance({ days: 31 });
    await stack.up(given);
  }
  return stack;
}

/** What a program sees: the outputs, and the resource's id among them. */
const outputsOf = (stack: FakeStack): Inputs => ({ ...stack.state, id: stack.resource?.id });

/** Everything in a value that is not plain JSON, by path. */
function notJson(value: unknown, path = "state"): string[] {
  if (value === null || typeof value === "string" || typeof value === "boolean") return [];
  if (typeof value === "number") return Number.isFinite(value) ? [] : [path];
  if (Array.isArray(value)) return value.flatMap((item, index) => notJson(item, `${path}[${index}]`));
  if (typeof value !== "object" || Object.getPrototypeOf(value) !== Object.prototype) return [path];
  return Object.entries(value).flatMap(([name, child]) => notJson(child, `${path}.${name}`));
}

function assertFits(value: unknown, property: ApiProperty, path: string): void {
  if (value === null) return assert.ok(property.nullable, `${path} is null`);
  assert.equal(typeof value, property.type, path);
  if (property.format === "uuid") assert.match(String(value), UUID, path);
  if (property.format === "date-time") assert.match(String(value), INSTANT, path);
  if (property.enum) assert.ok(property.enum.includes(String(value)), path);
  if (property.minimum !== undefined) assert.ok(Number(value) >= property.minimum, path);
  if (property.maximum !== undefined) assert.ok(Number(value) <= property.maximum, path);
  if (!property.properties) return;
  const object = value as Inputs;
  assert.deepEqual(
    Object.keys(object).filter((name) => !property.properties?.[name]),
    [],
    `${path} has more than the page`,
  );
  for (const [name, below] of Object.entries(property.properties)) {
    if (below.required) assert.ok(name in object, `${path}.${name}`);
    if (name in object) assertFits(object[name], below, `${path}.${name}`);
  }
}

describe("The outputs", () => {
  for (const [name, property] of Object.entries(API_RESPONSE)) {
    it(`hold the API's ${name}, in the page's form, after a creation and after a rotation`, async () => {
      for (const rotations of [0, 1]) {
        const outputs = outputsOf(await stackAfter(rotations));
        assert.ok(name in outputs, name);
        assertFits(outputs[name], property, name);
      }
    });
  }

  it("keep the page's form in a failed update, and null for the next rotation while paused", async () => {
    const paused = program({ isAutoRotationEnabled: false });
    const stack = await stackAfter(0, paused);
    assert.equal(stack.state.nextRotationAt, null);
    stack.aws.fail("create", new Error("cut off"));
    await stack.up(program({ isAutoRotationEnabled: false, rotationTrigger: "1" }));
    assert.equal(stack.state.rotationStatus, "failed");
    for (const [name, property] of Object.entries(API_RESPONSE)) assertFits(outputsOf(stack)[name], property, name);
  });

  it("say when and how a creation was", async () => {
    const { state } = await stackAfter(0);
    const { createdAt, lastRotatedAt, isLastRotationManual, rotationStatus, lastRotationMessage, activeIndex } = state;
    assert.deepEqual(
      { lastRotatedAt, isLastRotationManual, rotationStatus, lastRotationMessage, activeIndex },
      {
        lastRotatedAt: START,
        isLastRotationManual: true,
        rotationStatus: "success",
        lastRotationMessage: null,
        activeIndex: 0,
      },
    );
    assert.equal(createdAt, START);
  });

  it("flip the active slot with each rotation, the previous pair beside it, as the API's do", async () => {
    const idsAfter = async (rotations: number) => {
      const { state } = await stackAfter(rotations);
      return { active: state.activeIndex, ids: state.generatedCredentials.map(({ accessKeyId }) => accessKeyId) };
    };
    assert.deepEqual(await idsAfter(0), { active: 0, ids: ["AKIA0001"] });
    assert.deepEqual(await idsAfter(1), { active: 1, ids: ["AKIA0001", "AKIA0002"] });
    assert.deepEqual(await idsAfter(2), { active: 0, ids: ["AKIA0003", "AKIA0002"] });
    assert.deepEqual(await idsAfter(3), { active: 1, ids: ["AKIA0003", "AKIA0004"] });
  });

  for (const [rotations, current, previous] of [
    [1, "AKIA0002", "AKIA0001"],
    [2, "AKIA0003", "AKIA0002"],
  ] as const) {
    it(`give the current pair alone, under its own names and under the mapped ones, after ${rotations} rotations`, async () => {
      const stack = await stackAfter(rotations);
      const { secretAccessKey } = stack.aws.key(current);
      const { state } = stack;
      assert.equal(state.accessKeyId, current);
      assert.equal(state.secretAccessKey, secretAccessKey);
      assert.deepEqual(state.secrets, { AWS_ACCESS_KEY_ID: current, AWS_SECRET_ACCESS_KEY: secretAccessKey });
      assert.equal(state.previousAccessKeyId, previous);
      assert.equal(state.pendingCredentials, null);
    });
  }

  it("rename the secrets in place when the mapping changes", async () => {
    const stack = await stackAfter(0);
    stack.aws.calls.length = 0;
    await stack.up(program({ secretsMapping: { accessKeyId: "ID", secretAccessKey: "KEY" } }));
    assert.deepEqual(Object.keys(stack.state.secrets ?? {}), ["ID", "KEY"]);
    assert.deepEqual(stack.aws.calls, []);
  });

  it("list the keys without a secret", async () => {
    const { state } = await stackAfter(1);
    assert.deepEqual(state.keys, [
      {
        accessKeyId: "AKIA0002",
        state: "current",
        createdAt: "2027-02-10T08:30:04.000Z",
        verifiedAt: "2027-02-10T08:30:08.000Z",
        verifiedIn: "us-east-1",
        retiredAt: null,
        lastUsedAt: null,
      },
      {
        accessKeyId: "AKIA0001",
        state: "previous",
        createdAt: START,
        verifiedAt: "2027-01-10T08:30:04.000Z",
        verifiedIn: "us-east-1",
        retiredAt: "2027-02-10T08:30:04.000Z",
        lastUsedAt: null,
      },
    ]);
  });

  it("hold a secret under no top-level name that is not marked secret", async () => {
    const stack = await stackAfter(0);
    stack.clock.advance({ days: 31 });
    stack.aws.passes.push(...Array<"unknown">(1_000).fill("unknown"));
    await stack.up();
    assert.ok(stack.state.pendingCredentials, "a pending pair is there too");
    const marked: readonly string[] = SECRET_OUTPUTS;
    for (const [name, value] of Object.entries(stack.state)) {
      const text = JSON.stringify(value);
      const isOpen = stack.aws.secrets.some((secret) => text.includes(secret));
      assert.ok(!isOpen || marked.includes(name), name);
    }
  });

  it("are plain JSON, as the host needs them, at every turn of a rotation's life", async () => {
    const stack = await stackAfter(1, program({ previousKey: { deactivateAfterHours: 1 } }));
    assert.deepEqual(notJson(stack.state), []);
    assert.deepEqual(notJson({ checked: stack.preview().inputs }), []);
    assert.deepEqual(notJson({ date: new Date(), none: undefined, deep: [{ bad: Number.NaN }] }), [
      "state.date",
      "state.none",
      "state.deep[0].bad",
    ]);
  });

  it("take less than 3,000 bytes with two keys", async () => {
    const { state } = await stackAfter(1);
    assert.ok(JSON.stringify(state).length < 3_000);
  });
});

describe("The ids that no server gives out", () => {
  it("are those that they always were: every state in the world holds them", () => {
    assert.equal(rotationId("acme/platform/prod/ci-bot", "ci-bot"), "a9c673a6-cdbb-540a-a6fc-93a127d1e8d8");
    assert.equal(environmentId("platform", "prod"), "db136b18-79c7-5933-881a-4e33fe8ea765");
    assert.equal(folderId("platform", "prod", "/ci"), "6a1030f1-7a10-5098-bd3e-f43bfc186ac5");
  });

  it("are equal for equal addresses and differ for any other, also where the parts join to the same text", () => {
    assert.equal(folderId("p", "e", "/x"), folderId("p", "e", "/x"));
    const all = [
      folderId("p", "e", "/x"),
      folderId("pe", "", "/x"),
      folderId("p", "e/", "x"),
      folderId("p", "", "e/x"),
      environmentId("p", "e"),
      environmentId("pe", ""),
      rotationId("p", "e"),
      rotationId("a/b/c/d", "u"),
      rotationId("a/b/c", "d/u"),
    ];
    assert.equal(new Set(all).size, all.length);
  });

  it("give the resource its id: of its owner and user, and of nothing else", async () => {
    const idOf = async (given: Inputs) => (await stackAfter(0, program(given))).resource?.id;
    const id = await idOf({});
    assert.equal(id, rotationId("acme/platform/prod/ci-bot", "ci-bot"));
    assert.equal(await idOf({ name: "other", secretPath: "/other", environment: "dev" }), id);
    assert.notEqual(await idOf({ owner: "acme/platform/dev/ci-bot" }), id);
  });

  it("keep the resource's id for life, whatever changes", async () => {
    const stack = await stackAfter(0);
    const id = stack.resource?.id;
    await stack.up(program({ owner: "acme/platform/renamed/ci-bot", rotationTrigger: "1" }));
    assert.equal(stack.resource?.id, id);
  });
});
