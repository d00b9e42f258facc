/**
 * Raw values of several streams side by side: rows of one time each, made while the streams arrive,
 * in memory that does not grow with their length.
 *
 * @module
 */

import { allocRaw, concatRaw, emptyRaw, gatherRows, sliceRaw } from "../../core/columns.ts";
import type { RawColumns } from "../../core/columns.ts";
import { giveWay } from "../../core/pacer.ts";
import type { CallOptions, Endpoint, RawChunk, Version } from "../../endpoint/endpoint.ts";
import { mergeBatches } from "../../kernel/merge_batches.ts";

/** Streams, versions, range and grid of merged rows. */
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
  /** Most points of a chunk of each stream; absent: what an endpoint likes. */
  chunk?: number | undefined;
}

/** Cells of the rows that are merged at a time: 3 MiB of indices and values. */
const BATCH_CELLS = 1 << 18;

/** Streams that are prepared, and whose values are gathered, in one step. */
const STEP_STREAMS = 256;

/** Some rows. */
export interface MergedRows {
  /** Time of each row, ascending; one that a stream has several points at comes as often. */
  times: BigInt64Array;
  /** One column a stream, NaN where it has no point. */
  values: Float64Array[];
  /** Version of each stream. */
  versions: readonly Version[];
}

const NOTHING = emptyRaw();
const UNKNOWN: Version = { major: 0n, minor: 0n };
const END: IteratorReturnResult<undefined> = { done: true, value: undefined };
const ENDED = Promise.resolve(END);

/**
 * The points of one stream on the grid. The last place is held back until the next one is known,
 * because further points may fall on it. The stream is opened with the first batch: a call may name
 * thousands, and end with the first that does not exist.
 */
class SnappedSource implements AsyncIterator<RawColumns, undefined> {
  /** Version that answers, once the first batch is here. */
  version = UNKNOWN;
  readonly #open: () => AsyncIterator<RawChunk, unknown, undefined>;
  readonly #periodNs: bigint;
  #chunks: AsyncIterator<RawChunk, unknown, undefined> | undefined;
  #held = NOTHING;

  constructor(open: () => AsyncIterator<RawChunk, unknown, undefined>, periodNs: bigint) {
    this.#open = open;
    this.#periodNs = periodNs;
  }

  async next(): Promise<IteratorResult<RawColumns, undefined>> {
    const { done, value: chunk } = await (this.#chunks ??= this.#open()).next();
    if (done === true) {
      const value = this.#held;
      this.#held = NOTHING;
      return value.times.length > 0 ? { done: false, value } : END;
    }
    this.version = chunk.version;
    if (this.#periodNs === 0n) return { done: false, value: chunk.columns };
    const snapped = snap(concatRaw([this.#held, chunk.columns]), this.#periodNs);
    const n = snapped.times.length;
    this.#held = sliceRaw(snapped, Math.max(0, n - 1), n);
    return { done: false, value: sliceRaw(snapped, 0, Math.max(0, n - 1)) };
  }

  return(): Promise<IteratorResult<RawColumns, undefined>> {
    return this.#chunks?.return?.(undefined).then(() => END) ?? ENDED;
  }
}

/**
 * The rows of several streams.
 *
 * @param endpoint The database.
 * @param request Streams and range.
 * @param options Signal and deadline.
 * @returns At least one batch, so that the versions are known.
 */
export async function* mergedRows(
  endpoint: Endpoint,
  request: MergedRequest,
  options: CallOptions,
): AsyncGenerator<MergedRows, void, void> {
  const { start, end, periodNs, chunk } = request;
  const cells = Math.min(BATCH_CELLS, (chunk ?? Infinity) * request.uuids.length);
  const sources: SnappedSource[] = [];
  for (const [s, uuid] of request.uuids.entries()) {
    const range = { uuid, start, end, version: request.versions[s] ?? 0n, chunk };
    sources.push(new SnappedSource(() => endpoint.rawValues(range, options), periodNs));
    if (s % STEP_STREAMS === STEP_STREAMS - 1) await giveWay();
  }
  const versions = () => sources.map(({ version }) => version);
  let isEmpty = true;
  for await (const { times, rows, parts } of mergeBatches<RawColumns>(sources, cells)) {
    await giveWay();
    // One for all: thousands of arrays, each with a buffer, would slow each collection of garbage down.
    const n = times.length;
    const all = new Float64Array(n * parts.length);
    const values: Float64Array[] = [];
    for (const [s, part] of parts.entries()) {
      values.push(gatherRows(rows[s]!, part?.values, all.subarray(s * n, (s + 1) * n)));
      if (s % STEP_STREAMS === STEP_STREAMS - 1) await giveWay();
    }
    yield { times, values, versions: versions() };
    isEmpty = false;
    await giveWay();
  }
  if (!isEmpty) return;
  yield { times: new BigInt64Array(0), values: sources.map(() => NO_VALUES), versions: versions() };
}

const NO_VALUES = new Float64Array(0);

/** Moves times to the grid, half up, and keeps the last of the points at one place. */
export function snap({ times, values }: RawColumns, periodNs: bigint): RawColumns {
  const out = allocRaw(times.length);
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
