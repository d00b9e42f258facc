/**
 * Streams and files of Arrow of which a few bytes are not what they were. A decoder believes most of
 * them, and gives other numbers, or fewer, without a word.
 */

import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import {
  columnFromArray,
  CompressionType,
  dictionary,
  float64,
  int32,
  int64,
  type Table,
  tableFromArrays,
  tableFromColumns,
  tableToIPC,
  utf8,
} from "@uwdata/flechette";
import { footerOf } from "../../../src/arrow/file_footer.ts";
import { ipcToMulti, ipcToRaw, ipcToStat } from "../../../src/arrow/read_ipc.ts";
import { ipcToRawInSlices } from "../../../src/arrow/read_ipc_in_slices.ts";
import { subscribedPoints } from "../../../src/arrow/read_ipc.ts";
import { tableToStat } from "../../../src/arrow/table.ts";
import { concatBytes } from "../../../src/core/bytes.ts";
import { BTrDBError } from "../../../src/core/errors.ts";
import { readArrow } from "../../../src/io/arrow.ts";
import { openArrowFile } from "../../../src/io/arrow_file.ts";
import { END_OF_STREAM, type Message, messagesOf } from "../../../src/io/arrow_messages.ts";
import { streamOf, withNumber } from "../../support/hostile_arrow.ts";

const START = 1_700_000_000_000_000_000n;
const BOUNDS = { maxUnpackedBytes: 1 << 20, checkPoints: () => {} };

/** Times of so many rows. */
function timesOf(rows: number): BigInt64Array {
  return BigInt64Array.from({ length: rows }, (_, i) => START + 8_333_333n * BigInt(i));
}

/** So many rows of points, in batches of ten. */
function pointsOf(rows: number): { times: BigInt64Array; values: Float64Array } {
  return { times: timesOf(rows), values: Float64Array.from({ length: rows }, (_, i) => 1.7 + i) };
}

function ipcOf(table: Table, format: "stream" | "file" = "stream"): Uint8Array {
  return tableToIPC(table, { format })!;
}

/** Points in batches of ten. */
function tableOf(rows: number): Table {
  const { times: time, values: value } = pointsOf(rows);
  return tableFromArrays({ time, value }, { maxBatchRows: 10 });
}

/** A table whose column `value` has nulls, or none. */
function withNulls(values: readonly (number | null)[]): Table {
  return tableFromColumns({
    time: columnFromArray([...timesOf(values.length)], int64()),
    value: columnFromArray([...values], float64()),
  });
}

async function partsOf(bytes: Uint8Array): Promise<Message[]> {
  return await Array.fromAsync(messagesOf([bytes]));
}

type Points = { times: BigInt64Array; values: Float64Array };

/** The ways in which points are read: of files, answers of servers, requests of clients. */
const READERS: Readonly<Record<string, (bytes: Uint8Array) => Points | Promise<Points>>> = {
  ipcToRaw,
  subscribedPoints,
  ipcToRawInSlices: (bytes) => ipcToRawInSlices(bytes, BOUNDS),
  ipcToMulti: (bytes) => {
    const { times, streams } = ipcToMulti(bytes);
    assertEquals(streams.length, 1);
    return { times, values: streams[0]!.values };
  },
  readArrow: async (bytes) => {
    const batches = (await Array.fromAsync(readArrow(bytes))).flat();
    const times = batches.flatMap(({ times }) => [...times]);
    const values = batches.flatMap(({ values }) => [...values]);
    return { times: BigInt64Array.from(times), values: Float64Array.from(values) };
  },
};

/** All ways of reading refuse it with 438, and with the text if there is one. */
async function assertRefused(bytes: Uint8Array, text?: string | RegExp): Promise<void> {
  for (const [name, read] of Object.entries(READERS)) {
    const error = await assertRejects(async () => await read(bytes), BTrDBError, undefined, name);
    assertEquals(error.code, 438, name);
    const isSaid = text === undefined ||
      (typeof text === "string" ? error.message.includes(text) : text.test(error.message));
    assert(isSaid, `${name}: ${error.message}`);
  }
}

