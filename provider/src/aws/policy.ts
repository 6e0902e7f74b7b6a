import { InputError } from "../rotation/errors";
import { LEDGER_TAG, OWNER_TAG } from "../rotation/ledger";
import { ACCOUNT_ID, isIamArn, parseArn, ROLE_RESOURCE, USER_RESOURCE } from "./arns";
import { ACTIONS, type RotationAction } from "./userAccessKeys";

/**
 * An IAM policy document as plain data: `@pulumi/aws` takes it as it is, AWS and the AWS CLI as JSON. Its arrays may be
 * changed, because the types of `@pulumi/aws` take no others.
 */
export interface PolicyDocument {
  readonly Version: "2012-10-17";
  readonly Statement: PolicyStatement[];
}

/** One statement of a policy document. */
export interface PolicyStatement {
  readonly Sid: string;
  readonly Effect: "Allow";
  /** In a trust policy: who may assume the role. */
  readonly Principal?: { readonly AWS: string[] };
  readonly Action: string[];
  /** In an identity policy: the users' arns. */
  readonly Resource?: string[];
  readonly Condition?: Readonly<Record<string, Readonly<Record<string, string | string[]>>>>;
}

/** Whose keys are rotated, and what may be left out. */
export interface RotationPolicyOptions {
  /**
   * The arns of the IAM users, with their paths and in their partition:
   * `arn:PARTITION:iam::ACCOUNT:user/PATH/NAME`. At least one.
   */
  readonly userArns: readonly string[];
  /**
   * Whether `*` and `?` may stand in the path and the name of an arn, for many users at once.
   *
   * @default false
   */
  readonly allowWildcards?: boolean | undefined;
  /**
   * iam:TagUser and iam:UntagUser, for the rotation's own two tags only. Without them a rotation works, says so in
   * `lastRotationMessage`, and the key of a killed run must be deleted by hand.
   *
   * @default true
   */
  readonly tags?: boolean | undefined;
  /**
   * iam:GetAccessKeyLastUsed. Without it a previous key counts as in use for ever: it is not retired, and a rotation that
   * needs its slot is refused, unless `previousKey.whenInUse` is `"retire"`.
   *
   * @default true
   */
  readonly lastUsed?: boolean | undefined;
  /**
   * iam:UpdateAccessKey. Without it `previousKey.deactivateAfterHours` cannot be given.
   *
   * @default true
   */
  readonly deactivation?: boolean | undefined;
}

/** Who may assume a role. */
export interface TrustPolicyOptions {
  /** The arns of roles, users or whole accounts (`arn:PARTITION:iam::ACCOUNT:root`, or the account's 12 digits). At least one. */
  readonly trustedArns: readonly string[];
  /**
   * What a caller must give as external id; `externalId` of the connection. 2 to 1,224 letters, digits and `+=,.@:/-_`.
   *
   * @default none is asked for
   */
  readonly externalId?: string | undefined;
}

// Wildcards in the path and the name; "/" ends no part of a pattern, as "*" matches it, too (IAM user guide, "Resource").
const USERS_RESOURCE = /^user\/([^$/]+\/)*[\w+=,.@*?-]{1,64}$/;

const SESSION_RESOURCE = /^assumed-role\/[\w+=,.@-]{1,64}\/[\w+=,.@-]{2,64}$/;

/** The external ids that STS takes (API reference, AssumeRole). */
export const EXTERNAL_ID = /^[\w+=,.@:/-]{2,1224}$/;

/** What is said of another one. */
export const EXTERNAL_ID_RULE = "must be 2 to 1,224 letters, digits and +=,.@:/-_";

/**
 * The least that the credentials of a rotation must be allowed, as an IAM policy. It is made of the calls themselves
 * ({@link ACTIONS}), each limited to the users. sts:GetCallerIdentity is not in it: AWS lets everybody call it.
 *
 * @returns A new document for each call. A managed policy takes 6,144 characters, which is some dozens of users.
 * @throws InputError when an arn is not that of an IAM user.
 */
