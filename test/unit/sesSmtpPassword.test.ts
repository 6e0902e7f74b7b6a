import assert from "node:assert/strict";
import { createHmac } from "node:crypto";

import fc from "fast-check";

import { sesSmtpPassword } from "../../provider/src/aws/sesSmtpPassword";
import { API_REGIONS } from "../support/apiPage";
import { FakeStack, program } from "../support/fakeStack";

// The pair of AWS's documentation; the password is the one that AWS's own SDK for PHP has in its test.
const EXAMPLE_SECRET = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY";
const EXAMPLE_PASSWORD = "BMPPgbAHoFVbze1Ud0oA5uNdXRwUXUZ+qOwphGJbl/cS";

describe("The SES SMTP password", () => {
  it("is the one that AWS's SDK for PHP makes of the documentation's example", () => {
    assert.equal(sesSmtpPassword(EXAMPLE_SECRET, "us-east-2"), EXAMPLE_PASSWORD);
  });

  it("is a version byte and a signature, step by step as the documentation has it, for any secret and region", () => {
    const hmac = (key: Buffer, text: string) => createHmac("sha256", key).update(text, "utf8").digest();
    fc.assert(
      fc.property(fc.string({ minLength: 1 }), fc.constantFrom(...API_REGIONS), (secret, region) => {
        const date = hmac(Buffer.from(`AWS4${secret}`, "utf8"), "11111111");
        const terminal = hmac(hmac(hmac(date, region), "ses"), "aws4_request");
        const bytes = Buffer.from(sesSmtpPassword(secret, region), "base64");
        assert.equal(bytes[0], 4);
        assert.ok(bytes.subarray(1).equals(hmac(terminal, "SendRawEmail")));
      }),
    );
  });

  it("is made of the current secret for parameters.region, anew with each rotation", async () => {
    const stack = new FakeStack();
    const given = program({ parameters: { userName: "ci-bot", region: "eu-west-1" } });
    await stack.up(given);
    const first = stack.state.sesSmtpPassword;
    assert.equal(first, sesSmtpPassword(stack.aws.key("AKIA0001").secretAccessKey, "eu-west-1"));
    stack.clock.advance({ days: 31 });
    await stack.up(given);
    assert.equal(stack.state.sesSmtpPassword, sesSmtpPassword(stack.aws.key("AKIA0002").secretAccessKey, "eu-west-1"));
    assert.notEqual(stack.state.sesSmtpPassword, first);
  });

  it("is null where parameters.region is left out, and there again once it is given", async () => {
    const stack = new FakeStack();
    await stack.up(program({ parameters: { userName: "ci-bot" } }));
    assert.equal(stack.state.sesSmtpPassword, null);
    await stack.up(program());
    assert.equal(stack.state.sesSmtpPassword, sesSmtpPassword(stack.aws.key("AKIA0001").secretAccessKey, "us-east-1"));
  });
});
