/** Files of line protocol, beside what `serve` makes of the same lines. */

import { assert, assertEquals, assertRejects } from "@std/assert";
import { gzipSync } from "node:zlib";
import { type BTrDB, connect } from "../../../mod.ts";
import { explain, ImportError, importFile, type ImportOptions } from "../../../src/ingest/mod.ts";
import { START } from "../../../src/ingest/source.ts";
import { LinePass } from "../../../src/ingest/text/line_pass.ts";
import { serve } from "../../../src/server/mod.ts";

const LINES = `# from a collector
cpu,host=a,region=eu usage=0.5,cores=8i,up=true,state="ok, fine" 1700000000000000001
cpu,host=a,region=eu usage=0.75,up=false 1700000000000000002

mem\\ x,host=b,Rack=1\\ 2 used=1e3,note="two
lines",free=9007199254740992u 1700000000123456789
`;

/** All streams of a database: path, annotations, and points by their exact times. */
async function contents(db: BTrDB): Promise<Record<string, unknown>> {
  const all: Record<string, unknown> = {};
  for await (const stream of db.lookupStreams("", { isCollectionPrefix: true })) {
    const { times, values } = await stream.rawValues(0n, 1n << 61n).collect();
    const path = `${await stream.collection()}/${(await stream.tags())["name"]}`;
    const [annotations] = await stream.annotations();
    all[path] = [annotations, [...times].map((time, i) => [time, values[i]])];
  }
  return all;
}

/** Contents after an import of a file. */
async function contentsOf(
  lines: string | Uint8Array,
  options: ImportOptions = {},
  name = "grid.lp",
): Promise<Record<string, unknown>> {
  await using db = await connect("memory:");
  await importInto(db, lines, options, name);
  return await contents(db);
}

