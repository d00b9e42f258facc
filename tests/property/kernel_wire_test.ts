import fc from "fast-check";
import { assert, assertEquals, assertInstanceOf } from "@std/assert";
import { create, toBinary } from "@bufbuild/protobuf";
import type { RawColumns, StatColumns } from "../../src/core/columns.ts";
import { BTrDBError } from "../../src/core/errors.ts";
import {
  AlignedWindowsResponseSchema,
  InsertParamsSchema,
  type MergePolicy,
  RawValuesResponseSchema,
} from "../../src/gen/btrdb_v5_pb.ts";
import {
  decodeInsert,
  decodeRawResponse,
  decodeStatResponse,
  encodeInsert,
  encodeRawResponse,
  type ResponseHead,
} from "../../src/kernel/wire.ts";
import { encodeStatResponse } from "../../src/kernel/encode_stat.ts";
import { anyDouble, time } from "../support/columns_arbitrary.ts";
import { bits } from "../support/kernel_compare.ts";
import { holds } from "../support/property.ts";
import { broken, response } from "../support/wire_arbitrary.ts";
import { NotProtobuf, type PointBits, referenceResponse } from "../support/wire_reference.ts";

/** Rows of bits, as the reference has them. */
function rawBits({ times, values }: RawColumns): PointBits[] {
  const valueBits = bits(values);
  return Array.from(times, (t, i) => [BigInt.asUintN(64, t), valueBits[i]!]);
}

function statBits(columns: StatColumns): PointBits[] {
  const doubles = [columns.min, columns.mean, columns.max].map(bits);
  const stddev = bits(columns.stddev!);
  return Array.from(columns.times, (t, i) => [
    BigInt.asUintN(64, t),
    ...doubles.map((column) => column[i]!),
    columns.count[i]!,
    stddev[i]!,
  ]);
}

function head({ code, message, major, minor }: ResponseHead): ResponseHead {
  return { code, message, major, minor };
}

/** Both read the message to the same result, or both refuse it. */
function same<R extends ResponseHead>(
  bytes: Uint8Array,
  known: number,
  decode: (bytes: Uint8Array) => R,
  rows: (response: R) => PointBits[],
): void {
  let expected;
  try {
    expected = referenceResponse(bytes, known);
  } catch (error) {
    assertInstanceOf(error, NotProtobuf);
  }
  let actual;
  try {
    actual = decode(bytes);
  } catch (error) {
    assertInstanceOf(error, BTrDBError);
    assertEquals([error.code, error.status], [0, "INTERNAL"]);
  }
  assertEquals(actual === undefined, expected === undefined);
  if (actual === undefined || expected === undefined) return;
  assertEquals(head(actual), head(expected));
  assertEquals(rows(actual), expected.points);
}

/**
 * Tells whether a message may have the fields of points in blocks, 1001 and 1002, which the reference does
 * not know and passes over. Random tags hit them once in a hundred thousand messages.
 */
function mayHaveBlocks(bytes: Uint8Array): boolean {
  return bytes.some((byte, i) =>
    (byte === 0xc8 || byte === 0xd2) && (bytes[i + 1] === 0x3e || bytes[i + 1] === 0xbe)
  );
}

const raw = (bytes: Uint8Array) => {
  fc.pre(!mayHaveBlocks(bytes));
  same(bytes, 2, decodeRawResponse, (r) => rawBits(r.columns));
};
const stat = (bytes: Uint8Array) =>
  same(bytes, 6, (b) => decodeStatResponse(b, true), (r) => statBits(r.columns));

Deno.test("decodeRawResponse: responses of any legal form are read as the reference reads them", () => {
  holds(fc.property(response(2), raw), 4_000);
});

Deno.test("decodeStatResponse: responses of any legal form are read as the reference reads them", () => {
  holds(fc.property(response(6), stat), 4_000);
});

Deno.test("decodeRawResponse: broken responses are refused, or read as the reference reads them", () => {
  holds(fc.property(broken(response(2)), raw), 8_000);
});

Deno.test("decodeStatResponse: broken responses are refused, or read as the reference reads them", () => {
  holds(fc.property(broken(response(6)), stat), 8_000);
});

