/** Long requests are decoded in parts of some thousand fields. */

import { create, fromBinary, mergeFromBinary, toBinary } from "@bufbuild/protobuf";
import { BinaryReader } from "@bufbuild/protobuf/wire";
import {
  assertEquals,
  assertGreater,
  assertLessOrEqual,
  assertRejects,
  assertThrows,
} from "@std/assert";
import { BTrDBError } from "../../../src/core/errors.ts";
import { atOnce } from "../../../src/core/pacer.ts";
import { InsertManyParamsSchema } from "../../../src/gen/btrdb_deno_pb.ts";
import {
  ArrowMultiValuesParamsSchema,
  GenerateCSVParamsSchema,
  SetStreamTagsParamsSchema,
} from "../../../src/gen/btrdb_v5_pb.ts";
import { messageParts } from "../../../src/server/btrdb/message_parts.ts";
import { atMost, decode } from "../../../src/server/btrdb/request.ts";
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
  assertThrows(() => split(Uint8Array.of(0x9b, 0x06, 0x08)), RangeError);
});

Deno.test("messageParts: what a message says of its lengths and types is checked", () => {
  const split = (...bytes: number[]) =>
    atOnce(messageParts(GenerateCSVParamsSchema, Uint8Array.from(bytes), 100_000));
  assertThrows(() => split(0x3a, 3, 0x12, 1), RangeError, "premature EOF");
  // A label of two bytes in a stream of three, which has room for one.
  assertThrows(() => split(0x3a, 3, 0x12, 2, 97, 97), RangeError, "premature EOF");
  // The number at the end of a stream has another byte behind it.
  assertThrows(() => split(0x3a, 2, 0x08, 0x80, 0x01), RangeError, "premature EOF");
  assertThrows(() => split(0x00, 1), Error, "illegal tag: field no 0");
  assertThrows(() => split(0x0f, 1), Error, "illegal tag: field no 1 wire type 7");
  assertThrows(() => split(0x0c, 1), Error, "cannot skip wire type 4");
  assertEquals(split(0x3a, 3, 0x12, 1, 97).length, 1);
});

/** Byte strings that are made of fields while `body` runs. */
async function stringsMade(body: () => Promise<void>): Promise<number> {
  const { bytes, skip } = BinaryReader.prototype;
  let made = 0;
  BinaryReader.prototype.bytes = function () {
    made++;
    return bytes.call(this);
  };
  BinaryReader.prototype.skip = function (...of) {
    made++;
    return skip.apply(this, of);
  };
  try {
    await body();
  } finally {
    Object.assign(BinaryReader.prototype, { bytes, skip });
  }
  return made;
}

// A call with 99,000 empty inserts or streams was refused for their number when objects had been made of
// all of them. To collect these as garbage kept everybody waiting for up to 13 ms.
Deno.test("decode: a list that is too long is refused before anything is made of its elements", async () => {
  const lists = [
    { schema: InsertManyParamsSchema, field: InsertManyParamsSchema.field.inserts, most: 4_096 },
    { schema: GenerateCSVParamsSchema, field: GenerateCSVParamsSchema.field.streams, most: 10_000 },
  ];
  for (const { schema, field, most } of lists) {
    const message = (elements: number) =>
      Uint8Array.from({ length: 2 * elements }, (_, i) => i % 2 === 0 ? field.number << 3 | 2 : 0);
    const made = await stringsMade(async () => {
      await assertRejects(
        () => decode(schema, message(99_000), { list: atMost(field, most) }),
        BTrDBError,
        `the call names 99000 streams, more than the ${most} allowed`,
      );
    });
    assertEquals(made, 0);
    await decode(schema, message(most), { list: atMost(field, most) });
  }
});

Deno.test("decode: passing over a message makes nothing of its fields, known or not", async () => {
  const bytes = new Uint8Array([...new Array(20_000).fill(UNKNOWN).flat(), ...group()]);
  const made = await stringsMade(() => {
    atOnce(messageParts(GenerateCSVParamsSchema, bytes, 100_000));
    return Promise.resolve();
  });
  assertEquals(made, 0);
});
