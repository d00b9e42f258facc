/**
 * The windows that a BTrDB 4.15.9 answers, with its mistakes (docs/protocol.md, "Quirks of real
 * servers": the four that begin with `windows-`): a model of its walk over the tree and of how it
 * merges unflushed points in.
 */

/** Points of one stream, as the server holds them. */
export interface RealPoints {
  /** Points in the tree, by time. */
  readonly flushed: readonly Point[];
  /** Points in the buffer, in the order of arrival. */
  readonly unflushed: readonly Point[];
}

/** A point. */
export type Point = readonly [time: bigint, value: number];

/** A window, as it is sent. */
export interface RealWindow {
  time: bigint;
  min: number;
  mean: number;
  max: number;
  count: bigint;
}

/** Children of an inner node, and points that a leaf holds. */
const [CHILDREN, LEAF_POINTS] = [64n, 1024];
/** Width of a child of the root, as a power of two, and where the root begins. */
const [ROOT_CHILD_BITS, ROOT_START] = [56n, -(16n << 56n)];

/**
 * Answers `Windows` at the latest version.
 *
 * @param start Start of the first window.
 * @param end End of the last one, rounded to whole windows.
 */
export function realWindows(
  { flushed, unflushed }: RealPoints,
  start: bigint,
  end: bigint,
  width: bigint,
): RealWindow[] {
  const tree = flushed.length === 0
    ? emptyTree(start, end, width)
    : new Walk(flushed, start, end, width).run();
  return merge(tree, bufferWindows(unflushed, start, end, width));
}

/** Without a tree the last window is missing. */
function emptyTree(start: bigint, end: bigint, width: bigint): RealWindow[] {
  const windows: RealWindow[] = [];
  for (let time = start; time + width < end; time += width) windows.push(none(time));
  return windows;
}

function none(time: bigint): RealWindow {
  return { time, min: 0, mean: 0, max: 0, count: 0n };
}

/** The walk over the tree. A window is sent when something behind it is met: the last may never be. */
class Walk {
  readonly #points: readonly Point[];
  readonly #end: bigint;
  readonly #width: bigint;
  readonly #sent: RealWindow[] = [];
  #window: RealWindow;
  #total = 0;
  #next: bigint;
  #active = false;
  #done = false;

  constructor(points: readonly Point[], start: bigint, end: bigint, width: bigint) {
    this.#points = points;
    this.#end = end;
    this.#width = width;
    this.#window = none(start);
    this.#next = start;
  }

  run(): RealWindow[] {
    this.#inner(ROOT_START, ROOT_CHILD_BITS, this.#points);
    return this.#sent;
  }

  #inner(begin: bigint, bits: bigint, points: readonly Point[]): void {
    const size = 1n << bits;
    for (let i = 0n; i < CHILDREN && !this.#done; i++) {
      const from = begin + i * size;
      const to = from + size;
      const inside = points.filter(([time]) => time >= from && time < to);
      if (to <= this.#next) {
        if (!this.#active) continue;
        this.#add(inside);
        if (to < this.#next) continue;
        this.#send();
        if (this.#next >= this.#end) this.#done = true;
        else this.#next += this.#width;
      } else if (inside.length > 0) {
        if (inside.length <= LEAF_POINTS || bits === 2n) this.#leaf(inside);
        else this.#inner(from, bits - 6n, inside);
      } else {
        this.#hole(to);
      }
    }
  }

  /** The last window is given up as soon as the one before it ends within a hole. */
  #hole(to: bigint): void {
    if (!this.#active) {
      this.#window.time = this.#next;
      this.#active = true;
      this.#next += this.#width;
    }
    while (this.#next <= to) {
      this.#send();
      this.#next += this.#width;
      if (this.#next >= this.#end) {
        this.#done = true;
        return;
      }
    }
  }

  #leaf(points: readonly Point[]): void {
    for (const point of points) {
      if (point[0] < this.#next) {
        if (this.#active) this.#add([point]);
        continue;
      }
      if (!this.#active) {
        this.#active = true;
        this.#next += this.#width;
      }
      while (point[0] >= this.#next) {
        this.#send();
        if (this.#next >= this.#end) {
          this.#done = true;
          return;
        }
        this.#next += this.#width;
      }
      this.#add([point]);
    }
  }

  #add(points: readonly Point[]): void {
    const window = this.#window;
    for (const [, value] of points) {
      if (window.count === 0n || value < window.min) window.min = value;
      if (window.count === 0n || value > window.max) window.max = value;
      this.#total += value;
      window.count++;
    }
  }

  #send(): void {
    const window = this.#window;
    if (window.count > 0n) window.mean = this.#total / Number(window.count);
    this.#sent.push(window);
    this.#window = none(window.time + this.#width);
    this.#total = 0;
  }
}

/** Windows of the unflushed points, without empty ones; a point at `end` is let in. */
function bufferWindows(
  points: readonly Point[],
  start: bigint,
  end: bigint,
  width: bigint,
): RealWindow[] {
  const windows = new Map<bigint, RealWindow>();
  for (const [time, value] of points) {
    if (time < start || time > end) continue;
    const begin = start + (time - start) / width * width;
    const window = windows.get(begin) ?? { ...none(begin), min: Infinity, max: -Infinity };
    window.min = Math.min(window.min, value);
    window.max = Math.max(window.max, value);
    window.mean = (window.mean * Number(window.count) + value) / Number(window.count + 1n);
    window.count++;
    windows.set(begin, window);
  }
  return [...windows.values()].sort((a, b) => a.time < b.time ? -1 : 1);
}

/** Minimum and maximum of an empty window of the tree, 0, count as if they were values. */
function merge(tree: readonly RealWindow[], buffer: readonly RealWindow[]): RealWindow[] {
  const merged = new Map(tree.map((window) => [window.time, window]));
  for (const window of buffer) {
    const other = merged.get(window.time);
    merged.set(window.time, other === undefined ? window : both(other, window));
  }
  return [...merged.values()].sort((a, b) => a.time < b.time ? -1 : 1);
}

function both(tree: RealWindow, buffer: RealWindow): RealWindow {
  const count = tree.count + buffer.count;
  return {
    time: tree.time,
    min: Math.min(tree.min, buffer.min),
    max: Math.max(tree.max, buffer.max),
    mean: (tree.mean * Number(tree.count) + buffer.mean * Number(buffer.count)) / Number(count),
    count,
  };
}
