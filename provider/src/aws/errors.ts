import {
  ConflictError,
  type Explanation,
  ForbiddenError,
  InternalError,
  NotFoundError,
  RotationError,
  UnauthorizedError,
} from "../rotation/errors";

/** One call to AWS, for the message of its failure. */
export interface AwsCall {
  /** The IAM action, for example `iam:CreateAccessKey`. */
  readonly action: string;
  readonly userName: string;
  readonly accessKeyId?: string | undefined;
  /** The connection's name. */
  readonly connection: string;
}

// AWS's error codes by what they mean (IAM and STS API references, "Common errors", and the SDK's own error names).
const UNAUTHORIZED = new Set([
  "CredentialsProviderError",
  "TokenProviderError",
  "ExpiredToken",
  "ExpiredTokenException",
  "IncompleteSignature",
  "InvalidAccessKeyId",
  "InvalidClientTokenId",
  "MissingAuthenticationToken",
  "RequestExpired",
  "SignatureDoesNotMatch",
  "UnrecognizedClientException",
]);
const FORBIDDEN = new Set([
  "AccessDenied",
  "AccessDeniedException",
  "NotAuthorized",
  "OptInRequired",
  "UnauthorizedOperation",
]);
const NOT_FOUND = new Set(["NoSuchEntity", "NoSuchEntityException"]);
const CONFLICT = new Set([
  "ConcurrentModification",
  "ConcurrentModificationException",
  "DeleteConflict",
  "DeleteConflictException",
  "EntityTemporarilyUnmodifiable",
  "EntityTemporarilyUnmodifiableException",
  "InvalidInput",
  "InvalidInputException",
  "LimitExceeded",
  "LimitExceededException",
  "ValidationError",
]);
const TIMEOUT = new Set(["AbortError", "TimeoutError", "RequestTimeout"]);
const NOT_LIVE = new Set(["InvalidClientTokenId", "InvalidAccessKeyId", "UnrecognizedClientException"]);

/** AWS's error code, or the SDK's name of the error. */
export function codeOf(cause: unknown): string {
  return cause instanceof Error ? cause.name : "UnknownError";
}

/** AWS does not know the key that signed: not yet, or not any more. */
export function isNotLive(cause: unknown): boolean {
  return NOT_LIVE.has(codeOf(cause));
}

/** Turns what the SDK threw into one of our errors: which call, which user, which key, what AWS said, its request id. */
export function awsError(cause: unknown, call: AwsCall): RotationError {
  if (cause instanceof RotationError) return cause;
  const code = codeOf(cause);
  const requestId = requestIdOf(cause);
  const key = call.accessKeyId ? ` (access key ${call.accessKeyId})` : "";
  const said = cause instanceof Error && cause.message ? `${code}: ${cause.message}` : code;
  const explain = (next: string | undefined): Explanation => ({
    what: `${call.action} for IAM user ${call.userName}${key} failed over connection "${call.connection}": ${said}${requestId ? ` (request id ${requestId})` : ""}`,
    next,
    details: { ...call, code, isDefinite: isDefinite(cause), ...(requestId && { requestId }) },
    cause,
  });
  if (UNAUTHORIZED.has(code)) {
    return new UnauthorizedError(
      explain(`renew or correct the credentials of connection "${call.connection}", then run \`pulumi up\` again`),
    );
  }
  if (FORBIDDEN.has(code)) {
    return new ForbiddenError(
      explain(
        `allow ${call.action} on the user to the credentials of connection "${call.connection}", then run \`pulumi up\` again`,
      ),
    );
  }
  if (NOT_FOUND.has(code)) {
    return new NotFoundError(
      explain(
        `check parameters.userName and the account of connection "${call.connection}", then run \`pulumi up\` again`,
      ),
    );
  }
  if (CONFLICT.has(code)) return new ConflictError(explain(undefined));
  if (TIMEOUT.has(code)) {
    return new InternalError(
      explain("run `pulumi up` again; iam-rotation:limits.callSeconds gives each call more time"),
    );
  }
  return new InternalError(explain("run `pulumi up` again"));
}

/** How a connection came to its credentials, for the message of a failure. */
export interface CredentialSource {
  /** The connection's name. */
  readonly connection: string;
  /** The connections that assume roles with these credentials, the outermost first; empty as a rule. */
  readonly chainedOn: readonly string[];
  /** How they are had, for example `profile "ci"`. */
  readonly how: string;
  /** What to do where they are refused. */
  readonly next: string;
}

/**
 * Turns what a credential provider of the SDK threw into one of our errors. Nothing was sent to IAM then. Never a
 * ForbiddenError: that would say that one action is denied, and some are left out then.
 */
export function credentialsError(cause: unknown, source: CredentialSource): RotationError {
  if (cause instanceof RotationError) return cause;
  const code = codeOf(cause);
  const requestId = requestIdOf(cause);
  const said = cause instanceof Error && cause.message ? `${code}: ${cause.message}` : code;
  const chain = source.chainedOn.map((name) => `, the source of "${name}",`).join("");
  const isRefused = [UNAUTHORIZED, FORBIDDEN, NOT_FOUND, CONFLICT].some((codes) => codes.has(code));
  return new (isRefused ? UnauthorizedError : InternalError)({
    what: `connection "${source.connection}"${chain} has no credentials, by ${source.how}: ${said}${requestId ? ` (request id ${requestId})` : ""}`,
    next: isRefused ? source.next : "run `pulumi up` again",
    details: { connection: source.connection, code, isDefinite: true, ...(requestId && { requestId }) },
    cause,
  });
}

/** An answer 4xx is a definite no; 408 says that AWS stopped waiting, not what it did. */
function isDefinite(cause: unknown): boolean {
  const status = metadataOf(cause).httpStatusCode;
  return status !== undefined && status >= 400 && status < 500 && status !== 408;
}

function requestIdOf(cause: unknown): string | undefined {
  return metadataOf(cause).requestId;
}

function metadataOf(cause: unknown): { readonly requestId?: string; readonly httpStatusCode?: number } {
  if (typeof cause !== "object" || cause === null || !("$metadata" in cause)) return {};
  return cause.$metadata ?? {};
}
