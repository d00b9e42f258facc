// The entry of the second module: text to points, the engine's blocks, analysis. Pages do without it.

export * from "./arena";
export { firstNotFinite, firstUnsorted } from "./check";
export {
  csvErrorAt,
  csvErrorCode,
  csvErrorColumn,
  csvLines,
  csvUnfinished,
  parseRows,
} from "./parse_csv";
export {
  parseTable,
  tableBadCells,
  tableBadRows,
  tableCutLine,
  tableRounded,
  tableRoundedLine,
  tableCells,
  tableErrorAt,
  tableErrorCode,
  tableErrorColumn,
  tableIsFull,
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
