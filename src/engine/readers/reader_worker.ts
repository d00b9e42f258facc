/**
 * Thread that reads a database file beside the thread that writes it. Reads take turns, a slice each.
 *
 * @module
 */

import { parentPort } from "node:worker_threads";
import { movable } from "../../core/movable.ts";
import { fittedBytes } from "../../core/fitted_bytes.ts";
import { SpareBuffers } from "../../core/spare_buffers.ts";
import type { RawChunk } from "../../endpoint/endpoint.ts";
import { answerPieces, RAW_ANSWER, statAnswer } from "../../kernel/answer_pieces.ts";
import type { Engine } from "../engine.ts";
import { openEngine } from "../open.ts";
import { partsOf, type ReaderOrder, type ReaderReport } from "./messages.ts";
import { lowerThreadPriority } from "./thread_priority.ts";

/** A read under way. */
interface Read {
  readonly controller: AbortController;
  /** Chunks that may be made before more are asked for. */
  left: number;
  wake: (() => void) | undefined;
}

/** Memory of messages that is kept for later ones, bytes. */
const SPARE_BYTES = 2 << 20;

let engine: Engine | undefined;
const spare = new SpareBuffers(SPARE_BYTES);
const memory = (bytes: number): Uint8Array => spare.take(bytes) ?? new Uint8Array(bytes);
const reads = new Map<number, Read>();

function send(report: ReaderReport, buffers: ArrayBuffer[] = []): void {
  parentPort!.postMessage(report, buffers);
}

async function open(order: Extract<ReaderOrder, { type: "open" }>): Promise<void> {
  try {
    engine = await openEngine({ ...order.file, readOnly: true, ownWriter: true });
    send({ type: "opened" });
  } catch (error) {
    send({ type: "refused", error: partsOf(error) });
  }
}

/** A chunk whose columns move to the other thread. */
function moved(chunk: object, buffers: ArrayBuffer[]): object {
  const { version, columns, blocks, ...ranges } = chunk as
    & Pick<RawChunk, "version" | "blocks">
    & { columns?: object };
  if (columns === undefined) return { version, ...movable(ranges, buffers) };
  const ofPoints = { version, columns: movable(columns, buffers) };
  // Blocks are many and small: they are copied.
  return blocks === undefined ? ofPoints : { ...ofPoints, blocks };
}

type ReadOrder = Extract<ReaderOrder, { type: "read" }>;

/** One step of an answer, and the memory that goes with it. */
interface Step {
  readonly chunk: object;
  readonly buffers: ArrayBuffer[];
  readonly isLast: boolean;
}

async function* steps(order: ReadOrder, signal: AbortSignal): AsyncGenerator<Step> {
  const { method, encoding, deadlineMs } = order;
  const request = { ...order.request as object, isLent: encoding !== undefined } as never;
  const options = { signal, deadlineMs };
  if (encoding === undefined || method === "changes") {
    for await (const chunk of engine![method](request, options)) {
      // Chunks move to the other thread, with their memory.
      const buffers: ArrayBuffer[] = [];
      yield { chunk: moved(chunk, buffers), buffers, isLast: false };
    }
    return;
  }
  const pieces = method === "rawValues"
    ? answerPieces(engine!.rawValues(request, options), RAW_ANSWER, memory)
    : answerPieces(engine![method](request, options), statAnswer(encoding.withStddev), memory);
  for await (const { frames, points, isLast } of pieces) {
    const fitted = fittedBytes(frames as Uint8Array<ArrayBuffer>, spare);
    yield { chunk: { frames: fitted, points }, buffers: [fitted.buffer], isLast };
  }
}

async function read(order: ReadOrder): Promise<void> {
  const { id } = order;
  const state: Read = { controller: new AbortController(), left: 1, wake: undefined };
  const { signal } = state.controller;
  reads.set(id, state);
  try {
    for await (const { chunk, buffers, isLast } of steps(order, signal)) {
      while (state.left === 0 && !signal.aborted) {
        await new Promise<void>((wake) => state.wake = wake);
      }
      signal.throwIfAborted();
      state.left--;
      send({ type: "chunk", id, chunk, isLast }, buffers);
      if (isLast) return;
    }
    send({ type: "end", id, error: undefined });
  } catch (error) {
    if (!signal.aborted) send({ type: "end", id, error: partsOf(error) });
  } finally {
    reads.delete(id);
  }
}

async function close(): Promise<void> {
  for (const { controller, wake } of reads.values()) {
    controller.abort();
    wake?.();
  }
  await engine?.close();
  send({ type: "closed" });
}

function wake(id: number, change: (state: Read) => void): void {
  const state = reads.get(id);
  if (state === undefined) return;
  change(state);
  state.wake?.();
}

lowerThreadPriority();

parentPort!.on("message", (order: ReaderOrder) => {
  if ("spare" in order) { for (const buffer of order.spare) spare.give(buffer); }
  if (order.type === "open") void open(order);
  else if (order.type === "read") void read(order);
  else if (order.type === "more") wake(order.id, (state) => state.left++);
  else if (order.type === "stop") wake(order.id, ({ controller }) => controller.abort());
  else if (order.type === "ping") send({ type: "pong" });
  else void close();
});
