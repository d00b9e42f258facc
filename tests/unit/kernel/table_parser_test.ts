import { assertEquals, assertThrows } from "@std/assert";
import { CsvError, type TableOptions, TableParser } from "../../../src/kernel/mod.ts";

const encoder = new TextEncoder();
const TWO: TableOptions = { columns: ["time", "value"] };

function parse(text: string, options: Partial<TableOptions> = {}): [bigint, number][] {
  const [column] = new TableParser({ ...TWO, ...options }).parse(encoder.encode(text));
  return Array.from(column!.times, (time, i) => [time, column!.values[i]!]);
}

/** The time of one cell. */
function time(cell: string, timeFormat: string, offset = 0n): bigint {
  const delimiter = "|";
  return parse(`${cell}|1\n`, { timeFormat, offset, delimiter })[0]![0];
}

Deno.test("TableParser: values, gaps, blanks, quotes, line ends", () => {
  const text =
    '1,2\n2, 3.5 \r\n3,\n4,NaN\n5,na\n6,NULL\n7,n/a\n8,-\n9,None\n\n"10","-1e3"\n11,""\n 12 ,+.5\n';
  assertEquals(parse(text), [[1n, 2], [2n, 3.5], [10n, -1000], [12n, 0.5]]);
  assertEquals(parse(""), []);
  assertEquals(parse("1,-0\n").map(([, value]) => Object.is(value, -0)), [true]);
});

Deno.test("TableParser: columns in any place, skipped text, other delimiters", () => {
  const options: TableOptions = { columns: ["value", "skip", "time", "value"], delimiter: ";" };
  const [a, b] = new TableParser(options).parse(encoder.encode('1;"x;""y";5;2\n;z;6;3\n7;;7;\n'));
  assertEquals(a, { times: BigInt64Array.of(5n, 7n), values: Float64Array.of(1, 7) });
  assertEquals(b, { times: BigInt64Array.of(5n, 6n), values: Float64Array.of(2, 3) });
  assertEquals(parse("1\t2\n", { delimiter: "\t" }), [[1n, 2]]);
  assertEquals(parse("1 2\n", { delimiter: " " }), [[1n, 2]]);
  assertEquals(parse("1;-2,5e1\n", { delimiter: ";", decimal: "," }), [[1n, -25]]);
});

Deno.test("TableParser: times as numbers, exactly", () => {
  const cases: [string, string, bigint][] = [
    ["9223372036854775807", "ns", 9_223_372_036_854_775_807n],
    ["-9223372036854775807", "ns", -9_223_372_036_854_775_807n],
    ["0", "ns", 0n],
    ["000000000000000000000005", "ns", 5n],
    ["1.9", "ns", 1n],
    ["1609459200123.456789", "ms", 1_609_459_200_123_456_789n],
    ["1609459200.123456789123", "s", 1_609_459_200_123_456_789n],
    ["-0.000000001", "s", -1n],
    [".5", "s", 500_000_000n],
    ["5.", "us", 5_000n],
    ["+7", "us", 7_000n],
    ["9223372036.854775807", "s", 9_223_372_036_854_775_807n],
  ];
  for (const [cell, format, expected] of cases) assertEquals(time(cell, format), expected, cell);
  for (const cell of ["9223372036854775808", "99999999999999999999"]) {
    assertThrows(() => time(cell, "ns"), CsvError, "beyond 64 bits");
  }
  assertThrows(() => time("9223372036.854775808", "s"), CsvError, "beyond 64 bits");
  for (const cell of ["", "x", "1e9", "--1", "1.2.3", "."]) {
    assertThrows(() => time(cell, "s"), CsvError, "not a time", cell);
  }
});

