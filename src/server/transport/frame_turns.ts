/**
 * Hands frames of HTTP/2 on in portions, few between two polls of the sockets. All requests that one
 * read of a socket brings would otherwise begin in the same turn of the event loop, 128 of them in 8 to
 * 27 ms, and those that waited then would have a turn each, of 61 between two polls.
 *
 * @module
 */

import { setImmediate, setTimeout } from "node:timers";
import { socketsSeen } from "../../core/event_loop.ts";
import { Crowding } from "./crowding.ts";
import { hasReset, resetDelayMs, type Resetting } from "./reset_calls.ts";
import { type Turn, Turns } from "./turns.ts";

/** Frames of all connections that are handed on in a turn: some 32 small requests. */
export const TURN_FRAMES = 64;

/** Frames after which the next one has its turn, if several wait. */
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
  /** The caller whose turns those of the connection are. */
  readonly turn: Turn;
  /** Offsets at which to divide them. */
  readonly cuts: readonly number[];
}

/** The part of a socket that is needed. */
export interface Destroyable extends Resetting {
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
  readonly socket: Destroyable;
  readonly portions: Portion[];
  turn: Turn;
  bytes: number;
  /** Reads the connection again. */
  readOn?: () => void;
}

/** Queues by their connection. */
const waiting = new Map<Destroyable, Queue>();
/** The same in the order of their turns. */
const turns = new Turns<Queue>();
let waitingBytes = 0;
/** Frames that may still be handed on in this turn of the event loop. */
let left = TURN_FRAMES;
let isNextTurnDue = false;
/** Tells when turns have to be short. */
const crowding = new Crowding();

/**
 * Hands on what a socket received, in this turn of the event loop or in one of the next. Callers take
 * turns ({@linkcode Turns}).
 *
 * @returns False if there had better be no more for now.
 */
export function pushInTurns(
  socket: Destroyable,
  push: Push,
  { chunk, frames, turn, cuts }: Received,
): boolean {
  crowding.use(turn[0]);
  const earlier = waiting.get(socket);
  const isShort = cuts.length === 0 && left >= Math.min(frames, PORTION_FRAMES);
  if (earlier === undefined && isShort && !hasReset(socket)) {
    take(frames);
    return push(chunk);
  }
  const queue: Queue = earlier ?? { socket, portions: [], turn, bytes: 0 };
  queue.turn = turn;
  queue.portions.push(...portionsOf(push, { chunk, frames, cuts }));
  count(queue, chunk?.length ?? 0);
  if (earlier === undefined) begin(queue);
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

function portionsOf(push: Push, { chunk, frames, cuts }: Omit<Received, "turn">): Portion[] {
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
  // Each key has one portion then.
  const isShort = crowding.isCrowded(turns.size > 0);
  left = isShort ? PORTION_FRAMES : TURN_FRAMES;
  for (let n = turns.members; turns.size > 0 && (isShort ? n > 0 : left > 0); n--) serveNext();
  if (turns.size > 0) takeNextTurn();
}

function serveNext(): void {
  const queue = turns.next()!;
  const delayMs = resetDelayMs(queue.socket, queue.turn[0]);
  if (delayMs > 0) return hold(queue, delayMs);
  serve(queue);
  if (queue.portions.length > 0) turns.add(queue.turn, queue);
}

/** Lets a connection wait before its next turn. */
function hold(queue: Queue, delayMs: number): void {
  setTimeout(() => {
    turns.add(queue.turn, queue);
    takeNextTurn();
  }, delayMs);
}

/** Hands on what may be handed on now of a connection of which nothing waited. */
function begin(queue: Queue): void {
  waiting.set(queue.socket, queue);
  const delayMs = resetDelayMs(queue.socket, queue.turn[0]);
  if (delayMs > 0) return hold(queue, delayMs);
  while (left > 0 && queue.portions.length > 0) serve(queue);
  if (queue.portions.length > 0) turns.add(queue.turn, queue);
}

/** Hands on a portion of a connection. */
function serve(queue: Queue): void {
  const { socket, portions } = queue;
  const { push, chunk, frames } = portions.shift()!;
  if (socket.destroyed) portions.length = 0;
  if (portions.length === 0) waiting.delete(socket);
  if (socket.destroyed) return count(queue, -queue.bytes);
  count(queue, -(chunk?.length ?? 0));
  take(frames);
  push(chunk);
  if (isFull(queue)) return;
  queue.readOn?.();
  delete queue.readOn;
}
