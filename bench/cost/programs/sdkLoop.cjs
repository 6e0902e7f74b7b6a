// The bare calls of rotations with the AWS SDK, no Pulumi: what it gets on the standard input, what it took on the output.
const { performance } = require("node:perf_hooks");

const {
  CreateAccessKeyCommand,
  DeleteAccessKeyCommand,
  GetAccessKeyLastUsedCommand,
  GetUserCommand,
  IAMClient,
  ListAccessKeysCommand,
  TagUserCommand,
} = require("@aws-sdk/client-iam");
const { GetCallerIdentityCommand, STSClient } = require("@aws-sdk/client-sts");

/** `rounds`: the calls of one rotation; `parallel`: rotations at the same time; `inTurn`: no two calls of one at once. */
async function main({ users, rounds, parallel, inTurn }) {
  const iam = new IAMClient({});
  const sts = new STSClient({});
  const queue = [...users];
  const started = performance.now();
  await Promise.all(
    Array.from({ length: parallel }, async () => {
      for (let user = queue.shift(); user; user = queue.shift()) await rotate(user);
    }),
  );
  process.stdout.write(JSON.stringify({ seconds: (performance.now() - started) / 1_000 }));

  async function rotate({ userName, previous }) {
    const UserName = userName;
    let own;
    const calls = {
      "iam:GetUser": () => iam.send(new GetUserCommand({ UserName })),
      "iam:ListAccessKeys": () => iam.send(new ListAccessKeysCommand({ UserName })),
      "iam:GetAccessKeyLastUsed": () => iam.send(new GetAccessKeyLastUsedCommand({ AccessKeyId: previous })),
      "iam:TagUser": () => iam.send(new TagUserCommand({ UserName, Tags: [{ Key: "bench", Value: "1" }] })),
      "iam:DeleteAccessKey": () => iam.send(new DeleteAccessKeyCommand({ UserName, AccessKeyId: previous })),
      "iam:CreateAccessKey": async () => {
        const { AccessKey } = await iam.send(new CreateAccessKeyCommand({ UserName }));
        const { AccessKeyId: accessKeyId, SecretAccessKey: secretAccessKey } = AccessKey;
        own = new STSClient({ credentials: { accessKeyId, secretAccessKey } });
      },
      "sts:GetCallerIdentity": () => sts.send(new GetCallerIdentityCommand({})),
      "sts:GetCallerIdentity (new key)": () => own.send(new GetCallerIdentityCommand({})),
    };
    for (const round of inTurn ? rounds.flat().map((action) => [action]) : rounds) {
      await Promise.all(round.map((action) => calls[action]()));
    }
    own.destroy();
  }
}

let text = "";
process.stdin.setEncoding("utf8").on("data", (more) => (text += more));
process.stdin.on("end", () => void main(JSON.parse(text)));
