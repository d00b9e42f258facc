import { assert, assertEquals, assertLess, assertRejects, assertThrows } from "@std/assert";
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
import { decode } from "../../../src/arrow/decode_ipc.ts";
import { ipcToRaw } from "../../../src/arrow/read_ipc.ts";
import { ipcToRawInSlices } from "../../../src/arrow/read_ipc_in_slices.ts";
import { rawToIpc } from "../../../src/arrow/write_ipc.ts";
import { rawToTable, tableToRaw } from "../../../src/arrow/table.ts";
import { BTrDBError } from "../../../src/core/errors.ts";
import { allocatedBytes, allocatedBytesOf } from "../../support/allocated_bytes.ts";
import { usedCpuMs } from "../../support/cpu_ms.ts";

/** Points beside some more columns, all zero and compressed. */
function bomb(rows: number, columns: number): Uint8Array {
  const others = Array.from({ length: columns }, (_, i) => [`c${i}`, new Float64Array(rows)]);
  const table = tableFromArrays({
    time: new BigInt64Array(rows),
    value: new Float64Array(rows),
    ...Object.fromEntries(others),
  });
  return tableToIPC(table, { format: "stream", codec: CompressionType.ZSTD })!;
}

Deno.test("ipcToRaw: all buffers together are bounded before they are unpacked", () => {
  const bytes = bomb(1_000_000, 4);
  assertEquals(ipcToRaw(bytes).times.length, 1_000_000);
  const error = assertThrows(() => ipcToRaw(bytes, 40_000_000), BTrDBError);
  assertEquals(error.code, 438);
  assertEquals(
    error.message,
    "Cannot read Arrow data: its buffers have more than 40000000 bytes unpacked",
  );
  assertEquals(ipcToRaw(bomb(1_000, 4), 48_000).times.length, 1_000);
});

// Of two columns of times the first was taken, in silence: points at times of which nobody could say
// whether they were meant.
Deno.test("ipcToRaw: a column that is there twice is refused", () => {
  const columns = {
    time: BigInt64Array.of(1n),
    timf: BigInt64Array.of(2n),
    value: Float64Array.of(3),
  };
  const bytes = tableToIPC(tableFromArrays(columns), { format: "stream" })!;
  assertEquals(ipcToRaw(bytes).times, columns.time);
  const at = new TextDecoder("latin1").decode(bytes).indexOf("timf");
  bytes[at + 3] = "e".charCodeAt(0);
  const error = assertThrows(() => ipcToRaw(bytes), BTrDBError, 'there are 2 columns "time"');
  assertEquals(error.code, 438);
});

Deno.test("rawToIpc: of a template only the schema is read", () => {
  const points = { times: BigInt64Array.of(1n, 2n), values: Float64Array.of(3, 4) };
  const template = bomb(100_000, 0);
  // The first message is the schema; what follows is cut off, damaged, or a bomb.
  const schemaEnd = 8 + new DataView(template.buffer, template.byteOffset).getInt32(4, true);
  const damaged = template.slice();
  damaged.fill(0xff, schemaEnd);
  for (const bytes of [template, template.slice(0, schemaEnd), damaged]) {
    assertEquals(ipcToRaw(rawToIpc(points, { template: bytes })), points);
  }
  for (
    const bytes of [template.slice(0, schemaEnd - 1), template.slice(0, 6), damaged.fill(0xff)]
  ) {
    assertEquals(assertThrows(() => rawToIpc(points, { template: bytes }), BTrDBError).code, 438);
  }
});

Deno.test("ipcToRaw: lengths of a thousand million in the metadata are refused before a decoder believes them", () => {
  // A stream of 2 kB whose schema claimed 2^30 pairs of metadata took a minute to be refused.
  const whole = rawToIpc({ times: BigInt64Array.of(1n, 2n), values: Float64Array.of(3, 4) });
  const before = usedCpuMs();
  let refused = 0;
  for (let at = 0; at + 4 <= whole.length; at += 4) {
    const bytes = whole.slice();
    new DataView(bytes.buffer).setUint32(at, 0x3fff_fff0, true);
    try {
      assertEquals(ipcToRaw(bytes).times.length <= 2, true);
    } catch (error) {
      assert(error instanceof BTrDBError && error.code === 438, `${at}: ${error}`);
      refused++;
    }
  }
  assert(refused > 20, String(refused));
  assertLess(usedCpuMs() - before, 20_000);
});

