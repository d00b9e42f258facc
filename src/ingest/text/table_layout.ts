/**
 * The layout of a table of text, as far as the user gives it and as it is found.
 *
 * @module
 */

import type { OmittedColumn } from "../source.ts";

/** Layout of a table. It is plain data, because a record of interrupted work keeps it. */
export interface TableLayout {
  delimiter: string;
  /** True if runs of blanks and tabs are the delimiter. */
  blanks: boolean;
  decimal: "." | ",";
  thousands?: string;
  comment?: string;
  encoding?: string;
  /** Lines before the first row of data. */
  headerLines: number;
  /** Names of all columns. */
  names: string[];
  /** Units of all columns, as a row below the header says them. */
  units: (string | null)[];
  roles: ("time" | "value" | "skip" | "spare")[];
  /** Columns of the times, in the order in which they are put together. */
  timeOrder: number[];
  timeFormat: string;
  /** The reason for the column of times and its form. */
  reason: string;
  /** Time zone of times that do not say theirs. */
  tz: string;
  /** Rows without times: first time and distance, ns. */
  times?: { first: string; step: string };
  /** Added to times, ns. */
  base?: string;
  rate?: { rows: string; seconds: string; fromBase: boolean };
  nulls: readonly string[];
  skipBadRows: boolean;
  skipBadCells: boolean;
  /** True if the last line counts without a line end. */
  complete: boolean;
  /** Columns whose texts tell streams apart, and all that they say. */
  by?: { columns: number[]; keys: string[] };
  /** The header, where it comes again within the data and is passed over. */
  headerAgain?: string;
}

/** Layout as far as the user gives it; the rest is detected. */
export interface LayoutWishes {
  delimiter?: string | undefined;
  decimal?: "." | "," | undefined;
  thousands?: string | undefined;
  comment?: string | undefined;
  encoding?: string | undefined;
  header?: boolean | undefined;
  skipLines: number;
  /** True if the beginning that is looked at ends amid a line, at the most bytes of it. */
  isCut?: boolean;
  time?: string | undefined;
  timeFormat?: string | undefined;
  columns: readonly string[];
  tz: string;
  /** True if the user says the zone. @default {true} */
  isZoneSaid?: boolean | undefined;
  times?: { first: string; step: string } | undefined;
  start?: string | undefined;
  rate?: number | undefined;
  nulls?: readonly string[] | undefined;
  skipBadRows?: boolean | undefined;
  skipBadCells?: boolean | undefined;
  complete?: boolean | undefined;
  by?: string | undefined;
}

/** A layout, and what was found on the way. */
export interface FoundLayout {
  readonly layout: TableLayout;
  readonly omitted: readonly OmittedColumn[];
  /** Remarks on what may be meant otherwise. */
  readonly warnings?: readonly string[];
}
