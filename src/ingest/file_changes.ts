/**
 * Changes of a file while it is imported. Its columns are known from its beginning: those of another file
 * in its place would go to the wrong streams.
 *
 * @module
 */

import type { Stats } from "node:fs";
import { stat } from "node:fs/promises";
import { readBytes } from "./bytes.ts";
import { ImportError } from "./errors.ts";
import type { FormatInput } from "./format.ts";
import { HEAD_BYTES } from "./import_record.ts";

/** Finds out if a file is another one than was looked at. It may grow. */
export class FileChanges {
  readonly #input: FormatInput;
  /** The file that is being read. */
  #read: Stats | undefined;

  /** @param input The file, and its beginning. */
  constructor(input: FormatInput) {
    this.#input = input;
  }

  /**
   * Checks a file whose first rows were read.
   *
   * @throws {ImportError} If it does not begin as it did, or is shorter. Nothing of it is stored yet.
   */
  async checkBegun(): Promise<void> {
    this.#read = await this.#state();
    await this.#check(this.#read);
  }

  /**
   * Checks a file of which all was read. Another one at its path does no harm, as that of a log that
   * was rotated: what was opened is read to its end.
   *
   * @throws {ImportError} If it does not begin as it did, or is shorter.
   */
  async checkRead(): Promise<void> {
    const now = await this.#state();
    const read = this.#read;
    if (now?.ino === read?.ino && now?.dev === read?.dev) await this.#check(now);
  }

  /** State of the file at the path; `undefined` if there is none. */
  async #state(): Promise<Stats | undefined> {
    const { once, path } = this.#input.bytes;
    return once || path === undefined ? undefined : await stat(path).catch(() => undefined);
  }

  async #check(now: Stats | undefined): Promise<void> {
    const { bytes } = this.#input;
    if (now === undefined) return;
    const isShorter = bytes.size !== undefined && now.size < bytes.size;
    if (!isShorter && await this.#beginsAsBefore()) return;
    throw new ImportError(
      `Cannot import ${bytes.name}: it ${
        isShorter ? "became shorter" : "was changed"
      } while it was read`,
      { hint: "import it when nothing else writes it, or a copy of it" },
    );
  }

  async #beginsAsBefore(): Promise<boolean> {
    const { bytes, head } = this.#input;
    const length = Math.min(head.length, HEAD_BYTES);
    let at = 0;
    for await (const piece of readBytes(bytes, 0, { bytes: 0 })) {
      const rest = piece.subarray(0, length - at);
      if (rest.some((byte, i) => byte !== head[at + i])) return false;
      at += rest.length;
      if (at === length) return true;
    }
    return at === length;
  }
}
