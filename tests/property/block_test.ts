import { assert, assertEquals, assertLess, assertThrows } from "@std/assert";
import fc from "fast-check";
import type { RawColumns } from "../../src/core/columns.ts";
import { sortPoints } from "../../src/kernel/sort.ts";
import {
  decodeBlock,
  decodeSortedBlock,
  decodeSortedBlockInto,
} from "../../src/kernel/decode_block.ts";
import { encodeBlock } from "../../src/kernel/encode_block.ts";
import { mergeThreeColumns, mergeTwoRuns } from "../../src/kernel/merge_two_runs.ts";
import { readBlock } from "../support/block_reference.ts";
import { blockSize } from "../support/block_size_reference.ts";

const time = fc.oneof(
  fc.bigInt(-(2n ** 63n), 2n ** 63n - 1n),
  fc.bigInt(-100n, 100n),
  fc.bigInt(1_700_000_000_000_000_000n, 1_700_000_001_000_000_000n),
);

/** Values that take each of the three ways through the codec, and mixtures. */
const value = fc.oneof(
  fc.double(),
  fc.constantFrom(0, -0, NaN, Infinity, -Infinity, 5e-324, 2 ** 53, 2 ** 53 - 1, -(2 ** 53)),
  fc.integer({ min: -100_000, max: 100_000 }).map((n) => n / 1000),
  fc.integer({ min: -100_000, max: 100_000 }).map((n) => n / 1024),
  fc.integer(),
  fc.float({ noNaN: true }),
);

/** Kinds of values, one for all values of a block. */
const kinds: fc.Arbitrary<fc.Arbitrary<number>> = fc.oneof(
  value.map((v) => fc.constant(v)),
  fc.constant(value),
  fc.integer({ min: 0, max: 12 }).map((k) =>
    fc.integer({ min: -1_000_000, max: 1_000_000 }).map((n) => n / 10 ** k)
  ),
  fc.integer({ min: 0, max: 60 }).map((k) => fc.integer().map((n) => n / 2 ** k)),
);

function columns(points: [bigint, number][]): RawColumns {
  return {
    times: BigInt64Array.from(points, ([time]) => time),
    values: Float64Array.from(points, ([, value]) => value),
  };
}

const points = kinds.chain((kind) =>
  fc.array(fc.tuple(time, kind), { minLength: 1, maxLength: 400 }).map(columns)
);

function assertSame(actual: RawColumns, expected: RawColumns): void {
  assertEquals(actual.times, expected.times);
  const bits = (values: Float64Array) => new BigUint64Array(values.slice().buffer);
  assertEquals(bits(actual.values), bits(expected.values));
}

Deno.test("encodeBlock: blocks give back every bit of every point", () => {
  fc.assert(
    fc.property(points, fc.nat(9), (input, reserve) => {
      const block = encodeBlock(input, 0, input.times.length, reserve);
      assertSame(decodeBlock(block, reserve), input);
    }),
    { numRuns: 500 },
  );
});

/** Tells whether points may stand in a leaf. */
function isLeaf({ times, values }: RawColumns): boolean {
  return values.every(Number.isFinite) && times.every((t, i) => i === 0 || times[i - 1]! <= t);
}

Deno.test("decodeSortedBlockInto: fills columns that have room, and leaves others alone", () => {
  fc.assert(
    fc.property(points, fc.boolean(), fc.integer({ min: -3, max: 3 }), (any, sort, spare) => {
      const input = sort ? sortPoints(any) : any;
      const n = input.times.length;
      const room = Math.max(0, n + spare);
      const into = {
        times: new BigInt64Array(room).fill(-7n),
        values: new Float64Array(room).fill(-7),
      };
      const block = encodeBlock(input, 0, n, 3);
      const expected = isLeaf(input);
      if (expected) {
        assertEquals(decodeSortedBlockInto(block, 3, into), n);
        assertSame(decodeSortedBlock(block, 3), input);
      } else {
        assertThrows(() => decodeSortedBlockInto(block, 3, into), RangeError, "Cannot decode");
        assertThrows(() => decodeSortedBlock(block, 3), RangeError, "Cannot decode");
      }
      const written = room < n || !expected ? 0 : n;
      const part = (from: number, to: number): RawColumns => ({
        times: into.times.subarray(from, to),
        values: into.values.subarray(from, to),
      });
      if (written === n) assertSame(part(0, n), input);
      assertEquals(part(written, room).times.every((time) => time === -7n), true);
      assertEquals(part(written, room).values.every((value) => value === -7), true);
    }),
    { numRuns: 400 },
  );
});

Deno.test("decodeBlock: a block of more points than are allowed is refused before it is decoded", () => {
  const block = encodeBlock(columns([[1n, 1], [2n, 2]]), 0, 2);
  assertEquals(decodeBlock(block, 0, 2).times.length, 2);
  assertThrows(() => decodeBlock(block, 0, 1), RangeError, "2 points, expected 1 to 1");
  // A count beyond 2^28 once made the memory reserved for it a negative number.
  const huge = new Uint8Array(10_000_000);
  new DataView(huge.buffer).setUint32(0, 300_000_000, true);
  assertThrows(() => decodeBlock(huge), RangeError, "300000000 points");
});

Deno.test("encodeBlock: blocks are as their description says", () => {
  fc.assert(
    fc.property(points, (input) => {
      assertSame(readBlock(encodeBlock(input, 0, input.times.length)), input);
    }),
    { numRuns: 200 },
  );
});

