/**
 * Reads what is new in the files that are followed, and stores it.
 *
 * @module
 */

import { dirname, join } from "node:path";
import type { BTrDB } from "../../client/btrdb.ts";
import { CsvError } from "../../kernel/mod.ts";
import { collectionOf, openBytes } from "../bytes.ts";
import { ImportError, inFile, NoRowsError } from "../errors.ts";
import type { Source, SourceColumn } from "../source.ts";
import type { NamedStream } from "../../client/stream_paths.ts";
import { storableBatches } from "../storable_batches.ts";
import { createTargets, findTargets } from "../targets.ts";
import type { TableLayout } from "../text/table_layout.ts";
import { addChanges, changesBeyond, changeTexts } from "../text/table_remarks.ts";
import type { FileWatch } from "./file_watch.ts";
import { type FollowedFile, signOf } from "./followed_file.ts";
import type { FollowJournal, PendingBatch } from "./follow_journal.ts";
import type { FollowOptions } from "./follow_options.ts";
import type { FollowStore } from "./follow_store.ts";
import { type GrownRows, readRows } from "./growing_table.ts";
import { cannotGrow, openFollowed } from "./open_followed.ts";
import { unrotatedName } from "./rotated_names.ts";

/** Parts that a follower works with. */
export interface FollowJob {
  readonly db: BTrDB;
  readonly watch: FileWatch;
  readonly journal: FollowJournal;
  readonly store: FollowStore;
  readonly options: FollowOptions;
  readonly isFolder: boolean;
  /** Name of the file that is followed. */
  readonly rootName: string;
  readonly warn: (text: string) => void;
}

/** Batches of one file before it is the turn of the next one. */
const BATCHES_A_TURN = 8;
/** Files that are kept open. */
const MAX_OPEN = 64;
/** Time without a change after which few lines are enough to know what a table is. */
const QUIET_MS = 300;
/** Time without a change after which a table that cannot be understood is an error. */
const PUZZLE_MS = 2_000;
/** Size from which on such a table is an error at once. */
const MAX_PUZZLE_BYTES = 1 << 20;
/** Time without a change after which a file that cannot grow is complete. */
const SETTLE_MS = 2_000;
/** Time without a change after which a log that was rotated is finished. */
const REST_MS = 10_000;
/** Longest pause before a file is tried again that could not be read. */
const MAX_RETRY_MS = 60_000;

/** Points that were read, and the bytes that said so, where a table may be cut off. */
type ReadBatch = Pick<GrownRows, "columns" | "next"> & Partial<Pick<GrownRows, "raw">>;

/** Stores what is new in files. */
export class Follower {
  readonly #job: FollowJob;
  readonly #columns = new Map<number, Pick<Source, "columns" | "hasStations">>();
  #created = 0;

  /** A follower. */
  constructor(job: FollowJob) {
    this.#job = job;
  }

  /** Streams that were made. */
  get created(): number {
    return this.#created;
  }

  /** Stores the rest of a batch that a killed process stored in part. */
  async finish(pending: PendingBatch): Promise<void> {
    const { watch, store, options, warn } = this.#job;
    const file = watch.files.find(({ state }) => state.id === pending.id);
    if (file?.state.streams === undefined) return;
    const streams = await store.streamsOf(file.state.streams);
    if (file.path === undefined) {
      const counts = await store.countsOf(streams);
      const some = counts.some((count, i) => count !== BigInt(pending.counts[i]!));
      warn(
        `${file.state.path} is gone, in which a batch from line ${pending.from.lines + 1} on was ` +
          `stored ${some ? "in part" : "not at all"}`,
      );
      file.state.isDone = true;
      return await this.#job.journal.note(file.state);
    }
    const batch = await this.#readAgain(file, pending);
    const counts = pending.counts.map(BigInt);
    const skips = await store.skipsOf(streams, batch.columns, counts, options.signal);
    await store.insert(streams, batch.columns, skips);
    await this.#keep(file, batch, counts);
  }

