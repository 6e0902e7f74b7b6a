/** An access key as IAM lists it. */
export interface AccessKey {
  readonly accessKeyId: string;
  /** IAM's own word; only `Active` works. */
  readonly status: string;
  /** ISO instant, by AWS's clock, in whole seconds. */
  readonly createdAt: string;
}

/** An access key with its secret. */
export interface Credential {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
}

/** Where and when IAM last saw a key in use. */
export interface LastUse {
  /** ISO instant. */
  readonly at: string;
  /** The service's namespace, for example `s3`. */
  readonly service: string;
  readonly region: string;
}

/** Who signs a call, as STS tells it; `userId` is the unique id (AIDA...), another one for a user made again. */
export interface Identity {
  readonly userId: string;
  readonly arn: string;
  readonly accountId: string;
}

/** Who signs a connection's calls. */
export interface Caller extends Identity {
  /** Whether its credentials end by themselves: those of a role, or of a session of a user. */
  readonly isTemporary: boolean;
}

/** The IAM user with its tags. */
export interface TaggedUser extends Identity {
  readonly tags: Readonly<Record<string, string>>;
}

/**
 * What a rotation asks of AWS, for one IAM user over one connection. Every method throws a
 * {@link RotationError} that names the call, the user and what AWS said.
 */
export interface UserAccessKeys {
  /** The user with its tags, or undefined when IAM says that there is none. */
  user(): Promise<TaggedUser | undefined>;
  /** All keys of the user, all pages; undefined when there is no such user. */
  list(): Promise<AccessKey[] | undefined>;
  /**
   * Makes a key, in one attempt: the call has no idempotency token.
   *
   * @param seconds The attempt's time limit.
   */
  create(seconds: number): Promise<Credential & { readonly createdAt: string }>;
  /** Sets a key Inactive. False when it is already gone. */
  deactivate(accessKeyId: string): Promise<boolean>;
  /** Deletes a key. False when it is already gone. */
  delete(accessKeyId: string): Promise<boolean>;
  /** When the key was last used; null when never. */
  lastUse(accessKeyId: string): Promise<LastUse | null>;
  /**
   * Signs one STS call with the key itself, on a connection of its own, in the rotation's region.
   *
   * @returns Whose key it is; undefined while AWS does not know it (yet, or any more).
   */
  identify(credential: Credential): Promise<Identity | undefined>;
  /** Whom the connection's own credentials belong to. */
  caller(): Promise<Caller>;
  /** Sets tags on the user. False when that is not permitted, or the user has as many tags as AWS allows. */
  tag(tags: Readonly<Record<string, string>>): Promise<boolean>;
  /** Takes tags off the user. False when that is not permitted. A user without them counts as done. */
  untag(keys: readonly string[]): Promise<boolean>;
  /** How far AWS's clock is ahead of the local one, in milliseconds, by the last answer; 0 before the first one. */
  skew(): number;
}

/** The clock that real time is measured with, and waiting on it. Tests inject one that does not wait. */
export interface Clock {
  now(): Date;
  /** Resolves after so many milliseconds. */
  sleep(milliseconds: number): Promise<void>;
}

/** Waits and limits, in seconds: config `iam-rotation:limits`. */
export interface Limits {
  /** One call to AWS, its retries included. */
  readonly callSeconds: number;
  /** How long a read is repeated while it does not show what must be there: IAM's lists lag. */
  readonly lagSeconds: number;
  /** How long a new key may take until it works. */
  readonly verifySeconds: number;
  /** Least time between two passes of the verification. */
  readonly verifySpacingSeconds: number;
  /** A whole rotation: no step starts after it. */
  readonly rotationSeconds: number;
}
