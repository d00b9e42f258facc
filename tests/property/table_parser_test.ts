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

/** Decimals of up to 19 digits, without exponents: all that a loop of its own reads. */
const plainDecimal = fc.tuple(
  fc.constantFrom("", "-", "+"),
  fc.oneof(
    fc.bigInt(0n, 10n ** 19n - 1n),
    fc.bigInt(0n, 10n ** 7n),
    // Exactly between two doubles, and beside it.
    fc.tuple(fc.bigInt(2n ** 52n, 2n ** 53n), fc.nat(4), fc.integer({ min: -1, max: 1 })).map((
      [m, power, step],
    ) => (2n * m + 1n) * 5n ** BigInt(power) + BigInt(step)),
  ),
  fc.nat(19),
).map(([sign, n, scale]) => {
  const digits = String(n).padStart(scale, "0");
  const cut = digits.length - scale;
  return `${sign}${digits.slice(0, cut)}.${digits.slice(cut)}`;
}).filter((text) => /\d/.test(text));

Deno.test("TableParser: decimals of up to 19 digits are the doubles that Number gives", () => {
  holds(
    fc.property(fc.array(plainDecimal, { minLength: 50, maxLength: 100 }), (texts) => {
      const parser = new TableParser({ columns: ["time", "value"] });
      const lines = texts.map((text, i) => `${i},${text}\n`).join("");
      const [column] = parser.parse(encoder.encode(lines));
      assertEquals(column!.values, Float64Array.from(texts, Number));
    }),
  );
});

/** A row of four cells, most of them plain, the time first. */
function anyRow(i: number, kind: number): { plain: string; quoted: string } {
  const text = kind % 5 === 0 ? "2026-01-01 00:00:00.25" : `"text, ${kind}\n"`;
  const cells = [i, (kind / 7 - 20).toFixed(kind % 9), kind % 11 === 0 ? "" : kind / 3];
  const quoted = cells.map((cell) => `"${cell}"`);
  const isPlain = kind % 29 !== 0;
  return {
    plain: `${isPlain ? cells[0] : ` ${cells[0]}`},${text},${cells.slice(1).join(",")}\n`,
    quoted: `${quoted[0]},${text},${quoted.slice(1).join(",")}\n`,
  };
}

Deno.test("TableParser: rows of plain cells read as those in quotes, whatever stands between them", () => {
  const kinds = fc.tuple(fc.nat(1e6), fc.constantFrom([0], [5, 10], [0, 1, 2, 3, 5, 29], [11, 55]));
  holds(
    fc.property(kinds, ([seed, steps]) => {
      const rows = Array.from(
        { length: 3_000 },
        (_, i) => anyRow(i, 5 * (seed % 1000 + (i >> 5)) + steps[(i * i + seed) % steps.length]!),
      );
      const read = (lines: string[]) => {
        const parser = new TableParser({ columns: ["time", "skip", "value", "value"] });
        return { columns: parser.parse(encoder.encode(lines.join(""))), lines: parser.lines };
      };
      assertEquals(read(rows.map((row) => row.plain)), read(rows.map((row) => row.quoted)));
    }),
    30,
  );
});
