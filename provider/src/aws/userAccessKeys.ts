import type { GetCallerIdentityCommandOutput, STSClient } from "@aws-sdk/client-sts";

import { awsCodeOf, ForbiddenError, InputError, NotFoundError, UnauthorizedError } from "../rotation/errors";
import type { AccessKey, Clock, Credential, Identity, Limits, UserAccessKeys } from "../rotation/ports";
import { accountIdOf } from "./arns";
import type { AwsClients } from "./clients";
import { awsError, isNotLive } from "./errors";

/** What the calls of one run on one user have in common. */
export interface AwsRun {
  readonly clients: AwsClients;
  /** The connection's name, for messages. */
  readonly connection: string;
  readonly userName: string;
  readonly region: string;
  readonly limits: Limits;
  readonly clock: Clock;
  /** The resource id and the run's job id: they stand in the user agent, so CloudTrail shows them. */
  readonly rotationId: string;
  readonly jobId: string;
  /** Refuse every endpoint that is not on this machine: `iam-rotation:asOf` is set, and the run would write. */
  readonly onlyLocalEndpoints: boolean;
}

// The parts of an SDK command and of its HTTP request that are touched here; the SDK's own types of them are generic
// over every command of a service.
interface HttpRequest {
  readonly hostname: string;
  readonly headers: Record<string, string>;
}
type Build = (
  next: (args: { request: unknown }) => Promise<unknown>,
) => (args: { request: unknown }) => Promise<unknown>;
type Deserialize = (
  next: (args: unknown) => Promise<{ response: unknown }>,
) => (args: unknown) => Promise<{ response: unknown }>;
interface Command {
  readonly middlewareStack: {
    add(build: never, options: { step: "build"; priority: "low"; name: string }): void;
    add(deserialize: never, options: { step: "deserialize"; priority: "low"; name: string }): void;
  };
}

/** What a call needs from IAM. The policy that a rotation runs under is made of these. */
export interface RotationAction {
  /** As it stands in a policy, for example `iam:CreateAccessKey`. */
  readonly name: string;
  /** What a policy may limit it to: the user's arn; or nothing, where AWS lets every caller do it. */
  readonly on: "user" | "nothing";
  /** Without which ability of a rotation it can be left out; every rotation needs it where it says "rotation". */
  readonly neededFor: "rotation" | "deactivation" | "lastUsed" | "tags";
}

/**
 * The action of each call. Resources by the Service Authorization Reference, "AWS Identity and Access Management
 * (IAM)": all of them take the user's arn, GetAccessKeyLastUsed by the owner of the key that it names. Of
 * GetCallerIdentity the STS API reference says that no permission is needed, and that a denial has no effect.
 */
export const ACTIONS = {
  user: { name: "iam:GetUser", on: "user", neededFor: "rotation" },
  list: { name: "iam:ListAccessKeys", on: "user", neededFor: "rotation" },
  create: { name: "iam:CreateAccessKey", on: "user", neededFor: "rotation" },
  deactivate: { name: "iam:UpdateAccessKey", on: "user", neededFor: "deactivation" },
  delete: { name: "iam:DeleteAccessKey", on: "user", neededFor: "rotation" },
  lastUse: { name: "iam:GetAccessKeyLastUsed", on: "user", neededFor: "lastUsed" },
  identify: { name: "sts:GetCallerIdentity", on: "nothing", neededFor: "rotation" },
  caller: { name: "sts:GetCallerIdentity", on: "nothing", neededFor: "rotation" },
  tag: { name: "iam:TagUser", on: "user", neededFor: "tags" },
  untag: { name: "iam:UntagUser", on: "user", neededFor: "tags" },
} as const satisfies Readonly<Record<Exclude<keyof UserAccessKeys, "skew">, RotationAction>>;

