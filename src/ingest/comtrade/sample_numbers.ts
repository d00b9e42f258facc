/**
 * Numbers of the records of a file: those that do not follow one another show that records are missing,
 * came twice or changed places, which the rate does not know.
 *
 * @module
 */

import { ImportError } from "../errors.ts";
import type { Configuration } from "./configuration.ts";
import { stepOf, WantedSteps, WRAPS } from "./sample_times.ts";
import type { SampleBlock } from "./samples.ts";

/** Checks that records follow one another. */
export class SampleNumbers {
  /** Numbers that do not follow, where times are right all the same. */
  odd = 0;
  readonly #rates: Configuration["rates"];
  /** First records of the stretches, from 0. */
  readonly #borders: ReadonlySet<number>;
  readonly #wanted: WantedSteps;
  readonly #isStrict: boolean;
  readonly #name: string;
  #number = NaN;
  #stamp = NaN;
  /** Distance of the first two numbers: records may be every fourth sample, or all have number 0. */
  #step: number | undefined;

  /**
   * @param configuration Its rates.
   * @param isStrict True if times are those of the rate without the user having said so.
   * @param name Of the file, for errors.
   */
  constructor(configuration: Configuration, isStrict: boolean, name: string) {
    this.#rates = configuration.rates;
    this.#borders = new Set(this.#rates.map(({ end }) => end));
    this.#wanted = new WantedSteps(configuration);
    this.#isStrict = isStrict;
    this.#name = name;
  }

  /**
   * Takes the next block.
   *
   * @param row Number of its first record, from 0.
   * @throws {ImportError} If records are missing by their numbers, and neither stamps nor the user say
   *   that the times are right.
   */
  push({ numbers, stamps, rows }: SampleBlock, row: number): void {
    for (let i = 0; i < rows; i++) {
      const [number, stamp] = [numbers[i]!, stamps[i]!];
      const [before, stampBefore] = [this.#number, this.#stamp];
      [this.#number, this.#stamp] = [number, stamp];
      const step = number - before;
      if (Number.isNaN(step)) continue;
      this.#step ??= step;
      // Counting begins again at 0 or 1, and anew in each stretch.
      const isNew = (number <= 1 && step < 0) || this.#borders.has(row + i);
      if (step === this.#step || isNew) continue;
      if (this.#isStrict && !this.#isRight(row + i, stampBefore, stamp)) {
        throw new ImportError(
          `Cannot read ${this.#name}: record ${
            row + i + 1
          } has the number ${number}, the one before ` +
            `has ${before}; by the rate, all times from there on would be wrong`,
          {
            hint: "--times stamps takes the times of the stamps, " +
              "--times rate counts the records as they come",
          },
        );
      }
      this.odd++;
    }
  }

  /** True if a step of the stamps is that of the rate. */
  #isRight(row: number, from: number, to: number): boolean {
    const stretch = this.#rates.findIndex(({ end }) => end > row);
    const wanted = this.#wanted.of(stretch < 0 ? this.#rates.length - 1 : stretch);
    return WRAPS.some((wrap) => Math.abs(stepOf(from, to, wrap) - wanted) <= 1);
  }
}