async function importInto(
  db: BTrDB,
  lines: string | Uint8Array,
  options: ImportOptions = {},
  name = "grid.lp",
) {
  const folder = await Deno.makeTempDir();
  try {
    const path = `${folder}/${name}`;
    await Deno.writeFile(path, typeof lines === "string" ? new TextEncoder().encode(lines) : lines);
    return await importFile(db, path, { stateFolder: folder, ...options });
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

Deno.test("importFile: line protocol fills the streams that serve fills, ns exact", async () => {
  await using db = await connect("memory:");
  {
    await using server = await serve(db, { port: 0, http: { port: 0, write: true } });
    const url = `http://127.0.0.1:${server.httpPort}/write?db=grid`;
    const response = await fetch(url, { method: "POST", body: LINES });
    assertEquals([response.status, await response.text()], [204, ""]);
  }
  const wanted = await contents(db);
  assertEquals(wanted["grid/cpu/a/eu/usage"], [{ host: "a", region: "eu" }, [
    [1700000000000000001n, 0.5],
    [1700000000000000002n, 0.75],
  ]]);
  assertEquals(Object.keys(wanted).length, 5);
  assertEquals(await contentsOf(LINES), wanted);
  const gz = new Uint8Array(gzipSync(LINES));
  assertEquals(await contentsOf(gz, {}, "grid.line.gz"), wanted);
  assertEquals(await contentsOf(LINES, { format: "influx", into: "grid" }, "x.txt"), wanted);
});

Deno.test("importFile: line protocol in other units, by a template, and only some fields", async () => {
  const lines = "cpu,host=a usage=1,idle=2 1700000000\ncpu,host=a usage=2 1700000001\n";
  const options: ImportOptions = {
    timeFormat: "s",
    influx: "x/{bucket}/{tag.host}/{measurement}",
    into: "b/c",
    columns: ["usage"],
  };
  assertEquals(await contentsOf(lines, options), {
    "x/b/c/a/cpu/usage": [{ host: "a" }, [
      [1700000000_000000000n, 1],
      [1700000001_000000000n, 2],
    ]],
  });
  for (const [unit, time] of [["ms", 1_000_000n], ["us", 1_000n]] as const) {
    const found = await contentsOf("m f=1 1700000000123\n", { timeFormat: unit });
    assertEquals(found, { "grid/m/f": [{}, [[1700000000123n * time, 1]]] });
  }
});

Deno.test("importFile: lines of line protocol that cannot be read are named, or left out and counted", async () => {
  const bad = "m f=1 1\nm f=2x 2\nm f=3\nm f=4 4\nm f=9007199254740993i 5\n";
  const refused = async (lines: string, text: string, options: ImportOptions = {}) =>
    void await assertRejects(() => contentsOf(lines, options), ImportError, text);
  await refused(bad, "grid.lp: line 2: unable to parse 'm f=2x 2': invalid value at 'f=2x 2'");
  await refused("m f=3\n", 'grid.lp: line 1 with "f" has no time');
  await refused("m f=1 1\nm f=3\n", 'grid.lp: a line behind line 1, up to 2, with "f" has no time');
  await refused(
    "m f=1 17000000000000\n",
    "line 1: unable to parse 'm f=1 17000000000000': time out",
    {
      timeFormat: "s",
    },
  );
  await refused(
    "m f=1 1\n",
    'Cannot use --time-format "days" with influx: expected ns, us, ms, s',
    {
      timeFormat: "days",
    },
  );
  await refused("m f=1 1\n", 'has "{x}"', { influx: "{x}" });
  await refused("m f=1 1\n", "Cannot use --delimiter with influx", { delimiter: ";" });
  await refused("m f=1 1\n", 'Cannot use --column "g": there is no such field', {
    columns: ["g"],
  });
  await refused('m f="text" 1\n', "there is no number in its lines");
  await refused("# nothing\n", "there is no number in its lines");
  await using db = await connect("memory:");
  const summary = await importInto(db, bad, { badRows: "skip" });
  assertEquals(summary.skipped, { rows: 2, cells: 1 });
  assertEquals(await contents(db), { "grid/m/f": [{}, [[1n, 1], [4n, 4]]] });
});

Deno.test("importFile: a last line of line protocol without its end may be cut, and does not count", async () => {
  const cut = "m f=1 1700000000000000001\nm f=2 17000000";
  await using db = await connect("memory:");
  const notices: string[] = [];
  await importInto(db, cut, { onNotice: (text) => notices.push(text) });
  assertEquals(await contents(db), { "grid/m/f": [{}, [[1700000000000000001n, 1]]] });
  assertEquals(notices.length, 1);
  const whole = await contentsOf(cut, { complete: true });
  assertEquals(whole, { "grid/m/f": [{}, [[17000000n, 2], [1700000000000000001n, 1]]] });
});

Deno.test("importFile: two series of line protocol never become one stream in silence", async () => {
  await using db = await connect("memory:");
  const influx = "{bucket}/{measurement}";
  const both = "cpu,host=a f=1 1\ncpu,host=b f=2 2\n";
  const error = await assertRejects(() => importInto(db, both, { influx }), ImportError);
  assertEquals(error.message, "Cannot import: columns 1 and 2 both are called f");
  await importInto(db, "cpu,host=a f=1 1\n", { influx });
  const text = 'the stream "f" of "grid/cpu" has the annotation host "a", this series has "b"';
  await assertRejects(() => importInto(db, "cpu,host=b f=2 2\n", { influx }), ImportError, text);
  await importInto(db, "cpu,host=a f=3 3\n", { influx });
  assertEquals(await contents(db), { "grid/cpu/f": [{ host: "a" }, [[1n, 1], [3n, 3]]] });
});

Deno.test("importFile: a large file of line protocol comes in batches, and all of it", async () => {
  const lines = Array.from(
    { length: 60_000 },
    (_, i) => `cpu,host=h${i % 7} a=${i},b=${i / 4} ${1_700_000_000_000_000_000n + BigInt(i)}\n`,
  ).join("");
  await using db = await connect("memory:");
  const { points, rows } = await importInto(db, lines);
  assertEquals([points, rows], [120_000n, 60_000]);
  const all = await contents(db) as Record<string, [unknown, [bigint, number][]]>;
  assertEquals(Object.keys(all).length, 14);
  for (const [path, [, pairs]] of Object.entries(all)) {
    const [host, field] = path.split("/").slice(-2);
    const wanted = Array.from({ length: 60_000 }, (_, i) => i).filter((i) => `h${i % 7}` === host)
      .map((i) => [1_700_000_000_000_000_000n + BigInt(i), field === "a" ? i : i / 4]);
    assertEquals(pairs, wanted as [bigint, number][]);
  }
});

Deno.test("explain: line protocol", async () => {
  const plan = await explain(new TextEncoder().encode(LINES), { format: "influx", into: "grid" });
  assertEquals(plan.format, "influx");
  assertEquals(plan.about, [["series", "5"], ["points", "7"], ["times", "ns"]]);
  assertEquals([plan.first, plan.last], [1700000000000000001n, 1700000000123456789n]);
  assertEquals(plan.columns.map(({ stream }) => stream), [
    "grid/cpu/a/eu/usage",
    "grid/cpu/a/eu/cores",
    "grid/cpu/a/eu/up",
    "grid/mem x/1 2/b/used",
    "grid/mem x/1 2/b/free",
  ]);
  assertEquals(plan.warnings, []);
});

Deno.test("importFile: behind a line that is too long nothing can be read, so it is an error", async () => {
  // It was counted as one line left out, and all lines behind it were lost.
  const lines = `a v=1 1\nb v="${"x".repeat(3 << 20)}" 2\nc v=3 3\n`;
  await using db = await connect("memory:");
  for (const options of [{}, { badRows: "skip" }] as const) {
    await assertRejects(
      () => importInto(db, lines, options),
      ImportError,
      "line 2: a line is longer than 1048576 bytes",
    );
  }
  assertEquals(await contents(db), {});
});

Deno.test("LinePass: a line without an end is refused before all of it is read", async () => {
  // It was kept as a whole, 500 MB of it in 647 MB.
  let taken = 0;
  const chunks = async function* (): AsyncGenerator<Uint8Array> {
    for (; taken < 500; taken++) yield await Promise.resolve(new Uint8Array(1 << 16).fill(97));
  };
  const reading = { unit: "ns", nsPerUnit: 1n, skipBadRows: true, complete: false };
  const pass = new LinePass(chunks(), "a.lp", reading, START);
  await assertRejects(() => Array.fromAsync(pass.batches()), ImportError, "longer than");
  assert(taken < 40, `${taken} pieces of 64 KiB`);
});
