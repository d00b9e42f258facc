/**
 * Lays out the plan of a merge in the arena and moves pieces of
 * the streams in. All of it is made anew in each call; what stays between calls is in
 * {@linkcode MergeInput}, in JavaScript.
 *
 * @module
 */

import { atOnce } from "../core/pacer.ts";
import { type Arena, columnBytes } from "./arena.ts";

/** Streams one merge takes. */
export const MAX_STREAMS = 65_536;

/**
 * Streams from which on points are copied in by way of an image of the kernel's memory, and of which
 * so many in one step: those of 10,000 take 10 ms and more.
 */
export const IMAGE_STREAMS = 1_024;
export const STEP_STREAMS = 512;

/** Columns of one stream, all of one length. */
export type MergeColumns = readonly (BigInt64Array | BigUint64Array | Float64Array)[];

/** One stream of a merge: columns of 8-byte elements, times first, and how far they are used up. */
export interface MergeInput {
  columns: MergeColumns;
  /** The columns that follow, where they are here already. */
  next?: MergeColumns | undefined;
  /** Points already merged. */
  done: number;
  /** True if more columns may follow. */
  open: boolean;
}

/** Bytes of one group in the plan's first part: heads, least, live, first. */
const HEAD_BYTES = 64 * 8 + 3 * 8;
/** Bytes of one group in its second part: input. */
const INPUT_BYTES = 64 * 16;

/**
 * Bytes all columns together may take in the arena, unless that is less than 16 points a stream.
 */
const COLUMNS_BYTES = 512 << 10;

/** Memory that a plan is laid out in: the kernel's, or an image of it. */
export type PlanMemory = Pick<Arena, "base" | "u8" | "u32" | "i64" | "u64" | "f64">;

/**
 * Memory of its own with the layout of the kernel's, from which it is copied as a whole.
 *
 * @param base Position of the plan in the kernel's.
 * @param bytes Bytes from there on.
 */
export function planImage(base: number, bytes: number): PlanMemory {
  const buffer = new ArrayBuffer(base + bytes);
  return {
    base,
    u8: new Uint8Array(buffer),
    u32: new Uint32Array(buffer),
    i64: new BigInt64Array(buffer),
    u64: new BigUint64Array(buffer),
    f64: new Float64Array(buffer),
  };
}

/** Memory layout for a number of streams with a number of columns. */
export class MergePlan {
  /** Groups of 64 streams. */
  readonly groups: number;
  /** Points of each stream that are in the arena at a time. */
  readonly chunk: number;
  /** Bytes from one column of a stream to the next. */
  readonly stride: number;
  /** Bytes of plan and inputs together, a multiple of 64. */
  readonly bytes: number;
  /** Pieces of streams that were copied in so far. */
  loads = 0;
  /** Bytes of the plan alone, which is before the inputs. */
  readonly planBytes: number;
  readonly #streams: number;

  /**
   * @param streams Number of streams.
   * @param columns Columns a stream, times included.
   */
  constructor(streams: number, columns: number) {
    this.groups = Math.max(1, Math.ceil(streams / 64));
    const points = Math.floor(COLUMNS_BYTES / (8 * columns * Math.max(1, streams)));
    this.chunk = Math.min(8192, Math.max(16, points));
    this.stride = this.chunk < 64 ? 8 * this.chunk : columnBytes(this.chunk);
    this.#streams = streams;
    this.planBytes = (this.groups * (HEAD_BYTES + INPUT_BYTES) + 63) & ~63;
    this.bytes = (this.planBytes + streams * columns * this.stride + 63) & ~63;
  }

  /** Copies the next piece of every stream in. */
  load(arena: PlanMemory, inputs: readonly MergeInput[]): void {
    const plan = arena.u32.subarray(arena.base >> 2, (arena.base + this.planBytes) >> 2);
    plan.fill(0);
    this.refresh(arena, inputs);
  }

  /**
   * Brings a plan up to date that is still as it was when it was saved, or all zeros, and copies in
   * what follows for streams that ran dry.
   */
  refresh(memory: PlanMemory, inputs: readonly MergeInput[]): void {
    atOnce(this.refreshInSteps(memory, inputs));
  }

