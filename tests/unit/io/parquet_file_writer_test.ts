import { assert, assertEquals } from "@std/assert";
import { parquetMetadata } from "hyparquet";
import { concatBytes } from "../../../src/core/bytes.ts";
import { openParquet, writeParquet } from "../../../src/io/parquet.ts";
import { CountedTurns } from "../../support/counted_turns.ts";

const ROWS = 70_001;
const TIMES = BigInt64Array.from({ length: ROWS }, (_, i) => BigInt(i * i) - 7n);

/** Values of which every third is missing, and all of some pages. */
function values(sign: number): Float64Array {
  return Float64Array.from({ length: ROWS }, (_, i) => {
    return i % 3 === 0 || (i > 20_000 && i < 50_000) ? NaN : sign * (i - 60_000) / 8;
  });
}

const STREAMS = [1, -1].map((sign) => ({
  label: `sign ${sign}`,
  columns: { times: TIMES, values: values(sign) },
}));

/** Writes to memory, and calls something before each piece is taken. */
async function written(onPiece: () => void = () => {}, rowGroupRows = 65_536): Promise<Uint8Array> {
  const pieces: Uint8Array[] = [];
  const sink = new WritableStream<Uint8Array>({
    write(piece) {
      onPiece();
      pieces.push(piece);
    },
  });
  await writeParquet(sink, STREAMS, { rowGroupRows });
  return concatBytes(pieces);
}

Deno.test("writeParquet: pages of a column are one chunk, with the statistics of all", async () => {
  const bytes = await written();
  const { row_groups } = parquetMetadata(bytes.buffer as ArrayBuffer);
  assertEquals(row_groups.map(({ num_rows }) => num_rows), [65_536n, BigInt(ROWS - 65_536)]);
  const chunks = row_groups[0]!.columns.map(({ meta_data }) => meta_data!);
  const [time, plus, minus] = chunks.map(({ statistics }) => statistics!);
  // Times are read as dates where there is one.
  assertEquals(chunks.map(({ num_values }) => num_values), [65_536n, 65_536n, 65_536n]);
  assertEquals(time!.null_count, 0n);
  const there = [...values(1).subarray(0, 65_536)].filter((value) => !Number.isNaN(value));
  assertEquals(plus!.null_count, BigInt(65_536 - there.length));
  assertEquals([plus!.min_value, plus!.max_value], [there[0], there.at(-1)]);
  assertEquals([minus!.min_value, minus!.max_value], [-there.at(-1)!, -there[0]!]);
  const { offset_index_offset, file_offset, meta_data } = row_groups[1]!.columns[0]!;
  assertEquals(offset_index_offset, undefined, "of one page");
  assert(row_groups[0]!.columns.every((chunk) => chunk.offset_index_offset !== undefined));
  assertEquals(file_offset, meta_data!.data_page_offset);
});

Deno.test("writeParquet: what is written in pages reads back as it was", async () => {
  for (const rowGroupRows of [16_384, 65_536, 1_000_000]) {
    const bytes = await written(undefined, rowGroupRows);
    await using parquet = await openParquet(bytes);
    const read = STREAMS.map(() => ({ times: [] as bigint[], values: [] as number[] }));
    for await (const { columns } of parquet.batches()) {
      columns.forEach((points, s) => {
        read[s]!.times.push(...points.times);
        read[s]!.values.push(...points.values);
      });
    }
    for (const [s, { columns }] of STREAMS.entries()) {
      const there = [...columns.values.keys()].filter((i) => !Number.isNaN(columns.values[i]));
      assertEquals(read[s]!.times, there.map((i) => TIMES[i]!));
      assertEquals(read[s]!.values, there.map((i) => columns.values[i]!));
    }
  }
});

// A row group was written in one step: a file by URL held everyone else up for 51 ms, again and again.
Deno.test("writeParquet: gives way between the pages of a row group", async () => {
  using turns = new CountedTurns(5);
  await written(() => turns.add(), 1_000_000);
  // Five pages of each of three columns, in the middle of one row group.
  assert(turns.work.length >= 15, `${turns.work}`);
  assert(Math.max(...turns.work) <= 2, `${turns.work}`);
});
