/**
 * Stores columns in a database, each stream found or created by its name.
 *
 * @module
 */

import type { BTrDB } from "../../client/btrdb.ts";
import type { Stream } from "../../client/stream.ts";
import type { RawColumns } from "../../core/columns.ts";
import { mapConcurrently } from "../../core/concurrency.ts";
import { BTrDBError, ErrorCode } from "../../core/errors.ts";
import { STORABLE_TIMES } from "../../core/range.ts";
import { formatTime } from "../../core/time.ts";
import { findBadTime } from "../../kernel/find_bad_point.ts";
import type { InsertOptions } from "../../client/insert.ts";
import { sortPoints } from "../../kernel/mod.ts";
import type { SourceColumn } from "../source.ts";
import { type ColumnPoints, namedByUnit } from "./channel_columns.ts";
import { outOfRange } from "../../core/argument_error.ts";

type MergePolicy = InsertOptions["mergePolicy"];

/** Streams written at the same time. */
const AT_ONCE = 8;
/** Most streams that one run may write to; devices that send now cannot have as many. */
const MAX_STREAMS = 200_000;
/**
 * Attempts at the points of a stream that fail while those of others succeed: then it is the stream, and
 * its points no longer hold up all others. With the waits between attempts, these take ten minutes.
 */
const MAX_ATTEMPTS = 64;
/** Codes that say something about the points or the names, which no later attempt changes. */
const FINAL: ReadonlySet<number> = new Set([
  ErrorCode.StreamExists,
  ErrorCode.InvalidCollection,
  ErrorCode.InvalidTagKey,
  ErrorCode.InvalidTagValue,
  ErrorCode.AmbiguousTags,
  ErrorCode.InvalidTimeRange,
  ErrorCode.InsertTooBig,
  ErrorCode.AmbiguousStream,
  ErrorCode.WrongArgs,
  ErrorCode.AnnotationTooBig,
  ErrorCode.BadValue,
  ErrorCode.InvalidParameter,
  ErrorCode.NotImplemented,
]);

/** Outcome of storing a batch. */
export interface StoreResult {
  /** Points that the database acknowledged. */
  stored: number;
  /** Columns that could not be stored now; whether the database has their points is not known. */
  failed: ColumnPoints[];
  /** Points that the database refuses, whatever is done. */
  refused: ColumnPoints[];
  /** First error. */
  error: unknown;
}

/** Writes to a database, without doubling what may be stored already. */
export class PointStore {
  readonly #db: BTrDB;
  readonly #prefix: string;
  readonly #timeoutMs: number;
  readonly #streams = new Map<string, Stream>();
  /** Attempts that failed while those at other streams succeeded, by stream. */
  readonly #attempts = new Map<string, number>();
  readonly #wanted: MergePolicy;
  #policy: MergePolicy;

  /**
   * @param db The database.
   * @param options Collection prefix, merge policy, time limit of a request in ms.
   */
  constructor(
    db: BTrDB,
    options: { prefix: string; mergePolicy: MergePolicy; timeoutMs: number },
  ) {
    this.#db = db;
    this.#prefix = options.prefix;
    this.#wanted = options.mergePolicy;
    this.#timeoutMs = options.timeoutMs;
  }

