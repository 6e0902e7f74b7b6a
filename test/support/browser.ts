import { accessSync, constants, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";

import { type BrowserContext, type BrowserContextOptions, chromium, type Page } from "playwright-core";

/** The names that a Chromium is installed under; the first one that is found is taken. */
const NAMES = ["chromium", "chromium-browser", "google-chrome"];

// No update, no telemetry, no network but the page's own.
const FLAGS = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

function browserPath(): string | undefined {
  const folders = (process.env["PATH"] ?? "").split(delimiter);
  return folders.flatMap((folder) => NAMES.map((name) => join(folder, name))).find(isExecutable);
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** A suite that needs a browser; skipped, with the reason in its title, where there is none. */
export function describeBrowser(title: string, suite: (browser: TestBrowser) => void): void {
  const path = browserPath();
  if (path === undefined) {
    const reason = `skipped: none of ${NAMES.join(", ")} is on PATH; on Debian \`apt-get install chromium\``;
    describe.skip(`${title} (${reason})`, () => suite(new TestBrowser("")));
    return;
  }
  describe(title, () => {
    const browser = new TestBrowser(path);
    afterEach(() => browser.close());
    suite(browser);
  });
}

/** A page that was opened, and what went on in it. */
export interface OpenPage {
  readonly page: Page;
  /** The addresses that were asked for, its own first. */
  readonly requests: string[];
  /** What it wrote to the console, and what went wrong in it. */
  readonly said: string[];
}

/** Opens pages in a real headless Chromium, each in a process and a profile of its own. */
export class TestBrowser {
  private readonly open: { readonly context: BrowserContext; readonly profile: string }[] = [];

  constructor(private readonly executablePath: string) {}

  /** Shows HTML. The browser ends with the test. */
  async show(html: string, options: BrowserContextOptions = {}): Promise<OpenPage> {
    const profile = mkdtempSync(join(tmpdir(), "iam-rotation-browser-"));
    const context = await chromium.launchPersistentContext(profile, {
      executablePath: this.executablePath,
      headless: true,
      args: FLAGS,
      ...options,
    });
    this.open.push({ context, profile });
    const page = context.pages()[0] ?? (await context.newPage());
    const requests: string[] = [];
    const said: string[] = [];
    page.on("request", (request) => void requests.push(request.url()));
    page.on("console", (message) => void said.push(message.text()));
    page.on("pageerror", (error) => void said.push(error.message));
    page.on("dialog", (dialog) => {
      said.push(`dialog: ${dialog.message()}`);
      void dialog.dismiss();
    });
    await page.route("http://report.test/", (route) => route.fulfill({ contentType: "text/html", body: html }));
    await page.goto("http://report.test/");
    return { page, requests, said };
  }

  /** Ends every browser that was opened. */
  async close(): Promise<void> {
    for (const { context, profile } of this.open.splice(0)) {
      await context.close();
      rmSync(profile, { recursive: true, force: true });
    }
  }
}
