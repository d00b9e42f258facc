/**
 * Columns of the rows of a table.
 *
 * @module
 */

import type { RawColumns } from "../core/columns.ts";

/** Collects the points of columns, which share their times while every row has a value in each. */
export class TableColumns {
  readonly #count: number;
  #times: BigInt64Array[] = [];
  #values: Float64Array[] = [];
  #lengths: number[] = [];
  /** Rows for which new columns have room. */
  #room = 0;

  /** @param count Number of columns. */
  constructor(count: number) {
    this.#count = count;
    this.#clear();
  }

  /** Notes how many rows will come, so that appending them does not have to grow. */
  expect(rows: number): void {
    this.#room = rows;
  }

  /**
   * Copies rows that have a value in every column to the end.
   *
   * @param times Times of the rows.
   * @param values The values of a column.
   */
  appendRows(times: BigInt64Array, values: (column: number) => Float64Array): void {
    if (times.length === 0 || this.#count === 0) return;
    if (!this.#shares) {
      for (let c = 0; c < this.#count; c++) this.append(c, times, values(c), times.length);
      return;
    }
    const from = this.#lengths[0]!;
    const length = from + times.length;
    this.#times[0] = roomFor(this.#times[0]!, from, length, this.#room);
    this.#times[0].set(times, from);
    for (let c = 0; c < this.#count; c++) {
      this.#values[c] = roomFor(this.#values[c]!, from, length, this.#room);
      this.#values[c]!.set(values(c), from);
    }
    this.#lengths[0] = length;
  }

  /**
   * Copies the points of some rows to the end of one column, which has times of its own from then on.
   *
   * @param column Number of the column.
   * @param times Times of the points.
   * @param values Their values.
   * @param rows Number of the rows; as large a part of the rows to come is taken to have a value.
   */
  append(column: number, times: BigInt64Array, values: Float64Array, rows: number): void {
    if (this.#shares) this.#part();
    const from = this.#lengths[column]!;
    const length = from + times.length;
    const room = Math.ceil(this.#room * times.length / rows);
    this.#times[column] = roomFor(this.#times[column]!, from, length, room);
    this.#times[column]!.set(times, from);
    this.#values[column] = roomFor(this.#values[column]!, from, length, room);
    this.#values[column]!.set(values, from);
    this.#lengths[column] = length;
  }

  /** All points since the last call. */
  take(): RawColumns[] {
    const shares = this.#shares;
    const times = this.#times.map((column, c) => trimmed(column, this.#lengths[c]!));
    const columns = this.#values.map((column, c): RawColumns => {
      const t = times[shares ? 0 : c]!;
      return { times: t, values: trimmed(column, t.length) };
    });
    this.#clear();
    return columns;
  }

  get #shares(): boolean {
    return this.#times.length === 1;
  }

  #clear(): void {
    this.#times = [new BigInt64Array(0)];
    this.#lengths = [0];
    this.#values = Array.from({ length: this.#count }, () => new Float64Array(0));
  }

  /** Gives every column times of its own. */
  #part(): void {
    const [times, length] = [this.#times[0]!, this.#lengths[0]!];
    this.#times = this.#values.map((_, c) => c === 0 ? times : times.slice());
    this.#lengths = this.#values.map(() => length);
  }
}

/** A column with room for `length` elements, `room` where it has none yet; its first `used` are kept. */
function roomFor<T extends BigInt64Array | Float64Array>(
  column: T,
  used: number,
  length: number,
  room: number,
): T {
  if (length <= column.length) return column;
  const size = Math.max(length, used === 0 ? room : 2 * used);
  const larger = new (column.constructor as new (length: number) => T)(size);
  if (used > 0) larger.set(column.subarray(0, used) as never);
  return larger;
}

/** The first elements of a column: itself where few are left out. */
function trimmed<T extends BigInt64Array | Float64Array>(column: T, length: number): T {
  const part = column.length - length <= length >> 3
    ? column.subarray(0, length)
    : column.slice(0, length);
  return part as T;
}