// Of the bits that are no part of a time or a value, one in some hundreds changed the points that were
// read: columns in each other's place, values as floats of 16 or 32 bits, batches that were missing.
for (const format of ["stream", "file"] as const) {
  Deno.test(`ipcToRaw, readArrow: any bit of a ${format} beside its columns is changed in vain, or an error`, async () => {
    const points = pointsOf(20);
    const good = ipcOf(tableOf(20), format);
    const isData = new Set<number>();
    for (const column of [points.times, points.values]) {
      for (const half of [column.subarray(0, 10), column.subarray(10)]) {
        const part = new Uint8Array(half.slice().buffer);
        let at = 0;
        while (!part.every((byte, i) => good[at + i] === byte)) at += 8;
        for (let i = 0; i < part.length; i++) isData.add(at + i);
      }
    }
    assertEquals(isData.size, 2 * 20 * 8);
    let refused = 0;
    for (let bit = 0; bit < 8 * good.length; bit++) {
      if (isData.has(bit >> 3)) continue;
      const bytes = good.slice();
      bytes[bit >> 3]! ^= 1 << (bit & 7);
      for (const name of ["ipcToRaw", "ipcToRawInSlices", "readArrow"]) {
        try {
          assertEquals(
            await READERS[name]!(bytes),
            points,
            `${name}: bit ${bit & 7} of ${bit >> 3}`,
          );
        } catch (error) {
          if (!(error instanceof BTrDBError && error.code === 438)) throw error;
          refused++;
        }
      }
    }
    assert(refused > 1000, String(refused));
  });
}

// All batches were read by the first schema. `cat a.arrows b.arrows`, the columns of the second in another
// order, gave the values of b as its times, and its times as values.
Deno.test("ipcToRaw, readArrow: a stream has one schema, before everything else", async () => {
  const { times: time, values: value } = pointsOf(5);
  const [schema, batch] = await partsOf(ipcOf(tableFromArrays({ time, value })));
  const [otherSchema, otherBatch] = await partsOf(ipcOf(tableFromArrays({ value, time })));
  const two = [schema!, batch!, otherSchema!, otherBatch!].map(({ bytes }) => bytes);
  await assertRefused(streamOf(...two), /more than one schema|a second schema/);
  await assertRefused(
    streamOf(batch!.bytes, schema!.bytes),
    /begin with a schema|before the schema|no Arrow IPC stream/,
  );
});

// What followed the end of a stream was left out. Two answers in one message were the first of them.
Deno.test("ipcToRaw, readArrow: nothing follows the end of a stream", async () => {
  const stream = ipcOf(tableOf(20));
  await assertRefused(concatBytes([stream, stream]), /the stream ends at byte \d+, and more bytes/);
  await assertRefused(concatBytes([stream, Uint8Array.of(1)]), "and more bytes follow");
  await assertRefused(concatBytes([stream.subarray(0, -8), Uint8Array.of(1, 2, 3, 4, 5)]));
});

// A count of −1 passed for no nulls: all of them were read as the value 0. So did one that was too small.
Deno.test("ipcToRaw, readArrow: nulls are those that their batch counts", async () => {
  const honest = ipcOf(withNulls([1.5, null, null, null, 5.5]));
  assertEquals(ipcToMulti(honest).streams[0]!.values, Float64Array.of(1.5, NaN, NaN, NaN, 5.5));
  assertEquals((await READERS["readArrow"]!(honest)).values, Float64Array.of(1.5, 5.5));
  for (const count of [-1n, -3n, 6n, 2n ** 40n]) {
    const text = `column "value" says that it has ${count} nulls in 5 rows`;
    await assertRefused(withNumber(honest, 3n, count, 0), text);
  }
  for (const count of [0n, 2n, 4n]) {
    const changed = withNumber(honest, 3n, count, 0);
    await assertRefused(changed, `column "value" says that it has ${count} nulls, and has 3`);
  }
});

// Bits that were missing counted as nulls: points were left out.
Deno.test("ipcToRaw, readArrow: a bitmap of nulls has a bit for each row", async () => {
  const values = Array.from({ length: 300 }, (_, i) => i === 7 ? null : i);
  const honest = ipcOf(withNulls(values));
  // Its bitmap has 38 bytes, or with padding 40.
  const length = [38n, 40n].find((bytes) => placesOf(honest, bytes).length === 1)!;
  const text = 'column "value" is shorter than it says: a buffer of 8 bytes for 300 rows, expected';
  await assertRefused(withNumber(honest, length, 8n), text);
  // Nulls are counted, and there are no bits that say which ones they are.
  const whole = withNulls(values.map((value) => value ?? 7));
  const [schema, batch] = await partsOf(ipcOf(whole));
  const nodes = placesOf(batch!.bytes, 300n, 0n);
  assertEquals(nodes.length, 2);
  for (const at of nodes) {
    const changed = batch!.bytes.slice();
    new DataView(changed.buffer).setBigInt64(at + 8, 1n, true);
    const text = /column "(time|value)" is shorter than it says: a buffer of 0 bytes for 300 rows/;
    await assertRefused(streamOf(schema!.bytes, changed), text);
  }
});

