import assert from "node:assert/strict";

import fc from "fast-check";

import {
  ConflictError,
  ForbiddenError,
  InternalError,
  RotationError,
  UnauthorizedError,
} from "../../provider/src/rotation/errors";
import type { Credential, Identity, Limits } from "../../provider/src/rotation/ports";
import { verifyKey } from "../../provider/src/rotation/verify";
import { FakeAws, type Pass } from "../support/fakeAws";

const LIMITS: Limits = {
  callSeconds: 60,
  lagSeconds: 90,
  verifySeconds: 120,
  verifySpacingSeconds: 2,
  rotationSeconds: 300,
};

function prepare(): {
  aws: FakeAws;
  user: Identity;
  credential: Credential;
  verify(limits?: Partial<Limits>): Promise<number>;
} {
  const aws = new FakeAws();
  const { identity } = aws.addUser("ci-bot");
  const { accessKeyId, secretAccessKey } = aws.addKey("ci-bot");
  const credential = { accessKeyId, secretAccessKey };
  return {
    aws,
    user: identity,
    credential,
    verify: (limits = {}) => verifyKey(aws.open("ci-bot"), credential, identity, aws.clock, { ...LIMITS, ...limits }),
  };
}

const CALLS = 3;
/** What the three calls of each pass see. */
const passes = (...seen: Pass[]): Pass[] => seen.flatMap((pass) => times(CALLS, pass));
const times = <T>(count: number, value: T): T[] => Array<T>(count).fill(value);

describe("The verification of a new key", () => {
  it("needs three passes in a row, of three calls each, two seconds apart, and no more", async () => {
    const { aws, verify } = prepare();
    await verify();
    assert.deepEqual(aws.calls, times(3 * CALLS, "identify AKIA0001"));
    assert.deepEqual(aws.clock.sleeps, [2_000, 2_000]);
  });

  it("waits until the key is known everywhere", async () => {
    const { aws, verify } = prepare();
    aws.propagationSeconds = 9;
    await verify();
    // At 0, 2, 4, 6, 8: not yet. At 10, 12, 14: three passes.
    assert.equal(aws.calls.length, 8 * CALLS);
  });

  it("begins to count again after each pass that fails: propagation is not monotonic", async () => {
    const { aws, verify } = prepare();
    const flicker: Pass[] = ["works", "works", "unknown", "works", "unknown", "works", "works"];
    aws.passes.push(...passes(...flicker));
    await verify();
    assert.equal(aws.calls.length, (flicker.length + 1) * CALLS);
  });

  for (const position of [0, 1, 2]) {
    it(`counts a pass only if all its calls pass: not where call ${position + 1} alone does not know the key`, async () => {
      const { aws, verify } = prepare();
      const calls = times<Pass>(CALLS, "works");
      calls[position] = "unknown";
      aws.passes.push(...passes("works", "works"), ...calls);
      await verify();
      assert.equal(aws.calls.length, (3 + 3) * CALLS);
      assert.equal(aws.clock.sleeps.length, 5);
    });
  }

  it("makes the calls of a pass at the same time", async () => {
    const { aws, user, credential } = prepare();
    const real = aws.open("ci-bot");
    let open = 0;
    const most: number[] = [];
    const identify: typeof real.identify = async (key) => {
      open += 1;
      most.push(open);
      const answer = await real.identify(key);
      open -= 1;
      return answer;
    };
    await verifyKey({ identify }, credential, user, aws.clock, LIMITS);
    assert.deepEqual(most, times(3, [1, 2, 3]).flat());
  });

  it("counts a call that AWS failed as no pass, and goes on", async () => {
    const { aws, verify } = prepare();
    const failures = [new InternalError({ what: "503" }), new ForbiddenError({ what: "not yet" })];
    aws.passes.push(...passes("works", "works", ...failures));
    await verify();
    assert.equal(aws.calls.length, (4 + 3) * CALLS);
  });

  it("gives up when the budget is spent, and says what AWS said last", async () => {
    const { aws, verify } = prepare();
    aws.passes.push(...passes(...times(200, "unknown" as const)));
    await assert.rejects(verify(), (error: unknown) => {
      assert.ok(error instanceof InternalError);
      assert.equal(
        error.message,
        [
          "access key AKIA0001 did not work 3 times in a row within 120 s: AWS does not know it yet",
          "Next: run `pulumi up` again: it goes on with this key; iam-rotation:limits.verifySeconds gives it more time",
        ].join("\n"),
      );
      return true;
    });
    assert.equal(aws.calls.length, 60 * CALLS);
  });

  it("gives up on a key that never passes three times in a row, however often it passes", async () => {
    const { aws, verify } = prepare();
    aws.passes.push(...passes(...times(40, ["works", "works", "unknown"] as const).flat()));
    await assert.rejects(verify(), InternalError);
  });

  it("names the failure of the last call as the cause", async () => {
    const { aws, verify } = prepare();
    aws.passes.push(...passes(...times(100, new InternalError({ what: "503 Service Unavailable" }))));
    await assert.rejects(verify(), (error: unknown) => {
      assert.ok(error instanceof InternalError && error.cause instanceof RotationError);
      assert.match(error.message, /within 120 s: 503 Service Unavailable\n/);
      return true;
    });
  });

  it("stops at once where AWS says that the secret is wrong", async () => {
    const { aws, user, credential } = prepare();
    const wrong = { ...credential, secretAccessKey: "another" };
    await assert.rejects(verifyKey(aws.open("ci-bot"), wrong, user, aws.clock, LIMITS), UnauthorizedError);
    assert.equal(aws.calls.length, CALLS);
  });

  it("stops at the first pass that shows another user, of this account or of another", async () => {
    const { aws, user, credential } = prepare();
    for (const other of [{ userId: "AIDAOTHER" }, { accountId: "999999999999" }]) {
      await assert.rejects(
        verifyKey(aws.open("ci-bot"), credential, { ...user, ...other }, aws.clock, LIMITS),
        (error: unknown) => {
          assert.ok(error instanceof ConflictError);
          assert.match(
            error.message,
            /^access key AKIA0001 belongs to arn:aws:iam::123456789012:user\/ci-bot, not to /,
          );
          return true;
        },
      );
    }
    assert.equal(aws.calls.length, 2 * CALLS);
  });

  it("ends well exactly if three passes come in a row within the budget, whatever else comes", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.boolean(), { minLength: 10, maxLength: 10 }), async (answers) => {
        const { aws, verify } = prepare();
        aws.passes.push(
          ...passes(...answers.map((works): Pass => (works ? "works" : "unknown"))),
          ...passes(...times(100, "unknown" as const)),
        );
        const inTime = answers.map((works) => (works ? "w" : "u")).join("");
        const isVerified = await verify({ verifySeconds: 20 }).then(
          () => true,
          () => false,
        );
        assert.equal(isVerified, inTime.includes("www"));
      }),
    );
  });
});
