/** Tables in any dialect: imported, they are the same points, or they are refused. */

import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { gzipSync, zstdCompressSync } from "node:zlib";
import type { ImportOptions } from "../../src/ingest/mod.ts";
import { imported, type PointsByPath } from "../support/imported.ts";
import { holdsAsync } from "../support/property.ts";

const ZONES = ["UTC", "+05:30", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe"];

/** Rows of a table: times a minute to an hour apart, in whole ms, and values of up to two decimals. */
const tables = fc.record({
  start: fc.integer({ min: Date.UTC(1995, 0, 1), max: Date.UTC(2024, 0, 1) }),
  stepMs: fc.constantFrom(20, 1000, 60_000, 3_600_000),
  rows: fc.array(
    fc.array(
      fc.option(fc.integer({ min: -99_999_999, max: 99_999_999 }).map((n) => n / 100)),
      {
        minLength: 2,
        maxLength: 2,
      },
    ),
    { minLength: 3, maxLength: 30 },
  ),
});

/** Form of a table. */
const dialects = fc.record({
  delimiter: fc.constantFrom(",", ";", "\t", "|"),
  decimal: fc.constantFrom("." as const, "," as const),
  lineEnd: fc.constantFrom("\n", "\r\n"),
  quoted: fc.boolean(),
  nothing: fc.constantFrom("", "NaN", "?", "#N/A", "\\N", "No Data"),
  form: fc.constantFrom("iso", "offset", "german", "apart", "ms"),
  tz: fc.constantFrom(...ZONES),
  encoding: fc.constantFrom("utf-8", "bom", "utf-16le", "windows-1252"),
  compression: fc.constantFrom("none", "gzip", "zstd", "members"),
});

type Dialect = typeof dialects extends fc.Arbitrary<infer D> ? D : never;

/** Clock times at a place. */
function clockAt(ms: number, tz: string): { date: string; clock: string; german: string } {
  const at = Temporal.Instant.fromEpochMilliseconds(ms).toZonedDateTimeISO(tz);
  const date = at.toPlainDate().toString();
  const clock = at.toPlainTime().toString({ fractionalSecondDigits: 3 });
  return { date, clock, german: date.split("-").reverse().join(".") };
}

function timeCells(ms: number, { form, tz }: Dialect): string[] {
  const { date, clock, german } = clockAt(ms, tz);
  if (form === "iso") return [`${date}T${clock}`];
  if (form === "offset") return [new Date(ms).toISOString()];
  if (form === "german") return [`${german} ${clock}`];
  return form === "apart" ? [date, clock] : [String(ms)];
}

function encode(text: string, encoding: string): Uint8Array {
  if (encoding === "utf-16le") {
    return new Uint8Array(Uint16Array.from(`\uFEFF${text}`, (c) => c.charCodeAt(0)).buffer);
  }
  if (encoding === "windows-1252") return Uint8Array.from(text, (c) => c.charCodeAt(0));
  return new TextEncoder().encode(encoding === "bom" ? `\uFEFF${text}` : text);
}

function compress(bytes: Uint8Array, compression: string): Uint8Array {
  if (compression === "gzip") return gzipSync(bytes);
  if (compression === "zstd") return zstdCompressSync(bytes);
  if (compression === "none") return bytes;
  const middle = bytes.length >> 1;
  const [a, b] = [gzipSync(bytes.subarray(0, middle)), gzipSync(bytes.subarray(middle))];
  return Uint8Array.from([...a, ...b]);
}

/** A table in a dialect, the options that say what cannot be found out, and its points. */
function written(
  { start, stepMs, rows }: { start: number; stepMs: number; rows: (number | null)[][] },
  dialect: Dialect,
): { bytes: Uint8Array; options: ImportOptions; points: PointsByPath } {
  const { delimiter, decimal, lineEnd, quoted, nothing, form, tz, encoding } = dialect;
  const names = ["Spannung \u00fc", "I"];
  const points: PointsByPath = { [`f/${names[0]}`]: [], "f/I": [] };
  const cell = (text: string): string => {
    const must = text.includes(delimiter) || quoted;
    return must ? `"${text}"` : text;
  };
  const time = form === "apart" ? ["Datum", "Uhrzeit"] : ["Zeit"];
  const lines = [[...time, ...names].map(cell).join(delimiter)];
  rows.forEach((values, i) => {
    const ms = start + i * stepMs;
    const cells = values.map((value, c) => {
      if (value === null) return nothing;
      points[`f/${names[c]}`]!.push([
        Temporal.Instant.fromEpochMilliseconds(ms).toString(),
        value,
      ]);
      return String(value).replace(".", decimal);
    });
    lines.push([...timeCells(ms, dialect), ...cells].map(cell).join(delimiter));
  });
  const options: ImportOptions = {
    tz,
    decimal,
    delimiter,
    ...(encoding === "windows-1252" ? { encoding } : {}),
    ...(form === "german" ? { timeFormat: "%d.%m.%Y %H:%M:%S.%f" } : {}),
  };
  const text = lines.map((line) => line + lineEnd).join("");
  return { bytes: compress(encode(text, encoding), dialect.compression), options, points };
}

Deno.test("importFile: a table in any dialect comes back as the same points, or is refused", async () => {
  let same = 0;
  await holdsAsync(
    fc.asyncProperty(tables, dialects, async (table, dialect) => {
      const { bytes, options, points } = written(table, dialect);
      let result;
      try {
        result = await imported(bytes, options);
      } catch (error) {
        // A column of nothing but words for nothing is a column, and all of these can be read.
        const text = String(error);
        assert(/Cannot|does not exist/.test(text), text);
        return;
      }
      const unsure = result.warnings.some((text) => text.includes("comes twice"));
      if (!unsure) assertEquals(result.points, points);
      same++;
    }),
    60,
  );
  assert(same > 40, `only ${same} of the tables were imported`);
});

Deno.test("importFile: a file that ends at any byte is the points of its whole lines, or refused", async () => {
  const folder = await Deno.makeTempDir();
  try {
    const text = "time,v,w\n" +
      Array.from({ length: 6 }, (_, i) => `2020-03-01T00:00:0${i}Z,${i}.25,-1${i}.5\n`).join("");
    const all = new TextEncoder().encode(text);
    const whole = (await imported(all)).points;
    for (const compression of ["none", "gzip", "zstd"]) {
      const bytes = compress(all, compression);
      for (let length = 0; length < bytes.length; length++) {
        const path = `${folder}/t.csv`;
        await Deno.writeFile(path, bytes.subarray(0, length));
        const result = await imported(path).catch(() => undefined);
        if (result === undefined) continue;
        assertEquals(compression, "none", `${length} of ${bytes.length} bytes`);
        for (const [name, points] of Object.entries(result.points)) {
          assertEquals(points, whole[name]!.slice(0, points.length));
        }
        const lines = text.slice(0, length).split("\n").length - 2;
        assertEquals(result.points["f/v"]!.length, lines);
      }
    }
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
