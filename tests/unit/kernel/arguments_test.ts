import { assert, assertEquals, assertThrows } from "@std/assert";
import type { RawColumns } from "../../../src/core/columns.ts";
import {
  chunkByPointwidth,
  isSorted,
  reducePixels,
  rewindow,
  sortPoints,
} from "../../../src/kernel/mod.ts";

const window = { start: 0n, end: 1n, width: 1n };
const calls: Record<string, (columns: RawColumns) => unknown> = {
  sortPoints,
  rewindow: (columns) => rewindow(columns, window),
  reducePixels: (columns) => reducePixels(columns, { start: 0n, end: 1n, pixels: 1 }),
};

for (const [name, call] of Object.entries(calls)) {
  Deno.test(`${name}: columns of different length, type, or without a buffer are refused`, () => {
    const times = BigInt64Array.of(1n, 2n);
    assertThrows(
      () => call({ times, values: Float64Array.of(1) }),
      RangeError,
      "values has 1 elements, expected 2 as times has",
    );
    assertThrows(
      () => call({ times: [1n] as unknown as BigInt64Array, values: Float64Array.of(1) }),
      TypeError,
      "times is a Array, expected a BigInt64Array",
    );
    assertThrows(
      () => call({ times, values: new Float32Array(2) as unknown as Float64Array }),
      TypeError,
      "values is a Float32Array, expected a Float64Array",
    );
    const columns = { times: BigInt64Array.of(1n), values: Float64Array.of(1) };
    structuredClone(columns.times, { transfer: [columns.times.buffer] });
    assertThrows(() => call(columns), TypeError, "the buffer of times is detached");
  });
}

Deno.test("windows whose columns do not fit each other are refused", () => {
  const columns = rewindow({ times: BigInt64Array.of(0n), values: Float64Array.of(1) }, window);
  const broken = { ...columns, count: new BigUint64Array(2) };
  assertThrows(() => rewindow(broken, window), RangeError, "count has 2 elements, expected 1");
  const wrong = { ...columns, stddev: new BigInt64Array(1) as unknown as Float64Array };
  assertThrows(() => rewindow(wrong, window), TypeError, "stddev is a BigInt64Array");
});

Deno.test("chunkByPointwidth: mistakes in the arguments are named", () => {
  const times = BigInt64Array.of(1n, 2n);
  const chunk = (pointwidth: number, maxPoints: number) => () =>
    chunkByPointwidth({ times }, { pointwidth, maxPoints });
  assertThrows(chunk(64, 1), RangeError, "pointwidth is 64, expected an integer from 0 to 63");
  assertThrows(chunk(-1, 1), RangeError, "pointwidth is -1");
  assertThrows(chunk(1.5, 1), RangeError, "pointwidth is 1.5");
  assertThrows(chunk(1, 0), RangeError, "maxPoints is 0, expected an integer from 1 to 4294967295");
  assertThrows(
    () => chunkByPointwidth({ times: BigInt64Array.of(2n, 1n) }, { pointwidth: 1, maxPoints: 1 }),
    RangeError,
    "times are not in order",
  );
});

Deno.test("reducePixels: mistakes in the arguments are named", () => {
  const columns = { times: BigInt64Array.of(2n, 1n), values: new Float64Array(2) };
  const reduce = (pixels: number, start = 0n) => () =>
    reducePixels(columns, { start, end: 1n, pixels });
  assertThrows(reduce(0), RangeError, "pixels is 0, expected an integer from 1 to 65536");
  assertThrows(reduce(1, 2n), RangeError, "start is 2, expected at most end, which is 1");
  assertThrows(reduce(1), RangeError, "times are not in order");
});

Deno.test("empty columns are fine everywhere", () => {
  const empty = { times: new BigInt64Array(0), values: new Float64Array(0) };
  assertEquals(sortPoints(empty), empty);
  assert(isSorted(empty.times));
  assertEquals(chunkByPointwidth(empty, { pointwidth: 5, maxPoints: 5 }), Uint32Array.of(0));
  assertEquals(rewindow(empty, window).times.length, 0);
  assertEquals(reducePixels(empty, { start: 0n, end: 1n, pixels: 3 }).count, new BigUint64Array(3));
});
