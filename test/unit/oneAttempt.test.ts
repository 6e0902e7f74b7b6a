import assert from "node:assert/strict";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";

import { ClientPool } from "../../provider/src/aws/clients";
import { parseConnections } from "../../provider/src/aws/connections";
import { openUserAccessKeys } from "../../provider/src/aws/userAccessKeys";
import { isDefiniteRefusal } from "../../provider/src/rotation/errors";

const ID = "aaaaaaaa-0000-4000-8000-00000000000b";

describe("CreateAccessKey", () => {
  let server: Server;
  let asked = 0;
  const before = process.env["AWS_ENDPOINT_URL"];

  beforeEach(async () => {
    asked = 0;
    server = createServer((request, response) => {
      asked += 1;
      request.resume();
      response.statusCode = 503;
      response.end("<ErrorResponse><Error><Code>ServiceUnavailable</Code></Error></ErrorResponse>");
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    process.env["AWS_ENDPOINT_URL"] = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });

  afterEach(() => {
    server.close();
    server.closeAllConnections();
    if (before === undefined) delete process.env["AWS_ENDPOINT_URL"];
    else process.env["AWS_ENDPOINT_URL"] = before;
  });

  it("is made in one attempt, and a 5xx is no definite refusal: it has no idempotency token", async () => {
    const connections = parseConnections(
      JSON.stringify({
        [ID]: { name: "test", method: "access-key", accessKeyId: "AKIATEST", secretAccessKey: "test" },
      }),
    );
    const connection = connections.get(ID)!;
    const aws = openUserAccessKeys({
      clients: await new ClientPool().of(connection, connections, "us-east-1"),
      connection: "test",
      userName: "ci-bot",
      region: "us-east-1",
      limits: { callSeconds: 60, lagSeconds: 0, verifySeconds: 0, verifySpacingSeconds: 0, rotationSeconds: 60 },
      clock: { now: () => new Date(), sleep: () => Promise.resolve() },
      rotationId: "rotation",
      jobId: "job",
      onlyLocalEndpoints: true,
    });
    await assert.rejects(aws.create(60), (error) => !isDefiniteRefusal(error));
    assert.equal(asked, 1);
  });
});
