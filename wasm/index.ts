// The kernel's entry: it only re-exports, one line per concept.
// Pointers are byte addresses in the arena, lengths are counted in elements.

export * from "./arena";
export * from "./decode_raw";
export * from "./decode_stat";
export * from "./encode";
export * from "./rewindow";
export * from "./check";
export { csvIsFull, csvRowCount, csvRows } from "./csv";
export { mergeCountRows, mergeRows } from "./merge";
export {
  csvErrorAt,
  csvErrorCode,
  csvErrorColumn,
  csvLines,
  csvUnfinished,
  parseRows,
} from "./parse_csv";
export * from "./sort";
export * from "./pixels";
export {
  parseTable,
  tableBadCells,
  tableBadRows,
  tableCutLine,
  tableCells,
  tableErrorAt,
  tableErrorCode,
  tableErrorColumn,
  tableLines,
  tableRows,
  tableRules,
  tableTimeBase,
  tableTimeLimits,
  tableTimes,
  tableUnsureLine,
} from "./parse_table";
export {
  setTimeBefore,
  setTimeOffset,
  setTimeWords,
  setTimeZone,
  timeBefore,
  timeDistance,
  timesCut,
  timesUnsure,
} from "./parse_time";
export { decodeBlock, encodeBlock } from "./block";
export { mergeTwoRuns } from "./merge_two_runs";
export {
  cycleSums,
  polarToRectangular,
  powerColumns,
  rectangularToPolar,
  sincosColumns,
  symmetricalColumns,
} from "./phasor";
export { alignRows, gridTimes } from "./align";
export {
  lineErrors,
  linePoints,
  lineRoom,
  lineSeries,
  linesPassed,
  lineStrings,
  lineTimes,
  parseLines,
} from "./parse_lines";
export { scatterPoints } from "./scatter";
