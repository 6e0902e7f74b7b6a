import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import { AMBIENT_CONNECTION_ID, AwsIamUserSecretRotation } from "pulumi-iam-rotation";

// IAM users that exist already.
for (const userName of ["deploy-bot", "mail-bot"]) {
  const rotation = new AwsIamUserSecretRotation(userName, {
    projectId: "3c90c3cc-0d44-4b50-8888-8dd25736052a",
    // The workflow's role: it assumes it by OIDC, and no key of AWS is kept in GitHub.
    connectionId: AMBIENT_CONNECTION_ID,
    environment: "prod",
    secretPath: `/${userName}`,
    rotationInterval: 30,
    parameters: { userName },
    secretsMapping: { accessKeyId: "AWS_ACCESS_KEY_ID", secretAccessKey: "AWS_SECRET_ACCESS_KEY" },
    previousKey: { deactivateAfterHours: 24 },
  });
  new aws.ssm.Parameter(userName, {
    name: `/keys/${userName}`,
    type: "SecureString",
    value: pulumi.jsonStringify(rotation.secrets),
  });
}
