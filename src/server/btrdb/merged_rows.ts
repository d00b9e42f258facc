/**
 * Raw values of several streams side by side: rows of one time each, made while the streams arrive,
 * in memory that does not grow with their length.
 *
 * @module
 */

import { concatRaw, emptyRaw, sliceRaw } from "../../core/columns.ts";
import type { RawColumns } from "../../core/columns.ts";
import type { CallOptions, Endpoint, RawChunk, Version } from "../../endpoint/endpoint.ts";
import { mergeTimes } from "../../kernel/merge_times.ts";

/** What is asked. */
export interface MergedRequest {
  uuids: readonly Uint8Array[];
  /** One a stream; 0 is the latest. */
  versions: readonly bigint[];
  start: bigint;
  end: bigint;
  /**
   * Grid the times are moved to, ns: each to the nearest multiple, of several points at one place
   * the last. 0: times stay as they are.
   */
  periodNs: bigint;
}

/** Some rows. */
export interface MergedRows {
  /** Time of each row, ascending; one that a stream has several points at comes as often. */
  times: BigInt64Array;
  /** One column a stream, NaN where it has no point. */
  values: Float64Array[];
  /** Which versions answered. */
  versions: readonly Version[];
}

/** One stream on its way. */
class Source {
  readonly #chunks: AsyncIterator<RawChunk, unknown, undefined>;
  readonly #periodNs: bigint;
  version: Version = { major: 0n, minor: 0n };
  /** Points that are here and not in a row yet. */
  held: RawColumns = emptyRaw();
  done = false;

  constructor(chunks: AsyncIterator<RawChunk, unknown, undefined>, periodNs: bigint) {
    this.#chunks = chunks;
    this.#periodNs = periodNs;
  }

  /** Time of the last point here. */
  get last(): bigint | undefined {
    return this.held.times.at(-1);
  }

  /** Gets the next batch that has points. */
  async pull(): Promise<void> {
    const before = this.held.times.length;
    while (!this.done && this.held.times.length === before) {
      const next = await this.#chunks.next();
      if (next.done === true) {
        this.done = true;
        return;
      }
      this.version = next.value.version;
      const joined = concatRaw([this.held, next.value.columns]);
      this.held = this.#periodNs > 0n ? snap(joined, this.#periodNs) : joined;
      // On a grid, points may all fall together with those that are here.
      if (this.held.times.length < before) return;
    }
  }

  async close(): Promise<void> {
    await this.#chunks.return?.(undefined);
  }
}

/**
 * The rows of several streams.
 *
 * @param endpoint What answers.
 * @param request Which streams and range.
 * @param options Signal and deadline.
 * @returns At least one batch, so that the versions are known.
 */
export async function* mergedRows(
  endpoint: Endpoint,
  request: MergedRequest,
  options: CallOptions,
): AsyncGenerator<MergedRows, void, void> {
  const { start, end, periodNs } = request;
  const sources = request.uuids.map((uuid, s) => {
    const range = { uuid, start, end, version: request.versions[s] ?? 0n };
    return new Source(endpoint.rawValues(range, options), periodNs);
  });
  let given = false;
  try {
    await Promise.all(sources.map((source) => source.pull()));
    while (true) {
      const bound = boundOf(sources);
      const rows = take(sources, bound);
      if (rows.times.length > 0 || (!given && bound === undefined)) {
        given = true;
        yield rows;
      }
      if (bound === undefined) return;
      const short = sources.filter((source) => !source.done && (source.last ?? bound) === bound);
      await Promise.all(short.map((source) => source.pull()));
    }
  } finally {
    await Promise.all(sources.map((source) => source.close()));
  }
}

/** All points before this time are here; undefined: all points are. */
function boundOf(sources: readonly Source[]): bigint | undefined {
  let bound: bigint | undefined;
  for (const { done, last } of sources) {
    if (!done && last !== undefined && (bound === undefined || last < bound)) bound = last;
  }
  return bound;
}

/** Makes rows of all points before `bound`. */
function take(sources: readonly Source[], bound: bigint | undefined): MergedRows {
  const parts = sources.map((source) => {
    const { times } = source.held;
    const cut = bound === undefined ? times.length : firstAtOrAfter(times, bound);
    const part = sliceRaw(source.held, 0, cut);
    source.held = sliceRaw(source.held, cut, times.length);
    return part;
  });
  const { times, rows } = mergeTimes(parts.map((part) => part.times));
  const values = parts.map((part, s) => gather(part.values, rows[s]!));
  return { times, values, versions: sources.map((source) => source.version) };
}

function gather(values: Float64Array, indices: Int32Array): Float64Array {
  const out = new Float64Array(indices.length);
  for (let row = 0; row < indices.length; row++) {
    const index = indices[row]!;
    out[row] = index < 0 ? NaN : values[index]!;
  }
  return out;
}

function firstAtOrAfter(times: BigInt64Array, time: bigint): number {
  let low = 0;
  let high = times.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (times[middle]! < time) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Moves times to the grid, half up, and keeps the last of the points at one place. */
export function snap({ times, values }: RawColumns, periodNs: bigint): RawColumns {
  const out = { times: new BigInt64Array(times.length), values: new Float64Array(times.length) };
  let n = 0;
  for (let i = 0; i < times.length; i++) {
    const shifted = times[i]! + periodNs / 2n;
    const rest = shifted % periodNs;
    const place = shifted - rest - (rest < 0n ? periodNs : 0n);
    if (n === 0 || out.times[n - 1] !== place) n++;
    out.times[n - 1] = place;
    out.values[n - 1] = values[i]!;
  }
  return sliceRaw(out, 0, n);
}
