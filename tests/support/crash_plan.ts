/**
 * Plan of the crash tests: a seeded list of operations for the process that gets killed, and for
 * the check of what it left.
 */

import type { Point, StreamModel } from "./engine_model.ts";

/** Streams that are written at the same time. */
export const CRASH_STREAMS = 4;

/** One step of a stream. */
export type CrashStep =
  | { op: "insert"; points: Point[] }
  | { op: "flush" }
  | { op: "delete"; start: bigint; end: bigint };

/** The uuid of a stream. */
export function crashUuid(stream: number): Uint8Array {
  return new Uint8Array(16).fill(stream + 1);
}

/** Numbers in [0, 2^32), the same for the same seed. */
function generator(seed: number): () => number {
  let state = (seed * 2654435761) | 1;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return state >>> 0;
  };
}

/** The points of an insert: mostly few, sometimes enough for a commit of its own. */
function insertOf(next: () => number, index: number): CrashStep {
  const dice = next() % 20;
  const n = dice === 0 ? 33_000 : dice < 5 ? 1 + next() % 3000 : 1 + next() % 60;
  const base = 1_700_000_000_000_000_000n + BigInt(next() % 5000) * 1_000_000_000n;
  const points = Array.from({ length: n }, (_, i) => ({
    time: base + BigInt(i) * 8_333_333n,
    value: index + i / 1024,
  }));
  return { op: "insert", points };
}

/** Step number `index` of a stream. */
export function crashStep(stream: number, index: number): CrashStep {
  const next = generator(stream * 100_003 + index);
  next();
  const dice = next() % 12;
  if (dice === 0) return { op: "flush" };
  if (dice === 1) {
    const start = 1_700_000_000_000_000_000n + BigInt(next() % 5000) * 1_000_000_000n;
    return { op: "delete", start, end: start + BigInt(1 + next() % 100) * 1_000_000_000n };
  }
  return insertOf(next, index);
}

/** Does a step on the model. */
export function applyStep(model: StreamModel, step: CrashStep): void {
  if (step.op === "insert") model.insert(step.points, "never");
  else if (step.op === "flush") model.flush();
  else model.deleteRange(step.start, step.end);
}
