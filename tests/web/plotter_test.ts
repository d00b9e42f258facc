/** The plotter as a person uses it, in a real browser. */

import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { SECOND } from "@btrdb/btrdb";
import { parquetReadObjects } from "hyparquet";
import { compressors } from "hyparquet-compressors";
import type { ViewState } from "../../src/web/plotter/view_state.ts";
import { findChromium } from "../support/chromium.ts";
import {
  type PlotterOptions,
  type PlotterPage,
  START,
  type Surroundings,
  withPlotter,
} from "../support/plotter_page.ts";
import { until } from "../support/until.ts";

const path = findChromium("the plotter");

/** A test with a page of its own. */
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

function spanOf({ range }: ViewState): { start: bigint; end: bigint; length: number } {
  if ("last" in range) throw new Error("The range follows the clock");
  return { ...range, length: Number(range.end - range.start) };
}

const near = (a: number, b: number, share = 0.03) => Math.abs(a - b) <= share * Math.abs(b);

/** Opens a stream, and waits until it is drawn. */
async function opened(page: PlotterPage, name = "magnitude"): Promise<void> {
  await page.choose(name);
  await page.page.until("document.querySelector('.range input').value.startsWith('2025-12-31')");
  await page.settled();
}

/** Middle and size of the figure. */
async function figureOf(page: PlotterPage): Promise<{ x: number; y: number; width: number }> {
  const [x, y] = await page.center(".figure");
  return {
    x,
    y,
    width: await page.page.value("document.querySelector('.figure').clientWidth - 82"),
  };
}

test("streams are listed, chosen, found by words, and a link says so", async ({ page }) => {
  const { rows, summary } = await page.tree();
  assertEquals(rows, ["grid", "pmu-1", "angle", "magnitude"]);
  assertEquals(summary, "2 streams");
  await opened(page);
  assertEquals(await page.chips(), ["magnitude"]);
  await page.key("/");
  await page.type("PMU deg");
  await page.page.until("document.querySelectorAll('.tree-row').length === 1");
  await page.key("Enter");
  await page.settled();
  assertEquals(await page.chips(), ["magnitude", "angle"]);
  assertEquals((await page.view()).plots.length, 2);
  await page.page.until("/\\d V/.test(document.querySelector('.streams').textContent) || true");
  assertMatch(await page.page.value("document.title"), /^magnitude · angle · BTrDB plotter$/);
});

test("dragging pans, the wheel zooms at the pointer, a double click goes back", async ({ page }) => {
  await opened(page);
  const whole = spanOf(await page.view());
  const { x, y, width } = await figureOf(page);
  await page.drag([x, y], [x - width / 4, y]);
  const moved = spanOf(await page.view());
  assert(near(moved.length, whole.length));
  assert(near(Number(moved.start - whole.start), whole.length / 4, 0.05), "a quarter later");
  await page.click([x, y], 2);
  assertEquals(spanOf(await page.view()), whole);
  const at = 0.25;
  const left = x - width * (0.5 - at) + 25;
  const time = (span: { start: bigint; length: number }) =>
    Number(span.start - whole.start) + at * span.length;
  await page.wheel(left, y, -300);
  await page.wheel(left, y, -300);
  const zoomed = spanOf(await page.view());
  assert(zoomed.length < whole.length / 2, `${zoomed.length} of ${whole.length}`);
  assert(near(time(zoomed), time(whole), 0.05), "the moment at the pointer stays");
  for (let i = 0; i < 2; i++) await page.wheel(left, y, 300);
  assert(near(spanOf(await page.view()).length, whole.length, 0.05));
});

test("a box zooms time and values, and Backspace goes back", async ({ page }) => {
  await opened(page);
  const whole = spanOf(await page.view());
  const { x, y } = await figureOf(page);
  await page.drag([x - 100, y - 60], [x + 100, y + 60], ["shift"]);
  const view = await page.view();
  assert(spanOf(view).length < whole.length / 3);
  assertEquals(view.plots[0]!.left.kind, "fixed");
  await page.key("Backspace");
  assertEquals(spanOf(await page.view()), whole);
});

