/**
 * Parquet files whose maker chose every number in them: a right value or an error, soon and in little
 * memory.
 */

import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { crc32, zstdCompressSync } from "node:zlib";
import { parquetWriteBuffer } from "hyparquet-writer";
import { openParquet } from "../../../src/io/parquet.ts";
import { openParquetFile } from "../../../src/io/parquet_file.ts";
import { checkThrift } from "../../../src/io/thrift_check.ts";
import { usedCpuMs } from "../../support/cpu_ms.ts";
import {
  encodeThrift,
  type MadeColumn,
  makeParquet,
  plainPage,
  varint,
  withFooter,
} from "../../support/made_parquet.ts";

function bytesOf(values: ArrayBufferView): Uint8Array {
  return new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
}

const TIMES: MadeColumn = {
  name: "time",
  type: 2,
  pages: [plainPage(3, bytesOf(BigInt64Array.of(1n, 2n, 3n)))],
};

const VALUES: MadeColumn = {
  name: "v",
  type: 5,
  pages: [plainPage(3, bytesOf(Float64Array.of(0.5, 1.5, 2.5)))],
};

async function points(bytes: Uint8Array): Promise<Record<string, [bigint, number][]>> {
  await using file = await openParquet(bytes);
  const found: Record<string, [bigint, number][]> = {};
  for await (const { columns } of file.batches()) {
    for (const { label, times, values } of columns) {
      found[label] ??= [];
      times.forEach((time, i) => found[label]!.push([time, values[i]!]));
    }
  }
  return found;
}

async function assertDamaged(bytes: Uint8Array, text: string): Promise<void> {
  const began = usedCpuMs();
  await assertRejects(() => points(bytes), RangeError, text);
  assert(usedCpuMs() - began < 10_000, text);
}

Deno.test("openParquet: files made byte by byte are read, so that the hostile ones are nearly right", async () => {
  assertEquals(await points(makeParquet(3, [TIMES, VALUES])), {
    v: [[1n, 0.5], [2n, 1.5], [3n, 2.5]],
  });
});

// The error was "Cannot read properties of undefined (reading 'map')".
Deno.test("openParquet: metadata without a schema, row groups or columns are damaged", async () => {
  const parts = [new TextEncoder().encode("PAR1")];
  const root = { struct: { 4: { bytes: "schema" }, 5: { i32: 0 } } };
  const rows = { 1: { i32: 1 }, 3: { i64: 0n } };
  for (const more of [{}, { 2: { list: [root] } }, { 2: { list: [root] }, 4: { list: [] } }]) {
    const file = withFooter(parts, encodeThrift({ ...rows, ...more }));
    await assertRejects(() => points(file), RangeError, "the file is damaged");
  }
});

// Checksums that most writers put beside their pages were not looked at: a flipped bit of a disk or a
// download was imported as another number.
Deno.test("openParquet: a page with another checksum than it says is damaged", async () => {
  const plain = bytesOf(Float64Array.of(0.5, 1.5, 2.5));
  const packed = zstdCompressSync(plain);
  const flipped = plain.slice();
  flipped[22]! ^= 1;
  const fileOf = (bytes: Uint8Array, sum: number, codec: number) => {
    const page = { ...plainPage(3, bytes), unpacked: plain.length, more: { 4: { i32: sum | 0 } } };
    return makeParquet(3, [TIMES, { ...VALUES, codec, pages: [page] }]);
  };
  for (const [bytes, codec] of [[plain, 0], [packed, 6]] as const) {
    const { v } = await points(fileOf(bytes, crc32(bytes), codec));
    assertEquals(v, [[1n, 0.5], [2n, 1.5], [3n, 2.5]]);
    await assertDamaged(fileOf(bytes, crc32(flipped), codec), "has another checksum than it says");
  }
  await assertDamaged(fileOf(flipped, crc32(plain), 0), "has another checksum than it says");
});

