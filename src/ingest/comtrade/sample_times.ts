/**
 * Times of samples: by the rate, by the stamps, or by both where a record consists of stretches with
 * gaps between them.
 *
 * Files disagree with themselves: stamps wrap at 2^32 or 2^16, are blank, or add up rounding, and
 * rates know nothing of gaps. The rate rules where there is one, counted from the beginning of its
 * stretch; stamps that follow the rate are trusted to tell how far two stretches are apart.
 *
 * @module
 */

import { ImportError } from "../errors.ts";
import type { Configuration } from "./configuration.ts";
import { divideRounded, type Fraction } from "./decimal.ts";
import type { SampleBlock } from "./samples.ts";

/** Source of the times: rate, stamps, or the better of the two. */
export type TimeRule = "auto" | "rate" | "stamps";

/** Units of a stretch's beginning: 10^-15 s, so that stretches add up without rounding. */
const FEMTO = 1_000_000n;
const SECOND_FEMTO = 1_000_000_000n * FEMTO;

/** Share of the steps that must be those of the rate for stamps to be trusted. */
const TRUSTED_SHARE = 0.95;

/** A gap is a step of more than so many sample periods. */
const GAP_PERIODS = 1.5;

const BEYOND = "is at a time beyond 64 bits of nanoseconds";
const OTHER_START = "its rate, its multiplier of the stamps or its start may be wrong";

/** Values at which stamps begin again; those that reach 2^32, as text can, never do. */
export const WRAPS: readonly [number, number, number] = [2 ** 32, 2 ** 16, 2 ** 53];

/** Samples at one rate, without a gap. */
interface Stretch {
  /** Number of its first sample, from 0. */
  readonly row: number;
  readonly rate: Fraction;
  /** Time of its first sample after the first of all, 10^-15 s. */
  readonly base: bigint;
}

/** Unit of the stamps: ns if the times of the configuration have nine digits, else µs. */
function stampUnit({ first }: Configuration): bigint {
  return (first?.digits ?? 0) >= 9 ? 1n : 1000n;
}

/** A step between two stamps, forwards, if stamps begin again at `wrap`. */
export function stepOf(from: number, to: number, wrap: number): number {
  const step = (to - from) % wrap;
  return step < 0 ? step + wrap : step;
}

/** Findings of a pass over all stamps. */
export interface StampScan {
  /** Records. */
  readonly rows: number;
  /** Value at which stamps begin again. */
  readonly wrap: number;
  /** True if stamps follow the rate. */
  readonly trusted: boolean;
  /** Steps that are not those of the rate, but for those between stretches. */
  readonly odd: number;
  /** Steps of the stamps in front of the first sample of each stretch but the first. */
  readonly borders: readonly number[];
  /** Ticks from the first stamp to that of the first record of each block. */
  readonly anchors: readonly number[];
}

/** Looks at all stamps of a record, block by block. */
export class StampScanner {
  readonly #configuration: Configuration;
  readonly #wanted: WantedSteps;
  readonly #agreeing = WRAPS.map(() => 0);
  readonly #borders: number[][] = WRAPS.map(() => []);
  readonly #anchors: number[][] = WRAPS.map(() => []);
  readonly #ticks: number[] = WRAPS.map(() => 0);
  #rows = 0;
  #steps = 0;
  #missing = 0;
  #goesBack = false;
  #largest = -Infinity;
  #previous = NaN;
  #stretch = 0;

  constructor(configuration: Configuration) {
    this.#configuration = configuration;
    this.#wanted = new WantedSteps(configuration);
  }