Deno.test("TableParser: times of the calendar", () => {
  const ns = (text: string): bigint => Temporal.Instant.from(text).epochNanoseconds;
  const same: [string, string][] = [
    ["2021-01-01T00:00:00Z", "2021-01-01T00:00:00Z"],
    ["2021-01-01 00:00:00.5", "2021-01-01T00:00:00.5Z"],
    ["2021/01/01 00:00", "2021-01-01T00:00:00Z"],
    ["2024-02-29", "2024-02-29T00:00:00Z"],
    ["2021-01-01t01:00:00.123456789+01:00", "2021-01-01T00:00:00.123456789Z"],
    ["2021-01-01T01:00:00-0330", "2021-01-01T04:30:00Z"],
    ["2021-01-01T01:00:00 +02", "2020-12-31T23:00:00Z"],
    ["2021-01-01T01:00:00 UTC", "2021-01-01T01:00:00Z"],
    ["1969-12-31T23:59:59.999999999Z", "1969-12-31T23:59:59.999999999Z"],
    ["2000-02-29T12:00:00Z", "2000-02-29T12:00:00Z"],
    ["1900-03-01T00:00:00Z", "1900-03-01T00:00:00Z"],
  ];
  for (const [cell, expected] of same) assertEquals(time(cell, "rfc3339"), ns(expected), cell);
  assertEquals(
    time("2021-01-01 01:00:00", "rfc3339", 3_600_000_000_000n),
    ns("2021-01-01T00:00:00Z"),
  );
  assertEquals(time("2021-01-01 01:00:00Z", "rfc3339", 5n), ns("2021-01-01T01:00:00Z"));
  const bad = [
    "2021-02-29",
    "2021-13-01",
    "2021-00-01",
    "2021-01-01T24:00:01Z",
    "2021-01-01T25:00:00Z",
    "2021-01-01T00:60:00Z",
    "2021-01-01T00:00:61Z",
    "2021-01-01T00:00:00+24:00",
    "2021-01-01T00:00:00.Z",
    "2021-1-1",
    "01.01.2021",
    "2021-01-01x",
  ];
  for (const cell of bad) assertThrows(() => time(cell, "rfc3339"), CsvError, "not a time", cell);
  assertThrows(() => time("2500-01-01", "rfc3339"), CsvError, "beyond 64 bits");
});

Deno.test("TableParser: times by pattern", () => {
  const ns = (text: string): bigint => Temporal.Instant.from(text).epochNanoseconds;
  const cases: [string, string, string][] = [
    ["01.02.2021 13:05:06", "%d.%m.%Y %H:%M:%S", "2021-02-01T13:05:06Z"],
    ["1/2/21 12:05:06.25 AM", "%m/%d/%y %I:%M:%S.%f %p", "2021-01-02T00:05:06.25Z"],
    ["1/2/70 12:05 pm", "%m/%d/%y %I:%M %p", "1970-01-02T12:05:00Z"],
    ["05-Mar-2021", "%d-%b-%Y", "2021-03-05T00:00:00Z"],
    ["2021 366", "%Y %j", ""],
    ["2020 366", "%Y %j", "2020-12-31T00:00:00Z"],
    ["20210305T101112Z", "%Y%m%dT%H%M%S%z", "2021-03-05T10:11:12Z"],
    ["100%2021", "100%%%Y", "2021-01-01T00:00:00Z"],
    ["13:00 PM", "%I:%M %p", ""],
    ["31.02.2021", "%d.%m.%Y", ""],
    ["xx.02.2021", "%d.%m.%Y", ""],
  ];
  for (const [cell, format, expected] of cases) {
    if (expected === "") assertThrows(() => time(cell, format), CsvError, "not a time", cell);
    else assertEquals(time(cell, format), ns(expected), cell);
  }
});

Deno.test("TableParser: rows without times", () => {
  const parser = new TableParser({
    columns: ["value", "value"],
    times: { first: 100n, step: 10n },
  });
  const [a, b] = parser.parse(encoder.encode("1,2\n3,\n"));
  assertEquals([a!.times, b!.times], [BigInt64Array.of(100n, 110n), BigInt64Array.of(100n)]);
  assertEquals(parser.parse(encoder.encode("5,6\n"))[0]!.times, BigInt64Array.of(120n));
  assertEquals(parser.rows, 3);
});

