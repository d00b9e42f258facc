/** Displays of results in notebooks and logs. */

import { assert, assertEquals, assertThrows } from "@std/assert";
import { inspect } from "node:util";
import { BTrDB, connect, type Stream, StreamSet } from "../../../mod.ts";
import { setDisplayRenderer } from "../../../src/client/display.ts";
import { openEngine } from "../../../src/engine/mod.ts";
import { override } from "../../support/override_endpoint.ts";

const BASE = 1_700_000_000_000_000_000n;
const HOSTILE = '<img src=x onerror="alert(1)">\u202e\u001b[31m';

/** The display that a notebook asks for. */
async function display(thing: object): Promise<Record<string, string>> {
  const method = (thing as Record<symbol, () => Promise<Record<string, string>>>)[
    Symbol.for("Jupyter.display")
  ]!;
  return await method.call(thing);
}

async function filled(db: BTrDB, name: string, n: number): Promise<Stream> {
  const stream = await db.create(crypto.randomUUID(), "pmu", { tags: { name, unit: "V" } });
  const times = BigInt64Array.from({ length: n }, (_, i) => BASE + BigInt(i) * 20_000_000n);
  await stream.insert({ times, values: Float64Array.from({ length: n }, (_, i) => i / 4) });
  return stream;
}

Deno.test("Jupyter.display: head, tail, sizes and a plot of everything that a query gives", async () => {
  await using db = await connect("memory:");
  const [a, b] = [await filled(db, "a", 1000), await filled(db, "b", 3)];
  const end = BASE + 10n ** 12n;
  const set = new StreamSet([a, b]);
  const cases: [object, string[]][] = [
    [db, ["<b>BTrDB</b>", "<td>embedded</td>"]],
    [await db.info(), ["<td>protocol</td><td>embedded</td>"]],
    [a, ["1 stream", "<td>pmu/a</td><td>V</td><td>1,000</td>", "20,000,000 ns", "<img alt="]],
    [set, ["2 streams", "<td>pmu/b</td><td>V</td><td>3</td>", "<img alt="]],
    [await a.rawValues(BASE, end).collect(), [
      "1,000 rows × 2 columns",
      "<td>2023-11-14T22:13:20.020000000Z</td><td>0.25</td>",
      "<td>…</td>",
      "<td>2023-11-14T22:13:39.980000000Z</td><td>249.75</td>",
      "data:image/svg+xml;base64,",
    ]],
    [await b.alignedWindows(BASE, end, 24).collect(), ["3 rows × 6 columns", "<th>stddev</th>"]],
    [await set.toColumns(BASE, end), ["1,000 rows × 3 columns", "<th>pmu/b</th>"]],
  ];
  for (const [thing, parts] of cases) {
    const bundle = await display(thing);
    assert(bundle["text/plain"]!.length > 0);
    for (const part of parts) assert(bundle["text/html"]!.includes(part), `${part}: ${bundle}`);
    assert(bundle["text/html"]!.length < 500_000);
  }
});