  /**
   * Stores a batch.
   *
   * @param columns Points of each stream.
   * @param isSuspect True if some may be stored already: they came from the spool, or from a
   *   request whose answer was lost.
   * @param isOver True when no more is to be begun; what is left failed then, without an error.
   */
  async store(
    columns: readonly ColumnPoints[],
    isSuspect: boolean,
    isOver: () => boolean = () => false,
  ): Promise<StoreResult> {
    const result: StoreResult = { stored: 0, failed: [], refused: [], error: undefined };
    const filled = columns.map((column) => this.#storable(column, result))
      .filter(({ points }) => points.times.length > 0);
    // Points of a device need not wait until another one's thousands of streams are made.
    const { true: known = [], false: unknown = [] } = Object.groupBy(
      filled,
      ({ column }) => this.#streams.has(this.#keyOf(column)) ? "true" : "false",
    );
    const sick = new Set<string>();
    await mapConcurrently([...known, ...unknown], AT_ONCE, async (column) => {
      const key = this.#keyOf(column.column);
      // Once the database is away, the rest need not wait for it.
      if (result.failed.length > 0 || isOver()) {
        result.failed.push(column);
        return;
      }
      try {
        await this.#storeColumn(column, isSuspect);
        result.stored += column.points.times.length;
        this.#attempts.delete(key);
      } catch (error) {
        result.error ??= error;
        const isGivenUp = (this.#attempts.get(key) ?? 0) >= MAX_ATTEMPTS;
        if (isFinal(error) || (isGivenUp && isAnswer(error))) result.refused.push(column);
        else {
          result.failed.push(column);
          if (isAnswer(error)) sick.add(key);
        }
      }
    });
    // A database that stores nothing at all is away; one stream that it cannot store is another matter.
    if (result.stored > 0) {
      for (const key of sick) {
        this.#attempts.set(key, (this.#attempts.get(key) ?? 0) + 1);
      }
    }
    return result;
  }

  /** The points that can be stored; a device whose clock is wrong does not cost the other ones. */
  #storable(all: ColumnPoints, result: StoreResult): ColumnPoints {
    const { column, points: { times, values } } = all;
    const { first, last } = STORABLE_TIMES;
    const bad = findBadTime(times, first, last + 1n);
    if (bad < 0) return all;
    result.error ??= new RangeError(
      `${JSON.stringify(column.name)} at ${formatTime(times[bad]!)}, expected ${
        formatTime(first)
      } to ` +
        formatTime(last),
    );
    const part = (isWanted: boolean): ColumnPoints => {
      const rows = [...times.keys()].filter((i) =>
        (times[i]! >= first && times[i]! <= last) === isWanted
      );
      return {
        column,
        points: {
          times: BigInt64Array.from(rows, (i) => times[i]!),
          values: Float64Array.from(rows, (i) => values[i]!),
        },
      };
    };
    result.refused.push(part(false));
    return part(true);
  }

  async #storeColumn({ column, points }: ColumnPoints, isSuspect: boolean): Promise<void> {
    const policy = this.#policy ??= await this.#choosePolicy();
    const sorted = sortPoints(points);
    const key = this.#keyOf(column);
    const isKnown = this.#streams.has(key);
    try {
      await this.#insert(await this.#stream(column), sorted, policy, isSuspect);
    } catch (error) {
      // Another client has removed the stream since it was found.
      if (!isKnown || !isGone(error)) throw error;
      this.#streams.delete(key);
      await this.#insert(await this.#stream(column), sorted, policy, isSuspect);
    }
  }

