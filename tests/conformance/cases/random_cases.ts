import { assert, assertEquals } from "@std/assert";
import type { StatBatch, Stream } from "@btrdb/btrdb";
import { type Case, read } from "../support.ts";

type Pair = [time: bigint, value: number];

/** A stream as plain arrays: every version's points, and what is buffered. */
class Model {
  readonly versions: Map<bigint, Pair[]> = new Map([[10n, []]]);
  major = 10n;
  buffered: Pair[] = [];

  get latest(): Pair[] {
    return sorted([...this.versions.get(this.major)!, ...this.buffered]);
  }

  flush(): void {
    if (this.buffered.length > 0) this.#commit(this.latest);
  }

  delete(start: bigint, end: bigint): void {
    this.flush();
    this.#commit(this.latest.filter(([time]) => time < start || time >= end));
  }

  #commit(points: Pair[]): void {
    this.buffered = [];
    this.versions.set(++this.major, points);
  }
}

/** In order of time; points of equal time keep their order. */
function sorted(points: Pair[]): Pair[] {
  return points.sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
}

/** A reproducible source of numbers below `n`. */
function lcg(seed: number): (n: number) => number {
  let state = BigInt(seed);
  return (n) => {
    state = (state * 6364136223846793005n + 1442695040888963407n) & ((1n << 64n) - 1n);
    return Number((state >> 33n) % BigInt(n));
  };
}

/** The times that are used: near each other and far apart, on both sides of the epoch. */
function someTime(random: (n: number) => number): bigint {
  const near = BigInt(random(64)) - 32n;
  return random(4) === 0 ? near << BigInt(random(55)) : near;
}

function checkWindows(windows: StatBatch, points: Pair[], width: bigint): void {
  for (const { time, count, min, max, mean } of windows) {
    const values = points.filter(([at]) => at >= time && at < time + width).map(([, v]) => v);
    assertEquals(count, BigInt(values.length));
    if (values.length === 0) continue;
    assertEquals([min, max], [Math.min(...values), Math.max(...values)]);
    assert(Math.abs(mean - values.reduce((a, b) => a + b, 0) / values.length) < 1e-9 * 1e4);
  }
}

class Walk {
  readonly #random: (n: number) => number;
  readonly #stream: Stream;
  readonly #model = new Model();

  constructor(stream: Stream, seed: number) {
    this.#random = lcg(seed);
    this.#stream = stream;
  }

  async step(): Promise<void> {
    const writes = [this.#insert, this.#insert, this.#flush, this.#delete];
    const checks = [this.#raw, this.#windows, this.#aligned, this.#nearest, this.#count];
    const steps = this.#random(3) === 0 ? writes : checks;
    await steps[this.#random(steps.length)]!.call(this);
    const { major, minor } = await this.#stream.fullVersion();
    const model = this.#model;
    assertEquals([major, minor], [model.major, BigInt(model.buffered.length)]);
  }

  async #insert(): Promise<void> {
    const n = 1 + this.#random(20);
    const points = Array.from({ length: n }, (): Pair => [
      someTime(this.#random),
      this.#random(1000) / 8,
    ]);
    this.#model.buffered.push(...points);
    assertEquals(await this.#stream.insert(points), this.#model.major);
  }

  async #flush(): Promise<void> {
    this.#model.flush();
    assertEquals(await this.#stream.flush(), this.#model.major);
  }

  async #delete(): Promise<void> {
    const { start, end } = this.#range();
    this.#model.delete(start, end);
    assertEquals(await this.#stream.deleteRange(start, end), this.#model.major);
  }

  async #raw(): Promise<void> {
    const { start, end } = this.#range();
    const { version, points } = this.#version();
    const expected = points.filter(([time]) => time >= start && time < end);
    assertEquals(await read(this.#stream, start, end, version), expected);
  }

  async #windows(): Promise<void> {
    const { start, end } = this.#range();
    const { version, points } = this.#version();
    const n = BigInt(1 + this.#random(9));
    const width = (end - start + n - 1n) / n;
    const windows = await this.#stream.windows(start, end, width, { version }).collect();
    assertEquals(BigInt(windows.length), (end - start) / width);
    checkWindows(windows, points, width);
  }

  async #aligned(): Promise<void> {
    const { start, end } = this.#range();
    const { version, points } = this.#version();
    const length = (end - start).toString(2).length;
    const pointwidth = Math.max(0, length - 2 - this.#random(4));
    const width = 1n << BigInt(pointwidth);
    const [from, to] = [start & ~(width - 1n), end & ~(width - 1n)];
    if (from >= to) return;
    const query = this.#stream.alignedWindows(start, end, pointwidth, { version });
    const windows = await query.collect();
    const places = points.filter(([time]) => time >= from && time < to)
      .map(([time]) => time & ~(width - 1n));
    assertEquals([...windows.times], [...new Set(places)]);
    checkWindows(windows, points, width);
  }

  async #nearest(): Promise<void> {
    const time = someTime(this.#random);
    const { version, points } = this.#version();
    const backward = this.#random(2) === 0;
    const found = await this.#stream.nearest(time, { version, backward });
    const expected = backward
      ? points.findLast(([at]) => at < time)
      : points.find(([at]) => at >= time);
    assertEquals(found === null ? undefined : [found.time, found.value], expected);
  }

  async #count(): Promise<void> {
    const { start, end } = this.#range();
    const { version, points } = this.#version();
    const expected = points.filter(([time]) => time >= start && time < end).length;
    assertEquals(await this.#stream.count({ start, end, version }), BigInt(expected));
  }

  #range(): { start: bigint; end: bigint } {
    const a = someTime(this.#random);
    const b = someTime(this.#random);
    return a < b ? { start: a, end: b } : { start: b, end: a === b ? a + 1n : a };
  }

  /** The latest version or, as often, any explicit one with commits. */
  #version(): { version: bigint; points: Pair[] } {
    const { versions, latest, major } = this.#model;
    const commits = Number(major - 10n);
    if (commits === 0 || this.#random(2) === 0) return { version: 0n, points: latest };
    const version = 11n + BigInt(this.#random(commits));
    return { version, points: versions.get(version)! };
  }
}

export const RANDOM_CASES: Case[] = [
  {
    name: "random: walks against plain arrays",
    async run(t) {
      const chosen = "Deno" in globalThis ? Deno.env.get("WALK_SEEDS") : undefined;
      const seeds = (chosen ?? "1,2").split(",").map(Number);
      for (const seed of seeds) {
        const walk = new Walk(await t.stream(), seed);
        for (let i = 0; i < 150; i++) await walk.step();
      }
    },
  },
];