Deno.test("Jupyter.display: names are text, wherever they stand", async () => {
  await using db = await connect("memory:");
  const stream = await filled(db, HOSTILE, 10);
  for (const thing of [stream, new StreamSet([stream])]) {
    const html = (await display(thing))["text/html"]!;
    assert(!html.includes("<img src=x") && !html.includes("\u202e") && !html.includes("\u001b"));
    const svg = atob(/base64,([^"]*)/.exec(html)![1]!);
    assert(!svg.includes("<img") && !svg.includes("\u001b"), svg.slice(0, 500));
  }
  const text = Deno.inspect(stream);
  assert(text.includes("\\u202e\\u001b[31m"), text);
});

/** Names that are something else in HTML, SVG, scripts, templates or on a terminal. */
const NAMES = [
  "</script><script>alert(1)</script>",
  `" onerror="alert(1)`,
  "' style='x:expression(1)",
  "javascript:alert(1)",
  "]]><x>",
  "<!--",
  "&lt;b&gt; &#60;b&#62;",
  "a\u0085b\u2028c\r\nd\u009b31m",
  "\ufffe\uffff",
  "\u{e0041}\u200b\u2066",
  // Two streams whose names look the same, and accents that cover the lines above, in a log.
  "L1\u3164\u034f\ufe0f",
  `e${"\u0301".repeat(100)}`,
  "__proto__",
  "{{7*7}}",
];

const TAGS = new Set(
  "p b table thead tbody tr th td img svg title desc style rect path circle text g clipPath defs"
    .split(" "),
);

Deno.test("Jupyter.display: units and names open no tag and no attribute, and hide nothing", async () => {
  await using db = await connect("memory:");
  for (const name of NAMES) {
    const made = { tags: { name, unit: name }, annotations: { note: name } };
    const stream = await db.create(crypto.randomUUID(), `c/${NAMES.indexOf(name)}`, made);
    await stream.insert([[1n, 1], [2n, 2]]);
    const html = (await display(new StreamSet([stream])))["text/html"]!;
    const svg = atob(/base64,([^"]*)/.exec(html)![1]!);
    for (const text of [html, svg]) {
      const tags = [...text.matchAll(/<\/?([^\s/>]*)/g)].map(([, tag]) => tag!);
      assertEquals(tags.filter((tag) => !TAGS.has(tag)), [], name);
      const bare = text.replaceAll(/"[^"<>]*"/g, "");
      assert(!/<[^>]*(on\w+|href|style) *=/.test(bare), text.slice(0, 500));
    }
    const text = Deno.inspect(stream);
    assert(!/(?!\n)[\p{Cc}\p{Cf}\p{DI}\u2028]|\p{M}{5}/u.test(text), text);
  }
});

// A long name was cut in the middle of a character; half of one is no UTF-8, and a notebook with it
// cannot be saved by programs that check.
Deno.test("Jupyter.display: a long name is cut between characters", async () => {
  await using db = await connect("memory:");
  for (const before of [90, 91, 92, 93]) {
    const stream = await filled(db, `${"x".repeat(before)}${"\u{1f600}".repeat(9)}`, 1);
    const html = (await display(stream))["text/html"]!;
    assert(html.isWellFormed() && html.includes("\u{1f600}…"), html);
  }
});

Deno.test("Jupyter.display: a database that fails gives text, and never an error", async () => {
  const engine = await openEngine();
  await using db = new BTrDB(override(engine, {
    streamInfo: () => Promise.reject(new Error("no")),
  }));
  const stream = db.streamFromUUID(crypto.randomUUID());
  assertEquals(await display(stream), { "text/plain": `Stream { uuid: "${stream.uuid}" }` });
});

Deno.test("Jupyter.display: a database that does not answer is left after seconds", async () => {
  const engine = await openEngine();
  let isLeft = false;
  await using db = new BTrDB(override(engine, {
    streamInfo: (_request, call) => {
      return new Promise((_, reject) => {
        call?.signal?.addEventListener("abort", () => {
          isLeft = true;
          reject(new Error("left"));
        }, { once: true });
      });
    },
  }));
  const stream = db.streamFromUUID(crypto.randomUUID());
  assertEquals(Object.keys(await display(stream)), ["text/plain"]);
  assert(isLeft);
});

Deno.test("inspect: objects say what they are", async () => {
  await using db = await connect("memory:");
  const stream = await filled(db, "a", 10);
  assertEquals(Deno.inspect(db), 'BTrDB { target: "memory:" }');
  assertEquals(
    inspect(stream),
    `Stream { uuid: "${stream.uuid}", collection: "pmu", name: "a" }`,
  );
  assertEquals(Deno.inspect(new StreamSet([stream])), "StreamSet { length: 1 }");
  const batch = await stream.rawValues(BASE, BASE + 10n ** 12n).collect();
  assertEquals(
    Deno.inspect(batch),
    `RawBatch { 10 rows × 2 columns, version ${batch.version}.10 }
  time                            value
  2023-11-14T22:13:20.000000000Z      0
  2023-11-14T22:13:20.020000000Z   0.25
  2023-11-14T22:13:20.040000000Z    0.5
  …                                   …
  2023-11-14T22:13:20.140000000Z   1.75
  2023-11-14T22:13:20.160000000Z      2
  2023-11-14T22:13:20.180000000Z   2.25`,
  );
  await db.close();
  assertEquals(inspect(db), 'BTrDB { target: "memory:", state: "closed" }');
});

Deno.test("toVegaLite: rows with ms and all digits, at most 50,000", async () => {
  await using db = await connect("memory:");
  const stream = await filled(db, "a", 50_001);
  const end = BASE + 10n ** 13n;
  const few = await stream.rawValues(BASE, BASE + 60_000_000n).collect();
  const spec = few.toVegaLite({ title: "A", unit: "V" });
  assertEquals([spec.title, spec.data.values.length], ["A", 3]);
  assertEquals(spec.data.values[1], {
    time: 1_700_000_000_020,
    ns: "2023-11-14T22:13:20.020000000Z",
    value: 0.25,
  });
  assertEquals(Object.keys(await display(spec)), ["application/vnd.vegalite.v5+json"]);
  const all = await stream.rawValues(BASE, end).collect();
  assertThrows(() => all.toVegaLite(), RangeError, "50001 rows, expected at most 50000");
  const windows = await stream.alignedWindows(BASE, end, 36).collect();
  const rows = windows.toVegaLite().data.values;
  assertEquals(rows.length, windows.count.filter((n) => n > 0n).length);
  assertEquals(Object.keys(rows[0]!), ["time", "ns", "min", "mean", "max", "count"]);
});

Deno.test("setDisplayRenderer: a renderer that cannot be loaded leaves the text", async () => {
  await using db = await connect("memory:");
  setDisplayRenderer(() => Promise.reject(new Error("no")));
  assertEquals(Object.keys(await display(db)), ["text/plain"]);
  setDisplayRenderer(() => import("../../../src/notebook/mod.ts"));
});
