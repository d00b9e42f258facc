/**
 * Where exports go: a file or a stream.
 *
 * @module
 */

import type { FileHandle } from "node:fs/promises";
import type { CallOptions } from "../endpoint/endpoint.ts";
import { within } from "./race.ts";

/** A path, a `file:` URL, or a stream of bytes. */
export type CsvSink = string | URL | WritableStream<Uint8Array>;

/** A sink that is open. */
export interface OpenSink {
  /** Memory that pieces may be put into, in turn; undefined if the sink keeps what it gets. */
  readonly buffers: readonly Uint8Array<ArrayBuffer>[] | undefined;
  /**
   * Writes a piece. Resolves when the next one may be made; the piece may change when two more are
   * written.
   */
  write(bytes: Uint8Array<ArrayBuffer>): Promise<void>;
  /** Everything is there. */
  finish(): Promise<void>;
  /** Something went wrong: nothing shall be left. */
  discard(reason: unknown): Promise<void>;
}

/**
 * Opens a sink.
 *
 * @param action What the caller wants, for the error.
 * @param sink What was given.
 * @param preventClose Whether a stream stays open.
 * @param call Ends waiting for a stream that does not take more.
 * @param pieceBytes Size of the buffers.
 */
export async function openSink(
  action: string,
  sink: CsvSink,
  preventClose: boolean,
  call: CallOptions,
  pieceBytes: number,
): Promise<OpenSink> {
  if (typeof sink === "string" || sink instanceof URL) {
    return await openFile(action, sink, pieceBytes);
  }
  return streamSink(action, sink, preventClose, call);
}

/** A stream gets memory of its own with every piece, because it may keep it. */
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
    buffers: undefined,
    write: async (bytes) => {
      await within(action, writer.ready, call);
      // The writer reports a failed write with the next `ready`, or with `close`.
      writer.write(bytes).catch(() => {});
    },
    finish: async () => {
      await within(action, preventClose ? writer.ready : writer.close(), call);
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
 * there is never half a file. What is no plain file (a pipe, a device) is written as it is.
 */
async function openFile(
  action: string,
  path: string | URL,
  pieceBytes: number,
): Promise<OpenSink> {
  const fs = await import("node:fs/promises");
  const target = await fs.realpath(path).catch(() => toPath(path));
  const known = await fs.stat(target).catch(() => undefined);
  const direct = known !== undefined && !known.isFile() && !known.isDirectory();
  if (known?.isDirectory() === true) {
    throw new TypeError(`Cannot ${action}: ${target} is a directory`);
  }
  const partial = direct ? target : `${target}.${crypto.randomUUID().slice(0, 8)}.partial`;
  const file = await fs.open(
    partial,
    direct ? "w" : "wx",
    known === undefined ? 0o666 : known.mode,
  );
  let pending: Promise<void> = Promise.resolve();
  return {
    buffers: [new Uint8Array(pieceBytes), new Uint8Array(pieceBytes)],
    write: async (bytes) => {
      await pending;
      pending = writeAll(file, bytes);
      pending.catch(() => {});
    },
    finish: async () => {
      await pending;
      await file.close();
      if (!direct) await fs.rename(partial, target);
    },
    discard: async () => {
      await pending.catch(() => {});
      await file.close().catch(() => {});
      if (!direct) await fs.unlink(partial).catch(() => {});
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
