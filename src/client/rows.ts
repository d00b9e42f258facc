/**
 * Several streams side by side: rows of points that share a time.
 *
 * @module
 */

import { concatRaw, type RawColumns, sliceRaw } from "../core/columns.ts";
import { mergeTimes } from "../kernel/mod.ts";

/** The points of several streams at one time. */
export interface Row {
  /** ns since the Unix epoch, UTC. */
  time: bigint;
  /** One value a stream, in their order; `null` where a stream has no point at this time. */
  values: (number | null)[];
}

/** The points of one stream that are read but not yet given out. */
class Cursor {
  readonly #source: AsyncIterator<RawColumns>;
  #columns: RawColumns = concatRaw([]);
  #ended = false;

  constructor(source: AsyncIterator<RawColumns>) {
    this.#source = source;
  }

  /** Reads on until there is a point, or at least one more than now. */
  async read(): Promise<void> {
    const before = this.#columns.times.length;
    while (!this.#ended && this.#columns.times.length === before) {
      const next = await this.#source.next();
      if (next.done) this.#ended = true;
      else if (before === 0) this.#columns = next.value;
      else this.#columns = concatRaw([this.#columns, next.value]);
    }
  }

  get isEmpty(): boolean {
    return this.#columns.times.length === 0;
  }

  /** The time up to which, exclusive, no further point can come; `undefined` at the end. */
  get horizon(): bigint | undefined {
    return this.#ended ? undefined : this.#columns.times.at(-1);
  }

  /** Takes the points before a time; all of them without one. */
  take(before: bigint | undefined): RawColumns {
    const { times } = this.#columns;
    let n = times.length;
    if (before !== undefined) { while (n > 0 && times[n - 1]! >= before) n--; }
    const taken = sliceRaw(this.#columns, 0, n);
    this.#columns = sliceRaw(this.#columns, n, times.length);
    return taken;
  }

  async close(): Promise<void> {
    await this.#source.return?.();
  }
}

/**
 * Merges streams by time: points of equal time share a row, and several points of one stream with
 * the same time make several rows.
 *
 * @param sources One answer a stream, each ascending; they are closed at the end.
 */
export async function* mergeRows(
  sources: readonly AsyncIterator<RawColumns>[],
): AsyncIterableIterator<Row> {
  const cursors = sources.map((source) => new Cursor(source));
  try {
    await Promise.all(cursors.map((cursor) => cursor.read()));
    while (cursors.some((cursor) => !cursor.isEmpty)) {
      const before = earliest(cursors.map((cursor) => cursor.horizon));
      yield* rowsOf(cursors.map((cursor) => cursor.take(before)));
      if (before === undefined) return;
      const due = cursors.filter((cursor) => cursor.isEmpty || cursor.horizon === before);
      await Promise.all(due.map((cursor) => cursor.read()));
    }
  } finally {
    await Promise.all(cursors.map((cursor) => cursor.close()));
  }
}

function* rowsOf(streams: readonly RawColumns[]): Iterable<Row> {
  const { times, rows } = mergeTimes(streams.map((columns) => columns.times));
  for (let r = 0; r < times.length; r++) {
    const values = streams.map((columns, s) => columns.values[rows[s]![r]!] ?? null);
    yield { time: times[r]!, values };
  }
}

function earliest(times: readonly (bigint | undefined)[]): bigint | undefined {
  let least: bigint | undefined;
  for (const time of times) {
    if (time !== undefined && (least === undefined || time < least)) least = time;
  }
  return least;
}