  /** Tells of all times and numbers that were stored otherwise than written, where there are more. */
  sumUp(): void {
    for (const file of this.#job.watch.files) {
      const { all, told } = file.changes;
      this.#tell(file, [], changeTexts(changesBeyond(all, told)).map((text) => `in all, ${text}`));
    }
  }

  /** Looks at every file that may have something new. */
  async turn(): Promise<void> {
    const { watch, options } = this.#job;
    for (const file of [...watch.files]) {
      if (options.signal?.aborted) return;
      if (file.state.isDone !== true || file.state.kind === "whole") await this.#serve(file);
    }
    for (const file of watch.gone()) await this.#bury(file);
    const open = watch.files.filter(({ isOpen }) => isOpen);
    for (const file of open.slice(0, Math.max(0, open.length - MAX_OPEN))) {
      if (file.path !== undefined) await file.close();
    }
    watch.forgetPast();
  }

  async #serve(file: FollowedFile): Promise<void> {
    const now = performance.now();
    if (file.problem !== undefined && (now < file.retryMs || !file.isStirred)) return;
    try {
      if (file.state.kind === undefined) await this.#recognize(file);
      if (file.state.kind === "table") await this.#readTable(file);
      else if (file.state.kind === "whole") await this.#readWhole(file);
    } catch (error) {
      if (this.#job.options.signal?.aborted) return;
      inFile(error, file.state.path);
      if (!(error instanceof ImportError || error instanceof CsvError)) throw error;
      this.#fail(file, error);
    }
  }

