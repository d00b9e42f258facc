import { assert, assertEquals, assertThrows } from "@std/assert";
import { CsvError, CsvParser, parseCsv, parseCsvStream } from "../../../src/kernel/mod.ts";

const HEADER = "Timestamp (ns),Human-Readable Time (UTC)";
const MAX = (1n << 63n) - 1n;

/** The error of a file with the columns `a` and `é,` and these rows after two good ones. */
function errorOf(row: string): CsvError {
  return assertThrows(
    () => parseCsv(`${HEADER},a,"é,"\n1,x,1,\r\n2,x,,2\n${row}\n9,x,9,9\n`),
    CsvError,
  );
}

Deno.test("parseCsv: bad cells are refused with line, column and label", () => {
  const bad = [
    "1e",
    "0x10",
    ".",
    "-",
    "+",
    "e5",
    "1e+",
    "1.5.2",
    "--1",
    "1 ",
    " 1",
    "1_",
  ];
  bad.push(
    "NaN",
    "Infinity",
    "+Inf",
    "-Inf",
    "nan",
    "1_000",
    "1f",
    "½",
    "１",
    '"1"x',
    '"x"',
    "1\rx",
  );
  for (const text of bad) {
    const error = errorOf(`3,x,1,${text}`);
    assertEquals([error.line, error.column, error.label], [4, 4, "é,"], text);
    assert(error.message.startsWith('Cannot parse CSV: line 4, column 4 ("é,"): '), error.message);
  }
  assertEquals(
    errorOf("3,x,1e,").message,
    'Cannot parse CSV: line 4, column 3 ("a"): "1e" is not a number',
  );
});

Deno.test("parseCsv: numbers that no double holds are refused, tiny ones become zero", () => {
  assertEquals(
    errorOf("3,x,1e309,").message,
    'Cannot parse CSV: line 4, column 3 ("a"): "1e309" is too large for a double',
  );
  const [a] = parseCsv(`${HEADER},a\n1,,-1e-400\n2,,1e-99999999999\n3,,17976931348623157e292\n`);
  assertEquals(a!.values, Float64Array.of(-0, 0, Number.MAX_VALUE));
  assertEquals(errorOf(`3,x,${"9".repeat(400)},`).column, 3);
});

Deno.test("parseCsv: bad times are refused, the ends of 64 bits are times", () => {
  for (
    const time of [
      "",
      "x",
      "1.5",
      "1e9",
      "+1",
      " 1",
      "0x1",
      "--1",
      "-",
      '""',
      "1970-01-01T00:00:00Z",
    ]
  ) {
    const error = errorOf(`${time},x,1,1`);
    assertEquals([error.line, error.column, error.label], [4, 1, undefined], time);
  }
  for (const time of [MAX + 1n, -MAX - 2n, 10n ** 19n, 10n ** 40n]) {
    const { message } = errorOf(`${time},x,1,1`);
    assert(message.endsWith("is not a time, expected ns from -2^63 to 2^63 - 1"), message);
  }
  const [a] = parseCsv(
    `${HEADER},a\n${MAX},,1\n${-MAX - 1n},,1\n-0,,1\n"7",,1\n00000000000000000000007,,1`,
  );
  assertEquals(a!.times, BigInt64Array.of(MAX, -MAX - 1n, 0n, 7n, 7n));
});

Deno.test("parseCsv: rows of another number of columns are refused", () => {
  const cases: [row: string, column: number, what: string][] = [
    ["3", 1, "the row has 1 of 4 columns"],
    ["3,x", 2, "the row has 2 of 4 columns"],
    ["3,x,1", 3, "the row has 3 of 4 columns"],
    ["3,x,1,1,1", 5, "the row has more than 4 columns"],
    ["3,x,1,,", 5, "the row has more than 4 columns"],
    ['3,"x"y,1,1', 2, "is not followed by a comma or a line end"],
  ];
  for (const [row, column, what] of cases) {
    const error = errorOf(row);
    assertEquals([error.line, error.column], [4, column], row);
    assert(error.message.endsWith(what), error.message);
  }
});

Deno.test("parseCsv: a header that is not one of raw values is refused", () => {
  const cases: [header: string, column: number | undefined, what: string][] = [
    ["", 1, 'the name is "", expected "Timestamp (ns)"'],
    ["time,value", 1, 'the name is "time", expected "Timestamp (ns)"'],
    ["Timestamp (ns)", 2, 'the name is missing, expected "Human-Readable Time (UTC)"'],
    [`${HEADER},a (Min),a (Mean),a (Max),a (Count)`, 3, '"a (Min)" is a statistic of windows'],
    [`${HEADER},"a"b`, 3, "the name has text after its closing quote"],
    [`${HEADER},"a`, undefined, "a quote is not closed"],
  ];
  for (const [header, column, what] of cases) {
    const error = assertThrows(() => parseCsv(header + "\n1,,1\n"), CsvError, what);
    assertEquals([error.line, error.column], [1, column], header);
  }
  assertThrows(() => parseCsv(Uint8Array.of(0xff, 10)), CsvError, "line 1, column 1");
  assertThrows(() => parseCsv(""), CsvError, "Timestamp (ns)");
});

