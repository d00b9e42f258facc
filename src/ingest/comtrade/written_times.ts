/**
 * Times of records that are written: a rate where there is one, else stamps.
 *
 * @module
 */

import { formatTime } from "../../core/time.ts";

const SECOND = 1_000_000_000n;

/** Largest stamp that is none of a missing one. */
const MAX_STAMP = 0xfffffffen;

/** Times of a record. */
export interface WrittenTimes {
  readonly rows: number;
  /** Samples a second as a decimal; `undefined` if stamps say the times. */
  readonly rate: string | undefined;
  /** Time of the first record as a configuration writes it, to the ns. */
  readonly firstText: string;
  /** Factor of the stamps, ns. */
  readonly multiplier: bigint;
  /**
   * Stamps of records.
   *
   * @param row Number of the first one, from 0.
   * @throws {RangeError} If these are not the times that were looked at.
   */
  stampsOf(row: number, times: BigInt64Array): Float64Array;
}

/** A rate as a fraction: samples in a number of ns. */
interface Rate {
  samples: bigint;
  ns: bigint;
}

/** Looks at times, to find out how to write them. */
export class TimePlan {
  rows = 0;
  #first = 0n;
  #last = 0n;
  /** Largest step of which all times are multiples, counted from the first. */
  #unit = 0n;
  /** Rates that fit so far, the likeliest first. */
  #rates: readonly Rate[] = [];

  /** Takes the next times, in order. */
  push(times: BigInt64Array): void {
    for (const time of times) {
      if (this.rows === 0) this.#first = time;
      const offset = time - this.#first;
      if (this.rows === 1) this.#rates = ratesOf(offset);
      if (this.#rates.some((rate) => offsetOf(rate, this.rows) !== offset)) {
        this.#rates = this.#rates.filter((rate) => offsetOf(rate, this.rows) === offset);
      }
      if (this.#unit !== 1n) this.#unit = greatestDivisor(this.#unit, offset);
      this.#last = time;
      this.rows++;
    }
  }

  /**
   * Returns the times in the form in which they are written.
   *
   * @param path Of the file, for the error.
   * @throws {RangeError} If the stamps are not long enough.
   */
  finish(path: string): WrittenTimes {
    const [first, [rate]] = [this.#first, this.#rates];
    const unit = this.#unit === 0n ? 1n : this.#unit;
    const isRegular = rate !== undefined && this.rows > 1;
    if (!isRegular && (this.#last - first) / unit > MAX_STAMP) {
      throw new RangeError(
        `Cannot write ${path}: times without a rate, in steps of ${unit} ns, that are ` +
          `${
            (this.#last - first) / SECOND
          } s apart need more than the 32 bits of COMTRADE's stamps; ` +
          "export a shorter range, or windows",
      );
    }
    // Where the rate rules, stamps are in µs and may begin again.
    const multiplier = isRegular ? 1000n : unit;
    return {
      rows: this.rows,
      rate: isRegular ? decimalOf(rate) : undefined,
      firstText: stampText(first),
      multiplier,
      stampsOf: (row, times) => {
        for (let i = 0; i < times.length; i++) {
          const offset = times[i]! - first;
          const fits = isRegular ? offset === offsetOf(rate, row + i) : offset % unit === 0n;
          if (!fits) throw new RangeError(`Cannot write ${path}: the streams changed meanwhile`);
        }
        return Float64Array.from(
          times,
          (time) => Number((time - first) / multiplier & 0xffffffffn),
        );
      },
    };
  }
}

/** Time of a record after the first one, at a rate. */
function offsetOf({ samples, ns }: Rate, row: number): bigint {
  return (2n * BigInt(row) * ns + samples) / (2n * samples);
}

/**
 * Rates that make the second sample come at `offset`: a whole number a second, one of three decimals
 * like 29.97, or exactly it.
 */
function ratesOf(offset: bigint): Rate[] {
  if (offset <= 0n) return [];
  const rates = [SECOND, 1000n * SECOND].map((ns): Rate => ({
    samples: (2n * ns + offset) / (2n * offset),
    ns,
  }));
  return [...rates, { samples: 1n, ns: offset }].filter((rate) =>
    rate.samples > 0n && offsetOf(rate, 1) === offset && decimalOf(rate) !== undefined
  );
}

/** Samples a second as a decimal, exactly; `undefined` if that never ends. */
function decimalOf({ samples, ns }: Rate): string | undefined {
  const scaled = samples * SECOND * 10n ** 12n;
  if (scaled % ns !== 0n) return undefined;
  const text = String(scaled / ns).padStart(13, "0");
  return `${text.slice(0, -12)}.${text.slice(-12)}`.replace(/\.?0+$/, "");
}

function greatestDivisor(a: bigint, b: bigint): bigint {
  while (b !== 0n) [a, b] = [b, a % b];
  return a;
}

/** `dd/mm/yyyy,hh:mm:ss.nnnnnnnnn`. */
function stampText(time: bigint): string {
  const [, year, month, day, clock] = /^(\d+)-(\d\d)-(\d\d)T([\d:.]+)Z$/.exec(formatTime(time))!;
  return `${day}/${month}/${year},${clock}`;
}
