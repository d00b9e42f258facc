/** Streams and a definition for tests of distillates. */

import { type BTrDB, MAX_TIME, MIN_TIME, type Stream } from "@btrdb/btrdb";
import type { DistilDefinition } from "@btrdb/btrdb/distil";

/** Points as pairs. */
export type Pairs = readonly (readonly [bigint, number])[];

/** Makes an input `in/NAME` of the points. */
export async function input(db: BTrDB, name: string, points: Pairs): Promise<Stream> {
  const stream = await db.create(crypto.randomUUID(), "in", { tags: { name } });
  if (points.length > 0) await stream.insert(points);
  return stream;
}

/** The output `out/NAME`. */
export async function output(db: BTrDB, name: string): Promise<Stream> {
  const [stream] = await Array.fromAsync(db.lookupStreams("out", { tags: { name } }));
  return stream!;
}

/** All points of a stream. */
export async function pairsOf(stream: Stream): Promise<[bigint, number][]> {
  const { times, values } = await stream.rawValues(MIN_TIME, MAX_TIME).collect();
  return Array.from(times, (time, i) => [time, values[i]!]);
}

/** Waiting for a moment that the test chooses. */
export function gate(): { open: () => void; passed: Promise<void> } {
  const { promise, resolve } = Promise.withResolvers<void>();
  return { open: resolve, passed: promise };
}

/** The input, doubled. */
export function doubled(own: Partial<DistilDefinition> = {}): DistilDefinition {
  return {
    name: "doubled",
    version: "1",
    inputs: { a: "in/a" },
    outputs: { b: "out/b" },
    compute: ({ inputs }) => {
      const { times, values } = inputs["a"]!;
      return { b: { times, values: values.map((value) => 2 * value) } };
    },
    ...own,
  };
}
