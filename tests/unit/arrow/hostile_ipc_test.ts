/**
 * Streams and files of Arrow that nobody writes by mistake. Each of these was believed once: a file
 * of 12 kB whose footer named one batch three times had three times the points (at 500 times, more
 * than the memory there is), a buffer that began outside of its batch gave bytes of something else as
 * values, and 15 MB of batches of one point kept a server for a second.
 */

import { assert, assertEquals, assertLess, assertRejects, assertThrows } from "@std/assert";
import { CompressionType, float64, struct, tableFromArrays, tableToIPC } from "@uwdata/flechette";
import { ipcToRaw } from "../../../src/arrow/read_ipc.ts";
import { ipcToRawInSlices } from "../../../src/arrow/read_ipc_in_slices.ts";
import { multiToIpc, rawToIpc } from "../../../src/arrow/write_ipc.ts";
import { tableToRaw } from "../../../src/arrow/table.ts";
import { decompressLz4InSteps } from "../../../src/arrow/lz4_frame.ts";
import { concatBytes } from "../../../src/core/bytes.ts";
import type { RawColumns } from "../../../src/core/columns.ts";
import { BTrDBError } from "../../../src/core/errors.ts";
import { standingClock } from "../../support/clock.ts";
import { usedCpuMs } from "../../support/cpu_ms.ts";
import {
  compressed,
  fileOfOneBatch,
  pointsMessages,
  streamOf,
  withBuffers,
  withNumber,
  withSharedName,
} from "../../support/hostile_arrow.ts";

const VALUE = Float64Array.of(1);

const BOUNDS = { maxUnpackedBytes: 64 << 20, checkPoints: () => {} };

function points(n: number): RawColumns {
  return {
    times: BigInt64Array.from({ length: n }, (_, i) => BigInt(i) * 8_333_333n),
    values: Float64Array.from({ length: n }, (_, i) => Math.sin(i / 50)),
  };
}

/** Both ways of reading refuse it with 438. */
async function assertRefused(bytes: Uint8Array, text?: string): Promise<void> {
  const errors = [
    assertThrows(() => ipcToRaw(bytes), BTrDBError, text),
    await assertRejects(() => ipcToRawInSlices(bytes, BOUNDS), BTrDBError, text),
  ];
  assertEquals(errors.map(({ code }) => code), [438, 438]);
}

/** A stream of `time`, `value` and so many columns more. */
function tableOf(more: number, rows: number): Uint8Array {
  const names = ["value", ...Array.from({ length: more }, (_, i) => `c${i}`)];
  const values = new Float64Array(rows).fill(1);
  return multiToIpc(new BigInt64Array(rows), names.map((name) => ({ name, values })));
}

/** The schema of a stream, and its only batch. */
function messagesOf(stream: Uint8Array): [Uint8Array, Uint8Array] {
  const head = 8 + new DataView(stream.buffer, stream.byteOffset).getInt32(4, true);
  return [stream.slice(0, head), stream.slice(head, -8)];
}

/** The turns of the event loop while something runs. */
async function turnsDuring<T>(work: Promise<T>): Promise<{ turns: number; result: T }> {
  let turns = 0;
  let timer = setImmediate(function turn() {
    turns++;
    timer = setImmediate(turn);
  });
  try {
    return { result: await work, turns };
  } finally {
    clearImmediate(timer);
  }
}

Deno.test("ipcToRaw: a file whose footer names a batch again is refused", async () => {
  const columns = points(777);
  assertEquals(ipcToRaw(fileOfOneBatch(columns, 1)), columns);
  assertEquals(await ipcToRawInSlices(fileOfOneBatch(columns, 1), BOUNDS), columns);
  await assertRefused(fileOfOneBatch(columns, 2));
  await assertRefused(fileOfOneBatch(columns, 500_000));
});

