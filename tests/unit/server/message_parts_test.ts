/** Long requests are decoded in parts of some thousand fields. */

import { create, fromBinary, mergeFromBinary, toBinary } from "@bufbuild/protobuf";
import { assertEquals, assertGreater, assertLessOrEqual, assertThrows } from "@std/assert";
import { atOnce } from "../../../src/core/pacer.ts";
import {
  ArrowMultiValuesParamsSchema,
  GenerateCSVParamsSchema,
  SetStreamTagsParamsSchema,
} from "../../../src/gen/btrdb_v5_pb.ts";
import { messageParts } from "../../../src/server/btrdb/message_parts.ts";
import { GrpcFailure } from "../../../src/server/transport/status.ts";

/** An unknown field 99 with a number, and one that is a group of other bytes. */
const UNKNOWN = [0x98, 0x06, 7];
const group = (...inner: number[]) => Uint8Array.of(0x9b, 0x06, ...inner, 0x9c, 0x06);

// Requests of 99,000 fields were decoded at once, which kept everybody waiting for 15 to 45 ms: an
// `InsertMany`, or a `GenerateCSV` of as many streams as a call may name.
Deno.test("messageParts: the parts are short, and merged they are the message", () => {
  const uuid = new Uint8Array(16);
  const csv = create(GenerateCSVParamsSchema, {
    queryType: 2,
    startTime: -5n,
    streams: Array.from({ length: 10_000 }, (_, i) => ({
      version: BigInt(i),
      label: `label ${i}`,
      uuid,
    })),
  });
  const whole = toBinary(GenerateCSVParamsSchema, csv);
  const parts = atOnce(messageParts(GenerateCSVParamsSchema, whole, 100_000));
  assertEquals(parts.reduce((sum, { length }) => sum + length, 0), whole.length);
  assertGreater(parts.length, 9);
  const merged = create(GenerateCSVParamsSchema);
  for (const part of parts) {
    // Four fields each: one for the stream, three within it.
    assertLessOrEqual(4 * fromBinary(GenerateCSVParamsSchema, part).streams.length, 4_096);
    mergeFromBinary(GenerateCSVParamsSchema, merged, part);
  }
  assertEquals(merged, csv);
});

Deno.test("messageParts: of a field that comes in two parts, the last one counts", () => {
  const first = toBinary(
    SetStreamTagsParamsSchema,
    create(SetStreamTagsParamsSchema, {
      collection: "first",
      remove: Array.from({ length: 5_000 }, (_, i) => `key${i}`),
    }),
  );
  const last = toBinary(
    SetStreamTagsParamsSchema,
    create(SetStreamTagsParamsSchema, { collection: "last" }),
  );
  const whole = new Uint8Array([...first, ...last]);
  const parts = atOnce(messageParts(SetStreamTagsParamsSchema, whole, 100_000));
  assertEquals(parts.length, 2);
  const merged = create(SetStreamTagsParamsSchema);
  for (const part of parts) mergeFromBinary(SetStreamTagsParamsSchema, merged, part);
  assertEquals(merged, fromBinary(SetStreamTagsParamsSchema, whole));
});

Deno.test("messageParts: fields of groups and packed numbers are counted", () => {
  const split = (bytes: Uint8Array, most = 100_000) =>
    atOnce(messageParts(ArrowMultiValuesParamsSchema, bytes, most));
  const inGroup = (fields: number) =>
    group(...Array.from({ length: fields }, () => UNKNOWN).flat());
  assertEquals(split(inGroup(4_096)).length, 1);
  assertThrows(
    () => split(inGroup(4_097)),
    GrpcFailure,
    "a field of the request has more than 4096 fields",
  );
  assertThrows(
    () => split(new Uint8Array([...inGroup(4_000), ...inGroup(4_000)]), 8_000),
    GrpcFailure,
    "the request has more than 8000 fields",
  );
  // Versions of 5,000 streams, in one field.
  const packed = Uint8Array.of(0x12, 0x88, 0x27, ...new Array(5_000).fill(1));
  assertEquals(split(packed).length, 1);
  assertThrows(() => split(packed, 5_000), GrpcFailure, "the request has more than 5000 fields");
});

Deno.test("messageParts: groups within groups without end, and those that do not end, are refused", () => {
  const split = (bytes: Uint8Array) =>
    atOnce(messageParts(ArrowMultiValuesParamsSchema, bytes, 100_000));
  let nested = group();
  for (let i = 0; i < 20; i++) nested = group(...nested);
  assertThrows(() => split(nested), RangeError, "the message is too deep");
  assertThrows(() => split(Uint8Array.of(0x9b, 0x06, 0x9c, 0x07)), Error, "invalid end group tag");
  assertThrows(() => split(Uint8Array.of(0x9b, 0x06, 0x08, 1)), RangeError);
});
