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

/**
 * Gives way if it is due.
 *
 * @returns `undefined` when it is not.
 */
export function giveWay(): Promise<void> | undefined {
  return isDue() ? yieldToEventLoop() : undefined;
}

/** Tells whether the event loop has waited long enough. */
export function isDue(): boolean {
  return performance.now() - lastTurnMs > SLICE_MS;
}

/** Work that waits for its next slice, longest waiting first. */
const waiting: (() => void)[] = [];
let isReleasing = false;

/**
 * Lets everything else run that is ready or waits in a socket. However much work is under way, only
 * one slice of it runs before that happens again.
 */
export function yieldToEventLoop(): Promise<void> {
  return new Promise((resolve) => {
    waiting.push(resolve);
    if (!isReleasing) release();
  });
}

async function release(): Promise<void> {
  isReleasing = true;
  while (waiting.length > 0) {
    await socketsSeen();
    lastTurnMs = performance.now();
    // Short work of many shares the slice: looking at the sockets costs more than it does.
    do {
      waiting.shift()!();
      await nextTurn();
    } while (waiting.length > 0 && !isDue());
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
 * @returns The result of the generator.
 */
export async function inSlices<T>(
  steps: Generator<undefined, T>,
  options?: CallOptions,
): Promise<T> {
  for (;;) {
    const step = steps.next();
    if (step.done) return step.value;
    if (!isDue()) continue;
    await yieldToEventLoop();
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
