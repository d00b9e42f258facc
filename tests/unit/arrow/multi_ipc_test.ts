import { assert, assertEquals, assertThrows } from "@std/assert";
import {
  type DataType,
  float32,
  float64,
  int64,
  Table,
  tableFromIPC,
  tableToIPC,
  timestamp,
  TimeUnit,
} from "@uwdata/flechette";
import { decode } from "../../../src/arrow/decode_ipc.ts";
import { ipcToMulti } from "../../../src/arrow/read_ipc.ts";
import { multiIpc, multiIpcInSteps, multiToIpc } from "../../../src/arrow/write_ipc.ts";
import { MultiIpc } from "../../../src/arrow/multi_ipc.ts";
import {
  COUNT,
  DOUBLE,
  INT64,
  type NamedColumn,
  tableOf,
  TIME,
} from "../../../src/arrow/named_columns.ts";
import { concatBytes } from "../../../src/core/bytes.ts";
import { atOnce } from "../../../src/core/pacer.ts";

const TIMES = BigInt64Array.of(-5n, 7n, (1n << 63n) - 1n);

function streamsOf(n: number, rows = TIMES.length) {
  return Array.from({ length: n }, (_, s) => ({
    name: ["plain", "", "wíde — 名", "a\0b"][s % 4]! + s,
    values: Float64Array.from({ length: rows }, (_, r) => s === 1 ? NaN : s + r / 8),
  }));
}

/** The stream that the library makes of the same columns. */
function libraryBytes(times: BigInt64Array, streams: ReturnType<typeof streamsOf>): Uint8Array {
  const columns = streams.map(({ name, values }) => ({ name, type: DOUBLE, data: values }));
  const table = tableOf([{ name: "time", type: TIME, data: times }, ...columns]);
  return tableToIPC(table, { format: "stream" })!;
}

/** Everything that a reader sees. */
function seen(bytes: Uint8Array) {
  const table = decode(bytes);
  return {
    fields: table.schema.fields.map(({ name, nullable, type }) => ({ name, nullable, type })),
    version: table.schema.version,
    rows: table.numRows,
    columns: table.schema.fields.map((_, i) => {
      const { data } = table.getChildAt(i) as unknown as {
        data: { values: Float64Array | BigInt64Array; nullCount: number; length: number }[];
      };
      return data.map(({ values, nullCount, length }) => [values.slice(0, length), nullCount]);
    }),
  };
}

Deno.test("multiToIpc: readers see what they see in the library's own bytes", () => {
  for (const n of [0, 1, 2, 3, 64, 1_300]) {
    for (const rows of [0, 1, 3]) {
      const times = TIMES.slice(0, rows), streams = streamsOf(n, rows);
      const bytes = multiToIpc(times, streams);
      assertEquals(bytes.length % 8, 0);
      assertEquals(seen(bytes), seen(libraryBytes(times, streams)), `${n} streams, ${rows} rows`);
    }
  }
});

Deno.test("multiToIpc: types of a template are written as they are", () => {
  const streams = streamsOf(3);
  const types: DataType[] = [
    timestamp(TimeUnit.NANOSECOND, "Europe/Berlin"),
    float32(),
    float64(),
    float32(),
  ];
  const fields = types.map((type, i) => ({ name: `t${i}`, type, nullable: true, metadata: null }));
  const schema = { ...tableFromIPC(multiToIpc(TIMES, [])).schema, fields };
  for (const time of [types[0]!, timestamp(TimeUnit.NANOSECOND), int64()]) {
    fields[0]!.type = time;
    const template = tableToIPC(new Table(schema as never, []), { format: "stream" })!;
    const read = decode(multiToIpc(TIMES, streams, { template }));
    assertEquals(read.schema.fields.map(({ type }) => type), fields.map(({ type }) => type));
    assertEquals(read.schema.fields.map(({ name }) => name), ["t0", "t1", "t2", "t3"]);
    assertEquals([...read.getChildAt(3)!], [...Float32Array.from(streams[2]!.values)]);
    assertEquals([...read.getChildAt(0)!], [...TIMES]);
  }
});

