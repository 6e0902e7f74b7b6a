import { type PolicyDocument, rotationPolicyDocument, trustPolicyDocument } from "../../aws/policy";
import { InputError } from "../../rotation/errors";
import { EXIT, type ExitCode } from "../exitCodes";
import type { Io } from "../io";
import { findRotations, type SourceOptions } from "../sources";

/** The options of `policy`. */
export interface PolicyOptions extends SourceOptions {
  /** Arns of IAM users; without any, those of the stacks' rotations. */
  readonly user?: readonly string[];
  readonly allowWildcards?: boolean;
  readonly tags: boolean;
  readonly lastUsed: boolean;
  readonly deactivation: boolean;
  /** Who may assume the role: then its trust policy is printed. */
  readonly trust?: readonly string[];
  readonly externalId?: string;
}

/**
 * Prints the least that the credentials of a rotation must be allowed, or the trust policy of the role that has it.
 *
 * @throws InputError when there is no user, or an arn is not one.
 */
export async function policy(io: Io, options: PolicyOptions): Promise<ExitCode> {
  io.out(`${JSON.stringify(await documentOf(io, options), null, 2)}\n`);
  return EXIT.ok;
}

async function documentOf(io: Io, options: PolicyOptions): Promise<PolicyDocument> {
  const { user, trust, externalId, allowWildcards, tags, lastUsed, deactivation } = options;
  if (trust) return trustPolicyDocument({ trustedArns: trust, externalId });
  if (externalId !== undefined)
    throw new InputError({ what: "--external-id is for a trust policy: give --trust, too" });
  const userArns = user ?? (await usersOf(io, options));
  return rotationPolicyDocument({ userArns, allowWildcards, tags, lastUsed, deactivation });
}

async function usersOf(io: Io, options: SourceOptions): Promise<string[]> {
  const found = await findRotations(io, options);
  for (const { record } of found.filter(({ record: { facts } }) => !facts)) {
    io.err(`left out: the user of rotation ${record.rotation} in stack ${record.stack}: ${record.problem}\n`);
  }
  const arns = found.flatMap(({ record }) => (record.facts ? [record.facts.userArn] : []));
  if (arns.length > 0) return arns.sort();
  throw new InputError({
    what: "no rotation is in this state, so there is no user to allow anything on",
    next: "name the users with --user arn:PARTITION:iam::ACCOUNT:user/NAME",
  });
}