/** The IAM user's access keys over the AWS SDK. */
export function openUserAccessKeys(run: AwsRun): UserAccessKeys {
  const { clients, userName } = run;

  let skew = 0;

  async function call<C extends Command, Answer>(
    { name: action }: RotationAction,
    command: C,
    send: (command: C, options: { abortSignal: AbortSignal }) => Promise<Answer>,
    accessKeyId?: string,
    seconds = run.limits.callSeconds,
  ): Promise<Answer> {
    prepare(command, run, (date) => (skew = date - run.clock.now().getTime()));
    try {
      return await send(command, { abortSignal: AbortSignal.timeout(Math.max(0, Math.round(seconds * 1_000))) });
    } catch (cause) {
      throw awsError(cause, { action, userName, accessKeyId, connection: run.connection });
    }
  }

  const gone = <T>(cause: unknown, value: T): T => {
    if (cause instanceof NotFoundError) return value;
    throw cause;
  };

  return {
    async user() {
      const { GetUserCommand } = await import("@aws-sdk/client-iam");
      try {
        const { User } = await call(ACTIONS.user, new GetUserCommand({ UserName: userName }), (c, o) =>
          clients.iam.send(c, o),
        );
        const tags = (User?.Tags ?? []).map(({ Key, Value }) => [Key ?? "", Value ?? ""]);
        return { ...identity(User?.UserId, User?.Arn), tags: Object.fromEntries(tags) as Record<string, string> };
      } catch (cause) {
        return gone(cause, undefined);
      }
    },

    async list() {
      const { ListAccessKeysCommand } = await import("@aws-sdk/client-iam");
      const keys: AccessKey[] = [];
      let marker: string | undefined;
      try {
        do {
          const page = await call(
            ACTIONS.list,
            new ListAccessKeysCommand({ UserName: userName, ...(marker && { Marker: marker }) }),
            (c, o) => clients.iam.send(c, o),
          );
          for (const key of page.AccessKeyMetadata ?? []) {
            keys.push({
              accessKeyId: key.AccessKeyId ?? "",
              status: key.Status ?? "",
              createdAt: instant(key.CreateDate),
            });
          }
          marker = page.IsTruncated ? page.Marker : undefined;
        } while (marker);
      } catch (cause) {
        return gone(cause, undefined);
      }
      return keys;
    },

    async create(seconds) {
      const { CreateAccessKeyCommand } = await import("@aws-sdk/client-iam");
      const { AccessKey: key } = await call(
        ACTIONS.create,
        new CreateAccessKeyCommand({ UserName: userName }),
        (c, o) => clients.iamOnce.send(c, o),
        undefined,
        seconds,
      );
      return {
        accessKeyId: key?.AccessKeyId ?? "",
        secretAccessKey: key?.SecretAccessKey ?? "",
        createdAt: instant(key?.CreateDate),
      };
    },

    async deactivate(accessKeyId) {
      const { UpdateAccessKeyCommand } = await import("@aws-sdk/client-iam");
      const command = new UpdateAccessKeyCommand({ UserName: userName, AccessKeyId: accessKeyId, Status: "Inactive" });
      try {
        await call(ACTIONS.deactivate, command, (c, o) => clients.iam.send(c, o), accessKeyId);
        return true;
      } catch (cause) {
        return gone(cause, false);
      }
    },

    async delete(accessKeyId) {
      const { DeleteAccessKeyCommand } = await import("@aws-sdk/client-iam");
      const command = new DeleteAccessKeyCommand({ UserName: userName, AccessKeyId: accessKeyId });
      try {
        await call(ACTIONS.delete, command, (c, o) => clients.iam.send(c, o), accessKeyId);
        return true;
      } catch (cause) {
        return gone(cause, false);
      }
    },

    async lastUse(accessKeyId) {
      const { GetAccessKeyLastUsedCommand } = await import("@aws-sdk/client-iam");
      const { AccessKeyLastUsed: use } = await call(
        ACTIONS.lastUse,
        new GetAccessKeyLastUsedCommand({ AccessKeyId: accessKeyId }),
        (c, o) => clients.iam.send(c, o),
        accessKeyId,
      );
      if (!use?.LastUsedDate) return null;
      return { at: instant(use.LastUsedDate), service: use.ServiceName ?? "N/A", region: use.Region ?? "N/A" };
    },

    async identify(credential: Credential) {
      const { GetCallerIdentityCommand } = await import("@aws-sdk/client-sts");
      const client = await openVerificationClient(credential, run.region);
      try {
        const answer = await call(
          ACTIONS.identify,
          new GetCallerIdentityCommand({}),
          (c, o) => client.send(c, o),
          credential.accessKeyId,
        );
        return callerIdentity(answer);
      } catch (cause) {
        if (cause instanceof Error && isNotLive(cause.cause)) return undefined;
        throw cause;
      } finally {
        client.destroy();
      }
    },

    async caller() {
      const { GetCallerIdentityCommand } = await import("@aws-sdk/client-sts");
      const answer = await call(ACTIONS.caller, new GetCallerIdentityCommand({}), (c, o) =>
        clients.sts.send(c, o),
      ).catch((cause: unknown) => {
        if (!(cause instanceof UnauthorizedError) || !isNotLive(cause.cause)) throw cause;
        // STS says the same of good credentials in a region that the account has not enabled.
        throw new UnauthorizedError({
          ...cause.explanation,
          next: `if region ${run.region} is not enabled in this account: enable it, or give another parameters.region; else ${cause.explanation.next}`,
        });
      });
      // The SDK keeps them until they expire, so these are those that signed. A user's own session has the user's arn.
      const { sessionToken } = await clients.sts.config.credentials();
      return { ...callerIdentity(answer), isTemporary: sessionToken !== undefined };
    },

    async tag(tags) {
      const { TagUserCommand } = await import("@aws-sdk/client-iam");
      const Tags = Object.entries(tags).map(([Key, Value]) => ({ Key, Value }));
      try {
        await call(ACTIONS.tag, new TagUserCommand({ UserName: userName, Tags }), (c, o) => clients.iam.send(c, o));
        return true;
      } catch (cause) {
        if (cause instanceof ForbiddenError || awsCodeOf(cause)?.startsWith("LimitExceeded")) return false;
        throw cause;
      }
    },

    async untag(keys) {
      const { UntagUserCommand } = await import("@aws-sdk/client-iam");
      const command = new UntagUserCommand({ UserName: userName, TagKeys: [...keys] });
      try {
        await call(ACTIONS.untag, command, (c, o) => clients.iam.send(c, o));
        return true;
      } catch (cause) {
        if (cause instanceof ForbiddenError) return false;
        return gone(cause, true);
      }
    },

    skew: () => skew,
  };
}

