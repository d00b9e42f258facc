/**
 * The points just outside of a view. Between two samples of a stream there is nothing to see but
 * the line that joins them: it is drawn if they are no further apart than samples there usually are.
 *
 * @module
 */

import type { PixelColumns } from "../../plot/figure/pixel_columns.ts";

/** A point. */
export interface NearPoint {
  readonly time: bigint;
  readonly value: number;
}

/** Options of {@linkcode LineEnds}. */
export interface LineEndsOptions {
  /** The first point at or after a time, or with `backward` the last one before it. */
  readonly nearest: (
    uuid: string,
    version: bigint,
    time: bigint,
    backward: boolean,
  ) => Promise<NearPoint | null>;
  /** Called when something was read. */
  readonly onChange: () => void;
}

/** Columns with points, up to which a view is looked at as sparse. */
const SPARSE = 40;

/** Distance, as a multiple of the usual one, from which on there is a gap. */
const GAP_FACTOR = 4;

/** Gaps between samples that are remembered. */
const MAX_KNOWN = 500;

/** Points around a moment: the last two before it and the first two behind it, if there are any. */
interface Around {
  readonly before: readonly NearPoint[];
  readonly after: readonly NearPoint[];
}

/** Finds the points outside of views. */
export class LineEnds {
  readonly #options: LineEndsOptions;
  readonly #known = new Map<string, Around[]>();
  readonly #asking = new Set<string>();

  constructor(options: LineEndsOptions) {
    this.#options = options;
  }

  /** Adds the points outside to sparse columns, and asks for them if they are not known. */
  complete(uuid: string, version: bigint, columns: PixelColumns, end: bigint): void {
    if (!columns.isComplete || columns.filled > SPARSE) return;
    const key = `${uuid}/${version}`;
    const before = this.#find(key, columns.start)?.before;
    const after = this.#find(key, end)?.after;
    if (before === undefined) void this.#ask(uuid, version, columns.start);
    if (after === undefined) void this.#ask(uuid, version, end);
    if (before === undefined || after === undefined) return;
    attach(columns, before, after);
  }

  /** Forgets what is known of the latest version of a stream. */
  invalidate(uuid?: string): void {
    if (uuid === undefined) this.#known.clear();
    else this.#known.delete(`${uuid}/0`);
  }

  #find(key: string, time: bigint): Around | undefined {
    return this.#known.get(key)?.find(({ before, after }) =>
      (before.length === 0 || before[0]!.time < time) &&
      (after.length === 0 || after[0]!.time >= time)
    );
  }

  async #ask(uuid: string, version: bigint, time: bigint): Promise<void> {
    const key = `${uuid}/${version}`;
    if (this.#asking.has(key)) return;
    this.#asking.add(key);
    const { nearest, onChange } = this.#options;
    try {
      const around: Around = {
        before: await twoFrom(time, (at) => nearest(uuid, version, at, true), 0n),
        after: await twoFrom(time, (at) => nearest(uuid, version, at, false), 1n),
      };
      const known = this.#known.get(key) ?? [];
      known.unshift(around);
      if (known.length > MAX_KNOWN) known.pop();
      this.#known.set(key, known);
      onChange();
    } catch {
      // The line is drawn without its ends; the next view asks again.
    } finally {
      this.#asking.delete(key);
    }
  }
}

async function twoFrom(
  time: bigint,
  next: (time: bigint) => Promise<NearPoint | null>,
  step: bigint,
): Promise<NearPoint[]> {
  const first = await next(time);
  if (first === null) return [];
  const second = await next(first.time + step);
  return second === null ? [first] : [first, second];
}

/** Joins the points outside to the columns, unless there is a gap between them. */
function attach(
  columns: PixelColumns,
  before: readonly NearPoint[],
  after: readonly NearPoint[],
): void {
  const { length, count, step, start } = columns;
  const xOf = (time: bigint) => Number(time - start) / step - 0.5;
  let [first, last] = [-1, -1];
  for (let x = 0; x < length; x++) {
    if (count[x] === 0) continue;
    if (first < 0) first = x;
    last = x;
  }
  const distances = [before, after].flatMap(([a, b]) =>
    a === undefined || b === undefined ? [] : [Math.abs(Number(b.time - a.time)) / step]
  );
  const reach = GAP_FACTOR * Math.max(0, ...distances);
  const [left, right] = [before[0], after[0]];
  const isEmpty = first < 0;
  if (isEmpty) {
    if (left === undefined || right === undefined) return;
    if (xOf(right.time) - xOf(left.time) > reach) return;
  }
  if (left !== undefined && (isEmpty || first - xOf(left.time) <= reach)) {
    columns.before = { x: xOf(left.time), value: left.value };
  }
  if (right !== undefined && (isEmpty || xOf(right.time) - last <= reach)) {
    columns.after = { x: xOf(right.time), value: right.value };
  }
}
