import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import {
  CompressionType,
  setCompressionCodec,
  Table,
  tableFromIPC,
  tableToIPC,
} from "@uwdata/flechette";
import {
  ipcToMulti,
  ipcToRaw,
  ipcToStat,
  multiToIpc,
  rawToIpc,
  rawToTable,
  readArrow,
  statToIpc,
  tableToRaw,
  writeArrow,
} from "../../../src/io/arrow.ts";
import { BTrDBError } from "../../../src/core/errors.ts";
import type { RawColumns, StatColumns } from "../../../src/core/columns.ts";
import { toRaw } from "../../support/columns_arbitrary.ts";
import { bits } from "../../support/kernel_compare.ts";
import { withFolder } from "../../support/run.ts";

const RAW = toRaw([[1_561_953_600_000_000_001n, -0], [-5n, NaN], [(1n << 63n) - 1n, 5e-324]]);
const STAT: StatColumns = {
  times: RAW.times,
  min: Float64Array.of(1, 2, 3),
  mean: Float64Array.of(4, 5, 6),
  max: Float64Array.of(7, 8, Infinity),
  count: BigUint64Array.of(0n, 1n, (1n << 64n) - 1n),
};

/** Every byte that is written, in pieces. */
function collector() {
  const pieces: Uint8Array[] = [];
  const stream = new WritableStream<Uint8Array>({ write: (bytes) => void pieces.push(bytes) });
  const bytes = async () => new Uint8Array(await new Blob(pieces as BlobPart[]).arrayBuffer());
  return { stream, bytes };
}

Deno.test("rawToIpc: raw points keep every bit", () => {
  const again = ipcToRaw(rawToIpc(RAW));
  assertEquals(again.times, RAW.times);
  assertEquals(bits(again.values), bits(RAW.values));
  assertEquals(ipcToRaw(rawToIpc(toRaw([]))), toRaw([]));
  assertEquals(tableToRaw(rawToTable(RAW)).times, RAW.times);
});

Deno.test("rawToIpc: the schema is that of BTrDB's Arrow calls", () => {
  const types = (bytes: Uint8Array) =>
    tableFromIPC(bytes).schema.fields.map(({ name, type, nullable }) => {
      const { typeId, unit, timezone, precision, bitWidth, signed } = type as unknown as Record<
        string,
        unknown
      >;
      return [name, nullable, typeId, unit ?? precision ?? bitWidth, timezone ?? signed];
    });
  const time = ["time", false, 10, 3, "UTC"];
  const double = (name: string) => [name, false, 3, 2, undefined];
  const windows = [time, double("min"), double("mean"), double("max"), [
    "count",
    false,
    2,
    64,
    false,
  ]];
  assertEquals(types(rawToIpc(RAW)), [time, double("value")]);
  assertEquals(types(statToIpc(STAT)), windows);
  assertEquals(types(statToIpc(STAT, { withStddev: true })), [...windows, double("stddev")]);
  assertEquals(types(multiToIpc(RAW.times, [{ name: "u", values: RAW.values }])), [
    time,
    double("u"),
  ]);
});

Deno.test("statToIpc: windows keep every count, with and without stddev", () => {
  assertEquals(ipcToStat(statToIpc(STAT)), STAT);
  const { stddev } = ipcToStat(statToIpc(STAT, { withStddev: true }));
  assertEquals(stddev, Float64Array.of(NaN, NaN, NaN));
  const full = { ...STAT, stddev: Float64Array.of(0, 0.5, 1) };
  assertEquals(ipcToStat(statToIpc(full)), full);
});

