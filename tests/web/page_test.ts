/** `./web` in a page of a real browser. */

import { assert, assertEquals, assertMatch } from "@std/assert";
import { BTrDB, connect } from "@btrdb/btrdb";
import { serve } from "@btrdb/btrdb/server";
import { openEngine } from "../../src/engine/mod.ts";
import { Chromium, findChromium } from "../support/chromium.ts";
import { EndlessQueries } from "../support/endless_queries.ts";
import { findFirefox, Firefox } from "../support/firefox.ts";
import { quickStart } from "../support/readme.ts";
import { bundleFor, Site, strictPolicy } from "../support/web_bundle.ts";

const WHAT = "a page that reads and writes over gRPC-Web";
const CHROMIUM = findChromium(WHAT);
const FIREFOX = findFirefox(WHAT);

/** The parts of a page that these tests need. */
interface Page {
  readonly lines: readonly string[];
  readonly problems: readonly string[];
  open(url: string): Promise<void>;
  until(expression: string): Promise<void>;
  close(): Promise<void>;
}

/** A browser that can be started, if it is installed. */
interface Browser {
  readonly name: string;
  readonly isThere: boolean;
  start(): Promise<AsyncDisposable & { page(): Promise<Page> }>;
}

const BROWSERS: readonly Browser[] = [
  {
    name: "Chromium",
    isThere: CHROMIUM !== undefined,
    start: () => Chromium.start(CHROMIUM!),
  },
  {
    name: "Firefox",
    isThere: FIREFOX !== undefined,
    start: () => Firefox.start(FIREFOX!),
  },
];

/** Runs a program as a page of another origin than the server's. */
async function inPage(
  { start }: Browser,
  program: (target: string) => string,
  use: (page: Page, metrics: () => string) => Promise<void>,
  open: () => Promise<BTrDB> = () => connect("memory:"),
): Promise<void> {
  await using db = await open();
  await using site = await Site.open();
  const http = { port: 0, origins: [site.origin] };
  await using server = await serve(db, { port: 0, http });
  const target = `http://127.0.0.1:${server.httpPort}`;
  site.show(await bundleFor(program(target)), strictPolicy(target));
  await using browser = await start();
  const page = await browser.page();
  await page.open(site.origin);
  await use(page, () => server.metrics());
  assertEquals(page.problems, []);
}

for (const browser of BROWSERS) {
  Deno.test({
    name: `web, ${browser.name}: the quick start of the README in a page with a strict policy`,
    ignore: !browser.isThere,
    async fn() {
      const source = (await quickStart()).replace('"@btrdb/btrdb"', '"@btrdb/btrdb/web"');
      assert(source.includes('connect("memory:")'));
      const program = (target: string) =>
        `${source.replace('connect("memory:")', `connect("${target}")`)}
       (globalThis as { isDone?: boolean }).isDone = true;`;
      await inPage(browser, program, async (page) => {
        await page.until("globalThis.isDone");
        const windows = page.lines.filter((line) => /^20\d\d-/.test(line));
        assertEquals(windows.length, 5);
        const [, first] = windows;
        const range = "7190.0 to 7210.0, mean 7201.5, 257 points";
        assertEquals(first, `2026-01-01T00:00:00.302383104Z  ${range}`);
        assertMatch(page.lines.at(-1)!, /^600 points now, 1200 in version \d+$/);
      });
    },
  });

  Deno.test({
    name: `web, ${browser.name}: a tab that is closed ends its subscription on the server`,
    ignore: !browser.isThere,
    async fn() {
      const program = (target: string) => `
      import { connect } from "@btrdb/btrdb/web";
      const db = await connect("${target}");
      const stream = await db.create(crypto.randomUUID(), "live");
      const seen: number[] = [];
      Object.assign(globalThis, { seen });
      const updates = db.subscribe([stream])[Symbol.asyncIterator]();
      const first = updates.next();
      const writing = setInterval(() => void stream.insert([[BigInt(Date.now()) * 1000000n, 1]]), 50);
      while (true) {
        const { value, done } = seen.length === 0 ? await first : await updates.next();
        if (done) break;
        seen.push(value.times.length);
        if (seen.length === 3) clearInterval(writing);
      }
    `;
      await inPage(browser, program, async (page, metrics) => {
        await page.until("globalThis.seen?.length >= 3");
        const isOver = () => metrics().includes('rpc="Subscribe"');
        assert(!isOver());
        await page.close();
        const endMs = Date.now() + 60_000;
        while (!isOver() && Date.now() < endMs) await new Promise((go) => setTimeout(go, 5));
        assert(isOver(), metrics());
      });
    },
  });

  Deno.test({
    name: `web, ${browser.name}: a tab that is closed ends its queries on the server`,
    ignore: !browser.isThere,
    async fn() {
      const program = (target: string) => `
      import { connect } from "@btrdb/btrdb/web";
      const db = await connect("${target}");
      const stream = await db.create(crypto.randomUUID(), "endless");
      let n = 0;
      const end = 1n << 60n;
      const url = \`${target}/api/v1/data.csv?stream=\${stream.uuid}&start=0&end=\${end}\`;
      const reader = (await fetch(url)).body!.getReader();
      void (async () => {
        while (!(await reader.read()).done) Object.assign(globalThis, { hasText: true });
      })();
      for await (const { times } of stream.rawValues(0n, end)) {
        Object.assign(globalThis, { n: n += times.length });
      }
    `;
      const queries = new EndlessQueries();
      await inPage(browser, program, async (page) => {
        await page.until("globalThis.n >= 50_000 && globalThis.hasText");
        assertEquals(queries.open, 2);
        await queries.endsAfter(
          `a closed tab of ${browser.name}, gRPC-Web and CSV`,
          () => page.close(),
        );
      }, async () => new BTrDB(queries.endpoint(await openEngine())));
    },
  });
}
