import {
  CreateAccessKeyCommand,
  CreateUserCommand,
  DeleteAccessKeyCommand,
  DeleteUserCommand,
  DeleteUserPolicyCommand,
  GetUserCommand,
  GetUserPolicyCommand,
  IAMClient,
  PutUserPolicyCommand,
  TagUserCommand,
  UntagUserCommand,
} from "@aws-sdk/client-iam";
import {
  CreateSecretCommand,
  DeleteSecretCommand,
  DescribeSecretCommand,
  GetSecretValueCommand,
  PutSecretValueCommand,
  SecretsManagerClient,
  UpdateSecretCommand,
} from "@aws-sdk/client-secrets-manager";

import { DeleteParameterCommand, GetParameterCommand, PutParameterCommand, SSMClient } from "@aws-sdk/client-ssm";

import type { ResourceType } from "./resourceType";

const iam = new IAMClient({});
const secretsManager = new SecretsManagerClient({});
const ssm = new SSMClient({});

/** Type `aws.iam.User`: its tags are what AWS has, so a refresh sees those that others have set. */
export const user: ResourceType = {
  inputs: ["name", "tags"],
  replaceOn: ["name"],
  named: true,
  async create({ name, tags }) {
    const Tags = Object.entries((tags ?? {}) as Record<string, string>).map(([Key, Value]) => ({ Key, Value }));
    const { User } = await iam.send(new CreateUserCommand({ UserName: String(name), Tags }));
    return { id: String(name), outs: { name, tags, arn: User?.Arn, uniqueId: User?.UserId } };
  },
  read: (id) =>
    unlessGone(async () => {
      const { User } = await iam.send(new GetUserCommand({ UserName: id }));
      const tags = Object.fromEntries((User?.Tags ?? []).map(({ Key, Value }) => [Key, Value]));
      return { name: id, tags, arn: User?.Arn, uniqueId: User?.UserId };
    }),
  async update(id, { tags }, state) {
    const [before, after] = [(state["tags"] ?? {}) as Record<string, string>, (tags ?? {}) as Record<string, string>];
    const gone = Object.keys(before).filter((key) => !(key in after));
    if (gone.length > 0) await iam.send(new UntagUserCommand({ UserName: id, TagKeys: gone }));
    const Tags = Object.entries(after).map(([Key, Value]) => ({ Key, Value }));
    if (Tags.length > 0) await iam.send(new TagUserCommand({ UserName: id, Tags }));
    return { ...state, tags };
  },
  delete: async (id) => void (await unlessGone(() => iam.send(new DeleteUserCommand({ UserName: id })))),
};

/** Type `aws.iam.AccessKey`. */
export const accessKey: ResourceType = {
  inputs: ["user"],
  replaceOn: ["user"],
  named: false,
  async create({ user: userName }) {
    const { AccessKey } = await iam.send(new CreateAccessKeyCommand({ UserName: String(userName) }));
    return { id: AccessKey?.AccessKeyId ?? "", outs: { user: userName, secret: AccessKey?.SecretAccessKey } };
  },
  // AWS gives the secret once.
  read: (_id, state) => Promise.resolve(state),
  delete: async (id, { user: userName }) =>
    void (await unlessGone(() =>
      iam.send(new DeleteAccessKeyCommand({ UserName: String(userName), AccessKeyId: id })),
    )),
};

/** Type `aws.iam.UserPolicy`. */
export const userPolicy: ResourceType = {
  inputs: ["name", "user", "policy"],
  replaceOn: ["name", "user"],
  named: true,
  async create(inputs) {
    await putUserPolicy(inputs);
    return { id: `${String(inputs["user"])}:${String(inputs["name"])}`, outs: inputs };
  },
  read: (_id, state) =>
    unlessGone(async () => {
      await iam.send(new GetUserPolicyCommand(policyOf(state)));
      return state;
    }),
  async update(_id, inputs) {
    await putUserPolicy(inputs);
    return inputs;
  },
  delete: async (_id, state) => void (await unlessGone(() => iam.send(new DeleteUserPolicyCommand(policyOf(state))))),
};