/** Offsets of a whole number of 64 bits, with another one behind it, in bytes. */
function placesOf(bytes: Uint8Array, number: bigint, next?: bigint): number[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return Array.from({ length: (bytes.length >> 2) - 3 }, (_, i) => 4 * i).filter((at) =>
    view.getBigInt64(at, true) === number &&
    (next === undefined || view.getBigInt64(at + 8, true) === next)
  );
}

// A count of −1 became one of 18,446,744,073,709,551,615.
Deno.test("ipcToStat, tableToStat: counts are not negative", () => {
  const one = { time: BigInt64Array.of(1n), min: VALUE, mean: VALUE, max: VALUE };
  const table = (count: bigint) => tableFromArrays({ ...one, count: BigInt64Array.of(count) });
  assertEquals(ipcToStat(ipcOf(table(3n))).count, BigUint64Array.of(3n));
  const text = 'column "count" has the count -1, expected at least 0';
  assertThrows(() => tableToStat(table(-1n)), BTrDBError, text);
  assertThrows(() => ipcToStat(ipcOf(table(-1n))), BTrDBError, text);
  const most = tableFromArrays({ ...one, count: BigUint64Array.of(2n ** 63n) });
  assertEquals(ipcToStat(ipcOf(most)).count, BigUint64Array.of(2n ** 63n));
});

const VALUE = Float64Array.of(1);

Deno.test("ipcToRaw, readArrow: errors of a type name the column, its type, and those that it may have", async () => {
  const time = timesOf(1);
  const text = tableFromArrays({ time, value: ["a"] });
  assertThrows(
    () => ipcToRaw(ipcOf(text)),
    BTrDBError,
    'column "value" is of type Dictionary, expected float64, float32 or an integer of up to 32 bits',
  );
  const long = ipcOf(tableFromArrays({ time, value: BigInt64Array.of(5n) }));
  assertThrows(() => ipcToRaw(long), BTrDBError, 'column "value" is of type int64, expected float');
  const swapped = ipcOf(tableFromArrays({ time: VALUE, value: VALUE }));
  await assertRefused(swapped, 'column "time" is of type float64, expected a timestamp or int64');
  const counts = tableFromArrays({ time, min: VALUE, mean: VALUE, max: VALUE, count: VALUE });
  assertThrows(
    () => ipcToStat(ipcOf(counts)),
    BTrDBError,
    'column "count" is of type float64, expected uint64',
  );
});

// The body of one batch took in the next one, which was gone: half of the points, and no error.
Deno.test("ipcToRaw, readArrow: a batch does not take in the next one", async () => {
  const [schema, first, second] = (await partsOf(ipcOf(tableOf(20)))).map(({ bytes }) => bytes);
  const body = BigInt(2 * 10 * 8);
  const both = withNumber(first!, body, body + BigInt(second!.length));
  const stream = streamOf(schema!, both, second!);
  await assertRefused(stream, /a batch has \d+ bytes, and its buffers end at byte 160/);
  await assertRefused(streamOf(schema!, withNumber(first!, body, -1n), second!));
});

// A buffer that began in another one gave values of the wrong column, or those of other rows.
Deno.test("ipcToRaw, readArrow: buffers do not lie in each other", async () => {
  const [schema, batch] = (await partsOf(ipcOf(tableOf(10)))).map(({ bytes }) => bytes);
  // Length of the times, offset of the bitmap behind them; its length, offset and length of the values.
  const places = placesOf(batch!, 80n, 80n);
  const at = places.at(-1)!;
  for (const offset of [0n, 72n]) {
    const changed = batch!.slice();
    new DataView(changed.buffer).setBigInt64(at, offset, true);
    await assertRefused(streamOf(schema!, changed), "the buffers of a batch lie in each other");
  }
});

