import fc from "fast-check";
import { assertEquals } from "@std/assert";
import { CsvError, CsvParser, formatCsv, mergeTimes, parseCsv } from "../../src/kernel/mod.ts";
import { sortedPoints, sortedWindows, time, toRaw } from "../support/columns_arbitrary.ts";
import {
  referenceFixed6,
  referenceMerge,
  referenceRows,
  referenceShortest,
  referenceTime,
} from "../support/csv_reference.ts";
import { CsvWriter } from "../../src/kernel/csv_writer.ts";
import { bits } from "../support/kernel_compare.ts";
import { hardDecimal, hardDouble } from "../support/number_arbitrary.ts";
import { holds } from "../support/property.ts";

const HEADER = "Timestamp (ns),Human-Readable Time (UTC)";
const decoder = new TextDecoder();

/** The third cells of all rows. */
function cells(values: Float64Array, numbers: "shortest" | "fixed6"): string[] {
  const columns = { times: new BigInt64Array(values.length), values };
  const csv = formatCsv([{ label: "a", columns }], { numbers, header: false });
  return decoder.decode(csv).split("\n").slice(0, -1).map((line) => line.split(",")[2]!);
}

/** The doubles that one column of texts becomes. */
function parsed(texts: readonly string[]): Float64Array {
  return parseCsv(`${HEADER},a\n${texts.map((text, i) => `${i},,${text}\n`).join("")}`)[0]!.values;
}

const doubles = fc.array(hardDouble, { minLength: 1, maxLength: 50, size: "max" }).map((x) =>
  Float64Array.from(x)
);

Deno.test("formatCsv: %f is C's, for every finite double", () => {
  holds(fc.property(doubles, (values) => {
    assertEquals(cells(values, "fixed6"), Array.from(values, referenceFixed6));
  }));
});

Deno.test("formatCsv: shortest is Number.prototype.toString, and -0 of negative zero, for every double", () => {
  holds(fc.property(doubles, (values) => {
    assertEquals(cells(values, "shortest"), Array.from(values, referenceShortest));
  }));
});

Deno.test("parseCsv: a parsed decimal is the nearest double, as Number gives it", () => {
  const texts = fc.array(hardDecimal.filter((text) => Number.isFinite(Number(text))), {
    minLength: 1,
    maxLength: 30,
    size: "max",
  });
  holds(fc.property(texts, (all) => {
    assertEquals(bits(parsed(all)), bits(Float64Array.from(all, Number)));
  }));
});

Deno.test("parseCsv: shortest reads back to the same doubles, fixed6 to what its text says", () => {
  holds(fc.property(doubles, (values) => {
    assertEquals(bits(parsed(cells(values, "shortest"))), bits(values));
    const fixed = cells(values, "fixed6");
    assertEquals(bits(parsed(fixed)), bits(Float64Array.from(fixed, Number)));
  }));
});

Deno.test("formatCsv: times are written and read exactly, over all 64 bits", () => {
  const times = fc.array(fc.oneof(time, fc.bigInt(-3n, 3n).map((s) => s * 1_000_000_000n)), {
    minLength: 1,
    maxLength: 50,
  });
  holds(fc.property(times, fc.constantFrom(0 as const, 9 as const), (all, timeDigits) => {
    const columns = { times: BigInt64Array.from(all), values: new Float64Array(all.length) };
    const csv = formatCsv([{ label: "a", columns }], { timeDigits });
    const expected = all.map((t) => `${t},${referenceTime(t, timeDigits)},0\n`).join("");
    assertEquals(decoder.decode(csv), `${HEADER},a\n${expected}`);
    assertEquals(parseCsv(csv)[0]!.times, columns.times);
  }));
});

const streams = fc.array(sortedPoints, { maxLength: 6 });
const numbers = fc.constantFrom("shortest" as const, "fixed6" as const);

Deno.test("mergeTimes: equals taking the earliest head again and again", () => {
  const edge = fc.array(time, { maxLength: 20 }).map((t) => BigInt64Array.from(t).sort());
  const any = fc.oneof(streams.map((all) => all.map(({ times }) => times)), fc.array(edge));
  holds(fc.property(any, (all) => assertEquals(mergeTimes(all), referenceMerge(all))));
});

