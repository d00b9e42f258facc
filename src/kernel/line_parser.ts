/**
 * InfluxDB's line protocol to columns, from bytes that come in pieces.
 *
 * @module
 */

import { concatRaw, emptyRaw, type RawColumns } from "../core/columns.ts";
import { LAST_TIME, MIN_TIME } from "../core/range.ts";
import { columnBytes } from "./arena.ts";
import { type ExtendedArena, extendedArena } from "./extended_arena.ts";
import { type LineError, lineError } from "./line_error.ts";
import { type LineSeries, unescaped } from "../core/line_series.ts";

/** Bytes parsed in one go. */
const PIECE_BYTES = 1 << 18;

/** The same where most lines have tags of their own: to tell them apart takes microseconds each. */
const SMALL_PIECE_BYTES = PIECE_BYTES / 4;

/** Bytes for each set of tags of a piece below which the next piece is small. */
const FEW_BYTES = 128;
/** Longest line, bytes: beyond it, a quote is not closed or this is no line protocol. */
export const MAX_LINE_BYTES: number = 1 << 20;
/** Room that the kernel keeps for one line. */
const LINE_POINTS = 4_096;
/** Most points, and most series, of one go. */
const MAX_POINTS = 131_072;
/** Refused lines of one go, and those of them that are put into words. */
const MAX_ERRORS = 8_192;
const MAX_TOLD = 16;
/** Bytes that the kernel may touch beyond its input. */
const SLACK = 64;
const LF = 10;

/** Words of a record of each kind (`wasm/line_series.ts`, `wasm/parse_lines.ts`). */
const PREFIX_WORDS = 4;
const SERIES_WORDS = 7;
const ERROR_WORDS = 5;

/** Reading of the times of line protocol. */
export interface LineTimes {
  /** ns of a unit; `0n`: seconds to nanoseconds, by the size of each. */
  readonly unit: bigint;
  /** Time of lines without one, ns since the Unix epoch, UTC. */
  readonly now: bigint;
}

/** Contents of some lines. */
export interface LineBatch {
  /** Series of the points. */
  readonly series: readonly LineSeries[];
  /** Index in `series` of each point. */
  readonly groups: Uint32Array;
  /** The points, in the order of the lines. */
  readonly columns: RawColumns;
  /** Strings left out: they are no points. */
  readonly strings: number;
  /** Number of lines that are refused, with all that they hold. */
  readonly refused: number;
  /** The first of them. */
  readonly errors: readonly LineError[];
}

/**
 * Parses line protocol. Every number and boolean is a point of the series that measurement, tags and
 * field name; true is 1 and false 0. Strings are left out and counted. A line with anything wrong in
 * it is refused as a whole. An integer that a double cannot hold exactly is wrong.
 */
export class LineParser {
  readonly #times: LineTimes;
  readonly #seed: bigint;
  /** Bytes that wait for more. */
  #held: Uint8Array[] = [];
  #heldBytes = 0;
  #bytes = 0;
  #lines = 0;
  #isBroken = false;
  #pieceBytes = SMALL_PIECE_BYTES;

  /** @param times Unit of times, and the time of lines without one. */
  constructor(times: LineTimes) {
    this.#times = times;
    this.#seed = crypto.getRandomValues(new BigUint64Array(1))[0]!;
  }

  /** Bytes up to the end of the latest batch. */
  get bytesParsed(): number {
    return this.#bytes;
  }

  /** Lines up to the end of the latest batch. */
  get linesParsed(): number {
    return this.#lines;
  }

  /** True once a line was too long: nothing behind it is read. */
  get isBroken(): boolean {
    return this.#isBroken;
  }

