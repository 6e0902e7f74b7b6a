import assert from "node:assert/strict";

import { rotationPolicyDocument, trustPolicyDocument } from "../../provider/src";
import { exportOf, FakeCli } from "../support/fakeCli";
import { factsOf, resourceOf } from "../support/reportScene";

const ARN = "arn:aws:iam::123456789012:user/ci-bot";
const ROLE = "arn:aws:iam::210987654321:role/deploy";

async function printed(cli: FakeCli, ...args: string[]): Promise<unknown> {
  const { code, out, err } = await cli.run("policy", ...args);
  assert.deepEqual([code, err], [0, ""]);
  return JSON.parse(out);
}

describe("pulumi-iam-rotation policy", () => {
  it("prints the policy for the users of the stacks' rotations", async () => {
    const cli = new FakeCli();
    cli.stacks.set("", exportOf([resourceOf("b", factsOf("other-bot", 1)), resourceOf("a", factsOf("ci-bot", 1))]));
    const userArns = [ARN, "arn:aws:iam::123456789012:user/other-bot"];
    assert.deepEqual(await printed(cli), rotationPolicyDocument({ userArns }));
    assert.deepEqual(cli.asked, ["stack export"]);
  });

  it("says whose user it left out, where state does not tell it", async () => {
    const cli = new FakeCli();
    const unreadable = { ...resourceOf("b", factsOf("other-bot", 1)), outputs: {} };
    cli.stacks.set("", exportOf([unreadable, resourceOf("a", factsOf("ci-bot", 1))]));
    const { code, out, err } = await cli.run("policy");
    assert.equal(code, 0);
    assert.deepEqual(JSON.parse(out), rotationPolicyDocument({ userArns: [ARN] }));
    assert.match(err, /^left out: the user of rotation b in stack \S+: state is not as this version writes it/);
  });

  it("prints it for users that are named, without reading any state", async () => {
    const cli = new FakeCli();
    assert.deepEqual(await printed(cli, "--user", ARN, "--json"), rotationPolicyDocument({ userArns: [ARN] }));
    const many = "arn:aws:iam::123456789012:user/bots/*";
    const wild = rotationPolicyDocument({ userArns: [ARN, many], allowWildcards: true });
    assert.deepEqual(await printed(cli, "-u", ARN, "-u", many, "--allow-wildcards"), wild);
    assert.deepEqual(cli.asked, []);
  });

  it("leaves out what is not wanted", async () => {
    const args = ["--user", ARN, "--no-tags", "--no-last-used", "--no-deactivation"];
    const least = { userArns: [ARN], tags: false, lastUsed: false, deactivation: false };
    assert.deepEqual(await printed(new FakeCli(), ...args), rotationPolicyDocument(least));
  });

  it("prints the trust policy of the role that has it", async () => {
    const trust = await printed(new FakeCli(), "--trust", ROLE, "--external-id", "rotation");
    assert.deepEqual(trust, trustPolicyDocument({ trustedArns: [ROLE], externalId: "rotation" }));
  });

  it("ends with 1 for what is no user's arn, where no user is in state, and for an external id alone", async () => {
    const cli = new FakeCli();
    cli.stacks.set("", exportOf([]));
    const fails = async (...args: string[]) => {
      const { code, out, err } = await cli.run("policy", ...args);
      assert.deepEqual([code, out], [1, ""]);
      return err;
    };
    assert.match(await fails("--user", ROLE), /must be the arn of an IAM user/);
    assert.match(await fails(), /no rotation is in this state.*\nNext: name the users with --user/);
    assert.match(await fails("--user", ARN, "--external-id", "x"), /--external-id is for a trust policy/);
  });
});
