/**
 * Turns points into windows of one width, batch by batch.
 *
 * @module
 */

import { allocStat, concatStat, type RawColumns, type StatColumns } from "../core/columns.ts";
import { checkObject } from "../core/check_object.ts";
import { checkBigint, checkMode, checkPoints, checkRange, isRaw } from "./arguments.ts";
import { type Arena, arena, CHUNK, columnBytes } from "./arena.ts";
import { outOfRange } from "../core/argument_error.ts";

/** Options of windows. */
export interface RewindowOptions {
  /** Start of the first window, ns since the Unix epoch, UTC. */
  start: bigint;
  /** End, exclusive, rounded down to a whole window: there are ⌊(end − start) / width⌋ windows. */
  end: bigint;
  /** ns, 1 to 2^63. */
  width: bigint;
  /**
   * `"sparse"` leaves out windows without points, `"dense"` has every window. @default {"sparse"}
   */
  mode?: "sparse" | "dense" | undefined;
  /** True to compute `stddev`; from windows this needs theirs. @default {false} */
  stddev?: boolean | undefined;
}

/** Bytes of the state, and its fields; see wasm/rewindow.ts. */
const STATE_BYTES = 128;
const State = { Windows: 18, Dense: 19, Deviation: 20, Status: 21 } as const;
/** Values of the status. */
const FULL = 1;

/** Windows per batch. */
const BATCH = 8_192;
/**
 * Windows given in per call: six columns of them take as much as two of {@linkcode CHUNK} points.
 */
const STAT_CHUNK = 16_384;
const ACTION = "compute windows";
const MIN_INT64 = -(1n << 63n);
const MAX_UINT64 = (1n << 64n) - 1n;

/** Checks the options and says how many windows there are. */
export function countWindows(options: RewindowOptions): bigint {
  checkObject(ACTION, "options", options);
  const { start, end, width } = options;
  checkBigint(ACTION, "width", width, 1n, 1n << 63n, "1 to 2^63");
  checkRange(ACTION, start, end);
  checkMode(ACTION, options.mode);
  const windows = (end - start) / width;
  return windows < MAX_UINT64 ? windows : MAX_UINT64;
}

/**
 * Turns points into windows of one width, batch by batch, in constant memory. Batches come in order of
 * time; all are raw points, or all are windows, which belong where they start. Standard deviations
 * are those of the population.
 *
 * @example Points that arrive in batches
 * ```ts
 * import { Rewindower } from "@btrdb/btrdb/kernel";
 * import { assertEquals } from "@std/assert";
 *
 * const windows = new Rewindower({ start: 0n, end: 20n, width: 10n });
 * const done = windows.push({ times: BigInt64Array.of(1n, 12n), values: Float64Array.of(4, 6) });
 * assertEquals([...done.times], [0n]);
 * assertEquals([...windows.finish().mean], [6]);
 * ```
 */
export class Rewindower {
  readonly #state: Uint32Array<ArrayBuffer> = new Uint32Array(STATE_BYTES / 4);
  readonly #stddev: boolean;
  #last = MIN_INT64;
  #given = 0;

