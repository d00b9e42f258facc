/** A BTrDB stream as an array of points per version: the plain truth the engine is held to. */

import type { MergePolicy } from "../../src/endpoint/endpoint.ts";

/** A point. */
export interface Point {
  time: bigint;
  value: number;
}

/** Statistics of a window. */
export interface Window {
  time: bigint;
  min: number;
  mean: number;
  max: number;
  count: number;
  stddev: number;
}

const BUFFER_POINTS = 32_768;

function compare(a: Point, b: Point): number {
  return a.time < b.time ? -1 : a.time > b.time ? 1 : 0;
}

/** One stream. */
export class StreamModel {
  /** Points of each version that was committed, in order of time, equal times in order of arrival. */
  readonly versions: Map<number, Point[]> = new Map();
  major = 10;
  committed: Point[] = [];
  buffer: Point[] = [];
  prunedBelow = 0;
  /** The oldest point that was deleted and older versions have, and the version without it. */
  #deleted: { start: bigint; major: number } | undefined;

  /** The points of a version; 0 is the latest, with the buffer. */
  points(version: number): Point[] {
    if (version === 0) return [...this.committed, ...this.buffer].sort(compare);
    return this.versions.get(version) ?? [];
  }

  #commit(points: Point[]): void {
    this.committed = points;
    this.buffer = [];
    this.versions.set(++this.major, points);
  }

  /** Inserts points and follows the rules for the buffer. */
  insert(points: Point[], policy: MergePolicy): void {
    if (points.length === 0) return;
    if (policy === "never") this.#append(points);
    else this.#merge([...points].sort(compare), policy);
  }

  #append(points: Point[]): void {
    if (this.buffer.length + points.length < BUFFER_POINTS) this.buffer.push(...points);
    else {
      const batch = [...this.buffer.sort(compare), ...[...points].sort(compare)].sort(compare);
      this.#commit([...this.committed, ...batch].sort(compare));
    }
  }

  #merge(batch: Point[], policy: MergePolicy): void {
    const stored = this.points(0);
    const rest: Point[] = [];
    for (const [i, point] of batch.entries()) {
      const same = (other: Point) => other.time === point.time;
      const twin = (other: Point) => same(other) && other.value === point.value;
      const earlier = batch.slice(0, i);
      if (policy === "equal" && !stored.some(twin) && !earlier.some(twin)) rest.push(point);
      if (policy === "retain" && !stored.some(same) && !earlier.some(same)) rest.push(point);
      if (policy === "replace" && !batch.slice(i + 1).some(same)) rest.push(point);
    }
    if (rest.length === 0) return;
    const times = new Set(rest.map((point) => point.time));
    const stays = (point: Point) => !times.has(point.time);
    if (policy !== "replace" || stored.every(stays)) {
      this.#append(rest);
      return;
    }
    const buffer = [...this.buffer.filter(stays), ...rest].sort(compare);
    if (this.committed.every(stays) && buffer.length < BUFFER_POINTS) this.buffer = buffer;
    else this.#commit([...this.committed.filter(stays), ...buffer].sort(compare));
  }

  /** Commits the buffer. */
  flush(): void {
    if (this.buffer.length > 0) this.#commit(this.points(0));
  }

  /** Deletes `[start, end)`. */
  deleteRange(start: bigint, end: bigint): void {
    this.flush();
    const oldest = this.committed[0]?.time ?? end;
    this.#commit(this.committed.filter(({ time }) => time < start || time >= end));
    if (oldest >= end) return;
    const first = oldest > start ? oldest : start;
    const before = this.#deleted?.start ?? first;
    this.#deleted = { start: first < before ? first : before, major: this.major };
  }

  /** Removes what is before a time, with the versions that have it. The number of points removed. */
  expire(cutoff: bigint): number {
    const before = this.points(0).length;
    const isOld = ({ time }: Point) => time < cutoff;
    if (this.buffer.some(isOld)) this.flush();
    let keep = 0;
    if (this.committed.some(isOld)) {
      const { buffer } = this;
      this.#commit(this.committed.filter((point) => !isOld(point)));
      this.buffer = buffer;
      keep = this.major;
    } else if (this.#deleted !== undefined && this.#deleted.start < cutoff) {
      keep = this.#deleted.major;
    }
    this.prune(keep);
    if (this.#deleted !== undefined && this.#deleted.major <= keep) this.#deleted = undefined;
    for (const [major, points] of this.versions) {
      if (points.some(isOld)) throw new Error(`version ${major} has points that are too old`);
    }
    return before - this.points(0).length;
  }

  /** Forgets the versions below `keep`. */
  prune(keep: number): void {
    for (const major of this.versions.keys()) if (major < keep) this.versions.delete(major);
    this.prunedBelow = Math.max(this.prunedBelow, keep);
  }

  /** Windows `[start + k·width, …)` up to `end`, empty ones included if `dense`. */
  windows(version: number, start: bigint, end: bigint, width: bigint, dense: boolean): Window[] {
    const groups = new Map<bigint, number[]>();
    for (const { time, value } of this.points(version)) {
      if (time < start || time >= end) continue;
      const at = time - (time - start) % width;
      const group = groups.get(at);
      if (group === undefined) groups.set(at, [value]);
      else group.push(value);
    }
    if (dense) {
      for (let at = start; at < end; at += width) if (!groups.has(at)) groups.set(at, []);
    }
    return [...groups].sort(([a], [b]) => a < b ? -1 : 1).map(([time, values]) =>
      windowOf(time, values)
    );
  }

  /** The nearest point. */
  nearest(version: number, time: bigint, backward: boolean): Point | undefined {
    const points = this.points(version);
    return backward
      ? points.findLast((point) => point.time < time)
      : points.find((point) => point.time >= time);
  }
}

function windowOf(time: bigint, values: number[]): Window {
  const count = values.length;
  if (count === 0) return { time, min: 0, mean: 0, max: 0, count, stddev: 0 };
  const mean = values.reduce((sum, value) => sum + value, 0) / count;
  const m2 = values.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  return {
    time,
    min: values.reduce((a, b) => Math.min(a, b)),
    mean,
    max: values.reduce((a, b) => Math.max(a, b)),
    count,
    stddev: Math.sqrt(m2 / count),
  };
}
