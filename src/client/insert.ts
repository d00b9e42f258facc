/**
 * Inserting: sorted, checked, cut into requests, and sent with as much overlap as is safe.
 *
 * @module
 */

import { copyRaw, type RawColumns, sliceRaw } from "../core/columns.ts";
import { BTrDBError } from "../core/errors.ts";
import { MAX_POINTWIDTH } from "../core/range.ts";
import type { CallOptions, Endpoint, MergePolicy } from "../endpoint/endpoint.ts";
import { cutSorted } from "../kernel/chunk_by_pointwidth.ts";
import { sortPoints } from "../kernel/sort.ts";
import { exponent, oneOf, positiveInteger } from "./arguments.ts";
import type { RequestOptions } from "../core/request_options.ts";
import {
  isAsync,
  type OrderedColumns,
  orderedColumnsOf,
  type PointPairs,
  type Points,
} from "./points_to_columns.ts";
import { abortable, throwIfOver } from "../core/call.ts";

/** Progress of an insert. */
export interface InsertProgress {
  /** Points stored so far. */
  stored: number;
  /** Points in all, where that is known. */
  total: number | undefined;
  /** Major version after the last request. */
  version: bigint;
}

/** Options of `insert`. */
export interface InsertOptions extends RequestOptions {
  /**
   * Treatment of a point whose time is stored already: `"never"` keeps both, `"equal"` drops it
   * if the value is the same, `"retain"` keeps the stored one, `"replace"` the new one. All but
   * `"never"` need protocol v5 or the embedded engine.
   *
   * @default {"never"}
   */
  mergePolicy?: MergePolicy | undefined;
  /**
   * Keep no more than so many mantissa bits of each value (protocol v5 and embedded).
   *
   * @default {undefined} all of them
   */
  roundBits?: number | undefined;
  /**
   * Cut the points at multiples of 2^pointwidth ns, so that a request touches few parts of the
   * tree.
   *
   * @default {63} which cuts at 1970 only
   */
  pointwidth?: number | undefined;
  /**
   * Most points in one request.
   *
   * @default {undefined} as many as the server takes
   */
  maxPoints?: number | undefined;
  /** Called after each request; after a failure or an abort the last call says what is stored. */
  onProgress?: ((progress: InsertProgress) => void) | undefined;
}

/** Requests of one insert under way at a time. */
const MAX_IN_FLIGHT = 4;

const MERGE_POLICIES: readonly MergePolicy[] = ["never", "equal", "retain", "replace"];

/**
 * Checks the options of an insert.
 *
 * @throws {RangeError} If one of them is out of range.
 */
export function checkInsertOptions(options: InsertOptions): void {
  const { mergePolicy, roundBits, pointwidth, maxPoints } = options;
  if (mergePolicy !== undefined) oneOf("insert", mergePolicy, "mergePolicy", MERGE_POLICIES);
  if (roundBits !== undefined) exponent("insert", roundBits, "roundBits");
  if (pointwidth !== undefined) exponent("insert", pointwidth, "pointwidth");
  if (maxPoints !== undefined) positiveInteger("insert", maxPoints, "maxPoints");
}

/**
 * Inserts points into one stream.
 *
 * @returns The major version after it.
 * @throws {BTrDBError} As the endpoint; when some points are stored already the message says how
 * many.
 */
export async function insertPoints(
  endpoint: Endpoint,
  uuid: Uint8Array,
  points: Points,
  options: InsertOptions,
  call: CallOptions,
): Promise<bigint> {
  const run = new InsertRun(endpoint, uuid, options, call);
  return isAsync(points) ? await run.stream(points) : await run.all(points);
}

/** Boundaries of requests: chunk i is `[ranges[i], ranges[i + 1])` of sorted columns. */
interface Plan {
  columns: RawColumns;
  /** True if they are in memory that nobody else writes to. */
  isOwn: boolean;
  ranges: readonly number[];
}

/** One call of `insert`. */
class InsertRun {
  readonly #endpoint: Endpoint;
  readonly #uuid: Uint8Array;
  readonly #options: InsertOptions;
  readonly #call: CallOptions;
  readonly #limit: number;
  readonly #inFlight = new Set<Promise<void>>();
  #stored = 0;
  #total: number | undefined;
  #version = 0n;
  #failure: { error: unknown } | undefined;

  constructor(
    endpoint: Endpoint,
    uuid: Uint8Array,
    options: InsertOptions,
    call: CallOptions,
  ) {
    this.#endpoint = endpoint;
    this.#uuid = uuid;
    this.#options = options;
    this.#call = call;
    this.#limit = inFlightLimit(endpoint);
  }

  async all(points: RawColumns | PointPairs): Promise<bigint> {
    const ordered = orderedColumnsOf("insert", points);
    this.#total = ordered.columns.times.length;
    return await this.#guard(() => this.#send(ordered));
  }