Deno.test("openParquet: a column whose name stands inside a list or a struct before it keeps its values", async () => {
  // Doubles were once read as the bytes of int32 of a field below: 1.5 came as 1071644672.
  const bytes = new Uint8Array(parquetWriteBuffer({
    schema: [
      { name: "root", num_children: 4 },
      { name: "l", num_children: 1, repetition_type: "OPTIONAL", converted_type: "LIST" },
      { name: "list", num_children: 1, repetition_type: "REPEATED" },
      { name: "element", type: "INT32", repetition_type: "OPTIONAL" },
      { name: "s", num_children: 1, repetition_type: "OPTIONAL" },
      { name: "time", type: "BYTE_ARRAY", converted_type: "UTF8", repetition_type: "OPTIONAL" },
      { name: "element", type: "DOUBLE", repetition_type: "OPTIONAL" },
      { name: "time", type: "INT64", repetition_type: "REQUIRED" },
    ],
    columnData: [
      { name: "l", data: [[7, 8], [], [9], null] },
      { name: "s", data: [{ time: "a" }, null, { time: "b" }, { time: "c" }] },
      { name: "element", data: [0.5, null, 1.5, 2.5] },
      { name: "time", data: [1n, 2n, 3n, 4n] },
      // deno-lint-ignore no-explicit-any
    ] as any,
  }));
  await using file = await openParquetFile(bytes);
  assertEquals(file.fields.map(({ name, kind }) => [name, kind]), [
    ["l", "other"],
    ["s", "other"],
    ["element", "number"],
    ["time", "number"],
  ]);
  assertEquals(await points(bytes), { element: [[1n, 0.5], [3n, 1.5], [4n, 2.5]] });
});

Deno.test("openParquet: two columns of one name are refused", async () => {
  await assertDamaged(makeParquet(3, [TIMES, VALUES, VALUES]), 'columns are called "v"');
});

Deno.test("openParquet: a page that unpacks to less than it says has no zeros at its end", async () => {
  const short = zstdCompressSync(bytesOf(Float64Array.of(0.5, 1.5)));
  const pages = [{ ...plainPage(3, short), unpacked: 24 }];
  const text = "unpacks to 16 bytes of 24";
  await assertDamaged(makeParquet(3, [TIMES, { ...VALUES, codec: 6, pages }]), text);
});

// The rest of such a page was zeros, or with Snappy what an earlier page had there, also of another file.
Deno.test("openParquet: a page of Snappy or LZ4 that unpacks to less than it says is damaged", async () => {
  const doubles = (n: number): number[] => [...bytesOf(new Float64Array(n).fill(1.5))];
  /** Codec, and a page of `n` doubles in it that are not compressed. */
  const codecs: [number, (n: number) => number[]][] = [
    [1, (n) => [8 * n, 8 * n - 1 << 2, ...doubles(n)]],
    [7, (n) => [0xf0, 8 * n - 15, ...doubles(n)]],
    [5, (n) => [0xf0, 8 * n - 15, ...doubles(n)]],
    [5, (n) => [0, 0, 0, 8 * n, 0, 0, 0, 8 * n + 2, 0xf0, 8 * n - 15, ...doubles(n)]],
  ];
  for (const [codec, pack] of codecs) {
    const file = (n: number) => {
      const pages = [{ ...plainPage(3, Uint8Array.from(pack(n))), unpacked: 24 }];
      return makeParquet(3, [TIMES, { ...VALUES, codec, pages }]);
    };
    assertEquals(await points(file(3)), { v: [[1n, 1.5], [2n, 1.5], [3n, 1.5]] });
    await assertDamaged(file(2), "the file is damaged");
  }
});

