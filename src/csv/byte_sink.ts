/**
 * Destinations of exports: a file, a stream or a function.
 *
 * @module
 */

import type { FileHandle } from "node:fs/promises";
import type { CallOptions } from "../endpoint/endpoint.ts";
import { abortable } from "../core/call.ts";

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
  return streamSink(action, sink, preventClose, call);
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

/**
 * A file is written under another name beside its place and gets its own name at the end, so that
 * there is never half a file. Anything but a plain file (a pipe, a device) is written as it is.
 *
 * Plain files are written synchronously: what is written goes into the system's cache, a MiB in a
 * fraction of a millisecond, and no copy has to be kept until a write is done.
 */
async function openFile(action: string, path: string | URL): Promise<OpenSink> {
  const fs = await import("node:fs");
  const { open, realpath, stat, rename, unlink } = fs.promises;
  const target = await realpath(path).catch(() => toPath(path));
  const known = await stat(target).catch(() => undefined);
  if (known?.isDirectory() === true) {
    throw new TypeError(`Cannot ${action}: ${target} is a directory`);
  }
  const direct = known !== undefined && !known.isFile();
  const partial = direct ? target : `${target}.${crypto.randomUUID().slice(0, 8)}.partial`;
  const file = await open(partial, direct ? "w" : "wx", known === undefined ? 0o666 : known.mode);
  const writeNow = (bytes: Uint8Array): Promise<void> => {
    for (let at = 0; at < bytes.length;) at += fs.writeSync(file.fd, bytes, at);
    return Promise.resolve();
  };
  return {
    write: direct ? (bytes) => writeAll(file, bytes.slice()) : writeNow,
    finish: async () => {
      await file.close();
      if (!direct) await rename(partial, target);
    },
    discard: async () => {
      await file.close().catch(() => {});
      if (!direct) await unlink(partial).catch(() => {});
    },
  };
}

/** A path as text. */
async function toPath(path: string | URL): Promise<string> {
  if (typeof path === "string") return path;
  const { fileURLToPath } = await import("node:url");
  return fileURLToPath(path);
}

async function writeAll(file: FileHandle, bytes: Uint8Array): Promise<void> {
  let at = 0;
  while (at < bytes.length) {
    const { bytesWritten } = await file.write(bytes, at, bytes.length - at);
    at += bytesWritten;
  }
}
