/** The points of the soak's users: point `i` is at `BASE + i · STEP_NS` and has the value `i`. */

import type { RawBatch, Stream } from "../../../mod.ts";

/** Distance of two points, ns. */
export const STEP_NS = 1_000_000n;

/** Time of the first point. */
export const BASE = 1_600_000_000_000_000_000n;

/** Waits. */
export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/** The points `[from, to)` of a user. */
export function readFrom(stream: Stream, from: number, to: number): AsyncIterable<RawBatch> {
  return stream.rawValues(BASE + BigInt(from) * STEP_NS, BASE + BigInt(to) * STEP_NS);
}

/** Counts the missing and the wrong points among the first `acknowledged`. */
export async function verify(
  stream: Stream,
  acknowledged: number,
): Promise<{ lost: number; wrong: number }> {
  const seen = new Uint8Array(acknowledged);
  let wrong = 0;
  for await (const { times, values } of readFrom(stream, 0, acknowledged + 1_000_000)) {
    for (let i = 0; i < times.length; i++) {
      const index = Number((times[i]! - BASE) / STEP_NS);
      if (index < acknowledged) seen[index] = 1;
      if (values[i] !== index) wrong++;
    }
  }
  return { lost: acknowledged - seen.reduce((sum, one) => sum + one, 0), wrong };
}