Deno.test("openParquet: a page with two heads is the one of its kind", async () => {
  const other = { 1: { i32: 1_000_000 }, 2: { i32: 0 }, 3: { i32: 3 }, 4: { i32: 3 } };
  const head = {
    1: { i32: 3 },
    2: { i32: 0 },
    3: { i32: 3 },
    4: { i32: 0 },
    5: { i32: 0 },
    6: { i32: 0 },
    7: { raw: [], type: 2 },
  };
  const page = { ...plainPage(3, bytesOf(Float64Array.of(0.5, 1.5, 2.5))), kind: 3, head };
  const both = { ...page, more: { 5: { struct: other } } };
  assertEquals(await points(makeParquet(3, [TIMES, { ...VALUES, pages: [both] }])), {
    v: [[1n, 0.5], [2n, 1.5], [3n, 2.5]],
  });
  const none = { ...page, kind: 0, head: {}, more: { 5: { i32: 1 } } };
  await assertRejects(() => points(makeParquet(3, [TIMES, { ...VALUES, pages: [none] }])), Error);
});

Deno.test("openParquet: columns on the same bytes are refused", async () => {
  const copy = { ...VALUES, name: "w", meta: { 9: { i64: 60n } } };
  await assertDamaged(makeParquet(3, [TIMES, VALUES, copy]), "have the same bytes");
});

Deno.test("openParquet: a dictionary that is said to lie behind the data is not looked for", async () => {
  // Checks once looked at the pages from the data on, and the reader at those from there on.
  const meta = { 11: { i64: 100n } };
  assertEquals(await points(makeParquet(3, [TIMES, { ...VALUES, meta }])), {
    v: [[1n, 0.5], [2n, 1.5], [3n, 2.5]],
  });
});

Deno.test("openParquet: encrypted files and columns are named", async () => {
  const bytes = makeParquet(3, [TIMES, VALUES]);
  bytes.set(new TextEncoder().encode("PARE"), bytes.length - 4);
  await assertDamaged(bytes, "the file is encrypted");
});

Deno.test("openParquet: metadata that claim billions of parts in a few bytes are refused at once", async () => {
  // Each of these lists once took 2 GiB before the next one began.
  const huge = [0xf9, 0xff, 0xff, 0xff, 0x7f];
  const lists = Array.from({ length: 20 }, () => huge).flat();
  const start = new TextEncoder().encode("PAR1");
  await assertDamaged(
    withFooter([start], encodeThrift({ 2: { raw: lists, type: 9 } })),
    "less than they claim",
  );
  const deep = withFooter([start], encodeThrift({ 2: { raw: Array(5000).fill(0x1c), type: 12 } }));
  await assertDamaged(deep, "more than 32 levels");
  const nested = withFooter([start], encodeThrift({ 2: { raw: Array(5000).fill(0x19), type: 9 } }));
  await assertDamaged(nested, "more than 32 levels");
  // A number of megabytes once kept the processor for minutes.
  const endless = Array(100_000).fill(0xff);
  await assertDamaged(
    withFooter([start], encodeThrift({ 3: { raw: endless, type: 6 } })),
    "more than 64 bits",
  );
  const page = { ...plainPage(3, bytesOf(Float64Array.of(0.5, 1.5, 2.5))) };
  const more = { 9: { raw: lists, type: 9 } };
  await assertDamaged(
    makeParquet(3, [TIMES, { ...VALUES, pages: [{ ...page, more }] }]),
    "less than they claim",
  );
});

Deno.test("checkThrift: a list has no more elements than bytes, and a message no more parts than are read", () => {
  const parts = (n: number): Uint8Array =>
    Uint8Array.from([0x19, 0xfc, ...varint(BigInt(n)), ...new Uint8Array(n), 0]);
  checkThrift(parts(1000), 0);
  assertThrows(
    () => checkThrift(parts(1000).subarray(0, 900), 0),
    RangeError,
    "less than they claim",
  );
  assertThrows(() => checkThrift(Uint8Array.of(0x1b, 0), 0), RangeError, "a field of the type 11");
  const many = new Uint8Array(2 ** 22 + 20);
  many.set([0x19, 0xfc, ...varint(2n ** 22n + 1n)]);
  assertThrows(() => checkThrift(many, 0), RangeError, "more than 4194304 parts");
});

