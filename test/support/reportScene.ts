import { RESOURCE_TYPE } from "../../provider/src/contract/resourceType";
import type { RotationFacts } from "../../provider/src/cli/stackState";
import type { ExportedResource } from "./fakeCli";
import { START } from "./fakeClock";

const DAY = 86_400_000;

/** So many days before (or after) the instant at which tests begin. */
export const day = (days: number): string => new Date(Date.parse(START) + days * DAY).toISOString();

type Key = RotationFacts["keys"][number];

/** A key that was made so many days ago. */
export function key(accessKeyId: string, state: Key["state"], madeDaysAgo: number, more: Partial<Key> = {}): Key {
  return {
    accessKeyId,
    state,
    createdAt: day(-madeDaysAgo),
    verifiedAt: null,
    retiredAt: null,
    lastUsedAt: null,
    ...more,
  };
}

/** What state knows of a rotation whose last one was so many days ago, every 30 days. */
export function factsOf(userName: string, lastDaysAgo: number, more: Partial<RotationFacts> = {}): RotationFacts {
  return {
    name: userName,
    parameters: { userName },
    userArn: `arn:aws:iam::123456789012:user/${userName}`,
    userId: "AIDA0001",
    keys: [key("AKIA0001", "current", lastDaysAgo)],
    isAutoRotationEnabled: true,
    rotationInterval: 30,
    rotateAtUtc: { hours: 3, minutes: 0 },
    previousKey: { quietHours: 24, whenInUse: "wait" },
    rotation: { number: 1, at: day(-lastDaysAgo), manual: false, reason: "due", previousKey: "active" },
    nextRotationAt: `${day(30 - lastDaysAgo).slice(0, 10)}T03:00:00.000Z`,
    rotationStatus: "success",
    lastRotationAttemptedAt: day(-lastDaysAgo),
    lastRotatedAt: day(-lastDaysAgo),
    lastRotationMessage: null,
    updatedAt: day(-lastDaysAgo),
    generation: 1,
    unsettled: null,
    ...more,
  };
}

/** A resource in exported state. */
export function resourceOf(name: string, facts: RotationFacts, stack = "prod"): ExportedResource {
  return {
    urn: `urn:pulumi:${stack}::platform::${RESOURCE_TYPE}::${name}`,
    type: RESOURCE_TYPE,
    id: "5b9a3f10-1111-5222-8333-444455556666",
    outputs: facts,
  };
}

/** One rotation of every kind that a report can show, at {@link START}. */
export function everyKind(): ExportedResource[] {
  const ses = factsOf("ses-smtp", 12, {
    keys: [
      key("AKIASESMTP00000002AB", "current", 12, { lastUsedAt: day(-0.1) }),
      key("AKIASESMTP00000001AB", "previous", 43, { retiredAt: day(-12), lastUsedAt: day(-3) }),
    ],
  });
  const deploy = factsOf("deploy-bot", 34, {
    keys: [
      key("AKIADEPLOY00000005CD", "current", 34, { lastUsedAt: day(-1) }),
      key("AKIADEPLOY00000004CD", "inactive", 65, { retiredAt: day(-34), lastUsedAt: day(-33) }),
    ],
    previousKey: { deactivateAfterHours: 48, quietHours: 24, whenInUse: "wait" },
    rotation: { number: 4, at: day(-34), manual: false, reason: "due", previousKey: "inactive" },
  });
  const vendor = factsOf("billing-export-vendor", 118, {
    rotationInterval: 180,
    nextRotationAt: `${day(62).slice(0, 10)}T03:00:00.000Z`,
    keys: [key("AKIABILLING000001GHI", "current", 118)],
    rotation: { number: 0, at: day(-118), manual: true, reason: "created", previousKey: "none" },
  });
  const mirror = factsOf("registry-mirror", 31, {
    keys: [
      key("AKIAMIRROR00000007EF", "current", 31, { lastUsedAt: day(-0.5) }),
      key("AKIAMIRROR00000008EF", "pending", 1),
    ],
    nextRotationAt: `${day(-1).slice(0, 10)}T03:00:00.000Z`,
    rotationStatus: "failed",
    lastRotationAttemptedAt: day(-0.9),
    lastRotationMessage:
      "access key AKIAMIRROR00000008EF did not work 3 times in a row within 120 s: AWS does not know it yet\nNow: AKIAMIRROR00000007EF is current, AKIAMIRROR00000008EF is pending\nNext: run `pulumi up` again: it goes on with this key",
  });
  const paused = factsOf("legacy-ftp", 9, {
    isAutoRotationEnabled: false,
    nextRotationAt: null,
    keys: [key("AKIALEGACYFTP0000001", "current", 9)],
  });
  return [
    resourceOf("ses", ses),
    resourceOf("deploy", deploy),
    resourceOf("billing", vendor),
    resourceOf("mirror", mirror, "staging"),
    resourceOf("ftp", paused),
  ];
}
