import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { ClientPool } from "../../provider/src/aws/clients";
import { findConnection, parseConnections } from "../../provider/src/aws/connections";
import { openUserAccessKeys } from "../../provider/src/aws/userAccessKeys";
import { AMBIENT_CONNECTION_ID } from "../../provider/src/contract/inputs";
import { REGIONS } from "../../provider/src/contract/regions";
import { isDefiniteRefusal, RotationError, UnauthorizedError } from "../../provider/src/rotation/errors";
import type { UserAccessKeys } from "../../provider/src/rotation/ports";
import { type AwsRequest, type AwsServer, REQUEST_ID, startAwsServer } from "../support/awsServer";
import { sentTo, useEnvironment } from "../support/environment";
import { FakeClock } from "../support/fakeClock";

const SOURCE_ROOT = join(__dirname, "../../provider/src");
const id = (digit: string) => `aaaaaaaa-0000-4000-8000-0000000000c${digit}`;
const role = (name: string) => `arn:aws-us-gov:iam::123456789012:role/ci/${name}`;

const KEY = id("1");
const SESSION = id("2");
const PROFILE = id("3");
const ROLE = id("4");
const AMBIENT_ROLE = id("5");
const CHAINED = id("6");
const LOST_PROFILE = id("7");
const DEFAULT = id("8");

const SECRETS = ["secret/of+the/key", "secret/of+the/session", "token/of+the/session", "secret/of+the/profile"];

const CONNECTIONS = parseConnections(
  JSON.stringify({
    [KEY]: { name: "key", method: "access-key", accessKeyId: "AKIAKEY", secretAccessKey: SECRETS[0] },
    [SESSION]: {
      name: "session",
      method: "access-key",
      accessKeyId: "ASIASESSION",
      secretAccessKey: SECRETS[1],
      sessionToken: SECRETS[2],
    },
    [PROFILE]: { name: "profile", method: "profile", profile: "rotator" },
    [LOST_PROFILE]: { name: "lost profile", method: "profile", profile: "nobody" },
    [DEFAULT]: { name: "default", method: "default" },
    [ROLE]: {
      name: "role",
      method: "assume-role",
      roleArn: role("rotator"),
      externalId: "acme:1",
      sessionName: "nightly",
      durationSeconds: 900,
      source: KEY,
    },
    [AMBIENT_ROLE]: { name: "ambient role", method: "assume-role", roleArn: role("plain") },
    [CHAINED]: { name: "chained", method: "assume-role", roleArn: role("inner"), source: ROLE.toUpperCase() },
  }),
);

const IDENTITY =
  "<UserId>AIDA1</UserId><Account>123456789012</Account><Arn>arn:aws:iam::123456789012:user/ci-bot</Arn>";

/** AssumeRole gives a key named after the role, which lives for so many minutes; all else gives an identity. */
const assuming = (minutes = 60) => {
  return ({ action, parameters }: AwsRequest) => {
    if (action !== "AssumeRole") return { result: action === "GetUser" ? `<User>${IDENTITY}</User>` : IDENTITY };
    const name = parameters["RoleArn"]?.split("/").at(-1);
    const expiration = new Date(Date.now() + minutes * 60_000).toISOString();
    return {
      result: `<Credentials><AccessKeyId>ASIA-${name}</AccessKeyId><SecretAccessKey>secret</SecretAccessKey><SessionToken>token-${name}</SessionToken><Expiration>${expiration}</Expiration></Credentials>`,
    };
  };
};