Deno.test("openParquet: a schema that is no tree, or a deep one, is refused", async () => {
  const element = (name: string, more: Record<number, { i32: number }>) => ({
    struct: { ...more, 4: { bytes: name } },
  });
  for (
    const [children, text] of [
      [[3], "its schema is no tree"],
      [[1], "its schema is no tree"],
      [[-1], "its schema is no tree"],
      [Array(200).fill(1), "more than 100 levels"],
    ] as const
  ) {
    const groups = children.map((n, i) => ({
      struct: { 4: { bytes: `g${i}` }, 5: { i32: n } },
    }));
    const leaves = [element("time", { 1: { i32: 2 } }), element("v", { 1: { i32: 5 } })];
    const schema = { list: [...groups, ...leaves] };
    await assertDamaged(makeParquet(3, [TIMES, VALUES], { 2: schema }), text);
  }
});

/** Numbers of which each is as much more than the one before. */
function constantDifferences(n: number, first: number, more: number): number[] {
  const blocks = Math.ceil((n - 1) / 128);
  const zigzag = (value: number) => varint(BigInt(value < 0 ? -2 * value - 1 : 2 * value));
  return [
    ...varint(128n),
    ...varint(4n),
    ...varint(BigInt(n)),
    ...zigzag(first),
    ...Array.from({ length: blocks }, () => [...zigzag(more), 0, 0, 0, 0]).flat(),
  ];
}

/** A column of texts each of which is the one before and an `x`. */
function growingTexts(n: number): Uint8Array {
  const bytes = Uint8Array.from([
    ...constantDifferences(n, 0, 1),
    ...constantDifferences(n, 1, 0),
    ...Array(n).fill(120),
  ]);
  const pages = [plainPage(n, bytes, 7)];
  return makeParquet(n, [{ name: "s", type: 6, element: { 6: { i32: 0 } }, pages }]);
}

Deno.test("openParquet: texts that begin as those before them are measured before they are made", async () => {
  // 640 bytes once took 5.8 GiB: each text had the megabyte of the one before.
  await using few = await openParquetFile(growingTexts(200));
  const [batch] = await Array.fromAsync(few.read(["s"]));
  assertEquals(batch!.columns[0], Array.from({ length: 200 }, (_, i) => "x".repeat(i + 1)));
  await using many = await openParquetFile(growingTexts(20_000));
  const text = "a page whose texts have more than 67108864 bytes";
  await assertRejects(() => Array.fromAsync(many.read(["s"])), RangeError, text);
});

Deno.test("openParquet: long texts are read up to what a time may have", async () => {
  const long = new TextEncoder().encode("x".repeat(100_000));
  const bytes = new Uint8Array(4 + long.length);
  new DataView(bytes.buffer).setUint32(0, long.length, true);
  bytes.set(long, 4);
  const dictionary = {
    kind: 2,
    head: { 1: { i32: 1 }, 2: { i32: 0 } },
    bytes,
  };
  const indices = plainPage(50_000, Uint8Array.of(1, ...varint(100_000n), 0), 8);
  const column: MadeColumn = {
    name: "s",
    type: 6,
    element: { 6: { i32: 0 } },
    pages: [dictionary, indices],
  };
  await using file = await openParquetFile(makeParquet(50_000, [column]));
  let rows = 0;
  for await (const { columns } of file.read(["s"])) {
    for (const text of columns[0]!) assertEquals((text as string).length, 257);
    rows += columns[0]!.length;
  }
  assertEquals(rows, 50_000);
});

Deno.test("openParquet: times of 96 bits on any day are right, or an error that names the row", async () => {
  const stamp = (days: number, ns: bigint): Uint8Array => {
    const bytes = new Uint8Array(12);
    const view = new DataView(bytes.buffer);
    view.setBigInt64(0, ns, true);
    view.setInt32(8, days, true);
    return bytes;
  };
  const file = (...stamps: Uint8Array[]) => {
    const bytes = Uint8Array.from(stamps.flatMap((one) => [...one]));
    const time: MadeColumn = { name: "time", type: 3, pages: [plainPage(3, bytes)] };
    return makeParquet(3, [time, VALUES]);
  };
  const day = 86_400_000_000_000n;
  const right = file(stamp(2_440_588, 0n), stamp(2_440_587, day - 1n), stamp(2_460_000, 5n));
  assertEquals((await points(right)).v!.map(([time]) => time), [0n, -1n, 19_412n * day + 5n]);
  // The first of January of the year 1, as Spark writes it.
  const early = file(stamp(2_440_588, 0n), stamp(1_721_426, 0n), stamp(2_440_588, 2n));
  await assertDamaged(early, "row 1 is at -62135596800000000000 ns");
});

