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
  /** Records since the one with that number, and whether a stretch began among them. */
  #distance = 0;
  #isBorder = false;
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
      this.#isBorder ||= this.#borders.has(row + i);
      this.#distance++;
      // Records without a number are counted, so that none are missing behind them unseen.
      if (Number.isNaN(number)) continue;
      const [before, stampBefore] = [this.#number, this.#stamp];
      const [distance, isBorder] = [this.#distance, this.#isBorder];
      [this.#number, this.#stamp] = [number, stamp];
      [this.#distance, this.#isBorder] = [0, false];
      const step = number - before;
      if (Number.isNaN(step)) continue;
      this.#step ??= step / distance;
      // Counting begins again at 0 or 1, and anew in each stretch.
      const isNew = (number <= 1 && step < 0) || isBorder;
      if (step === this.#step * distance || isNew) continue;
      if (this.#isStrict && !this.#isRight(row + i, distance, stampBefore, stamp)) {
        const last = distance === 1 ? "the one before" : `record ${row + i + 1 - distance}`;
        throw new ImportError(
          `Cannot read ${this.#name}: record ${row + i + 1} has the number ${number}, ` +
            `${last} has ${before}; by the rate, all times from there on would be wrong`,
          {
            hint: "--times stamps takes the times of the stamps, " +
              "--times rate counts the records as they come",
          },
        );
      }
      this.odd++;
    }
  }

  /** True if the stamps are as far apart as so many steps of the rate. */
  #isRight(row: number, distance: number, from: number, to: number): boolean {
    const stretch = this.#rates.findIndex(({ end }) => end > row);
    const wanted = this.#wanted.of(stretch < 0 ? this.#rates.length - 1 : stretch) * distance;
    return WRAPS.some((wrap) => Math.abs(stepOf(from, to, wrap) - wanted) <= 1);
  }
}
