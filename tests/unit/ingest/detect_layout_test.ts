import { assertEquals, assertThrows } from "@std/assert";
import { ImportError } from "../../../src/ingest/errors.ts";
import { detectLayout } from "../../../src/ingest/text/detect_layout.ts";
import type { LayoutWishes, TableLayout } from "../../../src/ingest/text/table_layout.ts";
import { splitCells } from "../../../src/ingest/text/records.ts";
import { lineBatches } from "../../../src/ingest/text/line_batches.ts";
import { clockChanges, fixedOffset } from "../../../src/core/clock_changes.ts";

const NOTHING: LayoutWishes = { skipLines: 0, columns: [], tz: "UTC" };

function detect(text: string, wishes: Partial<LayoutWishes> = {}): TableLayout {
  return detectLayout(text, { ...NOTHING, ...wishes }).layout;
}

Deno.test("detectLayout: BTrDB's own CSV", () => {
  const layout = detect("Timestamp (ns),Human-Readable Time (UTC),a/b,c\n1,x,,2\n");
  assertEquals(layout.roles, ["time", "skip", "value", "value"]);
  assertEquals([layout.timeFormat, layout.delimiter, layout.headerLines], ["ns", ",", 1]);
});

Deno.test("detectLayout: other tables", () => {
  const semicolons = detect("Zeit;U;Text\n2024-01-01 10:00:00;1,5;a\n", { decimal: "," });
  assertEquals(semicolons.delimiter, ";");
  assertEquals(semicolons.roles, ["time", "value", "skip"]);
  assertEquals(semicolons.timeFormat, "rfc3339");
  assertEquals(detect("v\tepoch_ms\n1\t1700000000000\n").roles, ["value", "time"]);
  assertEquals(detect("v\tepoch_ms\n1\t1700000000000\n").timeFormat, "ms");
  assertEquals(detect("t,v\n1700000000.25,1\n").timeFormat, "s");
  assertEquals(detect("t,v\n1700000000000000,1\n").timeFormat, "us");
  assertEquals(detect("t,v\n1700000000000000000,1\n").timeFormat, "ns");
  const bare = detect("1700000000,1\n1700000001,2\n");
  assertEquals([bare.headerLines, bare.names], [0, ["column1", "column2"]]);
  const skipped = detect("made by x\n\ntime (ns),v\n1,2\n", { skipLines: 1 });
  assertEquals([skipped.headerLines, skipped.names], [3, ["time (ns)", "v"]]);
  assertEquals(detect("\uFEFFtime (ns),v\r\n1,2\r\n").names, ["time (ns)", "v"]);
});

Deno.test("detectLayout: wishes", () => {
  const chosen = detect("time (ns),a,b\n1,2,3\n", { columns: ["b"] });
  assertEquals(chosen.roles, ["time", "skip", "value"]);
  assertEquals(detect("a,when\n1,5\n", { time: "2", timeFormat: "s" }).roles, ["value", "time"]);
  const implicit = detect("a,b\n1,2\n", { times: { first: "0", step: "5" } });
  assertEquals(implicit.roles, ["value", "value"]);
  assertEquals(implicit.times, { first: "0", step: "5" });
});

Deno.test("detectLayout: what cannot be", () => {
  assertThrows(() => detect(""), ImportError, "empty");
  assertThrows(() => detect("t,v\n5,1\n"), ImportError, "relative");
  assertThrows(() => detect("time (ns),v\n5,x\n"), ImportError, "no column of values");
  assertThrows(
    () => detect("time (ns),v\n1,2\n", { columns: ["w"] }),
    ImportError,
    "no such column",
  );
  const windows = "Timestamp (ns),Human-Readable Time (UTC),a (Min),a (Mean)\n1,x,1,2\n";
  assertThrows(() => detect(windows), ImportError, "windows");
});

Deno.test("detectLayout: text among numbers is left to the parser, text is left out", () => {
  const text = "time (ns),v,state,w\n1,1,ok,1\n2,inf,ok,NaN\n3,3,7,\n4,4,bad,4\n";
  const { layout, omitted } = detectLayout(text, NOTHING);
  assertEquals(layout.roles, ["time", "value", "skip", "value"]);
  assertEquals(omitted, [{ name: "state", reason: 'text, such as "ok"' }]);
  assertThrows(() => detect("time (ns),v\n"), ImportError, "no rows");
  const commas = assertThrows(() => detect("time (ns);v\n1;1,5\n"), ImportError, "decimal comma");
  assertEquals(commas.hint, "say --decimal , or take only other columns with --column");
  const twice = "time (ns),v,v\n1,2,3\n";
  assertThrows(() => detect(twice, { columns: ["v"] }), ImportError, "columns 2 and 3");
  assertEquals(detect(twice, { columns: ["3"] }).roles, ["time", "skip", "value"]);
});

