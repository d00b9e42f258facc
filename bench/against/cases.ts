/**
 * Work that is measured against another checkout. It is done through the public functions that every
 * checkout has.
 *
 * @module
 */

import type { BTrDB, Stream } from "../../mod.ts";

/** Places where a database may be. */
export type Place = "embedded" | "serve";

/** One kind of work. */
export interface Case {
  readonly name: string;
  /** Times that it is done in a slice, which takes about a tenth of a second. */
  readonly times: Readonly<Record<Place, number>>;
  run(streams: Streams, times: number): Promise<void>;
}

/** Points of the stream that is read. */
const STORED = 1_000_000;
/** Points of a bulk insert. */
const BULK = 100_000;
/** Streams that are written at the same time. */
const WRITERS = 50;
/** ns between points, and time of the first one. */
const STEP = 8_333_333n, START = 1_704_067_200_000_000_000n;

/** Points of a signal from number `from` on. */
function signal(from: number, count: number) {
  const times = new BigInt64Array(count), values = new Float64Array(count);
  for (let i = 0; i < count; i++) {
    times[i] = START + BigInt(from + i) * STEP;
    values[i] = Math.fround(7200 + 10 * Math.sin((from + i) / 50));
  }
  return { times, values };
}

/** Streams of a database. Those that are written go on where they were. */
export class Streams {
  readonly stored: Stream;
  readonly single: Stream;
  readonly bulk: Stream;
  readonly writers: readonly Stream[];
  readonly #written = new Map<Stream, number>();

  private constructor(stored: Stream, single: Stream, bulk: Stream, writers: readonly Stream[]) {
    this.stored = stored;
    this.single = single;
    this.bulk = bulk;
    this.writers = writers;
  }

  /** Makes them in a new database. */
  static async create(db: BTrDB): Promise<Streams> {
    const made = (name: string) => db.create(crypto.randomUUID(), "against", { tags: { name } });
    const stored = await made("stored");
    for (let from = 0; from < STORED; from += BULK) await stored.insert(signal(from, BULK));
    await stored.flush();
    const writers: Stream[] = [];
    for (let i = 0; i < WRITERS; i++) writers.push(await made(`writer ${i}`));
    return new Streams(stored, await made("single"), await made("bulk"), writers);
  }

  /** Inserts the next points of a stream. */
  async append(stream: Stream, count: number): Promise<void> {
    const from = this.#written.get(stream) ?? 0;
    this.#written.set(stream, from + count);
    await stream.insert(signal(from, count));
  }
}

/** All kinds of work. */
export const CASES: readonly Case[] = [
  {
    name: "single",
    times: { embedded: 1_000, serve: 300 },
    async run(streams, times) {
      for (let i = 0; i < times; i++) await streams.append(streams.single, 1);
    },
  },
  {
    name: "streams",
    times: { embedded: 100, serve: 30 },
    async run(streams, times) {
      for (let i = 0; i < times; i++) {
        await Promise.all(streams.writers.map((stream) => streams.append(stream, 1)));
      }
    },
  },
  {
    name: "bulk",
    times: { embedded: 8, serve: 4 },
    async run(streams, times) {
      for (let i = 0; i < times; i++) await streams.append(streams.bulk, BULK);
    },
  },
  {
    name: "raw",
    times: { embedded: 10, serve: 3 },
    async run({ stored }, times) {
      for (let i = 0; i < times; i++) {
        let points = 0;
        const end = START + BigInt(STORED) * STEP;
        for await (const batch of stored.rawValues(START, end)) points += batch.times.length;
        if (points !== STORED) throw new Error(`Read ${points} points, expected ${STORED}`);
      }
    },
  },
  {
    name: "nearest",
    times: { embedded: 5_000, serve: 400 },
    async run({ stored }, times) {
      for (let i = 0; i < times; i++) {
        const time = START + BigInt((i * 7_919) % STORED) * STEP;
        const found = await stored.nearest(time);
        if (found?.time !== time) throw new Error(`Found ${found?.time}, expected ${time}`);
      }
    },
  },
];
