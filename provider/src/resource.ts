import * as pulumi from "@pulumi/pulumi";

import { SECRET_OUTPUTS } from "./contract/constants";
import type { ComputedOutputs } from "./contract/outputs";
import type { Region } from "./contract/regions";
import { RESOURCE_TYPE } from "./contract/resourceType";
import type { KeyRecord } from "./rotation/keyRing";
import type { Credential } from "./rotation/ports";

/**
 * What a rotation is given. Names, limits and defaults are those of the secret-rotation API ("Create an AWS IAM User
 * Secret Rotation"); what goes beyond it says so.
 */
export interface AwsIamUserSecretRotationArgs {
  /**
   * The rotation's name: 1 to 64 lower-case letters and digits, words joined by single hyphens.
   *
   * @default - the resource's logical name
   */
  name?: pulumi.Input<string> | undefined;
  /** The project that the rotation belongs to; not empty. */
  projectId: pulumi.Input<string>;
  /**
   * At most 256 characters.
   *
   * @default - null
   */
  description?: pulumi.Input<string | null> | undefined;
  /** The connection: a uuid in the stack's config `iam-rotation:connections`, or `AMBIENT_CONNECTION_ID`. */
  connectionId: pulumi.Input<string>;
  /** The environment's slug: 1 to 64 characters, by the rule of `name`. */
  environment: pulumi.Input<string>;
  /** The path of the secrets; not empty; one trailing slash is dropped. */
  secretPath: pulumi.Input<string>;
  /**
   * Whether it rotates when the interval has passed. Off: only by `rotationTrigger`, or to heal.
   *
   * @default true
   */
  isAutoRotationEnabled?: pulumi.Input<boolean> | undefined;
  /** Days between rotations; a whole number from 1 to 1,000,000. */
  rotationInterval: pulumi.Input<number>;
  /**
   * The time of day in UTC from which a rotation is due; whole numbers.
   *
   * @default - midnight
   */
  rotateAtUtc?:
    | pulumi.Input<{
        /** 0 to 23. */
        hours: pulumi.Input<number>;
        /** 0 to 59. */
        minutes: pulumi.Input<number>;
      }>
    | undefined;
  /** The IAM user, by name; and the region in which its new keys are verified, and for which the SES password is made. */
  parameters: pulumi.Input<{
    /** The IAM user's name. Another one replaces the rotation. */
    userName: pulumi.Input<string>;
    /**
     * Where new keys are verified, and for which the SES password is made.
     *
     * @default - the connection's, else AWS_REGION, else us-east-1; then `sesSmtpPassword` is null
     */
    region?: pulumi.Input<Region> | undefined;
  }>;
  /** The names of the two secrets in the output `secrets`: not empty, without ":" and "/", and different. */
  secretsMapping: pulumi.Input<{
    /** The name of the key's id in `secrets`. */
    accessKeyId: pulumi.Input<string>;
    /** The name of the key's secret in `secrets`. */
    secretAccessKey: pulumi.Input<string>;
  }>;
  /**
   * Beyond the API: any string. A new value rotates at the next update; taking it away does not.
   *
   * @default - none
   */
  rotationTrigger?: pulumi.Input<string> | undefined;
  /** Beyond the API: what becomes of the key that a rotation replaced. */
  previousKey?:
    | pulumi.Input<{
        /**
         * Hours after a rotation until the previous key is set Inactive, by the first update after that time; a whole
         * number below the interval.
         *
         * @default - it stays active until the next rotation
         */
        deactivateAfterHours?: pulumi.Input<number> | undefined;
        /**
         * A key that IAM saw in use within so many hours counts as in use; a whole number to 24,000,000.
         *
         * @default - min(24, half the interval)
         */
        quietHours?: pulumi.Input<number> | undefined;
        /**
         * `"wait"`: a key in use is neither disabled nor deleted. `"retire"`: it is, all the same.
         *
         * @default "wait"
         */
        whenInUse?: pulumi.Input<"wait" | "retire"> | undefined;
      }>
    | undefined;
  /**
   * Beyond the API: a key that the user already has, to start from instead of making one. Read at creation only.
   *
   * @default - creation makes the first key
   */
  adopt?:
    | pulumi.Input<{
        /** An Active key of the user. */
        accessKeyId: pulumi.Input<string>;
        /** Its secret; it is verified first. */
        secretAccessKey: pulumi.Input<string>;
      }>
    | undefined;
  /**
   * Whether destroy deletes the keys that this rotation made. (The API's own default is false.)
   *
   * @default true
   */
  revokeGeneratedCredentials?: pulumi.Input<boolean> | undefined;
}

