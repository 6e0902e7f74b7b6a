import fc from "fast-check";

import { EMPTY_RING, type KeyRecord, type KeyRing, type KeyState } from "../../provider/src/rotation/keyRing";
import type { Intent, Situation } from "../../provider/src/rotation/plan";
import type { AccessKey, Credential, LastUse } from "../../provider/src/rotation/ports";

const NOW = Date.parse("2027-03-12T12:00:00.000Z");
const instant = fc.integer({ min: 0, max: 100 * 24 * 3_600 }).map((ago) => new Date(NOW - ago * 1_000).toISOString());

export const credentialOf = (accessKeyId: string): Credential => ({ accessKeyId, secretAccessKey: `s/${accessKeyId}` });

/** Rings that a rotation can have: at most one current key and one pending, and any number of old ones. */
export const rings: fc.Arbitrary<KeyRing> = fc
  .record({
    hasCurrent: fc.boolean(),
    hasPending: fc.boolean(),
    others: fc.array(fc.constantFrom<KeyState>("previous", "inactive", "leftover"), { maxLength: 3 }),
    activeIndex: fc.constantFrom(0, 1),
    times: fc.array(instant, { minLength: 15, maxLength: 15 }),
    gone: fc.boolean(),
  })
  .map(({ hasCurrent, hasPending, others, activeIndex, times, gone }) => {
    const states: KeyState[] = [
      ...(hasCurrent ? (["current"] as const) : []),
      ...others,
      ...(hasPending ? (["pending"] as const) : []),
    ];
    const keys = states.map((state, index): KeyRecord => ({
      accessKeyId: `OURS${index}`,
      state,
      createdAt: times[index * 3] ?? "",
      verifiedAt: index % 2 === 0 ? (times[index * 3 + 1] ?? null) : null,
      retiredAt: state === "current" || state === "pending" ? null : (times[index * 3 + 2] ?? null),
      lastUsedAt: null,
    }));
    const idOf = (state: KeyState) => keys.find((key) => key.state === state)?.accessKeyId;
    const slots: Credential[] = [];
    const current = idOf("current");
    const previous = idOf("previous") ?? idOf("inactive") ?? (gone ? "GONE" : undefined);
    if (previous) slots[1 - activeIndex] = credentialOf(previous);
    slots[activeIndex] = credentialOf(current ?? "GONE2");
    // A first key alone is in slot 0.
    const index = slots[1 - activeIndex] ? activeIndex : 0;
    const pending = idOf("pending");
    return {
      activeIndex: index,
      generatedCredentials: current || previous ? slots.filter(Boolean) : [],
      pendingCredentials: pending ? credentialOf(pending) : null,
      keys,
    };
  });

const uses: fc.Arbitrary<LastUse | null | undefined> = fc.oneof(
  fc.constant(null),
  fc.constant(undefined),
  fc.record({ at: instant, service: fc.constantFrom("s3", "sts"), region: fc.constantFrom("us-east-1", "eu-west-1") }),
);

/** Any situation at all: keys gone or disabled, foreign ones, more keys than the quota, last uses unread. */
export const situations: fc.Arbitrary<Situation> = rings.chain((ring) =>
  fc
    .record({
      intent: fc.constantFrom<Intent>("create", "rotate", "retire", "settle"),
      statuses: fc.array(fc.constantFrom("Active", "Active", "Inactive", undefined), { minLength: 5, maxLength: 5 }),
      foreign: fc.array(fc.constantFrom("Active", "Inactive"), { maxLength: 2 }),
      lastUses: fc.array(uses, { minLength: 5, maxLength: 5 }),
      quietHours: fc.constantFrom(0, 2, 24),
      whenInUse: fc.constantFrom<"wait" | "retire">("wait", "retire"),
      ledgerWrittenBy: fc.constantFrom(undefined, "create" as const, "takeover" as const, "update" as const),
      isLedgerOff: fc.boolean(),
    })
    .map(({ intent, statuses, foreign, lastUses, quietHours, whenInUse, ledgerWrittenBy, isLedgerOff }): Situation => {
      // A creation knows leftovers alone: what its own ledger names.
      const left = ring.keys.map((key): KeyRecord => ({ ...key, state: "leftover", verifiedAt: null }));
      const known = intent === "create" ? { ...EMPTY_RING, keys: left } : ring;
      const listed: AccessKey[] = [
        ...known.keys.flatMap(({ accessKeyId, createdAt }, index) => {
          const status = statuses[index];
          return status === undefined ? [] : [{ accessKeyId, status, createdAt }];
        }),
        ...foreign.map((status, index) => ({
          accessKeyId: `FOREIGN${index}`,
          status,
          createdAt: "2027-01-01T00:00:00.000Z",
        })),
      ];
      const read = known.keys.flatMap(({ accessKeyId }, index): [string, LastUse | null][] => {
        const use = lastUses[index];
        return use === undefined ? [] : [[accessKeyId, use]];
      });
      return {
        intent,
        ring: known,
        listed,
        lastUses: new Map(read),
        policy: { quietHours, whenInUse },
        own: { region: "us-east-1", rotationSeconds: 300 },
        ledgerWrittenBy,
        isLedgerOff,
        now: new Date(NOW),
      };
    }),
);
