/**
 * Raw columns that grow at their end.
 *
 * @module
 */

import { allocRaw, emptyRaw, type RawColumns, sliceRaw } from "../core/columns.ts";

/** Collects points until they are taken. */
export class GrowingColumns {
  #columns: RawColumns = emptyRaw();
  #length = 0;

  /** Makes room for so many more points, so that appending them does not have to grow. */
  reserve(points: number): void {
    if (this.#length + points > this.#columns.times.length) this.#grow(this.#length + points);
  }

  /** Copies points to the end. */
  append(times: BigInt64Array, values: Float64Array): void {
    const length = this.#length + times.length;
    if (length > this.#columns.times.length) this.#grow(Math.max(length, 2 * this.#length));
    this.#columns.times.set(times, this.#length);
    this.#columns.values.set(values, this.#length);
    this.#length = length;
  }

  /** All points since the last call; they belong to the caller. */
  take(): RawColumns {
    const { times, values } = this.#columns;
    const n = this.#length;
    this.#columns = emptyRaw();
    this.#length = 0;
    if (n === times.length) return { times, values };
    return { times: times.slice(0, n), values: values.slice(0, n) };
  }

  #grow(capacity: number): void {
    const { times, values } = sliceRaw(this.#columns, 0, this.#length);
    this.#columns = allocRaw(capacity);
    this.#columns.times.set(times);
    this.#columns.values.set(values);
  }
}
