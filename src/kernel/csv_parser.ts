/**
 * BTrDB's CSV back to columns, from bytes that come in pieces.
 *
 * @module
 */

import { checkBytes } from "../core/check_bytes.ts";
import type { RawColumns } from "../core/columns.ts";
import { type ExtendedArena, extendedArena } from "./extended_arena.ts";

import { CsvError, describeCell } from "./csv_error.ts";
import { readHeader } from "./csv_header.ts";
import { GrowingColumns } from "./growing_columns.ts";
import { invalidType } from "../core/argument_error.ts";

/** Bytes parsed in one go. */
const PIECE_BYTES = 256 << 10;
/** Bytes of the columns that one go may fill, unless that is less than 64 rows. */
const OUTPUT_BYTES = 1 << 20;
/** Longest row, bytes: beyond it, a quote is not closed or this is no CSV. */
const MAX_ROW_BYTES = 16 << 20;
/** Bytes that the kernel may touch beyond its input. */
const SLACK = 64;
const LF = 10;

/**
 * Parses a CSV in BTrDB's own export format from bytes that come in pieces of any size, cut
 * anywhere.
 *
 * Every piece gives the points whose rows it completes, one set of columns for each label, in the
 * order of the rows. Nothing is sorted and nothing is dropped. An empty cell is no point; any other
 * cell that is no finite number is an error that says line and column.
 *
 * @example Two pieces
 * ```ts
 * import { CsvParser } from "@btrdb/btrdb/kernel";
 * import { assertEquals } from "@std/assert";
 *
 * const parser = new CsvParser();
 * const bytes = new TextEncoder().encode(
 *   "Timestamp (ns),Human-Readable Time (UTC),a\n5,1970-01-01T00:00:00Z,0.25\n6,,1e3",
 * );
 * const [first] = parser.push(bytes.subarray(0, 60));
 * const [second] = parser.push(bytes.subarray(60));
 * const [last] = parser.finish();
 * assertEquals(parser.labels, ["a"]);
 * assertEquals([first?.times.length, second?.times, last?.values], [
 *   0,
 *   BigInt64Array.of(5n),
 *   Float64Array.of(1000),
 * ]);
 * ```
 */
export class CsvParser {
  #labels: string[] | undefined;
  readonly #rest = new Rest();
  /** Lines before `#rest`. */
  #lines = 0;
  #finished = false;
  #columns: GrowingColumns[] = [];

  /** One for each column, in order; undefined until the header is complete. */
  get labels(): readonly string[] | undefined {
    return this.#labels;
  }

  /** Lines parsed so far, the header included. */
  get lines(): number {
    return this.#lines;
  }

