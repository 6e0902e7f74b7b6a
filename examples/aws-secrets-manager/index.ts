import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import { AMBIENT_CONNECTION_ID, AwsIamUserSecretRotation } from "pulumi-iam-rotation";

const user = new aws.iam.User(
  "ci-bot",
  { name: "ci-bot", tags: { purpose: "ci" } },
  // The rotation keeps its own tags on the user. They are passed over only if the user has `tags` here, too.
  { ignoreChanges: ['tags["iam-rotation"]', 'tags["iam-rotation-owner"]'] },
);

new aws.iam.UserPolicy("ci-bot", {
  user: user.name,
  policy: {
    Version: "2012-10-17",
    Statement: [{ Effect: "Allow", Action: "s3:ListAllMyBuckets", Resource: "*" }],
  },
});

const rotation = new AwsIamUserSecretRotation("ci-bot", {
  projectId: "3c90c3cc-0d44-4b50-8888-8dd25736052a",
  connectionId: AMBIENT_CONNECTION_ID,
  environment: "prod",
  secretPath: "/ci-bot",
  rotationInterval: 30,
  rotateAtUtc: { hours: 3, minutes: 0 },
  parameters: { userName: user.name },
  secretsMapping: { accessKeyId: "AWS_ACCESS_KEY_ID", secretAccessKey: "AWS_SECRET_ACCESS_KEY" },
  // Whoever reads the secret has a day to take up the new key.
  previousKey: { deactivateAfterHours: 24 },
});

const secret = new aws.secretsmanager.Secret("ci-bot", { description: "The access key of the IAM user ci-bot" });

new aws.secretsmanager.SecretVersion("ci-bot", {
  secretId: secret.id,
  secretString: pulumi.jsonStringify(rotation.secrets),
});

export const secretArn = secret.arn;
export const nextRotationAt = rotation.nextRotationAt;
