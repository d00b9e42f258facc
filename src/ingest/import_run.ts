/**
 * Runs an import: stores batches in streams, with a record of how far it is.
 *
 * @module
 */

import type { BTrDB } from "../client/btrdb.ts";
import type { InsertOptions } from "../client/insert.ts";
import type { RawColumns } from "../core/columns.ts";
import { sortPoints } from "../kernel/mod.ts";
import { delay, untilAborted } from "../core/call.ts";
import { ImportError } from "./errors.ts";
import { mapConcurrently } from "../core/concurrency.ts";
import type { ImportProgress } from "./options.ts";
import type { NamedStream } from "../client/stream_paths.ts";
import { type ImportRecord, saveRecord } from "./import_record.ts";
import type { Position, Source, SourceBatch } from "./source.ts";

/** Result of a run. */
export interface RunResult {
  /** Rows read, those before a resumption included. */
  rows: number;
  /** Points stored by the import, all its runs together. */
  points: bigint;
  /** Points stored by this run. */
  fresh: number;
  /** First and last time stored by this run; absent if it stored nothing. */
  first: bigint | undefined;
  last: bigint | undefined;
}

/** An import that is ready to run. */
export interface ImportJob {
  db: BTrDB;
  source: Source;
  streams: readonly NamedStream[];
  record: ImportRecord;
  recordPath: string;
  /** Digests of what is before a position, for the record. */
  before(position: Position): Promise<ImportRecord["before"]>;
  /** True if it resumes an interrupted run. */
  resumed: boolean;
  mergePolicy: NonNullable<InsertOptions["mergePolicy"]>;
  signal: AbortSignal;
  onProgress: ((progress: ImportProgress) => void) | undefined;
}

/** Streams written at the same time, where the database is not in this process. */
const AT_ONCE = 8;
/** Time between two records. */
const RECORD_PERIOD_MS = 500;
/** Between two looks at a stream whose last insert may still be under way on a server. */
const SETTLE_MS = 250;

/** Runs an import to its end, or to an interrupt. */
export class ImportRun {
  readonly #job: ImportJob;
  /** Points of each stream that are stored already, although the batches will bring them again. */
  readonly #skips: number[];
  readonly #stored: bigint[];
  readonly #width: number;
  #fresh = 0;
  #first: bigint | undefined;
  #last: bigint | undefined;
  #begun: boolean;
  #recordedMs = performance.now();

  private constructor(job: ImportJob, skips: number[], width: number) {
    this.#job = job;
    this.#skips = skips;
    this.#width = width;
    this.#begun = job.record.position.offset > 0 || skips.some((skip) => skip > 0);
    this.#stored = job.record.streams.map(({ stored }) => BigInt(stored));
  }

  /** Finds out how far each stream is. */
  static async prepare(job: ImportJob): Promise<ImportRun> {
    const embedded = (await job.db.info()).protocol === "embedded";
    // A new import knows how many points there are: it has just counted them.
    const counts = job.resumed && job.mergePolicy === "never";
    const skips = await mapConcurrently(
      job.streams,
      AT_ONCE,
      (stream, i) => counts ? ahead(stream, job, i, embedded) : Promise.resolve(0),
    );
    return new ImportRun(job, skips, embedded ? 1 : AT_ONCE);
  }

  /**
   * Stores everything; rejects when it is interrupted, with the record up to date.
   *
   * @param batches Of the source, from the position in the record on.
   */
  async run(batches: AsyncIterable<SourceBatch>): Promise<RunResult> {
    const { record, signal } = this.#job;
    let inFlight: Promise<void> = Promise.resolve();
    let position: Position = record.position;
    try {
      for await (const batch of untilAborted(batches, signal)) {
        await inFlight;
        await this.#note(position);
        position = batch.next;
        inFlight = this.#store(batch);
        inFlight.catch(() => {});
      }
      await inFlight;
    } catch (error) {
      await inFlight.then(() => this.#keep(position), () => {});
      throw error;
    }
    this.#checkAllSeen();
    await this.#save(position, true);
    return this.#result(position);
  }

  /** True if there is a record, of this run or an earlier one. */
  get begun(): boolean {
    return this.#begun;
  }

  /** Points stored by this run so far. */
  get fresh(): number {
    return this.#fresh;
  }

  /** Points in one of the streams that the import put there, all its runs together. */
  stored(index: number): bigint {
    return this.#stored[index]!;
  }

  #result(position: Position): RunResult {
    const points = this.#stored.reduce((sum, n) => sum + n, 0n);
    return {
      rows: position.rows,
      points,
      fresh: this.#fresh,
      first: this.#first,
      last: this.#last,
    };
  }

