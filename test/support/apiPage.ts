/**
 * The API's page "Create" (POST /api/v2/secret-rotations/aws-iam-user-secret) as data: what the request takes and what
 * the response gives.
 */
export interface ApiProperty {
  readonly type: "string" | "number" | "boolean" | "object";
  readonly required?: true;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly nullable?: true;
  readonly format?: "uuid" | "date-time";
  readonly default?: unknown;
  readonly enum?: readonly string[];
  readonly properties?: Readonly<Record<string, ApiProperty>>;
}

/** The page's enum of `parameters.region`. */
export const API_REGIONS: readonly string[] = [
  "us-east-1",
  "us-east-2",
  "us-west-1",
  "us-west-2",
  "us-gov-east-1",
  "us-gov-west-1",
  "af-south-1",
  "ap-east-1",
  "ap-south-1",
  "ap-south-2",
  "ap-northeast-1",
  "ap-northeast-2",
  "ap-northeast-3",
  "ap-southeast-1",
  "ap-southeast-2",
  "ap-southeast-3",
  "ap-southeast-4",
  "ca-central-1",
  "eu-central-1",
  "eu-central-2",
  "eu-west-1",
  "eu-west-2",
  "eu-west-3",
  "eu-south-1",
  "eu-south-2",
  "eu-north-1",
  "me-south-1",
  "me-central-1",
  "sa-east-1",
];

const parameters: ApiProperty = {
  type: "object",
  required: true,
  properties: {
    userName: { type: "string", required: true, minLength: 1 },
    region: { type: "string", enum: API_REGIONS },
  },
};

const secretsMapping: ApiProperty = {
  type: "object",
  required: true,
  properties: {
    accessKeyId: { type: "string", required: true, minLength: 1 },
    secretAccessKey: { type: "string", required: true, minLength: 1 },
  },
};

const timeOfDay: Readonly<Record<string, ApiProperty>> = {
  hours: { type: "number", required: true, minimum: 0, maximum: 23 },
  minutes: { type: "number", required: true, minimum: 0, maximum: 59 },
};

/** The request's body. */
export const API_REQUEST: Readonly<Record<string, ApiProperty>> = {
  name: { type: "string", required: true, minLength: 1, maxLength: 64 },
  projectId: { type: "string", required: true, minLength: 1 },
  description: { type: "string", maxLength: 256, nullable: true },
  connectionId: { type: "string", required: true, format: "uuid" },
  environment: { type: "string", required: true, minLength: 1, maxLength: 64 },
  secretPath: { type: "string", required: true, minLength: 1 },
  isAutoRotationEnabled: { type: "boolean", default: true },
  rotationInterval: { type: "number", required: true, minimum: 1 },
  rotateAtUtc: { type: "object", default: { hours: 0, minutes: 0 }, properties: timeOfDay },
  parameters,
  secretsMapping,
};

const uuid: ApiProperty = { type: "string", required: true, format: "uuid" };
const text: ApiProperty = { type: "string", required: true };
const dateTime: ApiProperty = { type: "string", required: true, format: "date-time" };

/** The response's `secretRotation`. */
export const API_RESPONSE: Readonly<Record<string, ApiProperty>> = {
  id: uuid,
  name: text,
  description: { type: "string", nullable: true },
  isAutoRotationEnabled: { type: "boolean", default: true },
  activeIndex: { type: "number", default: 0 },
  folderId: uuid,
  connectionId: uuid,
  createdAt: dateTime,
  updatedAt: dateTime,
  rotationInterval: { type: "number", required: true },
  rotationStatus: text,
  lastRotationAttemptedAt: dateTime,
  lastRotatedAt: dateTime,
  lastRotationJobId: { type: "string", nullable: true },
  nextRotationAt: { type: "string", format: "date-time", nullable: true },
  isLastRotationManual: { type: "boolean", default: true },
  connection: {
    type: "object",
    required: true,
    properties: { app: { type: "string", required: true, enum: ["aws"] }, name: text, id: uuid },
  },
  environment: { type: "object", required: true, properties: { slug: text, name: text, id: uuid } },
  projectId: text,
  folder: { type: "object", required: true, properties: { id: text, path: text } },
  rotateAtUtc: { type: "object", required: true, properties: timeOfDay },
  lastRotationMessage: { type: "string", nullable: true },
  type: { type: "string", required: true, enum: ["aws-iam-user-secret"] },
  parameters,
  secretsMapping,
};
