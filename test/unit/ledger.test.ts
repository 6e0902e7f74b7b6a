import assert from "node:assert/strict";

import fc from "fast-check";

import {
  announcedKey,
  formatLedger,
  type Ledger,
  leftoversOf,
  parseLedger,
  windowEnd,
  type LedgerWriter,
} from "../../provider/src/rotation/ledger";
import { EMPTY_RING, type KeyRing } from "../../provider/src/rotation/keyRing";
import { ownerTag } from "../../provider/src/rotation/ledgerKeeper";
import type { AccessKey } from "../../provider/src/rotation/ports";

/** What IAM takes as a tag's value. */
const TAG_VALUE = /^[\p{L}\p{N} _.:/=+\-@]{0,256}$/u;

const AT = Date.parse("2027-01-10T08:30:00.000Z");

const keyId = fc.stringMatching(/^AKIA[A-Z2-7]{16}$/);
const instant = fc.integer({ min: 0, max: 3_000_000_000 }).map((seconds) => new Date(seconds * 1_000).toISOString());

const ledgers: fc.Arbitrary<Ledger> = fc
  .record({
    rotationId: fc.uuid(),
    generation: fc.nat(1_000_000),
    keys: fc.uniqueArray(keyId, { maxLength: 4 }),
    writtenBy: fc.constantFrom<LedgerWriter>("create", "takeover", "update"),
    createdAt: fc.option(instant, { nil: undefined }),
    writtenAt: instant,
    nonce: fc.stringMatching(/^[0-9a-f]{12}$/),
    announcement: fc.option(
      fc.record(
        { at: instant, seconds: fc.integer({ min: 1, max: 900 }), others: fc.uniqueArray(keyId, { maxLength: 4 }) },
        { noNullPrototype: true },
      ),
    ),
  })
  .map(({ announcement, ...ledger }) => (announcement ? { ...ledger, announcement } : ledger));

const ANNOUNCEMENT = { at: new Date(AT).toISOString(), seconds: 60, others: ["OTHER"] };

const listed = (accessKeyId: string, seconds: number): AccessKey => ({
  accessKeyId,
  status: "Active",
  createdAt: new Date(AT + seconds * 1_000).toISOString(),
});

const LEDGER: Ledger = {
  rotationId: "a9c673a6-cdbb-540a-a6fc-93a127d1e8d8",
  generation: 2,
  keys: ["CURRENT"],
  writtenBy: "update",
  createdAt: undefined,
  writtenAt: new Date(AT).toISOString(),
  nonce: "0123456789ab",
  announcement: ANNOUNCEMENT,
};

const ringOf = (...ids: string[]): KeyRing => ({
  ...EMPTY_RING,
  keys: ids.map((accessKeyId) => ({
    accessKeyId,
    state: "current",
    createdAt: new Date(0).toISOString(),
    verifiedAt: null,
    retiredAt: null,
    lastUsedAt: null,
  })),
});

describe("the ledger", () => {
  it("is a value that IAM takes as a tag, or none where it would be too long", () => {
    fc.assert(
      fc.property(ledgers, (ledger) => {
        const value = formatLedger(ledger);
        if (value !== undefined) assert.match(value, TAG_VALUE);
        else assert.ok(ledger.keys.length + (ledger.announcement?.others.length ?? 0) > 4, "four keys in all must fit");
      }),
      { numRuns: 2_000 },
    );
  });

  it("reads as it was written", () => {
    fc.assert(
      fc.property(ledgers, (ledger) => {
        const value = formatLedger(ledger);
        if (value !== undefined) assert.deepEqual(parseLedger(value), ledger);
      }),
      { numRuns: 2_000 },
    );
  });

  it("keeps whole seconds, as IAM does", () => {
    const value = formatLedger({ ...LEDGER, writtenAt: "2027-01-10T08:30:00.999Z" });
    assert.equal(parseLedger(value)?.writtenAt, "2027-01-10T08:30:00.000Z");
  });

  it("is none in any other tag value", () => {
    fc.assert(
      fc.property(fc.string(), (value) => assert.equal(parseLedger(value), undefined)),
      { numRuns: 500 },
    );
    for (const value of [
      undefined,
      "",
      "v2 x g=1",
      "v1 x",
      "v1 x g=one k= by=update at=1 n=1",
      "v1 x g=1 k= by=me at=1 n=1",
    ]) {
      assert.equal(parseLedger(value), undefined, value);
    }
  });

  it("has an owner beside it that IAM takes, too, whatever the names are", () => {
    assert.equal(ownerTag("acme/platform/prod/ci-bot"), "platform/prod/ci-bot");
    assert.equal(ownerTag("acme/platform/prod/ci bot & co <1>"), "platform/prod/ci bot _ co _1_");
    fc.assert(
      fc.property(fc.string({ maxLength: 400, unit: "grapheme" }), (name) => {
        assert.match(ownerTag(`acme/platform/prod/${name}`), TAG_VALUE);
      }),
      { numRuns: 500 },
    );
  });
});

describe("the key that an announcement is about", () => {
  it("is the only one in the attempt's window, 5 s on either side", () => {
    for (const seconds of [-5, 0, 30, 60, 65]) {
      assert.equal(announcedKey(ANNOUNCEMENT, [listed("NEW", seconds)])?.accessKeyId, "NEW", `${seconds} s`);
    }
    for (const seconds of [-6, 66, -86_400, 86_400]) {
      assert.equal(announcedKey(ANNOUNCEMENT, [listed("NEW", seconds)]), undefined, `${seconds} s`);
    }
    assert.equal(windowEnd(ANNOUNCEMENT), AT + 65_000);
  });

  it("is none of those that existed before", () => {
    assert.equal(announcedKey(ANNOUNCEMENT, [listed("OTHER", 1)]), undefined);
    assert.equal(announcedKey(ANNOUNCEMENT, [listed("OTHER", 1), listed("NEW", 1)])?.accessKeyId, "NEW");
  });

  it("is nobody's where there are two", () => {
    assert.equal(announcedKey(ANNOUNCEMENT, [listed("ONE", 1), listed("TWO", 2)]), undefined);
  });

  it("is none without an announcement", () => {
    assert.equal(announcedKey(undefined, [listed("NEW", 1)]), undefined);
  });
});

describe("leftovers", () => {
  const ids = (ring: KeyRing, ledger: Ledger | undefined, keys: AccessKey[]) =>
    leftoversOf(ring, ledger, keys).map((key) => `${key.accessKeyId} ${key.state}`);

  it("are the keys that the ledger names or announces, and state does not know", () => {
    assert.deepEqual(ids(ringOf(), LEDGER, [listed("CURRENT", -900), listed("NEW", 1), listed("OTHER", -900)]), [
      "CURRENT leftover",
      "NEW leftover",
    ]);
    assert.deepEqual(ids(ringOf("CURRENT"), LEDGER, [listed("CURRENT", -900), listed("OTHER", -900)]), []);
  });

  it("are none without a ledger, whatever their dates", () => {
    assert.deepEqual(ids(ringOf(), undefined, [listed("NEW", 1)]), []);
  });

  it("are no stranger's key, where a tag that lags announces one that state already took in", () => {
    assert.deepEqual(ids(ringOf("CURRENT", "TAKEN"), LEDGER, [listed("TAKEN", 1), listed("STRANGER", 0)]), []);
  });
});
