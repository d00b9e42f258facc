/** The contract (tests/conformance) in a page of a real browser, over gRPC-Web. */

import { assertEquals } from "@std/assert";
import { connect } from "@btrdb/btrdb";
import { serve } from "@btrdb/btrdb/server";
import { CASES } from "../conformance/cases.ts";
import { Chromium, findChromium } from "../support/chromium.ts";
import { findFirefox, Firefox } from "../support/firefox.ts";
import { PARQUET_IS_NOT_READ } from "../support/no_parquet.ts";
import { bundleFor, Site, strictPolicy } from "../support/web_bundle.ts";

const WHAT = "the contract in a page";
const CHROMIUM = findChromium(WHAT);
const FIREFOX = findFirefox(WHAT);

/** The parts of a page that this needs. */
interface Page {
  readonly lines: readonly string[];
  readonly problems: readonly string[];
  open(url: string): Promise<void>;
  until(expression: string): Promise<void>;
}

type Browser = AsyncDisposable & { page(): Promise<Page> };

/** A page that runs all cases, and says how each of them ended. */
function programFor(target: string, protocol: "v4" | "v5"): string {
  const at = (path: string) => JSON.stringify(new URL(path, import.meta.url).href);
  return `
    import { connect } from "@btrdb/btrdb";
    import { CASES } from ${at("../conformance/cases.ts")};
    import { Bench } from ${at("../conformance/support.ts")};
    const db = await connect("${target}", { protocol: "${protocol}" });
    let ended = 0;
    Object.defineProperty(globalThis, "ended", { get: () => ended });
    for (const { name, run } of CASES) {
      try {
        await run(new Bench(db, "${protocol}"));
        console.log("ok: " + name);
      } catch (error) {
        console.log("failed: " + name + ": " + error.message);
      }
      ended++;
    }
    await db.close();
  `;
}

/** Runs the cases; returns how those that did not end well ended. */
async function failuresIn(start: () => Promise<Browser>, protocol: "v4" | "v5"): Promise<string[]> {
  await using served = await connect("memory:");
  await using site = await Site.open();
  await using server = await serve(served, { port: 0, http: { port: 0, origins: [site.origin] } });
  const target = `http://127.0.0.1:${server.httpPort}`;
  const script = await bundleFor(programFor(target, protocol), {
    "@btrdb/btrdb": "./src/web/mod.ts",
    "@btrdb/btrdb/arrow": "./src/arrow/table.ts",
    "@btrdb/btrdb/parquet": "./tests/support/no_parquet.ts",
  });
  site.show(script, strictPolicy(target));
  await using browser = await start();
  const page = await browser.page();
  await page.open(site.origin);
  // Each case has the time that a page may take.
  for (let i = 1; i <= CASES.length && page.problems.length === 0; i++) {
    await page.until(`globalThis.ended >= ${i}`);
  }
  assertEquals(page.problems, []);
  assertEquals(page.lines.filter((line) => /^(ok|failed): /.test(line)).length, CASES.length);
  return page.lines.filter((line) => line.startsWith("failed: "));
}

const BROWSERS: readonly (readonly [string, (() => Promise<Browser>) | undefined, "v4" | "v5"])[] =
  [
    ["Chromium", CHROMIUM === undefined ? undefined : () => Chromium.start(CHROMIUM), "v4"],
    ["Chromium", CHROMIUM === undefined ? undefined : () => Chromium.start(CHROMIUM), "v5"],
    ["Firefox", FIREFOX === undefined ? undefined : () => Firefox.start(FIREFOX), "v5"],
  ];

for (const [name, start, protocol] of BROWSERS) {
  Deno.test({
    name: `web, ${name}: the contract over gRPC-Web ${protocol}`,
    ignore: start === undefined,
    async fn() {
      const failures = await failuresIn(start!, protocol);
      const [skipped, ...others] = failures.toSorted((a) =>
        a.endsWith(PARQUET_IS_NOT_READ) ? -1 : 1
      );
      assertEquals(others, []);
      console.warn(`skipped, ${skipped}`);
    },
  });
}