Deno.test("parseCsv: line numbers count the lines of the file, quoted line breaks included", () => {
  const file = `${HEADER},"a\nb"\n1,"x\ny",1\n\n2,x,bad\n`;
  const error = assertThrows(() => parseCsv(file), CsvError);
  assertEquals([error.line, error.column, error.label], [6, 3, "a\nb"]);
});

Deno.test("parseCsv: empty cells, empty lines and rows in any order", () => {
  const columns = parseCsv(`${HEADER},a,b\n5,,1,\n\n3,,,\r\n\r\n5,,"",-2\n4,,+0.5e1,5.\n4,,.5,""`);
  assertEquals(columns, [
    { label: "a", times: BigInt64Array.of(5n, 4n, 4n), values: Float64Array.of(1, 5, 0.5) },
    { label: "b", times: BigInt64Array.of(5n, 4n), values: Float64Array.of(-2, 5) },
  ]);
  assertEquals(parseCsv(HEADER), []);
  assertEquals(parseCsv(`${HEADER}\n1,x\n`), []);
  assertEquals(parseCsv(`${HEADER},a`)[0]!.times.length, 0);
});

Deno.test("parseCsv: a quote that is never closed is refused with the line where its row begins", () => {
  const error = errorOf('3,x,1,"2');
  assertEquals(error.line, 4);
  assertThrows(() => parseCsv(`${HEADER},a\n1,"x,1\n`), CsvError, "line 2: a quote is not closed");
  const parser = new CsvParser();
  parser.push(new TextEncoder().encode(`${HEADER},a\n1,"`));
  const filler = new Uint8Array(6 << 20).fill(97);
  assertThrows(
    () => {
      for (let i = 0; i < 4; i++) parser.push(filler);
    },
    CsvError,
    "line 2: a row is longer than 16777216 bytes",
  );
});

Deno.test("CsvParser: errors keep their line however the bytes arrive", () => {
  const bytes = new TextEncoder().encode(`${HEADER},a\n${"1,,1\n".repeat(500)}2,,x1\n`);
  for (const size of [1, 7, 64, 3000]) {
    const parser = new CsvParser();
    const error = assertThrows(() => {
      for (let i = 0; i < bytes.length; i += size) parser.push(bytes.subarray(i, i + size));
      parser.finish();
    }, CsvError);
    assertEquals([error.line, error.message.includes('"x1"')], [502, true]);
  }
});

Deno.test("CsvParser: a row of many bytes that come one by one costs no more than its length", () => {
  const parser = new CsvParser();
  const row = `5,${"x".repeat(200_000)},1`;
  const bytes = new TextEncoder().encode(`${HEADER},a\n${row}\n`);
  let points = 0;
  for (let i = 0; i < bytes.length; i++) {
    points += parser.push(bytes.subarray(i, i + 1))[0]?.times.length ?? 0;
  }
  assertEquals(points, 1);
});

Deno.test("parseCsv: long cells are cut in messages", () => {
  const { message } = errorOf(`3,x,${"y".repeat(5000)},`);
  assert(message.includes(`"${"y".repeat(40)}"…`) && message.length < 200, message);
});

Deno.test("parseCsvStream: files larger than any buffer, with more columns than fit at once", async () => {
  const labels = Array.from({ length: 3000 }, (_, c) => `c${c}`);
  const rows = Array.from(
    { length: 200 },
    (_, r) => `${r},,` + labels.map((_, c) => r + c).join(","),
  );
  const blob = new Blob([`${HEADER},${labels.join(",")}\n`, rows.join("\n")]);
  const sums = new Float64Array(labels.length);
  let points = 0;
  for await (const batch of parseCsvStream(blob.stream())) {
    batch.forEach(({ label, values, times }, c) => {
      assertEquals(label, labels[c]);
      points += times.length;
      sums[c]! += values.reduce((a, b) => a + b, 0);
    });
  }
  assertEquals(points, 600_000);
  assertEquals(sums, Float64Array.from(labels, (_, c) => 200 * c + 19_900));
});

Deno.test("CsvParser: a finished parser takes no more, and wants bytes", () => {
  const parser = new CsvParser();
  parser.push(new TextEncoder().encode(`${HEADER},a\n`));
  assertEquals([parser.finish().length, parser.finish().length, parser.lines], [1, 0, 1]);
  assertThrows(() => parser.push(new Uint8Array(1)), TypeError, "finished");
  assertThrows(() => new CsvParser().push("x" as unknown as Uint8Array), TypeError, "Uint8Array");
});
