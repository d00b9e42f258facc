/** Exports of the plotter that take a while, in a real browser. */

import { assert, assertEquals, assertMatch } from "@std/assert";
import { type BTrDB, MILLISECOND } from "@btrdb/btrdb";
import { findChromium } from "../support/chromium.ts";
import { START, withPlotter } from "../support/plotter_page.ts";
import { until } from "../support/until.ts";

const path = findChromium("exports of the plotter");

/** Uuid of a stream that is long. */
const LONG = "5f1e7d2c-0000-4000-8000-000000000003";

/** Its points. */
const COUNT = 6_000_000;

async function fill(db: BTrDB): Promise<void> {
  const stream = await db.create(LONG, "grid/long", { tags: { name: "long", unit: "V" } });
  const length = 500_000;
  for (let at = 0; at < COUNT; at += length) {
    await stream.insert({
      times: BigInt64Array.from({ length }, (_, i) => START + BigInt(at + i) * MILLISECOND),
      values: Float64Array.from({ length }, (_, i) => Math.sin((at + i) / 997) + (i * 7 % 13) / 13),
    });
  }
  await stream.flush();
}

for (const kind of ["CSV", "Parquet"]) {
  Deno.test({
    name: `plotter: ${kind} shows how far it is, and Stop ends it in the page and on the server`,
    ignore: path === undefined,
    fn: () =>
      withPlotter(path!, async ({ page, server }) => {
        await page.tree();
        await page.settled();
        await page.captureDownloads();
        // A busy machine was through with all points before it clicked.
        await page.throttle(2_000_000);
        await page.click(await page.center("[title=Export]"));
        await page.click(await page.center(".menu-item", `${kind}, every point`));
        const stop = await page.center("dialog button", "Stop");
        await page.page.until("document.querySelector('dialog progress').value > 0");
        const shown = await page.page.value<{ text: string; share: number }>(
          `({ text: document.querySelector('dialog [role=status]').textContent,
              share: document.querySelector('dialog progress').value })`,
        );
        await page.click(stop);
        assertMatch(shown.text, /^\d[\d\s]* bytes$/);
        assert(shown.share > 0 && shown.share < 1, `a share of ${shown.share} is done`);
        await page.page.until("document.querySelector('dialog') === null");
        const ended = /rpc="RawValues",code="CANCELLED"\} 1/;
        await until("the query is over", () => ended.test(server.metrics()));
        assertEquals(await page.downloads(), [], "nothing is saved of it");
        await page.throttle(undefined);
        // The page is as it was, and saves again.
        await page.click(await page.center("[title=Export]"));
        await page.click(await page.center(".menu-item", `${kind}, windows as shown`));
        const { name } = await page.download();
        assertEquals(name, `grid-long-long.windows.${kind.toLowerCase()}`);
      }, {
        fill,
        fragment: `#plots=${LONG}.c0&from=2026-01-01T00:00:00Z&to=2026-01-01T01:40:00Z`,
      }),
  });
}
