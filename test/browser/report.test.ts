import assert from "node:assert/strict";
import { readFileSync } from "node:fs";

import type { BrowserContextOptions, Page } from "playwright-core";

import { PALETTES } from "../../provider/src/cli/report/style";
import { describeBrowser } from "../support/browser";
import { exportOf, FakeCli } from "../support/fakeCli";
import { everyKind, factsOf, key, resourceOf } from "../support/reportScene";

// What code in the page sees. The whole types of a browser would apply to every file of the repository.
interface PageElement {
  readonly tagName: string;
  readonly textContent: string | null;
}
declare const document: {
  readonly documentElement: { readonly scrollWidth: number };
  querySelectorAll(selector: string): Iterable<PageElement>;
};
declare const innerWidth: number;
declare function getComputedStyle(element: unknown): {
  readonly fontSize: string;
  getPropertyValue(name: string): string;
};

const DESKTOP: BrowserContextOptions = { viewport: { width: 1100, height: 900 } };
const PHONE: BrowserContextOptions = { viewport: { width: 360, height: 740 }, hasTouch: true, deviceScaleFactor: 2 };

/** The page of a stack with these resources. */
async function pageOf(resources: readonly object[] = everyKind()): Promise<string> {
  const cli = new FakeCli();
  cli.files.set("-", exportOf(resources));
  await cli.run("report", "--html", "out.html", "--file", "-");
  return cli.files.get("out.html") ?? "";
}

const rgb = (hex: string) => `rgb(${[1, 3, 5].map((at) => parseInt(hex.slice(at, at + 2), 16)).join(", ")})`;

const styleOf = (page: Page, selector: string, property: string) =>
  page
    .locator(selector)
    .first()
    .evaluate((element, name) => getComputedStyle(element).getPropertyValue(name), property);

