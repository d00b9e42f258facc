/**
 * The request and the state of a raw-values read that can be resumed.
 *
 * @module
 */

import { type RawColumns, sliceRaw } from "../../core/columns.ts";
import type { RangeRequest } from "../../endpoint/endpoint.ts";
import { decodeRawResponse } from "../../kernel/wire.ts";
import { callError, checkStat, type ErrorContext, repeatedPart } from "../errors.ts";
import { rawValuesParams } from "../wire/messages.ts";
import type { Part, Source } from "./resumable.ts";

/** Reads a `RawValuesResponse`. */
function decodeRaw(bytes: Uint8Array, call: ErrorContext): Part<RawColumns> {
  const { code, message, major, minor, columns } = decodeRawResponse(bytes);
  checkStat({ code, msg: message }, call);
  return { version: { major, minor }, columns };
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
    if (ordered && n > 0 && times[0]! < this.#start) throw repeatedPart(this);
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
