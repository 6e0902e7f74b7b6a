import assert from "node:assert/strict";

import { ClientPool } from "../../provider/src/aws/clients";
import { findConnection, parseConnections } from "../../provider/src/aws/connections";
import { ACTIONS, openUserAccessKeys } from "../../provider/src/aws/userAccessKeys";
import {
  ConflictError,
  ForbiddenError,
  InputError,
  InternalError,
  NotFoundError,
  RotationError,
  UnauthorizedError,
} from "../../provider/src/rotation/errors";
import type { UserAccessKeys } from "../../provider/src/rotation/ports";
import { type AwsAnswer, type AwsServer, REQUEST_ID, startAwsServer } from "../support/awsServer";
import { sentTo, useEnvironment } from "../support/environment";
import { FakeClock } from "../support/fakeClock";

const ID = "aaaaaaaa-0000-4000-8000-00000000000c";
const CONNECTIONS = parseConnections(
  JSON.stringify({
    [ID]: { name: "production", method: "access-key", accessKeyId: "AKIACONNECTION", secretAccessKey: "of-connection" },
  }),
);
const CREDENTIAL = { accessKeyId: "AKIANEW", secretAccessKey: "of-the-new-key" };
/** Another limit than that of the other calls. */
const LIMIT = 0.5;
const KEY = (id: string) =>
  `<AccessKeyId>${id}</AccessKeyId><Status>Active</Status><UserName>ci-bot</UserName><CreateDate>2027-01-10T08:30:00Z</CreateDate>`;
const IDENTITY =
  "<UserId>AIDA1</UserId><Account>123456789012</Account><Arn>arn:aws:iam::123456789012:user/ci-bot</Arn>";

/** Every method that calls AWS, with the action that it needs. */
const METHODS: Readonly<Record<keyof typeof ACTIONS, readonly [string, (aws: UserAccessKeys) => Promise<unknown>]>> = {
  user: ["iam:GetUser", (aws) => aws.user()],
  list: ["iam:ListAccessKeys", (aws) => aws.list()],
  create: ["iam:CreateAccessKey", (aws) => aws.create(LIMIT)],
  deactivate: ["iam:UpdateAccessKey", (aws) => aws.deactivate("AKIA0001")],
  delete: ["iam:DeleteAccessKey", (aws) => aws.delete("AKIA0001")],
  lastUse: ["iam:GetAccessKeyLastUsed", (aws) => aws.lastUse("AKIA0001")],
  identify: ["sts:GetCallerIdentity", (aws) => aws.identify(CREDENTIAL)],
  caller: ["sts:GetCallerIdentity", (aws) => aws.caller()],
  tag: ["iam:TagUser", (aws) => aws.tag({ "iam-rotation": "v1" })],
  untag: ["iam:UntagUser", (aws) => aws.untag(["iam-rotation"])],
};
const CALLS = Object.values(METHODS);

