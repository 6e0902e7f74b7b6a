import assert from "node:assert/strict";

import { provider } from "../../provider/src/dynamic";
import { type AwsServer, startAwsServer } from "../support/awsServer";
import { sentTo, useEnvironment } from "../support/environment";
import { FakeStack, program } from "../support/fakeStack";

const CODE = "the code that the host loads";

describe("A failure that the host saves", () => {
  let server: AwsServer;
  before(async () => {
    server = await startAwsServer();
  });
  after(() => server.stop());
  useEnvironment(() => ({
    ...sentTo(server.endpoint),
    AWS_ACCESS_KEY_ID: "AKIAAMBIENT",
    AWS_SECRET_ACCESS_KEY: "ambient",
    AWS_PROFILE: undefined,
  }));

  it("keeps the code by which the resource is loaded: without it nothing could refresh or destroy it", async () => {
    const stack = new FakeStack();
    await stack.up();
    const state = stack.state;
    server.answer({ code: "AccessDenied", status: 403 });
    const { inputs } = stack.preview(program({ rotationTrigger: "1" }));
    assert.ok(inputs && provider.update);
    const error: unknown = await provider
      .update(stack.resource!.id, { ...state, __provider: CODE }, { ...inputs, __provider: CODE })
      .then(
        () => undefined,
        (cause: unknown) => cause,
      );
    assert.ok(error instanceof Error);
    const { id, properties, reasons } = error as Error & {
      id: string;
      properties: Record<string, unknown>;
      reasons: string[];
    };
    assert.equal(id, stack.resource!.id);
    assert.equal(properties["__provider"], CODE);
    assert.equal(properties["accessKeyId"], state.accessKeyId);
    assert.match(reasons[0] ?? "", /AccessDenied/);
  });
});