/** An STS client that signs with the given key, on a connection of its own. The caller destroys it. */
async function openVerificationClient(credential: Credential, region: string): Promise<STSClient> {
  const { STSClient } = await import("@aws-sdk/client-sts");
  const { accessKeyId, secretAccessKey } = credential;
  // One attempt: a pass must be one answer of AWS, and the verification has its own pace.
  return new STSClient({ region, credentials: { accessKeyId, secretAccessKey }, maxAttempts: 1 });
}

/** Puts rotation and job id into the user agent, holds `asOf` to endpoints on this machine, and reads AWS's clock. */
function prepare(command: Command, run: AwsRun, onDate: (date: number) => void): void {
  const build: Build = (next) => (args) => {
    const request = args.request as HttpRequest;
    if (run.onlyLocalEndpoints && !isLocal(request.hostname)) {
      throw new InputError({
        what: `iam-rotation:asOf is set, and the AWS endpoint ${request.hostname} is not on this machine: a key would be made or retired on a day that is not today`,
        now: "nothing was changed",
        next: "`pulumi config rm iam-rotation:asOf`; `pulumi preview` may use it, `pulumi up` only against an emulator",
      });
    }
    const agent = request.headers["user-agent"] ?? "";
    request.headers["user-agent"] = `${agent} pulumi-iam-rotation rotation/${run.rotationId} job/${run.jobId}`.trim();
    return next(args);
  };
  // Innermost, so that it sees the answer of every attempt, a refusal too.
  const deserialize: Deserialize = (next) => async (args) => {
    const result = await next(args);
    const date = Date.parse((result.response as { headers?: Record<string, string> }).headers?.["date"] ?? "");
    if (!Number.isNaN(date)) onDate(date);
    return result;
  };
  command.middlewareStack.add(build as never, { step: "build", priority: "low", name: "iamRotationRun" });
  command.middlewareStack.add(deserialize as never, { step: "deserialize", priority: "low", name: "iamRotationClock" });
}

function isLocal(hostname: string): boolean {
  return /^(localhost|.*\.localhost|127(\.\d+){3}|\[?::1\]?)$/i.test(hostname);
}

function callerIdentity(answer: GetCallerIdentityCommandOutput): Identity {
  return { userId: answer.UserId ?? "", arn: answer.Arn ?? "", accountId: answer.Account ?? "" };
}

function identity(userId: string | undefined, arn: string | undefined): Identity {
  return { userId: userId ?? "", arn: arn ?? "", accountId: accountIdOf(arn ?? "") };
}

const instant = (date: Date | undefined) => (date ?? new Date(0)).toISOString();
