/**
 * A temporary file without a name, so that it goes with the process, however that ends.
 *
 * @module
 */

import { type FileHandle, mkdtemp, open, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PRIVATE_MODE } from "../../../core/new_file.ts";

/** Bytes that are written once and then read in any order. */
export class SpoolFile {
  readonly #file: FileHandle;
  readonly #folder: string;
  #byteLength = 0;
  #readers = 1;
  #isRemoved = false;

  private constructor(file: FileHandle, folder: string) {
    this.#file = file;
    this.#folder = folder;
  }

  /** Makes an empty file that only its owner may read. */
  static async create(): Promise<SpoolFile> {
    const folder = await mkdtemp(join(tmpdir(), "btrdb-http-"));
    try {
      const file = await open(join(folder, "spool"), "wx+", PRIVATE_MODE);
      // Where a file that is open cannot be removed, it goes when it is closed.
      await rm(folder, { recursive: true, force: true }).catch(() => {});
      return new SpoolFile(file, folder);
    } catch (error) {
      await rm(folder, { recursive: true, force: true }).catch(() => {});
      throw error;
    }
  }

  /** Bytes written. */
  get byteLength(): number {
    return this.#byteLength;
  }

  /** True while it is read or written. */
  get isUsed(): boolean {
    return this.#readers > 0;
  }

  /** Appends bytes. */
  async write(bytes: Uint8Array): Promise<void> {
    for (let at = 0; at < bytes.length;) {
      const { bytesWritten } = await this.#file.write(
        bytes,
        at,
        bytes.length - at,
        this.#byteLength,
      );
      at += bytesWritten;
      this.#byteLength += bytesWritten;
    }
  }

  /** Reads bytes of their own, fewer at the end. */
  async read(start: number, length: number): Promise<Uint8Array> {
    const bytes = new Uint8Array(Math.min(length, this.#byteLength - start));
    for (let at = 0; at < bytes.length;) {
      const { bytesRead } = await this.#file.read(bytes, at, bytes.length - at, start + at);
      if (bytesRead === 0) throw new Error("a spooled file has become shorter");
      at += bytesRead;
    }
    return bytes;
  }

  /** Keeps it open until {@linkcode SpoolFile.release}. */
  retain(): void {
    this.#readers++;
  }

  /** Ends the use by the one who made or retained it. */
  async release(): Promise<void> {
    this.#readers--;
    await this.#closeIfUnused();
  }

  /** Closes it once nobody reads it. */
  async remove(): Promise<void> {
    this.#isRemoved = true;
    await this.#closeIfUnused();
  }

  async #closeIfUnused(): Promise<void> {
    if (this.#readers !== 0 || !this.#isRemoved) return;
    this.#readers = -1;
    await this.#file.close();
    await rm(this.#folder, { recursive: true, force: true }).catch(() => {});
  }
}