function policyOf({ user: userName, name }: Record<string, unknown>) {
  return { UserName: String(userName), PolicyName: String(name) };
}

async function putUserPolicy(inputs: Record<string, unknown>): Promise<void> {
  const { policy } = inputs;
  const PolicyDocument = typeof policy === "string" ? policy : JSON.stringify(policy);
  await iam.send(new PutUserPolicyCommand({ ...policyOf(inputs), PolicyDocument }));
}

/** Type `aws.secretsmanager.Secret`. */
export const secret: ResourceType = {
  inputs: ["name", "description"],
  replaceOn: ["name"],
  named: true,
  async create({ name, description }) {
    const { ARN } = await secretsManager.send(
      new CreateSecretCommand({
        Name: String(name),
        ...(description !== undefined && { Description: String(description) }),
      }),
    );
    return { id: ARN ?? "", outs: { name, description, arn: ARN } };
  },
  read: (id) =>
    unlessGone(async () => {
      const { Name, Description, ARN } = await secretsManager.send(new DescribeSecretCommand({ SecretId: id }));
      return { name: Name, description: Description, arn: ARN };
    }),
  async update(id, { description }, state) {
    await secretsManager.send(new UpdateSecretCommand({ SecretId: id, Description: String(description ?? "") }));
    return { ...state, description };
  },
  delete: async (id) =>
    void (await unlessGone(() =>
      secretsManager.send(new DeleteSecretCommand({ SecretId: id, ForceDeleteWithoutRecovery: true })),
    )),
};

/** Type `aws.secretsmanager.SecretVersion`: as in AWS, another value is another version, and the old one stays behind. */
export const secretVersion: ResourceType = {
  inputs: ["secretId", "secretString"],
  replaceOn: ["secretId", "secretString"],
  named: false,
  async create({ secretId, secretString }) {
    const { ARN, VersionId } = await secretsManager.send(
      new PutSecretValueCommand({ SecretId: String(secretId), SecretString: String(secretString) }),
    );
    return {
      id: `${String(secretId)}|${VersionId}`,
      outs: { secretId, secretString, arn: ARN, versionId: VersionId },
    };
  },
  read: (_id, state) =>
    unlessGone(async () => {
      const { SecretString } = await secretsManager.send(
        new GetSecretValueCommand({ SecretId: String(state["secretId"]), VersionId: String(state["versionId"]) }),
      );
      return { ...state, secretString: SecretString };
    }),
  // Versions go with their secret.
  delete: () => Promise.resolve(),
};

/** Type `aws.ssm.Parameter`: a changed value is written over the old one. */
export const parameter: ResourceType = {
  inputs: ["name", "type", "value"],
  replaceOn: ["name"],
  named: true,
  async create(inputs) {
    await putParameter(inputs, false);
    return { id: String(inputs["name"]), outs: inputs };
  },
  read: (id, state) =>
    unlessGone(async () => {
      const { Parameter } = await ssm.send(new GetParameterCommand({ Name: id, WithDecryption: true }));
      return { ...state, type: Parameter?.Type, value: Parameter?.Value };
    }),
  async update(_id, inputs) {
    await putParameter(inputs, true);
    return inputs;
  },
  delete: async (id) => void (await unlessGone(() => ssm.send(new DeleteParameterCommand({ Name: id })))),
};

async function putParameter({ name, type, value }: Record<string, unknown>, Overwrite: boolean): Promise<void> {
  const Type = type === "SecureString" ? "SecureString" : "String";
  await ssm.send(new PutParameterCommand({ Name: String(name), Type, Value: String(value), Overwrite }));
}

const GONE = new Set(["NoSuchEntityException", "ResourceNotFoundException", "ParameterNotFound"]);

async function unlessGone<T>(call: () => Promise<T>): Promise<T | undefined> {
  try {
    return await call();
  } catch (error) {
    if (error instanceof Error && GONE.has(error.name)) return undefined;
    throw error;
  }
}
