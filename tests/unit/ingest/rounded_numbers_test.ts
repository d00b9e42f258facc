/** Numbers of columnar files that no double holds: each is counted, and its column named. */

import { assertEquals, assertRejects } from "@std/assert";
import { decimal, int64, tableFromArrays, tableToIPC } from "@uwdata/flechette";
import { openParquet } from "../../../src/io/parquet.ts";
import { RoundedNumbers } from "../../../src/io/rounded_numbers.ts";
import { imported } from "../../support/imported.ts";
import {
  type MadeColumn,
  makeParquet,
  plainPage,
  type Thrift,
} from "../../support/made_parquet.ts";

const TIMES: MadeColumn = {
  name: "time",
  type: 2,
  pages: [plainPage(4, int64s(1n << 60n, (1n << 60n) + 1n, (1n << 60n) + 2n, (1n << 60n) + 3n))],
};
const OPTIONS = { time: "time", timeFormat: "ns" } as const;

/** Digits of decimals with two behind the point; the second and the third are no double. */
const DIGITS = [125n, 1_234_567_890_123_456_789n, -9_007_199_254_740_993n, 100n];

function int64s(...values: bigint[]): Uint8Array {
  return new Uint8Array(BigInt64Array.from(values).buffer);
}

/** Numbers of 128 bits, the most significant byte first. */
function int128s(...values: bigint[]): Uint8Array {
  const view = new DataView(new ArrayBuffer(16 * values.length));
  values.forEach((value, i) => {
    view.setBigInt64(16 * i, value >> 64n);
    view.setBigUint64(16 * i + 8, BigInt.asUintN(64, value));
  });
  return new Uint8Array(view.buffer);
}

/** Fields of the schema of decimals with two digits behind the point. */
function decimals(length: number): Readonly<Record<number, Thrift>> {
  return { 2: { i32: length }, 6: { i32: 5 }, 7: { i32: 2 }, 8: { i32: 38 } };
}

const DICTIONARY: MadeColumn = {
  name: "d",
  type: 7,
  element: decimals(16),
  pages: [
    { kind: 2, head: { 1: { i32: 2 }, 2: { i32: 0 } }, bytes: int128s(DIGITS[1]!, 125n) },
    // Indices of a bit: a run of three times 0, and of one time 1.
    plainPage(4, Uint8Array.of(1, 3 << 1, 0, 1 << 1, 1), 8),
  ],
};

const FORMS: readonly (readonly [string, MadeColumn, number])[] = [
  [
    "of 64 bits",
    { name: "d", type: 2, element: decimals(0), pages: [plainPage(4, int64s(...DIGITS))] },
    2,
  ],
  [
    "of bytes",
    { name: "d", type: 7, element: decimals(16), pages: [plainPage(4, int128s(...DIGITS))] },
    2,
  ],
  ["of a dictionary", DICTIONARY, 3],
];

// Decimals of 16 and more digits were rounded in silence, where whole numbers were counted: meters
// that count in thousandths lost their last digits, and nobody was told.
for (const [form, column, count] of FORMS) {
  Deno.test(`importFile: decimals ${form} of Parquet that no double holds are counted`, async () => {
    const bytes = makeParquet(4, [TIMES, column]);
    const { warnings } = await imported(bytes, OPTIONS);
    assertEquals(warnings, [
      `${count} decimals have more digits than a double holds: they are rounded to the nearest ` +
      '(column "d")',
    ]);
    await using parquet = await openParquet(bytes, { time: "time" });
    for await (const _ of parquet.batches());
    assertEquals(parquet.roundedNumbers, count);
  });
}

Deno.test("openParquet: rows of a dictionary that are passed over are not counted", async () => {
  await using parquet = await openParquet(makeParquet(4, [TIMES, DICTIONARY]), { time: "time" });
  for await (const _ of parquet.batches(2));
  assertEquals(parquet.roundedNumbers, 1);
});

Deno.test("importFile: decimals of Arrow that no double holds are counted", async () => {
  const table = tableFromArrays(
    {
      time: [1n << 60n, (1n << 60n) + 1n, (1n << 60n) + 2n],
      d: [125n, 1_234_567_890_123_456_789n, null],
    },
    { types: { time: int64(), d: decimal(38, 2, 128) }, useDecimalInt: true },
  );
  const { warnings } = await imported(tableToIPC(table, { format: "file" })!, OPTIONS);
  assertEquals(warnings.filter((text) => text.startsWith("1 decimals have more digits")).length, 1);
});

// A scale that only the new form of a type gives was taken for 0: 1.25 was stored as 125.
Deno.test("importFile: the scale of decimals is that of their type, wherever it says so", async () => {
  const logical = (scale: number): Thrift => ({
    struct: { 5: { struct: { 1: { i32: scale }, 2: { i32: 18 } } } },
  });
  const file = (element: Readonly<Record<number, Thrift>>): Uint8Array => {
    const pages = [plainPage(4, int64s(125n, 250n, 375n, 500n))];
    return makeParquet(4, [TIMES, { name: "d", type: 2, element, pages }]);
  };
  const { points } = await imported(file({ 10: logical(2) }), OPTIONS);
  assertEquals(points["f/d"]?.map(([, value]) => value), [1.25, 2.5, 3.75, 5]);
  const wrong: (readonly [Readonly<Record<number, Thrift>>, string])[] = [
    [{ 7: { i32: 3 }, 10: logical(2) }, 'decimals of column "d" have scale 3 and scale 2'],
    [{ 10: logical(400) }, 'decimals of column "d" have scale 400, expected 0 to 76'],
    [{ 6: { i32: 5 }, 7: { i32: -2 } }, 'decimals of column "d" have scale -2, expected 0 to 76'],
  ];
  for (const [element, message] of wrong) {
    await assertRejects(() => imported(file(element), OPTIONS), Error, message);
  }
});

Deno.test("RoundedNumbers: a decimal is rounded unless its double is written as it, or is exactly it", () => {
  const rounded = (digits: bigint, scale: number): boolean => {
    const numbers = new RoundedNumbers();
    const value = numbers.decimal(digits, scale);
    assertEquals(value, Number(`${digits}e${-scale}`));
    return numbers.count === 1;
  };
  assertEquals(rounded(1n, 1), false);
  assertEquals(rounded(1_500_000_000_000_000_000n, 18), false);
  assertEquals(rounded(1_234_567_890_123_456_789n, 18), true);
  assertEquals(rounded(9_007_199_254_740_993n, 1), true);
  assertEquals(rounded(1_100_000_000_000_000_000n, 18), false);
  assertEquals(rounded(9_007_199_254_740_991n, 1), false);
  assertEquals(rounded(4_503_599_627_370_495n, 1), false);
  assertEquals(rounded(9_007_199_254_740_993n, 0), true);
  assertEquals(rounded(10n ** 30n, 2), false);
  assertEquals(rounded(10n ** 30n + 1n, 2), true);
  assertEquals(rounded(-(10n ** 75n), 76), false);
  assertEquals(rounded(10n ** 75n + 1n, 76), true);
  assertEquals(rounded(1n << 60n, 0), false);
  assertEquals(rounded(1n << 59n, 2), true);
  assertEquals(rounded(1000000000000000055511151231257827021181583404541015625n, 55), false);
  assertEquals(rounded(1000000000000000055511151231257827021181583404541015626n, 55), true);
});
