import assert from "node:assert/strict";

import { AMBIENT_CONNECTION_ID } from "../../../provider/src/contract/inputs";
import { rotationId } from "../../../provider/src/contract/ids";
import { CliStack, type Command } from "../../support/engineCli";
import type { Effect } from "../../support/faultLane";
import { startFaultProxy, type FaultProxy } from "../../support/faultProxy";
import { Iam } from "../../support/iam";
import { type Moto, sharedMoto } from "../../support/moto";
import { describeEngine } from "../../support/stack";
import { publishedIn } from "./world";

const NAME = "shared-bot";
const CONFIG = { "iam-rotation:limits": JSON.stringify({ lagSeconds: 0, verifySpacingSeconds: 0.01 }) };

const argsFor = (userName: string) => ({
  projectId: "3c90c3cc-0d44-4b50-8888-8dd25736052a",
  connectionId: AMBIENT_CONNECTION_ID,
  environment: "prod",
  secretPath: "/ci",
  rotationInterval: 30,
  parameters: { userName, region: "us-east-1" },
  secretsMapping: { accessKeyId: "AWS_ACCESS_KEY_ID", secretAccessKey: "AWS_SECRET_ACCESS_KEY" },
});

describeEngine("Two at once", () => {
  let moto: Moto;
  let proxy: FaultProxy;
  let iam: Iam;
  const stacks: CliStack[] = [];

  before(async () => {
    moto = await sharedMoto();
    await moto.reset();
    proxy = await startFaultProxy(moto.endpoint);
    iam = new Iam(moto.endpoint);
  });
  after(async () => {
    iam.stop();
    await proxy.stop();
  });
  afterEach(() => {
    for (const stack of stacks.splice(0)) stack.remove();
  });

  async function stackOf(userName: string, stackName: string, backend?: string): Promise<CliStack> {
    const stack = new CliStack(NAME, proxy.endpoint, stackName, backend);
    stacks.push(stack);
    await stack.init();
    stack.write(argsFor(userName), CONFIG);
    return stack;
  }

  it("on one stack with an S3 backend: one is told that the stack is locked, and nothing is harmed", async function () {
    this.timeout(180_000);
    const userName = "locked-user";
    await iam.createUser(userName);
    await makeBucket(moto.endpoint, "states");
    const { port } = new URL(moto.endpoint);
    const query = `endpoint=http://localhost:${port}&s3ForcePathStyle=true&region=us-east-1`;
    const stack = await stackOf(userName, "dev", `s3://states?${query}`);

    // The second one runs from end to end while the first one waits for its key.
    let second: Command | undefined;
    const owner = `organization/sweep/dev/${NAME}`;
    const lane = proxy.lane({ rotationId: rotationId(owner, userName), userName, seed: 0 });
    lane.watch({
      action: "CreateAccessKey",
      nth: 1,
      times: 1,
      when: "before",
      effect: async (): Promise<Effect> => {
        second = await stack.up();
        return "pass";
      },
    });
    const first = await stack.up();

    assert.equal(first.code, 0, first.text);
    assert.notEqual(second?.code, 0);
    assert.match(second?.text ?? "", /the stack is currently locked/);
    const published = publishedIn(await stack.saved());
    assert.deepEqual(await iam.keyIds(userName), [published?.accessKeyId]);
    assert.ok(published && (await iam.keyWorks(userName, published)));
  });

  it("from two stacks on one user: the second is refused with the name of the first", async function () {
    this.timeout(180_000);
    const userName = "shared-user";
    await iam.createUser(userName);
    const first = await stackOf(userName, "dev");
    const second = await stackOf(userName, "other");

    const ran = await first.up();
    assert.equal(ran.code, 0, ran.text);
    const refused = await second.up();

    assert.notEqual(refused.code, 0);
    assert.match(refused.text, new RegExp(`rotated by another rotation: sweep/dev/${NAME}`));
    const published = publishedIn(await first.saved());
    assert.deepEqual(await iam.keyIds(userName), [published?.accessKeyId]);
    assert.ok(published && (await iam.keyWorks(userName, published)));
    assert.equal(await second.saved(), undefined);
  });
});

async function makeBucket(endpoint: string, name: string): Promise<void> {
  const authorization =
    "AWS4-HMAC-SHA256 Credential=test/20260101/us-east-1/s3/aws4_request, SignedHeaders=host, Signature=0";
  const answer = await fetch(`${endpoint}/${name}`, { method: "PUT", headers: { authorization } });
  if (!answer.ok) throw new Error(`moto made no bucket: ${answer.status}`);
}
