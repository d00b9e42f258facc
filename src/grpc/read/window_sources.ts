/**
 * The requests and the states of window reads, aligned and not, that can be resumed.
 *
 * @module
 */

import { sliceStat, type StatColumns } from "../../core/columns.ts";
import { checkAlignedWindows } from "../../endpoint/checks.ts";
import type { AlignedWindowsRequest, StatChunk, WindowsRequest } from "../../endpoint/endpoint.ts";
import { decodeStatResponse } from "../../kernel/wire.ts";
import { checkStat, type ErrorContext, repeatedPart } from "../errors.ts";
import { alignedWindowsParams, windowsParams } from "../wire/messages.ts";
import type { ResumableSource } from "./resumable.ts";

/** Reads the response of one of the two calls for windows. */
function decodeStat(
  bytes: Uint8Array,
  call: ErrorContext,
  stddev: boolean,
): StatChunk {
  const { code, message, major, minor, columns } = decodeStatResponse(bytes, stddev);
  checkStat({ code, msg: message }, call);
  return { version: { major, minor }, columns };
}

/** Aligned windows. Asked for again, they begin after the last one that was taken. */
export class AlignedSource implements ResumableSource<StatColumns> {
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

  decode(bytes: Uint8Array): StatChunk {
    return decodeStat(bytes, this, this.#stddev);
  }

  take(columns: StatColumns): StatColumns {
    const n = columns.times.length;
    if (n === 0) return columns;
    if (this.#taken && columns.times[n - 1]! < this.#start) throw repeatedPart(this);
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
export class WindowsSource implements ResumableSource<StatColumns> {
  readonly rpc = "Windows";
  readonly uuid: Uint8Array;
  readonly version: bigint;
  readonly #width: bigint;
  readonly #end: bigint;
  readonly #stddev: boolean;
  #start: bigint;
  #taken = false;

  /**
   * @param request The request; depth 0 is sent, which is exact on every server (quirk
   * `windows-depth`).
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

  decode(bytes: Uint8Array): StatChunk {
    return decodeStat(bytes, this, this.#stddev);
  }

  take(columns: StatColumns): StatColumns {
    const n = columns.times.length;
    if (n === 0) return columns;
    if (columns.times[0]! < this.#start) throw repeatedPart(this);
    this.#start = columns.times[n - 1]! + this.#width;
    this.#taken = true;
    return columns;
  }

  size(columns: StatColumns): number {
    return columns.times.length;
  }
}
