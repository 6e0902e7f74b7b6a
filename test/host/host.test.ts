import assert from "node:assert/strict";

import { AMBIENT_CONNECTION_ID } from "../../provider/src/contract/inputs";
import { UNKNOWN } from "../../provider/src/contract/unknown";
import { useAws } from "../support/aws";
import { writesOf } from "../support/awsProxy";
import { type Inputs, program } from "../support/fakeStack";
import { Host, HostFailure, PROVIDER_CODE } from "../support/host";

const CONNECTION_ID = "aaaaaaaa-0000-4000-8000-00000000000d";
const CONFIG = {
  "iam-rotation:limits": JSON.stringify({ lagSeconds: 0, verifySeconds: 60, verifySpacingSeconds: 0 }),
  "iam-rotation:connections": JSON.stringify({
    [CONNECTION_ID]: {
      name: "production",
      method: "access-key",
      accessKeyId: "AKIACONNECTION",
      secretAccessKey: "secret/of+the/connection",
    },
  }),
};

/** The names of all outputs of a rotation without a trigger. */
const NAMES = [
  ...["accessKeyId", "activeIndex", "connection", "connectionId", "createdAt", "description", "environment", "folder"],
  ...[
    "folderId",
    "generatedCredentials",
    "generation",
    "isAutoRotationEnabled",
    "isLastRotationManual",
    "keys",
    "lastRotatedAt",
  ],
  ...["lastRotationAttemptedAt", "lastRotationJobId", "lastRotationMessage", "name", "nextRotationAt", "owner"],
  ...["parameters", "pendingCredentials", "previousAccessKeyId", "previousKey", "projectId", "rotateAtUtc", "rotation"],
  ...["revokeGeneratedCredentials", "rotationInterval", "rotationStatus", "secretAccessKey", "secretPath", "secrets"],
  ...["secretsMapping", "sesSmtpPassword", "type", "unsettled", "updatedAt", "userArn", "userId"],
];

async function failureOf(promise: Promise<unknown>): Promise<HostFailure> {
  const error: unknown = await promise.then(
    () => new Error("it did not fail"),
    (cause: unknown) => cause,
  );
  if (!(error instanceof HostFailure)) throw error;
  return error;
}

