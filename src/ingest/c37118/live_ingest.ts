/**
 * Stores live measurements from several sources in one database, with a spool while it is
 * unreachable.
 *
 * @module
 */

import { checkObject } from "../../core/check_object.ts";
import type { BTrDB } from "../../client/btrdb.ts";
import { delay } from "../../core/call.ts";
import { formatTime } from "../../core/time.ts";
import type { InsertOptions } from "../../client/insert.ts";
import { CollectionOwners } from "./collection_owners.ts";
import type { ChannelNames, ColumnPoints } from "./channel_columns.ts";
import type { DecodeOptions } from "./frame_decoder.ts";
import type { SourceReport } from "./link_statistics.ts";
import { LiveSource } from "./live_source.ts";
import { checkList } from "../../core/check_list.ts";
import { integerOption } from "./options.ts";
import { parsePmuTarget } from "./pmu_target.ts";
import { countPoints, PointSpool } from "./point_spool.ts";
import { PointStore } from "./point_store.ts";
import { invalidType, outOfRange } from "../../core/argument_error.ts";
import { describe } from "../../core/describe.ts";

/** Options of a live ingest. */
export interface LiveIngestOptions extends DecodeOptions {
  /** Beginning of the collections. @default {""} */
  prefix?: string | undefined;
  /** Way of naming the streams. @default {"btrdb"} */
  names?: ChannelNames | undefined;
  /** Number of the data stream, where an address does not say it. */
  id?: number | undefined;
  /** Kind of configuration to ask for, where an address does not say it. @default {2} */
  cfg?: 2 | 3 | undefined;
  /** Time between two batches, ms, 10 to 600,000. @default {1000} */
  everyMs?: number | undefined;
  /**
   * Treatment of a point whose time is stored already. By default `replace`, which makes a second
   * attempt harmless; on protocol v4, which cannot, `never` with a look at what is there.
   */
  mergePolicy?: InsertOptions["mergePolicy"];
  /** Folder of the spool; without it points are lost while the database is away. */
  spoolFolder?: string | undefined;
  /** Most bytes of the spool. @default {1 GiB} */
  spoolBytes?: number | undefined;
  /** Time limit of a request to the database, ms. @default {10_000} */
  timeoutMs?: number | undefined;
  /** Receives one line about each change: connections, configurations, database, spool. */
  onEvent?: ((text: string) => void) | undefined;
}

/** Counts of a live ingest since it began. */
export interface IngestReport {
  /** Counts of each source. */
  sources: SourceReport[];
  /** Points that the database has acknowledged. */
  stored: number;
  /** Values received that are neither stored nor in the spool yet. */
  pending: number;
  /** Points in the spool, on disk. */
  spooled: number;
  /** Bytes of the spool. */
  spoolBytes: number;
  /** Points dropped because the spool was full, damaged, or there is none. */
  dropped: number;
  /** Points that the database refused permanently. */
  refused: number;
  /** Values that gave no point: absent, not finite, or of a station that calls them not valid. */
  absent: number;
  /** True if the database did not answer the last time. */
  databaseAway: boolean;
  /** Error of the last attempt to store, while the database is away. */
  problem: string | undefined;
}

/** First and longest wait before the database is tried again, ms. */
const FIRST_WAIT_MS = 500;
const LONGEST_WAIT_MS = 10_000;
/** Time after which a batch that is being stored no longer holds up the next one, ms. */
const SLOW_MS = 2_000;
/** Time for storing at the end, ms; the rest stays in the spool for the next run. */
const ENDING_MS = 5_000;
const GIB = 2 ** 30;
/** Values collected beyond which a batch is made at once. */
const MAX_VALUES = 1 << 19;

/** Stores the data of PMUs until it is stopped. */
export class LiveIngest {
  readonly #open: () => Promise<BTrDB>;
  readonly #sources: LiveSource[];
  readonly #options: LiveIngestOptions;
  readonly #everyMs: number;
  readonly #say: (text: string) => void;
  readonly #counts = { stored: 0, dropped: 0, refused: 0, absent: 0 };
  #spool: PointSpool | undefined;
  #store: PointStore | undefined;
  #pending = 0;
  /** The batch being stored, if there is one. */
  #storing: Promise<void> | undefined;
  #storingMs = 0;
  #away = false;
  #problem: string | undefined;
  #waitMs = FIRST_WAIT_MS;
  #retryAtMs = 0;
  #droppedSaid = 0;
  #endMs = Infinity;