Deno.test("TableParser: errors say where", () => {
  const cases: [string, string][] = [
    ["1,2\n2,abc\n", 'line 2, column 2 ("v"): "abc" is not a number'],
    ["1,2\n\n2\n", 'line 3, column 1 ("t"): the row has 1 columns, expected 2'],
    ["1,2,3\n", "column 3: the row has more than 2 columns"],
    ["x,2\n", 'column 1 ("t"): "x" is not a time'],
    ["1,1e400\n", "too large"],
    ["1,inf\n", "not a number"],
    ["1,nanx\n", "not a number"],
    [`1,${"9".repeat(50)}x\n`, "…"],
  ];
  for (const [text, message] of cases) {
    assertThrows(() => parse(text, { names: ["t", "v"] }), CsvError, message);
  }
  const parser = new TableParser(TWO);
  parser.lines = 10;
  const error = assertThrows(() => parser.parse(encoder.encode("1,2\nx,1\n")), CsvError);
  assertEquals([error.line, error.column], [12, 1]);
});

Deno.test("TableParser: options that describe no table", () => {
  const bad: [Partial<TableOptions>, string][] = [
    [{ columns: [] }, "0 columns"],
    [{ columns: ["value"] }, "0 columns are times"],
    [{ delimiter: ",," }, "delimiter"],
    [{ delimiter: "5" }, "delimiter"],
    [{ timeFormat: "weeks" }, "timeFormat"],
    [{ timeFormat: "%Q" }, "timeFormat"],
    [{ timeFormat: "%Y%" }, "timeFormat"],
    [{ times: { first: 0n, step: 1n } }, "1 columns are times"],
  ];
  for (const [options, message] of bad) {
    assertThrows(() => new TableParser({ ...TWO, ...options }), TypeError, message);
  }
  assertThrows(() => new TableParser(TWO).parse(encoder.encode("1,2")), TypeError, "line feed");
});

Deno.test("TableParser: large pieces are the same as small ones", () => {
  const rows = Array.from(
    { length: 40_000 },
    (_, i) => `${i},${(i * 0.37).toFixed(5)},${i % 3 ? i : ""}`,
  );
  const bytes = encoder.encode(rows.join("\n") + "\n");
  const options: TableOptions = { columns: ["time", "value", "value"] };
  const whole = new TableParser(options).parse(bytes);
  assertEquals(whole[0]!.times.length, 40_000);
  const parser = new TableParser(options);
  const parts = rows.map((row) => parser.parse(encoder.encode(`${row}\n`)));
  for (const c of [0, 1]) {
    assertEquals(parts.flatMap((part) => [...part[c]!.values]), [...whole[c]!.values]);
    assertEquals(parts.flatMap((part) => [...part[c]!.times]), [...whole[c]!.times]);
  }
  assertEquals([parser.rows, parser.lines], [40_000, 40_000]);
});

Deno.test("TableParser: columns without gaps share their times, from the first gap on each has its own", () => {
  const three: TableOptions = { columns: ["time", "value", "value", "value"] };
  const parser = new TableParser(three);
  const [a, b, c] = parser.parse(encoder.encode("1,2,3,4\n2,3,4,5\n"));
  assertEquals(a!.times === b!.times && b!.times === c!.times, true);
  assertEquals(c, { times: BigInt64Array.of(1n, 2n), values: Float64Array.of(4, 5) });
  const [d, e, f] = parser.parse(encoder.encode("1,2,3,4\n2,3,,5\n3,4,5,6\n4,,,\n"));
  assertEquals(d, { times: BigInt64Array.of(1n, 2n, 3n), values: Float64Array.of(2, 3, 4) });
  assertEquals(e, { times: BigInt64Array.of(1n, 3n), values: Float64Array.of(3, 5) });
  assertEquals(f, { times: BigInt64Array.of(1n, 2n, 3n), values: Float64Array.of(4, 5, 6) });
  assertEquals(new Set([d!.times.buffer, e!.times.buffer, f!.times.buffer]).size, 3);
  // A gap beyond what one call of the kernel takes.
  const rows = Array.from({ length: 40_000 }, (_, i) => `${i},1,${i === 39_000 ? "" : i},-${i}\n`);
  const [g, h, i] = new TableParser(three).parse(encoder.encode(rows.join("")));
  assertEquals([g, h, i].map((column) => column!.times.length), [40_000, 39_999, 40_000]);
  assertEquals([h!.times[38_999], h!.times[39_000], h!.values[39_000]], [38_999n, 39_001n, 39_001]);
  assertEquals(i!.values[39_999], -39_999);
});

