/**
 * The request and the state of a raw-values read that can be resumed.
 *
 * @module
 */

import { type RawColumns, sliceRaw } from "../../core/columns.ts";
import type { BTrDBError } from "../../core/errors.ts";
import type { Chunk, RangeRequest } from "../../endpoint/endpoint.ts";
import { isSorted } from "../../kernel/find_bad_point.ts";
import { askForBlocks, decodeRawResponse } from "../../kernel/wire.ts";
import { callError, checkStat, type ErrorContext, repeatedPart, wrongAnswer } from "../errors.ts";
import { rawValuesParams } from "../wire/messages.ts";
import { checkVersion } from "./check_answer.ts";
import type { ResumableSource } from "./resumable.ts";

/** Reads a `RawValuesResponse` to a question for a version. */
function decodeRaw(
  bytes: Uint8Array,
  call: ErrorContext & { readonly version: bigint },
): Chunk<RawColumns> {
  const { code, message, major, minor, columns } = decodeRawResponse(bytes);
  checkStat({ code, msg: message }, call);
  const version = { major, minor };
  if (columns.times.length > 0) checkVersion(call.version, version, call);
  return { version, columns };
}

/** The error of points that were taken and have not come again. */
function lostPoints(time: bigint, call: ErrorContext): BTrDBError {
  return callError(`Cannot continue RawValues: points at ${time} are gone`, "DATA_LOSS", call);
}

/** The error of points that were not asked for. */
function outside(call: ErrorContext, { start, end }: RangeRequest): BTrDBError {
  return wrongAnswer(`it has points outside ${start} to ${end}`, call);
}

/**
 * Raw values in order of time. A retry begins at the last time that was taken and leaves out the
 * points of that time that were taken already: a server gives equal times in one order.
 */
export class OrderedRawSource implements ResumableSource<RawColumns> {
  readonly rpc = "RawValues";
  readonly uuid: Uint8Array;
  readonly version: bigint;
  readonly #range: RangeRequest;
  #start: bigint;
  /** Points of time `#start` that were taken. */
  #repeats = 0;
  /** Points that the current try has yet to repeat. */
  #skip = 0;

  constructor(range: RangeRequest) {
    this.uuid = range.uuid;
    this.version = range.version;
    this.#range = range;
    this.#start = range.start;
  }

  request(version: bigint): Uint8Array {
    this.#skip = this.#repeats;
    const params = rawValuesParams({ ...this.#range, start: this.#start, version });
    return this.#range.takesBlocks === true ? askForBlocks(params) : params;
  }

  decode(bytes: Uint8Array): Chunk<RawColumns> {
    return decodeRaw(bytes, this);
  }

  take(columns: RawColumns): RawColumns {
    const { times } = columns;
    const n = times.length;
    if (n === 0) return columns;
    const { start, end } = this.#range;
    if (times[0]! < start || times[n - 1]! >= end) throw outside(this, this.#range);
    if (!isSorted(times)) throw wrongAnswer("its points are not in order of time", this);
    if (times[0]! < this.#start) throw repeatedPart(this);
    const skipped = Math.min(this.#skip, n);
    for (let i = 0; i < skipped; i++) {
      if (times[i] !== this.#start) throw lostPoints(this.#start, this);
    }
    this.#skip -= skipped;
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

  unordered(): ResumableSource<RawColumns> {
    return new ArrivalOrderRawSource(this.#range);
  }
}

/**
 * Raw values whose unflushed points come in the order of arrival, so that one before the last time
 * taken may still be to come. A retry asks for everything and leaves out as many points as were taken.
 */
class ArrivalOrderRawSource implements ResumableSource<RawColumns> {
  readonly rpc = "RawValues";
  readonly uuid: Uint8Array;
  readonly version: bigint;
  readonly #range: RangeRequest;
  #taken = 0;
  /** Time of the last point that was taken. */
  #last = 0n;
  /** Points that the current try has yet to repeat. */
  #skip = 0;

  constructor(range: RangeRequest) {
    this.uuid = range.uuid;
    this.version = range.version;
    this.#range = range;
  }

  request(version: bigint): Uint8Array {
    this.#skip = this.#taken;
    return rawValuesParams({ ...this.#range, version });
  }

  decode(bytes: Uint8Array): Chunk<RawColumns> {
    return decodeRaw(bytes, this);
  }

  take(columns: RawColumns): RawColumns {
    const { times } = columns;
    const n = times.length;
    const { start, end } = this.#range;
    for (const time of times) if (time < start || time >= end) throw outside(this, this.#range);
    const skipped = Math.min(this.#skip, n);
    this.#skip -= skipped;
    // Of the points that are left out, only the last one is known.
    const isLastSkipped = skipped > 0 && this.#skip === 0;
    if (isLastSkipped && times[skipped - 1] !== this.#last) throw lostPoints(this.#last, this);
    this.#taken += n - skipped;
    if (n > skipped) this.#last = times[n - 1]!;
    return skipped === 0 ? columns : sliceRaw(columns, skipped, n);
  }

  size(columns: RawColumns): number {
    return columns.times.length;
  }
}
