import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { assert, assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { SubscribeResponseSchema } from "../../../src/gen/btrdb_v5_pb.ts";
import { BTrDBError } from "../../../src/core/errors.ts";
import type { RawColumns } from "../../../src/core/columns.ts";
import {
  decodeInsert,
  decodeRawResponse,
  decodeStatResponse,
  encodeInsert,
  encodeInsertInto,
  encodeRawResponse,
  encodeSubscribeResponse,
  insertBytes,
} from "../../../src/kernel/wire.ts";
import { encodeStatResponse } from "../../../src/kernel/encode_stat.ts";
import { samples, windows } from "../../../bench/support/data.ts";
import { bits } from "../../support/kernel_compare.ts";
import { field, varint } from "../../support/wire_reference.ts";

const UUID = Uint8Array.from({ length: 16 }, (_, i) => i + 1);

function assertSame(actual: RawColumns, expected: RawColumns): void {
  assertEquals(actual.times, expected.times);
  assertEquals(bits(actual.values), bits(expected.values));
}

/** A point of a message, tag and length included. */
function point(time: bigint, value: bigint, extra: number[] = []): number[] {
  return field(4, 2, [...field(1, 1, time), ...field(2, 1, value), ...extra]);
}

Deno.test("encodeRawResponse: a message of many windows of the decoder comes out whole", () => {
  const columns = samples(100_000);
  columns.values[40_000] = 0;
  columns.times[70_001] = 0n;
  const bytes = encodeRawResponse(columns, 0, 100_000, 12n, 3n);
  const response = decodeRawResponse(bytes);
  assertSame(response.columns, columns);
  assertEquals([response.major, response.minor, response.code], [12n, 3n, 0]);
  assertSame(decodeInsert(encodeInsert({ uuid: UUID, columns, protocol: "v4" })).columns, columns);
});

Deno.test("encodeStatResponse: windows with and without stddev survive the way there and back", () => {
  const columns = windows(20_000, 3);
  for (const withStddev of [true, false]) {
    const bytes = encodeStatResponse(columns, 0, 20_000, 1n, 0n, withStddev);
    const { columns: back } = decodeStatResponse(bytes, withStddev);
    assertEquals(back.count, columns.count);
    for (const name of ["min", "mean", "max"] as const) assertEquals(back[name], columns[name]);
    assertEquals(back.stddev, withStddev ? columns.stddev : undefined);
  }
});

Deno.test("encodeStatResponse: stddev: a column when any point has it, or as the caller says", () => {
  const one = windows(3, 1);
  const bytes = encodeStatResponse(one, 0, 3, 1n, 0n, true);
  assertEquals(decodeStatResponse(bytes).columns.stddev, undefined);
  assertEquals(decodeStatResponse(bytes, true).columns.stddev, new Float64Array(3));
  const many = encodeStatResponse(windows(3, 2), 0, 3, 1n, 0n, true);
  assert(decodeStatResponse(many).columns.stddev !== undefined);
  assertEquals(decodeStatResponse(many, false).columns.stddev, undefined);
  const explicit = Uint8Array.from(field(4, 2, [...field(6, 1, 0n), ...field(1, 1, 5n)]));
  assertEquals(decodeStatResponse(explicit).columns.stddev, Float64Array.of(0));
});

Deno.test("encodeRawResponse: only part of the columns is sent", () => {
  const columns = samples(10);
  const { columns: back } = decodeRawResponse(encodeRawResponse(columns, 2, 5, 1n, 0n));
  assertEquals(back.times, columns.times.slice(2, 5));
  const insert = encodeInsert({ uuid: UUID, columns, from: 9, protocol: "v5" });
  assertEquals(decodeInsert(insert).columns.times, columns.times.slice(9));
  assertThrows(
    () => encodeRawResponse(columns, 5, 11, 1n, 0n),
    RangeError,
    "Cannot encode points 5 to 11: expected a range within 0 to 10",
  );
});

Deno.test("encodeInsertInto: a reused buffer holds the message, and must be large enough", () => {
  const columns = samples(100);
  const target = new Uint8Array(insertBytes(100)).fill(255);
  const fields = { uuid: UUID, columns, protocol: "v4" as const };
  const bytes = encodeInsertInto(fields, target);
  assertEquals(bytes.buffer, target.buffer);
  assertEquals(bytes, encodeInsert(fields));
  assertThrows(
    () => encodeInsertInto(fields, new Uint8Array(2000)),
    RangeError,
    "the target has 2000 bytes, expected at least 2064",
  );
});

Deno.test("encodeInsert: v4 inserts carry neither merge policy nor rounding", () => {
  const fields = { uuid: UUID, columns: samples(2), mergePolicy: "replace" as const, roundBits: 3 };
  const v4 = decodeInsert(encodeInsert({ ...fields, protocol: "v4" }));
  assertEquals([v4.mergePolicy, v4.roundBits], ["never", undefined]);
  const v5 = decodeInsert(encodeInsert({ ...fields, protocol: "v5" }));
  assertEquals([v5.mergePolicy, v5.roundBits], ["replace", 3]);
});

Deno.test("decodeInsert: an unknown merge policy is code 438", () => {
  const bytes = Uint8Array.from(field(4, 0, 7n));
  const error = assertThrows(
    () => decodeInsert(bytes),
    BTrDBError,
    "merge policy is 7, expected 0 to 3",
  );
  assertEquals(error.code, 438);
});

Deno.test("decodeRawResponse: the status and the versions are read wherever they stand", () => {
  const status = field(1, 2, [
    ...field(2, 2, [0x6e, 0x6f]),
    ...field(1, 0, 404n),
    ...field(3, 2, []),
  ]);
  const bytes = Uint8Array.from([
    ...point(1n, 2n),
    ...field(3, 0, 5n),
    ...status,
    ...field(2, 0, (1n << 64n) - 1n),
    ...point(3n, 4n),
  ]);
  const response = decodeRawResponse(bytes);
  assertEquals([response.code, response.message], [404, "no"]);
  assertEquals([response.major, response.minor], [(1n << 64n) - 1n, 5n]);
  assertEquals(response.columns.times, BigInt64Array.of(1n, 3n));
});

Deno.test("decodeRawResponse: a point that is larger than the decoder's window is read", () => {
  const large = field(9, 2, new Array(2_000_000).fill(7));
  const bytes = Uint8Array.from([...point(1n, 2n), ...point(3n, 4n, large), ...point(5n, 6n)]);
  assertEquals(decodeRawResponse(bytes).columns.times, BigInt64Array.of(1n, 3n, 5n));
  const top = Uint8Array.from([...point(1n, 2n), ...large, ...point(5n, 6n)]);
  assertEquals(decodeRawResponse(top).columns.times, BigInt64Array.of(1n, 5n));
});

Deno.test("decodeRawResponse: every way of being cut short or malformed is an INTERNAL error that says where", () => {
  const whole = Uint8Array.from([...point(1n, 2n), ...point(3n, 4n)]);
  for (let length = 1; length < whole.length; length++) {
    if (length === 20) continue;
    const error = assertThrows(() => decodeRawResponse(whole.subarray(0, length)), BTrDBError);
    assertEquals([error.code, error.status], [0, "INTERNAL"]);
    assert(error.message.startsWith("Cannot decode RawValuesResponse: "));
    assert(error.message.includes(` of ${length}`));
  }
  const bad = {
    "field number 0": [0x02, 0x00],
    "wire type 6": [0x46],
    "a group that does not end": [0x4b, 0x08, 0x01],
    "a group that ends as another": [0x4b, 0x54],
    "an end without a group": [0x4c],
    "a varint of eleven bytes": [0x10, ...new Array(10).fill(0x80), 0x01],
    "a length beyond the message": [0x22, 0x7f],
    "a length of 2^63": [0x22, ...varint(1n << 63n)],
    "a wire type 7 in a point": [0x22, 0x01, 0x0f],
    "a point's field beyond its end": [0x22, 0x02, 0x09, 0x00],
    "groups 101 deep": new Array(101).fill(0x4b),
  };
  for (const [name, bytes] of Object.entries(bad)) {
    const error = assertThrows(
      () => decodeRawResponse(Uint8Array.from(bytes)),
      BTrDBError,
      undefined,
      name,
    );
    assertEquals(error.status, "INTERNAL", name);
  }
});

Deno.test("encodeSubscribeResponse: is what protobuf makes of the same points", () => {
  const columns = {
    times: BigInt64Array.of(0n, -5n, 1_700_000_000_000_000_000n, 7n),
    values: Float64Array.of(1.5, 0, -0, NaN),
  };
  const uuid = Uint8Array.from({ length: 16 }, (_, i) => i + 1);
  const values = Array.from(columns.times, (time, i) => ({ time, value: columns.values[i]! }));
  const expected = toBinary(
    SubscribeResponseSchema,
    create(SubscribeResponseSchema, { uuid, values: values.slice(0, 3) }),
  );
  assertEquals(encodeSubscribeResponse(uuid, columns, 0, 3), expected);
  const back = fromBinary(SubscribeResponseSchema, encodeSubscribeResponse(uuid, columns, 2, 4));
  assertEquals(back.values.map(({ time }) => time), [1_700_000_000_000_000_000n, 7n]);
  assertEquals(back.values[1]!.value, NaN);
  assertEquals(back.uuid, uuid);
});

// Of an insert, only fields beside the points were counted, not those in them: a `RoundSpec` of thirty
// million fields, or a group of twenty, kept a server busy for 700 to 870 ms.
Deno.test("decodeInsert: the fields of a part and of a group are counted", () => {
  const fields = (n: number) => new Array(n).fill([0x10, 5]).flat();
  const length = (n: number) => [n & 0x7f | 0x80, n >>> 7 & 0x7f | 0x80, n >>> 14];
  const rounding = (n: number) => Uint8Array.of(0x2a, ...length(2 * n), ...fields(n));
  const group = (n: number) => Uint8Array.of(0x9b, 0x06, ...fields(n), 0x9c, 0x06);
  assertEquals(decodeInsert(rounding(4_096)).roundBits, 5);
  assertEquals(decodeInsert(group(4_095)).columns.times.length, 0);
  for (const bytes of [rounding(4_097), group(4_096)]) {
    const { status, message } = assertThrows(() => decodeInsert(bytes), BTrDBError);
    assertEquals(status, "INTERNAL");
    assertStringIncludes(message, "fields, or 4096 in one");
  }
  const many = Uint8Array.from(new Array(30).fill([...group(4_000)]).flat());
  assertThrows(() => decodeInsert(many), BTrDBError, "more than 100000 fields");
});