Deno.test("TableParser: what is met in a row is counted once, though its first gap has it read again", () => {
  const [gap, changes] = ["2025-10-26 02:30:00,9007199254740993,x,\n", [
    Date.UTC(2025, 2, 30, 1),
    Date.UTC(2025, 9, 26, 1),
  ]];
  const parser = new TableParser({
    columns: ["time", "value", "value", "value"],
    timeFormat: "rfc3339",
    skipBadCells: true,
    clockChanges: BigInt64Array.of(
      ...changes.flatMap((ms, i) => [BigInt(ms) * 1_000_000n, i === 0 ? 7200n : 3600n])
        .map((v, i) => i % 2 === 0 ? v : v * 1_000_000_000n),
    ),
  });
  const [a] = parser.parse(encoder.encode(gap));
  assertEquals(a!.times.length, 1);
  const { unsureTimes, firstUnsureLine, badCells, roundedNumbers, firstRoundedLine } = parser;
  assertEquals([unsureTimes, badCells, roundedNumbers], [1, 1, 1]);
  assertEquals([firstUnsureLine, firstRoundedLine], [1, 1]);
});

Deno.test("TableParser: what is met in a row is counted once, though its quoted cell goes on in the next bytes", () => {
  const parser = new TableParser({
    columns: ["time", "value", "value", "skip"],
    skipBadCells: true,
  });
  const [first, rest] = ['1,x,9007199254740993,"a\n', 'b"\n'];
  assertEquals(parser.parse(encoder.encode(first), true).map(({ times }) => times.length), [0, 0]);
  assertEquals([parser.used, parser.badCells, parser.roundedNumbers], [0, 0, 0]);
  const [a, b] = parser.parse(encoder.encode(first + rest));
  assertEquals([a!.times.length, b!.times.length], [0, 1]);
  assertEquals([parser.badCells, parser.roundedNumbers, parser.firstRoundedLine], [1, 1, 1]);
});

Deno.test("TableParser: an error does not depend on what another parser met before", () => {
  const later = new TableParser({ columns: ["time", "value"], timeFormat: "ticks" });
  const early = new TableParser({ columns: ["time", "value"], timeFormat: "rfc3339" });
  assertThrows(() => early.parse(encoder.encode("3000-01-01,1\n")), Error, "beyond 64 bits");
  assertThrows(() => later.parse(encoder.encode("x,1\n")), Error, '"x" is not a time');
});

Deno.test("TableParser: numbers of every length, before and behind every delimiter", () => {
  for (const delimiter of [",", ";", "\t", "|"]) {
    for (let whole = 0; whole <= 18; whole++) {
      for (let part = 0; part <= 18; part++) {
        if (whole + part === 0) continue;
        const text = "9876543210123456789".slice(0, whole) + "." +
          "1234567890987654321".slice(0, part);
        for (const cell of [text, `-${text}`, `+${text}`, `${text}e-3`, `${text}E2`]) {
          const [a, b] = new TableParser({ columns: ["time", "value", "value"], delimiter })
            .parse(encoder.encode(`7${delimiter}${cell}${delimiter}${cell}\n`));
          assertEquals([a!.values[0], b!.values[0]], [Number(cell), Number(cell)], cell);
        }
      }
    }
  }
});
