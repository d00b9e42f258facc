/**
 * Stores batches of followed files, each exactly once.
 *
 * @module
 */

import type { BTrDB } from "../../client/btrdb.ts";
import type { InsertOptions } from "../../client/insert.ts";
import { delay } from "../../core/call.ts";
import type { RawColumns } from "../../core/columns.ts";
import { mapConcurrently } from "../../core/concurrency.ts";
import { sortPoints } from "../../kernel/mod.ts";
import { ImportError } from "../errors.ts";
import type { FileState } from "./follow_journal.ts";
import { type NamedStream, nameStream } from "../../client/stream_paths.ts";

/** Streams written at the same time, where the database is not in this process. */
const AT_ONCE = 8;
/** First points of a batch that are looked for where it is not known how many there should be. */
const SAMPLE_POINTS = 10;
/** Between two looks at a stream whose last insert may still be under way on a server. */
const SETTLE_MS = 250;

/** Streams of a database that followed files are stored in. */
export class FollowStore {
  readonly #db: BTrDB;
  readonly #mergePolicy: NonNullable<InsertOptions["mergePolicy"]>;
  readonly #isEmbedded: boolean;
  readonly #streams = new Map<string, NamedStream>();
  #stored = 0;
  #first: bigint | undefined;
  #last: bigint | undefined;

  private constructor(
    db: BTrDB,
    mergePolicy: NonNullable<InsertOptions["mergePolicy"]>,
    isEmbedded: boolean,
  ) {
    this.#db = db;
    this.#mergePolicy = mergePolicy;
    this.#isEmbedded = isEmbedded;
  }

  /** Gets ready. */
  static async open(
    db: BTrDB,
    mergePolicy: NonNullable<InsertOptions["mergePolicy"]>,
  ): Promise<FollowStore> {
    return new FollowStore(db, mergePolicy, (await db.info()).protocol === "embedded");
  }

  /** Points stored by this run. */
  get stored(): number {
    return this.#stored;
  }

  /** First and last time stored by this run, ns. */
  get times(): { first: bigint | undefined; last: bigint | undefined } {
    return { first: this.#first, last: this.#last };
  }

  /** The streams with these uuids. */
  async streamsOf(uuids: readonly string[]): Promise<NamedStream[]> {
    return await mapConcurrently(uuids, AT_ONCE, async (uuid) => {
      const known = this.#streams.get(uuid) ?? await nameStream(this.#db.streamFromUUID(uuid));
      this.#streams.set(uuid, known);
      return known;
    });
  }

  /** Points in each stream. */
  async countsOf(streams: readonly NamedStream[]): Promise<bigint[]> {
    return await mapConcurrently(streams, AT_ONCE, ({ stream }) => stream.count());
  }

  /** Stores the points of a batch; what was stored of it before is passed over. */
  async insert(
    streams: readonly NamedStream[],
    columns: readonly RawColumns[],
    skips: readonly number[] = [],
  ): Promise<void> {
    const width = this.#isEmbedded ? 1 : AT_ONCE;
    await mapConcurrently(columns, width, async (column, i) => {
      const points = from(sortPoints(column), skips[i] ?? 0);
      const { times } = points;
      if (times.length === 0) return;
      const [first, last] = [times[0]!, times[times.length - 1]!];
      if (this.#first === undefined || first < this.#first) this.#first = first;
      if (this.#last === undefined || last > this.#last) this.#last = last;
      await streams[i]!.stream.insert(points, { mergePolicy: this.#mergePolicy });
      this.#stored += times.length;
    });
  }

  /**
   * Refuses a batch that comes next by the journal, but is stored: it would be stored twice.
   *
   * @param at Points in the streams now, and the file as the journal has it.
   * @throws {ImportError} If a stream has more points than the journal says, and they are the next ones.
   */
  async refuseStored(
    streams: readonly NamedStream[],
    columns: readonly RawColumns[],
    { counts, state }: { counts: readonly bigint[]; state: FileState },
  ): Promise<void> {
    if (this.#mergePolicy !== "never") return;
    const { counts: expected, path, position } = state;
    const areThere = await mapConcurrently(streams, AT_ONCE, async (stream, i) => {
      const more = Number(counts[i]! - BigInt(expected?.[i] ?? 0));
      const column = sortPoints(columns[i]!);
      const most = expected === undefined ? SAMPLE_POINTS : Infinity;
      const sought = Math.min(more, column.times.length, most);
      return sought > 0 && await holds(stream, column, sought);
    });
    const stored = streams.find((_, i) => areThere[i]);
    if (stored === undefined) return;
    throw new ImportError(
      `Cannot go on following: ${stored.path} has the points of ${path} from line ` +
        `${position.lines + 1} on, but the journal does not say that they are stored`,
      {
        hint:
          "the journal lost its end or is an older copy, or the rows were imported in another " +
          "way; put the right journal back, or --restart imports everything again",
      },
    );
  }

  /**
   * Finds out how many points of each column of a batch are stored already, when the process was
   * killed while it stored them.
   *
   * @param before Points in the streams before the batch.
   * @throws {ImportError} If another client wrote to the streams meanwhile.
   */
  async skipsOf(
    streams: readonly NamedStream[],
    columns: readonly RawColumns[],
    before: readonly bigint[],
    signal: AbortSignal | undefined,
  ): Promise<number[]> {
    // Points that are merged may come again.
    if (this.#mergePolicy !== "never") return columns.map(() => 0);
    let counts = await this.countsOf(streams);
    for (let last = ""; !this.#isEmbedded && counts.join() !== last;) {
      last = counts.join();
      await delay(SETTLE_MS, { signal });
      counts = await this.countsOf(streams);
    }
    return await mapConcurrently(streams, AT_ONCE, async (stream, i) => {
      const skip = Number(counts[i]! - before[i]!);
      const column = sortPoints(columns[i]!);
      if (skip === 0) return 0;
      if (skip > 0 && skip <= column.times.length && await holds(stream, column, skip)) return skip;
      throw new ImportError(
        `Cannot go on: ${stream.path} has ${Math.abs(skip)} points ${
          skip > 0 ? "more" : "fewer"
        } than when the process was ended, and they are not the next ones of the file`,
        {
          hint:
            "another client wrote to it meanwhile; `btrdb diff` and delete-range help to clean " +
            "up, --restart imports everything again",
        },
      );
    });
  }
}

/** The points after the first `skip`. */
function from({ times, values }: RawColumns, skip: number): RawColumns {
  return skip === 0 ? { times, values } : {
    times: times.subarray(skip),
    values: values.subarray(skip),
  };
}

/** Tells whether a stream has the first `count` of these points. */
async function holds(
  { stream }: NamedStream,
  { times, values }: RawColumns,
  count: number,
): Promise<boolean> {
  const keyOf = (time: bigint, value: number) => `${time} ${Object.is(value, -0) ? "-0" : value}`;
  const there = await stream.rawValues(times[0]!, times[count - 1]! + 1n).collect();
  const numbers = new Map<string, number>();
  there.times.forEach((time, i) => {
    const key = keyOf(time, there.values[i]!);
    numbers.set(key, (numbers.get(key) ?? 0) + 1);
  });
  for (let i = 0; i < count; i++) {
    const key = keyOf(times[i]!, values[i]!);
    const left = numbers.get(key) ?? 0;
    if (left === 0) return false;
    numbers.set(key, left - 1);
  }
  return true;
}