describe("The calls to AWS, through the real SDK against a server that speaks AWS's protocol", () => {
  let server: AwsServer;
  before(async () => {
    server = await startAwsServer();
  });
  after(() => server.stop());
  beforeEach(() => {
    server.requests.length = 0;
    server.date = undefined;
  });
  // The machine's own AWS settings must not matter.
  useEnvironment(() => ({
    ...sentTo(server.endpoint),
    AWS_MAX_ATTEMPTS: undefined,
    AWS_RETRY_MODE: undefined,
  }));

  const clock = new FakeClock();

  async function open(changes: { callSeconds?: number; onlyLocalEndpoints?: boolean } = {}): Promise<UserAccessKeys> {
    const { callSeconds = 60, onlyLocalEndpoints = false } = changes;
    const connection = findConnection(CONNECTIONS, ID);
    return openUserAccessKeys({
      clients: await new ClientPool().of(connection, CONNECTIONS, "eu-west-1"),
      connection: connection.name,
      userName: "ci-bot",
      region: "eu-west-1",
      limits: { callSeconds, lagSeconds: 0, verifySeconds: 0, verifySpacingSeconds: 0, rotationSeconds: 0 },
      rotationId: "the-rotation",
      jobId: "the-job",
      clock,
      onlyLocalEndpoints,
    });
  }

  async function failureOf(promise: Promise<unknown>): Promise<RotationError> {
    const error: unknown = await promise.then(
      () => new Error("the call did not fail"),
      (cause: unknown) => cause,
    );
    if (!(error instanceof RotationError)) throw error;
    return error;
  }

  const errors: readonly [AwsAnswer, new (...args: never[]) => RotationError, RegExp][] = [
    [
      { code: "AccessDenied", status: 403, message: "is not authorized" },
      ForbiddenError,
      /AccessDenied: is not authorized/,
    ],
    [{ code: "InvalidClientTokenId", status: 403 }, UnauthorizedError, /InvalidClientTokenId: AWS's own words/],
    [{ code: "ExpiredToken", status: 403 }, UnauthorizedError, /ExpiredToken/],
    [{ code: "SignatureDoesNotMatch", status: 403 }, UnauthorizedError, /SignatureDoesNotMatch/],
    [{ code: "NoSuchEntity", status: 404 }, NotFoundError, /NoSuchEntity/],
    [{ code: "LimitExceeded", status: 409 }, ConflictError, /LimitExceeded/],
    [{ code: "Throttling", status: 400, message: "Rate exceeded" }, InternalError, /Throttling: Rate exceeded/],
    [{ code: "ServiceFailure", status: 500 }, InternalError, /ServiceFailure/],
    [{ code: "ServiceUnavailable", status: 503 }, InternalError, /ServiceUnavailable/],
  ];
  for (const [answer, kind, text] of errors) {
    const { code, status } = answer as { code: string; status: number };
    it(`become ${kind.name} for ${code} (${status}), with AWS's words and request id, and CreateAccessKey is sent once`, async () => {
      server.answer(answer);
      const error = await failureOf((await open()).create(60));
      assert.equal(error.constructor, kind);
      assert.match(error.message, text);
      assert.match(error.message, /^iam:CreateAccessKey for IAM user ci-bot failed over connection "production": /);
      assert.ok(error.message.includes(`(request id ${REQUEST_ID})`));
      assert.ok(!error.message.includes("of-connection"));
      assert.equal(server.requests.length, 1);
    });
  }

  it("send CreateAccessKey once also where the connection breaks, and where no answer comes in time", async () => {
    server.answer("reset");
    assert.ok((await failureOf((await open()).create(60))) instanceof InternalError);
    assert.equal(server.requests.length, 1);
    server.answer("silence");
    const error = await failureOf((await open({ callSeconds: 60 })).create(0.2));
    assert.ok(error instanceof InternalError);
    assert.match(error.message, /iam-rotation:limits\.callSeconds gives each call more time$/);
    assert.equal(server.requests.length, 2);
  });

  it("end after callSeconds, whatever they are", async () => {
    server.answer("silence");
    const aws = await open({ callSeconds: 0.1 });
    for (const [action, call] of CALLS) {
      const error = await failureOf(call(aws));
      assert.match(error.message, /callSeconds/, action);
    }
  });

  it("are tried again after a failure of AWS's, apart from CreateAccessKey", async () => {
    server.answer({ code: "ServiceFailure", status: 500 }, { result: "<AccessKeyMetadata/>" });
    assert.deepEqual(await (await open()).list(), []);
    assert.equal(server.requests.length, 2);
  });

  it("carry rotation and job in their user agent, every one of them", async () => {
    // Not AccessDenied: to a tag call that is an answer, no failure.
    server.answer({ code: "ValidationError", status: 400 });
    const aws = await open();
    for (const [, call] of CALLS) await failureOf(call(aws));
    assert.deepEqual(
      server.requests.map(({ action }) => action),
      CALLS.map(([action]) => action.split(":")[1]),
    );
    for (const { action, userAgent } of server.requests) {
      assert.match(userAgent, /^aws-sdk-js\/.* pulumi-iam-rotation rotation\/the-rotation job\/the-job$/, action);
    }
  });

  it("need the actions that are declared beside them, one each, whatever AWS answers", async () => {
    assert.deepEqual(
      Object.entries(ACTIONS).map(([method, { name }]) => [method, name]),
      Object.entries(METHODS).map(([method, [action]]) => [method, action]),
    );
    server.answer({ code: "ServiceFailure", status: 500 }, { code: "ValidationError", status: 400 });
    const aws = await open();
    for (const [action, call] of CALLS) {
      server.requests.length = 0;
      const error = await failureOf(call(aws));
      assert.deepEqual(
        [...new Set(server.requests.map((request) => `${request.service}:${request.action}`))],
        [action],
      );
      assert.equal(error.explanation.details?.["action"], action);
    }
  });

  it("are signed by the connection, and those of a verification by the new key itself", async () => {
    server.answer({ result: IDENTITY });
    const aws = await open();
    await aws.caller();
    await aws.identify(CREDENTIAL);
    assert.deepEqual(
      server.requests.map(({ signedWith }) => signedWith),
      ["AKIACONNECTION", "AKIANEW"],
    );
  });

  it("give the user with account, arn, unique id and tags, and nothing for a user that does not exist", async () => {
    const tag = (key: string, value: string) => `<member><Key>${key}</Key><Value>${value}</Value></member>`;
    const tags = `<Tags>${tag("iam-rotation", "v1 r g=1")}${tag("team", "")}</Tags>`;
    server.answer(
      { result: `<User>${IDENTITY}<UserName>ci-bot</UserName>${tags}</User>` },
      { result: `<User>${IDENTITY}<UserName>ci-bot</UserName></User>` },
    );
    const aws = await open();
    const user = { userId: "AIDA1", arn: "arn:aws:iam::123456789012:user/ci-bot", accountId: "123456789012" };
    assert.deepEqual(await aws.user(), { ...user, tags: { "iam-rotation": "v1 r g=1", team: "" } });
    assert.deepEqual(await aws.user(), { ...user, tags: {} });
    server.answer({ code: "NoSuchEntity", status: 404 });
    assert.equal(await aws.user(), undefined);
    assert.equal(await aws.list(), undefined);
  });

  it("list the keys of all pages", async () => {
    const page = (id: string, rest: string) => ({
      result: `<AccessKeyMetadata><member>${KEY(id)}</member></AccessKeyMetadata>${rest}`,
    });
    server.answer(
      page("AKIA0001", "<IsTruncated>true</IsTruncated><Marker>more</Marker>"),
      page("AKIA0002", "<IsTruncated>false</IsTruncated>"),
    );
    const listed = await (await open()).list();
    assert.deepEqual(listed, [
      { accessKeyId: "AKIA0001", status: "Active", createdAt: "2027-01-10T08:30:00.000Z" },
      { accessKeyId: "AKIA0002", status: "Active", createdAt: "2027-01-10T08:30:00.000Z" },
    ]);
    assert.deepEqual(
      server.requests.map(({ parameters }) => parameters["Marker"]),
      [undefined, "more"],
    );
  });

  it("give the new key with its secret and the time of AWS's clock", async () => {
    server.answer({ result: `<AccessKey>${KEY("AKIANEW")}<SecretAccessKey>new/secret</SecretAccessKey></AccessKey>` });
    assert.deepEqual(await (await open()).create(60), {
      accessKeyId: "AKIANEW",
      secretAccessKey: "new/secret",
      createdAt: "2027-01-10T08:30:00.000Z",
    });
  });

  it("disable and delete one key by its id, and say whether it was there", async () => {
    server.answer({ result: "" });
    const aws = await open();
    assert.deepEqual([await aws.deactivate("AKIA0001"), await aws.delete("AKIA0001")], [true, true]);
    assert.deepEqual(
      server.requests.map(({ parameters: { Action, UserName, AccessKeyId, Status } }) => [
        Action,
        UserName,
        AccessKeyId,
        Status,
      ]),
      [
        ["UpdateAccessKey", "ci-bot", "AKIA0001", "Inactive"],
        ["DeleteAccessKey", "ci-bot", "AKIA0001", undefined],
      ],
    );
    server.answer({ code: "NoSuchEntity", status: 404 });
    assert.deepEqual([await aws.deactivate("AKIA0001"), await aws.delete("AKIA0001")], [false, false]);
  });

  it("give when, where and for what a key was last used, and null for never", async () => {
    const aws = await open();
    const used = (inside: string) =>
      server.answer({ result: `<UserName>ci-bot</UserName><AccessKeyLastUsed>${inside}</AccessKeyLastUsed>` });
    used("<LastUsedDate>2027-01-11T00:00:00Z</LastUsedDate><ServiceName>s3</ServiceName><Region>eu-west-1</Region>");
    assert.deepEqual(await aws.lastUse("AKIA0001"), {
      at: "2027-01-11T00:00:00.000Z",
      service: "s3",
      region: "eu-west-1",
    });
    used("<ServiceName>N/A</ServiceName><Region>N/A</Region>");
    assert.equal(await aws.lastUse("AKIA0001"), null);
  });

  it("say of a new key that AWS does not know it yet, and fail for a wrong secret", async () => {
    const aws = await open();
    server.answer({ code: "InvalidClientTokenId", status: 403 });
    assert.equal(await aws.identify(CREDENTIAL), undefined);
    assert.equal(server.requests.length, 1);
    server.answer({ code: "SignatureDoesNotMatch", status: 403 });
    const error = await failureOf(aws.identify(CREDENTIAL));
    assert.ok(error instanceof UnauthorizedError);
    assert.ok(!error.message.includes(CREDENTIAL.secretAccessKey));
  });

  it("name the region where STS does not know the connection's key: the account may not have enabled it", async () => {
    server.answer({ code: "InvalidClientTokenId", status: 403 });
    const error = await failureOf((await open()).caller());
    assert.ok(error instanceof UnauthorizedError);
    assert.match(
      error.message,
      /\nNext: if region \S+ is not enabled in this account: enable it, or give another parameters\.region; else renew or correct the credentials of connection "production", then run/,
    );
  });

  it("set tags and take them away, each call with all of them", async () => {
    server.answer({ result: "" });
    const aws = await open();
    assert.equal(await aws.tag({ "iam-rotation": "v1 r", "iam-rotation-owner": "platform/prod/ci-bot" }), true);
    assert.equal(await aws.untag(["iam-rotation", "iam-rotation-owner"]), true);
    const [tagged, untagged] = server.requests.map(({ parameters }) => parameters);
    assert.equal(tagged?.["Action"], "TagUser");
    assert.equal(tagged["UserName"], "ci-bot");
    assert.deepEqual(
      [
        tagged["Tags.member.1.Key"],
        tagged["Tags.member.1.Value"],
        tagged["Tags.member.2.Key"],
        tagged["Tags.member.2.Value"],
      ],
      ["iam-rotation", "v1 r", "iam-rotation-owner", "platform/prod/ci-bot"],
    );
    assert.equal(untagged?.["Action"], "UntagUser");
    assert.deepEqual(
      [untagged["TagKeys.member.1"], untagged["TagKeys.member.2"]],
      ["iam-rotation", "iam-rotation-owner"],
    );
  });

  it("say no where tags may not be written: denied, or as many as AWS allows", async () => {
    const aws = await open();
    server.answer({ code: "AccessDenied", status: 403 });
    assert.deepEqual([await aws.tag({ a: "b" }), await aws.untag(["a"])], [false, false]);
    server.answer({ code: "LimitExceeded", status: 409 });
    assert.equal(await aws.tag({ a: "b" }), false);
  });

  it("take a user that is gone for one without tags, and fail where one is to be tagged", async () => {
    const aws = await open();
    server.answer({ code: "NoSuchEntity", status: 404 });
    assert.equal(await aws.untag(["a"]), true);
    assert.ok((await failureOf(aws.tag({ a: "b" }))) instanceof NotFoundError);
  });

  it("tell how far AWS's clock is ahead, by the last answer, a refusal too; 0 before the first one", async () => {
    const aws = await open();
    assert.equal(aws.skew(), 0);
    server.answer({ result: "<AccessKeyMetadata/>" });
    server.date = clock.from({ seconds: 90 });
    await aws.list();
    assert.equal(aws.skew(), 90_000);
    server.date = clock.from({ minutes: -10 });
    server.answer({ code: "AccessDenied", status: 403 });
    await failureOf(aws.list());
    assert.equal(aws.skew(), -600_000);
  });

  it("send one request for one pass of a verification, also where AWS fails", async () => {
    server.answer({ code: "ServiceUnavailable", status: 503 });
    await failureOf((await open()).identify(CREDENTIAL));
    assert.equal(server.requests.length, 1);
  });

  describe("while asOf is set", () => {
    it("go to a server on this machine", async () => {
      server.answer({ result: "<AccessKeyMetadata/>" });
      assert.deepEqual(await (await open({ onlyLocalEndpoints: true })).list(), []);
      process.env["AWS_ENDPOINT_URL"] = server.endpoint.replace("127.0.0.1", "localhost");
      assert.deepEqual(await (await open({ onlyLocalEndpoints: true })).list(), []);
    });

    for (const host of ["aws.invalid", "localhost.aws.invalid", "127.0.0.1.aws.invalid", "notlocalhost"]) {
      it(`are refused, each of them, before any request to ${host} is sent`, async () => {
        // No such host: a request to it would fail as another error.
        process.env["AWS_ENDPOINT_URL"] = `http://${host}`;
        const aws = await open({ onlyLocalEndpoints: true });
        for (const [action, call] of CALLS) {
          const error = await failureOf(call(aws));
          assert.ok(error instanceof InputError, action);
          assert.equal(
            error.message,
            [
              `iam-rotation:asOf is set, and the AWS endpoint ${host} is not on this machine: a key would be made or retired on a day that is not today`,
              "Now: nothing was changed",
              "Next: `pulumi config rm iam-rotation:asOf`; `pulumi preview` may use it, `pulumi up` only against an emulator",
            ].join("\n"),
          );
        }
      });
    }

    it("are refused for AWS itself", async () => {
      delete process.env["AWS_ENDPOINT_URL"];
      const aws = await open({ onlyLocalEndpoints: true });
      for (const [action, call] of CALLS) {
        const error = await failureOf(call(aws));
        assert.ok(error instanceof InputError, action);
        assert.match(error.message, /the AWS endpoint [a-z0-9.-]*amazonaws\.com is not on this machine/);
      }
      assert.deepEqual(server.requests, []);
    });
  });
});