Deno.test("ipcToRaw: buffers packed with zstd are read, others are named", () => {
  const many = toRaw(Array.from({ length: 1000 }, (_, i) => [BigInt(i), 1] as const));
  const packed = tableToIPC(rawToTable(many) as never, {
    format: "stream",
    codec: CompressionType.ZSTD,
  })!;
  assert(packed.length < 8000);
  assertEquals(ipcToRaw(packed), many);
  setCompressionCodec(CompressionType.LZ4_FRAME, { encode: (b) => b, decode: (b) => b });
  const lz4 = tableToIPC(rawToTable(many) as never, {
    format: "stream",
    codec: CompressionType.LZ4_FRAME,
  })!;
  setCompressionCodec(CompressionType.LZ4_FRAME, undefined as never);
  assertThrows(() => ipcToRaw(lz4), BTrDBError, "compressed with LZ4_FRAME, expected ZSTD or none");
});

Deno.test("multiToIpc: several streams side by side", () => {
  const streams = [{ name: "a", values: RAW.values }, { name: "b", values: STAT.min }];
  assertEquals(ipcToMulti(multiToIpc(RAW.times, streams)), { times: RAW.times, streams });
});

Deno.test("rawToIpc: a template gives names and types, and never loses digits of times", () => {
  const as = (fields: [string, string][]) => {
    const types: Record<string, Uint8Array> = {};
    types.raw = rawToIpc(toRaw([]));
    const template = tableFromIPC(types.raw);
    fields.forEach(([name, type], i) => {
      const field = template.schema.fields[i]!;
      field.name = name;
      if (type === "int64") field.type = INT64;
      if (type === "float32") field.type = FLOAT32;
      if (type === "us") field.type = { ...field.type, unit: 2 } as typeof field.type;
    });
    return tableToIPC(new Table(template.schema, []), { format: "stream" })!;
  };
  const INT64 = { typeId: 2, bitWidth: 64, signed: true, values: BigInt64Array } as never;
  const FLOAT32 = { typeId: 3, precision: 1, values: Float32Array } as never;
  const small = toRaw([[7n, 0.1]]);
  const template = as([["t", "int64"], ["v", "float32"]]);
  const table = tableFromIPC(rawToIpc(small, { template }), { useBigInt: true });
  assertEquals(table.names, ["t", "v"]);
  assertEquals(table.getChild("t")!.at(0), 7n);
  assertEquals(table.getChild("v")!.at(0), Math.fround(0.1));
  assertEquals(ipcToRaw(rawToIpc(small, { template: new Uint8Array(0) })), small);
  assertThrows(() => rawToIpc(small, { template: as([["t", "us"]]) }), BTrDBError, "loses digits");
  assertThrows(() => statToIpc(STAT, { template }), BTrDBError, "2 columns, expected 5");
  assertThrows(() => rawToIpc(small, { template: Uint8Array.of(1) }), BTrDBError, "no Arrow");
});

Deno.test("ipcToRaw: bytes that are no such stream are refused with 438", () => {
  const good = rawToIpc(RAW);
  const bad: [Uint8Array, string][] = [
    [new Uint8Array(0), "no Arrow IPC stream"],
    [Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8), "no Arrow IPC stream"],
    [good.slice(0, good.length - 24), ""],
    [statToIpc(STAT), 'no column "value", only "time", "min"'],
    [multiToIpc(RAW.times, [{ name: "times", values: RAW.values }]), 'no column "value"'],
  ];
  for (const [bytes, what] of bad) {
    assertEquals(assertThrows(() => ipcToRaw(bytes), BTrDBError, what).code, 438);
  }
  for (let cut = 0; cut < good.length; cut += 7) {
    const broken = good.slice();
    broken[cut] = broken[cut]! ^ 0xff;
    try {
      const { times, values } = ipcToRaw(broken);
      assertEquals(times.length, values.length);
    } catch (error) {
      assert(error instanceof BTrDBError, String(error));
    }
  }
});

