/**
 * The expected rate of points, and their expected number.
 *
 * @module
 */

import { rateFraction } from "./rate_fraction.ts";

/** ns in a second. */
const SECOND = 1_000_000_000n;

/** A period of `ns / parts` nanoseconds, exact: 120 Hz have no period of whole ns. */
export class SampleClock {
  readonly #ns: bigint;
  readonly #parts: bigint;

  /**
   * @param ns Length of `parts` periods, ns.
   * @param parts Number of periods.
   */
  constructor(ns: bigint, parts: bigint) {
    this.#ns = ns;
    this.#parts = parts;
  }

  /** The clock of a rate in points a second. */
  static ofRate(rate: number): SampleClock {
    const { count, seconds } = rateFraction(rate);
    return new SampleClock(SECOND * seconds, count);
  }

  /**
   * The clock of a measured step: a whole number of points a second if the step is one of its, up to
   * a ns, or else the step itself.
   */
  static ofStep(step: bigint): SampleClock {
    const rate = (SECOND + step / 2n) / step;
    const off = rate === 0n ? step : SECOND - rate * step;
    const near = rate > 0n && (off < 0n ? -off : off) < rate;
    return near ? new SampleClock(SECOND, rate) : new SampleClock(step, 1n);
  }

  /** Points a second. */
  get rate(): number {
    return Number(SECOND) * Number(this.#parts) / Number(this.#ns);
  }

  /** The period, rounded up to whole ns. */
  get period(): bigint {
    return (this.#ns + this.#parts - 1n) / this.#parts;
  }

  /** `ns` as a number of periods. */
  periods(ns: bigint): number {
    const scaled = ns * this.#parts;
    return Number(scaled / this.#ns) + Number(scaled % this.#ns) / Number(this.#ns);
  }

  /** `ns` as a number of periods, rounded to the nearest. */
  rounded(ns: bigint): bigint {
    return (2n * ns * this.#parts + this.#ns) / (2n * this.#ns);
  }

  /** Length of `n` periods in ns, rounded up; `n` in hundredths. */
  hundredths(n: bigint): bigint {
    return (this.#ns * n + 100n * this.#parts - 1n) / (100n * this.#parts);
  }
}