  /** Does so in an image, some streams at a time. */
  *refreshInSteps(arena: PlanMemory, inputs: readonly MergeInput[]): Generator<undefined, void> {
    for (let s = 0; s < inputs.length; s++) {
      if (s % STEP_STREAMS === STEP_STREAMS - 1) yield;
      const input = inputs[s]!;
      const entry = this.#entry(arena, s);
      if (arena.u32[entry] === arena.u32[entry + 1]) this.#loadStream(arena, input, s);
      else {
        const loaded = input.done + (arena.u32[entry + 1]! - arena.u32[entry]!) / 8;
        arena.u32[entry + 3] = goesOn(input, loaded) ? 1 : 0;
      }
    }
  }

  /**
   * Takes over how far the streams came and copies in what follows for those that ran dry.
   *
   * @returns True if any got a new piece, and none needs columns that are not here yet.
   */
  advance(memory: PlanMemory, inputs: readonly MergeInput[]): boolean {
    return atOnce(this.advanceInSteps(memory, inputs));
  }

  /** Does so in an image, some streams at a time. */
  *advanceInSteps(
    arena: PlanMemory,
    inputs: readonly MergeInput[],
  ): Generator<undefined, boolean> {
    let refilled = false;
    let starved = false;
    for (let s = 0; s < this.#streams; s++) {
      if (s % STEP_STREAMS === STEP_STREAMS - 1) yield;
      const input = inputs[s]!;
      const entry = this.#entry(arena, s);
      if (arena.u32[entry] === arena.u32[entry + 1]) {
        input.done = this.#done(arena, s);
        turnOver(input);
        if (input.done < input.columns[0]!.length) {
          this.#loadStream(arena, input, s);
          refilled = true;
        } else if (input.open) starved = true;
      }
    }
    return refilled && !starved;
  }

  /** Takes over how far the streams came, at the end of a call. */
  save(arena: PlanMemory, inputs: readonly MergeInput[]): void {
    for (let s = 0; s < this.#streams; s++) {
      const input = inputs[s]!;
      input.done = this.#done(arena, s);
      turnOver(input);
    }
  }

  /**
   * Points of stream `s` that are merged: the address of its head, less that of its first point.
   */
  #done(arena: PlanMemory, s: number): number {
    const entry = this.#entry(arena, s);
    return (arena.u32[entry]! >>> 3) - arena.u32[entry + 2]! | 0;
  }

  /** Index of the stream's entry of `input` among the 32-bit elements of the memory. */
  #entry(arena: PlanMemory, s: number): number {
    return (arena.base + this.groups * HEAD_BYTES + 16 * s) >> 2;
  }

  #loadStream(arena: PlanMemory, input: MergeInput, s: number): void {
    this.loads++;
    const { columns, done } = input;
    const length = columns[0]!.length;
    const count = Math.min(this.chunk, length - done);
    const at = arena.base + this.planBytes + s * columns.length * this.stride;
    for (let c = 0; c < columns.length && count > 0; c++) {
      copyIn(arena, columns[c]!, done, count, at + c * this.stride);
    }
    const entry = this.#entry(arena, s);
    arena.u32[entry] = at;
    arena.u32[entry + 1] = at + 8 * count;
    arena.u32[entry + 2] = (at >>> 3) - done;
    arena.u32[entry + 3] = goesOn(input, done + count) ? 1 : 0;
  }
}

/**
 * Copies elements of a column in. All of a column at once without a view of it: V8 keeps a few numbers in
 * the array itself until something asks for its buffer, and ten thousand buffers slow each collection of
 * garbage down.
 */
function copyIn(
  arena: PlanMemory,
  column: MergeColumns[number],
  from: number,
  count: number,
  at: number,
): void {
  const part = count === column.length ? column : column.subarray(from, from + count);
  if (part instanceof Float64Array) arena.f64.set(part, at >>> 3);
  else if (part instanceof BigInt64Array) arena.i64.set(part, at >>> 3);
  else arena.u64.set(part, at >>> 3);
}

/** Tells whether a stream goes on after the points before `loaded`. */
function goesOn({ columns, next, open }: MergeInput, loaded: number): boolean {
  return open || next !== undefined || loaded < columns[0]!.length;
}

/** Goes on with what follows if the columns are used up. */
export function turnOver(input: MergeInput): void {
  if (input.done < input.columns[0]!.length || input.next === undefined) return;
  input.columns = input.next;
  input.next = undefined;
  input.done = 0;
}