// A page of the first version does not say how many values it has beside nulls: files of other writers
// were called damaged where the lengths of their values are differences.
Deno.test("openParquet: differences of lengths are those of the values beside nulls", async () => {
  const levels = [2, 0, 0, 0, 3, 0b101];
  /** Two numbers of which both are 2, as differences: a first one, and a block of which nothing is larger. */
  const twos = [...varint(128n), 4, 2, 4, 0, 0, 0, 0, 0];
  const zeros = [...varint(128n), 4, 2, 0, 0, 0, 0, 0, 0];
  const digits = [0, 100, 1, 44];
  const bytes = {
    DELTA_LENGTH_BYTE_ARRAY: [6, [...levels, ...twos, ...digits]],
    DELTA_BYTE_ARRAY: [7, [...levels, ...zeros, ...twos, ...digits]],
  } as const;
  for (const [encoding, page] of Object.values(bytes)) {
    const column: MadeColumn = {
      name: "v",
      type: 6,
      element: { 3: { i32: 1 }, 6: { i32: 5 }, 7: { i32: 2 }, 8: { i32: 9 } },
      pages: [plainPage(3, Uint8Array.from(page), encoding)],
    };
    assertEquals(await points(makeParquet(3, [TIMES, column])), { v: [[1n, 1], [3n, 3]] });
  }
});

Deno.test("openParquet: long pages of many columns are decompressed a few times each, not for each batch", async () => {
  // Pages that were too long to be kept were read again every 65,536 rows: 200 kB took minutes.
  const rows = 2 ** 21;
  const zeros = new Uint8Array(8 * rows);
  const page = { ...plainPage(rows, zstdCompressSync(zeros)), unpacked: zeros.length };
  const names = ["time", ...Array.from({ length: 8 }, (_, i) => `v${i}`)];
  const columns = names.map((name, i) => ({
    name,
    type: i === 0 ? 2 : 5,
    codec: 6,
    pages: [page],
  }));
  const bytes = makeParquet(rows, columns);
  let pages = 0;
  const source = {
    byteLength: bytes.length,
    slice(start: number, end = bytes.length): ArrayBuffer {
      if (end - start === page.bytes.length) pages++;
      return bytes.slice(start, end).buffer;
    },
  };
  await using file = await openParquet(source);
  let read = 0;
  for await (const batch of file.batches()) read += batch.rows;
  assertEquals(read, rows);
  assert(pages <= 10 * names.length, `${pages} pages read of ${names.length}`);
});

// A server that does not know ranges, or a cache in front of it, answers with the whole file: where it did
// so for the pages alone, the first bytes of the file were read as numbers.
Deno.test("openParquet: a source that gives other slices than it is asked for is an error", async () => {
  const bytes = makeParquet(3, [TIMES, VALUES]);
  const whole = bytes.slice().buffer;
  const page = 3 * 8;
  const lies: ((start: number, end: number) => ArrayBuffer)[] = [
    (start, end) => end - start === page ? whole : whole.slice(start, end),
    (start, end) => end - start === page ? whole.slice(start, end + 1) : whole.slice(start, end),
    (start, end) => whole.slice(start, end - 1),
    () => new ArrayBuffer(0),
  ];
  for (const slice of lies) {
    const source = {
      byteLength: bytes.length,
      slice: (start: number, end = bytes.length) => slice(start, end),
    };
    await assertRejects(
      async () => {
        await using file = await openParquet(source);
        await Array.fromAsync(file.batches());
      },
      RangeError,
      "Cannot read Parquet: the source gave ",
    );
  }
});
