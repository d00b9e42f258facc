/**
 * The interface of columnar files, such as Parquet and Arrow: fields with types, and their values in
 * batches of rows.
 *
 * @module
 */

/**
 * Kind of a field: numbers, instants or local times, days, times of day, durations, text, and what
 * cannot be points.
 */
export type ColumnarKind =
  | "number"
  | "timestamp"
  | "date"
  | "clock"
  | "duration"
  | "text"
  | "other";

/** A column of a columnar file. */
export interface ColumnarField {
  /** Its name. */
  readonly name: string;
  /** Its kind. */
  readonly kind: ColumnarKind;
  /** Its type in words, for people, e.g. `a list`. */
  readonly type: string;
  /** Unit of times, ns. */
  readonly unit?: bigint | undefined;
  /** True if timestamps are instants; else they are local times. */
  readonly utc?: boolean | undefined;
  /** True if numbers are whole. */
  readonly whole?: boolean | undefined;
}

/** Values of a column: numbers with NaN for null, times in the field's unit, or text. */
export type ColumnarValues =
  | Float64Array
  | BigInt64Array
  | readonly (bigint | null | undefined)[]
  | readonly (string | null | undefined)[];

/** Some rows. */
export interface ColumnarBatch {
  /** Number of its first row in the file, from 0. */
  readonly rowStart: number;
  /** Number of rows. */
  readonly rows: number;
  /** Values of each column asked for. */
  readonly columns: readonly ColumnarValues[];
}

/** A columnar file that is open. */
export interface ColumnarFile extends AsyncDisposable {
  /** Its columns. */
  readonly fields: readonly ColumnarField[];
  /** Number of rows, where it is known. */
  readonly rows?: number | undefined;
  /** True if this package wrote it: its columns are named after streams. */
  readonly isOwn: boolean;
  /** Warnings about the bytes read so far. */
  readonly warnings?: readonly string[];
  /** Numbers read so far that no double holds, by the field: whole ones and decimals. */
  readonly rounded: ReadonlyMap<string, number>;
  /**
   * Reads columns. Those of a batch may be gone when the next one is asked for.
   *
   * @param names Of fields that are not of the kind `other`.
   * @param fromRow Row to begin with.
   * @param exact Names of whole numbers that are wanted as bigints.
   */
  read(
    names: readonly string[],
    fromRow?: number,
    exact?: readonly string[],
  ): AsyncIterable<ColumnarBatch>;
}

/** Whole numbers as bigints, null where there is none. */
export function bigintsOf(data: ArrayLike<unknown>): ColumnarValues {
  if (data instanceof BigInt64Array) return data;
  return Array.from(data, (value) => {
    return value === null || value === undefined ? null : BigInt(value as bigint | number);
  });
}