export function rotationPolicyDocument(options: RotationPolicyOptions): PolicyDocument {
  const Resource = listOf("userArns", options.userArns, (arn) => userArnFailure(arn, options.allowWildcards ?? false));
  const abilities: readonly RotationAction["neededFor"][] = [
    "rotation",
    ...((options.deactivation ?? true) ? (["deactivation"] as const) : []),
    ...((options.lastUsed ?? true) ? (["lastUsed"] as const) : []),
  ];
  const statements: PolicyStatement[] = [
    { Sid: "RotateAccessKeys", Effect: "Allow", Action: actionsFor(abilities), Resource },
  ];
  if (options.tags ?? true) {
    statements.push({
      Sid: "WriteRotationTags",
      Effect: "Allow",
      Action: actionsFor(["tags"]),
      Resource: [...Resource],
      // Tags can grant rights (aws:PrincipalTag), so no other may be written.
      Condition: {
        "ForAllValues:StringEquals": { "aws:TagKeys": [LEDGER_TAG, OWNER_TAG] },
        // A request without tag keys would pass ForAllValues (IAM user guide, "Multivalued context keys").
        Null: { "aws:TagKeys": "false" },
      },
    });
  }
  return { Version: "2012-10-17", Statement: statements };
}

/**
 * The trust policy of a role that a connection of method `assume-role` assumes.
 *
 * @throws InputError when an arn or the external id is not one.
 */
export function trustPolicyDocument(options: TrustPolicyOptions): PolicyDocument {
  const trusted = listOf("trustedArns", options.trustedArns, principalFailure);
  const { externalId } = options;
  if (externalId !== undefined && !EXTERNAL_ID.test(externalId)) {
    throw refused(`externalId: ${EXTERNAL_ID_RULE}`);
  }
  return {
    Version: "2012-10-17",
    Statement: [
      {
        Sid: "AssumeForRotation",
        Effect: "Allow",
        Principal: { AWS: trusted },
        Action: ["sts:AssumeRole"],
        ...(externalId !== undefined && { Condition: { StringEquals: { "sts:ExternalId": externalId } } }),
      },
    ],
  };
}

function actionsFor(abilities: readonly RotationAction["neededFor"][]): string[] {
  return Object.values<RotationAction>(ACTIONS)
    .filter(({ on, neededFor }) => on === "user" && abilities.includes(neededFor))
    .map(({ name }) => name);
}

/** The list without doubles. Arns are no secrets: a refusal shows the wrong one. */
function listOf(name: string, given: readonly string[], failureOf: (value: string) => string | undefined): string[] {
  if (given.length === 0) throw refused(`${name}: must have at least one arn`);
  const failures = given.flatMap((value, index) => {
    const failure = failureOf(value);
    return failure ? [`${name}[${index}]: ${JSON.stringify(value)} ${failure}`] : [];
  });
  if (failures.length > 0) throw refused(failures.join("\n"));
  return [...new Set(given)];
}

function userArnFailure(arn: string, allowWildcards: boolean): string | undefined {
  if (isIamArn(arn, USER_RESOURCE)) return undefined;
  if (!isIamArn(arn, USERS_RESOURCE)) {
    return "must be the arn of an IAM user, arn:PARTITION:iam::ACCOUNT:user/PATH/NAME, its account 12 digits";
  }
  return allowWildcards ? undefined : "has a wildcard: allow it on purpose, with allowWildcards";
}

function principalFailure(value: string): string | undefined {
  const arn = parseArn(value);
  const isSession = arn?.service === "sts" && ACCOUNT_ID.test(arn.account) && SESSION_RESOURCE.test(arn.resource);
  const isKnown = [/^root$/, USER_RESOURCE, ROLE_RESOURCE].some((resource) => isIamArn(value, resource));
  if (isSession || isKnown || ACCOUNT_ID.test(value)) return undefined;
  return "must be the arn of a role, a user, a session or an account's root, or an account's 12 digits";
}

function refused(what: string): InputError {
  return new InputError({ what });
}