describe("In Pulumi's own host of dynamic providers", function () {
  const aws = useAws();
  let host: Host;

  // It keeps nothing from one test to the next but the configuration; tests that are about a fresh one start their own.
  before(async () => {
    host = await startHost();
  });
  after(() => host.stop());
  beforeEach(async () => {
    host.output = "";
    await aws.iam.createUser("ci-bot");
  });

  function startHost(): Promise<Host> {
    return Host.start({ endpoint: aws.endpoint, config: CONFIG });
  }

  async function checked(news: Inputs = program(), olds: Inputs = {}): Promise<Inputs> {
    const { inputs, failures } = await host.check(olds, news);
    assert.deepEqual(failures, []);
    return inputs;
  }

  async function created(news: Inputs = program()) {
    const inputs = await checked(news);
    return { inputs, ...(await host.create(inputs)) };
  }

  /** AWS takes no key but the connection's for right: the verification of a new one fails at once. */
  function failVerification(connectionKey = "test"): void {
    aws.failOn(({ action, signedBy }) =>
      action === "sts:GetCallerIdentity" && signedBy !== connectionKey
        ? { status: 403, code: "SignatureDoesNotMatch" }
        : undefined,
    );
  }

  const secretsOf = ({ generatedCredentials, pendingCredentials }: Inputs): string[] =>
    [...((generatedCredentials ?? []) as Inputs[]), ...(pendingCredentials ? [pendingCredentials as Inputs] : [])].map(
      ({ secretAccessKey }) => String(secretAccessKey),
    );

  it("check gives the inputs with defaults, anchor and the provider's code", async () => {
    const inputs = await checked();
    assert.equal(inputs["__provider"], PROVIDER_CODE);
    assert.equal((inputs["rotation"] as Inputs)["reason"], "created");
    assert.deepEqual(inputs["rotateAtUtc"], { hours: 0, minutes: 0 });
    assert.equal(inputs["description"], null);
  });

  it('check gives every failure with the property "" and the path in its reason, and never a value', async () => {
    const secret = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY";
    const { failures } = await host.check(
      {},
      program({ name: secret, adopt: secret, parameters: { userName: secret, region: secret } }),
    );
    assert.deepEqual(
      failures.map(({ property, reason }) => [property, reason.split(":")[0]]),
      [
        ["", "name"],
        ["", "parameters.region"],
        ["", "adopt"],
      ],
    );
    assert.ok(!JSON.stringify(failures).includes(secret));
    assert.equal(host.output, "");
  });

  it("check and diff take values that are not known yet", async () => {
    const { id, properties, inputs } = await created();
    const preview = await checked(
      program({ rotationInterval: UNKNOWN, secretsMapping: { accessKeyId: UNKNOWN, secretAccessKey: "B" } }),
      inputs,
    );
    assert.equal(preview["nextRotationAt"], UNKNOWN);
    assert.deepEqual(await host.diff(id, properties, preview), { changes: true, replaces: [] });
  });

  it("a rotation lives: created, unchanged, rotated, read, replaced, deleted", async () => {
    const { id, properties, inputs } = await created();
    const first = properties["accessKeyId"];
    assert.deepEqual(await aws.iam.keyIds("ci-bot"), [first]);
    assert.equal(properties["__provider"], PROVIDER_CODE);
    const tags = await aws.iam.tags("ci-bot");
    assert.match(tags?.["iam-rotation"] ?? "", new RegExp(`^v1 ${id} g=1 k=${String(first)} by=create c=\\d+ at=`));
    assert.equal(tags?.["iam-rotation-owner"], "platform/prod/ci-bot");

    const same = await checked(program(), inputs);
    assert.deepEqual(await host.diff(id, properties, same), { changes: false, replaces: [] });

    const triggered = await checked(program({ rotationTrigger: "1" }), same);
    assert.deepEqual(await host.diff(id, properties, triggered), { changes: true, replaces: [] });
    const rotated = await host.update(id, properties, triggered);
    assert.equal(rotated["__provider"], PROVIDER_CODE);
    assert.equal(rotated["previousAccessKeyId"], first);
    assert.deepEqual((await aws.iam.keyIds("ci-bot")).sort(), [first, rotated["accessKeyId"]].sort());

    const read = await host.read(id, rotated);
    assert.equal(read.id, id);
    assert.deepEqual(read.properties, rotated);
    assert.deepEqual(read.inputs, triggered);

    const other = await checked(program({ rotationTrigger: "1", parameters: { userName: "other" } }), triggered);
    assert.deepEqual(await host.diff(id, rotated, other), { changes: true, replaces: ["parameters"] });

    await host.delete(id, rotated);
    assert.deepEqual(await aws.iam.keyIds("ci-bot"), []);
    assert.deepEqual(await aws.iam.tags("ci-bot"), {});
  });

  it("create, update and read give the same outputs, and nothing that the host had to empty or leave out", async () => {
    const { id, properties, inputs } = await created();
    const rotated = await host.update(id, properties, await checked(program({ rotationTrigger: "1" }), inputs));
    const read = await host.read(id, rotated);
    const expected = [...NAMES, "__provider"].sort();
    assert.deepEqual(Object.keys(properties).sort(), expected);
    assert.deepEqual(Object.keys(rotated).sort(), [...expected, "rotationTrigger"].sort());
    assert.deepEqual(Object.keys(read.properties).sort(), [...expected, "rotationTrigger"].sort());
    // A Date, or any other object of a class, arrives as an empty object.
    for (const outputs of [properties, rotated, read.properties]) assert.ok(!JSON.stringify(outputs).includes("{}"));
  });

  it("an expired connection gives one error for each rotation, with its name and what to do", async () => {
    await aws.iam.createUser("other");
    const inputs = await Promise.all(
      ["ci-bot", "other"].map((userName) =>
        checked(program({ connectionId: CONNECTION_ID, parameters: { userName, region: "us-east-1" } })),
      ),
    );
    aws.failOn(() => ({ status: 403, code: "ExpiredToken" }));
    const failures = await Promise.all(inputs.map((each) => failureOf(host.create(each))));
    for (const { message, partial } of failures) {
      assert.equal(partial, undefined);
      assert.match(message, /^\S+ for IAM user (ci-bot|other) failed over connection "production": ExpiredToken: /);
      assert.equal(message.split("ExpiredToken").length, 2, message);
      assert.match(
        message,
        /\nNow: nothing was changed\nNext: renew or correct the credentials of connection "production"/,
      );
    }
    assert.equal(host.output, "");
  });

  it("a user whose own key signs is refused before anything is written, unless the connection allows it", async () => {
    const own = { name: "own key", method: "access-key", ...(await aws.iam.addKey("ci-bot")) };
    const allowed = "aaaaaaaa-0000-4000-8000-0000000000a1";
    const connections = { [CONNECTION_ID]: own, [allowed]: { ...own, allowSelfRotation: true } };
    const other = await Host.start({
      endpoint: aws.endpoint,
      config: { ...CONFIG, "iam-rotation:connections": JSON.stringify(connections) },
    });
    try {
      const { inputs } = await other.check({}, program({ connectionId: CONNECTION_ID }));
      const failure = await failureOf(other.create(inputs));
      assert.equal(failure.partial, undefined);
      assert.match(
        failure.message,
        /^connection "own key" signs with an access key of arn:aws:iam::\d{12}:user\/ci-bot/,
      );
      assert.deepEqual(writesOf(aws.calls), []);
      await other.create((await other.check({}, program({ connectionId: allowed }))).inputs);
      assert.equal((await aws.iam.keyIds("ci-bot")).length, 2);
    } finally {
      await other.stop();
    }
  });

  it("update takes the AWS-free way for a change in place", async () => {
    const { id, properties, inputs } = await created();
    const news = await checked(program({ description: "for CI" }), inputs);
    aws.forgetCalls();
    const updated = await host.update(id, properties, news);
    assert.equal(updated["description"], "for CI");
    assert.deepEqual(aws.calls, []);
  });

  it("check and diff call nothing", async () => {
    const { id, properties, inputs } = await created();
    aws.forgetCalls();
    const news = await checked(program({ rotationTrigger: "1" }), inputs);
    await host.diff(id, properties, news);
    assert.deepEqual(aws.calls, []);
  });

  it("read gives drift to state and inputs, and the next check rotates for it", async () => {
    const { id, properties } = await created();
    await aws.iam.disableKey("ci-bot", String(properties["accessKeyId"]));
    const read = await host.read(id, properties);
    const drift = `the current key ${String(properties["accessKeyId"])} was set Inactive`;
    assert.equal((read.properties["rotation"] as Inputs)["drift"], drift);
    const news = await checked(program(), read.inputs);
    assert.equal((news["rotation"] as Inputs)["reason"], drift);
  });

  it("read gives no id for a user that is gone, so that the engine drops the resource", async () => {
    const { id, properties } = await created();
    await aws.iam.deleteUser("ci-bot");
    assert.equal((await host.read(id, properties)).id, "");
  });

  it("a creation that made no key fails without anything to save", async () => {
    const inputs = await checked(program({ parameters: { userName: "nobody" } }));
    const failure = await failureOf(host.create(inputs));
    assert.equal(failure.partial, undefined);
    assert.match(
      failure.message,
      /^IAM user nobody does not exist in the account of this connection\nNow: nothing was changed\n/,
    );
  });

  it("a creation whose key cannot be verified is saved with id, pending key, reasons and the provider's code", async () => {
    failVerification();
    const failure = await failureOf(host.create(await checked()));
    const [accessKeyId] = await aws.iam.keyIds("ci-bot");
    const { id, properties, reasons } = failure.partial ?? assert.fail("nothing is saved");
    assert.match(id, /^[0-9a-f-]{36}$/);
    assert.equal(properties["__provider"], PROVIDER_CODE);
    assert.equal((properties["pendingCredentials"] as Inputs)["accessKeyId"], accessKeyId);
    assert.equal(properties["accessKeyId"], null);
    assert.equal(reasons.length, 1);
    assert.ok(
      reasons[0]?.startsWith(`the secret of access key ${accessKeyId} is wrong: sts:GetCallerIdentity for IAM`),
    );
    assert.match(reasons[0] ?? "", /SignatureDoesNotMatch.*\nNow: state keeps the new key: /);
  });

  it("what such a failure saved can be read, updated to the end, and deleted", async () => {
    failVerification();
    const inputs = await checked();
    const { id, properties } = (await failureOf(host.create(inputs))).partial ?? assert.fail("nothing is saved");
    aws.failOn(undefined);
    const read = await host.read(id, properties);
    assert.equal(read.id, id);
    assert.equal(read.properties["__provider"], PROVIDER_CODE);
    const news = await checked(program(), read.inputs);
    const updated = await host.update(id, read.properties, news);
    assert.deepEqual(await aws.iam.keyIds("ci-bot"), [updated["accessKeyId"]]);
    assert.equal(updated["pendingCredentials"], null);
    await host.delete(id, properties);
    assert.deepEqual(await aws.iam.keyIds("ci-bot"), []);
  });

  it("an update whose key cannot be verified is saved with the old anchor, the old key and the new one as pending", async () => {
    const { id, properties, inputs } = await created();
    failVerification();
    const news = await checked(program({ rotationTrigger: "1" }), inputs);
    const { partial } = await failureOf(host.update(id, properties, news));
    assert.equal(partial?.id, id);
    assert.equal(partial.properties["__provider"], PROVIDER_CODE);
    assert.deepEqual(partial.properties["rotation"], properties["rotation"]);
    assert.equal(partial.properties["accessKeyId"], properties["accessKeyId"]);
    assert.equal(partial.properties["rotationStatus"], "failed");
    const pending = (partial.properties["pendingCredentials"] as Inputs)["accessKeyId"];
    assert.deepEqual((await aws.iam.keyIds("ci-bot")).sort(), [properties["accessKeyId"], pending].sort());
  });

  it("parallel calls that come before the configuration is done are all configured", async () => {
    const fresh = await startHost();
    try {
      const news = program({ connectionId: CONNECTION_ID });
      const answers = await Promise.all(Array.from({ length: 20 }, () => fresh.check({}, news)));
      assert.deepEqual(
        answers.flatMap(({ failures }) => failures),
        [],
      );
    } finally {
      await fresh.stop();
    }
  });

  it("rotations of many users are created at the same time, each with its own key, over one connection", async () => {
    const users = Array.from({ length: 8 }, (_none, index) => `user-${index}`);
    for (const userName of users) await aws.iam.createUser(userName);
    const results = await Promise.all(
      users.map(async (userName) => {
        const news = program({ connectionId: CONNECTION_ID, owner: userName, parameters: { userName } });
        return host.create(await checked(news));
      }),
    );
    assert.equal(new Set(results.map(({ id }) => id)).size, users.length);
    for (const [index, userName] of users.entries()) {
      assert.deepEqual(await aws.iam.keyIds(userName), [results[index]?.properties["accessKeyId"]]);
    }
    assert.ok(aws.calls.some(({ signedBy }) => signedBy === "AKIACONNECTION"));
    assert.ok(!aws.calls.some(({ signedBy }) => signedBy === "test"));
  });

  it("two rotations of one user wait for each other, and the second is refused by the name of the first", async () => {
    const inputs = await Promise.all(
      ["first", "second"].map((name) => checked(program({ owner: `acme/p/s/${name}` }))),
    );
    const results = await Promise.allSettled(inputs.map((each) => host.create(each)));
    const made = results.flatMap((result) => (result.status === "fulfilled" ? [result.value] : []));
    const refused = results.flatMap((result) => (result.status === "rejected" ? [result.reason as HostFailure] : []));
    assert.deepEqual(await aws.iam.keyIds("ci-bot"), [made[0]?.properties["accessKeyId"]]);
    const winner = String(made[0]?.properties["owner"]).slice("acme/".length);
    assert.equal(refused.length, 1);
    assert.ok(refused[0]?.message.includes(`are rotated by another rotation: ${winner} (`), refused[0]?.message);
    assert.equal(refused[0]?.partial, undefined);
  });

  it("a creation that AWS answers with 503 is sent once, saves nothing, and leaves its announcement to the next", async () => {
    const inputs = await checked();
    aws.forgetCalls();
    aws.failOn(({ action }) =>
      action === "iam:CreateAccessKey" ? { status: 503, code: "ServiceUnavailable" } : undefined,
    );
    const failure = await failureOf(host.create(inputs));
    assert.equal(failure.partial, undefined);
    assert.equal(aws.calls.filter(({ action }) => action === "iam:CreateAccessKey").length, 1);
    assert.match((await aws.iam.tags("ci-bot"))?.["iam-rotation"] ?? "", / a=\d+\/\d+ o=$/);
  });

  it("a connection that nobody knows fails the check, never falls back to the ambient one", async () => {
    const { failures } = await host.check({}, program({ connectionId: "aaaaaaaa-0000-4000-8000-0000000000ff" }));
    assert.equal(failures.length, 1);
    assert.match(
      failures[0]?.reason ?? "",
      new RegExp(`${AMBIENT_CONNECTION_ID} \\("ambient"\\), ${CONNECTION_ID} \\("production"\\)`),
    );
  });

  it("no secret is ever written to its output or into an error, whatever fails", async () => {
    const { id, properties, inputs } = await created(program({ connectionId: CONNECTION_ID }));
    const news = await checked(program({ connectionId: CONNECTION_ID, rotationTrigger: "1" }), inputs);
    const told: string[] = [];
    const tell = ({ message, partial }: HostFailure) => told.push(message, ...(partial?.reasons ?? []));
    failVerification("AKIACONNECTION");
    const failed = await failureOf(host.update(id, properties, news));
    tell(failed);
    aws.failOn(() => ({ status: 403, code: "AccessDenied" }));
    const saved = failed.partial?.properties ?? assert.fail("nothing is saved");
    tell(await failureOf(host.read(id, saved)));
    tell(await failureOf(host.delete(id, saved)));
    tell(await failureOf(host.update(id, saved, news)));
    tell(await failureOf(host.create(news)));

    assert.equal(secretsOf(saved).length, 2);
    assert.match(host.output, /AccessDenied/, "the host prints what read and delete throw");
    for (const secret of [...secretsOf(saved), "secret/of+the/connection"]) {
      assert.ok(!host.output.includes(secret) && !told.join().includes(secret), "a secret was told");
    }
    // The stacks of our errors say nothing to the people who see them.
    assert.ok(!/\n\s+at /.test(host.output));
  });
});
