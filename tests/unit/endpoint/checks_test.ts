import { assertEquals, assertThrows } from "@std/assert";
import { BTrDBError } from "../../../src/core/errors.ts";
import { MAX_TIME, MIN_TIME } from "../../../src/core/range.ts";
import {
  checkAlignedWindows,
  checkChanges,
  checkInsertPoint,
  checkInsertSize,
  checkNearest,
  checkRawValues,
  checkRoundBits,
  checkStreamInfo,
  checkWindows,
  isLatest,
  statusText,
} from "../../../src/endpoint/checks.ts";
import {
  checkCreate,
  checkListCollections,
  isValidCollection,
  quote,
} from "../../../src/endpoint/checks_metadata.ts";

const uuid = new Uint8Array(16);
const range = { uuid, start: 0n, end: 100n, version: 0n };

/** The code and text of the error that `check` throws. */
function refusal(check: () => unknown): [number, string] {
  const error = assertThrows(check, BTrDBError);
  return [error.code, error.message];
}

Deno.test("checkRawValues: bounds come before order, the end may be one below the end of time", () => {
  const raw = (start: bigint, end: bigint) => () => checkRawValues({ ...range, start, end });
  raw(MIN_TIME, MAX_TIME - 1n)();
  assertEquals(refusal(raw(MIN_TIME - 1n, 0n)), [413, "time range out of bounds"]);
  assertEquals(refusal(raw(0n, MAX_TIME)), [413, "time range out of bounds"]);
  assertEquals(refusal(raw(MIN_TIME - 1n, MIN_TIME - 2n)), [413, "time range out of bounds"]);
  assertEquals(refusal(raw(MAX_TIME, MIN_TIME - 1n)), [413, "start time >= end time"]);
  assertEquals(refusal(raw(5n, 5n)), [413, "start time >= end time"]);
});

Deno.test("checkAlignedWindows: both ends are rounded down, one nanosecond is too little", () => {
  const aligned = (start: bigint, end: bigint, pointwidth: number) => () =>
    checkAlignedWindows({ ...range, start, end, pointwidth });
  assertEquals(aligned(-5n, 37n, 4)(), { start: -16n, end: 32n });
  assertEquals(aligned(0n, MAX_TIME, 60)(), { start: 0n, end: MAX_TIME });
  assertEquals(refusal(aligned(7n, 8n, 0)), [413, "start time >= end time"]);
  assertEquals(refusal(aligned(0n, 10n, 64)), [415, "pointwidth invalid"]);
  assertEquals(refusal(aligned(0n, 10n, 65)), [415, "Bad point width"]);
  assertEquals(refusal(aligned(-1n, 10n, 61)), [413, "time range out of bounds"]);
  assertEquals(refusal(aligned(0n, 10n, 63)), [413, "start time >= end time"]);
  // The nanosecond before −2^63 is 2^63 − 1.
  assertEquals(refusal(aligned(0n, -1n, 63)), [413, "time range out of bounds"]);
});

Deno.test("checkWindows: depth, width, then the rounded end in 64 bits", () => {
  const windows = (start: bigint, end: bigint, width: bigint, depth = 0) => () =>
    checkWindows({ ...range, start, end, width, depth });
  assertEquals(windows(3n, 40n, 10n)(), { start: 3n, end: 33n });
  assertEquals(windows(0n, MAX_TIME, 2n ** 60n + 1n)(), { start: 0n, end: 2n ** 61n + 2n });
  assertEquals(refusal(windows(0n, 9n, 0n, 64)), [415, "window depth invalid"]);
  assertEquals(refusal(windows(0n, 9n, 0n)), [415, "window width is absurd"]);
  assertEquals(refusal(windows(0n, 9n, 2n ** 63n + 1n)), [415, "window width is absurd"]);
  assertEquals(refusal(windows(0n, 9n, 2n ** 63n)), [413, "start time >= end time"]);
  assertEquals(refusal(windows(0n, 9n, 10n)), [413, "start time >= end time"]);
  assertEquals(
    refusal(windows(MIN_TIME, 2n ** 63n - 1n, 1n)),
    [413, "time range out of bounds"],
  );
});

