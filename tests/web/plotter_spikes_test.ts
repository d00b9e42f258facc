/** Single samples that are far away, in pictures of dense and dashed lines, in a real browser. */

import { assert, assertEquals } from "@std/assert";
import { type BTrDB, SECOND } from "@btrdb/btrdb";
import { findChromium } from "../support/chromium.ts";
import { START, withPlotter } from "../support/plotter_page.ts";

const path = findChromium("spikes in the plotter");

/** Uuid of a stream with spikes. */
const SPIKES = "5f1e7d2c-0000-4000-8000-000000000002";

/** Numbers of the samples that are far away: at any phase of a dash and of a column of pixels. */
const PLACES = Array.from({ length: 40 }, (_, i) => 500 + 1_237 * i);

async function fill(db: BTrDB): Promise<void> {
  const stream = await db.create(SPIKES, "grid/spikes", { tags: { name: "spikes", unit: "V" } });
  const far = new Set(PLACES);
  await stream.insert(Array.from({ length: 50_000 }, (_, i): [bigint, number] => [
    START + BigInt(i) * SECOND / 10n,
    far.has(i) ? 90 : 10,
  ]));
  await stream.flush();
}

const TO = START + 5_000n * SECOND;

for (
  const [name, ink, scale] of [["dotted", 7, 1], ["dashed", 2, 1.25], ["solid", 0, 2]] as const
) {
  Deno.test({
    name:
      `plotter: every one of 40 spikes of a sample is seen in a ${name} line at ${scale} pixels a CSS pixel`,
    ignore: path === undefined,
    fn: () =>
      withPlotter(path!, async ({ page }) => {
        await page.tree();
        assertEquals(await page.page.value("devicePixelRatio"), scale);
        await page.settled();
        await page.settled();
        const { columns, width } = await page.page.value<{ columns: number[]; width: number }>(
          `(() => {
            const canvas = document.querySelector('.figure canvas');
            const scale = devicePixelRatio;
            const [left, top] = [Math.round(66 * scale), 30 * scale];
            const width = canvas.width - left - Math.round(16 * scale);
            const height = canvas.height - (30 + 42 + 9) * scale;
            // A row at a value of 50: only what goes up to a spike crosses it.
            const y = Math.round(top + height / 2);
            const context = canvas.getContext('2d');
            const { data } = context.getImageData(left, y - 4, width, 1);
            const columns = [];
            for (let x = 0; x < width; x++) {
              const [r, g, b] = data.slice(4 * x, 4 * x + 3);
              if (Math.max(r, g, b) - Math.min(r, g, b) > 24) columns.push(x);
            }
            return { columns, width };
          })()`,
        );
        assert(columns.length < width / 4, `${columns.length} of ${width}`);
        const missing = PLACES.filter((place) => {
          const x = place / 50_000 * width;
          return !columns.some((column) => Math.abs(column - x) <= 3);
        });
        assertEquals(missing, []);
      }, {
        fill,
        scale, // From the start: Chromium does not tell a page of each change of emulated pixels.
        fragment: `#plots=${SPIKES}.c${ink}~left=0:100&from=${START}&to=${TO}`
          .replace(String(START), "2026-01-01T00:00:00Z")
          .replace(String(TO), "2026-01-01T01:23:20Z"),
      }),
  });
}

Deno.test({
  name: "plotter: a band has one colour at every number of pixels a CSS pixel: bars do not overlap",
  ignore: path === undefined,
  fn: () =>
    withPlotter(path!, async ({ page }) => {
      await page.tree();
      const colours: string[] = [];
      for (const [width, scale] of [[1280, 1], [1281, 2], [1282, 1.5]] as const) {
        await page.resize(width, 800, false, scale);
        await page.page.until(
          `devicePixelRatio === ${scale} && (() => {
            const { width, clientWidth } = document.querySelector('.figure canvas');
            return width === Math.round(clientWidth * devicePixelRatio);
          })()`,
        );
        await page.settled();
        await page.settled();
        colours.push(
          await page.page.value(`(() => {
            const { width, height } = document.querySelector('.figure canvas');
            const context = document.querySelector('.figure canvas').getContext('2d');
            const { data } = context.getImageData(0, 0, width, height);
            const counts = new Map();
            for (let i = 0; i < data.length; i += 4) {
              const [r, g, b] = data.subarray(i, i + 3);
              if (Math.max(r, g, b) - Math.min(r, g, b) <= 24) continue;
              const colour = [r, g, b].join();
              counts.set(colour, (counts.get(colour) ?? 0) + 1);
            }
            return [...counts].sort((a, b) => b[1] - a[1])[0][0];
          })()`),
        );
      }
      assertEquals(new Set(colours).size, 1, colours.join("; "));
    }, {
      fill: async (db) => {
        const stream = await db.create(SPIKES, "spikes", { tags: { name: "noise", unit: "V" } });
        const count = 60_000;
        await stream.insert({
          times: BigInt64Array.from({ length: count }, (_, i) => START + BigInt(i) * SECOND / 100n),
          values: Float64Array.from({ length: count }, (_, i) => (i * 7919) % 1000),
        });
        await stream.flush();
      },
      fragment:
        `#plots=${SPIKES}.c0&from=2026-01-01T00:00:00Z&to=2026-01-01T00:10:00Z&hide=density`,
    }),
});