  async #insert(
    stream: Stream,
    sorted: RawColumns,
    policy: NonNullable<MergePolicy>,
    isSuspect: boolean,
  ): Promise<void> {
    const call = { timeoutMs: this.#timeoutMs };
    const missing = isSuspect && policy === "never"
      ? await missingOf(stream, sorted, call)
      : sorted;
    if (missing.times.length === 0) return;
    await stream.insert(missing, { mergePolicy: policy, ...call });
  }

  /** `replace` where the database can, because it makes a second attempt harmless. */
  async #choosePolicy(): Promise<NonNullable<MergePolicy>> {
    if (this.#wanted !== undefined) return this.#wanted;
    const { protocol } = await this.#db.info({ timeoutMs: this.#timeoutMs });
    return protocol === "v4" ? "never" : "replace";
  }

  #collectionOf(column: SourceColumn): string {
    return [this.#prefix, column.collection ?? ""].filter((part) => part !== "").join("/");
  }

  #keyOf(column: SourceColumn): string {
    return `${this.#collectionOf(column)}\0${column.name}\0${column.unit ?? ""}`;
  }

  async #stream(column: SourceColumn): Promise<Stream> {
    const collection = this.#collectionOf(column);
    const key = this.#keyOf(column);
    const known = this.#streams.get(key);
    if (known !== undefined) return known;
    if (this.#streams.size >= MAX_STREAMS) {
      throw outOfRange(`Cannot write to more than ${MAX_STREAMS} streams`);
    }
    const stream = await this.#findOrCreate(collection, column);
    this.#streams.set(key, stream);
    return stream;
  }

  /** The stream of a column. One that has volts takes no amperes: they get another, named by their unit. */
  async #findOrCreate(collection: string, column: SourceColumn): Promise<Stream> {
    const found = await this.#find(collection, column.name);
    if (found === undefined) return await this.#create(collection, column);
    if (await this.#fits(found, column)) return found;
    const other = namedByUnit(column);
    const named = await this.#find(collection, other.name);
    if (named === undefined) return await this.#create(collection, other);
    if (await this.#fits(named, column)) return named;
    throw outOfRange(`Cannot write ${column.unit} to ${JSON.stringify(other.name)}`);
  }

  async #fits(stream: Stream, { unit }: SourceColumn): Promise<boolean> {
    const tags = await stream.tags({ timeoutMs: this.#timeoutMs });
    return !isOtherQuantity(tags.unit, unit);
  }

  async #find(collection: string, name: string): Promise<Stream | undefined> {
    const options = { tags: { name }, timeoutMs: this.#timeoutMs };
    for await (const stream of this.#db.lookupStreams(collection, options)) return stream;
    return undefined;
  }

  async #create(collection: string, column: SourceColumn): Promise<Stream> {
    const tags = {
      name: column.name,
      ...(column.unit === undefined ? {} : { unit: column.unit }),
      ...column.tags,
    };
    try {
      return await this.#db.create(crypto.randomUUID(), collection, {
        tags,
        annotations: { ...column.annotations, source: "c37118" },
        timeoutMs: this.#timeoutMs,
      });
    } catch (error) {
      // It may have been made by the attempt whose answer was lost.
      const found = await this.#find(collection, column.name).catch(() => undefined);
      if (found !== undefined) return found;
      throw error;
    }
  }
}

/** Units of phasors, in both ways of naming. */
const VOLTS: readonly unknown[] = ["Volt", "V"];
const AMPERES: readonly unknown[] = ["Amp", "A"];

/** Tells whether one unit is that of voltages, and the other one that of currents. */
function isOtherQuantity(one: unknown, other: unknown): boolean {
  return (VOLTS.includes(one) && AMPERES.includes(other)) ||
    (AMPERES.includes(one) && VOLTS.includes(other));
}

/** Tells whether a later attempt would fail in the same way. */
function isFinal(error: unknown): boolean {
  if (error instanceof BTrDBError) return FINAL.has(error.code);
  return error instanceof RangeError || error instanceof TypeError;
}

/** Tells whether the database answered, with an error that says nothing about all others. */
function isAnswer(error: unknown): boolean {
  return error instanceof BTrDBError && error.code !== 0 && !error.retryable;
}

/** Tells whether there is no such stream (any more). */
function isGone(error: unknown): boolean {
  return error instanceof BTrDBError && error.code === ErrorCode.NoSuchStream;
}

/** Points that a stream does not have, in time and value. */
async function missingOf(
  stream: Stream,
  points: RawColumns,
  call: { timeoutMs: number },
): Promise<RawColumns> {
  const { times, values } = points;
  const [start, end] = [times[0]!, times.at(-1)! + 1n];
  const have = new Map<string, number>();
  const there = await stream.rawValues(start, end, call).collect();
  for (let i = 0; i < there.times.length; i++) {
    const key = `${there.times[i]} ${there.values[i]}`;
    have.set(key, (have.get(key) ?? 0) + 1);
  }
  const keep: number[] = [];
  for (let i = 0; i < times.length; i++) {
    const key = `${times[i]} ${values[i]}`;
    const left = have.get(key) ?? 0;
    if (left > 0) have.set(key, left - 1);
    else keep.push(i);
  }
  return {
    times: BigInt64Array.from(keep, (i) => times[i]!),
    values: Float64Array.from(keep, (i) => values[i]!),
  };
}
