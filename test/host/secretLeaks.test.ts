import assert from "node:assert/strict";
import { join } from "node:path";

import { SECRET_OUTPUTS } from "../../provider/src/contract/outputs";
import { useAws } from "../support/aws";
import type { AwsCall } from "../support/awsProxy";
import { EngineModel } from "../support/engineModel";
import { program } from "../support/fakeStack";
import { PROVIDER_CODE } from "../support/host";
import type { Credential } from "../support/iam";
import { ProviderHost, type Wire } from "../support/providerHost";
import { SecretSearch } from "../support/secretSearch";

const ROOT = join(__dirname, "../..");
const USER = "ci-bot";
const KEY = "aaaaaaaa-0000-4000-8000-0000000000d1";
const SESSION = "aaaaaaaa-0000-4000-8000-0000000000d2";
const ROLE = "aaaaaaaa-0000-4000-8000-0000000000d3";
const WRONG = "aaaaaaaa-0000-4000-8000-0000000000d4";

const CONNECTION_SECRETS = {
  "the connection's secret": "Conn/ection+Secret0123456789abcdefghijkl",
  "the session's secret": "Sess/ion+Secret0123456789abcdefghijklmno",
  "the session's token": `IQoJb3JpZ2luX2VjE${"Token+/".repeat(40)}`,
};
const [OF_KEY, OF_SESSION, TOKEN] = Object.values(CONNECTION_SECRETS) as [string, string, string];

function connections(changes: Record<string, Wire> = {}): Record<string, string> {
  return {
    "iam-rotation:limits": JSON.stringify({
      callSeconds: 5,
      lagSeconds: 0,
      verifySeconds: 3,
      verifySpacingSeconds: 0.01,
    }),
    "iam-rotation:connections": JSON.stringify({
      [KEY]: { name: "key", method: "access-key", accessKeyId: "AKIACONNECTION", secretAccessKey: OF_KEY },
      [SESSION]: {
        name: "session",
        method: "access-key",
        accessKeyId: "ASIACONNECTION",
        secretAccessKey: OF_SESSION,
        sessionToken: TOKEN,
      },
      [ROLE]: { name: "role", method: "assume-role", roleArn: "arn:aws:iam::123456789012:role/r", source: SESSION },
      ...changes,
    }),
  };
}

