/**
 * The options of an import.
 *
 * @module
 */

import type { InsertOptions } from "../client/insert.ts";

/** Fate of rows or cells that cannot be read. */
export type BadPolicy = "fail" | "skip";

/** Options of reading a source: its format, and for tables the look of rows, cells and times. */
export interface SourceOptions {
  /** Name of the format; by default the bytes and the name of the file say it. */
  format?: string | undefined;
  /** Character between cells, or `"blanks"` for runs of blanks and tabs. */
  delimiter?: string | undefined;
  /** Decimal mark of values. */
  decimal?: "." | "," | undefined;
  /** Thousands mark of values, where there is one: `.`, `,`, `'`, `_` or a blank. */
  thousands?: string | undefined;
  /** True if the first line is a header. */
  header?: boolean | undefined;
  /** Lines before the header. */
  skipLines?: number | undefined;
  /** Beginning of lines that are comments. */
  comment?: string | undefined;
  /** Character encoding of text, e.g. `"windows-1252"`. @default {"utf-8"} */
  encoding?: string | undefined;
  /** Column of the times, by name or number; several, such as `Date+Time`, are joined. */
  time?: string | undefined;
  /** Form of the times, e.g. `"ms"` or `"%d.%m.%Y %H:%M:%S"`. */
  timeFormat?: string | undefined;
  /** Time zone of times that do not say theirs. @default {"UTC"} */
  tz?: string | undefined;
  /** First time, ns: times in the source are relative to it, or missing. */
  start?: bigint | undefined;
  /** Distance of rows without times, ns. */
  interval?: bigint | undefined;
  /** Rows a second: times are snapped to `start + n / rate`. */
  rate?: number | undefined;
  /**
   * Template of the collections of line protocol, as that of `serve`. `{bucket}` is the collection
   * given, or the name of the file.
   *
   * @default {"{bucket}/{measurement}/{tags}"}
   */
  influx?: string | undefined;
  /** Collection of columns that are no stream yet. @default {the name of the file} */
  into?: string | undefined;
  /** Only these columns, by name or number. */
  columns?: readonly string[] | undefined;
  /** Column whose text tells the streams of a long table apart. */
  by?: string | undefined;
  /** Further words for no value. */
  nulls?: readonly string[] | undefined;
  /** Fate of rows with too few or too many cells, or without a time. @default {"fail"} */
  badRows?: BadPolicy | undefined;
  /** Fate of cells that are no number. @default {"fail"} */
  badCells?: BadPolicy | undefined;
  /** Names of the streams of captures: as BTrDB's ingress, or for people. @default {"btrdb"} */
  names?: "btrdb" | "plain" | undefined;
  /** Reading of the frequencies of captures. @default {"auto"} */
  frequency?: "auto" | "actual" | "deviation" | undefined;
  /** True to keep times of captures as they are, off the grid of the data rate. */
  exactTimes?: boolean | undefined;
  /**
   * True if the last line counts even without a line end, because nothing more can come.
   *
   * @default {of compressed files and bytes in memory}
   */
  complete?: boolean | undefined;
  /** Rule for the times of records: the rate, the stamps, or what fits. @default {"auto"} */
  times?: "auto" | "rate" | "stamps" | undefined;
  /** Side of the transformers on which values of records are wanted. @default {"as-is"} */
  values?: "as-is" | "primary" | "secondary" | undefined;
  /** Points of status channels of records: where they change, all, or none. @default {"changes"} */
  status?: "changes" | "all" | "none" | undefined;
  /**
   * Treatment of the skew of channels of records: ignored, or their times are shifted by it.
   * @default {"ignore"}
   */
  skew?: "ignore" | "apply" | undefined;
  /**
   * True to store rows as they come, before a batch is full. Such an import cannot be resumed from
   * the same bytes, which come once.
   *
   * @default {false}
   */
  live?: boolean | undefined;
  /** True if only the beginning will be read, to explain it. */
  preview?: boolean | undefined;
  /** True to allow worker threads. @default {true} */
  threads?: boolean | undefined;
  /** Ends the reading; calls reject with its reason. */
  signal?: AbortSignal | undefined;
}

/** Options of the streams that columns go into: names, units, tags and annotations. */
export interface TargetOptions {
  /** Collection of columns that are no stream yet. @default {the name of the file} */
  into?: string | undefined;
  /** `COLUMN=STREAM`: a path or uuid, or a name in `into`. */
  maps?: readonly string[] | undefined;
  /** `UNIT` of all new streams, or `COLUMN=UNIT`. */
  units?: readonly string[] | undefined;
  /** Names, units, tags and annotations of columns by name. */
  meta?: Readonly<Record<string, ColumnMeta>> | undefined;
}

/** Name, unit, tags and annotations of the stream of a column. */
export interface ColumnMeta {
  /** Path of the stream, or its name in `into`. */
  name?: string | undefined;
  /** Tag `unit` of a new stream. */
  unit?: string | undefined;
  /** Further tags of a new stream. */
  tags?: Readonly<Record<string, string>> | undefined;
  /** Annotations of a new stream. */
  annotations?: Readonly<Record<string, string>> | undefined;
}

/** Progress of an import. */
export interface ImportProgress {
  /** Points stored by this run so far. */
  points: number;
  /** Bytes of the file read so far, compressed as they are. */
  bytes: number;
  /** Part of the file read, 0 to 1; absent where its size is not known. */
  part?: number;
}

/** Options of {@linkcode importFile}. */
export interface ImportOptions extends SourceOptions, TargetOptions {
  /** True to resume an interrupted import of the same file into the same database. */
  resume?: boolean | undefined;
  /** With `resume`: the file was changed since, but only after the place where it stopped. */
  changed?: boolean | undefined;
  /** True to forget an interrupted import and begin anew. */
  restart?: boolean | undefined;
  /** Fate of points at times that are stored already. @default {"never"} */
  mergePolicy?: NonNullable<InsertOptions["mergePolicy"]> | undefined;
  /** Name of the database in the records of interrupted imports, and in locks. @default {""} */
  target?: string | undefined;
  /** Folder of those records. @default {that of `$BTRDB_STATE_DIR`, else of the user} */
  stateFolder?: string | undefined;
  /** Is told how far the import is. */
  onProgress?: ((progress: ImportProgress) => void) | undefined;
  /** Is told what was found out and left out. */
  onNotice?: ((text: string) => void) | undefined;
  /** Is told what is probably wrong. */
  onWarning?: ((text: string) => void) | undefined;
}
