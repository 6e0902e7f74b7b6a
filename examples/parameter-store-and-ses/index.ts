import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import { AMBIENT_CONNECTION_ID, AwsIamUserSecretRotation } from "pulumi-iam-rotation";

// SES derives the SMTP password from the key and a region: it works at this region's endpoint only.
const region = "eu-central-1";

const user = new aws.iam.User(
  "mailer",
  { name: "mailer", tags: { purpose: "mail" } },
  // The rotation keeps its own tags on the user. They are passed over only if the user has `tags` here, too.
  { ignoreChanges: ['tags["iam-rotation"]', 'tags["iam-rotation-owner"]'] },
);

new aws.iam.UserPolicy("mailer", {
  user: user.name,
  policy: {
    Version: "2012-10-17",
    Statement: [{ Effect: "Allow", Action: ["ses:SendEmail", "ses:SendRawEmail"], Resource: "*" }],
  },
});

const rotation = new AwsIamUserSecretRotation("mailer", {
  projectId: "3c90c3cc-0d44-4b50-8888-8dd25736052a",
  connectionId: AMBIENT_CONNECTION_ID,
  environment: "prod",
  secretPath: "/mailer",
  rotationInterval: 30,
  rotateAtUtc: { hours: 3, minutes: 0 },
  parameters: { userName: user.name, region },
  secretsMapping: { accessKeyId: "AWS_ACCESS_KEY_ID", secretAccessKey: "AWS_SECRET_ACCESS_KEY" },
  // Mail servers are restarted by hand: two days to do it.
  previousKey: { deactivateAfterHours: 48 },
});

// One parameter for each login, never one for its half: a reader between two writes would get a pair that is none.
const key = new aws.ssm.Parameter("key", {
  name: "/mailer/key",
  type: "SecureString",
  value: pulumi.jsonStringify(rotation.secrets),
});

const smtp = new aws.ssm.Parameter("smtp", {
  name: "/mailer/smtp",
  type: "SecureString",
  value: pulumi.jsonStringify({
    host: `email-smtp.${region}.amazonaws.com`,
    port: 587,
    username: rotation.accessKeyId,
    password: rotation.sesSmtpPassword,
  }),
});

export const parameters = [key.name, smtp.name];
export const nextRotationAt = rotation.nextRotationAt;
