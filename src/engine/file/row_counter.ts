/**
 * Counts rows up to a limit.
 *
 * @module
 */

/** Rows that are counted in one step. */
const STEP_ROWS = 4_096;

/** Counts rows step by step, and goes on where it left off. */
export class RowCounter {
  readonly #advance: (rows: number) => boolean;
  #counted = 0;
  #isOver = false;

  /** @param advance Passes so many rows; false if there are not so many. */
  constructor(advance: (rows: number) => boolean) {
    this.#advance = advance;
  }

  /** Counts up to a number of rows, in steps; true once it is reached, false if there are fewer. */
  *reaches(rows: number): Generator<undefined, boolean> {
    while (!this.#isOver && this.#counted < rows) {
      const step = Math.min(STEP_ROWS, rows - this.#counted);
      if (this.#advance(step)) this.#counted += step;
      else this.#isOver = true;
      yield;
    }
    return !this.#isOver;
  }
}
