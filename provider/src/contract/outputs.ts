import { sesSmtpPassword } from "../aws/sesSmtpPassword";
import { currentKey, type KeyRecord, type KeyRing, previousKey } from "../rotation/keyRing";
import type { Credential, Identity } from "../rotation/ports";
import type { Rotation } from "../rotation/schedule";
import { folderId } from "./ids";
import type { RotationInputs } from "./inputs";

export { SECRET_OUTPUTS } from "./constants";

/** What `check` returns: the inputs with the schedule's anchor. Create and update get it. */
export type CheckedInputs = RotationInputs & {
  readonly rotation: Rotation;
  /** ISO instant of the next rotation; null when automatic rotation is off. */
  readonly nextRotationAt: string | null;
};

/** The outputs that `check` does not compute. Names of the API's `secretRotation` are the API's. */
export interface ComputedOutputs {
  readonly activeIndex: number;
  readonly folderId: string;
  readonly folder: { readonly id: string; readonly path: string };
  readonly createdAt: string;
  readonly updatedAt: string;
  readonly rotationStatus: "success" | "failed";
  readonly lastRotationAttemptedAt: string;
  readonly lastRotatedAt: string;
  readonly lastRotationJobId: string | null;
  readonly isLastRotationManual: boolean;
  readonly connection: { readonly app: "aws"; readonly name: string; readonly id: string };
  readonly lastRotationMessage: string | null;
  readonly type: "aws-iam-user-secret";
  readonly accessKeyId: string | null;
  readonly secretAccessKey: string | null;
  readonly secrets: Readonly<Record<string, string>> | null;
  readonly generatedCredentials: readonly Credential[];
  readonly sesSmtpPassword: string | null;
  readonly pendingCredentials: Credential | null;
  readonly userArn: string;
  /** The user's unique id: another one when a user is made again under the same name. */
  readonly userId: string;
  readonly previousAccessKeyId: string | null;
  readonly keys: readonly KeyRecord[];
  /** Counts the runs that wrote the user's tag `iam-rotation` and saved: tells a restored older state. */
  readonly generation: number;
  /** What the next update has to put right without making a key; null when nothing. */
  readonly unsettled: string | null;
}

/** All that Pulumi's state keeps of a rotation. Plain JSON: anything else makes Pulumi's host fail after the key was made. */
export type RotationState = Omit<CheckedInputs, "adopt"> & ComputedOutputs;

/** What happened, apart from the keys. */
export type RotationEvents = Pick<
  RotationState,
  | "createdAt"
  | "updatedAt"
  | "rotationStatus"
  | "lastRotationAttemptedAt"
  | "lastRotatedAt"
  | "lastRotationJobId"
  | "isLastRotationManual"
  | "lastRotationMessage"
  | "rotation"
  | "nextRotationAt"
  | "generation"
  | "unsettled"
>;

/** Puts a state together: the API's outputs and ours, from inputs, keys and events. Pure. */
export function composeState(parts: {
  readonly inputs: CheckedInputs | RotationState;
  readonly connection: { readonly name: string; readonly id: string };
  readonly user: Pick<Identity, "arn" | "userId">;
  readonly ring: KeyRing;
  readonly events: RotationEvents;
}): RotationState {
  const { connection, user, ring, events } = parts;
  const inputs = inputsOf({ ...parts.inputs, rotation: events.rotation, nextRotationAt: events.nextRotationAt });
  const { projectId, environment, secretPath, parameters, secretsMapping } = inputs;
  const id = folderId(projectId, environment.slug, secretPath);
  const published = ring.generatedCredentials[ring.activeIndex] ?? null;
  return {
    ...inputs,
    ...events,
    activeIndex: ring.activeIndex,
    folderId: id,
    folder: { id, path: secretPath },
    connection: { app: "aws", name: connection.name, id: connection.id },
    type: "aws-iam-user-secret",
    accessKeyId: published?.accessKeyId ?? null,
    secretAccessKey: published?.secretAccessKey ?? null,
    secrets: published && {
      [secretsMapping.accessKeyId]: published.accessKeyId,
      [secretsMapping.secretAccessKey]: published.secretAccessKey,
    },
    generatedCredentials: ring.generatedCredentials,
    sesSmtpPassword:
      published && parameters.region ? sesSmtpPassword(published.secretAccessKey, parameters.region) : null,
    pendingCredentials: ring.pendingCredentials,
    userArn: user.arn,
    userId: user.userId,
    previousAccessKeyId: previousKey(ring)?.accessKeyId ?? null,
    keys: ring.keys,
  };
}

/** The keys of a state. */
export function ringOf(state: RotationState): KeyRing {
  const { activeIndex, generatedCredentials, pendingCredentials, keys } = state;
  return { activeIndex, generatedCredentials, pendingCredentials: pendingCredentials ?? null, keys };
}

/** Where a rotation stands, in one sentence for people; without secrets. */
export function describeKeys(ring: KeyRing): string {
  const parts = ring.keys.map((key) => `${key.accessKeyId} is ${key.state}`);
  if (!currentKey(ring)) parts.unshift("no key is current");
  return parts.join(", ");
}

/** The inputs in a state, as `check` returned them; `adopt` is not kept. */
export function inputsOf(state: CheckedInputs | RotationState): Omit<CheckedInputs, "adopt"> {
  const { name, projectId, description, connectionId, environment, secretPath, isAutoRotationEnabled } = state;
  const { rotationInterval, rotateAtUtc, parameters, secretsMapping, rotationTrigger, previousKey: policy } = state;
  const { revokeGeneratedCredentials, owner, rotation, nextRotationAt } = state;
  return {
    name,
    projectId,
    description: description ?? null,
    connectionId,
    environment,
    secretPath,
    isAutoRotationEnabled,
    rotationInterval,
    rotateAtUtc,
    parameters,
    secretsMapping,
    ...(rotationTrigger !== undefined && { rotationTrigger }),
    previousKey: policy,
    revokeGeneratedCredentials,
    owner,
    rotation,
    nextRotationAt: nextRotationAt ?? null,
  };
}