Deno.test("MultiIpc: nulls and counts, as the library writes them", () => {
  const gaps = Float64Array.from({ length: 70 }, (_, i) => i % 9 === 0 ? NaN : i);
  const times = BigInt64Array.from({ length: 70 }, (_, i) => BigInt(i));
  const columns: NamedColumn[] = [
    { name: "time", type: INT64, data: times },
    { name: "gaps", type: DOUBLE, data: gaps, nullable: true },
    { name: "none", type: DOUBLE, data: gaps.slice().fill(1), nullable: true },
    { name: "count", type: COUNT, data: new BigUint64Array(70).fill((1n << 64n) - 1n) },
    { name: "all", type: DOUBLE, data: gaps.slice().fill(NaN), nullable: true },
  ];
  const writer = new MultiIpc(columns);
  const data = columns.map((column) => column.data);
  const bytes = atOnce(writer.write(data));
  const library = tableToIPC(tableOf(columns), { format: "stream" })!;
  assertEquals(seen(bytes), seen(library));
  const all = (of: Uint8Array) => columns.map((_, i) => [...decode(of).getChildAt(i)!]);
  assertEquals(all(bytes), all(library));
  const parts = [true, false].map((isFirst) => atOnce(writer.writePart(data, isFirst)));
  assertEquals(concatBytes([parts[0]!, bytes.slice(-8)]), bytes);
  assertEquals(decode(concatBytes([...parts, bytes.slice(-8)])).numRows, 140);
});

Deno.test("multiToIpc: columns of different lengths are refused", () => {
  const streams = [...streamsOf(1), { name: "short", values: new Float64Array(2) }];
  assertThrows(() => multiToIpc(TIMES, streams), TypeError, '"short" has 2 values, expected 3');
});

// The table of 10,000 streams was made in one step: everyone else waited for 63 to 133 ms.
Deno.test("MultiIpc: a stream of thousands of columns is written in steps, its schema once", () => {
  const n = 10_000;
  const streams = streamsOf(n);
  const values = streams.map((stream) => stream.values);
  const writer: MultiIpc = multiIpc(streams.map(({ name }) => name));
  const steps = (from: number): [number, Uint8Array] => {
    const part = values.map((column) => column.subarray(from));
    const all = writer.write([TIMES.subarray(from), ...part]);
    let count = 0;
    for (;;) {
      const { done, value } = all.next();
      if (done) return [count, value];
      count++;
    }
  };
  const [first, bytes] = steps(0);
  const [second, rest] = steps(1);
  // Names, fields, metadata of the batch and its columns, at most 512 at a time.
  assert(first >= 4 * Math.floor(n / 512), `${first} steps`);
  assert(second >= 2 * Math.floor(n / 512) && second < first, `${second} steps`);
  assertEquals(ipcToMulti(bytes).streams[n - 1], streams[n - 1]);
  assertEquals(ipcToMulti(rest).times, TIMES.slice(1));
  assertEquals(atOnce(writer.write([TIMES, ...values])), bytes);
});

// The first template of 2,000 columns was checked, decoded and fitted in one step of 13 to 24 ms.
Deno.test("multiIpcInSteps: a template of thousands of columns is checked, decoded and fitted in steps", () => {
  const streams = streamsOf(2_000);
  const template = multiToIpc(TIMES, streams);
  const making = multiIpcInSteps(streams.map((_, i) => `${i}`), { template });
  let steps = 1;
  let step = making.next();
  for (; !step.done; step = making.next()) steps++;
  assertEquals(steps, 3);
  const bytes = atOnce(step.value.write([TIMES, ...streams.map(({ values }) => values)]));
  assertEquals(bytes, template);
});