Deno.test("ipcToRaw: buffers outside of their batch are refused", async () => {
  const { schema, batch } = pointsMessages(points(777));
  const other = pointsMessages({ times: new BigInt64Array(777), values: new Float64Array(777) });
  assertEquals(ipcToRaw(streamOf(schema, batch)), points(777));
  // Offset of the values, at which they end, and lengths; before them is another's message.
  for (const [from, to] of [[6216n, -64n], [6216n, 12_432n], [6216n, -1n], [6216n, 2n ** 60n]]) {
    for (const nth of [1, 2, 3]) {
      const changed = withNumber(batch, from!, to!, nth);
      if (to === 12_432n && nth === 1) continue;
      await assertRefused(streamOf(schema, other.batch, changed));
    }
  }
});

Deno.test("ipcToRaw: columns that are not as long as each other, or as their batch", async () => {
  const { schema, batch } = pointsMessages(points(777));
  for (const nth of [1, 2]) {
    const name = nth === 1 ? '"time"' : '"value"';
    for (const rows of [5n, -5n]) {
      const changed = withNumber(batch, 777n, rows, nth);
      const text = `column ${name} has ${rows} rows in a batch of 777`;
      await assertRefused(streamOf(schema, changed), text);
    }
  }
  await assertRefused(streamOf(schema, withNumber(batch, 777n, -5n)));
  const shorter = withNumber(withNumber(batch, 777n, 5n, 2), 777n, 5n, 1);
  await assertRefused(streamOf(schema, shorter), 'column "time" has 5 rows in a batch of 777');
});

Deno.test("ipcToRawInSlices: too many points are refused before they are decoded", async () => {
  const { schema, batch } = pointsMessages(points(1));
  const stream = streamOf(schema, ...Array.from({ length: 500 }, () => batch));
  const seen: number[] = [];
  const checkPoints = (n: number) => {
    seen.push(n);
    if (n > 499) throw new BTrDBError("too many", { code: 411 });
  };
  const refused = ipcToRawInSlices(stream, { ...BOUNDS, checkPoints });
  assertEquals((await assertRejects(() => refused, BTrDBError)).code, 411);
  assertEquals(seen, [500]);
  assertEquals((await ipcToRawInSlices(stream, BOUNDS)).times.length, 500);
});

Deno.test("ipcToRawInSlices: very many batches and columns are refused", async () => {
  const { schema, batch } = pointsMessages(points(1));
  const stream = streamOf(schema, ...Array.from({ length: 75_000 }, () => batch));
  const before = usedCpuMs();
  await assertRejects(() => ipcToRawInSlices(stream, BOUNDS), BTrDBError, "more than 4096 batches");
  assertLess(usedCpuMs() - before, 3_000);
  const most = streamOf(schema, ...Array.from({ length: 4096 }, () => batch));
  assertEquals((await ipcToRawInSlices(most, BOUNDS)).values, new Float64Array(4096));
});

// The metadata of a message are checked in one step, and were of any length: a batch of 16 MiB that
// named 900,000 empty buffers kept a server from answering anybody else for 240 to 310 ms.
Deno.test("ipcToRawInSlices: metadata of a message that are very long are refused", async () => {
  const { schema, batch } = pointsMessages(points(100));
  const named = streamOf(schema, withBuffers(batch, 1_000));
  assertEquals(await ipcToRawInSlices(named, BOUNDS), points(100));
  const long = streamOf(schema, withBuffers(batch, 40_000));
  assertEquals(ipcToRaw(long), points(100));
  const { code } = await assertRejects(
    () => ipcToRawInSlices(long, BOUNDS),
    BTrDBError,
    "the metadata of a message have 640",
  );
  assertEquals(code, 438);
});

