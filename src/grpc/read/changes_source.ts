/**
 * The request and the state of a changes read that can be resumed.
 *
 * @module
 */

import { LATEST, MAX_TIME, MIN_TIME } from "../../core/range.ts";
import { lowerBound } from "../../core/search.ts";
import { isLatest } from "../../endpoint/checks.ts";
import type { ChangesRequest, Chunk } from "../../endpoint/endpoint.ts";
import { movedError } from "../errors.ts";
import { changesParams, decodeChanges } from "../wire/messages.ts";
import { checkVersion } from "./check_answer.ts";
import type { ResumableSource } from "./resumable.ts";

/** Most ranges that are kept to tell whether later ones are new: 64 MiB. */
const MAX_KEPT_RANGES = 1 << 22;

/** Ranges in whose place the columns of a message could be kept. */
const MESSAGE_RANGES = 16;

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
export class ChangesSource implements ResumableSource<RangeColumns> {
  readonly rpc = "Changes";
  readonly uuid: Uint8Array;
  readonly version: bigint;
  readonly #request: ChangesRequest;
  #asked: bigint | undefined;
  /** Ranges taken of the version asked for. */
  #taken = 0;
  /** All ranges taken, while the version asked for may still become another one; absent: too many. */
  #ranges: RangeColumns[] | undefined = [];
  /** Ranges that may still be kept. */
  #room: number;
  /** Those taken when the version asked for became another one. */
  #covered: Coverage | undefined;
  /** Ranges that the current answer has yet to repeat. */
  #skip = 0;

  /** @param room Most ranges that are kept. */
  constructor(request: ChangesRequest, room: number = MAX_KEPT_RANGES) {
    this.uuid = request.uuid;
    this.version = request.to;
    this.#request = request;
    this.#room = room;
  }

  request(version: bigint): Uint8Array {
    if (this.#asked !== undefined && version !== this.#asked) {
      if (this.#ranges === undefined) {
        throw movedError("Cannot continue Changes: it has too many ranges to repeat", this);
      }
      this.#taken = 0;
      this.#covered = new Coverage(this.#ranges);
    }
    this.#asked = version;
    this.#skip = this.#taken;
    return changesParams({ ...this.#request, to: version });
  }

  decode(bytes: Uint8Array): Chunk<RangeColumns> {
    const { version, starts, ends } = decodeChanges(bytes, this, this.#request.resolution);
    // Of a stream that was never flushed, a real server tells its own version, whatever was asked for.
    const isNew = starts.length === 1 && starts[0] === MIN_TIME && ends[0] === MAX_TIME;
    if (starts.length > 0) checkVersion(isNew ? LATEST : this.version, version, this);
    return { version, columns: { starts, ends } };
  }

  take({ starts, ends }: RangeColumns): RangeColumns {
    const from = Math.min(this.#skip, starts.length);
    this.#skip -= from;
    this.#taken += starts.length - from;
    const rest = { starts: starts.subarray(from), ends: ends.subarray(from) };
    const fresh = this.#covered === undefined ? rest : this.#covered.leaveOut(rest);
    this.#keep(fresh);
    return fresh;
  }

  /** Keeps ranges of the latest version: that one is asked for by its number once it is known. */
  #keep(fresh: RangeColumns): void {
    if (!isLatest(this.version)) return;
    this.#room -= MESSAGE_RANGES + fresh.starts.length;
    if (this.#room < 0) this.#ranges = undefined;
    this.#ranges?.push(fresh);
  }

  size(columns: RangeColumns): number {
    return columns.starts.length;
  }
}

/** The times that ranges cover. */
class Coverage {
  /** In order, apart from each other. */
  readonly #starts: BigInt64Array;
  readonly #ends: bigint[] = [];

  constructor(ranges: readonly RangeColumns[]) {
    const all = ranges.flatMap(({ starts, ends }) =>
      Array.from(starts, (start, i): [bigint, bigint] => [start, ends[i]!])
    ).sort(([a], [b]) => a < b ? -1 : a > b ? 1 : 0);
    const starts: bigint[] = [];
    for (const [start, end] of all) {
      const last = starts.length - 1;
      if (last < 0 || start > this.#ends[last]!) {
        starts.push(start);
        this.#ends.push(end);
      } else if (end > this.#ends[last]!) this.#ends[last] = end;
    }
    this.#starts = BigInt64Array.from(starts);
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
    const after = lowerBound(this.#starts, start + 1n);
    return after > 0 && end <= this.#ends[after - 1]!;
  }
}
