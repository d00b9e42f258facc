/**
 * Random histories of inputs of derived streams, with runs that are killed anywhere; after every run
 * that ends the outputs are those of a plain computation of everything.
 *
 * @module
 */

import { BTrDB, MAX_TIME, MIN_TIME, type RawColumns, type Stream } from "@btrdb/btrdb";
import { distil, type DistilDefinition, type DistilResult } from "@btrdb/btrdb/distil";
import { assert, assertEquals } from "@std/assert";
import { endpointOf } from "../../src/client/endpoint_of.ts";
import { killable, Killed } from "./killable_endpoint.ts";
import { Random } from "./random.ts";

type Point = readonly [time: bigint, value: number];

/** Reach of the moving sum. */
const BACK = 70n;
const AHEAD = 30n;

/** Sum of two inputs at equal times, and a sum of the first over a moving range. */
function definitionOf(collection: string, version: string, factor: number): DistilDefinition {
  return {
    name: "history",
    version,
    inputs: { a: `${collection}/a`, b: `${collection}/b` },
    outputs: { sum: `${collection}/sum`, moving: { path: `${collection}/moving`, unit: "x" } },
    lookback: BACK,
    lookahead: AHEAD,
    compute: (range) => {
      const { times, values } = range.rows();
      const sum = values["a"]!.map((a, i) => factor * (a + values["b"]![i]!));
      return {
        sum: range.clip({ times, values: sum }),
        moving: range.clip(moving(range.inputs["a"]!)),
      };
    },
  };
}

/** For each point the sum of those in reach. */
function moving({ times, values }: RawColumns): RawColumns {
  const sums = new Float64Array(times.length);
  let [from, to, sum] = [0, 0, 0];
  for (let i = 0; i < times.length; i++) {
    while (to < times.length && times[to]! <= times[i]! + AHEAD) sum += values[to++]!;
    while (times[from]! < times[i]! - BACK) sum -= values[from++]!;
    sums[i] = sum;
  }
  return { times, values: sums };
}

/** Points that the outputs must have, from everything at once and by other means. */
function expected(a: readonly Point[], b: readonly Point[], factor: number): Point[][] {
  const byTime = new Map<bigint, number[]>();
  for (const [time, value] of b) byTime.set(time, [...byTime.get(time) ?? [], value]);
  const seen = new Map<bigint, number>();
  const sum: Point[] = [];
  for (const [time, value] of a) {
    const k = seen.get(time) ?? 0;
    seen.set(time, k + 1);
    const other = byTime.get(time)?.[k];
    if (other !== undefined) sum.push([time, factor * (value + other)]);
  }
  const reach = a.map(([time]): Point => {
    let total = 0;
    for (const [other, value] of a) {
      if (other >= time - BACK && other <= time + AHEAD) total += value;
    }
    return [time, total];
  });
  return [sum, reach];
}

async function pointsOf(stream: Stream): Promise<Point[]> {
  const { times, values } = await stream.rawValues(MIN_TIME, MAX_TIME).collect();
  return Array.from(times, (time, i): Point => [time, values[i]!]);
}

function sorted(points: readonly Point[]): Point[] {
  return [...points].sort((p, q) => p[0] < q[0] ? -1 : p[0] > q[0] ? 1 : p[1] - q[1]);
}

/** Compares two sets of points, and shows where they begin to differ. */
function assertSame(found: readonly Point[], wanted: readonly Point[]): void {
  const [a, b] = [sorted(found), sorted(wanted)];
  const at = a.findIndex(([time, value], i) => time !== b[i]?.[0] || value !== b[i]?.[1]);
  if (at < 0) return assertEquals(a.length, b.length);
  assertEquals(a.slice(at, at + 5), b.slice(at, at + 5), `${a.length} and ${b.length} points`);
}

/** One history. */
export class DistilHistory {
  readonly #db: BTrDB;
  readonly #random: Random;
  readonly #collection: string;
  readonly #inputs: Stream[] = [];
  #version = 1;
  /** Runs that were killed. */
  kills = 0;
  /** Runs that ended. */
  runs: DistilResult[] = [];

