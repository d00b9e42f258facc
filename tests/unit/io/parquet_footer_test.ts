/** Footers that are written in steps. */

import { assert, assertEquals } from "@std/assert";
import type { ColumnChunk, SchemaElement } from "hyparquet";
import { ByteWriter } from "hyparquet-writer";
import { writeMetadata } from "hyparquet-writer/src/metadata.js";
import { type FlatMetadata, footerInSteps } from "../../../src/io/parquet_footer.ts";

/** Metadata of a file with times and columns of values and counts, some of which have no values. */
function metadata(columns: number, groups: number): FlatMetadata {
  const time: SchemaElement = {
    name: "time",
    type: "INT64",
    repetition_type: "REQUIRED",
    logical_type: { type: "TIMESTAMP", isAdjustedToUTC: true, unit: "NANOS" },
  };
  const others = Array.from({ length: columns }, (_, c): SchemaElement => {
    const name = `größe ${c}`;
    if (c % 3 > 0) return { name, type: "DOUBLE", repetition_type: "OPTIONAL" };
    const logical_type = { type: "INTEGER", bitWidth: 64, isSigned: false } as const;
    return {
      name,
      type: "INT64",
      repetition_type: "OPTIONAL",
      converted_type: "UINT_64",
      logical_type,
    };
  });
  const all = [time, ...others];
  const chunk = ({ name, type }: SchemaElement, c: number): ColumnChunk => {
    const isDouble = type === "DOUBLE";
    const bounds = isDouble
      ? { min_value: -1.5 * c, max_value: c / 7, nan_count: BigInt(c % 2) }
      : { min_value: BigInt(c), max_value: BigInt(c) << 40n };
    const hasIndex = c % 4 === 0;
    const indexAt = { offset_index_offset: BigInt(c) << 33n, offset_index_length: 40 };
    return {
      file_offset: BigInt(4 + 100 * c),
      meta_data: {
        type: type!,
        encodings: ["RLE", isDouble ? "BYTE_STREAM_SPLIT" : "DELTA_BINARY_PACKED"],
        path_in_schema: [name],
        codec: c % 2 === 0 ? "ZSTD" : "SNAPPY",
        num_values: BigInt(c) << 20n,
        total_uncompressed_size: 1_000_000n,
        total_compressed_size: 99n,
        data_page_offset: BigInt(4 + 100 * c),
        statistics: c % 5 === 4 ? { null_count: 7n } : { null_count: 0n, ...bounds },
        encoding_stats: [{ page_type: "DATA_PAGE", encoding: "PLAIN", count: c }],
      },
      ...hasIndex ? indexAt : {},
    };
  };
  return {
    version: 2,
    created_by: "größer than ASCII",
    schema: [{ name: "schema", num_children: all.length }, ...all],
    num_rows: BigInt(groups) << 35n,
    row_groups: Array.from({ length: groups }, () => ({
      columns: all.map(chunk),
      total_byte_size: 1n << 40n,
      num_rows: 1n << 35n,
      total_compressed_size: 12n,
    })),
  };
}

// The footer of a thousand streams took 7 to 22 ms in one step.
Deno.test("footerInSteps: the bytes of the library, in steps of 64 columns", () => {
  for (const [columns, groups] of [[1, 1], [13, 2], [14, 1], [15, 16], [300, 3]] as const) {
    const expected = new ByteWriter();
    writeMetadata(expected, metadata(columns, groups) as Parameters<typeof writeMetadata>[1]);
    const out = new ByteWriter();
    let steps = 0, before = 0, most = 0;
    for (const _ of footerInSteps(out, metadata(columns, groups))) {
      steps++;
      most = Math.max(most, out.offset - before);
      before = out.offset;
    }
    assertEquals(out.getBytes(), expected.getBytes(), `${columns} columns, ${groups} groups`);
    assertEquals(steps, (groups + 2) * Math.floor((columns + 1) / 64));
    assert(most < 20_000, `a step of ${most} bytes`);
  }
});
