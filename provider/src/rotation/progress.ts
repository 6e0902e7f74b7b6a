import { PASSES_IN_A_ROW } from "./verify";

/** A step of a run that a person wants to see while it goes on. Ids only, never a secret. */
export type Progress =
  /** A key was made; nobody is given it yet. */
  | { readonly kind: "created"; readonly accessKeyId: string }
  /** A key passed its verification. */
  | { readonly kind: "verified"; readonly accessKeyId: string; readonly milliseconds: number }
  /** The key that was current until now goes on working. */
  | { readonly kind: "replaced"; readonly accessKeyId: string }
  | { readonly kind: "deactivated"; readonly accessKeyId: string }
  | { readonly kind: "deleted"; readonly accessKeyId: string };

/** What the words for a step depend on, beside the step. */
export interface ProgressSetting {
  readonly userName: string;
  /** Where keys are verified. */
  readonly region: string;
  /** The rotation's instant, ISO; the overlap begins with it. */
  readonly at: string;
  /** `previousKey.deactivateAfterHours`; undefined: until the next rotation. */
  readonly deactivateAfterHours: number | undefined;
}

const HOUR = 3_600_000;

/** Tells a step in one line, without the rotation's name. Pure. */
export function describeProgress(progress: Progress, setting: ProgressSetting): string {
  const { accessKeyId } = progress;
  switch (progress.kind) {
    case "created":
      return `created access key ${accessKeyId} for IAM user ${setting.userName}; verifying it in ${setting.region}`;
    case "verified":
      return `access key ${accessKeyId} verified ${PASSES_IN_A_ROW}/${PASSES_IN_A_ROW} after ${Math.round(progress.milliseconds / 1_000)} s`;
    case "replaced":
      return `previous key ${accessKeyId} stays active until ${overlapEnd(setting)}`;
    case "deactivated":
      return `previous key ${accessKeyId} set Inactive`;
    case "deleted":
      return `deleted access key ${accessKeyId} of IAM user ${setting.userName}`;
  }
}

function overlapEnd({ at, deactivateAfterHours }: ProgressSetting): string {
  if (deactivateAfterHours === undefined) return "the next rotation";
  const end = new Date(Date.parse(at) + deactivateAfterHours * HOUR);
  return `the first \`pulumi up\` after ${end.toISOString().slice(0, 16).replace("T", " ")} UTC`;
}
