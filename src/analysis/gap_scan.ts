/**
 * The search for gaps: window counts first, and points only if the counts do not fit the rate.
 *
 * Points are taken to stand on a grid that begins at a known point, the anchor. The number of
 * points up to an edge of a window is then known, unless a place of the grid is so near the edge
 * that the point may be on either side; such windows are judged together with the next one. If the
 * numbers differ, the same is done with smaller windows, and at last the points are read; the last
 * one is the next anchor, so that neither a shift of the grid nor a drift of the clock is carried
 * on.
 *
 * @module
 */

import type { StatColumns } from "../core/columns.ts";
import { MAX_ALIGNED_POINTWIDTH, pointwidthOf } from "../core/pointwidth.ts";
import { BTrDBError } from "../core/errors.ts";
import type { ReadOptions } from "../client/stream_options.ts";
import type { Stream } from "../client/stream.ts";
import { FindingList, RunTracker } from "./findings.ts";
import type { SampleClock } from "./sample_clock.ts";

/** Each level looks at windows 2^LEVEL_BITS times as small as the one before. */
const LEVEL_BITS = 6;
/** A range with at most so many points in it is read. */
const LEAF_POINTS = 2048;
/** A point that is within this part of a period of an edge may be on either side of it. */
const JITTER = 0.25;
/** Windows judged together before the point at the edge is asked for. */
const MOST_TOGETHER = 4;

/** Checks of values, made in the search for gaps. */
export interface ValueChecks {
  /** True to find points of value 0. */
  zeros: boolean;
  /** Equal values in a row that make a run; undefined: not looked for. */
  repeats: number | undefined;
  /** Smallest value that is right. */
  low: number;
  /** Largest value that is right. */
  high: number;
}

/** Settings of a search. */
export interface ScanPlan extends ValueChecks {
  clock: SampleClock;
  /** A distance of more ns than this is a gap. */
  over: bigint;
  /** True to read every point. */
  exact: boolean;
  /** Most findings of one kind that are listed. */
  limit: number;
}

/** Amount of data read by a search. */
export interface ScanCost {
  /** Requests made. */
  requests: number;
  /** Windows read. */
  windows: number;
  /** Points read. */
  points: number;
}

/** Windows side by side that are judged together: `[from, to)` of an answer. */
interface Segment {
  start: bigint;
  end: bigint;
  windows: number[];
}

/** Knowledge of the points read so far. */
interface Position {
  /** A point of the stream; undefined before the first. */
  anchor: bigint | undefined;
  /** Points after the anchor, so far; −1: the anchor itself is still to come. */
  after: bigint;
  /** True if nothing was found after the last point where something should be. */
  hole: boolean;
}

/** One search through a range of one stream, in order of time. */
export class GapScan {
  readonly gaps: FindingList;
  readonly duplicates: RunTracker;
  readonly repeats: RunTracker;
  readonly zeros: RunTracker;
  readonly outside: RunTracker;
  /** Points in the range. */
  points = 0n;
  readonly cost: ScanCost = { requests: 0, windows: 0, points: 0 };
  readonly #stream: Stream;
  readonly #plan: ScanPlan;
  readonly #left: () => ReadOptions;
  #at: Position = { anchor: undefined, after: -1n, hole: false };
  /** Value of the last point; NaN where it is not known. */
  #value = NaN;

  /**
   * @param stream The stream.
   * @param plan Settings of the search.
   * @param left Options of the next request: version, signal, what is left of the timeout.
   */
  constructor(stream: Stream, plan: ScanPlan, left: () => ReadOptions) {
    this.#stream = stream;
    this.#plan = plan;
    this.#left = left;
    const { limit } = plan;
    this.gaps = new FindingList(limit);
    this.duplicates = new RunTracker(1, limit);
    this.repeats = new RunTracker(plan.repeats ?? 2, limit);
    this.zeros = new RunTracker(1, limit);
    this.outside = new RunTracker(1, limit);
  }

