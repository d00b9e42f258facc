/**
 * The path of a database file that is open for reading.
 *
 * A reader goes on with a file that was replaced or removed, and would answer from it without end,
 * whatever is written to the one that has taken its place.
 *
 * @module
 */

import { resolve } from "node:path";
import { BTrDBError } from "../../core/errors.ts";
import { identityAt, isSame } from "./files_in_place.ts";
import type { HeldFile } from "./held_file.ts";
import { realPath } from "./lock.ts";

/** Path of a reader's file, and the file that was there when it was opened. */
export class ReaderPlace {
  readonly #path: string;
  readonly #absolute: string;
  readonly #logPath: string;
  readonly #held: HeldFile;
  readonly #file: HeldFile["identity"];

  /**
   * @param path Path by which the file was opened.
   * @param held The file that is open.
   */
  constructor(path: string, held: HeldFile) {
    this.#path = path;
    this.#absolute = resolve(path);
    this.#logPath = `${realPath(path)}-wal`;
    this.#held = held;
    this.#file = held.identity;
  }

  /**
   * Throws if the path leads to something else. It is no harm if the file and its log were moved
   * together, with their folder for example: who writes them there is seen.
   *
   * @throws {BTrDBError} `MOVED`.
   */
  check(): void {
    const there = identityAt(this.#absolute);
    if (isSame(there, this.#file)) return;
    const isMoved = there === undefined && identityAt(this.#logPath) === undefined;
    if (isMoved && this.#held.identity.nlink > 0) return;
    throw new BTrDBError(
      `Cannot read ${this.#path}: the file was moved, replaced or removed while it was open; ` +
        `open what is there now`,
      { status: "MOVED" },
    );
  }
}
