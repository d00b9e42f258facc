/**
 * Layout of tables of numbers as text.
 *
 * @module
 */

/** Role of a column of a table; `"spare"` is skipped, and may be missing at the end of a row. */
export type ColumnRole = "time" | "value" | "skip" | "spare";

/** Layout of a table. */
export interface TableOptions {
  /**
   * The role of each column. Unless `times` is given, one is `"time"`, or several, whose cells are put
   * together with blanks.
   */
  columns: readonly ColumnRole[];
  /** Names of the columns, for errors. */
  names?: readonly string[];
  /** One byte of ASCII. @default {","} */
  delimiter?: string;
  /** The decimal point of values. @default {"."} */
  decimal?: "." | ",";
  /**
   * The form of times: a decimal number of `"ns"`, `"us"`, `"ms"` or `"s"` since the Unix epoch,
   * `"rfc3339"` (also with a blank for the T, without seconds or zone, or a date alone), `"ticks"`
   * and `"filetime"` (100 ns since 0001 and 1601), `"excel"` (days since 1899-12-30), or a pattern
   * with the directives `%Y %y %m %b %d %j %H %I %M %S %f %p %z %Z` of strptime.
   *
   * @default {"ns"}
   */
  timeFormat?: string;
  /** Offset from UTC of times without a zone, ns. @default {0n} */
  offset?: bigint;
  /** Rows without times: of the first one, and the distance between two, ns. */
  times?: { first: bigint; step: bigint };
  /** True if runs of blanks and tabs are the delimiter. @default {false} */
  blanks?: boolean;
  /** First character of lines that are comments, ASCII. */
  comment?: string;
  /** Mark before groups of three digits, ASCII. */
  thousands?: string;
  /** True to leave out and count rows that cannot be read. @default {false} */
  skipBadRows?: boolean;
  /** True to leave out and count cells that are not a number. @default {false} */
  skipBadCells?: boolean;
  /**
   * Further words for no value; case does not matter. A number stands for all cells of this value,
   * however they are written.
   */
  nulls?: readonly string[];
  /** Indices of the columns of times in the order in which they are put together. */
  timeOrder?: readonly number[];
  /** Changes of the clocks of a place: pairs of a time and the ns ahead of UTC from then on. */
  clockChanges?: BigInt64Array;
  /** Names of zones in times, and what they are ahead of UTC, ns. */
  zoneNames?: Readonly<Record<string, bigint>>;
  /** Added to times that are numbers, ns. @default {0n} */
  base?: bigint;
  /** Rows in `seconds` seconds, to which times are snapped: from `base`, or within their second. */
  rate?: { rows: bigint; seconds: bigint; fromBase: boolean };
  /** Smallest and largest time of a row, ns. @default all of 64 bits */
  limits?: { readonly first: bigint; readonly last: bigint };
}
