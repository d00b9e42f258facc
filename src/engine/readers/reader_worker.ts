/**
 * Thread that reads a database file beside the thread that writes it. Reads take turns, a slice each.
 *
 * @module
 */

import { parentPort } from "node:worker_threads";
import { movable } from "../../core/movable.ts";
import type { RawChunk } from "../../endpoint/endpoint.ts";
import type { Engine } from "../engine.ts";
import { openEngine } from "../open.ts";
import { partsOf, type ReaderOrder, type ReaderReport } from "./messages.ts";

/** A read under way. */
interface Read {
  readonly controller: AbortController;
  /** Chunks that may be made before more are asked for. */
  left: number;
  wake: (() => void) | undefined;
}

let engine: Engine | undefined;
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

async function read(
  { id, method, request, deadlineMs }: Extract<ReaderOrder, { type: "read" }>,
): Promise<void> {
  const state: Read = { controller: new AbortController(), left: 1, wake: undefined };
  const { signal } = state.controller;
  reads.set(id, state);
  try {
    // Chunks move to the other thread, with their memory.
    const own = { ...request as object, isLent: false };
    const chunks = engine![method](own as never, { signal, deadlineMs });
    for await (const chunk of chunks) {
      while (state.left === 0 && !signal.aborted) {
        await new Promise<void>((wake) => state.wake = wake);
      }
      signal.throwIfAborted();
      state.left--;
      const buffers: ArrayBuffer[] = [];
      send({ type: "chunk", id, chunk: moved(chunk, buffers) }, buffers);
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

parentPort!.on("message", (order: ReaderOrder) => {
  if (order.type === "open") void open(order);
  else if (order.type === "read") void read(order);
  else if (order.type === "more") wake(order.id, (state) => state.left++);
  else if (order.type === "stop") wake(order.id, ({ controller }) => controller.abort());
  else if (order.type === "ping") send({ type: "pong" });
  else void close();
});
