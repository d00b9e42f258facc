import { assertEquals, assertLess, assertRejects, assertThrows } from "@std/assert";
import {
  columnFromArray,
  type DataType,
  decimal,
  dictionary,
  float64,
  type Table,
  tableFromArrays,
  tableFromColumns,
  tableToIPC,
} from "@uwdata/flechette";
import { ipcToRaw } from "../../../src/arrow/read_ipc.ts";
import { ipcToRawInSlices } from "../../../src/arrow/read_ipc_in_slices.ts";
import { concatBytes } from "../../../src/core/bytes.ts";
import { BTrDBError } from "../../../src/core/errors.ts";
import { readArrow } from "../../../src/io/arrow.ts";
import { END_OF_STREAM, type Message, messagesOf } from "../../../src/io/arrow_messages.ts";
import { usedCpuMs } from "../../support/cpu_ms.ts";
import { imported } from "../../support/imported.ts";

const START = 1_700_000_000_000_000_000n;

/** Four batches of five rows. */
function fourBatches(format: "stream" | "file"): Uint8Array {
  const time = BigInt64Array.from({ length: 20 }, (_, i) => START + BigInt(i));
  const value = Float64Array.from(time, (_, i) => i);
  return tableToIPC(tableFromArrays({ time, value }, { maxBatchRows: 5 }), { format })!;
}

/** A time and a value for each number, the values of a type. */
function tableOf(values: readonly unknown[], type: DataType): Table {
  const time = BigInt64Array.from(values, (_, i) => START + BigInt(i));
  return tableFromColumns({
    time: tableFromArrays({ time }).getChild("time"),
    value: columnFromArray(values as unknown[], type),
  });
}

async function messagesIn(bytes: Uint8Array): Promise<Message[]> {
  return await Array.fromAsync(messagesOf([bytes]));
}

async function valuesIn(bytes: Uint8Array): Promise<number[]> {
  const batches = await Array.fromAsync(readArrow(bytes));
  return batches.flatMap((columns) => columns.flatMap(({ values }) => [...values]));
}

async function assertRefused(bytes: Uint8Array, text: string): Promise<void> {
  const { code } = await assertRejects(() => Array.fromAsync(readArrow(bytes)), BTrDBError, text);
  assertEquals(code, 438);
}

/** Bytes with the only number of 32 bits that equals `from` changed. */
function withInt(bytes: Uint8Array, from: number, to: number): Uint8Array {
  const changed = bytes.slice();
  const view = new DataView(changed.buffer);
  const found = Array.from({ length: changed.length >> 2 }, (_, i) => 4 * i)
    .filter((at) => view.getInt32(at, true) === from);
  assertEquals(found.length, 1);
  view.setInt32(found[0]!, to, true);
  return changed;
}

// Messages of a file were read up to whatever ended them, and its footer was not looked at. A Feather
// file of which the end was lost between two batches was imported with half of its rows, without a word.
Deno.test("readArrow: a file without its end, or with other batches than its footer names, is refused", async () => {
  const file = fourBatches("file");
  assertEquals((await valuesIn(file)).length, 20);
  const [schema, ...batches] = await messagesIn(file);
  assertEquals(batches.length, 4);
  const ends = batches.map(({ bytes }) => bytes.byteOffset + bytes.length);
  const [, second] = batches.map(({ bytes }) => bytes.byteOffset);
  assertEquals(schema!.bytes.byteOffset, 8);
  for (const end of ends) await assertRefused(file.subarray(0, end), "the file is cut off");
  const last = ends[3]!;
  await assertRefused(file.subarray(0, last + 8), "does not end with ARROW1");
  await assertRefused(file.subarray(0, file.length - 1), "does not end with ARROW1");
  await assertRefused(concatBytes([file, Uint8Array.of(0)]), "does not end with ARROW1");
  const cut = (from: number, to: number) =>
    concatBytes([file.subarray(0, from), file.subarray(to)]);
  await assertRefused(
    cut(second!, ends[1]!),
    "has 3 record batches before its footer, which names 4",
  );
  await assertRefused(
    cut(ends[1]!, second!),
    "has 5 record batches before its footer, which names 4",
  );
  const ended = concatBytes([file.subarray(0, second), END_OF_STREAM, file.subarray(second)]);
  await assertRefused(ended, "has 1 record batches before its footer, which names 4");
  // Some writers put the footer right behind the last batch.
  assertEquals((await valuesIn(cut(last, last + 8))).length, 20);
});

// `cat a.arrows b.arrows` was imported as a.arrows alone, and nobody was told.
Deno.test("readArrow: what follows the end of a stream is an error, and a stream may have no end", async () => {
  const stream = fourBatches("stream");
  await assertRefused(concatBytes([stream, stream]), "the stream ends at byte");
  await assertRefused(concatBytes([stream, Uint8Array.of(0)]), "and more bytes follow");
  const unended = stream.subarray(0, stream.length - END_OF_STREAM.length);
  await assertRefused(concatBytes([unended, stream]), "there is a second schema");
  assertEquals((await valuesIn(unended)).length, 20);
  const options = { time: "time", timeFormat: "ns" } as const;
  assertEquals((await imported(stream, options)).warnings, []);
  assertEquals((await imported(unended, options)).warnings, [
    "the stream has no mark at its end: if it was cut off, rows are missing",
  ]);
});