// Nodes were given to columns one after another, as long as there were any: without the first of three
// columns in the schema, its values were those of the second, and so on.
Deno.test("ipcToRaw, readArrow: batches have the columns of their schema", async () => {
  const { times: time, values: value } = pointsOf(5);
  const angle = value.map((v) => -v);
  const messages = async (columns: Record<string, Float64Array | BigInt64Array>) =>
    (await partsOf(ipcOf(tableFromArrays(columns)))).map(({ bytes }) => bytes);
  const [two] = await messages({ time, value });
  const [three, batch] = await messages({ angle, time, value });
  const [, small] = await messages({ time, value });
  await assertRefused(streamOf(two!, batch!), "a batch has 3 columns, its schema 2");
  await assertRefused(streamOf(three!, small!), "a batch has 2 columns, its schema 3");
});

// A float of 64 bits that says to have 32 gave twice as many numbers, of which the first half was taken.
Deno.test("ipcToRaw, readArrow: values are as long as their type", async () => {
  const { times: time, values: value } = pointsOf(500);
  const single = Float32Array.from(value);
  const [schema] = await partsOf(ipcOf(tableFromArrays({ time, value: single })));
  const [, batch] = await partsOf(ipcOf(tableFromArrays({ time, value })));
  const stream = streamOf(schema!.bytes, batch!.bytes);
  await assertRefused(stream, 'column "value" is longer than it says: a buffer of 4000 bytes');
  const packed = tableToIPC(tableFromArrays({ time, value }), {
    format: "stream",
    codec: CompressionType.ZSTD,
  })!;
  const [, unlike] = await partsOf(packed);
  await assertRefused(streamOf(schema!.bytes, unlike!.bytes), "is longer than it says");
});

// A batch whose kind was changed to that of a dictionary was gone with its rows, if none came behind it.
Deno.test("ipcToRaw, readArrow: a dictionary that no column has is an error", async () => {
  const [schema, first, second] = (await partsOf(ipcOf(tableOf(20)))).map(({ bytes }) => bytes);
  const changed = second!.slice();
  const view = new DataView(changed.buffer);
  const message = 8 + view.getUint32(8, true);
  const kind = message + view.getUint16(message - view.getInt32(message, true) + 6, true);
  assertEquals(changed[kind], 3);
  for (const other of [0, 1, 2, 4, 5]) {
    changed[kind] = other;
    await assertRefused(streamOf(schema!, first!, changed));
  }
});

Deno.test("ipcToRaw, readArrow: two columns of different types do not share a dictionary", async () => {
  const names = ["a", "b", "a", "c", "a"];
  const table = tableFromColumns({
    time: columnFromArray([...timesOf(5)], int64()),
    value: columnFromArray([1, 2, 3, 4, 5], float64()),
    text: columnFromArray(names, dictionary(utf8())),
    level: columnFromArray(
      [1.5, 2.5, 1.5, 2.5, 1.5],
      dictionary(float64()),
    ),
  });
  const [schema, ...others] = (await partsOf(ipcOf(table))).map(({ bytes }) => bytes);
  const honest = streamOf(schema!, ...others);
  assertEquals(ipcToRaw(honest).values, Float64Array.of(1, 2, 3, 4, 5));
  // The writer gives them the numbers 0 and 1.
  const places = placesOf(schema!, 1n);
  const isId = (at: number) => {
    const changed = schema!.slice();
    new DataView(changed.buffer).setBigInt64(at, 3n, true);
    return String(errorOf(streamOf(changed, ...others))).includes("no column has dictionary 1");
  };
  const [at, ...more] = places.filter(isId);
  assertEquals(more, []);
  const shared = schema!.slice();
  new DataView(shared.buffer).setBigInt64(at!, 0n, true);
  const text = "two columns of different types have dictionary 0";
  await assertRefused(streamOf(shared, ...others), text);
});

function errorOf(bytes: Uint8Array): unknown {
  try {
    ipcToRaw(bytes);
  } catch (error) {
    return error;
  }
  return undefined;
}

// polars puts the dictionaries of a file behind its batches: "the bytes are no Arrow IPC stream" was said.
Deno.test("ipcToRaw, readArrow: a batch before its dictionary is named", async () => {
  const { times: time, values: value } = pointsOf(3);
  const table = tableFromArrays({ time, value, phase: ["a", "b", "a"] });
  const [schema, texts, batch] = (await partsOf(ipcOf(table))).map(({ bytes }) => bytes);
  assertEquals(ipcToRaw(streamOf(schema!, texts!, batch!)).values, value);
  const text = 'a batch stands before dictionary 0 of column "phase"';
  await assertRefused(streamOf(schema!, batch!, texts!), text);
});

