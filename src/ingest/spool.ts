/**
 * A temporary file for input that can be read only once but must be read out of order, such as
 * Parquet from a pipe.
 *
 * @module
 */

import { type FileHandle, mkdtemp, open, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ImportError } from "./errors.ts";

/** Bytes of one read. */
const READ_BYTES = 1 << 20;

/** Bytes in a file that has no name any more: it goes when it is closed, or with the process. */
export class Spool implements AsyncDisposable {
  readonly byteLength: number;
  readonly #file: FileHandle;
  readonly #folder: string;
  #closed: Promise<void> | undefined;

  private constructor(file: FileHandle, folder: string, byteLength: number) {
    this.#file = file;
    this.#folder = folder;
    this.byteLength = byteLength;
  }

  /**
   * Keeps all bytes of a source.
   *
   * @param chunks Read to its end.
   */
  static async of(chunks: AsyncIterable<Uint8Array>): Promise<Spool> {
    const folder = await mkdtemp(join(tmpdir(), "btrdb-"));
    const path = join(folder, "spool");
    const file = await open(path, "wx+", 0o600);
    // Where a file that is open cannot be removed, it goes when it is closed.
    await rm(folder, { recursive: true, force: true }).catch(() => {});
    const spool = (length: number) => new Spool(file, folder, length);
    let length = 0;
    try {
      for await (const chunk of chunks) {
        for (let at = 0; at < chunk.length;) {
          at += (await file.write(chunk, at, chunk.length - at, length + at)).bytesWritten;
        }
        length += chunk.length;
      }
    } catch (error) {
      await spool(0)[Symbol.asyncDispose]();
      throw isFull(error) ? fullError(error) : error;
    }
    return spool(length);
  }

  /** Reads some of them. */
  async slice(start: number, end: number = this.byteLength): Promise<ArrayBuffer> {
    const bytes = new Uint8Array(end - start);
    for (let at = 0; at < bytes.length;) {
      const { bytesRead } = await this.#file.read(bytes, at, bytes.length - at, start + at);
      if (bytesRead === 0) return bytes.buffer.slice(0, at);
      at += bytesRead;
    }
    return bytes.buffer;
  }

  /** All bytes from the beginning, in pieces; as often as it is called. */
  async *chunks(): AsyncGenerator<Uint8Array, void, void> {
    for (let at = 0; at < this.byteLength; at += READ_BYTES) {
      yield new Uint8Array(await this.slice(at, Math.min(at + READ_BYTES, this.byteLength)));
    }
  }

  /** Closes the file. Closing twice does nothing. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.#closed ??= this.#file.close().then(() =>
      rm(this.#folder, { recursive: true, force: true })
    );
  }
}

function isFull(error: unknown): boolean {
  const code = (error as { code?: unknown } | null)?.code;
  return code === "ENOSPC" || code === "EDQUOT";
}

function fullError(cause: unknown): ImportError {
  return new ImportError(`Cannot import: the disk of ${tmpdir()} is full`, {
    hint: "input from a pipe is kept there while it is read; TMPDIR names another folder",
    cause,
  });
}
