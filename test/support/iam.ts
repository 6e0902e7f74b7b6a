import {
  AttachUserPolicyCommand,
  CreateAccessKeyCommand,
  CreatePolicyCommand,
  CreateRoleCommand,
  CreateUserCommand,
  DeleteAccessKeyCommand,
  DeleteUserCommand,
  GetUserCommand,
  IAMClient,
  ListAccessKeysCommand,
  NoSuchEntityException,
  PutRolePolicyCommand,
  PutUserPolicyCommand,
  TagUserCommand,
  UpdateAccessKeyCommand,
} from "@aws-sdk/client-iam";
import { AssumeRoleCommand, GetCallerIdentityCommand, STSClient } from "@aws-sdk/client-sts";

const REGION = "us-east-1";

/** A key with its secret. */
export interface Credential {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
}

/** A person with a client of their own: looks at the account, and does in it what people do, past the provider. */
export class Iam {
  private readonly client: IAMClient;

  /** @param signedBy Who signs; any pair will do until moto checks signatures. */
  constructor(
    private readonly endpoint: string,
    signedBy: Credential = { accessKeyId: "test", secretAccessKey: "test" },
  ) {
    this.client = new IAMClient({ endpoint, region: REGION, credentials: { ...signedBy } });
  }

  /** Makes a user. */
  async createUser(userName: string): Promise<void> {
    await this.client.send(new CreateUserCommand({ UserName: userName }));
  }

  /** Makes a user that may do everything, with a key. */
  async createAdministrator(userName: string): Promise<Credential> {
    await this.createUser(userName);
    const { Policy } = await this.client.send(
      new CreatePolicyCommand({
        PolicyName: userName,
        PolicyDocument: JSON.stringify({
          Version: "2012-10-17",
          Statement: [{ Effect: "Allow", Action: "*", Resource: "*" }],
        }),
      }),
    );
    await this.client.send(new AttachUserPolicyCommand({ UserName: userName, PolicyArn: Policy?.Arn }));
    return this.addKey(userName);
  }

  /** Gives a user the rights of a policy, in place of the ones that it was given so before. */
  async allow(userName: string, document: object): Promise<void> {
    const PolicyDocument = JSON.stringify(document);
    await this.client.send(new PutUserPolicyCommand({ UserName: userName, PolicyName: "rights", PolicyDocument }));
  }

  /**
   * Makes a role.
   *
   * @returns Its arn.
   */
  async createRole(roleName: string, trustPolicy: object, document: object): Promise<string> {
    const { Role } = await this.client.send(
      new CreateRoleCommand({ RoleName: roleName, AssumeRolePolicyDocument: JSON.stringify(trustPolicy) }),
    );
    const PolicyDocument = JSON.stringify(document);
    await this.client.send(new PutRolePolicyCommand({ RoleName: roleName, PolicyName: "rights", PolicyDocument }));
    return Role?.Arn ?? "";
  }

  /** Deletes a user and, as IAM asks, its keys before it. */
  async deleteUser(userName: string): Promise<void> {
    for (const { accessKeyId } of await this.keys(userName)) await this.deleteKey(userName, accessKeyId);
    await this.client.send(new DeleteUserCommand({ UserName: userName }));
  }

  /** The user's keys, as IAM lists them. */
  async keys(userName: string): Promise<{ accessKeyId: string; status: string }[]> {
    const { AccessKeyMetadata = [] } = await this.client.send(new ListAccessKeysCommand({ UserName: userName }));
    return AccessKeyMetadata.map(({ AccessKeyId = "", Status = "" }) => ({ accessKeyId: AccessKeyId, status: Status }));
  }

  /** The ids of the user's keys. */
  async keyIds(userName: string): Promise<string[]> {
    return (await this.keys(userName)).map((key) => key.accessKeyId);
  }

  /** Makes a key that no rotation knows. */
  async addKey(userName: string): Promise<Credential> {
    const { AccessKey } = await this.client.send(new CreateAccessKeyCommand({ UserName: userName }));
    return { accessKeyId: AccessKey?.AccessKeyId ?? "", secretAccessKey: AccessKey?.SecretAccessKey ?? "" };
  }

  async deleteKey(userName: string, accessKeyId: string): Promise<void> {
    await this.client.send(new DeleteAccessKeyCommand({ UserName: userName, AccessKeyId: accessKeyId }));
  }

  async disableKey(userName: string, accessKeyId: string): Promise<void> {
    await this.client.send(
      new UpdateAccessKeyCommand({ UserName: userName, AccessKeyId: accessKeyId, Status: "Inactive" }),
    );
  }

  /** The user's tags; undefined when there is no such user. */
  async tags(userName: string): Promise<Record<string, string> | undefined> {
    try {
      const { User } = await this.client.send(new GetUserCommand({ UserName: userName }));
      return Object.fromEntries((User?.Tags ?? []).map(({ Key = "", Value = "" }) => [Key, Value]));
    } catch (error) {
      if (error instanceof NoSuchEntityException) return undefined;
      throw error;
    }
  }

  /** Adds tags to the user. */
  async tag(userName: string, tags: Readonly<Record<string, string>>): Promise<void> {
    const Tags = Object.entries(tags).map(([Key, Value]) => ({ Key, Value }));
    await this.client.send(new TagUserCommand({ UserName: userName, Tags }));
  }

  /**
   * Signs a call with a key, as its consumers do; IAM notes the use. In another region than the rotations' by default:
   * in theirs, right after a verification, it would pass for that.
   *
   * @returns The arn that answers.
   */
  async use(credential: Credential, region = "eu-west-1"): Promise<string> {
    const sts = new STSClient({ endpoint: this.endpoint, region, credentials: { ...credential } });
    try {
      const { Arn = "" } = await sts.send(new GetCallerIdentityCommand({}));
      return Arn;
    } finally {
      sts.destroy();
    }
  }

  /** Whether a key answers for a user. moto lets Inactive keys sign, so that is asked too. */
  async keyWorks(userName: string, credential: Credential): Promise<boolean> {
    const listed = (await this.keys(userName)).find((key) => key.accessKeyId === credential.accessKeyId);
    return listed?.status === "Active" && (await this.use(credential)).endsWith(`:user/${userName}`);
  }

  stop(): void {
    this.client.destroy();
  }
}

/** What somebody in the account of a role signs with. */
export async function assumed(endpoint: string, roleArn: string): Promise<Credential> {
  const credentials = { accessKeyId: "test", secretAccessKey: "test" };
  const sts = new STSClient({ endpoint, region: REGION, credentials });
  const { Credentials } = await sts.send(new AssumeRoleCommand({ RoleArn: roleArn, RoleSessionName: "a-person" }));
  sts.destroy();
  return { accessKeyId: Credentials?.AccessKeyId ?? "", secretAccessKey: Credentials?.SecretAccessKey ?? "" };
}
