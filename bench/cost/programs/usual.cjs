// What is written by hand after Pulumi's guide to dynamic providers: the code travels in the state, a date forces the
// update, the SDK is loaded inside the methods (it cannot be serialized). No verification, no safety.
const pulumi = require("@pulumi/pulumi");

const { names, rotateOn, inFull } = require("./rotation.json").args;

const accessKeys = {
  async diff(_id, olds, news) {
    return { changes: olds.rotateOn !== news.rotateOn || olds.userName !== news.userName };
  },

  async create(inputs) {
    const { CreateAccessKeyCommand, IAMClient } = require("@aws-sdk/client-iam");
    const client = new IAMClient({});
    const { AccessKey } = await client.send(new CreateAccessKeyCommand({ UserName: inputs.userName }));
    const { AccessKeyId: accessKeyId, SecretAccessKey: secretAccessKey } = AccessKey;
    return { id: inputs.userName, outs: { ...inputs, accessKeyId, secretAccessKey } };
  },

  async update(_id, olds, news) {
    const { CreateAccessKeyCommand, DeleteAccessKeyCommand, IAMClient } = require("@aws-sdk/client-iam");
    const client = new IAMClient({});
    const { AccessKey } = await client.send(new CreateAccessKeyCommand({ UserName: news.userName }));
    await client.send(new DeleteAccessKeyCommand({ UserName: olds.userName, AccessKeyId: olds.accessKeyId }));
    return { outs: { ...news, accessKeyId: AccessKey.AccessKeyId, secretAccessKey: AccessKey.SecretAccessKey } };
  },

  async delete(_id, olds) {
    const { DeleteAccessKeyCommand, IAMClient } = require("@aws-sdk/client-iam");
    const client = new IAMClient({});
    await client.send(new DeleteAccessKeyCommand({ UserName: olds.userName, AccessKeyId: olds.accessKeyId }));
  },
};

class IamAccessKey extends pulumi.dynamic.Resource {
  constructor(name, args, opts) {
    super(accessKeys, name, { accessKeyId: undefined, secretAccessKey: undefined, ...args }, opts);
  }
}

// `inFull`: it carries as much as ours, to be compared like with like.
for (const userName of names) {
  const own = inFull ? inputsAndOutputs(userName) : {};
  const additionalSecretOutputs = [...(inFull?.secretOutputs ?? ["secretAccessKey"])];
  new IamAccessKey(userName, { ...own, userName, rotateOn }, { additionalSecretOutputs });
}

function inputsAndOutputs(userName) {
  const outputs = Object.fromEntries(inFull.outputNames.map((output) => [output, undefined]));
  return { ...outputs, ...JSON.parse(JSON.stringify(inFull.inputs).replaceAll(inFull.template, userName)) };
}