  /** Keeps in the record that everything before `position` is stored. */
  async #note(position: Position): Promise<void> {
    const now = performance.now();
    if (now - this.#recordedMs < RECORD_PERIOD_MS && position.offset > 0) return;
    if (this.#skips.some((skip) => skip > 0)) return;
    this.#recordedMs = now;
    await this.#save(position, false);
    this.#begun = true;
  }

  /** Keeps in the record how far an import got that ends before its time. */
  async #keep(position: Position): Promise<void> {
    if (!this.#begun || this.#skips.some((skip) => skip > 0)) return;
    await this.#save(position, false);
  }

  async #save(position: Position, done: boolean): Promise<void> {
    const { record, recordPath } = this.#job;
    const before = await this.#job.before(position);
    record.position = position;
    if (before !== undefined) record.before = before;
    record.done = done;
    record.streams.forEach((stream, i) => stream.stored = String(this.#stored[i]!));
    await saveRecord(recordPath, record);
  }

  async #store(batch: SourceBatch): Promise<void> {
    const { streams } = this.#job;
    const sorted = sortedColumns(batch.columns);
    await mapConcurrently(streams, this.#width, (_, i) => this.#storeColumn(i, sorted[i]!));
    this.#report();
  }

  /** Stores points that are in order of time. */
  async #storeColumn(i: number, sorted: RawColumns): Promise<void> {
    if (sorted.times.length === 0) return;
    const { streams, mergePolicy } = this.#job;
    const total = sorted.times.length;
    const skip = Math.min(this.#skips[i]!, total);
    this.#skips[i]! -= skip;
    this.#stored[i]! += BigInt(skip);
    if (skip === total) return;
    const rest = skip === 0
      ? sorted
      : { times: sorted.times.subarray(skip), values: sorted.values.subarray(skip) };
    const [from, to] = [rest.times[0]!, rest.times[rest.times.length - 1]!];
    if (this.#first === undefined || from < this.#first) this.#first = from;
    if (this.#last === undefined || to > this.#last) this.#last = to;
    let last = 0;
    // An interrupt waits for what is under way, so that the summary is true.
    await streams[i]!.stream.insert(rest, {
      mergePolicy,
      onProgress: ({ stored }) => {
        this.#fresh += stored - last;
        this.#stored[i]! += BigInt(stored - last);
        last = stored;
        this.#report();
      },
    });
  }

  #report(): void {
    const { source, onProgress } = this.#job;
    const part = source.size === undefined || source.size === 0
      ? {}
      : { part: source.bytesRead / source.size };
    onProgress?.({ points: this.#fresh, bytes: source.bytesRead, ...part });
  }

  /** Points in the streams that the file does not have were put there by another client. */
  #checkAllSeen(): void {
    const index = this.#skips.findIndex((skip) => skip > 0);
    if (index < 0) return;
    throw new ImportError(
      `Cannot resume: ${this.#job.streams[index]!.path} has ${
        this.#skips[index]
      } points more than the file`,
      {
        hint:
          "another client wrote to it meanwhile; `btrdb diff` and delete-range help to clean up",
      },
    );
  }
}

/** Columns in order of time; those that share their times are looked at once. */
function sortedColumns(columns: readonly RawColumns[]): RawColumns[] {
  let known: BigInt64Array | undefined;
  return columns.map((column) => {
    if (column.times === known) return column;
    const sorted = sortPoints(column);
    if (sorted === column) known = column.times;
    return sorted;
  });
}

/** Points of a stream that the import stored after its last record. */
async function ahead(
  { stream, path }: NamedStream,
  { record, signal }: ImportJob,
  index: number,
  embedded: boolean,
): Promise<number> {
  const { before, stored } = record.streams[index]!;
  const known = BigInt(before) + BigInt(stored);
  let count = await stream.count();
  for (let last = -1n; !embedded && count !== last;) {
    last = count;
    await delay(SETTLE_MS, { signal });
    count = await stream.count();
  }
  if (count < known) {
    throw new ImportError(
      `Cannot resume: ${path} has ${count} points, ${
        known - count
      } fewer than when the import stopped`,
      { hint: "points were deleted since; --restart imports the file from its beginning" },
    );
  }
  return Number(count - known);
}
