/** Thin stand-in for ticks. @module */

import { momentText } from "./time_text.ts";

const SECOND = 1_000_000_000n;
const MINUTE = 60n * SECOND;
const HOUR = 60n * MINUTE;
const DAY = 24n * HOUR;
function* steps(): Iterable<bigint> {
  for (let power = 1n; power < SECOND; power *= 10n) yield* [power, 2n * power, 5n * power];
  for (const n of [1n, 2n, 5n, 10n, 15n, 30n]) yield n * SECOND;
  for (const n of [1n, 2n, 5n, 10n, 15n, 30n]) yield n * MINUTE;
  for (const n of [1n, 2n, 3n, 6n, 12n]) yield n * HOUR;
  for (const n of [1n, 2n, 7n, 14n, 30n, 60n, 180n]) yield n * DAY;
  for (let years = 1n; years <= 200n; years *= 2n) yield years * 365n * DAY;
}
export function timeTicks(start: bigint, end: bigint, most: number, zone: string): {
  ticks: { time: bigint; label: string }[];
  context: string;
} {
  let step = DAY;
  for (step of steps()) if ((end - start) / step < BigInt(Math.max(1, Math.floor(most)))) break;
  const rest = ((start % step) + step) % step;
  const ticks = [];
  for (let time = rest === 0n ? start : start + step - rest; time < end; time += step) {
    const text = momentText(time, zone);
    const label = step >= DAY
      ? text.slice(0, 10)
      : step >= MINUTE
      ? text.slice(11, 16)
      : step >= SECOND
      ? text.slice(11, 19)
      : text.slice(11, 20 + 10 - String(step).length);
    ticks.push({ time, label });
  }
  return { ticks, context: `${momentText(start, zone, 0).slice(0, 10)}  ${zone}` };
}
export function valueAxis(min: number, max: number, most: number): {
  low: number;
  high: number;
  ticks: number[];
  digits: number;
} {
  const flat = max - min <= Math.abs(max) * 1e-12;
  const pad = flat ? Math.abs(max) * 0.05 || 1 : 0;
  const [low, high] = [min - pad, max + pad];
  const raw = (high - low) / Math.max(1, most - 1);
  const power = 10 ** Math.floor(Math.log10(raw));
  const step = [1, 2, 5, 10].map((f) => f * power).find((s) => s >= raw * (1 - 1e-9))!;
  const ticks = [];
  for (let k = Math.ceil(low / step); k * step <= high; k++) ticks.push(k * step);
  return { low, high, ticks, digits: Math.max(0, -Math.floor(Math.log10(step) + 1e-9)) };
}
export function valueLabel(value: number, digits: number): string {
  const plain = digits > 8 ? "" : value.toFixed(digits);
  return plain !== "" && plain.length <= 10 ? plain : value.toExponential(2);
}
