import { createHash } from "node:crypto";

import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import { AwsIamUserSecretRotation } from "pulumi-iam-rotation";

import { accounts, connectionId } from "./accounts";

const account = pulumi.getStack();

// A time of day by the user's name: spread over the day, and the same one whoever joins or leaves the list.
function rotateAtUtc(userName: string) {
  const minute = createHash("sha256").update(userName).digest().readUInt32BE() % (24 * 60);
  return { hours: Math.floor(minute / 60), minutes: minute % 60 };
}

function rotate(userName: string) {
  const rotation = new AwsIamUserSecretRotation(userName, {
    projectId: "3c90c3cc-0d44-4b50-8888-8dd25736052a",
    connectionId,
    environment: "prod",
    secretPath: `/${account}`,
    rotationInterval: 30,
    rotateAtUtc: rotateAtUtc(userName),
    parameters: { userName },
    secretsMapping: { accessKeyId: "AWS_ACCESS_KEY_ID", secretAccessKey: "AWS_SECRET_ACCESS_KEY" },
    previousKey: { deactivateAfterHours: 24 },
  });
  // In the fleet's own account; an `aws.Provider` that assumes the account's role puts it into the account itself.
  new aws.ssm.Parameter(userName, {
    name: `/fleet/${account}/${userName}`,
    type: "SecureString",
    value: pulumi.jsonStringify(rotation.secrets),
  });
  return pulumi.output({ user: userName, rotatedAt: rotation.lastRotatedAt, nextAt: rotation.nextRotationAt });
}

/** What `fleet.ts` sums up. */
export const rotations = accounts[account]?.users.map(rotate);
