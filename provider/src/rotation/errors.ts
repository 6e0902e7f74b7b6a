/** What an error tells a person. */
export interface Explanation {
  /** What went wrong: which call, which user, which key, what AWS said. */
  readonly what: string;
  /** What holds now. */
  readonly now?: string | undefined;
  /** What to type or change next. */
  readonly next?: string | undefined;
  /** The same as data. Never a secret. */
  readonly details?: Readonly<Record<string, unknown>> | undefined;
  readonly cause?: unknown;
}

/** The API's error body (page "Create", the responses 400 to 500). */
export interface ErrorBody {
  readonly reqId: string;
  readonly statusCode: number;
  readonly message: string;
  readonly error: string;
  readonly details?: Readonly<Record<string, unknown>>;
}

/**
 * The family of everything that this package throws. Programs tell the members apart by class, `statusCode` or
 * `error`, never by the message.
 */
export abstract class RotationError extends Error {
  /** The API's status code. */
  abstract readonly statusCode: 400 | 401 | 403 | 404 | 422 | 500;
  /** The API's name of the error. */
  abstract readonly error: string;
  readonly explanation: Explanation;
  /** The run's job id, as in `lastRotationJobId` and CloudTrail's user agent; empty when it failed before a run began. */
  reqId = "";

  constructor(explanation: Explanation) {
    super(messageOf(explanation), explanation.cause === undefined ? undefined : { cause: explanation.cause });
    this.explanation = explanation;
    this.name = new.target.name;
  }

  /** The API's error body. */
  toJSON(): ErrorBody {
    return {
      reqId: this.reqId,
      statusCode: this.statusCode,
      message: this.message,
      error: this.error,
      ...(this.explanation.details && { details: this.explanation.details }),
    };
  }

  /** Adds what holds now, once the lifecycle knows it; what an error already says stands. */
  withSituation(situation: { readonly now: string; readonly next?: string; readonly reqId: string }): this {
    const explanation = {
      ...this.explanation,
      now: this.explanation.now ?? situation.now,
      next: this.explanation.next ?? situation.next,
    };
    const copy = Object.assign(Object.create(Object.getPrototypeOf(this) as object) as this, this, {
      explanation,
      reqId: situation.reqId,
    });
    Object.defineProperty(copy, "message", { value: messageOf(explanation), configurable: true, writable: true });
    Object.defineProperty(copy, "cause", { value: this.cause, configurable: true, writable: true });
    Object.defineProperty(copy, "stack", { value: this.stack, configurable: true, writable: true });
    return copy;
  }
}

/**
 * Whether AWS said a definite no, so that nothing was done: an answer 4xx. Anything else (a timeout, a reset, 5xx) may
 * have been done all the same.
 */
export function isDefiniteRefusal(error: unknown): boolean {
  return error instanceof RotationError && error.explanation.details?.["isDefinite"] === true;
}

/** AWS's error code in an error, for example `LimitExceeded`; undefined when it is not from AWS. */
export function awsCodeOf(error: unknown): string | undefined {
  const code = error instanceof RotationError ? error.explanation.details?.["code"] : undefined;
  return typeof code === "string" ? code : undefined;
}

/** What an error that nobody thought of says. */
export function wordsOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/**
 * One of our errors as it is; any other one as an {@link InternalError}.
 *
 * @param doing What failed by it.
 */
export function asRotationError(error: unknown, doing: string): RotationError {
  if (error instanceof RotationError) return error;
  return new InternalError({ what: `${doing} failed: ${wordsOf(error)}`, cause: error });
}

function messageOf({ what, now, next }: Explanation): string {
  return [what, now && `Now: ${now}`, next && `Next: ${next}`].filter(Boolean).join("\n");
}

/** Bad input (422): a property of the program or of the stack's config. Nothing was changed. */
export class InputError extends RotationError {
  readonly statusCode = 422;
  readonly error = "ValidationFailure";
}

/** A rule that stands against it (400): no free slot, a key in use, another user under this name. */
export class ConflictError extends RotationError {
  readonly statusCode = 400;
  readonly error = "BadRequest";
}

/** The connection's credentials are missing, wrong or expired (401). */
export class UnauthorizedError extends RotationError {
  readonly statusCode = 401;
  readonly error = "UnauthorizedError";
}

/** AWS denied the call (403). */
export class ForbiddenError extends RotationError {
  readonly statusCode = 403;
  readonly error = "PermissionDenied";
}

/** The IAM user does not exist (404). */
export class NotFoundError extends RotationError {
  readonly statusCode = 404;
  readonly error = "NotFound";
}

/** AWS failed, throttled, or could not be reached in time; or a new key did not begin to work (500). */
export class InternalError extends RotationError {
  readonly statusCode = 500;
  readonly error = "InternalServerError";
}
