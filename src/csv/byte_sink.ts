/**
 * Destinations of exports: a file, a stream or a function.
 *
 * @module
 */

import { checkedPath } from "../core/check_path.ts";
import { describe } from "../core/describe.ts";
import type { FileHandle } from "node:fs/promises";
import { neededNodeModule } from "../core/node_module.ts";
import type { CallOptions } from "../endpoint/endpoint.ts";
import { abortable } from "../core/call.ts";
import { invalidType } from "../core/argument_error.ts";

/**
 * A path, a `file:` URL, a stream of bytes, or a function that gets the bytes piece by piece.
 *
 * A piece given to a function is a view of memory that is used again: it is valid until the
 * function returns, waits, or calls anything else of this package. So nothing is copied.
 */
export type ByteSink =
  | string
  | URL
  | WritableStream<Uint8Array>
  | ((bytes: Uint8Array) => void | Promise<void>);

/** Progress of an export. */
export interface ExportProgress {
  /** Rows written, the header not counted. */
  rows: number;
  /** Bytes written, the header included. */
  bytes: number;
  /** Time of the last row written, ns; absent before the first. */
  time?: bigint;
}

/** A sink that is open. */
export interface OpenSink {
  /** Writes a piece, which may change after the call. Resolves when the next one may be made. */
  write(bytes: Uint8Array): Promise<void>;
  /** Everything is there. */
  finish(): Promise<void>;
  /** Something went wrong: nothing shall be left. */
  discard(reason: unknown): Promise<void>;
}

/**
 * Opens a sink.
 *
 * @param action Name of the call, for the error.
 * @param sink Sink of the caller.
 * @param preventClose True if a stream stays open.
 * @param call Ends waiting for a stream that does not take more.
 */
export async function openSink(
  action: string,
  sink: ByteSink,
  preventClose: boolean,
  call: CallOptions,
): Promise<OpenSink> {
  if (typeof sink === "string" || sink instanceof URL) return await openFile(action, sink);
  if (typeof sink === "function") return functionSink(action, sink, call);
  if (typeof (sink as WritableStream | null)?.getWriter === "function") {
    return streamSink(action, sink, preventClose, call);
  }
  throw invalidType(
    `Cannot ${action}: the sink is ${
      describe(sink)
    }, expected a path, a WritableStream or a function`,
  );
}

function functionSink(
  action: string,
  take: (bytes: Uint8Array) => void | Promise<void>,
  call: CallOptions,
): OpenSink {
  return {
    write: async (bytes) => {
      const taken = take(bytes);
      if (taken !== undefined) await abortable(taken, call, action);
    },
    finish: () => Promise.resolve(),
    discard: () => Promise.resolve(),
  };
}

/** A stream gets a copy of every piece, because it may keep it. */
function streamSink(
  action: string,
  stream: WritableStream<Uint8Array>,
  preventClose: boolean,
  call: CallOptions,
): OpenSink {
  const writer = stream.getWriter();
  const release = () => writer.releaseLock();
  writer.closed.catch(() => {});
  return {
    write: async (bytes) => {
      const own = bytes.slice();
      await abortable(writer.ready, call, action);
      // The writer reports a failed write with the next `ready`, or with `close`.
      writer.write(own).catch(() => {});
    },
    finish: async () => {
      await abortable(preventClose ? writer.ready : writer.close(), call, action);
      release();
    },
    discard: (reason) => {
      // Not waited for: a stream that is stuck in a write never answers.
      if (!preventClose) writer.abort(reason).catch(() => {});
      release();
      return Promise.resolve();
    },
  };
}

type Files = typeof import("node:fs/promises");

/**
 * A file appears under its name when it is complete. Anything but a plain file (a pipe, a device) is
 * written as it is.
 */
async function openFile(action: string, path: string | URL): Promise<OpenSink> {
  const { open, realpath, stat } = neededNodeModule<Files>("node:fs/promises", "A path");
  const named = checkedPath(action, path, "the sink");
  const target = await realpath(named).catch(() => named);
  const known = await stat(target).catch(() => undefined);
  if (known?.isDirectory() === true) {
    throw invalidType(`Cannot ${action}: ${target} is a directory`);
  }
  if (known !== undefined && !known.isFile()) {
    const file = await open(target, "w");
    return {
      write: (bytes) => writeAll(file, bytes.slice()),
      finish: () => file.close(),
      discard: () => file.close().catch(() => {}),
    };
  }
  const { openPartFile } = await import("./part_file.ts");
  const file = openPartFile(target, known === undefined ? {} : { mode: known.mode });
  return {
    write: (bytes) => {
      file.write(bytes);
      return Promise.resolve();
    },
    finish: () => file.finish(),
    discard: () => file.discard().catch(() => {}),
  };
}

async function writeAll(file: FileHandle, bytes: Uint8Array): Promise<void> {
  let at = 0;
  while (at < bytes.length) {
    const { bytesWritten } = await file.write(bytes, at, bytes.length - at);
    at += bytesWritten;
  }
}