// Of 1,000 columns, two of which are looked at, the library made objects in one step of 8 to 24 ms.
Deno.test("ipcToRawInSlices: very many columns are refused before they are decoded", async () => {
  const most = tableOf(62, 2);
  assertEquals((await ipcToRawInSlices(most, BOUNDS)).values, Float64Array.of(1, 1));
  const refused = async (columns: number, text: string, bytes = tableOf(columns, 2)) => {
    const { code } = await assertRejects(() => ipcToRawInSlices(bytes, BOUNDS), BTrDBError, text);
    assertEquals(code, 438);
  };
  await refused(63, "it has 65 columns, expected at most 64");
  await refused(998, "it has 1000 columns, expected at most 64");
  const names = Array.from({ length: 70 }, (_, i) => [`c${i}`, float64()] as const);
  const nested = struct(Object.fromEntries(names));
  const below = tableFromArrays({ time: [{}] }, { types: { time: nested } });
  const text = "it has 65 columns or more, with those below others, expected at most 64";
  await refused(1, text, tableToIPC(below, { format: "stream" })!);
  // Each batch makes objects of all columns.
  const [schema, batch] = messagesOf(tableOf(62, 1));
  const many = streamOf(schema!, ...Array.from({ length: 505 }, () => batch!));
  await refused(62, "its batches have more than 32768 columns in all", many);
});

// A schema of 0.3 MiB whose thousand texts were one and the same kept a server busy for 0.2 s and took
// 400 MB, a template of 0.9 MiB 0.5 s and a GiB.
Deno.test("ipcToRaw, rawToIpc: texts that are named again and again are refused", async () => {
  const [schema] = messagesOf(tableOf(60, 1));
  const text = "metadata of 10";
  await assertRefused(streamOf(withSharedName(schema!, 100_000)), text);
  const [own] = messagesOf(tableOf(0, 1));
  const template = withSharedName(own!, 100_000);
  assertThrows(() => rawToIpc(points(1), { template }), BTrDBError, text);
  const short = withSharedName(own!, 1_000);
  assertLess(2_000, rawToIpc(points(1), { template: short }).length);
});

// Metadata of 256 batches were checked in one step, however long: 58 MiB of them took 0.13 to 0.8 s, and
// zeros behind batches 0.13 s.
Deno.test("ipcToRawInSlices: metadata are checked a message a step", async () => {
  const { schema, batch } = pointsMessages(points(1));
  const long = withBuffers(batch, 1_000);
  const stream = streamOf(schema, ...Array.from({ length: 200 }, () => long));
  using clock = standingClock();
  assertEquals((await ipcToRawInSlices(stream, BOUNDS)).times.length, 200);
  // Another step for each column of each.
  assert(clock.looks >= 3 * 200, `${clock.looks} steps`);
});

Deno.test("rawToIpc: of a template for far more columns only the beginning is read", () => {
  const columns = Array.from({ length: 2_000 }, (_, i) => ({ name: `c${i}`, values: VALUE }));
  const template = multiToIpc(BigInt64Array.of(0n), columns);
  const { code } = assertThrows(
    () => rawToIpc(points(1), { template }),
    BTrDBError,
    "it has more than 1056 fields",
  );
  assertEquals(code, 438);
  const few = multiToIpc(BigInt64Array.of(0n), columns.slice(0, 3));
  assertThrows(
    () => rawToIpc(points(1), { template: few }),
    BTrDBError,
    "the template has 4 columns, expected 2",
  );
});

Deno.test("ipcToRawInSlices: compressed buffers are unpacked in steps, the same as at once", async () => {
  const columns = points(1_500_000);
  const zstd = compressed(columns, CompressionType.ZSTD);
  const { result, turns } = await turnsDuring(ipcToRawInSlices(zstd, BOUNDS));
  assertEquals(result, columns);
  assert(turns > 1, `${turns} turns`);
  const small = { ...BOUNDS, maxUnpackedBytes: 20_000_000 };
  const refused = () => ipcToRawInSlices(zstd, small);
  const error = await assertRejects(refused, BTrDBError, "more than 20000000 bytes unpacked");
  assertEquals(error.code, 438);
});

