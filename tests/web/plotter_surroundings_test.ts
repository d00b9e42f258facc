/** The plotter in other surroundings: many streams, lost servers, phones, touch, contrast. */

import { assert, assertEquals, assertMatch } from "@std/assert";
import { SECOND } from "@btrdb/btrdb";
import { serve } from "@btrdb/btrdb/server";
import { findChromium } from "../support/chromium.ts";
import {
  fillSample,
  type PlotterOptions,
  type PlotterPage,
  START,
  type Surroundings,
  withPlotter,
} from "../support/plotter_page.ts";
import { freePort } from "../support/free_port.ts";
import { until } from "../support/until.ts";
import { connect } from "@btrdb/btrdb";

const path = findChromium("the plotter in other surroundings");

function test(
  name: string,
  use: (surroundings: Surroundings) => Promise<void>,
  options?: PlotterOptions,
): void {
  Deno.test({
    name: `plotter: ${name}`,
    ignore: path === undefined,
    fn: () => withPlotter(path!, use, options),
  });
}

/** Pixels of the data's canvas without its texts: red, green, blue, alpha. */
async function pixelsOf(
  page: PlotterPage,
): Promise<{ width: number; height: number; data: number[] }> {
  return await page.page.value(`(() => {
    const canvas = document.querySelector('.figure canvas');
    const width = 400, height = 200;
    const small = document.createElement('canvas');
    [small.width, small.height] = [width, height];
    const context = small.getContext('2d', { willReadFrequently: true });
    context.drawImage(canvas, 80, 40, canvas.width - 100, canvas.height - 100, 0, 0, width, height);
    return { width, height, data: [...context.getImageData(0, 0, width, height).data] };
  })()`);
}

test(
  "a server that is lost is said to be, what is drawn stays, and the page heals",
  async ({ page, db, server }) => {
    await page.choose("magnitude");
    await page.settled();
    const port = server.httpPort!;
    await server.stop({ graceful: false });
    await page.page.value("document.querySelector('.figure').focus()");
    await page.key("ArrowUp");
    await page.key("ArrowUp");
    await page.page.until("document.querySelector('.banner:not([hidden])')");
    assertMatch(
      await page.page.value("document.querySelector('.banner').textContent"),
      /does not answer.*by itself/s,
    );
    assertEquals(await page.chips(), ["magnitude"]);
    await using _again = await serve(db, { port: 0, hostname: "127.0.0.1", http: { port } });
    await page.page.until("document.querySelector('.banner[hidden]')");
    await page.settled();
    assertMatch(await page.page.value("document.querySelector('.server').textContent"), /^127/);
    // Chromium itself reports connections that were refused.
    const own = page.page.problems.filter((text) => !/ERR_|Failed to load resource/.test(text));
    page.page.problems.splice(0, Infinity, ...own);
  },
  { serve: { http: { port: freePort() } } },
);

test(
  "20,002 streams are searched as one types, and a few rows are elements",
  async ({ page }) => {
    const { summary } = await page.tree();
    assertMatch(summary, /^20,002 streams$/);
    assert(await page.page.value<number>("document.querySelectorAll('.tree-row').length") < 100);
    await page.key("/");
    const slowest = await page.page.value<number>(`(() => {
      const input = document.querySelector('[type=search]');
      let slowest = 0;
      for (const text of ['b', 'ba', 'bay-7', 'bay-7 s1', 'bay-7 s1234']) {
        input.value = text;
        const began = performance.now();
        input.dispatchEvent(new Event('input'));
        slowest = Math.max(slowest, performance.now() - began);
      }
      return slowest;
    })()`);
    console.log(`      slowest search: ${slowest.toFixed(1)} ms`);
    await page.page.until(
      "/^\\d+ of/.test(document.querySelector('.streams .summary').textContent)",
    );
    assert(await page.page.value<number>("document.querySelectorAll('.tree-row').length") < 100);
  },
  {
    fill: async (db) => {
      for (let i = 0; i < 20_000; i += 500) {
        await Promise.all(Array.from({ length: 500 }, (_, k) => {
          const n = i + k;
          const collection = `bulk/site-${n % 100}/bay-${Math.floor(n / 100) % 20}`;
          return db.create(crypto.randomUUID(), collection, { tags: { name: `S${n}`, unit: "A" } });
        }));
      }
    },
  },
);

