import fc from "fast-check";
import { assertEquals } from "@std/assert";
import { type ColumnRole, TableParser } from "../../src/kernel/mod.ts";
import { time } from "../support/columns_arbitrary.ts";
import { hardDecimal } from "../support/number_arbitrary.ts";
import { holds } from "../support/property.ts";

const encoder = new TextEncoder();

/** A cell of values as text, and the value it stands for; `undefined`: no point. */
const valueCell = fc.oneof(
  hardDecimal.filter((text) => Number.isFinite(Number(text))).map((text) => ({
    text,
    value: Number(text) as number | undefined,
  })),
  fc.constantFrom("", "NaN", "na", "null", "-", "n/a", " ").map((text) => ({
    text,
    value: undefined,
  })),
);

const padded = (text: string, kind: number): string =>
  kind === 0 ? text : kind === 1 ? ` ${text} ` : `"${text.trim()}"`;

/** Rows of a table of any shape with what they mean. */
const tables = fc.record({
  roles: fc.array(fc.constantFrom<ColumnRole>("value", "skip"), { minLength: 1, maxLength: 6 }),
  timeAt: fc.nat(6),
  delimiter: fc.constantFrom(",", ";", "\t", "|"),
  lineEnd: fc.constantFrom("\n", "\r\n"),
  rows: fc.array(
    fc.record({ time, cells: fc.array(valueCell, { minLength: 6, maxLength: 6 }), pad: fc.nat(2) }),
    { maxLength: 20 },
  ),
  cut: fc.nat(20),
});

Deno.test("TableParser: tables of any shape read as a plain reader does", () => {
  holds(
    fc.property(tables, ({ roles, timeAt, delimiter, lineEnd, rows, cut }) => {
      const at = timeAt % (roles.length + 1);
      const columns: ColumnRole[] = [...roles.slice(0, at), "time", ...roles.slice(at)];
      const lines = rows.map((row) => {
        const texts = roles.map((role, c) =>
          role === "skip" ? `text ${c}` : padded(row.cells[c]!.text, row.pad)
        );
        texts.splice(at, 0, padded(String(row.time), row.pad));
        return texts.join(delimiter) + lineEnd;
      });
      const parser = new TableParser({ columns, delimiter });
      const [first, second] = [lines.slice(0, cut), lines.slice(cut)].map((part) =>
        parser.parse(encoder.encode(part.join("")))
      );
      roles.flatMap((role, c) => role === "value" ? [c] : []).forEach((c, k) => {
        const points = rows.filter((row) => row.cells[c]!.value !== undefined);
        const times = [...first![k]!.times, ...second![k]!.times];
        const values = [...first![k]!.values, ...second![k]!.values];
        assertEquals(times, points.map((row) => row.time));
        assertEquals(values, points.map((row) => row.cells[c]!.value!));
      });
      assertEquals([parser.rows, parser.lines], [rows.length, rows.length]);
    }),
    500,
  );
});

Deno.test("TableParser: times of the calendar read as Temporal reads them", () => {
  const legal = fc.bigInt(-(2n ** 62n), 2n ** 62n);
  holds(
    fc.property(legal, fc.constantFrom("UTC", "+05:45", "-03:30"), fc.nat(9), (ns, tz, digits) => {
      const text = Temporal.Instant.fromEpochNanoseconds(ns).toZonedDateTimeISO(tz).toString({
        fractionalSecondDigits: digits as 0,
        timeZoneName: "never",
      });
      const parser = new TableParser({ columns: ["time", "value"], timeFormat: "rfc3339" });
      const [column] = parser.parse(encoder.encode(`${text},1\n`));
      assertEquals(column!.times[0], Temporal.Instant.from(text).epochNanoseconds);
    }),
    1000,
  );
});

Deno.test("TableParser: whole numbers that no double holds are counted, as integers tell", () => {
  const digits = fc.oneof(
    fc.bigInt({ min: -(1n << 115n), max: 1n << 115n }),
    fc.bigInt({ min: 2n ** 53n - 9n, max: 2n ** 53n + 9n }),
    fc.bigInt({ min: 2n ** 64n - 4096n, max: 2n ** 64n + 4096n }),
    fc.tuple(fc.bigInt({ min: 1n, max: 2n ** 53n }), fc.nat(62)).map(([m, k]) => m << BigInt(k)),
  );
  const cells = fc.tuple(digits, fc.constantFrom("", "+", "00"), fc.constantFrom("", ".0", "e0"));
  holds(
    fc.property(fc.array(cells, { maxLength: 20 }), (rows) => {
      const parser = new TableParser({ columns: ["time", "value"] });
      const texts = rows.map(([n, before, behind]) => `${n < 0n ? "" : before}${n}${behind}`);
      parser.parse(encoder.encode(texts.map((text, i) => `${i},${text}\n`).join("")));
      const isRounded = rows.map(([n, _, behind]) => behind === "" && BigInt(Number(n)) !== n);
      const first = isRounded.indexOf(true);
      assertEquals(parser.roundedNumbers, isRounded.filter(Boolean).length);
      assertEquals(parser.firstRoundedLine, first < 0 ? undefined : first + 1);
    }),
  );
});
