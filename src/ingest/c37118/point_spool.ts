/**
 * Points on disk that wait for a database.
 *
 * @module
 */

import { allocRaw } from "../../core/columns.ts";
import { checkPath } from "../../core/check_path.ts";
import { createHash } from "node:crypto";
import {
  type FileHandle,
  mkdir,
  open,
  readdir,
  readFile,
  rm,
  stat,
  truncate,
} from "node:fs/promises";
import { join } from "node:path";
import { PRIVATE_MODE } from "../../core/new_file.ts";
import { refuseOtherThanFile } from "../../core/plain_file.ts";
import type { SourceColumn } from "../source.ts";
import type { ColumnPoints } from "./channel_columns.ts";
import { lockSpool } from "./spool_lock.ts";

/** Bytes before the content of a record: its size, and the beginning of its SHA-256. */
const RECORD_HEADER_BYTES = 12;
const DIGEST_BYTES = 8;
/** Most bytes of a file, so that what was stored is removed in good time. */
const SEGMENT_BYTES = 4 << 20;
/** Bytes of a point. */
const POINT_BYTES = 16;
const SUFFIX = ".spool";

/** Points of one file of the spool. */
export interface SpoolSegment {
  /** File that holds them. */
  readonly name: string;
  readonly columns: ColumnPoints[];
  readonly points: number;
  /** Points that were kept in it and cannot be read: it was damaged, cut off or removed since. */
  readonly lost: number;
}

interface SegmentFile {
  name: string;
  bytes: number;
  points: number;
}

/**
 * A bounded queue of points on disk. Points that `append` has taken survive a crash. Points that
 * are taken out stay until they are removed, so they may come again after a crash, and storing them
 * must not double them.
 */
export class PointSpool implements AsyncDisposable {
  readonly #folder: string;
  readonly #maxBytes: number;
  readonly #files: SegmentFile[];
  readonly #unlock: () => void;
  #next: number;
  /** Bytes of files that can be neither removed nor emptied. */
  #stuckBytes = 0;
  #current: { file: SegmentFile; handle: FileHandle } | undefined;
  #tail: Promise<unknown> = Promise.resolve();
  /** Remarks about what was found: records cut by a crash, which nobody was told were safe. */
  readonly notices: string[] = [];

  private constructor(
    folder: string,
    maxBytes: number,
    files: SegmentFile[],
    next: number,
    unlock: () => void,
  ) {
    this.#unlock = unlock;
    this.#folder = folder;
    this.#maxBytes = maxBytes;
    this.#files = files;
    this.#next = next;
  }

  /**
   * Opens the spool in a folder, which is made where it is missing, and locks it.
   *
   * @param folder For the spool alone.
   * @param maxBytes Most bytes of its files.
   * @throws {Error} If another process uses it.
   */
  static async open(folder: string, maxBytes: number): Promise<PointSpool> {
    checkPath("open the spool", folder, "spoolFolder");
    await mkdir(folder, { recursive: true, mode: 0o700 });
    const unlock = await lockSpool(folder);
    try {
      const names = (await readdir(folder)).filter((name) => name.endsWith(SUFFIX)).sort();
      const files: SegmentFile[] = [];
      const next = numberOf(names.at(-1)) + 1;
      const spool = new PointSpool(folder, maxBytes, files, next, unlock);
      for (const name of names) {
        const { size } = await stat(join(folder, name));
        const { points } = await spool.#load(name);
        files.push({ name, bytes: size, points });
      }
      return spool;
    } catch (error) {
      unlock();
      throw error;
    }
  }

  /** Bytes of all files. */
  get bytes(): number {
    return this.#files.reduce((sum, { bytes }) => sum + bytes, this.#stuckBytes);
  }

  /** Points of all files. */
  get points(): number {
    return this.#files.reduce((sum, { points }) => sum + points, 0);
  }

