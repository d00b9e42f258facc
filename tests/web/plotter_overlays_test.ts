/** Earlier periods drawn over a range, in a real browser. */

import { assert, assertEquals, assertMatch } from "@std/assert";
import { type BTrDB, DAY, SECOND } from "@btrdb/btrdb";
import { findChromium } from "../support/chromium.ts";
import { type PlotterPage, START, withPlotter } from "../support/plotter_page.ts";

const path = findChromium("earlier periods in the plotter");

/** Uuid of a stream with a step in each of three periods. */
const STEPS = "5f1e7d2c-0000-4000-8000-000000000001";

/** Ten minutes at 10 Hz, now, a day earlier and a week earlier: the step of each is elsewhere. */
async function fill(db: BTrDB): Promise<void> {
  const stream = await db.create(STEPS, "grid/steps", { tags: { name: "load", unit: "MW" } });
  for (const [by, low, at] of [[0n, 10, 3_000], [DAY, 40, 1_500], [7n * DAY, 70, 4_500]] as const) {
    await stream.insert(Array.from({ length: 6_000 }, (_, i): [bigint, number] => [
      START - by + BigInt(i) * SECOND / 10n,
      i < at ? low : low + 20,
    ]));
  }
  await stream.flush();
}

const RANGE = `from=2026-01-01T00:00:00Z&to=2026-01-01T00:10:00Z`;
const fragment = `#plots=${STEPS}.c0~left=0:100&${RANGE}`;

function test(name: string, use: (page: PlotterPage) => Promise<void>, earlier = ""): void {
  Deno.test({
    name: `plotter: ${name}`,
    ignore: path === undefined,
    fn: () =>
      withPlotter(path!, async ({ page }) => {
        // Names of streams are read after what is drawn.
        await page.tree();
        await page.settled();
        await use(page);
      }, { fill, fragment: fragment + earlier }),
  });
}

/** A row of pixels of the figure at a value, from one share of the range to another: their blueness. */
async function rowAt(
  page: PlotterPage,
  value: number,
  from: number,
  to: number,
): Promise<number[]> {
  return await page.page.value(`(() => {
    const canvas = document.querySelector('.figure canvas');
    const { width, height } = canvas;
    // The plot: legend above; strip, axis and labels below. The axis goes from 0 to 100.
    const [top, bottom] = [30, height - 42 - 9];
    const [left, right] = [66, width - 16];
    const y = Math.round(top + (bottom - top) * (1 - ${value} / 100));
    const x = (share) => Math.round(left + (right - left) * share);
    const length = x(${to}) - x(${from});
    const { data } = canvas.getContext('2d').getImageData(x(${from}), y - 2, length, 5);
    return Array.from({ length }, (_, i) => Math.max(...[0, 1, 2, 3, 4].map((row) => {
      const at = 4 * (row * length + i);
      return data[at + 2] - data[at];
    })));
  })()`);
}

async function chips(page: PlotterPage): Promise<string[]> {
  return await page.page.value(
    "[...document.querySelectorAll('.chip .name')].map((chip) => chip.textContent)",
  );
}

async function choose(page: PlotterPage, entry: string): Promise<void> {
  await page.click(await page.center("[title=View]"));
  await page.click(await page.center(".menu-item", entry));
  await page.settled();
}

test("yesterday is drawn where its values are, dashed and lighter than today", async (page) => {
  assert(Math.max(...await rowAt(page, 40, 0.05, 0.2)) < 20, "nothing at yesterday's value yet");
  await choose(page, "A day earlier");
  const today = await rowAt(page, 10, 0.05, 0.4);
  const before = await rowAt(page, 40, 0.05, 0.2);
  const after = await rowAt(page, 60, 0.3, 0.9);
  assert(Math.max(...await rowAt(page, 40, 0.3, 0.9)) < 20, "its step is at a quarter");
  for (const [row, name] of [[before, "before"], [after, "after"]] as const) {
    const gaps = row.filter((blue) => blue < 20).length / row.length;
    assert(gaps > 0.15 && gaps < 0.7, `dashed ${name} the step: ${gaps} of it are gaps`);
    assert(Math.max(...row) < Math.max(...today) * 0.85, `lighter ${name} the step`);
    assert(Math.max(...row) > 40, `seen ${name} the step`);
  }
  assertEquals(today.filter((blue) => blue < 20).length, 0, "today's line has no gap");
});

test("each period has a chip that names it, shows its value at the cursor, and removes it", async (page) => {
  await choose(page, "A day earlier");
  await choose(page, "A week earlier");
  assertEquals(await chips(page), ["load", "load, 1 d earlier", "load, 7 d earlier"]);
  const dashes = await page.page.value<string[]>(
    "[...document.querySelectorAll('.sample line')].map((line) => line.getAttribute('stroke-dasharray'))",
  );
  assertEquals(new Set(dashes).size, 3);
  const [x, y] = await page.center(".figure");
  await page.mouse("mouseMoved", x + 100, y);
  await page.page.until("document.querySelectorAll('.chip .values')[2]?.textContent !== ''");
  const values = await page.page.value<string[]>(
    "[...document.querySelectorAll('.chip .values')].map((one) => parseFloat(one.textContent))",
  );
  assertEquals(values, [30, 60, 70] as unknown as string[]);
  await page.page.value("document.querySelector('.figure').focus()");
  await page.key(".");
  await page.page.until(
    "/load, 7 d earlier: mean 70/.test(document.querySelector('[aria-live]').textContent)",
  );
  await page.click(await page.center("[aria-label='Remove 1 d earlier']"));
  await page.settled();
  assertEquals(await chips(page), ["load", "load, 7 d earlier"]);
  assertEquals((await page.view()).overlays, [7n * DAY]);
});

test(
  "a link brings earlier periods along, and they move with the range",
  async (page) => {
    assertEquals(await chips(page), ["load", "load, 1 d earlier"]);
    await page.page.value("document.querySelector('.figure').focus()");
    // Ten keys move the range by its length: nothing of today is left, and nothing of yesterday.
    for (let i = 0; i < 5; i++) await page.key("ArrowRight");
    await page.settled();
    assert(Math.max(...await rowAt(page, 60, 0.02, 0.45)) > 40, "yesterday's second half");
    assert(Math.max(...await rowAt(page, 60, 0.55, 0.95)) < 20, "nothing behind it");
    assertMatch((await chips(page)).join(), /1 d earlier/);
  },
  `&earlier=${DAY}`,
);