  /** Finds out what a file is. */
  async #recognize(file: FollowedFile): Promise<void> {
    const { path, state } = file;
    if (path === undefined || !file.isStirred) return;
    const now = performance.now();
    if (now < file.retryMs) return;
    const quietMs = now - file.changedMs;
    const isQuiet = quietMs > QUIET_MS;
    const opened = await openFollowed(path, this.#job.options, {
      isQuiet,
      isRotated: this.#isRotated(path),
    }).catch(
      async (error) => {
        // It is gone again; another file that belongs to it may be missing too.
        if (await signOf(path) === undefined) return undefined;
        if (error instanceof NoRowsError) {
          file.isStirred = false;
          return undefined;
        }
        // What is being written may be understood when more of it is there.
        if (quietMs > PUZZLE_MS || state.size > MAX_PUZZLE_BYTES) throw error;
        return undefined;
      },
    );
    if (state.size === 0) file.isStirred = false;
    if (opened === undefined) return;
    await using source = opened.source;
    // Another file may be there by now.
    if (opened.growing !== undefined && await file.open() === undefined) return;
    if (opened.growing === undefined && !this.#job.isFolder) throw cannotGrow(path, opened.reason);
    state.kind = opened.growing === undefined ? "whole" : "table";
    state.format = source.format;
    if (opened.growing !== undefined) {
      const columns = this.#withHeader(opened.growing, source.columns);
      state.layout = opened.growing;
      await file.rememberHead();
      this.#columns.set(state.id, { columns });
      this.#tell(file, source.notices, source.warnings ?? []);
    }
    file.problem = undefined;
  }

  /** A log that goes on without a header has the columns that it had. */
  #withHeader(layout: TableLayout, columns: readonly SourceColumn[]): readonly SourceColumn[] {
    const { isFolder, watch } = this.#job;
    const before = watch.files.findLast(({ state }) => state.kind === "table" && state.streams);
    const old = before?.state.layout as TableLayout | undefined;
    const isBare = layout.names.every((name, i) => name === `column${i + 1}`);
    const fits = !isFolder && old !== undefined && isBare &&
      old.names.length === layout.names.length && old.delimiter === layout.delimiter &&
      old.timeOrder.join() === layout.timeOrder.join() && this.#job.options.header === undefined;
    if (!fits) return columns;
    const { headerLines } = layout;
    Object.assign(layout, old, { headerLines });
    return layout.names.flatMap((name, i) =>
      layout.roles[i] === "value"
        ? [{ name: name || `column${i + 1}`, number: i + 1, unit: layout.units[i] ?? undefined }]
        : []
    );
  }

  /** Stores the rows that are complete. */
  async #readTable(file: FollowedFile): Promise<void> {
    const { options } = this.#job;
    if (file.isStirred) {
      const layout = file.state.layout as TableLayout;
      for (let i = 0; i < BATCHES_A_TURN; i++) {
        if (options.signal?.aborted) return;
        const handle = await file.open();
        const rows = handle && await readRows(handle, layout, file.state.position);
        if (rows === undefined) {
          // What is read through an open file only is looked at again and again.
          file.isStirred = file.path === undefined;
          break;
        }
        // Another file, or what it is now: the next look will tell.
        if (!await file.isTrusted()) break;
        file.problem = undefined;
        await this.#store(file, rows, rows.next.offset);
        file.fresh.badRows += rows.remarks.badRows;
        file.fresh.badCells += rows.remarks.badCells;
        const { all, told } = file.changes;
        const first = addChanges(all, rows.remarks);
        addChanges(told, first);
        this.#tell(file, [], changeTexts(first));
      }
    }
    await this.#rest(file);
  }

  /** A log that was rotated is finished when nothing more comes. */
  async #rest(file: FollowedFile): Promise<void> {
    const { path, state } = file;
    if (path === undefined || !this.#isRotated(path)) return;
    if (file.isStirred || performance.now() - file.changedMs < REST_MS) return;
    if (await file.endsOpen()) this.#warnOpen(file);
    state.isDone = true;
    await this.#job.journal.note(state);
    await file.close();
  }

  /** Tells whether a path is that of a log which was followed under another name, or missed. */
  #isRotated(path: string): boolean {
    const { isFolder, rootName } = this.#job;
    return !isFolder && path !== join(dirname(path), rootName);
  }

  #warnOpen({ state }: FollowedFile): void {
    this.#job.warn(
      `${state.path}: the last line, ${
        state.position.lines + 1
      }, has no line end and is not stored`,
    );
  }

  /** Imports a file that cannot grow, when it is complete. */
  async #readWhole(file: FollowedFile): Promise<void> {
    const { options } = this.#job;
    const { path, state } = file;
    const now = performance.now();
    if (path === undefined || !file.isStirred || now < file.retryMs) return;
    if (now - file.changedMs < (options.settleMs ?? SETTLE_MS)) return;
    if (state.isDone) {
      file.isStirred = false;
      if (state.size === state.whole?.size && state.modifiedMs === state.whole.modifiedMs) return;
      throw new ImportError(
        `${path} was changed after it had been imported: what was changed is not stored`,
      );
    }
    const { size, modifiedMs } = state;
    const signal = options.signal ?? new AbortController().signal;
    const { layout } = state;
    const opened = await openFollowed(path, options, { isQuiet: true, isRotated: false, layout });
    if (opened === undefined) return;
    await using source = opened.source;
    state.layout = source.layout;
    if (!this.#columns.has(state.id)) this.#tell(file, source.notices, []);
    this.#columns.set(state.id, source);
    const told = source.notices.length;
    for await (const batch of storableBatches(source, state.position, signal)) {
      if (options.signal?.aborted) return;
      await this.#store(file, batch);
    }
    this.#tell(file, source.notices.slice(told), source.warnings ?? []);
    file.fresh.badRows += source.skipped?.rows ?? 0;
    file.fresh.badCells += source.skipped?.cells ?? 0;
    state.isDone = true;
    state.whole = { size, modifiedMs };
    file.isStirred = false;
    file.problem = undefined;
    await this.#job.journal.note(state);
  }

  async #readAgain(
    file: FollowedFile,
    { from, end }: PendingBatch,
  ): Promise<ReadBatch> {
    const { state, path } = file;
    if (end !== undefined) {
      const handle = await file.open();
      const rows = handle && await readRows(handle, state.layout as TableLayout, from, end);
      if (rows?.next.offset === end && await file.isTrusted()) return rows;
    } else {
      const { layout } = state;
      const opened = await openFollowed(path!, this.#job.options, {
        isQuiet: true,
        isRotated: false,
        layout,
      });
      await using source = opened?.source;
      for await (const batch of source?.batches(from) ?? []) return batch;
    }
    throw new ImportError(
      `Cannot go on following: ${path} was changed from line ${
        from.lines + 1
      } on, which was being ` +
        "stored",
    );
  }

  /** Stores a batch, with a note before and after. */
  async #store(
    file: FollowedFile,
    batch: ReadBatch,
    end?: number,
  ): Promise<void> {
    const { journal, store, options } = this.#job;
    const { state } = file;
    const streams = await this.#streamsOf(file);
    const counts = (options.mergePolicy ?? "never") === "never"
      ? await store.countsOf(streams)
      : streams.map(() => 0n);
    if (file.mayBeStored) {
      await store.refuseStored(streams, batch.columns, { counts, state });
      file.mayBeStored = false;
    }
    await journal.begin({
      id: state.id,
      from: state.position,
      ...(end !== undefined && { end }),
      counts: counts.map(String),
    });
    await store.insert(streams, batch.columns);
    await this.#keep(file, batch, counts);
  }

  /**
   * Notes that a batch is stored.
   *
   * @param before Points in the streams before it.
   */
  async #keep(file: FollowedFile, batch: ReadBatch, before: readonly bigint[]): Promise<void> {
    const { state, fresh } = file;
    const points = batch.columns.reduce((sum, { times }) => sum + times.length, 0);
    fresh.rows += batch.next.rows - state.position.rows;
    fresh.points += points;
    state.points += points;
    state.position = batch.next;
    if ((this.#job.options.mergePolicy ?? "never") === "never") {
      state.counts = before.map((count, i) =>
        String(count + BigInt(batch.columns[i]!.times.length))
      );
    }
    if (batch.raw !== undefined) file.remember(batch.raw);
    await this.#job.journal.stored(state);
    this.#job.options.onProgress?.({ points: this.#job.store.stored, bytes: batch.next.offset });
  }

  /** The streams of a file, made when its first rows come. */
  async #streamsOf(file: FollowedFile): Promise<NamedStream[]> {
    const { db, options, store, journal, isFolder, rootName } = this.#job;
    const { state } = file;
    if (state.streams !== undefined) return await store.streamsOf(state.streams);
    const name = isFolder ? unrotatedName(state.path) : join(dirname(state.path), rootName);
    const into = options.into ?? collectionOf({ ...await openBytes(state.path), path: name });
    const targets = await findTargets(db, this.#columns.get(state.id)!, options, into);
    this.#created += targets.filter(({ found }) => found === undefined).length;
    const streams = await createTargets(db, targets);
    state.streams = streams.map(({ uuid }) => uuid);
    await journal.note(state);
    options.onNotice?.(
      `Following ${state.path}: ${streams.length === 1 ? "1 stream" : `${streams.length} streams`}`,
    );
    return streams;
  }

  #fail(file: FollowedFile, error: Error): void {
    if (!this.#job.isFolder) throw error;
    const isNew = file.problem?.message !== error.message;
    file.problem = error;
    file.pauseMs = Math.min(MAX_RETRY_MS, Math.max(PUZZLE_MS, 2 * file.pauseMs));
    file.retryMs = performance.now() + file.pauseMs;
    const { path } = file.state;
    const { message } = error;
    if (isNew) this.#job.warn(message.includes(path) ? message : `${path}: ${message}`);
  }

  /** Says that a file is gone, if something of it may be lost. */
  async #bury(file: FollowedFile): Promise<void> {
    const { state } = file;
    file.isGone = true;
    if (state.isDone === true) return;
    if (file.isOpen) {
      if (await file.endsOpen()) this.#warnOpen(file);
      state.isDone = true;
      await this.#job.journal.note(state);
      return await file.close();
    }
    const { rows, lines } = state.position;
    if (rows === 0 && state.size === 0) return;
    this.#job.warn(
      rows === 0
        ? `${state.path} is gone, and nothing of it was stored`
        : `${state.path} is gone; rows behind line ${lines}, if there were any, are not stored`,
    );
  }

  #tell({ state }: FollowedFile, notices: readonly string[], warnings: readonly string[]): void {
    for (const notice of notices) this.#job.options.onNotice?.(`${state.path}: ${notice}`);
    for (const warning of warnings) this.#job.warn(`${state.path}: ${warning}`);
  }
}
