/**
 * Keeps the event loop responsive: long work that is synchronous, such as SQLite, the tree and the
 * decoding of large messages, is done in short steps and pauses between them.
 *
 * @module
 */

import { type CallOptions, throwIfOver } from "./call.ts";
import { nextTurn, socketsSeen } from "./event_loop.ts";

/** Work between two turns of the event loop, ms; shared by all work under way. */
const SLICE_MS = 4;

let lastTurnMs = 0;

/** Slices that writes take in a row while other work waits. */
const WRITE_SLICES = 3;

/** Kind of work that gives way: writes go on before everything else, which gets each fourth slice. */
export type Work = "write" | "other";

/**
 * Gives way if it is due.
 *
 * @returns `undefined` when it is not.
 */
export function giveWay(work: Work = "other"): Promise<void> | undefined {
  return isDue() ? yieldToEventLoop(work) : undefined;
}

/** Tells whether the event loop has waited long enough. */
export function isDue(): boolean {
  return performance.now() - lastTurnMs > SLICE_MS;
}

/** Work that waits for its next slice, longest waiting first. */
const waiting: Record<Work, (() => void)[]> = { write: [], other: [] };
let isReleasing = false;

/**
 * Lets everything else run that is ready or waits in a socket. However much work is under way, only
 * one slice of it runs before that happens again. Writes go on before reads: an insert of many slices
 * would come to its end behind hundreds of reads, if each of its slices waited for one of theirs.
 */
export function yieldToEventLoop(work: Work = "other"): Promise<void> {
  return new Promise((resolve) => {
    waiting[work].push(resolve);
    if (!isReleasing) release();
  });
}

async function release(): Promise<void> {
  isReleasing = true;
  const { write, other } = waiting;
  for (let slice = 0; write.length + other.length > 0; slice++) {
    await socketsSeen();
    lastTurnMs = performance.now();
    const [first, second] = slice % (WRITE_SLICES + 1) < WRITE_SLICES
      ? [write, other]
      : [other, write];
    // Short work of many shares the slice: looking at the sockets costs more than it does.
    do {
      (first.shift() ?? second.shift()!)();
      await nextTurn();
    } while (write.length + other.length > 0 && !isDue());
  }
  isReleasing = false;
}

/**
 * A synchronous generator as an asynchronous one: pauses when it is due, stops when the call does.
 *
 * @param source Yields `undefined` where it may pause.
 */
export async function* paced<T>(
  source: Iterable<T | undefined>,
  options: CallOptions | undefined,
): AsyncGenerator<T, void, undefined> {
  // Hundreds of lists may begin in one turn of the event loop, each with a step.
  if (isDue()) await yieldToEventLoop();
  throwIfOver(options, "continue reading");
  for (const item of source) {
    // Before whoever reads goes to work on it.
    if (isDue()) {
      await yieldToEventLoop();
      throwIfOver(options, "continue reading");
    } else if (item !== undefined) throwIfOver(options, "continue reading");
    if (item !== undefined) yield item;
  }
}

/**
 * Does work that is divided into short steps, and gives way between them when it is due.
 *
 * @param steps Yields after each step; a step takes a millisecond or so.
 * @param options Ends the work between two steps.
 * @param work Its kind.
 * @returns The result of the generator.
 */
export async function inSlices<T>(
  steps: Generator<undefined, T>,
  options?: CallOptions,
  work?: Work,
): Promise<T> {
  for (;;) {
    const step = steps.next();
    if (step.done) return step.value;
    if (!isDue()) continue;
    await yieldToEventLoop(work);
    throwIfOver(options, "continue");
  }
}

/** Does the same work at once. */
export function atOnce<T>(steps: Generator<undefined, T>): T {
  for (;;) {
    const step = steps.next();
    if (step.done) return step.value;
  }
}