// Offsets that went down gave empty texts, and texts of other rows.
Deno.test("openArrowFile: texts follow each other", async () => {
  const names = Array.from({ length: 10 }, (_, i) => `name ${i}`);
  const table = tableFromColumns({ text: columnFromArray(names, utf8()) });
  const honest = ipcOf(table);
  assertEquals(await textsOf(honest), names);
  const view = new DataView(honest.buffer, honest.byteOffset, honest.byteLength);
  for (let at = 0; at + 8 <= honest.length; at += 4) {
    if (view.getInt32(at, true) !== 18 || view.getInt32(at + 4, true) !== 24) continue;
    for (const offset of [-1, 6, 25, 1000]) {
      const bytes = honest.slice();
      new DataView(bytes.buffer).setInt32(at, offset, true);
      const error = await assertRejects(
        () => textsOf(bytes),
        BTrDBError,
        'column "text" has a text',
      );
      assertEquals(error.code, 438);
    }
    return;
  }
  throw new Error("There are no offsets");
});

async function textsOf(bytes: Uint8Array): Promise<unknown[]> {
  async function* open(): AsyncGenerator<Uint8Array> {
    yield bytes;
  }
  await using file = await openArrowFile(open);
  const batches = await Array.fromAsync(file.read(["text"]));
  return batches.flatMap(({ columns }) => [...columns[0]!]);
}

// Only the batches that the footer names were read: of a file whose footer had lost one, all the others.
Deno.test("ipcToRaw, readArrow: a footer names all batches of its file", async () => {
  const file = ipcOf(tableOf(40), "file");
  for (const [name, read] of Object.entries(READERS)) {
    assertEquals(await read(file), pointsOf(40), name);
  }
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  const at = file.length - 10 - view.getUint32(file.length - 10, true);
  const fewer = file.slice();
  const root = at + view.getUint32(at, true);
  const slot = root + view.getUint16(root - view.getInt32(root, true) + 4 + 2 * 3, true);
  const blocks = slot + view.getUint32(slot, true);
  assertEquals(view.getUint32(blocks, true), 4);
  new DataView(fewer.buffer).setUint32(blocks, 3, true);
  const text = "has 4 record batches before its footer, which names 3";
  await assertRefused(fewer, text);
  await assertRefused(concatBytes([file, Uint8Array.of(0)]), "does not end with ARROW1");
  // Without marks before the messages, they are found by the footer.
  const unmarked = withoutLength(fewer);
  assertThrows(() => ipcToRaw(unmarked), BTrDBError, "does not name the batch at byte");
  const none = file.slice();
  new DataView(none.buffer).setUint32(blocks, 0, true);
  const start = withoutLength(file).subarray(0, footerOf(file).blocks.batch[0]);
  for (const end of [END_OF_STREAM, new Uint8Array()]) {
    const empty = concatBytes([start, end, none.subarray(at)]);
    assertEquals(ipcToRaw(empty), pointsOf(0));
  }
  assertThrows(() => ipcToRaw(withoutLength(none)), BTrDBError, "and more follow");
  const skipping = unmarked.slice();
  const change = new DataView(skipping.buffer);
  change.setUint32(blocks, 4, true);
  const second = blocks + 4 + 24;
  const third = change.getBigInt64(second + 24, true);
  change.setBigInt64(second, third, true);
  assertThrows(() => ipcToRaw(skipping), BTrDBError, "the footer of the file names byte");
});

// The footer of a file has its schema once more, and nothing looked at it: if names were exchanged in the
// first one, the values of a column were read as those of another.
Deno.test("ipcToRaw, readArrow: the schema in a footer is that of the batches", async () => {
  const { times: time, values: value } = pointsOf(20);
  const file = ipcOf(tableOf(20), "file");
  const withFooterOf = (columns: Record<string, BigInt64Array | Float64Array | Float32Array>) => {
    const other = ipcOf(tableFromArrays(columns, { maxBatchRows: 10 }), "file");
    const footer = footerOf(other);
    const own = footerOf(file);
    const bytes = concatBytes([file.subarray(0, own.at), other.subarray(footer.at)]);
    // Both blocks of batches, at their places in this file.
    return own.blocks.batch.reduce<Uint8Array>(
      (changed, at, i) =>
        withNumberFrom(changed, own.at, BigInt(footer.blocks.batch[i]!), BigInt(at)),
      bytes,
    );
  };
  const whole = withFooterOf({ time, value });
  for (const [name, read] of Object.entries(READERS)) {
    assertEquals(await read(whole), pointsOf(20), name);
  }
  await assertRefused(
    withFooterOf({ value, time }),
    'column 1 of the file is "time", in its footer "value"',
  );
  await assertRefused(
    withFooterOf({ time, other: value }),
    'column 2 of the file is "value", in its footer "other"',
  );
  await assertRefused(
    withFooterOf({ time, value: Float32Array.from(value) }),
    'column "value" of the file is of another type in its footer',
  );
  await assertRefused(
    withFooterOf({ time, value, other: value }),
    "the schema of the file has 2 columns, the one in its footer 3",
  );
});