Deno.test("writeArrow: a stream of many batches is written and read a batch at a time", async () => {
  async function* batches(shift: bigint): AsyncGenerator<RawColumns> {
    for (let b = 0n; b < 20n; b++) {
      await Promise.resolve();
      yield toRaw(Array.from({ length: 50 }, (_, i) => [b * 100n + BigInt(i) * 2n + shift, i]));
    }
  }
  const out = collector();
  const seen: number[] = [];
  const result = await writeArrow(out.stream, [
    { label: "a", columns: batches(0n) },
    { label: "b", columns: batches(1n) },
  ], { onProgress: ({ rows }) => seen.push(rows) });
  const bytes = await out.bytes();
  assertEquals(result, { rows: 2000, bytes: bytes.length, time: 1999n });
  assert(seen.length > 10 && seen.at(-1) === 2000);
  for (const size of [1, 100, 1 << 20]) {
    let points = 0;
    const pieces = function* () {
      for (let at = 0; at < bytes.length; at += size) yield bytes.slice(at, at + size);
    };
    for await (const [a, b] of readArrow(pieces())) {
      assertEquals([a!.label, b!.label], ["a", "b"]);
      assert(a!.times.every((t) => t % 2n === 0n) && b!.times.every((t) => t % 2n === 1n));
      points += a!.times.length + b!.times.length;
    }
    assertEquals(points, 2000);
  }
  assertEquals(ipcToMulti(bytes).times.length, 2000);
});

Deno.test("writeArrow: windows of several streams, and none at all", async () => {
  const two = collector();
  await writeArrow(two.stream, [{ label: "a", columns: STAT }, { label: "b", columns: STAT }]);
  const names = ["time", "a (Min)", "a (Mean)", "a (Max)", "a (Count)", "b (Min)"];
  assertEquals(tableFromIPC(await two.bytes()).names.slice(0, 6), names);
  const one = collector();
  await writeArrow(one.stream, [{ label: "a", columns: STAT }]);
  // The first window has no points, so it has no statistics.
  const nothing = (values: Float64Array) => Float64Array.from(values, (v, i) => i === 0 ? NaN : v);
  assertEquals(ipcToStat(await one.bytes()), {
    ...STAT,
    min: nothing(STAT.min),
    mean: nothing(STAT.mean),
    max: nothing(STAT.max),
  });
  const none = collector();
  assertEquals((await writeArrow(none.stream, [{ label: "a", columns: toRaw([]) }])).rows, 0);
  assertEquals(ipcToMulti(await none.bytes()).streams, [{
    name: "a",
    values: new Float64Array(0),
  }]);
  await assertRejects(
    () =>
      writeArrow(collector().stream, [
        { label: "a", columns: STAT },
        { label: "b", columns: RAW },
      ]),
    TypeError,
    "mixed",
  );
});

Deno.test("readArrow: an IPC file is read like a stream, a broken stream is refused", async () => {
  const file = tableToIPC(rawToTable(toRaw([[1n, 2]])) as Table, { format: "file" })!;
  const batches = await Array.fromAsync(readArrow(file));
  assertEquals(batches, [[{ label: "value", ...toRaw([[1n, 2]]) }]]);
  const good = rawToIpc(RAW);
  for (const cut of [0, 4, 100, good.length - 30]) {
    await assertRejects(() => Array.fromAsync(readArrow(good.slice(0, cut))), BTrDBError);
  }
});

Deno.test("writeArrow: a file appears when it is complete, and not at all if a query fails", async () => {
  await withFolder(async (folder) => {
    const path = `${folder}/a.arrows`;
    await writeArrow(path, [{ label: "value", columns: RAW }]);
    assertEquals(ipcToRaw(await Deno.readFile(path)).times, RAW.times);
    async function* failing(): AsyncGenerator<RawColumns> {
      yield await Promise.resolve(RAW);
      throw new BTrDBError("lost");
    }
    const columns = failing();
    await assertRejects(() => writeArrow(`${folder}/b`, [{ label: "x", columns }]), Error, "lost");
    assertEquals([...Deno.readDirSync(folder)].map(({ name }) => name), ["a.arrows"]);
  });
});