test(
  "on a phone the list lies over the figure, and nothing is wider than the page",
  async ({ page }) => {
    await page.page.until("document.querySelector('.app.narrow-side')");
    await page.click(await page.center("[aria-label='List of streams']"));
    await page.choose("magnitude");
    await page.settled();
    await page.click([370, 500]);
    await page.page.until("document.querySelector('.app.narrow-side')");
    assertEquals(await page.page.value("document.documentElement.scrollWidth"), 390);
    const outside = await page.page.value<string[]>(`[...document.querySelectorAll('button, input')]
      .filter((one) => one.offsetParent !== null && one.closest('.side') === null)
      .filter((one) => !one.classList.contains('hidden-text'))
      .filter((one) => { const { left, right } = one.getBoundingClientRect(); return left < 0 || right > 391; })
      .map((one) => one.outerHTML)`);
    assertEquals(outside, []);
  },
  { size: [390, 780] },
);

// A page took 501 of a server that only reads for a lost connection, and said so every two seconds.
for (
  const [what, over] of [["a cluster of v4", "v4"], [
    "a file open for reading",
    "read-only",
  ]] as const
) {
  test(
    `over ${what}, which has no subscriptions, points that are written and deleted show by themselves`,
    async ({ page, db, server }) => {
      await page.choose("magnitude");
      await page.page.until(
        "document.querySelector('.range input').value.startsWith('2025-12-31')",
      );
      await page.settled();
      const [stream] = await Array.fromAsync(
        db.lookupStreams("grid/pmu-1", { tags: { name: "magnitude" } }),
      );
      await page.key("t");
      const cell = (n: number) =>
        `document.querySelector('.drawer td:nth-of-type(${n})')?.textContent`;
      await page.page.until(`/^6.000$/.test(${cell(2)})`);
      await stream!.insert([[START + 5n * SECOND + 1n, 400]]);
      await page.page.until(`/^6.001$/.test(${cell(2)})`);
      await stream!.flush();
      await stream!.deleteRange(START + 5n * SECOND, START + 6n * SECOND);
      await page.page.until(`/^5.990$/.test(${cell(2)})`);
      assertEquals(await page.page.value("document.querySelectorAll('.toast').length"), 0);
      const calls = server.metrics().split("\n").filter((line) =>
        /^btrdb_server_calls_total.*"Subscribe"/.test(line)
      );
      assertEquals(calls.map((line) => line.split(" ").at(-1)), ["1"], calls.join());
    },
    { over },
  );
}

test(
  "on a phone the empty figure says where the list is, and the list that nothing was found",
  async ({ page }) => {
    await page.page.until(
      "/button at the top left/.test(document.querySelector('.empty').innerText)",
    );
    assert(!/left. Type/.test(await page.page.value("document.querySelector('.empty').innerText")));
    await page.click(await page.center("[aria-label='List of streams']"));
    await page.tree();
    assertEquals(await page.page.value("document.querySelector('.nothing').hidden"), true);
    await page.click(await page.center("[type=search]"));
    await page.type("no such stream");
    await page.page.until("document.querySelector('.nothing:not([hidden])')");
    const { x, width } = await page.page.value<{ x: number; width: number }>(
      "document.querySelector('.nothing').getBoundingClientRect().toJSON()",
    );
    assert(x >= 0 && x + width <= 390);
  },
  { size: [390, 780] },
);

test(
  "two fingers zoom, one pans",
  async ({ page }) => {
    await page.choose("magnitude");
    await page.page.until("document.querySelector('.range input').value.startsWith('2025-12-31')");
    await page.settled();
    const before = (await page.view()).range as { start: bigint; end: bigint };
    const touch = (type: string, ...xs: number[]) =>
      page.page.send("Input.dispatchTouchEvent", {
        type,
        touchPoints: xs.map((x, id) => ({ x, y: 400, id })),
      });
    await touch("touchStart", 600);
    await touch("touchStart", 600, 700);
    for (const by of [20, 60, 100]) await touch("touchMove", 600 - by, 700 + by);
    await touch("touchEnd");
    const zoomed = (await page.view()).range as { start: bigint; end: bigint };
    const factor = Number(before.end - before.start) / Number(zoomed.end - zoomed.start);
    assert(factor > 2 && factor < 4, `zoomed by ${factor}`);
  },
  { touch: true },
);

test("at 200 % zoom everything is there and can be scrolled to", async ({ page }) => {
  await page.choose("magnitude");
  await page.settled();
  await page.resize(640, 400, false, 2);
  await page.page.until(
    "document.querySelector('.figure canvas').width === document.querySelector('.figure').clientWidth * 2",
  );
  assertEquals(await page.page.value("document.documentElement.scrollWidth <= 640"), true);
  assert(await page.page.value<number>("document.querySelector('.figure').clientHeight") > 100);
  // The list does not come to lie over the figure, and is beside it again when there is room.
  await page.page.until("document.querySelector('.app.narrow-side')");
  await page.resize(1280, 800);
  await page.page.until("document.querySelector('.app:not(.narrow-side)')");
});

