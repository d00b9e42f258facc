/**
 * The formats that can be imported.
 *
 * @module
 */

import type { Format } from "./format.ts";

/** The formats, the first that fits is taken; the last one takes any text. */
export const FORMATS: readonly Format[] = [
  {
    name: "parquet",
    refuses: [
      "delimiter",
      "decimal",
      "thousands",
      "header",
      "skipLines",
      "comment",
      "encoding",
      "start",
      "interval",
      "rate",
      "by",
      "nulls",
      "badRows",
      "badCells",
    ],
    fits: (head) => new TextDecoder().decode(head.subarray(0, 4)) === "PAR1",
    open: async (input, options, layout) =>
      await (await import("./parquet_source.ts")).ParquetSource.open(input, options, layout),
  },
  {
    name: "csv",
    fits: () => true,
    open: async (input, options, layout) =>
      await (await import("./text/text_source.ts")).openText(input, options, layout),
  },
];