test("everything goes by keys: pan, zoom, band, density, all, table, help", async ({ page }) => {
  await opened(page);
  const whole = spanOf(await page.view());
  await page.page.value("document.querySelector('.figure').focus()");
  await page.key("ArrowUp");
  const near1 = spanOf(await page.view());
  assert(near(near1.length, whole.length / 1.5));
  await page.key("ArrowRight");
  assert(near(Number(spanOf(await page.view()).start - near1.start), near1.length / 10));
  await page.key("b");
  await page.key("d");
  const view = await page.view();
  assertEquals([view.band, view.density], [false, false]);
  await page.key("0");
  await page.settled();
  assertEquals(spanOf(await page.view()), whole);
  await page.key("t");
  await page.page.until("document.querySelector('.drawer')?.offsetHeight > 60");
  await page.key("?");
  await page.page.until(
    "document.querySelector('dialog[open]')?.textContent.includes('Pan to earlier')",
  );
  await page.key("Escape");
  await page.page.until("document.querySelector('dialog') === null");
});

test("ranges are typed to the nanosecond, and the range shown is the range typed", async ({ page }) => {
  await opened(page);
  await page.key("r");
  await page.type("2026-01-01 00:00:01.000000001");
  await page.key("Tab");
  // Whatever is drawn meanwhile, here for a window of another size, leaves what was typed as it is.
  const width = await page.page.value<number>("document.querySelector('.figure').clientWidth");
  await page.resize(1_000, 700);
  await page.page.until(`document.querySelector('.figure').clientWidth !== ${width}`);
  await page.settled();
  await page.type("+250ms");
  await page.key("Enter");
  const { start, end } = spanOf(await page.view());
  assertEquals([start - START, end - start], [SECOND + 1n, SECOND / 4n]);
  const shown = await page.page.value<string[]>(
    "[...document.querySelectorAll('.range input')].map((input) => input.value)",
  );
  assertEquals(shown, ["2026-01-01 00:00:01.000000001", "2026-01-01 00:00:01.250000001"]);
  await page.key("r");
  await page.type("yesterdya");
  await page.key("Enter");
  await page.page.until(
    "document.querySelector('.range-problem').textContent.includes('yesterdya')",
  );
  assertEquals(
    await page.page.value(
      "document.querySelector('[aria-invalid]').getAttribute('aria-describedby')",
    ),
    "range-problem",
  );
  await page.key("Escape");
});

test("a zone changes the clock and not the range", async ({ page }) => {
  await opened(page);
  const before = spanOf(await page.view());
  await page.click(await page.center("[title='Time zone']"));
  await page.click(await page.center(".menu-item", "Asia/Kolkata"));
  const view = await page.view();
  assertEquals([view.zone, spanOf(view)], ["Asia/Kolkata", before]);
  const [shown] = await page.page.value<string[]>(
    "[...document.querySelectorAll('.range input')].map((input) => input.value)",
  );
  assertMatch(shown!, /^2026-01-01 05:29:/);
});

test("from years to single samples, and the sample that is far away is in every picture", async ({ page }) => {
  await opened(page);
  const low = () =>
    page.page.value<number>(`(() => {
      const canvas = document.querySelector('.figure canvas');
      const { width, height } = canvas;
      const { data } = canvas.getContext('2d').getImageData(0, 0, width, height);
      let low = 0;
      // Bluer than grey: the line and its band, above the strip of density.
      for (let y = 0; y < height - 70; y++) {
        for (let x = 70; x < width - 20; x++) {
          const at = 4 * (y * width + x);
          if (data[at + 2] - data[at] > 30) low = y;
        }
      }
      return low / height;
    })()`);
  const spike = START + 4321n * SECOND / 10n;
  for (const span of [10n ** 18n, 10n ** 15n, 10n ** 12n, 10n ** 10n, 10n ** 9n, 10n ** 7n]) {
    const [from, to] = [spike - span / 2n, spike + span / 2n];
    await page.key("r");
    await page.type(String(from).padStart(16, "0"));
    await page.key("Tab");
    await page.type(String(to).padStart(16, "0"));
    await page.key("Enter");
    await page.settled();
    assertEquals(spanOf(await page.view()).start, from);
    // A single sample is drawn in the middle until the points beside the view are read, to which its line leads.
    await until(`it is seen at ${span} ns`, async () => await low() > 0.6);
  }
});

test("cursors say time, min, mean, max and count, and the difference of two", async ({ page }) => {
  await opened(page);
  const { x, y } = await figureOf(page);
  await page.mouse("mouseMoved", x, y);
  await page.page.until("/points/.test(document.querySelector('.chip .values').textContent)");
  const text = await page.page.value<string>("document.querySelector('.chip .values').textContent");
  assertMatch(text, /^\d{3}\.\d+ +\d+\.\d+ … \d+\.\d+ +\d+ points$/);
  await page.click([x - 50, y]);
  await page.click([x + 50, y]);
  await page.page.until("document.querySelector('.differences:not([hidden])')");
  const lines = await page.page.value<string>("document.querySelector('.differences').innerText");
  assertMatch(lines, /Δt \d/);
  assertMatch(lines, /1\/Δt \S+ Hz/);
  assertMatch(lines, /Δ magnitude: \S+ V/);
  await page.key("Escape");
  await page.page.until("document.querySelector('.differences[hidden]')");
});