Deno.test("ipcToRaw: a file whose messages only its footer tells, without a mark of their end", () => {
  // Files of pyarrow and pandas were refused, because what stands behind the last batch was read as one.
  const table = tableFromArrays({
    time: BigInt64Array.of(1n, 2n),
    value: Float64Array.of(3, 4),
  });
  const file = tableToIPC(table, { format: "file" })!;
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  const footer = file.length - 10 - view.getUint32(file.length - 10, true);
  const hasMark = view.getBigUint64(footer - 8, true) === 0xffff_ffffn;
  const without = Uint8Array.from([
    ...file.subarray(0, hasMark ? footer - 8 : footer),
    ...file.subarray(footer),
  ]);
  for (const bytes of [file, without]) assertEquals([...ipcToRaw(bytes).values], [3, 4]);
});

Deno.test("rawToIpc: short streams, whose frames are kept, are what the library makes", () => {
  // More lengths than are kept, in two turns, so that each frame is made, used and made again.
  const lengths = [0, 1, 2, 3, 119, 120, 121, 1_023, 1_024, 1_025];
  for (let n = 4; n < 80; n++) lengths.push(n);
  for (const turn of [1, 2]) {
    for (const n of lengths) {
      const times = BigInt64Array.from({ length: n }, (_, i) => BigInt(turn * i) << 40n);
      const values = Float64Array.from({ length: n }, (_, i) => i % 7 === 0 ? NaN : turn / i);
      const table = rawToTable({ times, values }) as unknown as Table;
      const expected = tableToIPC(table, { format: "stream" })!;
      const made = rawToIpc({ times, values });
      assertEquals(made, expected, `${n} points`);
      made.fill(0xff);
      assertEquals(rawToIpc({ times, values }), expected, `${n} points, after the caller's change`);
    }
  }
});

/** A stream, a file or a compressed stream of as many points as every other, all of them different. */
function lookalike(turn: number, names: readonly [string, string], form: "stream" | "file") {
  const points = {
    time: BigInt64Array.from({ length: 20 }, (_, i) => BigInt(turn * i) << 40n),
    value: Float64Array.from({ length: 20 }, (_, i) => turn / (i + 1)),
  };
  const columns = Object.fromEntries(names.map((name) => [name, points[name as "time" | "value"]]));
  return tableToIPC(tableFromArrays(columns), { format: form })!;
}

/** The points of an IPC stream, or the text of the error, whatever was read before it. */
function readAlone(bytes: Uint8Array): unknown {
  try {
    return tableToRaw(decode(bytes));
  } catch (error) {
    return String(error);
  }
}

function readByLayout(bytes: Uint8Array): unknown {
  try {
    return ipcToRaw(bytes);
  } catch (error) {
    return String(error);
  }
}

// Each message of a subscription was read with all that says what it has, which made a third of a
// subscriber's garbage. Now what was read before is known again, and must never pass for another.
Deno.test("ipcToRaw: a stream like one of before is read as by itself", () => {
  for (const turn of [1, 2, 3]) {
    for (const form of ["stream", "file"] as const) {
      for (const names of [["time", "value"], ["value", "time"]] as const) {
        const bytes = lookalike(turn, names, form);
        assertEquals(readByLayout(bytes), readAlone(bytes));
        // Not where a view of 64 bits could begin.
        const shifted = new Uint8Array(bytes.length + 3).subarray(3);
        shifted.set(bytes);
        assertEquals(readByLayout(shifted), readAlone(bytes));
      }
    }
  }
});

Deno.test("ipcToRaw: a stream that differs in any one byte from one of before is read as by itself", () => {
  const good = lookalike(5, ["time", "value"], "stream");
  let refused = 0;
  for (let at = 0; at < good.length; at++) {
    ipcToRaw(good);
    const bytes = good.slice();
    bytes[at]! ^= 1 << (at % 8);
    const expected = readAlone(bytes);
    assertEquals(readByLayout(bytes), expected, `byte ${at}`);
    assertEquals(readByLayout(bytes), expected, `byte ${at}, again`);
    if (typeof expected === "string") refused++;
  }
  assert(refused > 20, String(refused));
});

