/** The resource's type in Pulumi. A promise: another token would orphan every rotation in every state. */
export const RESOURCE_TYPE = "pulumi-nodejs:dynamic/iam-rotation:AwsIamUserSecretRotation";
