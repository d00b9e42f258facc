/** Tables of text whose look alone would take the memory or the time of whoever looks at them. */

import { cpuUsage } from "node:process";
import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { gzipSync } from "node:zlib";
import { ImportError } from "../../../src/ingest/mod.ts";
import { parseConfiguration } from "../../../src/ingest/comtrade/configuration.ts";
import { isValue } from "../../../src/ingest/text/cell_kind.ts";
import { readRecords, splitCells } from "../../../src/ingest/text/records.ts";
import { prefixOf } from "../../../src/ingest/text/table_head.ts";
import { makeComtrade, makeConfiguration } from "../../support/comtrade.ts";
import { readComtrade } from "../../support/read_comtrade.ts";
import { cpuMs } from "../../support/cpu_ms.ts";
import { imported, importedText, valuesOf } from "../../support/imported.ts";

Deno.test("importFile: a hundred kilobytes that unpack to lines of 50 million columns are refused, they ended the process", async () => {
  const commas = ",".repeat(50_000_000);
  const bytes = gzipSync(`time,v${commas}\n2026-03-01T00:00:00Z,1${commas}\n`, { level: 9 });
  assert(bytes.length < 110_000);
  await assertRejects(() => imported(bytes), ImportError, "more than 65536 columns");
});

Deno.test("splitCells: no more cells than one above what a table may have", () => {
  assertEquals(splitCells(",".repeat(100_000), ",").length, 65_537);
  assertEquals(splitCells("1 ".repeat(100_000), " ", true).length, 65_537);
  assertEquals(splitCells(",".repeat(65_535), ",").length, 65_536);
});

Deno.test("splitCells: a quote amid a cell is part of it, what stands behind a quoted cell too", () => {
  assertEquals(splitCells('a"b,"c"d, "e""" ,"f,""g""" ', ","), ['a"b', "cd", 'e"', 'f,"g"']);
});

// Each of them had looked at the whole cell before it: a megabyte behind a quoted cell took minutes. Millions
// of doubled ones in quotes made a text each, which took seconds of collecting garbage.
Deno.test("splitCells: millions of quotes in a cell are looked at once", () => {
  const quotes = '"'.repeat(4 << 20);
  const ms = cpuMs(() => {
    assertEquals(splitCells(`"x"y${quotes},1`, ","), [`xy${quotes}`, "1"]);
    assertEquals(splitCells(`${quotes},1`, ","), [quotes.slice(0, (2 << 20) - 1), "1"]);
    assertEquals(splitCells(` "${quotes}",1`, ","), [quotes.slice(0, 2 << 20), "1"]);
  });
  assert(ms < 4000, `${ms} ms`);
});

Deno.test("readRecords: lines inside of a quote are looked at once, quotes before them too", () => {
  const text = `a,"${'""'.repeat(60_000)}${"\n".repeat(130_000)}"\n1,2\n`;
  const look = { delimiter: ",", blanks: false, comment: undefined, limit: 20 };
  const ms = cpuMs(() => {
    const [first, second] = readRecords(text, look);
    assertEquals(first!.cells[1], '"'.repeat(60_000));
    assertEquals(second, { cells: ["1", "2"], line: 130_001 });
  });
  assert(ms < 2000, `${ms} ms`);
});

Deno.test("prefixOf: empty lines between comments are passed over once", () => {
  const text = `# a\n${"\n".repeat(250_000)}  # b\r\nx,y\n`;
  const wishes = { tz: "UTC", columns: [], skipLines: 0 };
  const ms = cpuMs(() => {
    const found = prefixOf(text, wishes);
    assertEquals([found.text, found.lines, found.header], ["x,y\n", 250_002, "b"]);
  });
  assert(ms < 2000, `${ms} ms`);
});