  /**
   * Begins before the first window.
   *
   * @param options Windows to make.
   * @throws {TypeError} If an option is of the wrong type.
   * @throws {RangeError} If `width` is not within 1 to 2^63, `start` is after `end`, or `mode` is
   * neither of the two.
   */
  constructor(options: RewindowOptions) {
    const windows = countWindows(options);
    this.#stddev = options.stddev ?? false;
    const fields = new BigUint64Array(this.#state.buffer);
    fields[0] = BigInt.asUintN(64, options.start);
    fields[1] = options.width;
    fields[2] = windows;
    this.#state[State.Dense] = options.mode === "dense" ? 1 : 0;
    this.#state[State.Deviation] = this.#stddev ? 1 : 0;
  }

  /**
   * Takes points in.
   *
   * @param columns Points, or windows, not before those given before.
   * @returns The windows that are finished now.
   * @throws {RangeError} If the times are not ascending, columns differ in length, or `stddev` is
   * wanted of windows without it.
   */
  push(columns: RawColumns | StatColumns): StatColumns {
    return this.#join([...this.batches(columns)]);
  }

  /** The windows that are left once all points are in. */
  finish(): StatColumns {
    return this.#join([...this.rest()]);
  }

  /** As {@linkcode Rewindower.push}, in batches of at most 8,192 windows. */
  *batches(columns: RawColumns | StatColumns): Generator<StatColumns, void, undefined> {
    const raw = this.#check(columns);
    const n = columns.times.length;
    const step = raw ? CHUNK : STAT_CHUNK;
    for (let at = 0; at < n; at += step) {
      const length = Math.min(step, n - at);
      let used = 0, isChecked = false;
      while (used < length) {
        const a = this.#reserve(raw ? 2 : 6, step);
        copyIn(a, a.base + STATE_BYTES, columnBytes(step), columns, at + used, at + length);
        // Not again where a batch of empty windows was full before the first point was used.
        if (!isChecked) this.#ascending(a, length);
        isChecked = true;
        used += this.#call(a, raw, step, length - used);
        const windows = this.#state[State.Windows]!;
        if (windows > 0) yield this.#take(a, raw ? 2 : 6, step, windows);
      }
      this.#given += length;
    }
  }

  /** As {@linkcode Rewindower.finish}, in batches of at most 8,192 windows. */
  *rest(): Generator<StatColumns, void, undefined> {
    do {
      const a = this.#reserve(0, 0);
      a.u32.set(this.#state, a.base >>> 2);
      a.exports.rewindowEnd(a.base, a.base + STATE_BYTES, columnBytes(BATCH), BATCH);
      this.#keep(a);
      const windows = this.#state[State.Windows]!;
      if (windows > 0) yield this.#take(a, 0, 0, windows);
    } while (this.#state[State.Status] === FULL);
  }

  /** Checks columns; whether they are raw ones. */
  #check(columns: RawColumns | StatColumns): boolean {
    if (checkPoints(ACTION, columns)) return true;
    if (this.#stddev && (columns as StatColumns).stddev === undefined) {
      throw outOfRange(`Cannot ${ACTION}: stddev is wanted, expected windows that have it`);
    }
    return false;
  }

  /** Memory for the state, `columns` columns of `length` elements, and a batch of windows. */
  #reserve(columns: number, length: number): Arena {
    const inputs = columns === 0 ? 0 : columns * columnBytes(length);
    return arena(STATE_BYTES + inputs + 6 * columnBytes(BATCH));
  }

  /** Sees to it that times ascend, within the chunk and from the one before it. */
  #ascending(a: Arena, length: number): void {
    const times = a.base + STATE_BYTES;
    const bad = a.exports.firstUnsorted(times, length, this.#last);
    if (bad < length) {
      const time = a.i64[(times >>> 3) + bad];
      const before = bad === 0 ? this.#last : a.i64[(times >>> 3) + bad - 1];
      throw outOfRange(
        `Cannot ${ACTION}: times[${this.#given + bad}] is ${time}, expected at least ${before}, ` +
          `the time before it`,
      );
    }
    this.#last = a.i64[(times >>> 3) + length - 1]!;
  }

  /** One call of the kernel on `length` points that are in the arena; how many it used. */
  #call(a: Arena, raw: boolean, step: number, length: number): number {
    const inputs = a.base + STATE_BYTES;
    const outputs = inputs + (raw ? 2 : 6) * columnBytes(step);
    a.u32.set(this.#state, a.base >>> 2);
    const used = a.exports.rewindow(
      a.base,
      !raw,
      inputs,
      columnBytes(step),
      0,
      length,
      outputs,
      columnBytes(BATCH),
      BATCH,
    );
    this.#keep(a);
    return used;
  }

  /** Takes the state back out of the arena. */
  #keep(a: Arena): void {
    this.#state.set(a.u32.subarray(a.base >>> 2, (a.base + STATE_BYTES) >>> 2));
  }

  /** Copies the finished windows out. */
  #take(a: Arena, columns: number, step: number, n: number): StatColumns {
    const outputs = a.base + STATE_BYTES + (columns === 0 ? 0 : columns * columnBytes(step));
    const at = (k: number) => (outputs + k * columnBytes(BATCH)) >>> 3;
    const doubles = (k: number) => a.f64.slice(at(k), at(k) + n);
    const windows: StatColumns = {
      times: a.i64.slice(at(0), at(0) + n),
      min: doubles(1),
      mean: doubles(2),
      max: doubles(3),
      count: a.u64.slice(at(4), at(4) + n),
    };
    if (this.#stddev) windows.stddev = doubles(5);
    return windows;
  }

  /** All batches in one. */
  #join(batches: StatColumns[]): StatColumns {
    if (batches.length === 0) return allocStat(0, this.#stddev);
    return batches.length === 1 ? batches[0]! : concatStat(batches);
  }
}

/** Copies the points `[from, to)` into columns at `p`. */
function copyIn(
  a: Arena,
  p: number,
  column: number,
  columns: RawColumns | StatColumns,
  from: number,
  to: number,
): void {
  const at = (k: number) => (p + k * column) >>> 3;
  a.i64.set(columns.times.subarray(from, to), at(0));
  if (isRaw(columns)) {
    a.f64.set(columns.values.subarray(from, to), at(1));
    return;
  }
  a.f64.set(columns.min.subarray(from, to), at(1));
  a.f64.set(columns.mean.subarray(from, to), at(2));
  a.f64.set(columns.max.subarray(from, to), at(3));
  a.u64.set(columns.count.subarray(from, to), at(4));
  if (columns.stddev !== undefined) a.f64.set(columns.stddev.subarray(from, to), at(5));
}
