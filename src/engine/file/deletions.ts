/**
 * Points that were deleted and are still in older versions: only through this can a version have points that
 * are older than all of a later one. The expiry of old points reads it (docs/retention.md).
 *
 * @module
 */

import { checkNumbers, damaged } from "./checksum.ts";
import type { Database, Row, Statement } from "./sqlite.ts";

/** Points that were deleted from a stream. */
export interface Deletion {
  /** Time of the oldest, ns; `undefined`: not known, because an earlier release deleted them. */
  readonly start: bigint | undefined;
  /** The version that has none of them any more. */
  readonly major: number;
}

/** Stands for the start in checksums while it is not known. */
const UNKNOWN = 0;

function checksumOf(stream: number, { start, major }: Deletion): number {
  if (start === undefined) return checkNumbers(stream, major, UNKNOWN);
  const bits = BigInt.asUintN(64, start);
  return checkNumbers(stream, major, 1, Number(bits >> 32n), Number(bits & 0xffffffffn));
}

/** A row of the table. Throws `CORRUPT` if it is damaged. */
export function deletionOf(stream: number, row: Row): Deletion {
  const { start, major, checksum } = row;
  const deletion = {
    start: start === null ? undefined : BigInt(String(start)),
    major: Number(major),
  };
  if (checksumOf(stream, deletion) !== checksum) throw damaged(`deletion of stream ${stream}`);
  return deletion;
}

/** Columns that {@linkcode deletionOf} needs: a time is more than a number can hold. */
export const DELETION_COLUMNS = "CAST(start AS TEXT) AS start, major, checksum";

/** Reads and writes the table of what was deleted. */
export class Deletions {
  readonly #get: Statement;
  readonly #set: Statement;
  readonly #remove: Statement;

  constructor(db: Pick<Database, "prepare">) {
    this.#get = db.prepare(`SELECT ${DELETION_COLUMNS} FROM deletion WHERE stream = ?`);
    this.#set = db.prepare(
      "INSERT OR REPLACE INTO deletion (stream, start, major, checksum) VALUES (?, ?, ?, ?)",
    );
    this.#remove = db.prepare("DELETE FROM deletion WHERE stream = ?");
  }

  /** The points deleted from a stream; `undefined` if none that versions still have. */
  get(stream: number): Deletion | undefined {
    const row = this.#get.get(stream);
    return row === undefined ? undefined : deletionOf(stream, row);
  }

  /**
   * Notes, in a transaction, that points were deleted.
   *
   * @param start Time of the oldest of them.
   * @param major The version without them.
   */
  note(stream: number, start: bigint, major: number): void {
    const before = this.get(stream);
    const oldest = before === undefined || (before.start !== undefined && start < before.start)
      ? start
      : before.start;
    this.set(stream, { start: oldest, major });
  }

  /** Replaces what is noted of a stream. */
  set(stream: number, deletion: Deletion): void {
    const { start, major } = deletion;
    this.#set.run(stream, start ?? null, major, checksumOf(stream, deletion));
  }

  /** Forgets what is noted of a stream: no version has it any more. */
  remove(stream: number): void {
    this.#remove.run(stream);
  }
}