  constructor(db: BTrDB, seed: number) {
    this.#db = db;
    this.#random = new Random(seed);
    this.#collection = `history-${crypto.randomUUID()}`;
  }

  /** Makes the inputs and lets things happen to them; ends with a run. */
  async play(steps: number): Promise<void> {
    for (const name of ["a", "b"]) {
      const tags = { name };
      this.#inputs.push(await this.#db.create(crypto.randomUUID(), this.#collection, { tags }));
    }
    for (let step = 0; step < steps; step++) await this.#step();
    await this.#run();
  }

  async #step(): Promise<void> {
    const random = this.#random;
    const input = random.pick(this.#inputs);
    const roll = random.next();
    if (roll < 0.4) await input.insert(this.#points());
    else if (roll < 0.5) await input.deleteRange(...this.#range());
    else if (roll < 0.55) await input.flush();
    else if (roll < 0.6) await input.patch(this.#points().slice(0, 3));
    else if (roll < 0.64) this.#version++;
    else if (roll < 0.7) await this.#disturb();
    else if (roll < 0.85) await this.#killed();
    else await this.#run();
  }

  /** Points that share times, near each other, over some years, or many of them. */
  #points(): Point[] {
    const random = this.#random;
    const kind = random.int(0, 9);
    const n = kind === 0 ? random.int(500, 2500) : random.int(1, 40);
    const far = kind >= 8;
    return Array.from({ length: n }, (): Point => {
      const time = far ? BigInt(random.int(-30, 30)) << 50n : BigInt(random.int(0, 9000));
      return [time + BigInt(random.int(0, 3)), random.int(-50, 50)];
    });
  }

  #range(): [bigint, bigint] {
    if (this.#random.chance(0.1)) return [MIN_TIME, MAX_TIME];
    const start = BigInt(this.#random.int(-10, 9000));
    return [start, start + BigInt(this.#random.int(1, 3000))];
  }

  /** Another program writes into an output, as a paused runner does that wakes up too late. */
  async #disturb(): Promise<void> {
    const outputs = await this.#outputs();
    if (outputs.length === 0) return;
    const output = this.#random.pick(outputs);
    if (this.#random.chance(0.5)) await output.insert(this.#points().slice(0, 5));
    else await output.deleteRange(...this.#range());
  }

  async #outputs(): Promise<Stream[]> {
    const found: Stream[] = [];
    for (const name of ["sum", "moving"]) {
      found.push(
        ...await Array.fromAsync(this.#db.lookupStreams(this.#collection, { tags: { name } })),
      );
    }
    return found;
  }

  /** A run that dies at some write, perhaps after its end. */
  async #killed(): Promise<void> {
    const plan = { at: this.#random.int(1, 14), after: this.#random.chance(0.5) };
    const db = new BTrDB(killable(endpointOf(this.#db), plan));
    try {
      await this.#runOn(db);
    } catch (error) {
      if (
        !(error instanceof Killed) && !(error instanceof Error && error.cause instanceof Killed)
      ) {
        throw error;
      }
      this.kills++;
    }
    // An operator who knows that the runner is dead need not wait for the end of its lease.
    for (const output of await this.#outputs()) {
      await output.setAnnotations({ "distil.lease": null });
    }
  }

  async #runOn(db: BTrDB): Promise<DistilResult> {
    const definition = definitionOf(this.#collection, String(this.#version), this.#version);
    const distillate = distil(db, definition);
    return await distillate.run({ maxPoints: 1000 });
  }

  /** A run that ends, and a second one that has nothing to do. */
  async #run(): Promise<void> {
    this.runs.push(await this.#runOn(this.#db));
    const [a, b] = await Promise.all(this.#inputs.map(pointsOf)) as [Point[], Point[]];
    const outputs = await Promise.all((await this.#outputs()).map(pointsOf));
    const wanted = expected(a, b, this.#version);
    wanted.forEach((points, o) => assertSame(outputs[o] ?? [], points));
    const again = await this.#runOn(this.#db);
    assert(again.current, "A run after a run has nothing to do");
  }
}
