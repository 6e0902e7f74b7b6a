import assert from "node:assert/strict";
import { createHash } from "node:crypto";

import fc from "fast-check";

import { html, raw } from "../../provider/src/cli/report/html";
import { type Palette, PALETTES } from "../../provider/src/cli/report/style";
import { axisOf, lanesOf, place } from "../../provider/src/cli/report/timeline";
import { exported, exportOf, FakeCli } from "../support/fakeCli";
import { FakeStack, program } from "../support/fakeStack";
import { START } from "../support/fakeClock";
import { day, everyKind, factsOf, key, resourceOf } from "../support/reportScene";

const NOW = new Date(START);

async function pageOf(resources: readonly object[] = everyKind()): Promise<string> {
  const cli = new FakeCli();
  cli.files.set("-", exportOf(resources));
  await cli.run("report", "--html", "out.html", "--file", "-");
  return cli.files.get("out.html") ?? "";
}

/** WCAG 2.2, "contrast ratio" and "relative luminance". */
function contrast(one: string, other: string): number {
  const luminance = (hex: string) => {
    const [red, green, blue] = [1, 3, 5].map((at) => {
      const channel = parseInt(hex.slice(at, at + 2), 16) / 255;
      return channel <= 0.04045 ? channel / 12.92 : ((channel + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * red! + 0.7152 * green! + 0.0722 * blue!;
  };
  const [dark, light] = [luminance(one), luminance(other)].sort((a, b) => a - b);
  return (light! + 0.05) / (dark! + 0.05);
}

describe("pulumi-iam-rotation report", () => {
  it("writes the page, says how many rotations are in it, and ends with 0 also when some need attention", async () => {
    const cli = new FakeCli();
    cli.stacks.set("prod", exportOf(everyKind()));
    const text = await cli.run("report", "--html", "keys.html", "--stack", "prod");
    assert.deepEqual(text, { code: 0, err: "", out: "keys.html: 5 rotations, 2 in need of attention\n" });
    const { out } = await cli.run("report", "--html", "keys.html", "--stack", "prod", "--json");
    assert.deepEqual(JSON.parse(out), { at: START, file: "keys.html", rotations: 5, needAttention: 2 });
    assert.match(cli.files.get("keys.html") ?? "", /^<!doctype html>\s+<html lang="en">/);
  });

  it("ends with 1 without a file to write", async () => {
    const { code, err } = await new FakeCli().run("report");
    assert.deepEqual([code, /required option '--html <file>' not specified/.test(err)], [1, true]);
  });

  it("needs nothing but itself: no address, no script, no handler, and a policy that allows its own style alone", async () => {
    const page = await pageOf();
    assert.doesNotMatch(page, /https?:|<script|<link|<img|<iframe|javascript:|\son\w+=|\sstyle=|@import|src=|href=/i);
    const style = /<style>(.*?)<\/style>/s.exec(page)?.[1] ?? "";
    const hash = createHash("sha256").update(style).digest("base64");
    const policy = /Content-Security-Policy" content="(.*?)"/.exec(page)?.[1]?.replaceAll("&#39;", "'");
    assert.match(policy ?? "", /^default-src 'none'; style-src 'sha256-/);
    assert.ok(policy?.includes(`'sha256-${hash}'`));
  });

  it("holds no secret, also of a state that was exported with --show-secrets", async () => {
    const stack = new FakeStack();
    await stack.up(program());
    const cli = new FakeCli(stack);
    const resource = exported(stack);
    cli.files.set("-", exportOf([resource, { ...resource, outputs: { ...stack.state } }]));
    await cli.run("report", "--html", "out.html", "--file", "-");
    const page = cli.files.get("out.html") ?? "";
    assert.ok(page.includes("AKIA0001") && stack.aws.secrets.length === 1);
    for (const secret of [...stack.aws.secrets, "v1:sealed"]) assert.ok(!page.includes(secret));
  });

  it("puts those that need somebody first, and says what they need", async () => {
    const page = await pageOf();
    const order = ["deploy-bot", "registry-mirror", "ses-smtp", "billing-export-vendor", "legacy-ftp"];
    const places = order.map((name) => page.indexOf(`<h2>${name}</h2>`));
    assert.ok(places.every((at) => at > 0));
    assert.deepEqual(
      places,
      places.toSorted((a, b) => a - b),
    );
    assert.match(page, /did not work 3 times in a row/);
    assert.equal(page.match(/class="overdue"/g)?.length, 3, "two of them and the legend");
  });

  it("shows a rotation that state does not hold, with the reason", async () => {
    const killed = { type: "creating", resource: { ...resourceOf("ci-bot", factsOf("ci-bot", 1)), outputs: {} } };
    const cli = new FakeCli();
    cli.files.set("-", exportOf([], [killed]));
    await cli.run("report", "--html", "out.html", "--file", "-");
    assert.match(cli.files.get("out.html") ?? "", /<h2>ci-bot<\/h2>.*a run was killed while creating it/s);
  });

  it("makes a page of a stack without a rotation, too", async () => {
    assert.match(await pageOf([]), /<b>0<\/b>\s+rotations/);
  });

  for (const [scheme, palette] of Object.entries(PALETTES)) {
    it(`has colours that can be told apart, ${scheme}: text 4.5 to 1, graphics 3 to 1`, () => {
      const text: [keyof Palette, keyof Palette][] = [
        ["text", "page"],
        ["text", "card"],
        ["text", "alarmBack"],
        ["text", "goodBack"],
        ["muted", "page"],
        ["muted", "card"],
        ["alarm", "card"],
        ["alarm", "alarmBack"],
      ];
      const graphics = ["current", "previous", "inactive", "pending", "alarm"] as const;
      for (const [front, back] of text) {
        assert.ok(contrast(palette[front], palette[back]) >= 4.5, `${front} on ${back}`);
      }
      for (const kind of graphics) assert.ok(contrast(palette[kind], palette.card) >= 3, kind);
    });
  }
});

describe("A template of HTML", () => {
  it("lets no value become markup, wherever it stands", () => {
    fc.assert(
      fc.property(fc.string(), (value) => {
        const { text } = html`<p title="${value}">${[value, raw("<b>x</b>")]}</p>`;
        const inside = text.replace('<p title="', "").replace('">', "").replace("<b>x</b></p>", "");
        assert.doesNotMatch(inside, /[<>"'`]/);
      }),
    );
    assert.equal(html`${"<&>"}${null}${false}${undefined}${7}`.text, "&#60;&#38;&#62;7");
  });
});

describe("The timeline of a rotation's keys", () => {
  const spans = (facts: Parameters<typeof lanesOf>[0]) =>
    lanesOf(facts, NOW).map(({ segments }) =>
      segments.map(({ state, from, to, isPlanned }) => {
        const days = (at: number) => Math.round((at - NOW.getTime()) / 86_400_000);
        return `${isPlanned ? "planned " : ""}${state} ${days(from)}..${days(to)}`;
      }),
    );

  it("shows a current key from its making on until now, and planned until the next rotation", () => {
    assert.deepEqual(spans(factsOf("ci-bot", 10)), [["current -10..0", "planned current 0..20"]]);
  });

  it("shows a previous key as current first, then as previous, and planned until the overlap is over", () => {
    const keys = [key("AKIA0002", "current", 10), key("AKIA0001", "previous", 40, { retiredAt: day(-10) })];
    const forever = factsOf("ci-bot", 10, { keys });
    assert.deepEqual(spans(forever)[1], ["current -40..-10", "previous -10..0", "planned previous 0..20"]);
    const policy = { deactivateAfterHours: 12 * 24, quietHours: 24, whenInUse: "wait" as const };
    const limited = factsOf("ci-bot", 10, { keys, previousKey: policy });
    assert.deepEqual(spans(limited)[1], ["current -40..-10", "previous -10..0", "planned previous 0..2"]);
    const over = factsOf("ci-bot", 10, { keys, previousKey: { ...policy, deactivateAfterHours: 24 } });
    assert.deepEqual(spans(over)[1], ["current -40..-10", "previous -10..0"]);
  });

  it("shows an Inactive key as such from the end of its overlap on, else from the rotation on", () => {
    const keys = [key("AKIA0001", "inactive", 40, { retiredAt: day(-10) })];
    const policy = { deactivateAfterHours: 48, quietHours: 24, whenInUse: "wait" as const };
    const limited = factsOf("ci-bot", 10, { keys, previousKey: policy });
    assert.deepEqual(spans(limited), [["current -40..-10", "previous -10..-8", "inactive -8..0"]]);
    assert.deepEqual(spans(factsOf("ci-bot", 10, { keys })), [["current -40..-10", "inactive -10..0"]]);
  });

  it("plans nothing where automatic rotation is off, and nothing that lies in the past", () => {
    assert.deepEqual(spans(factsOf("ci-bot", 10, { nextRotationAt: null })), [["current -10..0"]]);
    const late = factsOf("ci-bot", 40);
    assert.deepEqual(spans(late), [["current -40..0"]]);
    assert.ok((lanesOf(late, NOW)[0]?.overdue ?? 0) > 0);
  });

  it("marks a key that works as too old from its 91st day on, and an Inactive one only while it worked", () => {
    const tooOld = (...keys: ReturnType<typeof key>[]) =>
      lanesOf(factsOf("ci-bot", 10, { keys }), NOW).map((lane) => lane.tooOld !== undefined);
    assert.deepEqual(tooOld(key("AKIA0001", "current", 90), key("AKIA0002", "current", 90.1)), [false, true]);
    const retired = { retiredAt: day(-60) };
    assert.deepEqual(tooOld(key("AKIA0001", "inactive", 140, retired), key("AKIA0002", "inactive", 160, retired)), [
      false,
      true,
    ]);
  });

  it("has an axis that shows the line of 90 days, all that is near, and is cut off after a year and four months", () => {
    const span = (facts: Parameters<typeof lanesOf>[0]) => {
      const axis = axisOf(lanesOf(facts, NOW), NOW);
      const days = (at: number) => Math.round((at - NOW.getTime()) / 86_400_000);
      assert.ok(axis.ticks.length <= 6);
      assert.equal(place(axis, axis.from - 1), 0);
      assert.equal(place(axis, axis.to + 1), 100);
      return [days(axis.from), days(axis.to)];
    };
    assert.deepEqual(span(factsOf("ci-bot", 10)), [-108, 33]);
    const [from, to] = span(
      factsOf("ci-bot", 10, { keys: [key("AKIA0001", "current", 900)], nextRotationAt: day(900) }),
    );
    assert.deepEqual([from, to], [-375, 130]);
  });
});
