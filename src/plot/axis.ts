/**
 * Ticks of a value axis and of a time axis.
 *
 * @module
 */

/** A value axis: where it begins and ends, its ticks, and digits after the point to show them. */
export interface ValueAxis {
  low: number;
  high: number;
  ticks: readonly number[];
  digits: number;
}

/**
 * A value axis that holds `[min, max]`, with ticks at 1, 2 or 5 times a power of ten.
 *
 * @param min Smallest value.
 * @param max Largest value.
 * @param most Most ticks that have room.
 */
export function valueAxis(min: number, max: number, most: number): ValueAxis {
  const flat = max - min <= Math.abs(max) * 1e-12;
  const pad = flat ? Math.abs(max) * 0.05 || 1 : 0;
  const low = min - pad;
  const high = max + pad;
  const step = niceStep((high - low) / Math.max(1, most - 1));
  const ticks: number[] = [];
  for (let k = Math.ceil(low / step); k * step <= high && ticks.length <= most; k++) {
    ticks.push(k * step === 0 ? 0 : k * step);
  }
  return { low, high, ticks, digits: Math.max(0, -Math.floor(Math.log10(step) + 1e-9)) };
}

/** The smallest of 1, 2 and 5 times a power of ten that is at least `atLeast`. */
function niceStep(atLeast: number): number {
  const power = 10 ** Math.floor(Math.log10(atLeast));
  for (const factor of [1, 2, 5]) {
    if (factor * power >= atLeast * (1 - 1e-9)) return factor * power;
  }
  return 10 * power;
}

/** A value as an axis label, `digits` after the point, or in powers of ten when that is too long. */
export function valueLabel(value: number, digits: number): string {
  const plain = digits > 8 ? "" : value.toFixed(digits);
  return plain !== "" && plain.length <= 10 ? plain : value.toExponential(2);
}

const SECOND = 1_000_000_000n;
const MINUTE = 60n * SECOND;
const HOUR = 60n * MINUTE;
const DAY = 24n * HOUR;

/** Steps between time ticks, ns: decimal below a second, of the clock above, then days. */
function* timeSteps(): Iterable<bigint> {
  for (let power = 1n; power < SECOND; power *= 10n) yield* [power, 2n * power, 5n * power];
  for (const n of [1n, 2n, 5n, 10n, 15n, 30n]) yield n * SECOND;
  for (const n of [1n, 2n, 5n, 10n, 15n, 30n]) yield n * MINUTE;
  for (const n of [1n, 2n, 3n, 6n, 12n]) yield n * HOUR;
  for (const n of [1n, 2n, 7n, 14n, 30n, 60n, 180n]) yield n * DAY;
  for (let years = 1n; years <= 200n; years *= 2n) yield years * 365n * DAY;
}

/** A tick of a time axis. */
export interface TimeTick {
  /** ns since the Unix epoch. */
  time: bigint;
  label: string;
}

/**
 * Ticks of a time axis, at round times of the clock in `tz`.
 *
 * @param start Start of the axis, ns since the Unix epoch.
 * @param end End of the axis, exclusive.
 * @param most Most ticks that have room.
 * @param tz Time zone, e.g. `"UTC"`.
 */
export function timeTicks(start: bigint, end: bigint, most: number, tz: string): TimeTick[] {
  const span = end - start;
  let step = DAY;
  for (step of timeSteps()) {
    if (span / step < BigInt(Math.max(1, most))) break;
  }
  const offset = offsetOf(start, tz);
  const first = ceilTo(start + offset, step) - offset;
  const ticks: TimeTick[] = [];
  for (let time = first; time < end; time += step) {
    ticks.push({ time, label: timeLabel(time, step, tz) });
  }
  return ticks;
}

function ceilTo(time: bigint, step: bigint): bigint {
  const rest = ((time % step) + step) % step;
  return rest === 0n ? time : time + step - rest;
}

function offsetOf(time: bigint, tz: string): bigint {
  if (tz === "UTC") return 0n;
  return BigInt(
    Temporal.Instant.fromEpochNanoseconds(time).toZonedDateTimeISO(tz).offsetNanoseconds,
  );
}

/** The part of a time that a tick must show when its neighbours are `step` away. */
function timeLabel(time: bigint, step: bigint, tz: string): string {
  const text = Temporal.Instant.fromEpochNanoseconds(time).toZonedDateTimeISO(tz)
    .toPlainDateTime().toString({ fractionalSecondDigits: 9 });
  if (step >= DAY) return text.slice(0, 10);
  if (step >= MINUTE) return text.slice(11, 16);
  if (step >= SECOND) return text.slice(11, 19);
  const digits = 9 - (step.toString().length - 1);
  return text.slice(11, 20 + digits);
}