  /**
   * A run that has not begun.
   *
   * @param open Connects to the database; called again after it fails.
   * @param targets Addresses of live data, as `connectPmu` takes them.
   * @param options Names, times, spool.
   * @throws {RangeError} If an address or option is wrong.
   */
  constructor(
    open: () => Promise<BTrDB>,
    targets: readonly string[],
    options: LiveIngestOptions = {},
  ) {
    if (typeof open !== "function") {
      throw invalidType(`Cannot ingest: open is ${describe(open)}, expected a function`);
    }
    checkList("ingest", "targets", targets);
    checkObject("ingest", "options", options);
    const { names = "btrdb", everyMs = 1000, onEvent = () => {} } = options;
    this.#open = open;
    this.#options = options;
    this.#everyMs = integerOption("ingest", everyMs, "everyMs", 10, 600_000);
    this.#say = onEvent;
    const owners = new CollectionOwners();
    const parsed = targets.map((text) => parsePmuTarget(text, options));
    const twice = parsed.find(({ text }, i) => parsed.findIndex((t) => t.text === text) < i);
    if (twice !== undefined) throw outOfRange(`Cannot ingest ${twice.text} twice`);
    this.#sources = parsed.map((target) =>
      new LiveSource(target, { ...options, names }, owners, onEvent)
    );
  }

  /** Counts so far. */
  get report(): IngestReport {
    return {
      sources: this.#sources.map(({ report }) => report),
      ...this.#counts,
      pending: this.#pending + this.#collected,
      spooled: this.#spool?.points ?? 0,
      spoolBytes: this.#spool?.bytes ?? 0,
      databaseAway: this.#away,
      problem: this.#problem,
    };
  }

  /**
   * Receives and stores until the signal is aborted; then what was received is stored or spooled.
   *
   * @param signal Ends the run; it does not reject for that.
   * @returns Counts of the whole run.
   */
  async run(signal: AbortSignal): Promise<IngestReport> {
    const { spoolFolder, spoolBytes = GIB } = this.#options;
    if (spoolFolder !== undefined) {
      this.#spool = await PointSpool.open(spoolFolder, spoolBytes);
      for (const notice of this.#spool.notices) this.#say(`Spool: ${notice}`);
      if (this.#spool.points > 0) {
        this.#say(`Spool: ${this.#spool.points} points of an earlier run wait to be stored`);
      }
    }
    try {
      const running = this.#sources.map((source) => source.run(signal));
      await this.#tickUntil(signal);
      await Promise.all(running);
      await this.#finish();
      return this.report;
    } finally {
      await this.#spool?.[Symbol.asyncDispose]();
    }
  }

  /** Values received since the last batch. */
  get #collected(): number {
    return this.#sources.reduce((sum, { size }) => sum + size, 0);
  }

  async #tickUntil(signal: AbortSignal): Promise<void> {
    let nextMs = Date.now() + this.#everyMs;
    while (!signal.aborted) {
      const step = Math.min(250, this.#everyMs);
      await delay(Math.max(1, Math.min(step, nextMs - Date.now())), { signal }).catch(() => {});
      if (Date.now() < nextMs && this.#collected < MAX_VALUES && !signal.aborted) continue;
      nextMs = Math.max(Date.now(), nextMs) + this.#everyMs;
      await this.#tick();
    }
  }

  /** Takes what was received, and stores it, or keeps it where that must wait. */
  async #tick(): Promise<void> {
    if (this.#mayWait()) return;
    const columns: ColumnPoints[] = [];
    for (const source of this.#sources) {
      const taken = source.take();
      columns.push(...taken.columns);
      this.#counts.absent += taken.absent;
    }
    const count = countPoints(columns);
    const isBusy = this.#storing !== undefined;
    const waits = isBusy || this.#away || (this.#spool?.points ?? 0) > 0;
    if (count > 0 && waits) await this.#keep(columns);
    if (isBusy || Date.now() < this.#retryAtMs) return;
    if (count === 0 || waits) {
      if (!this.#away && (this.#spool?.points ?? 0) === 0) return;
      this.#background(() => this.#drain());
    } else {
      this.#pending += count;
      this.#background(async () => {
        await this.#storeBatch(columns, false);
        this.#pending -= count;
      });
    }
  }

  /** Tells whether received points can stay in memory until the batch before them is stored. */
  #mayWait(): boolean {
    if (this.#storing === undefined) return false;
    if (this.#spool === undefined) return true;
    const isIdle = !this.#away && this.#spool.points === 0;
    return isIdle && this.#collected < MAX_VALUES && Date.now() - this.#storingMs < SLOW_MS;
  }

  #background(work: () => Promise<void>): void {
    this.#storingMs = Date.now();
    this.#storing = work().catch((error) => this.#failed(error)).finally(() => {
      this.#storing = undefined;
    });
  }

  async #storeBatch(columns: readonly ColumnPoints[], isSuspect: boolean): Promise<boolean> {
    let failed: readonly ColumnPoints[] = columns;
    try {
      const store = await this.#connected();
      const result = await store.store(columns, isSuspect, () => Date.now() > this.#endMs);
      this.#counts.stored += result.stored;
      const refused = countPoints(result.refused);
      if (refused > 0) {
        this.#counts.refused += refused;
        this.#say(`The database refuses ${refused} points: ${textOf(result.error)}`);
      }
      failed = result.failed;
      if (failed.length === 0) {
        this.#succeeded();
        return true;
      }
      // Nothing is wrong with a database that was not asked any more.
      if (result.error === undefined) this.#succeeded();
      else this.#failed(result.error);
    } catch (error) {
      this.#failed(error);
    }
    if (!isSuspect) await this.#keep(failed);
    return false;
  }

  async #connected(): Promise<PointStore> {
    const { prefix = "", mergePolicy, timeoutMs = 10_000 } = this.#options;
    return this.#store ??= new PointStore(await this.#open(), { prefix, mergePolicy, timeoutMs });
  }

  /** Stores the files of the spool, the oldest first, as long as that succeeds. */
  async #drain(): Promise<void> {
    const spool = this.#spool;
    if (spool === undefined) {
      // Nothing waits: ask whether the database is back.
      await (await this.#open()).info({ timeoutMs: this.#options.timeoutMs ?? 10_000 });
      this.#succeeded();
      return;
    }
    for (;;) {
      if (Date.now() > this.#endMs) return;
      const segment = await spool.oldest();
      if (segment === undefined) break;
      const { stored, refused } = this.#counts;
      if (!await this.#storeBatch(segment.columns, true)) {
        // It will come again as a whole.
        Object.assign(this.#counts, { stored, refused });
        return;
      }
      if (segment.lost > 0) {
        this.#counts.dropped += segment.lost;
        this.#say(`Spool: ${segment.lost} points of ${segment.name} are gone, it was damaged`);
      }
      await spool.remove(segment.name).catch((error) => this.#say(`Spool: ${textOf(error)}`));
    }
    this.#succeeded();
  }

  #succeeded(): void {
    if (this.#away) this.#say("The database answers again");
    this.#away = false;
    this.#problem = undefined;
    this.#waitMs = FIRST_WAIT_MS;
    this.#retryAtMs = 0;
  }

  #failed(error: unknown): void {
    this.#problem = textOf(error);
    if (!this.#away) this.#say(`The database does not answer: ${this.#problem}`);
    this.#away = true;
    this.#retryAtMs = Date.now() + this.#waitMs * (0.5 + Math.random());
    this.#waitMs = Math.min(2 * this.#waitMs, LONGEST_WAIT_MS);
  }

  /** Keeps points on disk; counts what there is no room for. */
  async #keep(columns: readonly ColumnPoints[]): Promise<void> {
    let isKept = false;
    try {
      isKept = await this.#spool?.append(columns) ?? false;
    } catch (error) {
      this.#say(`Spool: ${textOf(error)}`);
    }
    if (isKept) return;
    const count = countPoints(columns);
    this.#counts.dropped += count;
    const now = Date.now();
    if (now - this.#droppedSaid < 10_000) return;
    this.#droppedSaid = now;
    const why = this.#spool === undefined ? "there is no spool" : "the spool is full";
    this.#say(
      `Dropped ${count} points from ${rangeText(columns)}: ${why}; ${this.#counts.dropped} in all`,
    );
  }

  /** Stores or keeps what is left, once. */
  async #finish(): Promise<void> {
    this.#endMs = Date.now() + ENDING_MS;
    await this.#storing;
    await this.#tick();
    await this.#storing;
    if ((this.#spool?.points ?? 0) > 0 && !this.#away) {
      this.#background(() => this.#drain());
      await this.#storing;
    }
  }
}

function textOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** First and last time of points, RFC 3339. */
function rangeText(columns: readonly ColumnPoints[]): string {
  let [first, last] = [2n ** 63n, -(2n ** 63n)];
  for (const { points: { times } } of columns) {
    for (const time of times) {
      if (time < first) first = time;
      if (time > last) last = time;
    }
  }
  return `${formatTime(first)} to ${formatTime(last)}`;
}
