/**
 * Writing an output so that notes about it are known to be true.
 *
 * @module
 */

import type { Stream } from "../client/stream.ts";
import { concatRaw, type RawColumns, sliceRaw } from "../core/columns.ts";
import type { RequestOptions } from "../core/request_options.ts";
import type { Left } from "./ledger.ts";
import { committedVersion, type VersionRules } from "./committed_version.ts";
import { differenceOf } from "./point_difference.ts";
import { before, between, readCapped } from "./read_capped.ts";
import { EVERYTHING, type TimeRange, without } from "./time_ranges.ts";

/** Points of one insert, so that a lease can be made longer in between. */
const INSERT_POINTS = 100_000;
/** Points of two versions that are compared at a time. */
const COMPARE_POINTS = 1 << 17;

/** Points that stand in an output where others were written or none: another program writes too. */
export class ForeignPoints extends Error {
  /** Name of the output. */
  readonly output: string;
  /** Range in which the points are not those that were written. */
  readonly range: TimeRange;

  constructor(output: string, range: TimeRange) {
    super(`Output ${output} holds other points than were written`);
    this.output = output;
    this.range = range;
  }
}

/** Counts of points. */
export interface WriteCounts {
  /** Points inserted. */
  written: number;
  /** Points deleted. */
  deleted: number;
  /** Points read to compare. */
  compared: number;
}

/** Writes one output, and remembers what it has written until that is checked. */
export class OutputWriter {
  /** Name in the definition. */
  readonly name: string;
  readonly stream: Stream;
  readonly #rules: VersionRules;
  readonly #left: Left;
  readonly #guard: () => Promise<RequestOptions>;
  readonly #counts: WriteCounts;
  #base: bigint;
  #written: { range: TimeRange; points: RawColumns; removed: number }[] = [];

  constructor(init: {
    name: string;
    stream: Stream;
    base: bigint;
    rules: VersionRules;
    left: Left;
    guard: () => Promise<RequestOptions>;
    counts: WriteCounts;
  }) {
    this.name = init.name;
    this.stream = init.stream;
    this.#base = init.base;
    this.#rules = init.rules;
    this.#left = init.left;
    this.#guard = init.guard;
    this.#counts = init.counts;
  }

  /** Version before what was written and not yet checked. */
  get base(): bigint {
    return this.#base;
  }

  /** Points that were written and not yet checked. */
  get unchecked(): number {
    return this.#written.reduce((sum, { points }) => sum + points.times.length, 0);
  }

  /**
   * Makes the points of a range others: deletes and inserts the part in which they differ.
   *
   * @param old Points of the range at the base version.
   * @param points Points wanted, of the same range, in order of time.
   */
  async replace(old: RawColumns, points: RawColumns): Promise<void> {
    const range = differenceOf(old, points);
    if (range === undefined) return;
    const removed = between(old, range).times.length;
    const added = between(points, range);
    this.#written.push({ range, points: added, removed });
    if (removed > 0) {
      await this.stream.deleteRange(range.start, range.end, await this.#guard());
      this.#counts.deleted += removed;
    }
    for (let at = 0; at < added.times.length; at += INSERT_POINTS) {
      const part = sliceRaw(added, at, Math.min(at + INSERT_POINTS, added.times.length));
      await this.stream.insert(part, await this.#guard());
      this.#counts.written += part.times.length;
    }
  }

  /**
   * Commits what was written, and makes sure that the new version holds it and nothing else is new.
   *
   * @throws {ForeignPoints} If it is not so.
   */
  async commit(): Promise<void> {
    if (this.#written.length === 0) return;
    await this.#guard();
    const version = await committedVersion(
      this.stream,
      { ...this.#rules, flush: true },
      this.#left(),
    );
    for (const { range, points } of this.#written) await this.#check(range, version, points);
    const ranges = this.#written.map(({ range }) => range);
    const changed: TimeRange[] = [];
    if (version > this.#base) {
      for await (const range of this.stream.changes(this.#base, version, 0, this.#left())) {
        changed.push(range);
      }
    }
    for (const range of without(changed, ranges)) await this.#compare(range, version);
    await this.#checkCount(version);
    this.#base = version;
    this.#written = [];
  }

  /** Makes sure that a range holds certain points. */
  async #check(range: TimeRange, version: bigint, points: RawColumns): Promise<void> {
    const query = this.stream.rawValues(range.start, range.end, { ...this.#left(), version });
    const parts: RawColumns[] = [];
    let n = 0;
    for await (const part of query) {
      parts.push(part);
      n += part.times.length;
      if (n > points.times.length) break;
    }
    this.#counts.compared += n;
    const difference = differenceOf(concatRaw(parts), points);
    if (difference !== undefined) throw new ForeignPoints(this.name, difference);
  }

  /** Makes sure that no points are gone where no change is reported, see `changedRanges`. */
  async #checkCount(version: bigint): Promise<void> {
    const [old, now] = await Promise.all(
      [this.#base, version].map((version) => this.stream.count({ ...this.#left(), version })),
    ) as [bigint, bigint];
    const added = this.#written.reduce(
      (sum, { points, removed }) => sum + points.times.length - removed,
      0,
    );
    if (now - old !== BigInt(added)) throw new ForeignPoints(this.name, EVERYTHING);
  }

  /** Makes sure that a range is the same in a version as in the base. */
  async #compare({ start, end }: TimeRange, version: bigint): Promise<void> {
    for (let at = start; at < end;) {
      const [old, now] = await Promise.all(
        [this.#base, version].map((version) =>
          readCapped({ stream: this.stream, version, start: at, end }, COMPARE_POINTS, this.#left())
        ),
      ) as [Read, Read];
      this.#counts.compared += old.columns.times.length + now.columns.times.length;
      const until = [old.until, now.until, end].filter((time) => time !== undefined)
        .reduce((least, time) => time < least ? time : least);
      const difference = differenceOf(before(old.columns, until), before(now.columns, until));
      if (difference !== undefined) throw new ForeignPoints(this.name, difference);
      at = until;
    }
  }
}

type Read = Awaited<ReturnType<typeof readCapped>>;