  async stream(batches: AsyncIterable<RawColumns>): Promise<bigint> {
    const source = batches[Symbol.asyncIterator]();
    let ended = false;
    try {
      return await this.#guard(async () => {
        for (let batch = 0;; batch++) {
          const next = await abortable(source.next(), this.#call, "insert");
          ended = next.done === true;
          if (next.done) break;
          const ordered = orderedColumnsOf("insert", next.value, batch);
          if (ordered.columns.times.length > 0) await this.#send(ordered);
        }
        if (this.#version === 0n) await this.#send(orderedColumnsOf("insert", []));
      });
    } finally {
      if (!ended) source.return?.().catch(() => {});
    }
  }

  /** Does the work, lets what is in flight settle, and says what is stored when it fails. */
  async #guard(work: () => Promise<void>): Promise<bigint> {
    try {
      await work();
    } catch (error) {
      this.#failure ??= { error };
    }
    await Promise.all(this.#inFlight);
    if (this.#failure !== undefined) throw this.#explained(this.#failure.error);
    return this.#version;
  }

  async #send(ordered: OrderedColumns): Promise<void> {
    const plan = this.#plan(ordered);
    throwIfOver(this.#call, "insert");
    // No points, or as many as one request takes: most inserts.
    if (plan.ranges.length <= 2) return await this.#request(plan, plan.columns);
    for (let i = 0; i + 1 < plan.ranges.length; i++) {
      throwIfOver(this.#call, "insert");
      await this.#makeRoom(startsAtLastTime(plan, i) ? 1 : this.#limit);
      checkHeld(plan);
      const chunk = sliceRaw(plan.columns, plan.ranges[i]!, plan.ranges[i + 1]!);
      this.#launch(plan, chunk);
    }
    await this.#makeRoom(1);
  }

  #plan({ columns, isSorted }: OrderedColumns): Plan {
    const { pointwidth = MAX_POINTWIDTH, maxPoints = Infinity } = this.#options;
    const most = Math.min(maxPoints, this.#endpoint.capabilities.maxInsertPoints);
    const sorted = isSorted ? columns : sortPoints(columns);
    return {
      columns: sorted,
      isOwn: sorted !== columns,
      ranges: cutSorted(sorted.times, { pointwidth, maxPoints: most }),
    };
  }

  /** Waits until fewer than `limit` requests are under way, and stops at a failure. */
  async #makeRoom(limit: number): Promise<void> {
    while (this.#inFlight.size >= limit) await Promise.race(this.#inFlight);
    if (this.#failure !== undefined) throw this.#failure.error;
  }

  #launch(plan: Plan, chunk: RawColumns): void {
    const request = this.#request(plan, chunk).catch((error) => {
      this.#failure ??= { error };
    }).finally(() => this.#inFlight.delete(request));
    this.#inFlight.add(request);
  }

  /**
   * Stores a chunk. Callers may write to their memory before it is stored, or before it is looked for
   * if the answer is lost.
   */
  async #request({ isOwn }: Plan, chunk: RawColumns): Promise<void> {
    const { mergePolicy, roundBits, onProgress } = this.#options;
    const columns = isOwn ? chunk : copyRaw(chunk);
    const version = await this.#endpoint.insert(
      { uuid: this.#uuid, columns, mergePolicy, roundBits },
      this.#call,
    );
    this.#stored += columns.times.length;
    if (version.major > this.#version) this.#version = version.major;
    onProgress?.({ stored: this.#stored, total: this.#total, version: this.#version });
  }

  #explained(error: unknown): unknown {
    if (!(error instanceof BTrDBError) || this.#stored === 0) return error;
    const of = this.#total === undefined ? "" : ` of ${this.#total}`;
    const message = `${error.message} (${this.#stored}${of} points are stored)`;
    return new BTrDBError(message, { ...error, cause: error });
  }
}

/**
 * Over gRPC several requests are under way: the endpoint settles those whose answers are lost
 * together (docs/architecture.md, "Retry"). The embedded engine gains nothing from overlap.
 */
function inFlightLimit(endpoint: Endpoint): number {
  return endpoint.capabilities.protocol === "embedded" ? 1 : MAX_IN_FLIGHT;
}

/** Refuses columns whose memory was given away or shrunk since: what is read of them is not all. */
function checkHeld({ columns: { times, values }, ranges }: Plan): void {
  const n = ranges.at(-1);
  if (times.length === n && values.length === n) return;
  throw new TypeError(
    `Cannot insert: ${times.length} times and ${values.length} values are left of ${n} points, ` +
      "their memory must not be transferred or resized before the insert has ended",
  );
}

/** Equal times must arrive in order: which of them stays depends on it. */
function startsAtLastTime({ columns, ranges }: Plan, i: number): boolean {
  const at = ranges[i]!;
  return at > 0 && columns.times[at - 1] === columns.times[at];
}
