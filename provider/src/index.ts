export {
  type PolicyDocument,
  type PolicyStatement,
  rotationPolicyDocument,
  type RotationPolicyOptions,
  trustPolicyDocument,
  type TrustPolicyOptions,
} from "./aws/policy";
export { AMBIENT_CONNECTION_ID } from "./contract/constants";
export { REGIONS, type Region } from "./contract/regions";
export { AwsIamUserSecretRotation, type AwsIamUserSecretRotationArgs } from "./resource";
export {
  ConflictError,
  type ErrorBody,
  ForbiddenError,
  InputError,
  InternalError,
  NotFoundError,
  RotationError,
  UnauthorizedError,
} from "./rotation/errors";
export type { KeyRecord, KeyState } from "./rotation/keyRing";
export type { Credential } from "./rotation/ports";
