/**
 * The formats that can be imported.
 *
 * @module
 */

import { captureKindOf } from "./c37118/packet_file.ts";
import { configurationBeside, isConfigurationFile, isSingleFile } from "./comtrade/record_files.ts";
import type { Format } from "./format.ts";
import type { SourceOptions } from "./options.ts";
import { isSecondBlock } from "./upmu/second_block.ts";

/** Options that only records of COMTRADE have. */
const COMTRADE_OPTIONS: readonly (keyof SourceOptions)[] = ["times", "values", "status", "skew"];

/** Options that say how tables of text look. */
const TEXT_OPTIONS: readonly (keyof SourceOptions)[] = [
  "delimiter",
  "decimal",
  "thousands",
  "header",
  "skipLines",
  "comment",
  "interval",
  "rate",
  "nulls",
  "by",
  "complete",
  "live",
];

/** Options that only captures of synchrophasors have. */
const CAPTURE_OPTIONS: readonly (keyof SourceOptions)[] = ["names", "frequency", "exactTimes"];

/** Options that say where times are, and what they mean. */
const TIME_OPTIONS: readonly (keyof SourceOptions)[] = ["time", "timeFormat", "tz", "start"];

/** Options that only line protocol has. */
const LINE_OPTIONS: readonly (keyof SourceOptions)[] = ["influx"];

/** Options that columnar files do not have. */
const NOT_COLUMNAR: Format["refuses"] = [
  ...LINE_OPTIONS,
  ...TEXT_OPTIONS,
  "encoding",
  ...CAPTURE_OPTIONS,
  ...COMTRADE_OPTIONS,
];

/** The formats, the first that fits is taken; the last one takes any text. */
export const FORMATS: readonly Format[] = [
  {
    name: "parquet",
    refuses: NOT_COLUMNAR,
    // "PARE" is encrypted: its reader says so.
    fits: (head) => ["PAR1", "PARE"].includes(new TextDecoder().decode(head.subarray(0, 4))),
    open: async (input, options, layout) =>
      await (await import("./columnar/open_columnar.ts")).openParquetSource(input, options, layout),
  },
  {
    name: "arrow",
    refuses: NOT_COLUMNAR,
    fits: (head) =>
      new TextDecoder().decode(head.subarray(0, 6)) === "ARROW1" ||
      (head.length >= 8 && head.subarray(0, 4).every((byte) => byte === 0xff)),
    open: async (input, options, layout) =>
      await (await import("./columnar/open_columnar.ts")).openArrowSource(input, options, layout),
  },
  {
    name: "c37118",
    refuses: [
      ...LINE_OPTIONS,
      ...TEXT_OPTIONS,
      ...TIME_OPTIONS,
      "encoding",
      "badRows",
      "badCells",
      ...COMTRADE_OPTIONS,
    ],
    fits: (head, name) =>
      captureKindOf(head) !== undefined || /\.(?:pcap|pcapng|cap|c37|pdat)$/i.test(name),
    open: async (input, options, layout) =>
      await (await import("./c37118/capture_format.ts")).openCaptureInput(input, options, layout),
  },
  {
    name: "upmu",
    refuses: [
      ...LINE_OPTIONS,
      ...TEXT_OPTIONS,
      ...TIME_OPTIONS,
      "encoding",
      ...CAPTURE_OPTIONS,
      ...COMTRADE_OPTIONS,
    ],
    fits: isSecondBlock,
    open: async (input, options, layout) =>
      await (await import("./upmu/upmu_source.ts")).openUpmuSource(input, options, layout),
  },
  {
    name: "comtrade",
    refuses: [
      ...LINE_OPTIONS,
      ...TEXT_OPTIONS,
      "time",
      "timeFormat",
      "badRows",
      "badCells",
      ...CAPTURE_OPTIONS,
    ],
    fits: (head, name) =>
      isSingleFile(head) || isConfigurationFile(head) || configurationBeside(name) !== undefined,
    open: async (input, options, layout) =>
      await (await import("./comtrade/comtrade_source.ts"))
        .openComtradeInput(input, options, layout),
  },
  {
    name: "influx",
    refuses: [
      ...TEXT_OPTIONS.filter((name) => name !== "complete"),
      ...CAPTURE_OPTIONS,
      ...COMTRADE_OPTIONS,
      "encoding",
      "badCells",
      "time",
      "tz",
      "start",
    ],
    fits: (_head, name) => /\.(?:lp|line)(?:\.(?:gz|zst))?$/i.test(name),
    open: async (input, options, layout) =>
      await (await import("./text/line_source.ts")).openLineSource(input, options, layout),
  },
  {
    name: "csv",
    refuses: [...LINE_OPTIONS, ...CAPTURE_OPTIONS, ...COMTRADE_OPTIONS],
    fits: () => true,
    open: async (input, options, layout) =>
      (await import("./text/text_source.ts")).openText(input, options, layout),
  },
];