Deno.test("ipcToRaw: what was read before saves most of the objects", () => {
  const bytes = lookalike(1, ["time", "value"], "stream");
  const known = allocatedBytes(() => {
    for (let i = 0; i < 1_000; i++) ipcToRaw(bytes);
  });
  const alone = allocatedBytes(() => {
    for (let i = 0; i < 1_000; i++) tableToRaw(decode(bytes));
  });
  assert(known < alone / 4, `${known} of ${alone} bytes`);
});

const BOUNDS = { maxUnpackedBytes: 1 << 20, checkPoints: () => {} };

// Since all of a stream is checked before it is decoded, a server took up to twice as long for an insert of
// one point, although the inserts of a client differ in nothing but their points.
Deno.test("ipcToRawInSlices: what was read before saves most of the objects", async () => {
  const bytes = lookalike(1, ["time", "value"], "stream");
  const known = await allocatedBytesOf(async () => {
    for (let i = 0; i < 1_000; i++) await ipcToRawInSlices(bytes, BOUNDS);
  });
  const alone = allocatedBytes(() => {
    for (let i = 0; i < 1_000; i++) tableToRaw(decode(bytes));
  });
  assert(known < alone / 4, `${known} of ${alone} bytes`);
});

Deno.test("ipcToRawInSlices: a stream that differs in any one byte from one of before is read as by itself", async () => {
  const good = lookalike(5, ["time", "value"], "stream");
  for (let at = 0; at < good.length; at++) {
    await ipcToRawInSlices(good, BOUNDS);
    const bytes = good.slice();
    bytes[at]! ^= 1 << (at % 8);
    const expected = readAlone(bytes);
    for (const time of ["once", "again"]) {
      const found = await ipcToRawInSlices(bytes, BOUNDS).catch(String);
      // What is no stream at all is said in other words.
      const isSame = typeof expected === "string" && typeof found === "string";
      if (!isSame) assertEquals(found, expected, `byte ${at}, ${time}`);
    }
  }
});

Deno.test("ipcToRawInSlices: a stream like one of before is within the bounds of its own call", async () => {
  const plain = lookalike(6, ["time", "value"], "stream");
  assertEquals((await ipcToRawInSlices(plain, BOUNDS)).times.length, 20);
  const counts: number[] = [];
  const checkPoints = (points: number) => {
    counts.push(points);
    throw new RangeError("too many");
  };
  const refused = ipcToRawInSlices(plain, { ...BOUNDS, checkPoints });
  await assertRejects(() => refused, RangeError, "too many");
  assertEquals(counts, [20]);
  const packed = bomb(20, 3);
  assertEquals((await ipcToRawInSlices(packed, BOUNDS)).times.length, 20);
  const small = { ...BOUNDS, maxUnpackedBytes: 100 };
  await assertRejects(() => ipcToRawInSlices(packed, small), BTrDBError, "more than 100 bytes");
});

// A column of categories beside the points, as pandas writes it, made the server refuse the insert: its
// dictionary was left out, and "the bytes are no Arrow IPC stream".
for (const codec of [undefined, CompressionType.ZSTD]) {
  Deno.test(`ipcToRawInSlices: a column of categories is passed over, codec ${codec}`, async () => {
    const n = 1_000;
    const columns = {
      times: BigInt64Array.from({ length: n }, (_, i) => BigInt(i)),
      values: Float64Array.from({ length: n }, (_, i) => i / 8),
    };
    const batches = { maxBatchRows: 300 };
    const categories = Array.from({ length: n }, (_, i) => `phase ${i % 3}`);
    const table = tableFromColumns({
      time: columnFromArray([...columns.times], int64(), batches),
      value: columnFromArray([...columns.values], float64(), batches),
      phase: columnFromArray(categories, dictionary(utf8(), int32()), batches),
    });
    const stream = tableToIPC(table, {
      format: "stream",
      ...(codec === undefined ? {} : { codec }),
    })!;
    assertEquals(await ipcToRawInSlices(stream, BOUNDS), columns);
  });
}
