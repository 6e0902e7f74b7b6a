/** The parts of an arn: `arn:PARTITION:SERVICE:REGION:ACCOUNT:RESOURCE` (IAM user guide, "IAM ARNs"). */
export interface Arn {
  readonly partition: string;
  readonly service: string;
  readonly region: string;
  readonly account: string;
  /** All that follows; it may hold colons. */
  readonly resource: string;
}

// "aws", or "aws-" and a word or more: partitions are added, so they are not listed here.
const PARTITION = /^aws(-[a-z]+)*$/;

const PRINTABLE = /^[!-~]+$/;

/** An account id: 12 digits. */
export const ACCOUNT_ID = /^\d{12}$/;

// By the IAM user guide, "IAM and AWS STS quotas": a name is 1 to 64 letters, digits and `+=,.@_-`; a path is any
// printable ASCII, but `*`, `?` and `$` mean something else in a policy.
const PATH_AND_NAME = "([^*?$/]+/)*[\\w+=,.@-]{1,64}";

/** The resource of an IAM user's arn, with its path. */
export const USER_RESOURCE = new RegExp(`^user/${PATH_AND_NAME}$`);

/** The resource of an IAM role's arn, with its path. */
export const ROLE_RESOURCE = new RegExp(`^role/${PATH_AND_NAME}$`);

/** Takes an arn apart; undefined for what is none. Its resource is not looked at. */
export function parseArn(text: string): Arn | undefined {
  const [prefix, partition = "", service = "", region = "", account = "", ...resource] = text.split(":");
  if (!PRINTABLE.test(text) || prefix !== "arn" || !PARTITION.test(partition) || resource.length === 0)
    return undefined;
  return { partition, service, region, account, resource: resource.join(":") };
}

/** Whether a text is the arn of something in IAM that has this resource: in an account, and in no region. */
export function isIamArn(text: string, resource: RegExp): boolean {
  const arn = parseArn(text);
  return (
    arn !== undefined &&
    arn.service === "iam" &&
    arn.region === "" &&
    ACCOUNT_ID.test(arn.account) &&
    resource.test(arn.resource)
  );
}

/** The account in an arn; empty where there is none. */
export function accountIdOf(arn: string): string {
  return parseArn(arn)?.account ?? "";
}
