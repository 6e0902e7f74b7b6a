// The AWS account as its administrator sees it, with the AWS SDK and without Pulumi.
import {
  CreateAccessKeyCommand,
  CreateUserCommand,
  DeleteAccessKeyCommand,
  IAMClient,
  ListAccessKeysCommand,
} from "@aws-sdk/client-iam";
import { GetCallerIdentityCommand, STSClient } from "@aws-sdk/client-sts";

export class Account {
  constructor(endpoint, userName) {
    this.settings = { endpoint, region: "us-east-1" };
    this.user = { UserName: userName };
    const credentials = { accessKeyId: "test", secretAccessKey: "test" };
    this.iam = new IAMClient({ ...this.settings, credentials });
  }

  async createUser() {
    await this.iam.send(new CreateUserCommand(this.user));
  }

  /** The user's access keys: id and status. */
  async keys() {
    const { AccessKeyMetadata: keys = [] } = await this.iam.send(new ListAccessKeysCommand(this.user));
    return Object.fromEntries(keys.map((key) => [key.AccessKeyId, key.Status]));
  }

  async createKey() {
    const { AccessKey } = await this.iam.send(new CreateAccessKeyCommand(this.user));
    return AccessKey.AccessKeyId;
  }

  async deleteKey(id) {
    await this.iam.send(new DeleteAccessKeyCommand({ ...this.user, AccessKeyId: id }));
  }

  /** The name of the user as whom AWS knows the holder of a key. */
  async whoIs(credentials) {
    const sts = new STSClient({ ...this.settings, credentials });
    const { Arn } = await sts.send(new GetCallerIdentityCommand({}));
    return Arn.split("/").at(-1);
  }
}