/** Bytes in which the first whole number of 64 bits from a place on that equals `from` is `to`. */
function withNumberFrom(bytes: Uint8Array, at: number, from: bigint, to: bigint): Uint8Array {
  return concatBytes([bytes.subarray(0, at), withNumber(bytes.slice(at), from, to)]);
}

/** A file without mark and length before its schema, as Polars writes it. */
function withoutLength(file: Uint8Array): Uint8Array {
  const length = new DataView(file.buffer, file.byteOffset).getUint32(12, true);
  const bytes = file.slice();
  bytes.copyWithin(8, 16, 16 + length);
  bytes.fill(0, 8 + length, 16 + length);
  return bytes;
}

/** Points beside a column of categories, in a file as Polars writes it: the dictionary behind the batch. */
async function withLateDictionary(rows: number): Promise<Uint8Array> {
  const { times, values } = pointsOf(rows);
  const phases = Array.from({ length: rows }, (_, i) => `phase ${i % 3}`);
  const file = ipcOf(
    tableFromColumns({
      time: columnFromArray([...times], int64()),
      value: columnFromArray([...values], float64()),
      phase: columnFromArray(phases, dictionary(utf8(), int32())),
    }),
    "file",
  );
  const { at, blocks } = footerOf(file);
  const first = blocks.dictionary[0]!, second = blocks.batch[0]!;
  const [, , batch] = await partsOf(file);
  const last = second + batch!.bytes.length;
  assert(first < second && last <= at);
  const start = withoutLength(file).subarray(0, first);
  const dictionaryAt = BigInt(first + last - second);
  const late = withNumber(file.slice(at), BigInt(first), dictionaryAt);
  const footer = withNumber(late, BigInt(second), BigInt(first));
  return concatBytes([
    start,
    file.subarray(second, last),
    file.subarray(first, second),
    file.subarray(last, at),
    footer,
  ]);
}

// In a file, a footer says where everything is, so that Polars puts dictionaries behind the batches. Its files
// with categories were refused, and an insert took none of its files at all.
Deno.test("ipcToRaw, readArrow: a file whose dictionaries stand behind its batches", async () => {
  const file = await withLateDictionary(10);
  for (const [name, read] of Object.entries(READERS)) {
    if (name !== "ipcToMulti") assertEquals(await read(file), pointsOf(10), name);
  }
  await using opened = await openArrowFile(async function* () {
    yield await Promise.resolve(file);
  });
  const [batch] = await Array.fromAsync(opened.read(["phase"]));
  const expected = Array.from({ length: 10 }, (_, i) => `phase ${i % 3}`);
  assertEquals([...batch!.columns[0]!], expected);
});

Deno.test("ipcToRaw: any bit of the footer of such a file is changed in vain, or an error", async () => {
  const file = await withLateDictionary(10);
  assertEquals(ipcToRaw(file), pointsOf(10));
  const { at } = footerOf(file);
  let refused = 0;
  for (let bit = 8 * at; bit < 8 * file.length; bit++) {
    const bytes = file.slice();
    bytes[bit >> 3]! ^= 1 << (bit & 7);
    try {
      assertEquals(ipcToRaw(bytes), pointsOf(10), `bit ${bit & 7} of ${bit >> 3}`);
    } catch (error) {
      if (!(error instanceof BTrDBError && error.code === 438)) throw error;
      refused++;
    }
  }
  assert(refused > 500, String(refused));
});

// Streams of Arrow before 0.15, which end with four zeros, ended "inside a message".
Deno.test("readArrow: a stream may end with a length of 0 alone", async () => {
  const stream = ipcOf(tableOf(20));
  const old = concatBytes([stream.subarray(0, -END_OF_STREAM.length), new Uint8Array(4)]);
  for (const [name, read] of Object.entries(READERS)) {
    assertEquals(await read(old), pointsOf(20), name);
  }
});