test("a cursor moved by keys is read out, and the table has exact statistics", async ({ page, db }) => {
  await opened(page);
  await page.page.value("document.querySelector('.figure').focus()");
  for (let i = 0; i < 3; i++) await page.key(".");
  await page.page.until(
    "/^2026.*magnitude: mean/.test(document.querySelector('[aria-live]').textContent)",
  );
  const { start, end } = spanOf(await page.view());
  const [stream] = await Array.fromAsync(
    db.lookupStreams("grid/pmu-1", { tags: { name: "magnitude" } }),
  );
  const { values } = await stream!.rawValues(start, end).collect();
  await page.page.until(
    "document.querySelectorAll('.drawer td').length === 6 && !document.querySelector('.drawer').textContent.includes('…')",
  );
  const cells = await page.page.value<string[]>(
    "[...document.querySelectorAll('.drawer tbody tr > *')].map((cell) => cell.textContent)",
  );
  assertEquals(cells.slice(0, 2), ["grid/pmu-1/magnitude", "V"]);
  assertEquals(cells[2]!.replace(/\D/g, ""), String(values.length));
  assertEquals(Number(cells[3]), Math.min(...values));
  assertEquals(Number(cells[5]), Number(Math.max(...values).toPrecision(9)));
});

test("chips move streams between plots and axes, by dragging and by menu", async ({ page }) => {
  await opened(page);
  await page.choose("angle");
  await page.settled();
  const shape = async () =>
    (await page.view()).plots.map(({ series }) => series.map(({ side }) => side));
  assertEquals(await shape(), [["left"], ["left"]]);
  const { x, width } = await figureOf(page);
  const from = await page.center(".chip .name", "angle");
  await page.drag(from, [x + width / 4, 250]);
  await page.settled();
  assertEquals(await shape(), [["left", "right"]]);
  await page.click(await page.center(".chip .name", "angle"));
  await page.click(await page.center(".menu-item", "To a new plot"));
  assertEquals(await shape(), [["left"], ["left"]]);
  await page.click(await page.center(".chip .name", "magnitude"));
  await page.click(await page.center(".menu-item", "From zero"));
  assertEquals((await page.view()).plots[0]!.left, { kind: "zero" });
  await page.click(await page.center("[aria-label='Remove grid/pmu-1/angle']"));
  assertEquals(await shape(), [["left"]]);
});

// One point was looked for with the pointer while it moved to the left: where that was slow, it had passed.
test("live: new points appear by themselves, and the range follows the clock", async ({ page, db }) => {
  const [stream] = await Array.fromAsync(
    db.lookupStreams("grid/pmu-1", { tags: { name: "magnitude" } }),
  );
  await opened(page);
  await page.key("r");
  await page.type("now-1m");
  await page.key("Tab");
  await page.type("now");
  await page.key("Enter");
  await page.page.until(
    "document.querySelector('[aria-label=Live]').getAttribute('aria-pressed') === 'true'",
  );
  const { x, y, width } = await figureOf(page);
  const valueAt = async (fromRight: number): Promise<string> => {
    await page.mouse("mouseMoved", x + width / 2 - fromRight, y);
    return await page.page.value("document.querySelector('.chip .values').textContent");
  };
  assert(!/^400/.test(await valueAt(30)));
  // Ten minutes of points from now on come into view as time passes.
  const nowMs = Date.now();
  await stream!.insert(
    Array.from({ length: 6_000 }, (_, i) => [BigInt(nowMs + 100 * i) * 1_000_000n, 400] as const),
  );
  let moves = 0;
  await until("a new point is shown", async () => /^400/.test(await valueAt(30 + ++moves % 2)));
  await page.page.until(
    "/^[1-9]/.test(document.querySelector('.drawer td:nth-of-type(2)')?.textContent)",
  );
  await page.key("l");
  assert("start" in (await page.view()).range);
});