Deno.test("decodeRawResponse: a message that lies in a larger buffer is not read beyond its end", () => {
  holds(fc.property(response(2), fc.nat(40), fc.nat(40), (bytes, before, cut) => {
    const buffer = new Uint8Array(before + bytes.length + 64).fill(0x22);
    buffer.set(bytes, before);
    raw(buffer.subarray(before, before + Math.max(0, bytes.length - cut)));
  }));
});

const rows = fc.array(fc.tuple(time, anyDouble), { maxLength: 30, size: "max" });
const uint64 = fc.oneof(fc.constant(0n), fc.bigInt(0n, (1n << 64n) - 1n));

Deno.test("encodeInsert: inserts are encoded byte for byte as protobuf-es encodes them", () => {
  const policy = fc.constantFrom(
    "never" as const,
    "equal" as const,
    "retain" as const,
    "replace" as const,
  );
  const roundBits = fc.option(fc.integer({ min: -2, max: 70 }), { nil: undefined });
  holds(fc.property(rows, policy, roundBits, (points, mergePolicy, bitsKept) => {
    const columns = {
      times: BigInt64Array.from(points, ([t]) => t),
      values: Float64Array.from(points, ([, v]) => v),
    };
    const uuid = new Uint8Array(16).fill(7);
    const fields = { uuid, columns, protocol: "v5" as const, mergePolicy, roundBits: bitsKept };
    const actual = encodeInsert(fields);
    const expected = create(InsertParamsSchema, {
      uuid,
      values: points.map(([t, value]) => ({ time: t, value })),
      mergePolicy: ["never", "equal", "retain", "replace"].indexOf(mergePolicy) as MergePolicy,
      ...(bitsKept === undefined
        ? {}
        : { rounding: { spec: { case: "bits" as const, value: bitsKept } } }),
    });
    assertEquals(actual, toBinary(InsertParamsSchema, expected));
    const back = decodeInsert(actual);
    assertEquals(rawBits(back.columns), rawBits(columns));
    assertEquals([...back.uuid], [...uuid]);
    assertEquals([back.mergePolicy, back.roundBits, back.sync], [mergePolicy, bitsKept, false]);
  }));
});

Deno.test("encodeRawResponse: responses are encoded byte for byte as protobuf-es encodes them", () => {
  holds(fc.property(rows, uint64, uint64, (points, major, minor) => {
    const columns = {
      times: BigInt64Array.from(points, ([t]) => t),
      values: Float64Array.from(points, ([, v]) => v),
    };
    const message = create(RawValuesResponseSchema, {
      versionMajor: major,
      versionMinor: minor,
      values: points.map(([t, value]) => ({ time: t, value })),
    });
    const actual = encodeRawResponse(columns, 0, points.length, major, minor);
    assertEquals(actual, toBinary(RawValuesResponseSchema, message));
    assertEquals(rawBits(decodeRawResponse(actual).columns), rawBits(columns));
  }));
});

Deno.test("encodeStatResponse: responses are encoded byte for byte as protobuf-es encodes them", () => {
  const window = fc.tuple(time, anyDouble, anyDouble, anyDouble, uint64, anyDouble);
  const windows = fc.array(window, { maxLength: 20, size: "max" });
  holds(fc.property(windows, uint64, fc.boolean(), (all, major, withStddev) => {
    const columns: StatColumns = {
      times: BigInt64Array.from(all, (w) => w[0]),
      min: Float64Array.from(all, (w) => w[1]),
      mean: Float64Array.from(all, (w) => w[2]),
      max: Float64Array.from(all, (w) => w[3]),
      count: BigUint64Array.from(all, (w) => w[4]),
      stddev: Float64Array.from(all, (w) => withStddev ? w[5] : 0),
    };
    const message = create(AlignedWindowsResponseSchema, {
      versionMajor: major,
      values: all.map(([t, min, mean, max, count, stddev]) => ({
        time: t,
        min,
        mean,
        max,
        count,
        stddev: withStddev ? stddev : 0,
      })),
    });
    const actual = encodeStatResponse(columns, 0, all.length, major, 0n, withStddev);
    assertEquals(actual, toBinary(AlignedWindowsResponseSchema, message));
    assertEquals(statBits(decodeStatResponse(actual, true).columns), statBits(columns));
    const some = all.some((w) => withStddev && !Object.is(w[5], 0));
    assert((decodeStatResponse(actual).columns.stddev !== undefined) === some);
  }));
});