Deno.test("formatCsv: the rows of points and of windows equal the plain ones", () => {
  const any = fc.oneof(streams, fc.array(sortedWindows, { maxLength: 4 }));
  holds(
    fc.property(any, numbers, (all, how) => {
      const csv = formatCsv(all.map((columns) => ({ label: "x", columns })), {
        numbers: how,
        header: false,
      });
      assertEquals(decoder.decode(csv), referenceRows(all, how, 0));
    }),
    1_000,
  );
});

/** Streams of the same times, twins among them, but for a few points that some of them lack. */
const nearlyShared = fc.record({
  streams: fc.constantFrom(2, 3, 8, 9, 65),
  rows: fc.integer({ min: 1, max: 120 }),
  twins: fc.integer({ min: 1, max: 3 }),
  gaps: fc.array(fc.tuple(fc.nat(64), fc.nat(119)), { maxLength: 4 }),
}).map(({ streams, rows, twins, gaps }) =>
  Array.from({ length: streams }, (_, s) => {
    const lacks = new Set(gaps.filter(([stream]) => stream === s).map(([, row]) => row));
    const kept = Array.from({ length: rows }, (_, r) => r).filter((r) => !lacks.has(r));
    return {
      times: BigInt64Array.from(kept, (r) => BigInt(Math.floor(r / twins)) * 400_000_000n),
      values: Float64Array.from(kept, (r) => s + r / 8),
    };
  })
);

Deno.test("formatCsv: the rows of streams that share their times equal the plain ones", () => {
  holds(
    fc.property(nearlyShared, numbers, (all, how) => {
      const csv = formatCsv(all.map((columns) => ({ label: "x", columns })), {
        numbers: how,
        header: false,
      });
      assertEquals(decoder.decode(csv), referenceRows(all, how, 0));
    }),
    200,
  );
});

/** Points of very many streams, most of them few, and where each stream's second piece begins. */
const manyStreams = fc.record({
  streams: fc.constantFrom(1_025, 1_100, 1_600),
  most: fc.constantFrom(1, 3, 17, 40),
  seed: fc.integer(),
});

Deno.test("CsvWriter: the rows of very many streams that come in pieces equal the plain ones", () => {
  const other = [{
    label: "x",
    columns: { times: new BigInt64Array(9), values: new Float64Array(9) },
  }];
  holds(
    fc.property(manyStreams, numbers, fc.boolean(), ({ streams, most, seed }, how, isBeside) => {
      let state = seed >>> 0;
      const below = (n: number) => (state = (state * 1_664_525 + 1_013_904_223) >>> 0) % n;
      const all = Array.from({ length: streams }, () => {
        const times = Array.from({ length: below(most + 1) }, () => BigInt(below(60)));
        const sorted = BigInt64Array.from(times).sort();
        return { times: sorted, values: Float64Array.from(sorted, () => below(1_000) / 8) };
      });
      const writer = new CsvWriter({ kind: "raw", streams, numbers: how, timeDigits: 0 });
      const given = all.map(() => 0);
      let text = "";
      for (;;) {
        for (const s of writer.hungry()) {
          const { times, values } = all[s]!;
          const from = given[s]!, to = Math.min(times.length, from + 1 + below(20));
          if (from === times.length) writer.close(s);
          else writer.push(s, { times: times.slice(from, to), values: values.slice(from, to) });
          given[s] = to;
        }
        if (isBeside) { for (const _ of writer.prepare()) if (below(4) === 0) formatCsv(other); }
        const piece = writer.next();
        if (piece !== undefined) text += decoder.decode(piece);
        else if (!writer.isWaiting) break;
      }
      assertEquals(text === referenceRows(all, how, 0), true);
    }),
    20,
  );
});

/** Rows in any order with gaps, as text, and what they mean. */
const table = fc.tuple(
  fc.integer({ min: 1, max: 5 }),
  fc.array(fc.tuple(time, fc.array(fc.option(hardDouble), { minLength: 5, maxLength: 5 })), {
    maxLength: 30,
  }),
  fc.record({
    mark: fc.boolean(),
    quoted: fc.boolean(),
    crlf: fc.boolean(),
    final: fc.boolean(),
    human: fc.constantFrom("", "2019-07-01T04:00:00Z", '"a ""b"",\nc"', "any text"),
  }),
);

