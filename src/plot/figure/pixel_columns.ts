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

/** Length of the memory of columns. @param length Number of columns. */
export function roomOf(length: number): number {
  return 5 * length;
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
   * @param room Memory that nothing else uses, of the length that `roomOf` says.
   */
  constructor(
    start: bigint,
    end: bigint,
    length: number,
    room: Float64Array = new Float64Array(roomOf(length)),
  ) {
    this.start = start;
    this.length = length;
    this.step = Number(end - start) / length;
    const part = (i: number) => room.subarray(i * length, (i + 1) * length);
    this.min = part(0).fill(Infinity);
    this.max = part(1).fill(-Infinity);
    this.mean = part(2).fill(0);
    this.count = part(3).fill(0);
    this.density = part(4).fill(0);
  }

  /**
   * Adds windows.
   *
   * @param windows Windows with points.
   * @param from Only those that begin at or after this moment, ns since the Unix epoch.
   * @param to Only those that begin before it.
   */
  add(windows: OffsetWindows, from: bigint, to: bigint): void {
    const { base, width } = windows;
    const shift = Number(base - this.start);
    // What a double does not hold of it, or windows at an edge are taken for windows behind it.
    const rest = Number(base - this.start - BigInt(shift));
    const [low, high] = [Number(from - base), Number(to - base)];
    const pixels = width / this.step;
    if (pixels > 1.000001) this.isExact = false;
    if (pixels > this.#windowPixels) this.#windowPixels = pixels;
    this.#reach = undefined;
    if (pixels <= 1) this.#addShort(windows, low, high, shift, rest);
    else this.#addLong(windows, low, high, shift, rest);
  }

  /** Adds windows that are no longer than a column: thousands in each frame. */
  #addShort(
    windows: OffsetWindows,
    low: number,
    high: number,
    shift: number,
    rest: number,
  ): void {
    const { offsets, width } = windows;
    const { length, step, min, mean, max, count, density } = this;
    const [pixels, half, last] = [width / step, width / 2, length - 1];
    for (let i = 0; i < offsets.length; i++) {
      const offset = offsets[i]!;
      if (offset >= high) break;
      if (offset < low && offset + width <= low) continue;
      const n = windows.count[i]!;
      const distance = shift + offset + rest;
      const place = distance / step;
      if (place >= length) break;
      // A window over an edge belongs to the column at that edge, also if rounding hides how far.
      if (n === 0 || place + pixels < -1e-9) continue;
      const x = Math.max(0, Math.min(last, Math.floor((distance + half) / step)));
      const [least, most] = [windows.min[i]!, windows.max[i]!];
      if (least < min[x]!) min[x] = least;
      if (most > max[x]!) max[x] = most;
      const before = count[x]!;
      count[x] = before + n;
      mean[x] = meanOf(mean[x]!, before, windows.mean[i]!, n);
      // Its points are shared between the one or two columns over which it lies.
      const first = Math.floor(place);
      const edge = first + 1 - place;
      const share = pixels > edge ? edge / pixels : 1;
      if (first >= 0) density[first]! += n * share;
      if (share < 1 && first < last) density[first + 1]! += n * (1 - share);
    }
  }

  /** Adds windows that are longer than a column, their points spread over the columns. */
  #addLong(windows: OffsetWindows, low: number, high: number, shift: number, rest: number): void {
    const { offsets, width } = windows;
    const { length, step, min, mean, max, count, density } = this;
    const pixels = width / step;
    for (let i = 0; i < offsets.length; i++) {
      const offset = offsets[i]!;
      if (offset >= high) break;
      if (offset + width <= low || windows.count[i] === 0) continue;
      const distance = shift + offset + rest;
      if (distance / step >= length) break;
      const cut = Math.min(offset + width, high);
      const last = Math.min(length - 1, Math.ceil((shift + cut) / step) - 1);
      const begin = Math.floor((offset < low ? shift + low : distance) / step);
      const n = windows.count[i]! / pixels;
      const [least, most] = [windows.min[i]!, windows.max[i]!];
      for (let x = Math.max(0, begin); x <= last; x++) {
        if (least < min[x]!) min[x] = least;
        if (most > max[x]!) max[x] = most;
        mean[x] = meanOf(mean[x]!, count[x]!, windows.mean[i]!, n);
        count[x]! += n;
        density[x]! += n;
      }
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
    const usual = this.#usualDistance();
    return Math.max(2, 1.5 * this.#windowPixels + 1, usual <= 1 ? 2 : GAP_FACTOR * usual);
  }

  /** Median of the distances of columns with points from one another. */
  #usualDistance(): number {
    const { length, count } = this;
    let [filled, adjacent] = [0, 0];
    for (let x = 0; x < length; x++) {
      if (count[x] === 0) continue;
      filled++;
      if (x > 0 && count[x - 1] !== 0) adjacent++;
    }
    const pairs = filled - 1;
    // Of two points alone nobody knows how far apart they usually are.
    if (pairs < 2) return Infinity;
    if (adjacent > pairs >> 1) return 1;
    // How many are so far apart: sorting the distances takes longer than drawing them.
    const apart = new Uint32Array(length);
    let last = -1;
    for (let x = 0; x < length; x++) {
      if (count[x] === 0) continue;
      if (last >= 0) apart[x - last]!++;
      last = x;
    }
    let usual = 0;
    for (let below = 0; below <= pairs >> 1;) below += apart[++usual]!;
    return usual;
  }

  /** Number of columns with points. */
  get filled(): number {
    let filled = 0;
    for (let x = 0; x < this.length; x++) if (this.count[x]! > 0) filled++;
    return filled;
  }
}

/** The mean of points of which some are known, after others. */
function meanOf(before: number, known: number, mean: number, n: number): number {
  if (known === 0) return mean;
  const all = known + n;
  const next = before + (mean - before) * n / all;
  // Differences of values near the largest double are none.
  return Number.isFinite(next) ? next : before * (1 - n / all) + mean * (n / all);
}