Deno.test("checks: nearest, changes, stream info and inserts are refused as the server refuses them", () => {
  const nearest = (time: bigint) => () => checkNearest({ ...range, time, backward: true });
  assertEquals(refusal(nearest(MAX_TIME)), [413, "nearest time out of range"]);
  nearest(MAX_TIME - 1n)();
  const changes = (from: bigint, to: bigint, resolution: number) => () =>
    checkChanges({ uuid, from, to, resolution });
  assertEquals(changes(0n, 5n, 63)(), { from: 1n });
  assertEquals(changes(9n, 0n, 0)(), { from: 9n });
  assertEquals(refusal(changes(9n, 5n, 64)), [415, "changed ranges resolution invalid"]);
  assertEquals(refusal(changes(6n, 5n, 0)), [427, "start version after end version"]);
  const both = { uuid, omitVersion: true, omitDescriptor: true };
  assertEquals(refusal(() => checkStreamInfo(both)), [
    421,
    "you cannot omit descriptor and version",
  ]);
  assertEquals(refusal(() => checkInsertSize(25_001, 25_000)), [414, "Insert too big"]);
  const point = (time: bigint, value: number) => () =>
    checkInsertPoint({ times: BigInt64Array.of(time), values: Float64Array.of(value) }, 0);
  const bounds = "insert contains points outside valid time interval";
  assertEquals(refusal(point(MAX_TIME - 1n, NaN)), [413, bounds]);
  assertEquals(refusal(point(0n, NaN)), [425, "insert contains NaN values"]);
  assertEquals(refusal(point(0n, -Infinity)), [425, "insert contains Inf values"]);
  for (const bits of [-1, 53, 1.5]) assertEquals(refusal(() => checkRoundBits(bits))[0], 438);
});

Deno.test("isLatest: both spellings of the latest version are known", () => {
  assertEquals([0n, 2n ** 64n - 1n, 1n, 11n].map(isLatest), [true, true, false, false]);
});

Deno.test("statusText: texts are wrapped where the server wraps them", () => {
  assertEquals(statusText("Windows", 413, "x"), "(413: x)");
  assertEquals(statusText("RawValues", 413, "x"), "x");
  assertEquals(statusText("Insert", 414, "Insert too big"), "Insert too big");
  const disabled = "Obliterate is disabled on this node";
  assertEquals(statusText("Obliterate", 431, disabled), disabled);
  assertEquals(statusText("Obliterate", 404, "x"), "(404: x)");
});

Deno.test("quote: names are quoted as the server quotes them", () => {
  assertEquals(quote('a "b" \\ ü ✓ 😀'), '"a \\"b\\" \\\\ ü ✓ 😀"');
  assertEquals(
    quote("\0\x07\n\x7f\u00a0\u200b\u{e0001}"),
    '"\\x00\\a\\n\\x7f\\u00a0\\u200b\\U000e0001"',
  );
});

Deno.test("checkCreate: names are measured in bytes", () => {
  assertEquals(isValidCollection("é".repeat(127)), true);
  assertEquals(isValidCollection("é".repeat(128)), false);
  assertEquals(isValidCollection("😀".repeat(63) + "abc"), true);
  assertEquals(isValidCollection("😀".repeat(64)), false);
  const create = (collection: string, key: string, value: string) => () =>
    checkCreate({ uuid, collection, tags: new Map([[key, value]]), annotations: new Map() });
  assertEquals(refusal(create("", "BAD", "")), [407, 'collection "" is invalid']);
  assertEquals(refusal(create("c", "BAD", "")), [408, 'tag key "BAD" is invalid']);
  assertEquals(refusal(create("c", "k", "")), [409, 'tag value for key "k" is invalid']);
});

Deno.test("checkListCollections: the start, then the limit, then the prefix", () => {
  const list = (prefix: string, startWith: string, limit: number) => () =>
    checkListCollections({ prefix, startWith, limit });
  assertEquals(refusal(list("a\0", "b", 0))[1], "starting parameter does not have the prefix");
  assertEquals(refusal(list("a\0", "a\0", 0))[1], "limit parameter must be 0 < limit <= 10000");
  assertEquals(refusal(list("a\0", "a\0", 5)), [
    407,
    'prefix "a\\x00" is not a valid collection prefix',
  ]);
  checkListCollections({ prefix: "" });
});
