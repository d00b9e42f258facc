/**
 * The four streamed answers with columns: how to ask for the rest of each.
 *
 * @module
 */

import { type RawColumns, sliceRaw, sliceStat, type StatColumns } from "../../core/columns.ts";
import type { BTrDBError } from "../../core/errors.ts";
import { checkAlignedWindows } from "../../endpoint/checks.ts";
import type {
  AlignedWindowsRequest,
  ChangesRequest,
  RangeRequest,
  WindowsRequest,
} from "../../endpoint/endpoint.ts";
import { decodeRawResponse, decodeStatResponse } from "../../kernel/wire.ts";
import { callError, checkStat, type ErrorContext, lostPeer } from "../errors.ts";
import {
  alignedWindowsParams,
  changesParams,
  decodeChanges,
  rawValuesParams,
  windowsParams,
} from "../wire/messages.ts";
import type { Part, Source } from "./resumable.ts";

/** Reads a `RawValuesResponse`. */
function decodeRaw(bytes: Uint8Array, call: ErrorContext): Part<RawColumns> {
  const { code, message, major, minor, columns } = decodeRawResponse(bytes);
  checkStat({ code, msg: message }, call);
  return { version: { major, minor }, columns };
}

/** Reads the response of one of the two calls for windows. */
function decodeStat(
  bytes: Uint8Array,
  call: ErrorContext,
  stddev: boolean,
): Part<StatColumns> {
  const { code, message, major, minor, columns } = decodeStatResponse(bytes, stddev);
  checkStat({ code, msg: message }, call);
  return { version: { major, minor }, columns };
}

/** An answer that goes back in time has been garbled on its way: it is asked for again. */
function repeated(call: ErrorContext): BTrDBError {
  return lostPeer(call, "the server", "a part of the answer came twice");
}

/**
 * Raw values. Asked for again, they begin at the last time that was taken, and the points of that
 * time that were taken already are left out: a server gives equal times in one order.
 *
 * Where unflushed points come in the order of arrival, one before the last time taken may still be
 * to come. Then everything is asked for again, and as many points are left out as were taken.
 */
export class RawSource implements Source<RawColumns> {
  readonly rpc = "RawValues";
  readonly uuid: Uint8Array;
  readonly version: bigint;
  readonly #end: bigint;
  #start: bigint;
  /** Points of time `#start` that were taken. */
  #repeats = 0;
  /** Points that the current answer has yet to repeat. */
  #skip = 0;
  /** Where the whole answer begins. */
  readonly #first: bigint;
  /** Points that were taken of an answer that is not in order; `undefined` if it is. */
  #taken: number | undefined;

  constructor({ uuid, start, end, version }: RangeRequest) {
    this.uuid = uuid;
    this.version = version;
    this.#first = start;
    this.#start = start;
    this.#end = end;
  }

