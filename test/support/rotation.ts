import assert from "node:assert/strict";
import { isDeepStrictEqual } from "node:util";

import type { PulumiFn } from "@pulumi/pulumi/automation";
import type * as pulumi from "@pulumi/pulumi";
import {
  AMBIENT_CONNECTION_ID,
  AwsIamUserSecretRotation,
  type AwsIamUserSecretRotationArgs,
} from "pulumi-iam-rotation";

import type { Credential } from "./iam";
import type { Json, Properties } from "./stack";

/** The logical name of the rotation that the flows use. */
export const NAME = "ci-bot";

/** The user that it rotates. */
export const USER = "ci-bot";

const DAY = 86_400_000;

/** The least that a rotation needs. */
export const ARGS: AwsIamUserSecretRotationArgs = {
  projectId: "3c90c3cc-0d44-4b50-8888-8dd25736052a",
  connectionId: AMBIENT_CONNECTION_ID,
  environment: "prod",
  secretPath: "/ci",
  rotationInterval: 30,
  parameters: { userName: USER, region: "us-east-1" },
  secretsMapping: { accessKeyId: "AWS_ACCESS_KEY_ID", secretAccessKey: "AWS_SECRET_ACCESS_KEY" },
};

/** A program of one rotation, with other arguments than {@link ARGS} where they are given. */
export function rotating(
  args: Partial<AwsIamUserSecretRotationArgs> = {},
  options?: pulumi.CustomResourceOptions,
): PulumiFn {
  return async () => {
    const rotation = new AwsIamUserSecretRotation(NAME, { ...ARGS, ...args }, options);
    // What a program would export; the engine prints them, so a secret that is not marked would show.
    return { accessKeyId: rotation.accessKeyId, secrets: rotation.secrets, credentials: rotation.generatedCredentials };
  };
}

/** So many days (and hours) from now on. */
export function daysOn(days: number, hours = 0): Date {
  return new Date(Date.now() + days * DAY + (hours * DAY) / 24);
}

/** The pair that a rotation's outputs hand to consumers. */
export function currentOf(outputs: Properties | undefined): Credential {
  return {
    accessKeyId: String(outputs?.["accessKeyId"]),
    secretAccessKey: String(outputs?.["secretAccessKey"]),
  };
}

/** The pair that the current one replaced. */
export function previousOf(outputs: Properties | undefined): Credential {
  const slots = outputs?.["generatedCredentials"] as unknown as Credential[];
  return slots[1 - Number(outputs?.["activeIndex"])]!;
}

/** What each key of the rotation is, by its id. */
export function statesOf(outputs: Properties | undefined): Record<string, Json> {
  const keys = (outputs?.["keys"] ?? []) as unknown as { accessKeyId: string; state: string }[];
  return Object.fromEntries(keys.map((key) => [key.accessKeyId, key.state]));
}

/** Asserts that two pairs are one key; a failure names the ids, never the secrets. */
export function assertSameKey(actual: Credential, expected: Credential): void {
  assert.equal(actual.accessKeyId, expected.accessKeyId);
  assert.ok(actual.secretAccessKey === expected.secretAccessKey, `another secret for ${expected.accessKeyId}`);
}

/** Asserts that a rotation's outputs are what they were; a failure names the outputs that differ, never their values. */
export function assertSameOutputs(actual: Properties | undefined, expected: Properties | undefined): void {
  const names = new Set([...Object.keys(actual ?? {}), ...Object.keys(expected ?? {})]);
  const changed = [...names].filter((name) => !isDeepStrictEqual(actual?.[name], expected?.[name]));
  assert.deepEqual(changed, []);
}
