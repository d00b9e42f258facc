/**
 * Windows as columns of pixels: whatever is in a window is in its column, so that a single sample
 * is seen at every zoom.
 *
 * @module
 */

/** Windows to draw, their times as distances from a moment. */
export interface OffsetWindows {
  /** Moment from which the distances are counted, ns since the Unix epoch. */
  readonly base: bigint;
  /** Starts of windows, ns after `base`, ascending. */
  readonly offsets: Float64Array;
  /** Length of a window, ns; 0 for points. */
  readonly width: number;
  readonly min: Float64Array;
  readonly mean: Float64Array;
  readonly max: Float64Array;
  readonly count: Float64Array;
}

/** A neighbour, as a multiple of the usual distance, from which on there is a gap. */
const GAP_FACTOR = 4;

/** A place between which and the view a line is drawn. */
export interface Neighbour {
  /** Place in pixels; below 0, or not below the number of columns. */
  readonly x: number;
  readonly value: number;
}

/** Columns of pixels. */
export class PixelColumns {
  /** Number of columns. */
  readonly length: number;
  /** Smallest value; Infinity where there are no points. */
  readonly min: Float64Array;
  /** Mean; 0 where there are no points. */
  readonly mean: Float64Array;
  /** Largest value; −Infinity where there are no points. */
  readonly max: Float64Array;
  /** Number of points. */
  readonly count: Float64Array;
  /** Number of points, those of a window over the edge of a column shared between both columns. */
  readonly density: Float64Array;
  /** Time of the first column, ns since the Unix epoch. */
  readonly start: bigint;
  /** Length of a column, ns. */
  readonly step: number;
  /** True unless windows are longer than a column: then counts are spread over the columns. */
  isExact = true;
  /** True once everything in the range is here. */
  isComplete = true;
  /** The last value before the range, and the first one behind it. */
  before: Neighbour | undefined;
  after: Neighbour | undefined;
  #windowPixels = 0;
  #reach: number | undefined;

  /**
   * @param start Start of the first column, ns since the Unix epoch.
   * @param end End of the last column.
   * @param length Number of columns.
   */
  constructor(start: bigint, end: bigint, length: number) {
    this.start = start;
    this.length = length;
    this.step = Number(end - start) / length;
    this.min = new Float64Array(length).fill(Infinity);
    this.mean = new Float64Array(length);
    this.max = new Float64Array(length).fill(-Infinity);
    this.count = new Float64Array(length);
    this.density = new Float64Array(length);
  }

  /**
   * Adds windows.
   *
   * @param windows Windows with points.
   * @param from Only those that begin at or after this moment, ns since the Unix epoch.
   * @param to Only those that begin before it.
   */
  add(windows: OffsetWindows, from: bigint, to: bigint): void {
    const { base, offsets, width, min, mean, max, count } = windows;
    const { length, step } = this;
    const shift = Number(base - this.start);
    // What a double does not hold of it, or windows at an edge are taken for windows behind it.
    const rest = Number(base - this.start - BigInt(shift));
    const [low, high] = [Number(from - base), Number(to - base)];
    const pixels = width / step;
    if (pixels > 1.000001) this.isExact = false;
    if (pixels > this.#windowPixels) this.#windowPixels = pixels;
    const half = pixels > 1 ? 0 : width / 2;
    for (let i = 0; i < offsets.length; i++) {
      const offset = offsets[i]!;
      if ((offset < low && offset + width <= low) || offset >= high) continue;
      const n = count[i]!;
      if (n === 0) continue;
      const distance = shift + offset + rest;
      const place = distance / step;
      if (place >= length) break;
      const first = Math.floor((distance + half) / step);
      if (pixels <= 1) {
        // A window over an edge belongs to the column at that edge, also if rounding hides how far.
        if (place + pixels < -1e-9) continue;
        const x = Math.max(0, Math.min(length - 1, first));
        this.#put(x, min[i]!, mean[i]!, max[i]!, n);
        this.#spread(place, pixels, n);
        continue;
      }
      const cut = Math.min(offset + width, high);
      const last = Math.min(length - 1, Math.ceil((shift + cut) / step) - 1);
      const begin = offset < low ? Math.floor((shift + low) / step) : first;
      for (let x = Math.max(0, begin); x <= last; x++) {
        this.#put(x, min[i]!, mean[i]!, max[i]!, n / pixels);
        this.density[x]! += n / pixels;
      }
    }
  }

  #put(x: number, min: number, mean: number, max: number, n: number): void {
    if (min < this.min[x]!) this.min[x] = min;
    if (max > this.max[x]!) this.max[x] = max;
    const all = this.count[x]! + n;
    const before = this.mean[x]!;
    const next = before + (mean - before) * n / all;
    // Differences of values near the largest double are none.
    this.mean[x] = Number.isFinite(next) ? next : before * (1 - n / all) + mean * (n / all);
    this.count[x] = all;
    this.#reach = undefined;
  }

  /** Shares the points of a window that is no longer than a column between one or two of them. */
  #spread(place: number, pixels: number, n: number): void {
    const first = Math.floor(place);
    const edge = first + 1 - place;
    const share = pixels > edge ? edge / pixels : 1;
    if (first >= 0) this.density[first]! += n * share;
    if (share < 1 && first + 1 >= 0 && first + 1 < this.length) {
      this.density[first + 1]! += n * (1 - share);
    }
  }

  /** Smallest and largest value, or undefined if there are no points. */
  get extent(): readonly [low: number, high: number] | undefined {
    let [low, high] = [Infinity, -Infinity];
    for (let x = 0; x < this.length; x++) {
      if (this.min[x]! < low) low = this.min[x]!;
      if (this.max[x]! > high) high = this.max[x]!;
    }
    for (const neighbour of [this.before, this.after]) {
      if (neighbour === undefined) continue;
      low = Math.min(low, neighbour.value);
      high = Math.max(high, neighbour.value);
    }
    return low <= high ? [low, high] : undefined;
  }

  /** Columns between two neighbours that a line joins; further apart is a gap. */
  get reach(): number {
    this.#reach ??= this.#findReach();
    return this.#reach;
  }

  #findReach(): number {
    // How many are so far apart: sorting the distances takes longer than drawing them.
    const apart = new Uint32Array(this.length);
    let [last, pairs] = [-1, 0];
    for (let x = 0; x < this.length; x++) {
      if (this.count[x] === 0) continue;
      if (last >= 0) {
        apart[x - last]!++;
        pairs++;
      }
      last = x;
    }
    // Of two points alone nobody knows how far apart they usually are.
    let usual = pairs < 2 ? Infinity : 0;
    for (let below = 0; pairs >= 2 && below <= pairs >> 1;) below += apart[++usual]!;
    return Math.max(2, 1.5 * this.#windowPixels + 1, usual <= 1 ? 2 : GAP_FACTOR * usual);
  }

  /** Number of columns with points. */
  get filled(): number {
    let filled = 0;
    for (let x = 0; x < this.length; x++) if (this.count[x]! > 0) filled++;
    return filled;
  }
}