/** Runs at the edges of the ways in which their sizes are found: 2^51, 2^53, odd and even lengths. */
const edges = fc.tuple(
  fc.integer({ min: 1, max: 300 }),
  fc.bigInt(-(2n ** 62n), 2n ** 62n),
  fc.constantFrom(0n, 1n, 1000n, 2n ** 43n, 2n ** 44n, 2n ** 45n),
  fc.constantFrom(1, 1000, 2 ** 43, 2 ** 51 - 200, 2 ** 51 + 9, 2 ** 53 - 400),
  fc.constantFrom(1, 2, 10, 1000, 1024),
  fc.infiniteStream(fc.integer({ min: 0, max: 255 })),
).map(([n, start, step, size, scale, noise]): RawColumns => {
  const take = () => noise.next().value!;
  return {
    times: BigInt64Array.from({ length: n }, (_, i) => start + BigInt(i) * step + BigInt(take())),
    values: Float64Array.from({ length: n }, () => (size + take()) / scale * (take() & 1 ? 1 : -1)),
  };
});

Deno.test("encodeBlock: blocks are as short as the shortest of their forms, and give back every point", () => {
  fc.assert(
    fc.property(fc.oneof(points, edges), (input) => {
      const block = encodeBlock(input, 0, input.times.length);
      assertEquals(block.length, blockSize(input));
      assertSame(readBlock(block), input);
    }),
    { numRuns: 1000 },
  );
});

Deno.test("encodeBlock: blocks hold the part of the columns that was asked for", () => {
  fc.assert(
    fc.property(points, fc.nat(), fc.nat(), (input, a, b) => {
      const n = input.times.length;
      const from = a % n;
      const to = from + 1 + b % (n - from);
      const block = encodeBlock(input, from, to);
      assertSame(decodeBlock(block), {
        times: input.times.slice(from, to),
        values: input.values.slice(from, to),
      });
    }),
  );
});

Deno.test("decodeBlock: damaged blocks are refused or read as other points, never beyond their end", () => {
  fc.assert(
    fc.property(points, fc.nat(), fc.integer({ min: 1, max: 255 }), (input, where, flip) => {
      const block = encodeBlock(input, 0, input.times.length);
      block[where % block.length]! ^= flip;
      try {
        const { times, values } = decodeBlock(block);
        assertEquals(times.length, values.length);
      } catch (error) {
        assert(error instanceof RangeError);
      }
    }),
  );
});

Deno.test("decodeBlock: truncated blocks are refused", () => {
  const input = columns(Array.from({ length: 300 }, (_, i) => [BigInt(i * i), Math.sin(i)]));
  const block = encodeBlock(input, 0, 300);
  for (let n = 0; n < block.length; n++) {
    assertThrows(() => decodeBlock(block.subarray(0, n)), RangeError);
  }
});

Deno.test("encodeBlock: regular signals take few bytes", () => {
  const n = 515;
  const regular = (value: (i: number) => number) => ({
    times: BigInt64Array.from({ length: n }, (_, i) => BigInt(i) * 25_000_000n / 3n),
    values: Float64Array.from({ length: n }, (_, i) => value(i)),
  });
  const size = (input: RawColumns) => encodeBlock(input, 0, n).length / n;
  assertLess(size(regular(() => 230)), 0.3);
  assertLess(size(regular((i) => Math.round(60_000 + 5 * Math.sin(i)) / 1000)), 1);
  assertLess(size(regular((i) => Math.fround(7200 + Math.sin(i * 1.7)))), 3.2);
  assertLess(size(regular((i) => 7200 + Math.sin(i * 1.7))), 6);
});

Deno.test("mergeTwoRuns, mergeThreeColumns: two runs merge into one, the first one's points first", () => {
  const run = fc.array(fc.bigInt(0n, 60n), { maxLength: 120 }).map((times) =>
    times.sort((a, b) => a < b ? -1 : a > b ? 1 : 0)
  );
  fc.assert(
    fc.property(run, run, (a, b) => {
      const left = columns(a.map((time, i) => [time, i]));
      const right = columns(b.map((time, i) => [time, -1 - i]));
      const merged = mergeTwoRuns(left, right);
      const expected = [
        ...Array.from(left.times, (time, i) => ({ time, value: left.values[i]! })),
        ...Array.from(right.times, (time, i) => ({ time, value: right.values[i]! })),
      ].sort((x, y) => x.time < y.time ? -1 : x.time > y.time ? 1 : 0);
      assertEquals(
        Array.from(merged.times, (time, i) => ({ time, value: merged.values[i]! })),
        expected,
      );
      const before = 3, n = expected.length;
      const out = [
        new BigInt64Array(before + n),
        new Float64Array(before + n),
        new Float64Array(before + n),
      ] as const;
      const third = ({ times, values }: RawColumns) =>
        [times, values, values.map((value) => 2 * value)] as const;
      mergeThreeColumns(third(left), third(right), out, before);
      assertEquals(
        Array.from(out[0], (time, i) => ({ time, value: out[1][i]!, third: out[2][i]! })),
        [
          ...Array.from({ length: before }, () => ({ time: 0n, value: 0, third: 0 })),
          ...expected.map((point) => ({ ...point, third: 2 * point.value })),
        ],
      );
    }),
  );
});