describe("Secrets in the dynamic host", function () {
  this.timeout(180_000);
  const aws = useAws();
  let search: SecretSearch;
  let hosts: ProviderHost[];

  beforeEach(async () => {
    search = new SecretSearch();
    hosts = [];
    for (const [name, secret] of Object.entries(CONNECTION_SECRETS)) search.plant(name, secret);
    await aws.iam.createUser(USER);
  });
  afterEach(async () => {
    for (const host of hosts) await host.kill();
  });

  async function start(config = connections()): Promise<ProviderHost> {
    const host = await ProviderHost.start({ folder: ROOT, endpoint: aws.endpoint, config });
    hosts.push(host);
    return host;
  }

  const given = (changes: Wire = {}): Wire => ({
    ...program({ connectionId: KEY, previousKey: { deactivateAfterHours: 0, quietHours: 0 }, ...changes }),
    __provider: PROVIDER_CODE,
  });

  /** What the engine was told and saves in plain text, and what the process has printed. */
  function noteAll(engine: EngineModel): void {
    const { state, told } = engine;
    told.forEach((text, index) => search.note(`failure ${index}`, text));
    for (const credential of (state?.outputs["generatedCredentials"] ?? []) as Credential[]) {
      search.plant("a made key", credential.secretAccessKey);
    }
    search.plant("a pending key", (state?.outputs["pendingCredentials"] as Credential | null)?.secretAccessKey);
    search.plant("an SMTP password", state?.outputs["sesSmtpPassword"]);
    const open = { ...state?.outputs };
    for (const name of SECRET_OUTPUTS) delete open[name];
    search.note("an output that is not marked secret", JSON.stringify(open));
    // The program marks `adopt` secret, and it is gone from the inputs once the key is adopted.
    const { adopt: _, ...inputs } = state?.inputs ?? {};
    search.note("an input that is not marked secret", JSON.stringify(inputs));
    for (const host of hosts) search.note("what the process printed", host.printed);
  }

  const FAULTS: readonly (readonly [string, (call: AwsCall) => boolean, { code: string; status: number }])[] = [
    ["the connection expired", () => true, { code: "ExpiredToken", status: 403 }],
    ["the connection's signature is wrong", () => true, { code: "SignatureDoesNotMatch", status: 403 }],
    [
      "CreateAccessKey is denied",
      ({ action }) => action === "iam:CreateAccessKey",
      { code: "AccessDenied", status: 403 },
    ],
    [
      "CreateAccessKey fails at AWS",
      ({ action }) => action === "iam:CreateAccessKey",
      { code: "ServiceFailure", status: 500 },
    ],
    [
      "the new key is refused",
      ({ action, signedBy }) => action === "sts:GetCallerIdentity" && !signedBy.includes("CONNECTION"),
      { code: "SignatureDoesNotMatch", status: 403 },
    ],
    [
      "the new key does not begin to work",
      ({ action, signedBy }) => action === "sts:GetCallerIdentity" && !signedBy.includes("CONNECTION"),
      { code: "InvalidClientTokenId", status: 403 },
    ],
    ["deleting is denied", ({ action }) => action === "iam:DeleteAccessKey", { code: "AccessDenied", status: 403 }],
  ];

  it("stand in no error, no log and no open output, in a whole life with every kind of failure", async () => {
    const host = await start();
    const engine = new EngineModel();
    const adopt = await aws.iam.addKey(USER);
    search.plant("the adopted key", adopt.secretAccessKey);
    const wrongPair = { ...adopt, secretAccessKey: "Wrong/Secret+0123456789abcdefghijklmnopq" };
    search.plant("a wrong pair", wrongPair.secretAccessKey);
    let failures = 0;
    const failing = async (inputs: Wire, what: string) => {
      assert.notEqual((await engine.up(host, inputs)).error, undefined, what);
      failures += 1;
      noteAll(engine);
    };

    aws.failOn(FAULTS[4]?.[1] && ((call) => (FAULTS[4]?.[1](call) ? FAULTS[4][2] : undefined)));
    await failing(given({ adopt: wrongPair }), "a wrong pair is adopted");
    aws.failOn(undefined);
    await failing(given({ adopt, connectionId: ROLE, parameters: { userName: "nobody" } }), "there is no such user");
    await failing(given({ adopt: { ...adopt, sessionToken: adopt.secretAccessKey } }), "an unknown property");
    assert.equal((await engine.up(host, given({ adopt }))).error, undefined);
    for (const [index, [what, concerns, fault]] of FAULTS.entries()) {
      const inputs = given({ rotationTrigger: `${index}` });
      // Both slots are taken where deleting is what fails.
      if (what.startsWith("deleting")) assert.equal((await engine.up(host, inputs)).error, undefined);
      aws.failOn((call) => (concerns(call) ? fault : undefined));
      if (what.startsWith("deleting")) assert.notEqual((await engine.destroy(host)).error, undefined, what);
      else await failing(inputs, what);
      aws.failOn(undefined);
      noteAll(engine);
      await engine.refresh(host);
      await engine.up(host, inputs);
      noteAll(engine);
    }
    await engine.destroy(host);
    noteAll(engine);

    assert.equal(failures, FAULTS.length + 2);
    assert.ok(search.count >= 10, `${search.count} secrets`);
    assert.deepEqual(search.found(), []);
  });

  it("stand in no refusal of a config that is wrong in every way", async () => {
    const wrong = {
      [WRONG]: { name: 1.5, method: "access-key", accessKeyId: "", secretAccessKey: 7, secret: OF_KEY, token: TOKEN },
      [KEY]: { name: "key", method: OF_KEY, secretAccessKey: OF_KEY },
      [ROLE]: {
        name: "r",
        method: "assume-role",
        roleArn: OF_KEY,
        externalId: `${OF_KEY}!`,
        source: OF_SESSION,
        region: 1,
      },
    };
    for (const config of [
      connections(wrong),
      { "iam-rotation:connections": OF_KEY },
      { ...connections(), "iam-rotation:limits": OF_KEY },
      { ...connections(), "iam-rotation:asOf": OF_KEY },
    ]) {
      const engine = new EngineModel();
      const ran = await engine.up(await start(config), given());
      assert.match(String(ran.error), /iam-rotation:/);
      noteAll(engine);
    }
    assert.deepEqual(search.found(), []);
    assert.deepEqual(aws.calls, []);
  });

  it("are found by the search where one is planted in an error, in an open output, or in what is printed", async () => {
    const planted = connections({ [KEY]: { name: `key ${OF_KEY}`, method: "default" } });
    const host = await start(planted);
    const engine = new EngineModel();
    await engine.up(host, given({ parameters: { userName: "nobody" }, connectionId: KEY }));
    aws.failOn(() => ({ code: "ExpiredToken", status: 403 }));
    await engine.up(host, given());
    noteAll(engine);
    assert.deepEqual(search.found(), ["the connection's secret: failure 1"]);

    aws.failOn(undefined);
    await engine.up(host, given());
    noteAll(engine);
    assert.ok(search.found().includes("the connection's secret: an output that is not marked secret"));
    search.note("what the process printed", encodeURIComponent(`cut: ${OF_SESSION.slice(0, 20)}...`));
    search.note("a dump", Buffer.from(TOKEN).toString("base64"));
    assert.ok(search.found().includes("the session's secret: what the process printed"));
    assert.ok(search.found().includes("the session's token: a dump"));
  });
});