Deno.test("CsvParser: a CSV cut anywhere gives the points of its rows in their order", () => {
  const cuts = fc.array(fc.nat(4000), { maxLength: 8 });
  holds(fc.property(table, cuts, ([columns, rows, style], at) => {
    const end = style.crlf ? "\r\n" : "\n";
    const cell = (text: string) => style.quoted ? `"${text}"` : text;
    const lines = rows.map(([t, values]) =>
      [
        cell(`${t}`),
        style.human,
        ...values.slice(0, columns).map((v) => v === null ? "" : cell(String(v))),
      ].join(",")
    );
    const labels = ["é", '"b"', "c,d", "e\nf", ""].slice(0, columns);
    const names = labels.map((label) => `"${label.replaceAll('"', '""')}"`);
    const text = [[HEADER, ...names].join(","), ...lines].join(end) + (style.final ? end : "");
    const bytes = new TextEncoder().encode((style.mark ? "\ufeff" : "") + text);
    const edges = [0, ...at.map((i) => i % (bytes.length + 1)), bytes.length].sort((a, b) => a - b);
    const parser = new CsvParser();
    const pieces = edges.slice(1).map((to, k) => parser.push(bytes.slice(edges[k], to)));
    pieces.push(parser.finish());
    assertEquals(parser.labels, labels);
    for (let c = 0; c < columns; c++) {
      const expected = toRaw(
        rows.flatMap(([t, values]) =>
          values[c] === null ? [] : [[t, values[c] === 0 ? 0 : values[c]!] as const]
        ),
      );
      const actual = pieces.flatMap((piece) => piece.slice(c, c + 1));
      assertEquals(actual.flatMap(({ times }) => [...times]), [...expected.times]);
      assertEquals(
        bits(Float64Array.from(actual.flatMap(({ values }) => [...values]))),
        bits(expected.values),
      );
    }
  }));
});

/** Result of parsing bytes in pieces: the points, or the error. */
function outcome(bytes: Uint8Array, edges: readonly number[]): string {
  const parser = new CsvParser();
  const points: string[][] = [];
  const keep = (columns: readonly { times: BigInt64Array; values: Float64Array }[]) =>
    columns.forEach(({ times, values }, c) =>
      (points[c] ??= []).push(...Array.from(times, (t, i) => `${t}:${values[i]}`))
    );
  try {
    edges.slice(1).forEach((to, k) => keep(parser.push(bytes.slice(edges[k], to))));
    keep(parser.finish());
  } catch (error) {
    if (!(error instanceof CsvError)) throw error;
    return error.message;
  }
  return JSON.stringify([parser.labels, points]);
}

Deno.test("CsvParser: a broken CSV gives the same points or the same error however it is cut", () => {
  const valid = `${HEADER},a,"b ""c"""\r\n1,2019-07-01T04:00:00Z,1.5,\n-2,"x,y",,2e5\n\n3,,"4",5\n`;
  const breaks = fc.array(
    fc.tuple(fc.nat(), fc.constantFrom(...',"\n\r.eE+-0 5x;\u00ff'), fc.nat(2)),
    { maxLength: 4 },
  );
  holds(
    fc.property(breaks, fc.array(fc.nat(200), { maxLength: 5 }), (all, cuts) => {
      let text = valid;
      for (const [at, by, removed] of all) {
        const i = at % text.length;
        text = text.slice(0, i) + by + text.slice(i + removed);
      }
      const bytes = new TextEncoder().encode(text);
      const edges = [0, ...cuts.map((i) => i % (bytes.length + 1)), bytes.length]
        .sort((a, b) => a - b);
      const one = Array.from({ length: bytes.length + 1 }, (_, i) => i);
      const whole = outcome(bytes, [0, bytes.length]);
      assertEquals(outcome(bytes, edges), whole);
      assertEquals(outcome(bytes, one), whole);
    }),
    4_000,
  );
});
