// The entry of the second module: text to points, the engine's blocks, analysis. Pages do without it.

export * from "./arena";
export { parseRows } from "./parse_csv";
export { parseTable, tableIsFull } from "./parse_table";
export {
  tableBadCells,
  tableBadRows,
  tableCutLine,
  tableErrorAt,
  tableErrorCode,
  tableErrorColumn,
  tableFar,
  tableFarLine,
  tableLeapLine,
  tableLines,
  tableRounded,
  tableRoundedLine,
  tableRows,
  tableUnsureLine,
} from "./table_outcome";
export { tableCells, tableRules } from "./table_rules";
export { tableTimeBase, tableTimeForm, tableTimeLimits, tablePlace, tableTimes } from "./table_time";
export { setTimeBefore, timeBefore, timeDistance, timesCut, timesLeap, timesUnsure } from "./parsed_time";
export { setTimeOffset, setZoneNames } from "./parse_zone";
export { setTimeZone } from "./clock_changes";
export { setFractionComma } from "./time_digits";
export { encodeBlock } from "./block";
export { encodeStat } from "./encode";
export { mergeThreeColumns, mergeTwoRuns } from "./merge_two_runs";
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
  linesPassed,
  lineStrings,
  parseLines,
} from "./parse_lines";
export { lineSeries, lineSeriesRoom } from "./line_series";
export { lineTimes } from "./line_time";
export { scatterPoints } from "./scatter";
export { windowRuns } from "./window_runs";
