/**
 * The requests and the states of window reads, aligned and not, that can be resumed.
 *
 * @module
 */

import { sliceStat, type StatColumns } from "../../core/columns.ts";
import { regularUntil } from "../../core/regular_times.ts";
import { checkAlignedWindows } from "../../endpoint/checks.ts";
import type { AlignedWindowsRequest, StatChunk, WindowsRequest } from "../../endpoint/endpoint.ts";
import { findBadTime } from "../../kernel/find_bad_point.ts";
import { decodeStatResponse } from "../../kernel/wire.ts";
import { checkStat, repeatedPart, wrongAnswer } from "../errors.ts";
import { alignedWindowsParams, windowsParams, type WireRange } from "../wire/messages.ts";
import { checkVersion } from "./check_answer.ts";
import type { ResumableSource } from "./resumable.ts";

/** More points than any stream can have. */
const MAX_COUNT = 1n << 53n;

/** Rounding that a server's mean may have, as a share of the larger bound; real ones stay below 1e-12. */
const ROUNDING = 1e-6;

/**
 * Tells whether a window contradicts itself. Means may be infinite or NaN, because the sums of a real
 * server overflow (quirk `mean-overflow`); so may everything of points that are.
 */
function hasContradiction({ min, mean, max, count, stddev }: StatColumns): boolean {
  for (let i = 0; i < min.length; i++) {
    const low = min[i]!, high = max[i]!, middle = mean[i]!;
    if (low > high || (stddev !== undefined && stddev[i]! < 0)) return true;
    if (middle >= low && middle <= high) continue;
    const distance = middle < low ? low - middle : middle - high;
    const most = ROUNDING * Math.max(Math.abs(low), Math.abs(high)) + Number.MIN_VALUE;
    if (distance > most && distance < Infinity && count[i]! > 0n) return true;
  }
  return false;
}

/** Form of the two calls for windows. */
interface Form {
  readonly rpc: "AlignedWindows" | "Windows";
  readonly width: bigint;
  readonly encode: (range: WireRange) => Uint8Array;
  /** True if the server refuses a range of one nanosecond, and windows begin before the range. */
  readonly isAligned: boolean;
  /** True if a real server sends one too many when an unflushed point is exactly at the end. */
  readonly windowAtEnd: boolean;
}

/** Windows; a retry begins after the last one that was taken. */
class WindowsSource implements ResumableSource<StatColumns> {
  readonly rpc: string;
  readonly uuid: Uint8Array;
  readonly version: bigint;
  readonly #form: Form;
  readonly #first: bigint;
  readonly #end: bigint;
  readonly #stddev: boolean;
  #start: bigint;
  #taken = false;
  /** True if the current try has yet to repeat the window before. */
  #repeats = false;

  constructor(form: Form, { uuid, version, start, end }: WireRange, stddev: boolean) {
    this.rpc = form.rpc;
    this.uuid = uuid;
    this.version = version;
    this.#form = form;
    this.#first = start;
    this.#start = start;
    this.#end = end;
    this.#stddev = stddev;
  }

  request(version: bigint): Uint8Array | undefined {
    const { isAligned, encode } = this.#form;
    if (this.#taken && this.#start >= this.#end) return undefined;
    // The last nanosecond alone is refused: its window is asked for with the one before it.
    this.#repeats = isAligned && this.#end - this.#start === 1n;
    const start = this.#repeats ? this.#start - 1n : this.#start;
    return encode({ uuid: this.uuid, start, end: this.#end, version });
  }

  decode(bytes: Uint8Array): StatChunk {
    const { code, message, major, minor, columns } = decodeStatResponse(bytes, this.#stddev);
    checkStat({ code, msg: message }, this);
    const version = { major, minor };
    if (columns.count.some((count) => count > 0n)) checkVersion(this.version, version, this);
    return { version, columns };
  }

  take(columns: StatColumns): StatColumns {
    const { times } = columns;
    const n = times.length;
    if (n === 0) return columns;
    this.#check(times);
    const { buffer, byteOffset } = columns.count;
    if (findBadTime(new BigInt64Array(buffer, byteOffset, n), 0n, MAX_COUNT) >= 0) {
      throw wrongAnswer("a window has no number of points", this);
    }
    if (hasContradiction(columns)) {
      throw wrongAnswer(
        "a window has a minimum above its maximum, a mean outside, or a deviation below 0",
        this,
      );
    }
    const { isAligned, width } = this.#form;
    const isBefore = (i: number) => (this.#taken || !isAligned) && times[i]! < this.#start;
    const from = this.#repeats && isBefore(0) ? 1 : 0;
    this.#repeats = false;
    if (from < n && isBefore(from)) throw repeatedPart(this);
    this.#start = times[n - 1]! + width;
    this.#taken = true;
    return from === 0 ? columns : sliceStat(columns, from, n);
  }

  /** Windows stand on the grid that was asked for, in order, and within the range. */
  #check(times: BigInt64Array): void {
    const { isAligned, width, windowAtEnd } = this.#form;
    const [first, end] = [this.#first, this.#end];
    for (let i = 0; i < times.length;) {
      const time = times[i]!;
      const offset = isAligned ? time : time - first;
      if (offset % width !== 0n) throw wrongAnswer("its windows are not on the grid", this);
      if (i > 0 && time < times[i - 1]! + width) {
        throw wrongAnswer("its windows are not in order", this);
      }
      // Most follow the one before, which is on the grid.
      i = regularUntil(times, i, width);
    }
    const last = times[times.length - 1]!;
    const isBefore = isAligned ? times[0]! + width <= first : times[0]! < first;
    if (isBefore || last > end || (last === end && !windowAtEnd)) {
      throw wrongAnswer(`it has windows outside ${first} to ${end}`, this);
    }
  }

  size(columns: StatColumns): number {
    return columns.times.length;
  }
}

/** Aligned windows that can be resumed. */
export function alignedWindowsSource(
  request: AlignedWindowsRequest,
  stddev: boolean,
): ResumableSource<StatColumns> {
  const { pointwidth } = request;
  const form: Form = {
    rpc: "AlignedWindows",
    width: 1n << BigInt(pointwidth),
    encode: (range) => alignedWindowsParams(range, pointwidth),
    isAligned: true,
    windowAtEnd: false,
  };
  return new WindowsSource(form, { ...request, ...checkAlignedWindows(request) }, stddev);
}

/**
 * Windows that can be resumed.
 *
 * @param request The request; depth 0 is sent, which is exact on every server (quirk
 * `windows-depth`).
 * @param range Its ends as {@linkcode checkWindows} rounds them.
 * @param stddev True if the columns have standard deviations.
 * @param windowAtEnd True if there may be a window too many.
 */
export function windowsSource(
  request: WindowsRequest,
  range: { start: bigint; end: bigint },
  stddev: boolean,
  windowAtEnd: boolean,
): ResumableSource<StatColumns> {
  const { width } = request;
  const encode = (asked: WireRange) => windowsParams(asked, width, 0);
  const form: Form = { rpc: "Windows", width, encode, isAligned: false, windowAtEnd };
  return new WindowsSource(form, { ...request, ...range }, stddev);
}