test("pictures, tables, links and snippets leave the page", async ({ page }) => {
  await opened(page);
  await page.captureDownloads();
  const save = async (label: string) => {
    await page.click(await page.center("[title=Export]"));
    await page.click(await page.center(".menu-item", label));
    return await page.download();
  };
  const png = await save("PNG");
  assertEquals([png.name, ...png.bytes.slice(1, 4)], ["grid-pmu-1-magnitude.png", 80, 78, 71]);
  const svg = await save("SVG");
  assertStringIncludes(new TextDecoder().decode(svg.bytes), "<title>grid/pmu-1/magnitude</title>");
  const raw = new TextDecoder().decode((await save("CSV, every point")).bytes);
  assertEquals(raw.trimEnd().split("\n").length, 6_001);
  assertStringIncludes(raw, "grid/pmu-1/magnitude");
  const parquet = await save("Parquet, every point");
  const file = parquet.bytes.buffer as ArrayBuffer;
  const rows = await parquetReadObjects({ file, compressors, utf8: false });
  assertEquals(rows.length, 6_000);
  assertEquals(Object.keys(rows[0]!), ["time", "grid/pmu-1/magnitude"]);
  const windows = new TextDecoder().decode((await save("CSV, windows as shown")).bytes);
  const lines = windows.trimEnd().split("\n").length;
  assert(lines > 500 && lines < 4_000, `${lines} lines`);
});

test("a link shows the same view, and it never has a key", async ({ page, origin }) => {
  await page.tree();
  await opened(page);
  await page.wheel(700, 300, -500);
  const before = await page.view();
  const hash = await page.page.value<string>("location.hash");
  assert(!hash.includes("key"));
  await page.page.open("about:blank");
  await page.page.open(`${origin}/${hash}`);
  await page.settled();
  assertEquals(await page.view(), before);
  assertEquals(await page.chips(), ["magnitude"]);
});

test(
  "a key in the address is taken once, kept for the tab, and asked for where it is missing",
  async ({ page, origin }) => {
    await page.tree();
    assertEquals(await page.page.value("location.hash.includes('key')"), false);
    await page.page.open(`${origin}/?again`);
    await page.tree();
    await page.page.value("sessionStorage.clear()");
    await page.page.open(`${origin}/?third`);
    await page.page.until("document.querySelector('dialog[open] input')");
    await page.type("wrong");
    await page.key("Enter");
    await page.page.until(
      "document.querySelector('dialog[open]')?.textContent.includes('refuses')",
    );
    await page.type("secret-of-the-test");
    await page.key("Enter");
    assertEquals((await page.tree()).summary, "2 streams");
  },
  {
    fragment: "#key=secret-of-the-test",
    serve: { apiKeys: [{ key: "secret-of-the-test", capabilities: ["read"] }] },
  },
);

test(
  "names of streams are text, whatever is in them",
  async ({ page }) => {
    const { rows } = await page.tree();
    assert(rows.some((row) => row.includes("<img")));
    await page.key("/");
    await page.type("onerror");
    await page.page.until("document.querySelectorAll('.tree-row').length === 1");
    await page.key("Enter");
    await page.settled();
    assertEquals(await page.chips(), ['"><script>alert(1)</script>']);
    await page.click(await page.center(".chip .name"));
    await page.click(await page.center(".menu-item", "Tags and annotations"));
    await page.page.until(
      "document.querySelector('dialog[open]')?.textContent.includes('javascript:')",
    );
    assertEquals(
      await page.page.value("document.querySelectorAll('img, b, main script').length"),
      0,
    );
  },
  {
    fill: async (db) => {
      const stream = await db.create(crypto.randomUUID(), "x/<img src=x onerror=alert(1)>", {
        tags: { name: '"><script>alert(1)</script>', unit: "<b>V</b>" },
        annotations: { link: "javascript:alert(1)" },
      });
      await stream.insert([[START, 1], [START + SECOND, 2]]);
    },
  },
);

test("the accessibility tree has names for everything that can be used", async ({ page }) => {
  await opened(page);
  const { nodes } = await page.page.send("Accessibility.getFullAXTree") as {
    nodes: { ignored: boolean; role?: { value: string }; name?: { value: string } }[];
  };
  const used = nodes.filter(({ ignored, role }) =>
    !ignored &&
    /^(button|textbox|searchbox|application|tree|treeitem|table|menuitem)$/.test(role?.value ?? "")
  );
  assert(used.length > 15, `${used.length}`);
  for (const { role, name } of used) {
    assert(role!.value === "table" || (name?.value ?? "") !== "", `${role!.value} without a name`);
  }
  const names = used.map(({ name }) => name?.value);
  for (const name of ["Figure", "Search streams", "Start of the range", "Export", "View", "Live"]) {
    assert(names.includes(name), name);
  }
  assert(nodes.some(({ role, name }) => role?.value === "columnheader" && name?.value === "Mean"));
});
