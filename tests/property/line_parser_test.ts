import fc from "fast-check";
import { assertEquals } from "@std/assert";
import { linePrefix } from "../../src/core/line_series.ts";
import { type LineBatch, LineParser } from "../../src/kernel/line_parser.ts";
import { referenceLines } from "../support/line_protocol_reference.ts";
import { hardDecimal } from "../support/number_arbitrary.ts";
import { holds } from "../support/property.ts";

const NOW = 1_700_000_000_000_000_000n;
const encoder = new TextEncoder();

/** Everything in the batches of a text that comes in pieces of some lengths. */
function parsed(bytes: Uint8Array, unit: bigint, cuts: readonly number[] = []) {
  const parser = new LineParser({ unit, now: NOW });
  const batches: LineBatch[] = [];
  let at = 0;
  for (const cut of cuts) {
    batches.push(...parser.push(bytes.slice(at, at + cut)));
    at += cut;
  }
  batches.push(...parser.push(bytes.slice(at)), ...parser.finish());
  const points: [string, bigint, number][] = [];
  for (const { series, groups, columns } of batches) {
    for (let i = 0; i < groups.length; i++) {
      const { prefix, field } = series[groups[i]!]!;
      const { measurement, tags } = linePrefix(prefix);
      const name = JSON.stringify([measurement, [...tags], field]);
      points.push([name, columns.times[i]!, columns.values[i]!]);
    }
  }
  return {
    points,
    strings: batches.reduce((sum, { strings }) => sum + strings, 0),
    refused: batches.reduce((sum, { refused }) => sum + refused, 0),
    told: batches.flatMap(({ errors }) => errors.map(({ line }) => line)),
  };
}

/** Pieces of lines: mostly what belongs there, at times what does not. */
const piece = fc.oneof(
  { weight: 6, arbitrary: fc.constantFrom("cpu", "m\\ x", "a\\,b", "µ=", "host", "x") },
  { weight: 6, arbitrary: fc.constantFrom(",", " ", "=", ",t=1", ",u=é", " v=", ",w=", " ", "\n") },
  { weight: 3, arbitrary: fc.constantFrom("1", "2.5", "-3i", "7u", "true", "F", '"s"', '"a\nb"') },
  {
    weight: 2,
    arbitrary: fc.constantFrom("17", "1700000000", "-5", "9223372036854775807", "\r\n"),
  },
  {
    weight: 1,
    arbitrary: fc.constantFrom(
      '"',
      "\\",
      '\\"',
      "#",
      "\t",
      "\0",
      "1e999",
      "9007199254740993i",
      "\\\\",
    ),
  },
);

const value = fc.oneof(
  hardDecimal,
  fc.bigInt({ min: -(1n << 64n), max: 1n << 65n }).map((v) => `${v}i`),
  fc.bigInt({ min: 0n, max: 1n << 54n }).map((v) => `${v}u`),
  fc.constantFrom(
    "t",
    "true",
    "False",
    '"x"',
    '"\\"\\\\"',
    '"a,b c=\nd"',
    "tru",
    "1x",
    "0x1",
    "-",
    "",
  ),
);

const line = fc.tuple(
  fc.constantFrom(
    "cpu",
    "cpu,host=a",
    "cpu,host=b,region=eu\\ 1",
    "m\\,x,a=1,b=2",
    "m\\\\",
    "cpu,a=1,a=1",
  ),
  fc.array(
    fc.tuple(fc.constantFrom("v", "usage\\ x", "f\\=1", "ü", "longer_name_of_a_field"), value),
    {
      minLength: 1,
      maxLength: 4,
    },
  ),
  fc.option(fc.bigInt({ min: -(1n << 61n), max: 1n << 63n }), { nil: undefined }),
  fc.constantFrom("\n", "\r\n", " \n", "\n\n", "\n# c\n"),
).map(([prefix, fields, time, end]) =>
  `${prefix} ${fields.map(([k, v]) => `${k}=${v}`).join(",")}${
    time === undefined ? "" : ` ${time}`
  }${end}`
);

const text = fc.oneof(
  fc.array(piece, { maxLength: 40 }).map((pieces) => pieces.join("")),
  fc.array(line, { maxLength: 12 }).map((lines) => lines.join("")),
  fc.array(fc.oneof(line, piece), { maxLength: 12 }).map((parts) => parts.join("")),
);

Deno.test("LineParser: finds the points, strings and bad lines that a plain reading finds", () => {
  const unit = fc.constantFrom(1n, 1_000n, 1_000_000n, 1_000_000_000n, 3_600_000_000_000n, 0n);
  const cuts = fc.array(fc.nat(30), { maxLength: 5 });
  holds(
    fc.property(text, unit, cuts, (text, unit, cuts) => {
      const { refused, ...expected } = referenceLines(text, unit, NOW);
      assertEquals(parsed(encoder.encode(text), unit, cuts), {
        ...expected,
        refused: refused.length,
        told: refused.slice(0, 16),
      });
    }),
    5_000,
  );
});

Deno.test("LineParser: any bytes are lines or errors, and what follows is read", () => {
  holds(fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
    const quiet = bytes.map((byte) => byte === 34 ? 35 : byte);
    const all = Uint8Array.from([...quiet, ...encoder.encode("\nok v=1 5\n")]);
    assertEquals(parsed(all, 1n).points.at(-1), [JSON.stringify(["ok", [], "v"]), 5n, 1]);
  }));
});
