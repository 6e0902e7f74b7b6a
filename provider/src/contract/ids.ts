import { v5 as uuidv5 } from "uuid";

/** The namespace of every id that this package makes. A promise: another one would change every id in every state. */
const NAMESPACE = "6f0d1f5e-6d0c-5d0c-9a44-6a1c9a3a5b27";

// A separator that no part can hold, so that ("a/b", "c") and ("a", "b/c") differ.
const idOf = (kind: string, ...parts: string[]) => uuidv5([kind, ...parts].join("\u0000"), NAMESPACE);

/**
 * The resource's id, for life: the same for the same address and user, so that a run which was killed before it saved
 * anything can be recognised by the next one.
 *
 * @param owner `organization/project/stack/logical name`.
 * @param userName The IAM user's name.
 */
export function rotationId(owner: string, userName: string): string {
  return idOf("rotation", owner, userName);
}

/** The API's `environment.id`: stable and equal for equal projects and slugs, since no server gives one out. */
export function environmentId(projectId: string, slug: string): string {
  return idOf("environment", projectId, slug);
}

/** The API's `folderId`: stable and equal for equal addresses. */
export function folderId(projectId: string, environmentSlug: string, path: string): string {
  return idOf("folder", projectId, environmentSlug, path);
}