Deno.test("splitCells: cells", () => {
  assertEquals(splitCells('a, "b,c" ,"d""e"', ","), ["a", "b,c", 'd"e']);
  assertEquals(splitCells("", ","), [""]);
});

async function* pieces(bytes: Uint8Array, size: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) {
    yield await Promise.resolve(bytes.subarray(at, at + size));
  }
}

Deno.test("lineBatches: the cuts depend on the offset alone", async () => {
  const lines = Array.from({ length: 500 }, (_, i) => "x".repeat(i * 7 % 40) + i);
  const text = lines.join("\n"); // no line feed at the end
  const bytes = new TextEncoder().encode(text);
  const decoder = new TextDecoder();
  const cuts = async (piece: number, at: number): Promise<[number, number, string][]> =>
    await Array.fromAsync(
      lineBatches(pieces(bytes.subarray(at), piece), at, 256),
      ({ offset, end, bytes }) => [offset, end, decoder.decode(bytes)],
    );
  const whole = await cuts(100_000, 0);
  assertEquals(whole.map(([, , part]) => part).join(""), text + "\n");
  for (const piece of [1, 7, 255, 256, 257, 1000]) assertEquals(await cuts(piece, 0), whole);
  for (const index of [1, 5, whole.length - 1]) {
    assertEquals(await cuts(64, whole[index]![0]), whole.slice(index));
  }
});

Deno.test("lineBatches: a line longer than a batch", async () => {
  const bytes = new TextEncoder().encode(`${"y".repeat(1000)}\nz\n`);
  const lengths = Array.fromAsync(lineBatches(pieces(bytes, 100), 0, 256), (b) => b.bytes.length);
  assertEquals(await lengths, [1001, 2]);
});

Deno.test("toUtc: clocks that change", () => {
  assertEquals([fixedOffset("UTC"), fixedOffset("+05:45")], [0n, 20_700_000_000_000n]);
  assertEquals([fixedOffset("-0330"), fixedOffset("Europe/Berlin")], [
    -12_600_000_000_000n,
    undefined,
  ]);
  const ns = (text: string): bigint => Temporal.Instant.from(text).epochNanoseconds;
  const berlin = [...clockChanges("Europe/Berlin")];
  const spring = berlin.indexOf(ns("2024-03-31T01:00:00Z"));
  assertEquals(berlin.slice(spring + 1, spring + 4), [
    7_200_000_000_000n,
    ns("2024-10-27T01:00:00Z"),
    3_600_000_000_000n,
  ]);
});

for (const zone of ["Africa/Casablanca", "America/Sao_Paulo", "Asia/Gaza", "Europe/Lisbon"]) {
  Deno.test(`clockChanges: ${zone} has the changes that the platform knows`, () => {
    const changes = clockChanges(zone);
    let at = Temporal.Instant.from("1940-01-01T00:00:00Z").toZonedDateTimeISO(zone);
    for (let i = 0; i < 400; i++) {
      const next = at.getTimeZoneTransition("next");
      if (next === null || next.year > 2040) break;
      const index = changes.indexOf(next.epochNanoseconds);
      assertEquals(index % 2, 0, next.toString());
      assertEquals(changes[index + 1], BigInt(next.offsetNanoseconds), next.toString());
      at = next;
    }
  });
}

Deno.test("detectLayout: numbers that all have thousands marks are left to the parser", () => {
  for (const cells of [["1.234,50", "1.240,75"], ["1.234", "987,25"], ["-1.234,5", "12.345,"]]) {
    const rows = cells.map((cell, i) => `2024-01-01 10:00:0${i};${cell};1\n`).join("");
    const { roles } = detect(`Zeit;U;n\n${rows}`, { decimal: "," });
    assertEquals(roles, ["time", "value", "value"]);
  }
  const rows = ['"1,234.50"', '"-12,345.6"'].map((cell, i) => `2024-01-01 10:00:0${i},${cell},1\n`);
  assertEquals(detect(`time,v,w\n${rows.join("")}`, {}).roles, ["time", "value", "value"]);
});