  /**
   * Keeps points.
   *
   * @returns True if there was room; if not, nothing was kept.
   */
  append(columns: readonly ColumnPoints[]): Promise<boolean> {
    return this.#inTurn(async () => {
      const filled = columns.filter(({ points }) => points.times.length > 0);
      const record = encodeRecord(filled);
      if (this.bytes + record.length > this.#maxBytes) return false;
      const { file, handle } = this.#current ?? await this.#begin();
      try {
        await handle.appendFile(record);
        await handle.datasync();
      } catch (error) {
        await this.#abandon(file, handle);
        throw error;
      }
      file.bytes += record.length;
      file.points += countPoints(filled);
      const limit = Math.min(SEGMENT_BYTES, Math.ceil(this.#maxBytes / 8));
      if (file.bytes >= limit) await this.#finish();
      return true;
    });
  }

  /** Points of the oldest file; they stay until `remove`. */
  oldest(): Promise<SpoolSegment | undefined> {
    return this.#inTurn(async () => {
      const [file] = this.#files;
      if (file === undefined) return undefined;
      if (file === this.#current?.file) await this.#finish();
      const found = await this.#load(file.name).catch((error) => {
        if ((error as { code?: unknown }).code !== "ENOENT") throw error;
        return { columns: [], points: 0 };
      });
      return { name: file.name, ...found, lost: Math.max(0, file.points - found.points) };
    });
  }

  /**
   * Removes a file whose points are stored. It does not come again in this run, even if it cannot be
   * removed; then it is emptied, so that it does not come in a later one.
   *
   * @throws {Error} If the file cannot be removed.
   */
  remove(name: string): Promise<void> {
    return this.#inTurn(async () => {
      const path = join(this.#folder, name);
      const at = this.#files.findIndex((file) => file.name === name);
      const [file] = at < 0 ? [] : this.#files.splice(at, 1);
      try {
        await rm(path, { force: true });
      } catch (error) {
        await truncate(path).catch(() => this.#stuckBytes += file?.bytes ?? 0);
        throw error;
      }
    });
  }

  /** Closes and unlocks; what is in it stays. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#inTurn(() => this.#finish());
    this.#unlock();
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#tail.then(work);
    this.#tail = result.catch(() => {});
    return result;
  }

  async #begin(): Promise<{ file: SegmentFile; handle: FileHandle }> {
    const name = `${String(this.#next++).padStart(10, "0")}${SUFFIX}`;
    const handle = await open(join(this.#folder, name), "ax", PRIVATE_MODE);
    const file = { name, bytes: 0, points: 0 };
    this.#files.push(file);
    return this.#current = { file, handle };
  }

  /**
   * Takes back what was written of a record, and goes on in another file: behind a part of a record
   * nothing could be read. A disk that refuses this too leaves that part at the end, where it is passed
   * over.
   */
  async #abandon(file: SegmentFile, handle: FileHandle): Promise<void> {
    try {
      await handle.truncate(file.bytes);
    } finally {
      await this.#finish();
    }
  }

  async #finish(): Promise<void> {
    await this.#current?.handle.close();
    this.#current = undefined;
  }

  /** All whole records of a file, points of one stream together. */
  async #load(name: string): Promise<{ columns: ColumnPoints[]; points: number }> {
    const path = join(this.#folder, name);
    await refuseOtherThanFile(path);
    const bytes = await readFile(path);
    const streams = new Map<string, { column: SourceColumn; pieces: ColumnPoints["points"][] }>();
    let at = 0;
    while (at < bytes.length) {
      const content = recordAt(bytes, at);
      if (content === undefined) {
        const notice = `${bytes.length - at} bytes of ${name} were cut by a crash, left out`;
        if (!this.notices.includes(notice)) this.notices.push(notice);
        break;
      }
      at += RECORD_HEADER_BYTES + content.length;
      for (const { column, points } of decodeContent(content)) {
        const key = `${column.collection}\0${column.name}`;
        const known = streams.get(key);
        if (known === undefined) streams.set(key, { column, pieces: [points] });
        else known.pieces.push(points);
      }
    }
    const columns = [...streams.values()].map(({ column, pieces }) => ({
      column,
      points: joinPoints(pieces),
    }));
    return { columns, points: countPoints(columns) };
  }
}

/** Number of points of all columns. */
export function countPoints(columns: readonly ColumnPoints[]): number {
  return columns.reduce((sum, { points }) => sum + points.times.length, 0);
}

function joinPoints(pieces: readonly ColumnPoints["points"][]): ColumnPoints["points"] {
  const size = pieces.reduce((sum, { times }) => sum + times.length, 0);
  const points = allocRaw(size);
  let at = 0;
  for (const { times, values } of pieces) {
    points.times.set(times, at);
    points.values.set(values, at);
    at += times.length;
  }
  return points;
}

function numberOf(name: string | undefined): number {
  return name === undefined ? 0 : Number.parseInt(name, 10) || 0;
}

function digestOf(content: Uint8Array): Uint8Array {
  return createHash("sha256").update(content).digest().subarray(0, DIGEST_BYTES);
}

/** A record: header, then the columns as JSON with their sizes, then times and values, little endian. */
function encodeRecord(columns: readonly ColumnPoints[]): Uint8Array {
  const heads = columns.map(({ column, points }) => ({ column, count: points.times.length }));
  const json = new TextEncoder().encode(JSON.stringify(heads));
  const content = new Uint8Array(4 + json.length + POINT_BYTES * countPoints(columns));
  const view = new DataView(content.buffer);
  view.setUint32(0, json.length, true);
  content.set(json, 4);
  let at = 4 + json.length;
  for (const { points: { times, values } } of columns) {
    for (const time of times) {
      view.setBigInt64(at, time, true);
      at += 8;
    }
    for (const value of values) {
      view.setFloat64(at, value, true);
      at += 8;
    }
  }
  const record = new Uint8Array(RECORD_HEADER_BYTES + content.length);
  new DataView(record.buffer).setUint32(0, content.length, true);
  record.set(digestOf(content), 4);
  record.set(content, RECORD_HEADER_BYTES);
  return record;
}

/** Content of a record, if it is whole. */
function recordAt(bytes: Uint8Array, at: number): Uint8Array | undefined {
  if (bytes.length - at < RECORD_HEADER_BYTES) return undefined;
  const size = new DataView(bytes.buffer, bytes.byteOffset + at).getUint32(0, true);
  const start = at + RECORD_HEADER_BYTES;
  if (size < 4 || bytes.length - start < size) return undefined;
  const content = bytes.subarray(start, start + size);
  const digest = bytes.subarray(at + 4, start);
  return digestOf(content).every((byte, i) => byte === digest[i]) ? content : undefined;
}

function decodeContent(content: Uint8Array): ColumnPoints[] {
  const view = new DataView(content.buffer, content.byteOffset, content.length);
  const end = 4 + view.getUint32(0, true);
  const heads = JSON.parse(new TextDecoder().decode(content.subarray(4, end))) as {
    column: SourceColumn;
    count: number;
  }[];
  let at = end;
  return heads.map(({ column, count }) => {
    const points = allocRaw(count);
    for (let i = 0; i < count; i++, at += 8) points.times[i] = view.getBigInt64(at, true);
    for (let i = 0; i < count; i++, at += 8) points.values[i] = view.getFloat64(at, true);
    return { column, points };
  });
}
