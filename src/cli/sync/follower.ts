/**
 * New points of a stream as they arrive, from its version and its changed ranges.
 *
 * @module
 */

import { allocRaw, emptyRaw } from "../../core/columns.ts";
import type { RawColumns, Stream, Version } from "../../../mod.ts";
import { CliError } from "../errors.ts";
import { comparePoints } from "./compare_points.ts";
import { LAST_TIME, MIN_TIME } from "../../core/range.ts";

/** Granularity of ranges of points that are not committed yet: 2^30 ns, about a second. */
const RESOLUTION = 30;

const EMPTY: RawColumns = emptyRaw();

/**
 * Follows a stream. A committed version stays readable, points not yet committed only as part
 * of the latest; so what was seen is a committed version and the points seen beyond it.
 */
export class Follower {
  readonly #stream: Stream;
  readonly #signal: AbortSignal;
  /** Committed version whose points are all seen. */
  #base: bigint;
  /** Major and minor version of the last look. */
  #last: Version;
  /** Points seen that are not in the base, sorted by time. */
  #beyond: RawColumns = EMPTY;
  /** Points that were shown in another way after the start. */
  #shown: RawColumns = EMPTY;

  private constructor(stream: Stream, signal: AbortSignal, version: Version) {
    this.#stream = stream;
    this.#signal = signal;
    this.#base = version.major;
    this.#last = { major: version.major, minor: 0n };
  }

  /** Begins: everything that is there now counts as seen. */
  static async start(stream: Stream, signal: AbortSignal): Promise<Follower> {
    const version = await stream.fullVersion({ signal });
    const follower = new Follower(stream, signal, version);
    if (version.minor > 0n) await follower.poll();
    return follower;
  }

  /** Points that were shown already, although they may have come after the start. */
  seen(points: RawColumns): void {
    this.#shown = points;
  }

  /** The points that came since the last call, sorted by time. */
  async poll(): Promise<RawColumns> {
    const now = await this.#stream.fullVersion({ signal: this.#signal });
    if (now.major < this.#base) {
      throw new CliError(
        `Cannot follow ${this.#stream.uuid}: its version was ${this.#base} and is ${now.major} now`,
        { hint: "was it made anew, or put back from a backup? Start again to see its new points" },
      );
    }
    if (now.major === this.#last.major && now.minor === this.#last.minor) return EMPTY;
    const beyond = await this.#changedSince(this.#base);
    let fresh = comparePoints(beyond, this.#beyond).onlyA;
    fresh = comparePoints(fresh, this.#shown).onlyA;
    this.#shown = EMPTY;
    this.#last = now;
    this.#beyond = beyond;
    if (now.major > this.#base) await this.#rebase(now.major);
    return fresh;
  }

  /** Points of the latest version that a committed one has not. */
  async #changedSince(base: bigint): Promise<RawColumns> {
    const found: RawColumns[] = [];
    for await (
      const range of this.#stream.changes(base, 0n, RESOLUTION, { signal: this.#signal })
    ) {
      const start = range.start < MIN_TIME ? MIN_TIME : range.start;
      const end = range.end > LAST_TIME ? LAST_TIME : range.end;
      if (start >= end) continue;
      const [latest, known] = await Promise.all([
        this.#read(start, end, 0n),
        this.#read(start, end, base),
      ]);
      found.push(comparePoints(latest, known).onlyA);
    }
    return joinSorted(found);
  }

  /** A newer base; what is beyond it is what of the points seen it does not have. */
  async #rebase(major: bigint): Promise<void> {
    const left: RawColumns[] = [];
    if (this.#last.minor > 0n && this.#beyond.times.length > 0) {
      const { times } = this.#beyond;
      const [start, end] = [times[0]!, times[times.length - 1]! + 1n];
      left.push(comparePoints(this.#beyond, await this.#read(start, end, major)).onlyA);
    }
    this.#base = major;
    this.#beyond = joinSorted(left);
  }

  async #read(start: bigint, end: bigint, version: bigint): Promise<RawColumns> {
    const options = { version, signal: this.#signal };
    return await this.#stream.rawValues(start, end, options).collect();
  }
}

/** Ranges in the order of time, as one list. */
function joinSorted(parts: readonly RawColumns[]): RawColumns {
  const sorted = parts.filter(({ times }) => times.length > 0)
    .sort((a, b) => a.times[0]! < b.times[0]! ? -1 : 1);
  const n = sorted.reduce((sum, { times }) => sum + times.length, 0);
  const joined = allocRaw(n);
  let at = 0;
  for (const { times, values } of sorted) {
    joined.times.set(times, at);
    joined.values.set(values, at);
    at += times.length;
  }
  return joined;
}
