import { Config } from "@pulumi/pulumi";
import { AMBIENT_CONNECTION_ID, AwsIamUserSecretRotation } from "pulumi-iam-rotation";

// An IAM user that exists already: `pulumi config set userName somebody-else` for another one.
const userName = new Config().get("userName") ?? "ci-bot";

const rotation = new AwsIamUserSecretRotation("ci-bot", {
  projectId: "3c90c3cc-0d44-4b50-8888-8dd25736052a",
  connectionId: AMBIENT_CONNECTION_ID,
  environment: "prod",
  secretPath: "/ci",
  rotationInterval: 30,
  parameters: { userName },
  secretsMapping: { accessKeyId: "AWS_ACCESS_KEY_ID", secretAccessKey: "AWS_SECRET_ACCESS_KEY" },
  // A day for everybody to take up the new key; from then on the old one answers no more.
  previousKey: { deactivateAfterHours: 24 },
});

export const accessKeyId = rotation.accessKeyId;
export const previousAccessKeyId = rotation.previousAccessKeyId;
export const nextRotationAt = rotation.nextRotationAt;

// Secret: Pulumi encrypts it in the state and shows [secret]. Hand it to whatever needs the key.
export const secrets = rotation.secrets;