describe("A connection", () => {
  let server: AwsServer;
  let folder: string;
  before(async () => {
    server = await startAwsServer();
    folder = mkdtempSync(join(tmpdir(), "connections-"));
    writeFileSync(
      join(folder, "credentials"),
      `[rotator]\naws_access_key_id = AKIAPROFILE\naws_secret_access_key = ${SECRETS[3]}\n`,
    );
  });
  after(async () => {
    rmSync(folder, { recursive: true });
    await server.stop();
  });
  beforeEach(() => {
    server.requests.length = 0;
    server.answer(assuming());
  });
  useEnvironment(() => ({
    ...sentTo(server.endpoint),
    AWS_ACCESS_KEY_ID: "AKIAAMBIENT",
    AWS_SECRET_ACCESS_KEY: "ambient",
    AWS_SESSION_TOKEN: undefined,
    AWS_SHARED_CREDENTIALS_FILE: join(folder, "credentials"),
    AWS_PROFILE: undefined,
  }));

  async function open(
    connectionId: string,
    { pool = new ClientPool(), region = "us-gov-west-1", userName = "ci-bot", onlyLocalEndpoints = false } = {},
  ): Promise<UserAccessKeys> {
    const connection = findConnection(CONNECTIONS, connectionId);
    return openUserAccessKeys({
      clients: await pool.of(connection, CONNECTIONS, region),
      connection: connection.name,
      userName,
      region,
      limits: { callSeconds: 5, lagSeconds: 0, verifySeconds: 0, verifySpacingSeconds: 0, rotationSeconds: 0 },
      rotationId: "the-rotation",
      jobId: "the-job",
      clock: new FakeClock(),
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

  const asked = () => server.requests.map(({ action, signedWith }) => `${action} by ${signedWith}`);

  it("signs with its access key, its profile's, or the ambient one", async () => {
    for (const connection of [KEY, SESSION, PROFILE, DEFAULT, AMBIENT_CONNECTION_ID]) {
      await (await open(connection)).user();
    }
    assert.deepEqual(
      server.requests.map(({ signedWith, sessionToken }) => [signedWith, sessionToken]),
      [
        ["AKIAKEY", undefined],
        ["ASIASESSION", SECRETS[2]],
        ["AKIAPROFILE", undefined],
        ["AKIAAMBIENT", undefined],
        ["AKIAAMBIENT", undefined],
      ],
    );
  });

  it("assumes its role with external id, session name and duration, over the connection that it is chained on", async () => {
    await (await open(ROLE)).user();
    assert.deepEqual(asked(), ["AssumeRole by AKIAKEY", "GetUser by ASIA-rotator"]);
    const { RoleArn, ExternalId, RoleSessionName, DurationSeconds } = server.requests[0]?.parameters ?? {};
    assert.deepEqual(
      [RoleArn, ExternalId, RoleSessionName, DurationSeconds],
      [role("rotator"), "acme:1", "nightly", "900"],
    );
    assert.equal(server.requests[1]?.sessionToken, "token-rotator");
    // STS of another partition knows nothing of the role.
    assert.equal(server.requests[0]?.region, "us-gov-west-1");
  });

  it("assumes its role over the ambient credentials where it is chained on none, with nothing that was not given", async () => {
    await (await open(AMBIENT_ROLE)).user();
    assert.deepEqual(asked(), ["AssumeRole by AKIAAMBIENT", "GetUser by ASIA-plain"]);
    const { Action, Version, ...given } = server.requests[0]?.parameters ?? {};
    assert.deepEqual(given, { RoleArn: role("plain"), RoleSessionName: "pulumi-iam-rotation" }, `${Action} ${Version}`);
  });

  it("may be chained on one that is chained itself", async () => {
    await (await open(CHAINED)).user();
    assert.deepEqual(asked(), ["AssumeRole by AKIAKEY", "AssumeRole by ASIA-rotator", "GetUser by ASIA-inner"]);
  });

  it("says whether its credentials end by themselves", async () => {
    const temporary = [];
    for (const connection of [KEY, PROFILE, DEFAULT, SESSION, ROLE, CHAINED]) {
      temporary.push((await (await open(connection)).caller()).isTemporary);
    }
    assert.deepEqual(temporary, [false, false, false, true, true, true]);
  });

  it("has its role assumed once for all rotations of a run, and its sockets kept alive", async () => {
    server.answer((request) => {
      if (request.action === "CreateAccessKey") return { code: "AccessDenied", status: 403 };
      return assuming()(request);
    });
    const pool = new ClientPool();
    const before = server.sockets;
    for (const userName of ["a", "b", "c", "d"]) {
      const aws = await open(ROLE, { pool, userName });
      await aws.user();
      await aws.caller();
      await failureOf(aws.create(5));
    }
    assert.equal(asked().filter((call) => call.startsWith("AssumeRole")).length, 1);
    assert.equal(server.requests.length, 13);
    // A second one at most: the call after AssumeRole may not wait until its socket is free again.
    assert.ok(server.sockets - before <= 2, `${server.sockets - before} sockets`);
  });

  it("has its role assumed once also where many rotations begin at the same time", async () => {
    const pool = new ClientPool();
    await Promise.all(["a", "b", "c", "d"].map(async (userName) => (await open(ROLE, { pool, userName })).user()));
    assert.deepEqual(asked().sort().reverse().slice(-1), ["AssumeRole by AKIAKEY"]);
    assert.equal(server.requests.length, 5);
  });

  it("has clients of its own for each region", async () => {
    const pool = new ClientPool();
    const of = (region: string) => pool.of(findConnection(CONNECTIONS, KEY), CONNECTIONS, region);
    assert.equal(await of("eu-west-1"), await of("eu-west-1"));
    assert.notEqual(await of("eu-west-1"), await of("eu-west-2"));
  });

  it("has clients of its own for each stack that says something else of it", async () => {
    const pool = new ClientPool();
    const connectionsOf = (roleArn: string) =>
      parseConnections(JSON.stringify({ [ROLE]: { name: "role", method: "assume-role", roleArn } }));
    const of = (connections: typeof CONNECTIONS) =>
      pool.of(findConnection(connections, ROLE), connections, "eu-west-1");
    assert.equal(await of(connectionsOf(role("one"))), await of(connectionsOf(role("one"))));
    assert.notEqual(await of(connectionsOf(role("one"))), await of(connectionsOf(role("two"))));
  });

  it("has its role assumed anew when the session is about to expire", async () => {
    server.answer(assuming(1));
    const aws = await open(ROLE);
    await aws.user();
    await aws.user();
    // The SDK may ask twice in a row so near to the end.
    assert.deepEqual(
      asked().filter((call, index, all) => call !== all[index - 1]),
      ["AssumeRole by AKIAKEY", "GetUser by ASIA-rotator", "AssumeRole by AKIAKEY", "GetUser by ASIA-rotator"],
    );
  });

  it("that may not assume its role is told as such, and as nothing that IAM said", async () => {
    server.answer({ code: "AccessDenied", status: 403, message: "not authorized to perform: sts:AssumeRole" });
    const aws = await open(ROLE);
    for (const call of [aws.user(), aws.list(), aws.create(5), aws.tag({ a: "b" }), aws.caller()]) {
      const error = await failureOf(call);
      assert.ok(error instanceof UnauthorizedError);
      assert.ok(isDefiniteRefusal(error));
      assert.equal(
        error.message,
        [
          `connection "role" has no credentials, by assuming role ${role("rotator")}: AccessDenied: not authorized to perform: sts:AssumeRole (request id ${REQUEST_ID})`,
          "Next: let the role's trust policy name who assumes it, with the connection's externalId if it asks for one, and allow them sts:AssumeRole on the role; then run `pulumi up` again",
        ].join("\n"),
      );
    }
    assert.ok(server.requests.every(({ action }) => action === "AssumeRole"));
  });

  it("whose role seems not to be there is no user that is not there", async () => {
    server.answer({ code: "NoSuchEntity", status: 404 });
    const aws = await open(ROLE);
    assert.match((await failureOf(aws.user())).message, /^connection "role" has no credentials/);
    assert.match((await failureOf(aws.delete("AKIA0001"))).message, /^connection "role" has no credentials/);
  });

  describe("by the SDK's default chain", () => {
    useEnvironment(() => ({
      AWS_ACCESS_KEY_ID: undefined,
      AWS_SECRET_ACCESS_KEY: undefined,
      AWS_ROLE_ARN: role("ci"),
      AWS_WEB_IDENTITY_TOKEN_FILE: join(folder, "token"),
      AWS_EC2_METADATA_DISABLED: "true",
    }));

    it("that STS refuses is told as such, and as nothing that IAM said", async () => {
      writeFileSync(join(folder, "token"), "a token");
      server.answer({ code: "AccessDenied", status: 403, message: "not authorized to assume the role" });
      const aws = await open(DEFAULT);
      for (const call of [aws.user(), aws.tag({ a: "b" })]) {
        const error = await failureOf(call);
        assert.ok(error instanceof UnauthorizedError);
        assert.match(
          error.message,
          /^connection "default" has no credentials, by the AWS SDK's default chain: AccessDenied: not authorized to assume the role .*\nNext: give the run credentials where the AWS SDK looks for them/,
        );
      }
    });
  });

  it("that is chained on one without credentials tells which one", async () => {
    server.answer({ code: "ExpiredToken", status: 403 });
    assert.match(
      (await failureOf((await open(CHAINED)).user())).message,
      /^connection "role", the source of "chained", has no credentials, by assuming role \S+: ExpiredToken: /,
    );
  });

  it("whose profile is not there is told with it, without any value of the file", async () => {
    const error = await failureOf((await open(LOST_PROFILE)).user());
    assert.ok(error instanceof UnauthorizedError);
    assert.match(
      error.message,
      /^connection "lost profile" has no credentials, by profile "nobody": CredentialsProviderError: .*\nNext: correct the profile/,
    );
    for (const secret of SECRETS) assert.ok(!`${error.message}${error.stack}`.includes(secret));
    assert.deepEqual(server.requests, []);
  });

  it("that expired or was refused is told by name, with each call", async () => {
    for (const [code, status] of [
      ["ExpiredToken", 403],
      ["InvalidClientTokenId", 403],
      ["SignatureDoesNotMatch", 403],
    ] as const) {
      server.answer({ code, status });
      const error = await failureOf((await open(KEY)).user());
      assert.ok(error instanceof UnauthorizedError);
      assert.equal(
        error.message,
        [
          `iam:GetUser for IAM user ci-bot failed over connection "key": ${code}: AWS's own words (request id ${REQUEST_ID})`,
          'Next: renew or correct the credentials of connection "key", then run `pulumi up` again',
        ].join("\n"),
      );
    }
  });

  describe("without an endpoint of its own", () => {
    useEnvironment(() => ({ AWS_ENDPOINT_URL: undefined }));

    /** Where a call would go: calls that may only go to this machine name the host that they refuse. */
    async function hostOf(call: Promise<unknown>): Promise<string | undefined> {
      return /the AWS endpoint (\S+) is not on this machine/.exec((await failureOf(call)).message)?.[1];
    }

    it("reaches IAM and STS where the SDK's rules say, in all regions of the contract, in both partitions", async () => {
      const pool = new ClientPool();
      for (const region of REGIONS) {
        const aws = await open(KEY, { pool, region, onlyLocalEndpoints: true });
        const iam = region.startsWith("us-gov-") ? "iam.us-gov.amazonaws.com" : "iam.amazonaws.com";
        assert.deepEqual(
          [
            await hostOf(aws.user()),
            await hostOf(aws.caller()),
            await hostOf(aws.identify({ accessKeyId: "A", secretAccessKey: "b" })),
          ],
          [iam, `sts.${region}.amazonaws.com`, `sts.${region}.amazonaws.com`],
        );
      }
      assert.ok(REGIONS.some((region) => region.startsWith("us-gov-")));
    });
  });
});

describe("The provider's source", () => {
  const files = readdirSync(SOURCE_ROOT, { recursive: true, encoding: "utf8" }).filter((name) => name.endsWith(".ts"));

  it("names no partition in an arn, and no endpoint of AWS's", () => {
    const literal = /arn:aws|amazonaws\.com|amazonaws\.cn/;
    assert.ok(literal.test("`arn:aws:iam::${account}:user/x`"));
    assert.ok(files.length > 30);
    for (const file of files) {
      const found = literal.exec(readFileSync(join(SOURCE_ROOT, file), "utf8"));
      assert.equal(found, null, `${file}: ${found?.[0]}`);
    }
  });

  it("loads nothing of the AWS SDK until a call is needed, and no library of the provider's in a program", () => {
    // In a process of its own: this one has loaded it.
    const script = `
      const { registerHooks } = require("node:module");
      const loaded = [];
      registerHooks({ resolve: (name, context, next) => {
        const found = next(name, context);
        if (/@(aws-sdk|smithy)\\/|\\/zod\\//.test(found.url)) loaded.push(found.url);
        return found;
      } });
      require("./provider/dist/index.js");
      const inProgram = loaded.length;
      const ofAws = () => loaded.filter((url) => !url.includes("/zod/")).length;
      const { provider } = require("./provider/dist/dynamic.js");
      const news = ${JSON.stringify({
        name: "ci-bot",
        projectId: "platform",
        connectionId: AMBIENT_CONNECTION_ID,
        environment: "prod",
        secretPath: "/ci",
        rotationInterval: 30,
        parameters: { userName: "ci-bot" },
        secretsMapping: { accessKeyId: "A", secretAccessKey: "B" },
        owner: "o/p/s/n",
      })};
      (async () => {
        const { inputs, failures } = await provider.check({}, news);
        if (failures.length > 0) throw new Error(JSON.stringify(failures));
        const before = ofAws();
        await provider.create(inputs).catch(() => undefined);
        console.log(JSON.stringify([inProgram, before, ofAws() > 0]));
      })();
    `;
    const output = execFileSync(process.execPath, ["-e", script], {
      cwd: join(__dirname, "../.."),
      encoding: "utf8",
      env: { PATH: process.env["PATH"], AWS_ENDPOINT_URL: "http://127.0.0.1:1", AWS_EC2_METADATA_DISABLED: "true" },
    });
    assert.deepEqual(JSON.parse(output), [0, 0, true]);
  });
});