Deno.test("ipcToRawInSlices: an abort while buffers are unpacked ends it with its reason", async () => {
  const zstd = compressed(points(1_500_000), CompressionType.ZSTD);
  const abort = new AbortController();
  const reading = ipcToRawInSlices(zstd, BOUNDS, { signal: abort.signal });
  setImmediate(() => abort.abort(new Error("enough")));
  await assertRejects(() => reading, Error, "enough");
});

Deno.test("ipcToRawInSlices: buffers that unpack to less or more than they say are refused", async () => {
  const zstd = compressed(points(100_000), CompressionType.ZSTD);
  for (const length of [799_999n, 800_008n, 100n, 0n, -5n, 2n ** 40n]) {
    await assertRefused(withNumber(zstd, 800_000n, length));
  }
});

Deno.test("decompressLz4InSteps: 256 KiB a step, in one block of any size too", () => {
  // One literal, and 64 MiB that repeat it; a block that is all literals; blocks of one byte.
  const length = 64 << 20;
  const repeated = frame(concatBytes([
    Uint8Array.of(0x1f, 7, 1, 0),
    lengthBytes(length - 1 - 4 - 15 - 5),
    Uint8Array.of(0x50, 7, 7, 7, 7, 7),
  ]));
  const all = stepsOf(repeated, length);
  assert(all.value.every((byte) => byte === 7));
  assert(all.count >= 256, `${all.count} steps`);

  const literals = new Uint8Array(3 << 20).fill(9);
  const block = concatBytes([Uint8Array.of(0xf0), lengthBytes(literals.length - 15), literals]);
  const copied = stepsOf(frame(block), literals.length);
  assertEquals(copied.value, literals);
  assert(copied.count >= 12, `${copied.count} steps`);

  const tiny = stepsOf(
    frame(...Array.from({ length: 20_000 }, () => Uint8Array.of(0x10, 5))),
    20_000,
  );
  assert(tiny.value.every((byte) => byte === 5));
  assert(tiny.count >= 4, `${tiny.count} steps`);

  const endless = frame(concatBytes([Uint8Array.of(0xf0), new Uint8Array(8 << 20).fill(255)]));
  assertThrows(() => stepsOf(endless, 1000), RangeError, "not whole");
});

/** A frame without a checksum; each block compressed. */
function frame(...blocks: Uint8Array[]): Uint8Array {
  const parts: Uint8Array[] = [Uint8Array.of(0x04, 0x22, 0x4d, 0x18, 0x60, 0x70, 0)];
  for (const block of blocks) {
    parts.push(new Uint8Array(Uint32Array.of(block.length).buffer), block);
  }
  return concatBytes([...parts, new Uint8Array(4)]);
}

/** A length beyond the 15 of a token. */
function lengthBytes(length: number): Uint8Array {
  const bytes = new Uint8Array(Math.floor(length / 255) + 1).fill(255);
  bytes[bytes.length - 1] = length % 255;
  return bytes;
}

function stepsOf(bytes: Uint8Array, length: number): { value: Uint8Array; count: number } {
  const steps = decompressLz4InSteps(bytes, length);
  for (let count = 1;; count++) {
    const step = steps.next();
    if (step.done) return { value: step.value, count };
  }
}

// The error of a message of 10,000 columns without a time had all of their names, and each of them whole:
// megabytes that went to whoever had sent it, and to the log.
Deno.test("ipcToRaw: errors have the first names of columns, and the beginning of long ones", () => {
  const names = Array.from({ length: 10_000 }, (_, i) => `${i}-${"n".repeat(1_000)}`);
  const many = tableToIPC(tableFromArrays(Object.fromEntries(names.map((name) => [name, VALUE]))), {
    format: "stream",
  })!;
  const error = assertThrows(
    () => ipcToRaw(many),
    BTrDBError,
    'there is no column "time", only "0-nnn',
  );
  assert(error.message.endsWith('n…" and 9992 more'), error.message.slice(-50));
  assertLess(error.message.length, 1_000);
  const none = tableFromArrays({});
  assertThrows(() => tableToRaw(none), BTrDBError, 'there is no column "time", only none');
});
