/** What a page looks like: a picture for designers, what axe says of it, and that nothing is wider than the window. */
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Page } from "playwright-core";
import { expect } from "vitest";

/** Where a designer finds them. */
const SHOTS = process.env.SCREENSHOTS ?? join(tmpdir(), "ssec-page");
export const DESK = { width: 1280, height: 800 };
export const PHONE = { width: 390, height: 844 };

const AXE = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

/** Keeps what is shown, and has axe look at it. */
export async function looksGood(page: Page, name: string): Promise<void> {
  await page.screenshot({ path: join(SHOTS, `${name}.png`) });
  // By the debugger's way in, which the page's own policy does not shut.
  await page.evaluate(AXE);
  const { violations } = await page.evaluate<{
    violations: { id: string; nodes: { html: string; failureSummary: string }[] }[];
  }>("axe.run({ resultTypes: ['violations'] })");
  expect(
    violations.map(({ id, nodes }) => [
      name,
      id,
      nodes.map(({ html, failureSummary }) => [html, failureSummary]),
    ]),
  ).toEqual([]);
  const overflow = await page.evaluate<number>("document.documentElement.scrollWidth - innerWidth");
  expect([name, overflow]).toEqual([name, 0]);
}
