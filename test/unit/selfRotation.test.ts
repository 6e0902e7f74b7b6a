import assert from "node:assert/strict";

import { ConflictError } from "../../provider/src/rotation/errors";
import type { Caller, Identity } from "../../provider/src/rotation/ports";
import { selfRotationFailure } from "../../provider/src/rotation/refusals";
import { FakeStack, program } from "../support/fakeStack";

const ALLOWED = "aaaaaaaa-0000-4000-8000-0000000000a1";

/** A stack whose connection signs with a key of the very user that it rotates. */
function selfSigned(credentials: Partial<Caller> = {}): FakeStack {
  const stack = new FakeStack();
  stack.aws.signer = { ...stack.aws.addUser("ci-bot").identity, isTemporary: false, ...credentials };
  stack.settings["iam-rotation:connections"] = JSON.stringify({
    [ALLOWED]: { name: "own key", method: "default", allowSelfRotation: true },
  });
  return stack;
}

const writesOf = (calls: readonly string[]) =>
  calls.filter((call) => /^(create|delete|deactivate|tag|untag)/.test(call));

describe("the user whose own key signs", () => {
  it("is refused at creation, before the first write, with what to do", async () => {
    const stack = selfSigned();
    const { error, isSaved } = await stack.up();
    assert.ok(error instanceof ConflictError);
    assert.equal(isSaved, false);
    assert.equal(
      error.message,
      [
        'connection "ambient" signs with an access key of arn:aws:iam::123456789012:user/ci-bot, the very user whose keys are to be rotated: a rotation would take away the key that the next run signs with',
        "Now: nothing was changed",
        "Next: use a connection with another user's key or, better, with a role (method assume-role)",
        "If the connection gets each new key in time: declare it in iam-rotation:connections with allowSelfRotation true",
      ].join("\n"),
    );
    assert.deepEqual(writesOf(stack.aws.calls), []);
  });

  it("is refused where its key is adopted", async () => {
    const stack = selfSigned();
    const { accessKeyId, secretAccessKey } = stack.aws.addKey("ci-bot");
    const { error } = await stack.up(program({ adopt: { accessKeyId, secretAccessKey } }));
    assert.ok(error instanceof ConflictError);
    assert.match(error.message, /signs with an access key of/);
    assert.deepEqual(writesOf(stack.aws.calls), []);
  });

  it("is refused at a rotation and at a retirement, which stay due", async () => {
    const given = program({ previousKey: { deactivateAfterHours: 24 } });
    const stack = selfSigned();
    const own = stack.aws.signer;
    stack.aws.signer = undefined;
    await stack.up(given);
    const refused = async () => {
      stack.aws.signer = own;
      stack.aws.calls.length = 0;
      const { error } = await stack.up(given);
      assert.ok(error instanceof ConflictError);
      assert.match(error.message, /^connection "ambient" signs with an access key of .*\nNow: nothing was changed\n/);
      assert.deepEqual(writesOf(stack.aws.calls), []);
      stack.aws.signer = undefined;
    };
    stack.clock.advance({ days: 31 });
    await refused();
    assert.equal(stack.state.accessKeyId, "AKIA0001");
    await stack.up(given);
    assert.equal(stack.state.accessKeyId, "AKIA0002");

    stack.clock.advance({ days: 2 });
    await refused();
    await stack.up(given);
    assert.deepEqual(stack.aws.listOf("ci-bot"), ["AKIA0001 Inactive", "AKIA0002 Active"]);
  });

  it("is rotated where the credentials are temporary, or where the connection allows it", async () => {
    const temporary = selfSigned({ isTemporary: true });
    assert.deepEqual(await temporary.up(), { did: "create" });
    const allowed = selfSigned();
    assert.deepEqual(await allowed.up(program({ connectionId: ALLOWED })), { did: "create" });
  });

  it("is known by its unique id and account, not by its name", () => {
    const user: Identity = { userId: "AIDA1", accountId: "123456789012", arn: "arn:aws:iam::123456789012:user/ci-bot" };
    const refuses = (caller: Partial<Caller>) =>
      selfRotationFailure({ ...user, isTemporary: false, ...caller }, user, { name: "c" }) !== undefined;
    assert.ok(refuses({}));
    assert.ok(refuses({ arn: "arn:aws:iam::123456789012:user/renamed" }));
    assert.ok(!refuses({ userId: "AIDA2" }));
    assert.ok(!refuses({ accountId: "210987654321" }));
    assert.ok(!refuses({ isTemporary: true }));
  });
});
