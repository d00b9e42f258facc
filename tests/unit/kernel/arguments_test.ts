import { assert, assertEquals, assertThrows } from "@std/assert";
import type { RawColumns } from "../../../src/core/columns.ts";
import {
  alignedRewindow,
  chunkByPointwidth,
  formatCsv,
  isSorted,
  mergeTimes,
  parseCsv,
  reducePixels,
  rewindow,
  Rewindower,
  sortPoints,
  TableParser,
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
      "times is an Array, expected a BigInt64Array",
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

Deno.test("rewindow: windows whose columns do not fit each other are refused", () => {
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

Deno.test("kernel: empty columns are fine everywhere", () => {
  const empty = { times: new BigInt64Array(0), values: new Float64Array(0) };
  assertEquals(sortPoints(empty), empty);
  assert(isSorted(empty.times));
  assertEquals(chunkByPointwidth(empty, { pointwidth: 5, maxPoints: 5 }), Uint32Array.of(0));
  assertEquals(rewindow(empty, window).times.length, 0);
  assertEquals(reducePixels(empty, { start: 0n, end: 1n, pixels: 3 }).count, new BigUint64Array(3));
});

const points = { times: BigInt64Array.of(1n), values: Float64Array.of(1) };

for (const nothing of [undefined, null, 5, "text"]) {
  Deno.test(`kernel: ${JSON.stringify(nothing)} in place of an object or an array is named`, () => {
    const bad = nothing as never;
    const text = nothing === "text" ? '"text"' : String(nothing);
    const said = (name: string, call: () => unknown) =>
      assertThrows(call, TypeError, `${name} is ${text}, expected a`);
    for (const call of Object.values(calls)) said("columns", () => call(bad));
    said("columns", () => alignedRewindow(bad, { pointwidth: 3 }));
    said("columns", () => chunkByPointwidth(bad, { pointwidth: 3, maxPoints: 1 }));
    said("columns", () => new Rewindower(window).push(bad));
    said("columns", () => formatCsv([{ label: "a", columns: bad }]));
    said("options", () => rewindow(points, bad));
    said("options", () => alignedRewindow(points, bad));
    said("options", () => reducePixels(points, bad));
    said("options", () => chunkByPointwidth(points, bad));
    said("options", () => new TableParser(bad));
    said("columns", () => new TableParser({ columns: bad }));
    said("times", () => isSorted(bad));
    said("streams", () => mergeTimes(bad));
    said("streams", () => formatCsv(bad));
    if (nothing !== "text") said("bytes", () => parseCsv(bad));
  });
}

Deno.test("formatCsv: an error about a large or detached argument stays short", () => {
  const large = new Float64Array(1_000_000);
  assertThrows(() => mergeTimes(large as never), TypeError, "streams is a Float64Array");
  structuredClone(large, { transfer: [large.buffer] });
  assertThrows(() => formatCsv(large as never), TypeError, "streams is a Float64Array");
});

Deno.test("isSorted: a column that its buffer was shrunk away from is refused, one that fits is not", () => {
  const buffer = new ArrayBuffer(64, { maxByteLength: 128 });
  const fixed = new BigInt64Array(buffer, 0, 4), following = new BigInt64Array(buffer);
  buffer.resize(16);
  assertThrows(() => isSorted(fixed), TypeError, "the buffer of times is detached");
  assert(isSorted(following));
});

Deno.test("rewindow: a mode that is no mode, and more dense windows than fit, are refused", () => {
  const mode = "none" as "dense";
  assertThrows(() => rewindow(points, { ...window, mode }), RangeError, 'mode is "none"');
  const all = { start: -(2n ** 63n), end: 2n ** 63n, width: 1n, mode: "dense" } as const;
  assertThrows(() => rewindow(points, all), RangeError, "expected at most 67108864");
  const { value } = new Rewindower(all).batches(points).next();
  assertEquals(value!.times.length, 8192);
});
