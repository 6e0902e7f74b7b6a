import assert from "node:assert/strict";

import { type AwsCall, awsError, isNotLive } from "../../provider/src/aws/errors";
import {
  awsCodeOf,
  ConflictError,
  ForbiddenError,
  InputError,
  InternalError,
  isDefiniteRefusal,
  NotFoundError,
  type RotationError,
  UnauthorizedError,
} from "../../provider/src/rotation/errors";

const CALL: AwsCall = { action: "iam:ListAccessKeys", userName: "ci-bot", connection: "production" };

/** An error as the SDK throws it. */
function sdkError(name: string, message = "AWS's own words", requestId: string | null = "req-1"): Error {
  return Object.assign(new Error(message), { name, $metadata: { requestId } });
}

const KINDS: readonly [new (...args: never[]) => RotationError, number, string, readonly string[]][] = [
  [
    UnauthorizedError,
    401,
    "UnauthorizedError",
    [
      "CredentialsProviderError",
      "TokenProviderError",
      "ExpiredToken",
      "ExpiredTokenException",
      "IncompleteSignature",
      "InvalidAccessKeyId",
      "InvalidClientTokenId",
      "MissingAuthenticationToken",
      "RequestExpired",
      "SignatureDoesNotMatch",
      "UnrecognizedClientException",
    ],
  ],
  [
    ForbiddenError,
    403,
    "PermissionDenied",
    ["AccessDenied", "AccessDeniedException", "NotAuthorized", "OptInRequired", "UnauthorizedOperation"],
  ],
  [NotFoundError, 404, "NotFound", ["NoSuchEntity", "NoSuchEntityException"]],
  [
    ConflictError,
    400,
    "BadRequest",
    [
      "ConcurrentModification",
      "ConcurrentModificationException",
      "DeleteConflict",
      "DeleteConflictException",
      "EntityTemporarilyUnmodifiable",
      "EntityTemporarilyUnmodifiableException",
      "InvalidInput",
      "InvalidInputException",
      "LimitExceeded",
      "LimitExceededException",
      "ValidationError",
    ],
  ],
  [
    InternalError,
    500,
    "InternalServerError",
    [
      "AbortError",
      "TimeoutError",
      "RequestTimeout",
      "Throttling",
      "ThrottlingException",
      "ServiceFailure",
      "ServiceFailureException",
      "ServiceUnavailable",
      "InternalFailure",
      "ECONNRESET",
      "a name that nobody has heard of",
    ],
  ],
];