  /**
   * Takes the next bytes, cut anywhere.
   *
   * @param bytes Kept, and not changed, until enough of them are there.
   */
  *push(bytes: Uint8Array): Generator<LineBatch> {
    if (this.#isBroken || bytes.length === 0) return;
    this.#held.push(bytes);
    this.#heldBytes += bytes.length;
    if (this.#heldBytes >= PIECE_BYTES) yield* this.#parse(false);
  }

  /** Takes what is left; the last line may lack its line feed. */
  *finish(): Generator<LineBatch> {
    if (this.#heldBytes > 0 && !this.#isBroken) yield* this.#parse(true);
  }

  *#parse(isLast: boolean): Generator<LineBatch> {
    const all = joined(this.#held, this.#heldBytes);
    let at = 0;
    for (let window = this.#pieceBytes; at < all.length;) {
      const most = Math.min(all.length, at + window);
      const isEnd = isLast && most === all.length;
      const end = isEnd ? most : at + all.subarray(at, most).lastIndexOf(LF) + 1;
      const next = end > at ? yield* this.#piece(all, at, end, isEnd) : at;
      if (next > at) {
        at = next;
        window = this.#pieceBytes;
      } else {
        if (most === all.length || window > MAX_LINE_BYTES) break;
        window *= 2;
      }
    }
    const rest = all.length - at;
    this.#held = rest === 0 ? [] : [all.slice(at)];
    this.#heldBytes = rest;
    if (rest <= MAX_LINE_BYTES) return;
    this.#isBroken = true;
    this.#held = [];
    const message = `a line is longer than ${MAX_LINE_BYTES} bytes, is a quote not closed? ` +
      "Nothing from it on is stored";
    yield { ...NOTHING, refused: 1, errors: [{ line: this.#lines + 1, message }] };
  }

  /** Parses lines of [at, end) as far as there is room; where the rest begins. */
  *#piece(all: Uint8Array, at: number, end: number, isLast: boolean): Generator<LineBatch, number> {
    const bytes = all.subarray(at, end);
    const room = roomFor(bytes.length);
    const memory = extendedArena(room.bytes);
    const { base, exports, u8 } = memory;
    const input = base + room.input;
    u8.set(bytes, input);
    u8.fill(0, input + bytes.length, input + bytes.length + SLACK);
    u8[input + bytes.length] = LF;
    u8.fill(0, base, base + 8 * room.slots);
    exports.lineSeriesRoom(
      base,
      base + 4 * room.slots,
      room.slots,
      base + room.prefixes,
      base + room.series,
      room.points,
      this.#seed,
    );
    exports.lineRoom(
      base + room.groups,
      base + room.times,
      base + room.values,
      room.points,
      base + room.errors,
      MAX_ERRORS,
    );
    const { unit, now } = this.#times;
    exports.lineTimes(unit, now, MIN_TIME, LAST_TIME);
    const stopped = exports.parseLines(input, input + bytes.length, isLast) - input;
    const batch = this.#batch(memory, room, bytes, input);
    this.#lines += exports.linesPassed();
    this.#bytes += stopped;
    if (stopped > 0) yield batch;
    return at + stopped;
  }

  #batch(memory: ExtendedArena, room: Room, bytes: Uint8Array, input: number): LineBatch {
    const { base, exports, u32 } = memory;
    const n = exports.linePoints();
    const text = new TextDecoder();
    const slice = (at: number, length: number) =>
      text.decode(bytes.subarray(at - input, at - input + length));
    const prefixes = new Map<number, string>();
    const prefixOf = (index: number): string => {
      let prefix = prefixes.get(index);
      if (prefix === undefined) {
        const at = ((base + room.prefixes) >> 2) + index * PREFIX_WORDS;
        prefixes.set(index, prefix = slice(u32[at]!, u32[at + 1]!));
      }
      return prefix;
    };
    const series: LineSeries[] = [];
    const places = new Uint32Array(exports.lineSeries());
    for (let i = 0; i < places.length; i++) {
      const at = ((base + room.series) >> 2) + i * SERIES_WORDS;
      if (u32[at + 4] === 0) continue;
      places[i] = series.length;
      series.push({
        prefix: prefixOf(u32[at]!),
        field: unescaped(slice(u32[at + 1]!, u32[at + 2]!)),
        line: this.#lines + u32[at + 5]! + 1,
      });
    }
    const areMany = prefixes.size * FEW_BYTES > bytes.length;
    this.#pieceBytes = areMany ? SMALL_PIECE_BYTES : PIECE_BYTES;
    const from = (base + room.groups) >> 2;
    const groups = u32.slice(from, from + n);
    if (series.length < places.length) {
      for (let i = 0; i < n; i++) {
        groups[i] = places[groups[i]!]!;
      }
    }
    const [times, values] = [(base + room.times) >> 3, (base + room.values) >> 3];
    return {
      series,
      groups,
      columns: {
        times: memory.i64.slice(times, times + n),
        values: memory.f64.slice(values, values + n),
      },
      strings: exports.lineStrings(),
      refused: exports.lineErrors(),
      errors: this.#errors(memory, room, bytes, input),
    };
  }

  #errors(
    { base, exports, u32 }: ExtendedArena,
    room: Room,
    bytes: Uint8Array,
    input: number,
  ): LineError[] {
    return Array.from({ length: Math.min(exports.lineErrors(), MAX_TOLD) }, (_, i) => {
      const at = ((base + room.errors) >> 2) + i * ERROR_WORDS;
      return lineError({
        bytes,
        line: this.#lines + u32[at]! + 1,
        code: u32[at + 1]!,
        from: u32[at + 2]! - input,
        at: u32[at + 3]! - input,
        lines: u32[at + 4]!,
        unit: this.#times.unit,
      });
    });
  }
}

/** Several batches as one. */
export function joinBatches(batches: readonly LineBatch[]): LineBatch {
  if (batches.length === 1) return batches[0]!;
  const groups = new Uint32Array(batches.reduce((sum, { groups }) => sum + groups.length, 0));
  const series: LineSeries[] = [];
  let at = 0;
  for (const batch of batches) {
    for (const group of batch.groups) groups[at++] = group + series.length;
    for (const one of batch.series) series.push(one);
  }
  return {
    series,
    groups,
    columns: concatRaw(batches.map(({ columns }) => columns)),
    strings: batches.reduce((sum, { strings }) => sum + strings, 0),
    refused: batches.reduce((sum, { refused }) => sum + refused, 0),
    errors: batches.flatMap(({ errors }) => errors).slice(0, MAX_TOLD),
  };
}

const NOTHING: LineBatch = {
  series: [],
  groups: new Uint32Array(0),
  columns: emptyRaw(),
  strings: 0,
  refused: 0,
  errors: [],
};

/** Layout of the arena, from its base on. */
interface Room {
  readonly slots: number;
  readonly points: number;
  readonly prefixes: number;
  readonly series: number;
  readonly groups: number;
  readonly times: number;
  readonly values: number;
  readonly errors: number;
  readonly input: number;
  readonly bytes: number;
}

/** Room for the points of so many bytes; a point takes at least four. */
function roomFor(bytes: number): Room {
  const points = Math.min(MAX_POINTS, bytes >> 2) + LINE_POINTS + 1;
  const slots = 2 ** Math.ceil(Math.log2(2 * points));
  const prefixes = 8 * slots;
  const series = prefixes + 2 * columnBytes(points);
  const groups = series + 4 * columnBytes(points);
  const times = groups + columnBytes(points);
  const values = times + columnBytes(points);
  const errors = values + columnBytes(points);
  const input = errors + 4 * ERROR_WORDS * MAX_ERRORS;
  const total = input + bytes + SLACK;
  return { slots, points, prefixes, series, groups, times, values, errors, input, bytes: total };
}

function joined(pieces: readonly Uint8Array[], bytes: number): Uint8Array {
  if (pieces.length === 1) return pieces[0]!;
  const all = new Uint8Array(bytes);
  let at = 0;
  for (const piece of pieces) {
    all.set(piece, at);
    at += piece.length;
  }
  return all;
}
