/**
 * Ticks of a time axis, from nanoseconds to decades, at round times of the clock of a zone.
 *
 * @module
 */

import { fromWall, toWall, wallText, zoneOffset } from "./zone_time.ts";

const SECOND = 1_000_000_000n;
const MINUTE = 60n * SECOND;
const HOUR = 60n * MINUTE;
const DAY = 24n * HOUR;

/** A tick of a time axis. */
export interface TimeTick {
  /** ns since the Unix epoch. */
  readonly time: bigint;
  readonly label: string;
}

/** Ticks, and the parts of the time that their labels leave out. */
export interface TimeTicks {
  readonly ticks: readonly TimeTick[];
  /** Date and, for the finest ticks, the minute at the start of the axis. */
  readonly context: string;
}

type Step = { readonly ns: bigint } | { readonly months: number };

/** Steps in ascending order, up to centuries. */
function steps(): Step[] {
  const list: Step[] = [];
  for (let power = 1n; power < SECOND; power *= 10n) {
    for (const n of [1n, 2n, 5n]) list.push({ ns: n * power });
  }
  for (const n of [1n, 2n, 5n, 10n, 15n, 30n]) list.push({ ns: n * SECOND });
  for (const n of [1n, 2n, 5n, 10n, 15n, 30n]) list.push({ ns: n * MINUTE });
  for (const n of [1n, 2n, 3n, 6n, 12n]) list.push({ ns: n * HOUR });
  for (const n of [1n, 2n, 7n, 14n]) list.push({ ns: n * DAY });
  for (const months of [1, 2, 3, 6]) list.push({ months });
  for (const years of [1, 2, 5, 10, 20, 50, 100]) list.push({ months: 12 * years });
  return list;
}

const STEPS = steps();

/** Length of a month in the mean, ns. */
const MONTH = 2_629_746n * SECOND;

function lengthOf(step: Step): bigint {
  return "ns" in step ? step.ns : BigInt(step.months) * MONTH;
}

/**
 * Ticks of a time axis.
 *
 * @param start Start of the axis, ns since the Unix epoch.
 * @param end End of the axis, exclusive.
 * @param most Most ticks that have room.
 * @param zone Zone whose clock is read.
 */
export function timeTicks(start: bigint, end: bigint, most: number, zone: string): TimeTicks {
  const room = BigInt(Math.max(1, Math.floor(most)));
  const step = STEPS.find((step) => (end - start) / lengthOf(step) < room) ?? STEPS.at(-1)!;
  const walls = "ns" in step
    ? wallsOf(start, end, step.ns, zone)
    : monthsOf(toWall(start, zone) - DAY, toWall(end, zone) + DAY, step.months);
  const ticks: TimeTick[] = [];
  for (const wall of walls) {
    for (const time of fromWall(wall, zone)) {
      if (time >= start && time < end) ticks.push({ time, label: labelOf(wall, step) });
    }
  }
  ticks.sort((a, b) => (a.time < b.time ? -1 : 1));
  return { ticks, context: contextOf(toWall(start, zone), step) };
}

/** Round wall-clock times on the axis, for all differences to UTC that the zone has on it. */
function wallsOf(start: bigint, end: bigint, step: bigint, zone: string): Set<bigint> {
  const middle = (start + end) / 2n;
  const offsets = new Set([start, middle, end].map((time) => zoneOffset(time, zone)));
  // Weeks begin on Mondays: the epoch was a Thursday.
  const phase = step % (7n * DAY) === 0n ? 4n * DAY : 0n;
  const walls = new Set<bigint>();
  for (const offset of offsets) {
    const rest = (((start + offset - phase) % step) + step) % step;
    const first = rest === 0n ? start + offset : start + offset - rest + step;
    for (let wall = first; wall < end + offset; wall += step) walls.add(wall);
  }
  return walls;
}

function monthsOf(from: bigint, to: bigint, months: number): bigint[] {
  const walls: bigint[] = [];
  const first = new Date(Number(from / 1_000_000n));
  let month = 12 * first.getUTCFullYear() + first.getUTCMonth();
  month -= month % months;
  for (;; month += months) {
    const wall = BigInt(Date.UTC(Math.floor(month / 12), month % 12, 1)) * 1_000_000n;
    if (wall > to) return walls;
    walls.push(wall);
  }
}

/** The part of a time that a tick shows when its neighbours are a step away. */
function labelOf(wall: bigint, step: Step): string {
  const text = wallText(wall);
  if ("months" in step) return step.months >= 12 ? text.slice(0, 4) : text.slice(0, 7);
  const isMidnight = wall % DAY === 0n;
  if (step.ns >= DAY || isMidnight) return text.slice(0, 10);
  if (step.ns >= MINUTE) return text.slice(11, 16);
  if (step.ns >= SECOND) return text.slice(11, 19);
  const digits = 10 - step.ns.toString().length;
  if (digits <= 3) return text.slice(11, 20 + digits);
  return wall % MINUTE === 0n ? text.slice(11, 19) : text.slice(16, 20 + digits);
}

function contextOf(wall: bigint, step: Step): string {
  if ("months" in step || step.ns >= DAY) return "";
  const isFine = step.ns < SECOND && 10 - step.ns.toString().length > 3;
  return wallText(wall).slice(0, isFine ? 16 : 10);
}
