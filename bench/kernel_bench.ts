/** Messages with points between wire bytes and columns, beside protobuf-es and a plain copy. */

import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { KERNEL_BYTES } from "../src/kernel/kernel.gen.ts";
import { instantiate } from "../src/kernel/loader.ts";
import {
  decodeRawResponse,
  decodeStatResponse,
  encodeInsert,
  encodeInsertInto,
  encodeRawResponse,
  insertBytes,
} from "../src/kernel/wire.ts";
import { encodeStatResponse } from "../src/kernel/encode_stat.ts";
import {
  AlignedWindowsResponseSchema as StatV4,
  InsertParamsSchema,
  RawValuesResponseSchema,
} from "../src/gen/btrdb_v4_pb.ts";
import { AlignedWindowsResponseSchema as StatV5 } from "../src/gen/btrdb_v5_pb.ts";
import type { RawColumns, StatColumns } from "../src/core/columns.ts";
import { samples, windows } from "./support/data.ts";
import { job } from "./support/job.ts";

const N = 5_000;
const UUID = new Uint8Array(16).fill(1);

/** Points of protobuf-es as columns. */
function rawColumns(values: readonly { time: bigint; value: number }[]): RawColumns {
  const n = values.length;
  const columns = { times: new BigInt64Array(n), values: new Float64Array(n) };
  for (let i = 0; i < n; i++) {
    columns.times[i] = values[i]!.time;
    columns.values[i] = values[i]!.value;
  }
  return columns;
}

/** Windows of protobuf-es as columns. */
function statColumns(
  values: readonly { time: bigint; min: number; mean: number; max: number; count: bigint }[],
): StatColumns {
  const n = values.length;
  const columns = {
    times: new BigInt64Array(n),
    min: new Float64Array(n),
    mean: new Float64Array(n),
    max: new Float64Array(n),
    count: new BigUint64Array(n),
  };
  for (let i = 0; i < n; i++) {
    const { time, min, mean, max, count } = values[i]!;
    columns.times[i] = time;
    columns.min[i] = min;
    columns.mean[i] = mean;
    columns.max[i] = max;
    columns.count[i] = count;
  }
  return columns;
}

/** Copies once as many bytes as go in, and as many as come out. */
function copy(
  input: Uint8Array,
  columns: readonly (BigInt64Array | Float64Array | BigUint64Array)[],
) {
  input.slice();
  for (const column of columns) column.slice();
}

job({
  name: "decode RawValues, messages of 5,000 points",
  work: { count: N, unit: "points" },
  setup: () => {
    const columns = samples(N);
    return { columns, bytes: encodeRawResponse(columns, 0, N, 11n, 0n) };
  },
  entries: [
    { name: "kernel", run: ({ bytes }) => decodeRawResponse(bytes) },
    {
      name: "protobuf-es",
      run: ({ bytes }) => rawColumns(fromBinary(RawValuesResponseSchema, bytes).values),
      atLeast: 40,
    },
    {
      name: "memcpy of input and output",
      run: ({ bytes, columns }) => copy(bytes, [columns.times, columns.values]),
    },
  ],
});

for (const [protocol, schema] of [["v4", StatV4], ["v5", StatV5]] as const) {
  const v5 = protocol === "v5";
  job({
    name: `decode StatPoints ${protocol}, messages of 5,000 windows`,
    work: { count: N, unit: "windows" },
    setup: () => {
      const columns = windows(N);
      return { columns, bytes: encodeStatResponse(columns, 0, N, 11n, 0n, v5) };
    },
    entries: [
      { name: "kernel", run: ({ bytes }) => decodeStatResponse(bytes, v5) },
      {
        name: "protobuf-es",
        run: ({ bytes }) => statColumns(fromBinary(schema, bytes).values),
        atLeast: 28,
      },
      {
        name: "memcpy of input and output",
        run: ({ bytes, columns: c }) =>
          copy(bytes, [c.times, c.min, c.mean, c.max, c.count, ...(v5 ? [c.stddev!] : [])]),
      },
    ],
  });
}

job({
  name: "encode inserts of 5,000 points",
  work: { count: N, unit: "points" },
  setup: () => {
    const columns = samples(N);
    const fields = { uuid: UUID, columns, protocol: "v4" as const };
    const points = Array.from(columns.times, (time, i) => ({ time, value: columns.values[i]! }));
    return { columns, fields, points, bytes: encodeInsert(fields) };
  },
  entries: [
    { name: "kernel, fresh buffer", run: ({ fields }) => encodeInsert(fields) },
    {
      name: "protobuf-es, from columns",
      run: ({ columns: { times, values } }) => {
        const points = new Array(N);
        for (let i = 0; i < N; i++) points[i] = { time: times[i]!, value: values[i]! };
        return toBinary(
          InsertParamsSchema,
          create(InsertParamsSchema, { uuid: UUID, values: points }),
        );
      },
      atLeast: 25,
    },
    {
      name: "memcpy of input and output",
      run: ({ bytes, columns }) => copy(bytes, [columns.times, columns.values]),
    },
  ],
});

job({
  name: "encode inserts of 5,000 points, reused buffer",
  work: { count: N, unit: "points" },
  setup: () => {
    const columns = samples(N);
    const fields = { uuid: UUID, columns, protocol: "v4" as const };
    const target = new Uint8Array(insertBytes(N));
    return { columns, fields, target, bytes: encodeInsert(fields) };
  },
  entries: [
    {
      name: "kernel, reused buffer",
      run: ({ fields, target }) => encodeInsertInto(fields, target),
    },
    {
      name: "protobuf-es, from columns",
      run: ({ columns: { times, values } }) => {
        const points = new Array(N);
        for (let i = 0; i < N; i++) points[i] = { time: times[i]!, value: values[i]! };
        return toBinary(
          InsertParamsSchema,
          create(InsertParamsSchema, { uuid: UUID, values: points }),
        );
      },
      atLeast: 60,
    },
    {
      name: "memcpy of input and output, reused buffers",
      run: ({ bytes, columns, target }) => {
        target.set(bytes);
        target.set(new Uint8Array(columns.times.buffer));
        target.set(new Uint8Array(columns.values.buffer), 8 * N);
      },
    },
  ],
});

job({
  name: "make an instance of the kernel",
  work: { count: 1, unit: "instances" },
  setup: () => undefined,
  entries: [{ name: "kernel", run: () => instantiate() }],
  goalMs: 5,
  note: `the module has ${KERNEL_BYTES} bytes (goal: under 65,536)`,
});