  /**
   * Searches `[start, end)`.
   *
   * @param edges True where points are expected up to the edge, so that there may be a gap.
   */
  async run(start: bigint, end: bigint, edges: { start: boolean; end: boolean }): Promise<void> {
    const first = await this.#firstFrom(start);
    if (first === undefined || first >= end) {
      if (edges.start && edges.end) this.#edgeGap(start, end, end - 1n - start, 1n);
      return;
    }
    if (edges.start) this.#edgeGap(start, first, first - start, 0n);
    this.#at = { anchor: first, after: -1n, hole: false };
    if (this.#plan.exact) await this.#readPoints(start, end);
    else await this.#descend(start, end, MAX_ALIGNED_POINTWIDTH);
    const last = await this.#lastBefore(end);
    await this.#reach(end);
    for (const run of this.#runs) run.end();
    if (edges.end) this.#edgeGap(last, end, end - 1n - last, 0n);
  }

  /** Searches a range in windows of about a 64th of it, or by its points if it is short. */
  async #descend(start: bigint, end: bigint, widest: number): Promise<void> {
    if (start >= end) return;
    const pointwidth = Math.min(widest, pointwidthOf(end - start) - LEVEL_BITS);
    if (pointwidth < 1 || this.#plan.clock.periods(end - start) <= LEAF_POINTS) {
      await this.#readPoints(start, end);
      return;
    }
    const width = 1n << BigInt(pointwidth);
    const bodyStart = -(-start / width) * width;
    const body = {
      start: bodyStart < start ? bodyStart + width : bodyStart,
      end: end & ~(width - 1n),
    };
    await this.#descend(start, body.start, pointwidth - 1);
    await this.#readWindows(body.start, body.end, pointwidth);
    await this.#descend(body.end, end, pointwidth - 1);
  }

  async #readWindows(start: bigint, end: bigint, pointwidth: number): Promise<void> {
    const answer = await this.#stream.alignedWindows(start, end, pointwidth, this.#left())
      .collect();
    this.cost.requests++;
    const width = 1n << BigInt(pointwidth);
    let before = { ...this.#at };
    let segment: Segment = { start, end: start, windows: [] };
    const close = (edge: bigint): void => {
      before = { ...this.#at };
      segment = { start: edge, end: edge, windows: [] };
    };
    const lookInto = async (): Promise<void> => {
      if (segment.windows.length === 0) return;
      this.#at = before;
      if (this.#at.after > 0n) await this.#anchorBefore(segment.start);
      await this.#descend(segment.start, segment.end, pointwidth - 1);
      close(segment.end);
    };
    for (let i = 0, at = start; at < end; at += width) {
      while (i < answer.times.length && answer.times[i]! < at) i++;
      this.cost.windows++;
      const count = answer.times[i] === at ? answer.count[i]! : 0n;
      if (count === 0n) {
        await lookInto();
        if (this.#at.after >= 0n) this.#at.hole = true;
        close(at + width);
        continue;
      }
      if (this.#at.hole) {
        await this.#endHole(at);
        before = { ...this.#at };
      }
      this.#at.after += count;
      segment.end = at + width;
      segment.windows.push(i);
      const verdict = this.#isClean(answer, i) ? await this.#compare(segment) : "wrong";
      if (verdict === "wrong") await lookInto();
      if (verdict !== "right") continue;
      for (const window of segment.windows) await this.#passWindow(answer, window);
      close(segment.end);
    }
    await lookInto();
  }

  /** Holds the number of points up to the end of a segment against what the rate gives. */
  async #compare({ end, windows }: Segment): Promise<"right" | "open" | "wrong"> {
    const { anchor, after } = this.#at;
    const periods = this.#plan.clock.periods(end - anchor!);
    const nearest = Math.round(periods);
    if (Math.abs(periods - nearest) >= JITTER) {
      return after === BigInt(Math.floor(periods)) ? "right" : "wrong";
    }
    const place = BigInt(nearest);
    if (after !== place && after !== place - 1n) return "wrong";
    if (windows.length < MOST_TOGETHER) return "open";
    const last = await this.#lastBefore(end);
    if (this.#plan.clock.rounded(last - anchor!) !== after) return "wrong";
    this.#at = { anchor: last, after: 0n, hole: false };
    return "right";
  }

  /** Tells whether the statistics of a window rule out, or say fully, what is looked for. */
  #isClean({ min, max, count }: StatColumns, i: number): boolean {
    const { zeros, repeats, low, high } = this.#plan;
    const [least, most] = [min[i]!, max[i]!];
    const constant = least === most;
    if (zeros && !constant && least <= 0 && most >= 0) return false;
    if (repeats !== undefined && !constant && count[i]! > 1n) return false;
    const allInside = least >= low && most <= high;
    return allInside || most < low || least > high;
  }

  /** Takes over a window that need not be looked into. */
  async #passWindow({ times, min, max, count }: StatColumns, i: number): Promise<void> {
    const { zeros, repeats, low, high } = this.#plan;
    const [at, n, least, most] = [times[i]!, count[i]!, min[i]!, max[i]!];
    const constant = least === most;
    this.points += n;
    await this.#pass(this.duplicates, at, 0n);
    if (zeros) await this.#pass(this.zeros, at, constant && least === 0 ? n : 0n);
    await this.#pass(this.outside, at, most < low || least > high ? n : 0n);
    if (repeats === undefined) return;
    if (!constant || least !== this.#value) await this.#pass(this.repeats, at, 0n);
    if (constant) {
      if (least === this.#value && !this.repeats.isOpen) {
        this.repeats.add(await this.#lastBefore(at));
      }
      await this.#pass(this.repeats, at, n);
    }
    this.#value = constant ? least : NaN;
  }

  /** Adds the points of the window at `at` to a run, or ends the run before it. */
  async #pass(run: RunTracker, at: bigint, points: bigint): Promise<void> {
    if (points === 0n) {
      if (run.needsEnd) run.reach(await this.#lastBefore(at));
      run.end();
      return;
    }
    if (!run.isOpen) {
      run.add((await this.#firstFrom(at))!);
      points--;
    }
    run.extend(points);
  }

  async #readPoints(start: bigint, end: bigint): Promise<void> {
    const { zeros, repeats, low, high, over } = this.#plan;
    let before: bigint | undefined;
    if (this.#at.after >= 0n) {
      if (this.#at.after > 0n) await this.#anchorBefore(start);
      before = this.#at.anchor;
    }
    await this.#reach(start);
    this.cost.requests++;
    for await (const { times, values } of this.#stream.rawValues(start, end, this.#left())) {
      this.cost.points += times.length;
      this.points += BigInt(times.length);
      for (let i = 0; i < times.length; i++) {
        const [time, value] = [times[i]!, values[i]!];
        if (before !== undefined && time - before > over) this.#gap(before, time);
        if (time === before) this.duplicates.add(time);
        else this.duplicates.end();
        if (zeros && value === 0) this.zeros.add(time);
        else this.zeros.end();
        if (value < low || value > high) this.outside.add(time);
        else this.outside.end();
        if (repeats !== undefined) this.#repeat(before, time, value);
        this.#value = value;
        before = time;
      }
    }
    if (before !== undefined) this.#at = { anchor: before, after: 0n, hole: false };
  }

  get #runs(): RunTracker[] {
    return [this.duplicates, this.repeats, this.zeros, this.outside];
  }

  /** Finds out when the last points of runs were, before a moment up to which all is known. */
  async #reach(time: bigint): Promise<void> {
    const open = this.#runs.filter((run) => run.needsEnd);
    if (open.length === 0) return;
    const last = await this.#lastBefore(time);
    for (const run of open) run.reach(last);
  }

  #repeat(before: bigint | undefined, time: bigint, value: number): void {
    if (value !== this.#value || before === undefined) {
      this.repeats.end();
      return;
    }
    if (!this.repeats.isOpen) this.repeats.add(before);
    this.repeats.add(time);
  }

  /** Finds the points on both sides of windows without points, the last of which ends at `at`. */
  async #endHole(at: bigint): Promise<void> {
    if (this.#at.after > 0n) await this.#anchorBefore(at);
    const first = (await this.#firstFrom(at))!;
    if (first - this.#at.anchor! > this.#plan.over) this.#gap(this.#at.anchor!, first);
    this.#at = { anchor: first, after: -1n, hole: false };
  }

  /** Makes the last point before a moment the anchor. */
  async #anchorBefore(at: bigint): Promise<void> {
    this.#at = { ...this.#at, anchor: await this.#lastBefore(at), after: 0n };
  }

  #gap(start: bigint, end: bigint): void {
    const points = this.#plan.clock.rounded(end - start) - 1n;
    this.gaps.add({ start, end, points: points < 1n ? 1n : points });
  }

  /**
   * A gap at an edge of the range, or from edge to edge.
   *
   * @param span From where points are counted to the last moment at which one could be.
   * @param more Points beside the whole periods in it.
   */
  #edgeGap(start: bigint, end: bigint, span: bigint, more: bigint): void {
    if (end - start <= this.#plan.over) return;
    const points = BigInt(Math.floor(this.#plan.clock.periods(span))) + more;
    this.gaps.add({ start, end, points: points < 1n ? 1n : points });
  }

  async #firstFrom(time: bigint): Promise<bigint | undefined> {
    this.cost.requests++;
    return (await this.#stream.nearest(time, this.#left()))?.time;
  }

  /** The last point before a moment after a point. */
  async #lastBefore(time: bigint): Promise<bigint> {
    this.cost.requests++;
    const point = await this.#stream.nearest(time, { ...this.#left(), backward: true });
    if (point === null) throw changedMeanwhile();
    return point.time;
  }
}

function changedMeanwhile(): BTrDBError {
  return new BTrDBError(
    "Cannot find gaps: points were deleted meanwhile, pin a version to look at one state",
    { status: "ABORTED" },
  );
}