describe("AWS's errors", () => {
  for (const [kind, statusCode, error, names] of KINDS) {
    for (const name of names) {
      it(`become ${kind.name}, ${statusCode}, for ${name}`, () => {
        const ours = awsError(sdkError(name), CALL);
        assert.equal(ours.constructor, kind);
        assert.equal(ours.name, kind.name);
        assert.deepEqual([ours.statusCode, ours.error], [statusCode, error]);
      });
    }
  }

  it("name call, user, key and connection, and hold AWS's message, its request id and what to do", () => {
    const call = { ...CALL, action: "iam:DeleteAccessKey", accessKeyId: "AKIA0001" };
    assert.equal(
      awsError(sdkError("AccessDenied", "User: arn:x is not authorized"), call).message,
      [
        'iam:DeleteAccessKey for IAM user ci-bot (access key AKIA0001) failed over connection "production": AccessDenied: User: arn:x is not authorized (request id req-1)',
        'Next: allow iam:DeleteAccessKey on the user to the credentials of connection "production", then run `pulumi up` again',
      ].join("\n"),
    );
  });

  const next: readonly [string, string | undefined][] = [
    ["ExpiredToken", 'renew or correct the credentials of connection "production", then run `pulumi up` again'],
    [
      "NoSuchEntity",
      'check parameters.userName and the account of connection "production", then run `pulumi up` again',
    ],
    ["LimitExceeded", undefined],
    ["TimeoutError", "run `pulumi up` again; iam-rotation:limits.callSeconds gives each call more time"],
    ["ServiceFailure", "run `pulumi up` again"],
  ];
  for (const [name, says] of next) {
    it(`say ${says ? "what to do" : "nothing of what to do"} after ${name}`, () => {
      assert.equal(awsError(sdkError(name), CALL).explanation.next, says);
    });
  }

  it("do without a request id and without a message where there is none", () => {
    assert.equal(
      awsError(sdkError("ECONNREFUSED", "", null), CALL).explanation.what,
      'iam:ListAccessKeys for IAM user ci-bot failed over connection "production": ECONNREFUSED',
    );
    assert.match(awsError("thrown text", CALL).message, /failed over connection "production": UnknownError\n/);
    assert.match(awsError(null, CALL).message, /: UnknownError\n/);
  });

  it("keep the SDK's error as their cause", () => {
    const cause = sdkError("AccessDenied");
    assert.equal(awsError(cause, CALL).cause, cause);
  });

  it("leave our own errors as they are", () => {
    const own = new InputError({ what: "asOf" });
    assert.equal(awsError(own, CALL), own);
  });

  it("give the call as data, so that nobody has to read prose", () => {
    assert.deepEqual(awsError(sdkError("Throttling"), { ...CALL, accessKeyId: "AKIA0001" }).explanation.details, {
      action: "iam:ListAccessKeys",
      userName: "ci-bot",
      accessKeyId: "AKIA0001",
      connection: "production",
      code: "Throttling",
      isDefinite: false,
      requestId: "req-1",
    });
  });

  const outcomes: readonly [string, number | undefined, boolean][] = [
    ["an answer 400", 400, true],
    ["an answer 409", 409, true],
    ["an answer 499", 499, true],
    ["an answer 408: AWS stopped waiting", 408, false],
    ["an answer 500", 500, false],
    ["an answer 503", 503, false],
    ["no answer at all", undefined, false],
  ];
  for (const [what, httpStatusCode, isDefinite] of outcomes) {
    it(`${isDefinite ? "say" : "do not say"} that nothing was done after ${what}`, () => {
      const cause = Object.assign(new Error("AWS's own words"), { name: "SomeError", $metadata: { httpStatusCode } });
      assert.equal(isDefiniteRefusal(awsError(cause, CALL)), isDefinite);
      assert.equal(awsCodeOf(awsError(cause, CALL)), "SomeError");
    });
  }

  it("are no refusal and have no code of AWS's where they are our own, or somebody else's", () => {
    for (const error of [new InputError({ what: "asOf" }), new Error("other"), undefined]) {
      assert.deepEqual([isDefiniteRefusal(error), awsCodeOf(error)], [false, undefined]);
    }
  });

  it("tell a key that is not live from a wrong one", () => {
    assert.deepEqual(
      ["InvalidClientTokenId", "InvalidAccessKeyId", "UnrecognizedClientException", "SignatureDoesNotMatch"].map(
        (name) => isNotLive(sdkError(name)),
      ),
      [true, true, true, false],
    );
  });
});

describe("An error of ours", () => {
  const explanation = { what: "it failed", details: { userName: "ci-bot" } };
  const kinds = [
    [InputError, 422, "ValidationFailure"],
    [ConflictError, 400, "BadRequest"],
    [UnauthorizedError, 401, "UnauthorizedError"],
    [ForbiddenError, 403, "PermissionDenied"],
    [NotFoundError, 404, "NotFound"],
    [InternalError, 500, "InternalServerError"],
  ] as const;
  for (const [kind, statusCode, error] of kinds) {
    it(`is, as JSON, the API's error body for ${statusCode}`, () => {
      const own = new kind({ ...explanation, next: "do this" }).withSituation({ now: "so it is", reqId: "job-1" });
      assert.deepEqual(JSON.parse(JSON.stringify(own)), {
        reqId: "job-1",
        statusCode,
        message: "it failed\nNow: so it is\nNext: do this",
        error,
        details: { userName: "ci-bot" },
      });
      assert.ok(own instanceof kind && own instanceof Error);
    });
  }

  it("leaves details out where there are none", () => {
    assert.equal("details" in new InternalError({ what: "x" }).toJSON(), false);
  });

  it("lets what it says itself stand before what is said of the situation", () => {
    const own = new ConflictError({ what: "no", now: "its own now", next: "its own next" });
    const told = own.withSituation({ now: "another", next: "another", reqId: "job-1" });
    assert.equal(told.message, "no\nNow: its own now\nNext: its own next");
  });

  it("keeps cause and stack through that, and is not changed itself", () => {
    const cause = new Error("why");
    const own = new InternalError({ what: "no", cause });
    const told = own.withSituation({ now: "so it is", reqId: "job-1" });
    assert.equal(told.cause, cause);
    assert.equal(told.stack, own.stack);
    assert.deepEqual([own.message, own.reqId], ["no", ""]);
  });
});
