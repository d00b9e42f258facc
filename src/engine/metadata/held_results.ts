/**
 * Results of SQL queries that wait for their readers. A query is over once its rows are here, and the
 * next one begins; so readers that take their time, or none, are what bounds the memory of results.
 *
 * @module
 */

import { BTrDBError, ErrorCode } from "../../core/errors.ts";

/** Characters of all results that wait; one has at most half as many. */
const MAX_HELD = 256 << 20;

/** Characters and rows of one batch. */
const BATCH_CHARACTERS = 1 << 18;
const BATCH_ROWS = 1_000;

interface Held {
  /** Rows that are left. */
  readonly rows: string[];
  characters: number;
  isGivenUp: boolean;
}

/** Bounds the results that wait; the one whose reader was silent for longest is given up first. */
export class HeldResults {
  readonly #maxHeld: number;
  /** Results in the order of their last reads. */
  readonly #held = new Set<Held>();
  #characters = 0;

  /** @param maxHeld Characters of all results that wait. */
  constructor(maxHeld: number = MAX_HELD) {
    this.#maxHeld = maxHeld;
  }

  /** Characters that wait. */
  get characters(): number {
    return this.#characters;
  }

  /**
   * Batches of a result, a single empty one for no rows.
   *
   * @param rows Rows, which are removed as they are read.
   * @throws {BTrDBError} 426 if the rest was given up between two reads.
   */
  *batches(rows: string[]): Generator<string[]> {
    const held: Held = { rows, characters: lengthOf(rows), isGivenUp: false };
    this.#characters += held.characters;
    try {
      do {
        const batch = rows.splice(0, batchLength(rows));
        this.#take(held, lengthOf(batch));
        this.#held.delete(held);
        this.#held.add(held);
        this.#makeRoom();
        yield batch;
        if (held.isGivenUp) throw givenUp(this.#maxHeld);
      } while (rows.length > 0);
    } finally {
      this.#held.delete(held);
      this.#take(held, held.characters);
    }
  }

  #take(held: Held, characters: number): void {
    held.characters -= characters;
    this.#characters -= characters;
  }

  /** Gives results up until the others fit. The largest one fits: the one read last is never given up. */
  #makeRoom(): void {
    for (const held of this.#held) {
      if (this.#characters <= this.#maxHeld) return;
      if (held.characters === 0) continue;
      this.#take(held, held.characters);
      held.rows.length = 0;
      held.isGivenUp = true;
    }
  }
}

function batchLength(rows: readonly string[]): number {
  let length = 0;
  for (let i = 0; i < rows.length; i++) {
    length += rows[i]!.length;
    if (length >= BATCH_CHARACTERS || i + 1 === BATCH_ROWS) return i + 1;
  }
  return rows.length;
}

function lengthOf(rows: readonly string[]): number {
  return rows.reduce((sum, row) => sum + row.length, 0);
}

function givenUp(maxHeld: number): BTrDBError {
  return new BTrDBError(
    `Cannot read the rows of a query: results that wait for their readers may have ${maxHeld} ` +
      `characters in all, and this one was not read for the longest time`,
    { code: ErrorCode.ResourceDepleted },
  );
}
