import assert from "node:assert/strict";

import { useAws } from "../support/aws";
import { daysOn, rotating, USER } from "../support/rotation";
import { describeEngine, useStacks } from "../support/stack";

/** What a rotation with two keys may take of the state, as compact JSON. */
const MOST_BYTES = 6_000;

describeEngine("The state of a rotation", () => {
  const aws = useAws();
  const newStack = useStacks();

  it("takes at most 6,000 bytes with two keys, secrets encrypted", async () => {
    await aws.iam.createUser(USER);
    const stack = await newStack({ endpoint: aws.endpoint, program: rotating() });
    await stack.up();
    await stack.asOf(daysOn(32));
    await stack.up();
    const rotations = stack.rawState().resources.filter(({ type }) => String(type).startsWith("pulumi-nodejs:dynamic"));
    assert.equal(rotations.length, 1);
    // Where the program declares it is the program's own.
    const { stackTrace: _stack, sourcePosition: _position, ...rotation } = rotations[0] ?? {};
    const bytes = Buffer.byteLength(JSON.stringify(rotation));
    assert.equal((rotation["outputs"] as { keys: unknown[] }).keys.length, 2);
    assert.ok(bytes <= MOST_BYTES, `${bytes} bytes`);
  });
});
