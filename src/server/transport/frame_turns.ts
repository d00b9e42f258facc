/**
 * Hands frames of HTTP/2 on in portions, few between two polls of the sockets. All requests that one
 * read of a socket brings would otherwise begin in the same turn of the event loop, 128 of them in 8 to
 * 27 ms, and those that waited then would have a turn each, of 61 between two polls.
 *
 * @module
 */

import { setImmediate } from "node:timers";
import { socketsSeen } from "../../core/event_loop.ts";

/** Frames of all connections that are handed on in a turn: some 32 small requests. */
export const TURN_FRAMES = 64;

/** Frames of a connection after which the next one has its turn, if several wait. */
export const PORTION_FRAMES = 16;

/** Bytes that may wait, of all connections and of one: beyond, those that have bytes waiting are not read. */
const MAX_WAITING_BYTES = { all: 4 << 20, connection: 256 << 10 } as const;

/** Hands bytes of a connection on, or their end; false if there had better be no more for now. */
export type Push = (chunk: Uint8Array | null) => boolean;

/** Bytes that one read of a socket brought. */
export interface Received {
  /** The bytes; null for their end. */
  readonly chunk: Uint8Array | null;
  /** Frames that begin in them. */
  readonly frames: number;
  /** True if a known key was shown on the connection, or nobody needs one. */
  readonly isKnown: boolean;
  /** Offsets at which to divide them. */
  readonly cuts: readonly number[];
}

/** The part of a socket that is needed. */
export interface Destroyable {
  readonly destroyed: boolean;
}

/** A part of the bytes of a connection. */
interface Portion {
  readonly push: Push;
  readonly chunk: Uint8Array | null;
  readonly frames: number;
}

/** Bytes of a connection that wait. */
interface Queue {
  readonly portions: Portion[];
  /** True if a known key was shown, or nobody needs one. */
  isKnown: boolean;
  bytes: number;
  /** Reads the connection again. */
  readOn?: () => void;
}

/** Queues by their connection; the one that was served last is the last one. */
const waiting = new Map<Destroyable, Queue>();
let waitingBytes = 0;
/** Frames that may still be handed on in this turn. */
let left = TURN_FRAMES;
let isNextTurnDue = false;
/** True if the next portion is one of callers with a known key, where some of those wait. */
let isForKnown = false;

/**
 * Hands on what a socket received, in this turn or in one of the next. Connections take turns.
 *
 * @returns False if there had better be no more for now.
 */
export function pushInTurns(
  socket: Destroyable,
  push: Push,
  { chunk, frames, isKnown, cuts }: Received,
): boolean {
  const earlier = waiting.get(socket);
  if (earlier === undefined && cuts.length === 0 && left >= Math.min(frames, PORTION_FRAMES)) {
    take(frames);
    return push(chunk);
  }
  const queue: Queue = earlier ?? { portions: [], isKnown, bytes: 0 };
  queue.isKnown = isKnown;
  queue.portions.push(...portionsOf(push, { chunk, frames, cuts }));
  count(queue, chunk?.length ?? 0);
  if (earlier === undefined) waiting.set(socket, queue);
  while (left > 0 && earlier === undefined && queue.portions.length > 0) serve(socket, queue);
  takeNextTurn();
  return !isFull(queue);
}

/**
 * Reads a connection, or has it read as soon as less of it waits: turns are short, and what a client
 * sends between them had better wait at its own side.
 *
 * @param readOn Reads it.
 */
export function readInTurns(socket: Destroyable, readOn: () => void): void {
  const queue = waiting.get(socket);
  if (queue !== undefined && isFull(queue)) queue.readOn = readOn;
  else readOn();
}

function isFull({ bytes }: Queue): boolean {
  if (bytes === 0) return false;
  return bytes > MAX_WAITING_BYTES.connection || waitingBytes > MAX_WAITING_BYTES.all;
}

function count(queue: Queue, bytes: number): void {
  queue.bytes += bytes;
  waitingBytes += bytes;
}

function portionsOf(push: Push, { chunk, frames, cuts }: Omit<Received, "isKnown">): Portion[] {
  if (chunk === null) return [{ push, chunk, frames }];
  const ends = [...cuts, chunk.length];
  return ends.map((end, i) => ({
    push,
    chunk: chunk.subarray(i === 0 ? 0 : ends[i - 1], end),
    frames: i < cuts.length ? PORTION_FRAMES : frames - PORTION_FRAMES * cuts.length,
  }));
}

function take(frames: number): void {
  left -= frames;
  if (frames > 0) takeNextTurn();
}

function takeNextTurn(): void {
  if (isNextTurnDue) return;
  isNextTurnDue = true;
  if (waiting.size === 0) setImmediate(nextTurn);
  else void socketsSeen().then(nextTurn);
}

function nextTurn(): void {
  isNextTurnDue = false;
  left = TURN_FRAMES;
  while (waiting.size > 0 && left > 0) serveNext();
  if (waiting.size > 0) takeNextTurn();
}

/**
 * Hands on a portion of the connection that waits longest; every other time, of those of callers with a
 * known key.
 */
function serveNext(): void {
  isForKnown = !isForKnown;
  let next: [Destroyable, Queue] | undefined;
  for (const entry of waiting) {
    next ??= entry;
    if (!isForKnown) break;
    if (!entry[1].isKnown) continue;
    next = entry;
    break;
  }
  if (next !== undefined) serve(...next);
}

function serve(socket: Destroyable, queue: Queue): void {
  const { push, chunk, frames } = queue.portions.shift()!;
  waiting.delete(socket);
  if (socket.destroyed) return count(queue, -queue.bytes);
  count(queue, -(chunk?.length ?? 0));
  if (queue.portions.length > 0) waiting.set(socket, queue);
  take(frames);
  push(chunk);
  if (isFull(queue)) return;
  queue.readOn?.();
  delete queue.readOn;
}
