import assert from "node:assert/strict";

import * as pulumi from "@pulumi/pulumi";

import { AwsIamUserSecretRotation, type AwsIamUserSecretRotationArgs } from "../../provider/src";
import { SECRET_OUTPUTS } from "../../provider/src/contract/outputs";
import { API_RESPONSE } from "../support/apiPage";
import { PROVIDER_CODE } from "../support/host";
import type { Inputs } from "../support/fakeStack";

const ARGS: AwsIamUserSecretRotationArgs = {
  projectId: "platform",
  connectionId: "00000000-0000-0000-0000-000000000000",
  environment: "prod",
  secretPath: "/ci",
  rotationInterval: 30,
  parameters: { userName: "ci-bot" },
  secretsMapping: { accessKeyId: "ID", secretAccessKey: "SECRET" },
};

describe("The resource class", () => {
  const registered: { type: string; name: string; inputs: Inputs }[] = [];
  before(async () => {
    await pulumi.runtime.setMocks(
      {
        call: () => ({}),
        newResource: ({ type, name, inputs }) => {
          registered.push({ type, name, inputs });
          return { id: "the-id", state: { ...inputs, accessKeyId: "AKIA0001" } };
        },
      },
      "the-project",
      "the-stack",
      false,
      "the-organization",
    );
  });
  // Else the programs of engine tests, which run in this process too, would register with the mocks.
  after(() => pulumi.runtime.resetOptions("", "", -1, "", "", false, ""));
  beforeEach(() => {
    registered.length = 0;
  });

  async function register(args: Partial<AwsIamUserSecretRotationArgs> = {}) {
    const resource = new AwsIamUserSecretRotation("ci-bot", { ...ARGS, ...args });
    const id = await new Promise<string>((resolve) => void resource.id.apply(resolve));
    const [registration] = registered;
    assert.ok(registration);
    return { resource, id, ...registration };
  }

  it("registers under the type token that stands in every state", async () => {
    const { type, name, id } = await register();
    assert.deepEqual(
      [type, name, id],
      ["pulumi-nodejs:dynamic/iam-rotation:AwsIamUserSecretRotation", "ci-bot", "the-id"],
    );
  });

  it("gives the host the constant line that loads the installed provider, and no closure", async () => {
    assert.equal((await register()).inputs["__provider"], PROVIDER_CODE);
  });

  it("tells the provider organization, project, stack and logical name as the owner", async () => {
    assert.equal((await register()).inputs["owner"], "the-organization/the-project/the-stack/ci-bot");
  });

  it("takes the logical name for the rotation's name, unless one is given", async () => {
    assert.equal((await register()).inputs["name"], "ci-bot");
    registered.length = 0;
    assert.equal((await register({ name: "other" })).inputs["name"], "other");
  });

  it("passes the program's inputs on as they are", async () => {
    const { inputs } = await register({ rotationTrigger: "1" });
    for (const [name, value] of Object.entries({ ...ARGS, rotationTrigger: "1" }))
      assert.deepEqual(inputs[name], value);
  });

  it("has every output of the API's page, and every secret one", async () => {
    const { resource } = await register();
    for (const name of [...Object.keys(API_RESPONSE), ...SECRET_OUTPUTS]) {
      assert.ok(name in resource && pulumi.Output.isInstance({ ...resource }[name]), name);
    }
  });

  it("gives what the provider computes to the program", async () => {
    const { resource } = await register();
    assert.equal(await new Promise((resolve) => void resource.accessKeyId.apply(resolve)), "AKIA0001");
  });

  it("spares the SDK the stack of each output, and leaves the limit as it was", async () => {
    const { prepareStackTrace, stackTraceLimit } = Error;
    let stacks = 0;
    Error.prepareStackTrace = (error, frames) => {
      if (frames.length > 0) stacks += 1;
      return String(error);
    };
    try {
      await register();
    } finally {
      Error.prepareStackTrace = prepareStackTrace;
    }
    // Some are the SDK's own, such as the one that tells where the program declares the resource.
    assert.ok(stacks < 20, `${stacks} stacks`);
    assert.equal(Error.stackTraceLimit, stackTraceLimit);
  });

  it("gives an error of Pulumi's SDK the stack of the program", () => {
    const { stackTraceLimit } = Error;
    assert.throws(
      () => new AwsIamUserSecretRotation("", ARGS),
      (error: Error) => /resource\.test/.test(error.stack ?? ""),
    );
    assert.equal(Error.stackTraceLimit, stackTraceLimit);
  });
});