  request(version: bigint): Uint8Array {
    this.#skip = this.#taken ?? this.#repeats;
    const start = this.#taken === undefined ? this.#start : this.#first;
    return rawValuesParams({ uuid: this.uuid, start, end: this.#end, version });
  }

  decode(bytes: Uint8Array): Part<RawColumns> {
    return decodeRaw(bytes, this);
  }

  take(columns: RawColumns, ordered: boolean): RawColumns {
    const { times } = columns;
    const n = times.length;
    if (ordered && n > 0 && times[0]! < this.#start) throw repeated(this);
    const skipped = Math.min(this.#skip, n);
    // Of an answer that is not in order, only the last point to be left out is known.
    const from = ordered ? 0 : this.#skip === skipped ? skipped - 1 : skipped;
    for (let i = Math.max(from, 0); i < skipped; i++) {
      if (times[i] === this.#start) continue;
      const lost = `Cannot go on with RawValues: points at ${this.#start} are gone`;
      throw callError(lost, "DATA_LOSS", this);
    }
    this.#skip -= skipped;
    if (!ordered) this.#taken = (this.#taken ?? 0) + n - skipped;
    if (n > skipped) this.#advance(times, skipped);
    return skipped === 0 ? columns : sliceRaw(columns, skipped, n);
  }

  #advance(times: BigInt64Array, from: number): void {
    const last = times[times.length - 1]!;
    let first = times.length - 1;
    while (first > from && times[first - 1] === last) first--;
    const repeats = times.length - first;
    this.#repeats = first === from && last === this.#start ? this.#repeats + repeats : repeats;
    this.#start = last;
  }

  size(columns: RawColumns): number {
    return columns.times.length;
  }
}

/** Aligned windows. Asked for again, they begin after the last one that was taken. */
export class AlignedSource implements Source<StatColumns> {
  readonly rpc = "AlignedWindows";
  readonly uuid: Uint8Array;
  readonly version: bigint;
  readonly #pointwidth: number;
  readonly #end: bigint;
  readonly #stddev: boolean;
  #start: bigint;
  #taken = false;

  constructor(request: AlignedWindowsRequest, stddev: boolean) {
    const { start, end } = checkAlignedWindows(request);
    this.uuid = request.uuid;
    this.version = request.version;
    this.#pointwidth = request.pointwidth;
    this.#start = start;
    this.#end = end;
    this.#stddev = stddev;
  }

  request(version: bigint): Uint8Array | undefined {
    if (this.#taken && this.#start >= this.#end) return undefined;
    // A range of one nanosecond is refused: the last window is asked for with the one before it.
    const start = this.#end - this.#start === 1n ? this.#start - 1n : this.#start;
    return alignedWindowsParams(
      { uuid: this.uuid, start, end: this.#end, version },
      this.#pointwidth,
    );
  }

  decode(bytes: Uint8Array): Part<StatColumns> {
    return decodeStat(bytes, this, this.#stddev);
  }

  take(columns: StatColumns): StatColumns {
    const n = columns.times.length;
    if (n === 0) return columns;
    if (this.#taken && columns.times[n - 1]! < this.#start) throw repeated(this);
    const from = this.#taken && columns.times[0]! < this.#start ? 1 : 0;
    this.#start = columns.times[n - 1]! + (1n << BigInt(this.#pointwidth));
    this.#taken = true;
    return from === 0 ? columns : sliceStat(columns, from, n);
  }

  size(columns: StatColumns): number {
    return columns.times.length;
  }
}

/** Windows. Asked for again, they begin with the first one that was not taken. */
export class WindowsSource implements Source<StatColumns> {
  readonly rpc = "Windows";
  readonly uuid: Uint8Array;
  readonly version: bigint;
  readonly #width: bigint;
  readonly #end: bigint;
  readonly #stddev: boolean;
  #start: bigint;
  #taken = false;

  /**
   * @param request What is asked for; depth 0 is sent, which is exact on every server.
   * @param range Its ends as {@linkcode checkWindows} rounds them.
   * @param stddev Whether the columns have it.
   */
  constructor(request: WindowsRequest, range: { start: bigint; end: bigint }, stddev: boolean) {
    this.uuid = request.uuid;
    this.version = request.version;
    this.#width = request.width;
    this.#start = range.start;
    this.#end = range.end;
    this.#stddev = stddev;
  }

  request(version: bigint): Uint8Array | undefined {
    if (this.#taken && this.#start >= this.#end) return undefined;
    const range = { uuid: this.uuid, start: this.#start, end: this.#end, version };
    return windowsParams(range, this.#width, 0);
  }

  decode(bytes: Uint8Array): Part<StatColumns> {
    return decodeStat(bytes, this, this.#stddev);
  }

  take(columns: StatColumns): StatColumns {
    const n = columns.times.length;
    if (n === 0) return columns;
    if (columns.times[0]! < this.#start) throw repeated(this);
    this.#start = columns.times[n - 1]! + this.#width;
    this.#taken = true;
    return columns;
  }

  size(columns: StatColumns): number {
    return columns.times.length;
  }
}

/** Changed ranges, as columns. */
export interface RangeColumns {
  starts: BigInt64Array;
  ends: BigInt64Array;
}

/**
 * Changed ranges. A server sends some late, after ranges that lie behind them, but always in one
 * order: asked for again, as many are left out as were taken. Only the ranges up to the latest version
 * and those up to its number are not the same ones, as more of the former are joined: then what lies
 * within a range that was taken is left out.
 */
export class ChangesSource implements Source<RangeColumns> {
  readonly rpc = "Changes";
  readonly uuid: Uint8Array;
  readonly version: bigint;
  readonly #request: ChangesRequest;
  #asked: bigint | undefined;
  /** Ranges taken of the version asked for. */
  #taken = 0;
  /** All ranges taken. */
  readonly #ranges: RangeColumns[] = [];
  /** Those taken when the version asked for became another one. */
  #covered: Coverage | undefined;
  /** Ranges that the current answer has yet to repeat. */
  #skip = 0;

  constructor(request: ChangesRequest) {
    this.uuid = request.uuid;
    this.version = request.to;
    this.#request = request;
  }

  request(version: bigint): Uint8Array {
    if (this.#asked !== undefined && version !== this.#asked) {
      this.#taken = 0;
      this.#covered = new Coverage(this.#ranges);
    }
    this.#asked = version;
    this.#skip = this.#taken;
    return changesParams({ ...this.#request, to: version });
  }

  decode(bytes: Uint8Array): Part<RangeColumns> {
    const { version, starts, ends } = decodeChanges(bytes, this);
    return { version, columns: { starts, ends } };
  }

  take({ starts, ends }: RangeColumns): RangeColumns {
    const from = Math.min(this.#skip, starts.length);
    this.#skip -= from;
    this.#taken += starts.length - from;
    const rest = { starts: starts.subarray(from), ends: ends.subarray(from) };
    const fresh = this.#covered === undefined ? rest : this.#covered.leaveOut(rest);
    this.#ranges.push(fresh);
    return fresh;
  }

  size(columns: RangeColumns): number {
    return columns.starts.length;
  }
}

/** The times that ranges cover. */
class Coverage {
  /** In order, apart from each other. */
  readonly #starts: bigint[] = [];
  readonly #ends: bigint[] = [];

  constructor(ranges: readonly RangeColumns[]) {
    const all = ranges.flatMap(({ starts, ends }) =>
      Array.from(starts, (start, i): [bigint, bigint] => [start, ends[i]!])
    ).sort(([a], [b]) => a < b ? -1 : a > b ? 1 : 0);
    for (const [start, end] of all) {
      const last = this.#ends.length - 1;
      if (last < 0 || start > this.#ends[last]!) {
        this.#starts.push(start);
        this.#ends.push(end);
      } else if (end > this.#ends[last]!) this.#ends[last] = end;
    }
  }

  /** The ranges that are not wholly covered. */
  leaveOut({ starts, ends }: RangeColumns): RangeColumns {
    const kept = Array.from(starts.keys()).filter((i) => !this.#has(starts[i]!, ends[i]!));
    return {
      starts: BigInt64Array.from(kept, (i) => starts[i]!),
      ends: BigInt64Array.from(kept, (i) => ends[i]!),
    };
  }

  #has(start: bigint, end: bigint): boolean {
    let low = 0, high = this.#starts.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.#starts[middle]! <= start) low = middle + 1;
      else high = middle;
    }
    return low > 0 && end <= this.#ends[low - 1]!;
  }
}