// A column of decimals needs ten to the power of its scale, which was computed as the file said. A
// message of 1 kB with a scale of 10^8 kept a server, or an import, for fifteen seconds in one step.
Deno.test("ipcToRaw, readArrow: the scale of decimals is 0 to 76", async () => {
  const honest = tableToIPC(tableOf([1.5, 2.5], decimal(76, 61, 256)), { format: "stream" })!;
  assertEquals(await valuesIn(honest), [1.5, 2.5]);
  for (const scale of [-1, 77, 100_000_000]) {
    const bytes = withInt(honest, 61, scale);
    const text = `scale ${scale}, expected 0 to 76`;
    await assertRefused(bytes, text);
    assertThrows(() => ipcToRaw(bytes), BTrDBError, text);
    const bounds = { maxUnpackedBytes: 1 << 20, checkPoints: () => {} };
    await assertRejects(() => ipcToRawInSlices(bytes, bounds), BTrDBError, text);
  }
});

// The bytes of every number were taken in the wrong order: other times and other values were stored.
Deno.test("ipcToRaw, readArrow: big-endian numbers are named", async () => {
  const bytes = tableToIPC(tableOf([1], float64()), { format: "stream" })!.slice();
  const view = new DataView(bytes.buffer);
  // Message { version, header_type, header: Schema { endianness, fields } }
  const slotOf = (table: number, slot: number) => table - view.getInt32(table, true) + 4 + 2 * slot;
  const message = 8 + view.getUint32(8, true);
  const header = message + view.getUint16(slotOf(message, 2), true);
  const schema = header + view.getUint32(header, true);
  // Whatever is not 0 is another order of bytes than little-endian.
  view.setUint16(slotOf(schema, 0), view.getUint16(slotOf(schema, 1), true), true);
  await assertRefused(bytes, "big-endian");
  assertThrows(() => ipcToRaw(bytes), BTrDBError, "big-endian");
});

// Schema and dictionaries were decoded again with each batch. 16 MB of 300 batches beside a dictionary
// of a million texts, as data frames with categories have them, took more than a minute; now 2 s.
Deno.test("readArrow: dictionaries are not decoded again with each batch", async () => {
  const texts = Array.from({ length: 50_000 }, (_, i) => `text ${i}`);
  const time = BigInt64Array.from(texts, (_, i) => BigInt(i));
  const value = Float64Array.from(time, Number);
  const table = tableFromArrays({ time, value, name: texts });
  const [schema, dictionary, batch] = await messagesIn(tableToIPC(table, { format: "stream" })!);
  const short = tableFromArrays({ time: time.slice(0, 1), value: value.slice(0, 1), name: ["a"] });
  const [, , tiny] = await messagesIn(tableToIPC(short, { format: "stream" })!);
  const many = Array.from({ length: 2000 }, () => tiny!.bytes);
  const head = [schema!.bytes, dictionary!.bytes];
  /** Time of the processor for a stream of as many tiny batches, ms. */
  const cost = async (batches: readonly Uint8Array[]): Promise<number> => {
    const before = usedCpuMs();
    const values = await valuesIn(concatBytes([...head, batch!.bytes, ...batches, END_OF_STREAM]));
    assertEquals(values.length, 50_000 + batches.length);
    return usedCpuMs() - before;
  };
  const one = await cost(many.slice(0, 1));
  assertLess(await cost(many), 100 * one);
});

Deno.test("readArrow: a batch has the dictionaries of its place", async () => {
  const type = () => dictionary(float64());
  const parts = [[1.5, 2.5], [3.5, 4.5, 5.5], [6.5]];
  const tables = parts.map((part) => tableToIPC(tableOf(part, type()), { format: "stream" })!);
  const messages = await Promise.all(tables.map(messagesIn));
  const streams = messages.map(([, ...rest], i) =>
    concatBytes((i === 0 ? messages[0]! : rest).map(({ bytes }) => bytes))
  );
  assertEquals(await valuesIn(concatBytes([...streams, END_OF_STREAM])), parts.flat());
  // The third dictionary has one value, and the second batch three: two were left out silently.
  const [schema] = messages[0]!;
  const [, , batch] = messages[1]!;
  const [, dictionaryOfOne] = messages[2]!;
  const wrong = [schema!, dictionaryOfOne!, batch!].map(({ bytes }) => bytes);
  await assertRefused(concatBytes([...wrong, END_OF_STREAM]), "row 2 of a batch");
});

// 100 MB of text beside the schema, decoded with each batch, took 2 GB of memory.
Deno.test("readArrow: metadata of more than 16 MiB are refused before they are read", async () => {
  const head = new Uint8Array(16);
  new DataView(head.buffer).setInt32(0, -1, true);
  new DataView(head.buffer).setUint32(4, (1 << 24) + 8, true);
  let pieces = 0;
  function* source(): Generator<Uint8Array> {
    for (yield head; pieces < 1000; pieces++) yield new Uint8Array(1 << 20);
  }
  const reading = () => Array.fromAsync(readArrow(source()));
  await assertRejects(reading, BTrDBError, "16777224 bytes of metadata, expected at most 16777216");
  assertEquals(pieces, 0);
});