test(
  "high contrast is black on white, and lines differ in dashes too",
  async ({ page }) => {
    assertEquals(await page.page.value("document.documentElement.dataset.theme"), "contrast-light");
    assertEquals(await page.page.value("getComputedStyle(document.body).color"), "rgb(0, 0, 0)");
    await page.choose("magnitude");
    await page.choose("angle");
    await page.settled();
    const dashes = await page.page.value<string[]>(
      "[...document.querySelectorAll('.sample line')].map((line) => line.getAttribute('stroke-dasharray'))",
    );
    assertEquals(new Set(dashes).size, 2);
  },
  { media: { "prefers-contrast": "more" } },
);

test("dark and light are chosen in the menu, and stay chosen", async ({ page, origin }) => {
  await page.tree();
  await page.click(await page.center("[title=View]"));
  await page.click(await page.center(".menu-item", "Dark"));
  assertEquals(await page.page.value("document.documentElement.dataset.theme"), "dark");
  await page.page.open(`${origin}/?again`);
  await page.page.until("document.documentElement.dataset.theme === 'dark'");
});

test("the picture is the one it always was", async ({ page }) => {
  await page.choose("magnitude");
  await page.page.until("document.querySelector('.range input').value.startsWith('2025-12-31')");
  await page.settled();
  const { width, height, data } = await pixelsOf(page);
  // A block of 20 × 20 pixels is a character: how much of it is drawn, in steps of six pixels, nine at most.
  let text = "";
  for (let y = 0; y < height; y += 20) {
    for (let x = 0; x < width; x += 20) {
      let ink = 0;
      for (let i = 0; i < 400; i++) {
        const at = 4 * ((y + Math.floor(i / 20)) * width + x + i % 20);
        if (data[at + 2]! - data[at]! > 8) ink++;
      }
      text += Math.min(9, Math.floor(ink / 6));
    }
    text += "\n";
  }
  const file = new URL("./plotter_picture.txt", import.meta.url);
  if (Deno.env.get("UPDATE_SNAPSHOTS") === "1") await Deno.writeTextFile(file, text);
  const known = await Deno.readTextFile(file);
  let difference = 0;
  for (let i = 0; i < text.length; i++) {
    difference += Math.abs(text.charCodeAt(i) - (known.charCodeAt(i) || 0));
  }
  assert(
    difference <= 40,
    `differs by ${difference} steps:\n${text}\ninstead of\n${known}`,
  );
  assert(/[3-9]/.test(known));
});

test("what changed since a version is shaded", async ({ page, db }) => {
  const [stream] = await Array.fromAsync(
    db.lookupStreams("grid/pmu-1", { tags: { name: "angle" } }),
  );
  await page.choose("angle");
  await page.page.until("document.querySelector('.range input').value.startsWith('2025-12-31')");
  await page.settled();
  const before = await stream!.version();
  await stream!.insert([[START + 60n * SECOND + 1n, 100]]);
  await stream!.flush();
  const orange = () =>
    page.page.value<number>(`(() => {
      const canvas = document.querySelector('.figure canvas');
      const { data } = canvas.getContext('2d').getImageData(66, 40, canvas.width - 90, canvas.height - 110);
      let count = 0;
      for (let i = 0; i < data.length; i += 4) if (data[i] - data[i + 2] > 15) count++;
      return count;
    })()`);
  assertEquals(await orange(), 0);
  await page.click(await page.center(".chip .name", "angle"));
  await page.click(await page.center(".menu-item", "Shade changes since…"));
  await page.page.until("document.querySelector('dialog[open] input')");
  await page.page.value("document.querySelector('dialog[open] input').value = ''");
  await page.type(String(before));
  await page.key("Enter");
  await page.page.until("document.querySelector('dialog') === null");
  await until("shades", async () => await orange() > 0);
  const shaded = await orange();
  assert(shaded > 100 && shaded < 60_000, `${shaded}`);
});

Deno.test({
  name: "plotter: a read key sees its streams; without the right to read it is asked for another",
  ignore: path === undefined,
  async fn() {
    await using db = await connect("memory:");
    await fillSample(db);
    await withPlotter(path!, async ({ page }) => {
      await page.page.until("document.querySelector('dialog[open] input')");
      await page.type("only-this");
      await page.key("Enter");
      assertEquals((await page.tree()).summary, "2 streams");
    }, { serve: { apiKeys: [{ key: "only-this", capabilities: ["read"] }] } });
  },
});