  /**
   * Takes the next bytes.
   *
   * @param bytes Any number of them; not kept and not changed.
   * @returns For each label the points of the rows that are complete now; none before the header
   * is.
   * @throws {CsvError} If something is wrong with the header or a row.
   */
  push(bytes: Uint8Array): RawColumns[] {
    checkBytes("parse CSV", "bytes", bytes);
    if (this.#finished) throw invalidType("Cannot parse CSV: the parser is finished");
    if (this.#rest.length === 0) this.#rest.append(bytes, this.#take(bytes, false));
    else {
      this.#rest.append(bytes, 0);
      // Without a line feed nothing more is complete than before.
      if (bytes.includes(LF)) this.#rest.drop(this.#take(this.#rest.view, false));
    }
    this.#checkRest();
    return this.#give();
  }

  /**
   * Takes what is left as the last row, which may lack its line feed.
   *
   * @returns As {@linkcode push}.
   * @throws {CsvError} If the header or the last row is not complete or wrong.
   */
  finish(): RawColumns[] {
    if (this.#finished) return [];
    this.#finished = true;
    const rest = this.#rest;
    if (rest.length === 0 && this.#labels !== undefined) return this.#give();
    if (rest.view.at(-1) !== LF) rest.append(Uint8Array.of(LF), 0);
    if (this.#take(rest.view, true) < rest.length) {
      const line = this.#lines + 1;
      throw new CsvError(`Cannot parse CSV: line ${line}: a quote is not closed`, { line });
    }
    return this.#give();
  }

  /** Parses all that is complete in `data`; how many bytes that was. */
  #take(data: Uint8Array, last: boolean): number {
    if (this.#labels !== undefined) return this.#rows(data, 0);
    const header = readHeader(data, last);
    if (header === undefined) return 0;
    this.#labels = header.labels;
    this.#lines = header.lines;
    this.#columns = header.labels.map(() => new GrowingColumns());
    return this.#rows(data, header.end);
  }

  /** Checks that the incomplete row that is held stays within bounds. */
  #checkRest(): void {
    if (this.#rest.length <= MAX_ROW_BYTES) return;
    const line = this.#lines + 1;
    const what = this.#labels === undefined ? "the header" : "a row";
    throw new CsvError(
      `Cannot parse CSV: line ${line}: ${what} is longer than ${MAX_ROW_BYTES} bytes, is a quote ` +
        "not closed?",
      { line },
    );
  }

  /** Parses complete rows from `at` on; where the first incomplete one begins. */
  #rows(data: Uint8Array, at: number): number {
    let size = PIECE_BYTES;
    while (at < data.length) {
      const end = data.subarray(0, Math.min(at + size, data.length)).lastIndexOf(LF) + 1;
      const next = end > at ? this.#piece(data.subarray(at, end)) : 0;
      if (next > 0) {
        at += next;
        size = PIECE_BYTES;
      } else if (at + size < data.length) size *= 2;
      else break;
    }
    return at;
  }

  /** Parses rows of `piece`, which ends with a line feed; how many bytes they took. */
  #piece(piece: Uint8Array): number {
    const columns = this.#columns.length;
    const capacity = Math.max(64, Math.min(16_384, Math.floor(OUTPUT_BYTES / (16 * columns))));
    const stride = 16 * capacity + 640;
    const inputBytes = (piece.length + SLACK + 63) & ~63;
    const countBytes = (4 * columns + 63) & ~63;
    const memory = extendedArena(inputBytes + countBytes + columns * stride);
    const { base, exports } = memory;
    const counts = base + inputBytes;
    const out = counts + countBytes;
    memory.u8.set(piece, base);
    let at = base;
    const end = base + piece.length;
    while (at < end) {
      const from = at;
      at = exports.parseRows(at, end, columns, out, stride, counts, capacity);
      this.#collect(memory, counts, out, stride);
      this.#lines += exports.tableLines();
      if (exports.tableErrorCode() !== 0) this.#fail(memory, piece);
      if (at === from) break;
    }
    return at - base;
  }

  /** Copies the points of all columns out. */
  #collect(memory: ExtendedArena, counts: number, out: number, stride: number): void {
    for (let c = 0; c < this.#columns.length; c++) {
      const n = memory.u32[(counts >> 2) + c]!;
      if (n === 0) continue;
      const times = (out + c * stride) >> 3;
      const values = times + (stride >> 4);
      this.#columns[c]!.append(
        memory.i64.subarray(times, times + n),
        memory.f64.subarray(values, values + n),
      );
    }
  }

  #fail(memory: ExtendedArena, piece: Uint8Array): never {
    const { exports, base } = memory;
    const column = exports.tableErrorColumn();
    const text = describeCell(piece, exports.tableErrorAt() - base);
    throw CsvError.ofCell(exports.tableErrorCode(), {
      line: this.#lines + 1,
      column,
      labels: this.#labels!,
      text,
    });
  }

  #give(): RawColumns[] {
    return this.#columns.map((column) => column.take());
  }
}

/** Bytes that wait for more, in memory that is used again. */
class Rest {
  #bytes = new Uint8Array(0);
  #length = 0;

  /** Number of them. */
  get length(): number {
    return this.#length;
  }

  /** The bytes, valid until the next change. */
  get view(): Uint8Array {
    return this.#bytes.subarray(0, this.#length);
  }

  /** Copies the bytes of `bytes` from `from` on to the end. */
  append(bytes: Uint8Array, from: number): void {
    const length = this.#length + bytes.length - from;
    if (length > this.#bytes.length) {
      const larger = new Uint8Array(Math.max(length, 2 * this.#bytes.length));
      larger.set(this.view);
      this.#bytes = larger;
    }
    this.#bytes.set(from === 0 ? bytes : bytes.subarray(from), this.#length);
    this.#length = length;
  }

  /** Removes the first `n` bytes. */
  drop(n: number): void {
    this.#bytes.copyWithin(0, n, this.#length);
    this.#length -= n;
  }
}