describeBrowser("the report in a browser", (browser) => {
  it("asks for nothing, runs nothing and complains of nothing", async () => {
    const { page, requests, said } = await browser.show(await pageOf(), DESKTOP);
    await page.waitForLoadState("networkidle");
    assert.deepEqual(requests, ["http://report.test/"]);
    assert.deepEqual(said, []);
    assert.equal(await page.locator("script, link, img, iframe, object").count(), 0);
  });

  for (const scheme of ["light", "dark"] as const) {
    it(`has the colours of the ${scheme} scheme where a person wants that, overdue in red`, async () => {
      const { page } = await browser.show(await pageOf(), { ...DESKTOP, colorScheme: scheme });
      const palette = PALETTES[scheme];
      assert.equal(await styleOf(page, "body", "background-color"), rgb(palette.page));
      assert.equal(await styleOf(page, "article", "background-color"), rgb(palette.card));
      assert.equal(await styleOf(page, "rect.overdue", "fill"), rgb(palette.alarm));
      assert.equal(await styleOf(page, "dd.alarm", "color"), rgb(palette.alarm));
      assert.equal(await styleOf(page, "rect.current", "fill"), rgb(palette.current));
    });

    for (const [device, options] of [["desktop", DESKTOP] as const, ["phone", PHONE] as const]) {
      it(`has no accessibility fault that axe knows, ${scheme}, on a ${device}`, async () => {
        // The page's own policy would keep axe out, too.
        const { page } = await browser.show(await pageOf(), { ...options, colorScheme: scheme, bypassCSP: true });
        await page.addScriptTag({ content: readFileSync(require.resolve("axe-core/axe.min.js"), "utf8") });
        const violations = await page.evaluate(async () => {
          const { axe } = globalThis as unknown as {
            axe: { run(): Promise<{ violations: { id: string; nodes: { html: string }[] }[] }> };
          };
          return (await axe.run()).violations.map(
            ({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(" ")}`,
          );
        });
        assert.deepEqual(violations, []);
      });
    }
  }

  it("fits on a phone without scrolling to the side, and no text is smaller than 12 px", async () => {
    const { page } = await browser.show(await pageOf(), PHONE);
    const [inner, scrolled] = await page.evaluate(() => [innerWidth, document.documentElement.scrollWidth]);
    assert.equal(scrolled, inner);
    const smallest = await page.evaluate(() =>
      Math.min(
        ...[...document.querySelectorAll("body *")]
          .filter((element) => element.textContent?.trim())
          .map((element) => parseFloat(getComputedStyle(element).fontSize)),
      ),
    );
    assert.ok(smallest >= 12, `${smallest} px`);
  });

  it("draws each key where its dates are: today right of 90 days ago, bars end today, what is planned begins there", async () => {
    const { page } = await browser.show(await pageOf(), DESKTOP);
    const ses = page.getByRole("article").filter({ hasText: "rotation ses in" });
    const edges = async (selector: string, index = 0) => {
      const box = await ses.locator(selector).nth(index).boundingBox();
      assert.ok(box, selector);
      return { left: box.x, right: box.x + box.width };
    };
    const [cis, today] = [await edges("line.cis"), await edges("line.today")];
    const [current, planned] = [await edges("rect.current:not(.planned)"), await edges("rect.planned.current")];
    const before = await edges("rect.current:not(.planned)", 1);
    const previous = await edges("rect.previous:not(.planned)");
    const near = (a: number, b: number) => assert.ok(Math.abs(a - b) <= 2, `${a} is not ${b}`);
    assert.ok(cis.right < before.left && before.right < today.left);
    near(current.right, today.left);
    near(planned.left, today.left);
    near(previous.left, before.right);
    // A rotation is one instant: the new key begins where the old one stops being current.
    near(previous.left, current.left);
    const day = (today.left - cis.left) / 90;
    near(planned.right - planned.left, (18 - 8.5 / 24 + 3 / 24) * day);
  });

  it("tells those who do not see it what the charts show, and has every key in a table", async () => {
    const { page } = await browser.show(await pageOf(), DESKTOP);
    const chart = page.getByRole("img", {
      name: /^Timeline of the access keys of deploy-bot: AKIADEPLOY00000005CD current/,
    });
    assert.match(
      (await chart.getAttribute("aria-label")) ?? "",
      /rotation overdue by 4 days; AKIADEPLOY00000004CD inactive/,
    );
    const row = page.getByRole("row").filter({ hasText: "AKIABILLING000001GHI" });
    assert.match(await row.innerText(), /current.*118 days, over 90/s);
    assert.equal(await page.getByRole("rowheader").count(), 8);
  });

  it("shows what somebody hid in a name or a message as text, and nothing of it comes to life", async () => {
    const evil = `"><script>alert(1)</script><img src=http://evil.test/x onerror=alert(2)>'\`</style><svg onload=alert(3)>`;
    const facts = factsOf(evil, 40, {
      keys: [key(evil, "current", 40), key(`${evil}2`, "previous", 80, { retiredAt: "2026-12-01T00:00:00.000Z" })],
      rotationStatus: "failed",
      lastRotationMessage: evil,
      userArn: evil,
    });
    const honest = await browser.show(await pageOf([resourceOf("ci-bot", factsOf("ci-bot", 40))]), DESKTOP);
    const tags = (page: Page) =>
      page.evaluate(() => [...new Set([...document.querySelectorAll("*")].map((e) => e.tagName))]);
    const expected = await tags(honest.page);

    const { page, requests, said } = await browser.show(await pageOf([resourceOf(evil, facts)]), DESKTOP);
    await page.waitForLoadState("networkidle");

    assert.deepEqual([requests, said], [["http://report.test/"], []]);
    const more = (await tags(page)).filter((tag) => !expected.includes(tag) && tag !== "UL" && tag !== "LI");
    assert.deepEqual(more, []);
    assert.equal(await page.getByRole("heading", { level: 2 }).innerText(), evil);
  });
});