// The host resolves it from the program's directory. Constant, so state stays small and always meets the installed code.
const PROVIDER_CODE = 'exports.handler=()=>require("pulumi-iam-rotation/dynamic").provider';

// Outputs exist only if they are named here; undefined makes them computed.
const COMPUTED: Record<
  | keyof ComputedOutputs
  | "nextRotationAt"
  | "rotation"
  // Inputs with a default: left out, they are outputs all the same.
  | "description"
  | "isAutoRotationEnabled"
  | "rotateAtUtc",
  undefined
> = {
  description: undefined,
  isAutoRotationEnabled: undefined,
  rotateAtUtc: undefined,
  activeIndex: undefined,
  folderId: undefined,
  folder: undefined,
  createdAt: undefined,
  updatedAt: undefined,
  rotationStatus: undefined,
  lastRotationAttemptedAt: undefined,
  lastRotatedAt: undefined,
  lastRotationJobId: undefined,
  isLastRotationManual: undefined,
  connection: undefined,
  lastRotationMessage: undefined,
  type: undefined,
  accessKeyId: undefined,
  secretAccessKey: undefined,
  secrets: undefined,
  generatedCredentials: undefined,
  sesSmtpPassword: undefined,
  pendingCredentials: undefined,
  userArn: undefined,
  userId: undefined,
  previousAccessKeyId: undefined,
  keys: undefined,
  generation: undefined,
  unsettled: undefined,
  nextRotationAt: undefined,
  rotation: undefined,
};

/**
 * The rotation of an IAM user's access key. Creation makes the first key; an update makes a new one when it is due and
 * keeps the old one working beside it; destroy deletes the keys that this rotation made, and no other.
 */