  /** Takes the next block. */
  push({ stamps, rows }: SampleBlock): void {
    const { rates } = this.#configuration;
    for (let i = 0; i < rows; i++, this.#rows++) {
      const stamp = stamps[i]!;
      if (Number.isNaN(stamp)) this.#missing++;
      if (stamp > this.#largest) this.#largest = stamp;
      if (stamp < this.#previous) this.#goesBack = true;
      let isBorder = false;
      while (this.#stretch < rates.length - 1 && this.#rows >= rates[this.#stretch]!.end) {
        isBorder = true;
        this.#stretch++;
      }
      const wanted = this.#wanted.of(Math.max(0, isBorder ? this.#stretch - 1 : this.#stretch));
      for (const [w, wrap] of WRAPS.entries()) {
        const step = this.#rows === 0 ? 0 : stepOf(this.#previous, stamp, wrap);
        this.#ticks[w]! += Number.isNaN(step) ? 0 : step;
        if (i === 0) this.#anchors[w]!.push(this.#ticks[w]!);
        if (isBorder) this.#borders[w]!.push(step);
        else if (this.#rows > 0 && Math.abs(step - wanted) <= 1) this.#agreeing[w]!++;
      }
      if (!isBorder && this.#rows > 0) this.#steps++;
      this.#previous = stamp;
    }
  }

  /** Returns the findings. */
  finish(): StampScan {
    // Stamps that never reach 2^16 but go back begin again there.
    const isShort = this.#goesBack && this.#largest < WRAPS[1];
    const isShorter = this.#agreeing[1]! > this.#agreeing[0]! || (isShort && this.#steps > 0);
    const best = this.#largest >= WRAPS[0] ? 2 : isShorter ? 1 : 0;
    const agreeing = this.#agreeing[best]!;
    return {
      rows: this.#rows,
      wrap: WRAPS[best]!,
      trusted: this.#missing === 0 && agreeing >= TRUSTED_SHARE * this.#steps,
      odd: this.#steps - agreeing,
      borders: this.#borders[best]!,
      anchors: this.#anchors[best]!,
    };
  }
}

/** Ticks between two samples of each stretch, as the rate says; `NaN` without one. */
export class WantedSteps {
  readonly #steps: number[];

  constructor(configuration: Configuration) {
    const { rates, timeMultiplier: { numerator, denominator } } = configuration;
    const unit = Number(stampUnit(configuration)) * Number(numerator) / Number(denominator);
    this.#steps = rates.map(({ rate }) =>
      rate === undefined ? NaN : 1e9 * Number(rate.denominator) / Number(rate.numerator) / unit
    );
  }

  /** Of a stretch. */
  of(stretch: number): number {
    return this.#steps[stretch]!;
  }
}

/** Times of the samples of a record. */
export class SampleTimes {
  readonly #start: bigint;
  readonly #stretches: readonly Stretch[];
  readonly #scan: StampScan | undefined;
  readonly #tick: Fraction;
  readonly #blockRows: number;
  readonly #name: string;
  /** Remarks. */
  readonly notices: string[] = [];

  /**
   * @param start Time of the first sample, ns.
   * @param rule Source of the times: rate or stamps.
   * @param scan Of the stamps; needed where {@linkcode needsScan} says so.
   * @param blockRows Records of a block.
   * @param name Of the file, for errors.
   * @throws {ImportError} If the rule cannot be kept.
   */
  constructor(
    configuration: Configuration,
    { start, rule, scan, blockRows, name }: {
      start: bigint;
      rule: TimeRule;
      scan: StampScan | undefined;
      blockRows: number;
      name: string;
    },
  ) {
    const { rates, timeMultiplier } = configuration;
    const hasRates = rates.every(({ rate }) => rate !== undefined);
    if (rule === "rate" && !hasRates) {
      throw new ImportError(`Cannot use --times rate: ${name} has no rate`, { fault: "options" });
    }
    this.#start = start;
    this.#name = name;
    this.#blockRows = blockRows;
    const unit = stampUnit(configuration);
    this.#tick = { ...timeMultiplier, numerator: timeMultiplier.numerator * unit };
    const byStamps = rule === "stamps" || !hasRates;
    this.#scan = byStamps ? scan : undefined;
    this.#stretches = byStamps ? [] : this.#stretchesOf(configuration, rule, scan);
  }

  #stretchesOf(
    configuration: Configuration,
    rule: TimeRule,
    scan: StampScan | undefined,
  ): Stretch[] {
    const { rates } = configuration;
    const wanted = new WantedSteps(configuration);
    const stretches: Stretch[] = [{ row: 0, rate: rates[0]!.rate!, base: 0n }];
    const mayJump = rule === "auto" && scan?.trusted === true;
    let jumps = 0;
    for (let i = 1; i < rates.length; i++) {
      const before = stretches.at(-1)!;
      const row = rates[i - 1]!.end;
      const step = mayJump ? scan.borders[i - 1] : undefined;
      const isGap = step !== undefined && step > GAP_PERIODS * wanted.of(i - 1);
      const count = BigInt(row - before.row) - (isGap ? 1n : 0n);
      let base = before.base + divideRounded(
        count * SECOND_FEMTO * before.rate.denominator,
        before.rate.numerator,
      );
      if (isGap) {
        jumps++;
        base += FEMTO * this.#nanoseconds(BigInt(Math.round(step)));
      }
      stretches.push({ row, rate: rates[i]!.rate!, base });
    }
    if (jumps > 0) {
      const what = jumps === 1 ? "gap" : "gaps";
      this.notices.push(`${jumps} ${what} between stretches, as the stamps say`);
    }
    if (rates.length > 1 && scan !== undefined && scan.odd > 0) {
      this.notices.push(
        `${scan.odd} of ${
          scan.rows - 1
        } steps of the stamps are not those of the rate, which rules`,
      );
    }
    return stretches;
  }

  /** True if times come from the stamps. */
  get byStamps(): boolean {
    return this.#stretches.length === 0;
  }

  #nanoseconds(ticks: bigint): bigint {
    return divideRounded(ticks * this.#tick.numerator, this.#tick.denominator);
  }

  /**
   * Times of a block, ns since 1970.
   *
   * @param row Number of its first record, from 0.
   * @throws {ImportError} If a stamp that is needed is missing or goes back.
   */
  of(block: SampleBlock, row: number): BigInt64Array {
    return this.byStamps ? this.#stamped(block, row) : this.#counted(row, block.rows);
  }

  /** Time of one sample, where the rate says it. */
  ofRow(row: number): bigint {
    return this.#counted(row, 1)[0]!;
  }

  #counted(row: number, rows: number): BigInt64Array {
    const times = new BigInt64Array(rows);
    let at = this.#stretches.findLastIndex((stretch) => stretch.row <= row);
    for (let i = 0; i < rows;) {
      const { row: first, rate: { numerator, denominator }, base } = this.#stretches[at]!;
      const next = this.#stretches[at + 1]?.row ?? Infinity;
      const end = Math.min(rows, next - row);
      const scaled = SECOND_FEMTO * denominator;
      const step = scaled % numerator === 0n && (scaled / numerator) % FEMTO === 0n &&
          base % FEMTO === 0n
        ? scaled / numerator / FEMTO
        : undefined;
      const origin = this.#start + base / FEMTO;
      let time = 0n;
      for (; i < end; i++) {
        const k = BigInt(row + i - first);
        time = step !== undefined ? origin + k * step : this.#start +
          divideRounded(base * numerator + k * scaled, FEMTO * numerator);
        times[i] = time;
      }
      // Times grow, so one that does not fit has none behind it that does.
      if (times[i - 1] !== time) this.#fail(row + i - 1, BEYOND, OTHER_START);
      at++;
    }
    return times;
  }

  #stamped({ stamps, rows }: SampleBlock, row: number): BigInt64Array {
    const { wrap, anchors } = this.#scan!;
    const times = new BigInt64Array(rows);
    let ticks = anchors[row / this.#blockRows]!;
    let time = 0n;
    for (let i = 0; i < rows; i++) {
      const stamp = stamps[i]!;
      if (Number.isNaN(stamp)) this.#fail(row + i, "has no stamp, and the stamps say the times");
      if (!Number.isInteger(stamp)) {
        this.#fail(row + i, `has the stamp ${stamp}, expected a whole number`);
      }
      if (i > 0) {
        const step = stepOf(stamps[i - 1]!, stamp, wrap);
        if (step > wrap / 2) this.#fail(row + i, "has an earlier stamp than the one before");
        ticks += step;
      }
      time = this.#start + this.#nanoseconds(BigInt(Math.round(ticks)));
      times[i] = time;
    }
    if (rows > 0 && times[rows - 1] !== time) this.#fail(row + rows - 1, BEYOND, OTHER_START);
    return times;
  }

  #fail(
    row: number,
    problem: string,
    hint = "--times rate takes the rate of the configuration, where it has one",
  ): never {
    throw new ImportError(`Cannot read ${this.#name}: record ${row + 1} ${problem}`, { hint });
  }
}

/** Tells whether all stamps must be read before the first time is known. */
export function needsScan({ rates }: Configuration, rule: TimeRule): boolean {
  if (rule === "stamps" || rates.some(({ rate }) => rate === undefined)) return true;
  return rule === "auto" && rates.length > 1;
}
