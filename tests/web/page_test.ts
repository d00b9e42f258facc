/** `./web` in a page of a real browser. */

import { assert, assertEquals, assertMatch } from "@std/assert";
import { BTrDB } from "@btrdb/btrdb";
import { openEngine } from "../../src/engine/mod.ts";
import { Chromium, findChromium } from "../support/chromium.ts";
import { EndlessQueries } from "../support/endless_queries.ts";
import { findFirefox, Firefox } from "../support/firefox.ts";
import { quickStart } from "../support/readme.ts";
import { until } from "../support/until.ts";
import { inWebPage, type WebProgram } from "../support/web_page.ts";

const WHAT = "a page that reads and writes over gRPC-Web";
const CHROMIUM = findChromium(WHAT);
const FIREFOX = findFirefox(WHAT);

/** A browser that can be started, if it is installed. */
interface Browser {
  readonly name: string;
  readonly isThere: boolean;
  readonly start: WebProgram["start"];
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
      await inWebPage({ start: browser.start, source: program }, async (page) => {
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
      await inWebPage({ start: browser.start, source: program }, async (page, server) => {
        await page.until("globalThis.seen?.length >= 3");
        const isOver = () => server.metrics().includes('rpc="Subscribe"');
        assert(!isOver());
        await page.close();
        await until("the subscription is over", isOver);
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
      const database = async () => new BTrDB(queries.endpoint(await openEngine()));
      await inWebPage({ start: browser.start, source: program, database }, async (page) => {
        await page.until("globalThis.n >= 50_000 && globalThis.hasText");
        assertEquals(queries.open, 2);
        await queries.endsAfter(
          `a closed tab of ${browser.name}, gRPC-Web and CSV`,
          () => page.close(),
        );
      });
    },
  });
}