export class AwsIamUserSecretRotation extends pulumi.CustomResource {
  /** The rotation's name. */
  declare readonly name: pulumi.Output<string>;
  /** The project. */
  declare readonly projectId: pulumi.Output<string>;
  /** The description, or null. */
  declare readonly description: pulumi.Output<string | null>;
  /** The connection's id. */
  declare readonly connectionId: pulumi.Output<string>;
  /** The environment; its id is made from project and slug. */
  declare readonly environment: pulumi.Output<{ slug: string; name: string; id: string }>;
  /** The path of the secrets. */
  declare readonly secretPath: pulumi.Output<string>;
  /** Whether it rotates by itself when due. */
  declare readonly isAutoRotationEnabled: pulumi.Output<boolean>;
  /** Days between rotations. */
  declare readonly rotationInterval: pulumi.Output<number>;
  /** The time of day, UTC. */
  declare readonly rotateAtUtc: pulumi.Output<{ hours: number; minutes: number }>;
  /** User and region, as given. */
  declare readonly parameters: pulumi.Output<{ userName: string; region?: Region }>;
  /** The names of the two secrets. */
  declare readonly secretsMapping: pulumi.Output<{ accessKeyId: string; secretAccessKey: string }>;
  /** The slot of the current key in `generatedCredentials`: 0 or 1. */
  declare readonly activeIndex: pulumi.Output<number>;
  /** Made from project, environment and path: equal for equal addresses. */
  declare readonly folderId: pulumi.Output<string>;
  /** The folder: `folderId` and the path. */
  declare readonly folder: pulumi.Output<{ id: string; path: string }>;
  /** ISO instant of the creation. */
  declare readonly createdAt: pulumi.Output<string>;
  /** ISO instant of the last update. */
  declare readonly updatedAt: pulumi.Output<string>;
  /** How the last run ended. */
  declare readonly rotationStatus: pulumi.Output<"success" | "failed">;
  /** ISO instant of the last attempt. */
  declare readonly lastRotationAttemptedAt: pulumi.Output<string>;
  /** ISO instant of the last rotation; creation counts. */
  declare readonly lastRotatedAt: pulumi.Output<string>;
  /** The uuid of the last run; it also stands in the user agent that CloudTrail shows. */
  declare readonly lastRotationJobId: pulumi.Output<string | null>;
  /** ISO instant from which the next rotation is due; null when automatic rotation is off. */
  declare readonly nextRotationAt: pulumi.Output<string | null>;
  /** Whether a person asked for the last rotation; creation counts as such. */
  declare readonly isLastRotationManual: pulumi.Output<boolean>;
  /** The connection, by name and id. */
  declare readonly connection: pulumi.Output<{ app: "aws"; name: string; id: string }>;
  /** What went wrong, or what was held back and until when; null when there is nothing to say. */
  declare readonly lastRotationMessage: pulumi.Output<string | null>;
  /** The kind of rotation, as in the API. */
  declare readonly type: pulumi.Output<"aws-iam-user-secret">;
  /** The current key's id. */
  declare readonly accessKeyId: pulumi.Output<string>;
  /** The current key's secret. Secret. */
  declare readonly secretAccessKey: pulumi.Output<string>;
  /** The current pair under the names of `secretsMapping`. Secret. */
  declare readonly secrets: pulumi.Output<Record<string, string>>;
  /** One or two pairs; entry `[activeIndex]` is the current one, the other the previous. Secret. */
  declare readonly generatedCredentials: pulumi.Output<Credential[]>;
  /** The SES SMTP password for `parameters.region`; null when that is left out. Secret. */
  declare readonly sesSmtpPassword: pulumi.Output<string | null>;
  /** A pair that was made and is not handed out yet, after a run that failed; null as a rule. Secret. */
  declare readonly pendingCredentials: pulumi.Output<Credential | null>;
  /** The user's arn. */
  declare readonly userArn: pulumi.Output<string>;
  /** The user's unique id. */
  declare readonly userId: pulumi.Output<string>;
  /** The id of the key that the current one replaced, while it is on the user; else null. */
  declare readonly previousAccessKeyId: pulumi.Output<string | null>;
  /** The keys of this rotation that are on the user, without secrets. */
  declare readonly keys: pulumi.Output<KeyRecord[]>;

  /**
   * @param name The logical name; also the rotation's name when that is left out and it is a slug.
   * @param args What to rotate, when, and where it is handed to.
   * @param opts Pulumi's options. `additionalSecretOutputs` are added to those that are always secret.
   */
  constructor(name: string, args: AwsIamUserSecretRotationArgs, opts?: pulumi.CustomResourceOptions) {
    const owner = [pulumi.getOrganization(), pulumi.getProject(), pulumi.getStack(), name].join("/");
    const inputs = {
      ...COMPUTED,
      ...args,
      name: args.name ?? name,
      ...(args.adopt !== undefined && { adopt: pulumi.secret(args.adopt) }),
      owner,
      __provider: PROVIDER_CODE,
    };
    const options = pulumi.mergeOptions(opts, { additionalSecretOutputs: [...SECRET_OUTPUTS] });
    const { stackTraceLimit } = Error;
    // Pulumi's SDK notes a stack four times for each output, to be shown for a promise that leaks, and under ts-node each
    // is mapped to its sources: without this, most of the time of a large program. Its source positions are not touched.
    if (!process.env["PULUMI_DEBUG_PROMISE_LEAKS"]) Error.stackTraceLimit = 0;
    try {
      super(RESOURCE_TYPE, name, inputs, options);
    } catch (error) {
      Error.stackTraceLimit = stackTraceLimit;
      if (error instanceof Error) Error.captureStackTrace(error, AwsIamUserSecretRotation);
      throw error;
    } finally {
      Error.stackTraceLimit = stackTraceLimit;
    }
  }
}