Deno.test("importFile: a compressed table can be read wherever the beginning that is looked at ends", async () => {
  const row = (second: number) => `2026-03-01T00:00:${10 + second}Z${",1.25".repeat(5_000)}\n`;
  const names = Array.from({ length: 5_000 }, (_, i) => `c${i}`);
  const header = `time,${names.join()}\n`;
  // 262,144 bytes are looked at; the last row of them has the first seven characters of its time.
  const rest = (262_144 - 7 - header.length) % row(0).length;
  const rows = Array.from({ length: 20 }, (_, second) => row(second));
  const text = [`#${"-".repeat(rest - 2)}\n`, header, ...rows].join("");
  assertEquals(text.slice(0, 262_144).slice(-9), "5\n2026-03");
  const { points } = await imported(gzipSync(text), { columns: ["c7"] });
  assertEquals(valuesOf(points).length, 20);
});

Deno.test("importFile: the last row of a short table counts, though it has no line end", async () => {
  const { points } = await importedText("time,v\n2026-03-01T00:00:00Z,1\n2026-03-01T00:00:01Z,2");
  assertEquals(valuesOf(points), [1, 2]);
});

// Digits were divided in every way between the part before a point and the part behind it, though there
// was no point: a table of 20 KB with one such cell took 15 s, one of a megabyte hours.
Deno.test("isValue, parseConfiguration: digits of a long cell are looked at once", () => {
  const digits = `${"1".repeat(60_000)}x`;
  const look = { decimal: ".", thousands: undefined, nulls: [] } as const;
  assert(cpuMs(() => assert(!isValue(digits, look))) < 2_000);
  const written = ["1", "+1.", ".5", "-1.5e-3", "1.e5", "", ".", "1.5.5", "e5", "0x10"];
  assertEquals(written.map((cell) => isValue(cell, look)), [
    ...[true, true, true, true, true],
    ...[true, false, false, false, false],
  ]);
  const record = { samples: [[1]], stamps: [0] };
  const cfg = makeConfiguration({ ...record, frequency: digits });
  const parse = () =>
    assertThrows(() => parseConfiguration(cfg, "a.cfg"), ImportError, "frequency");
  assert(cpuMs(parse) < 2_000);
});

Deno.test("openComtrade: digits of a long sample are looked at once", async () => {
  const { configuration, samples } = makeComtrade({ samples: [[77]], stamps: [0] });
  const text = new TextDecoder().decode(samples).replace("77", `${"1".repeat(60_000)}x`);
  const before = cpuUsage();
  const read = readComtrade({ configuration, samples: new TextEncoder().encode(text) });
  await assertRejects(() => read, ImportError, "111");
  const { user, system } = cpuUsage(before);
  assert((user + system) / 1000 < 3_000);
});

// A table in a ZIP archive was "neither text nor Parquet", with advice about UTF-16.
Deno.test("importFile: archives and compressions that are not read are named", async () => {
  const made: [string, number[]][] = [
    ["ZIP", [0x50, 0x4b, 3, 4, 20, 0, 0, 0, 8, 0]],
    ["ZIP", [0x50, 0x4b, 5, 6, 0, 0, 0, 0]],
    ["xz", [0xfd, 0x37, 0x7a, 0x58, 0x5a, 0, 0, 4]],
    ["bzip2", [0x42, 0x5a, 0x68, 0x39, 0x31, 0x41, 0x59, 0x26, 1]],
    ["7z", [0x37, 0x7a, 0xbc, 0xaf, 0x27, 0x1c, 0, 4]],
    ["LZ4", [4, 0x22, 0x4d, 0x18, 0x64, 0x40, 0]],
    ["gzip a second time", [...gzipSync(gzipSync("time,v\n"))]],
  ];
  for (const [name, bytes] of made) {
    const text = `it is compressed as ${name}`;
    await assertRejects(() => imported(Uint8Array.from(bytes)), ImportError, text);
  }
  const table = 'BZh,v\n"2026-03-01T00:00:00Z",1\n';
  assertEquals(valuesOf((await importedText(table)).points), [1]);
});
