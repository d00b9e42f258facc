// The time that a text stands for, whatever its form, and doubts about it: what the parsers of times
// leave, and how many times of the rows of a table were in doubt.

let time: i64 = 0;
/** True if the text is a time beyond 64 bits of ns. */
let overflow: bool = false;
/** True if the text is a clock time that was left out when clocks were set forward. */
let missing: bool = false;
/** True if the text is a clock time that comes twice and could not be told apart. */
let doubtful: bool = false;
/** True if the text has digits below a ns. */
let finer: bool = false;

/** True if the text is a leap second, which gets the time of the second after it. */
let leap: bool = false;

/** The time of the row before and its distance to the one before it; 0 where there is none. */
let before: i64 = i64.MIN_VALUE;
let distance: i64 = 0;
/** Clock times that come twice and could not be told apart by the rows around. */
let unsure: u32 = 0;
let cut: u32 = 0;
let leaps: u32 = 0;

/** Forgets what was said of the time before. */
// @ts-ignore: decorator
@inline
export function beginTime(): void {
  overflow = false;
  missing = false;
  doubtful = false;
  finer = false;
  leap = false;
}

/** The time that was read, ns since the Unix epoch. */
// @ts-ignore: decorator
@inline
export function parsedTime(): i64 {
  return time;
}

/** Sets the time that was read. */
// @ts-ignore: decorator
@inline
export function setParsedTime(ns: i64): void {
  time = ns;
}

/** Notes a time beyond 64 bits of ns. */
// @ts-ignore: decorator
@inline
export function noteOverflow(): void {
  overflow = true;
}

/** Notes a clock time that does not exist. */
export function noteMissing(): void {
  missing = true;
}

/** Notes a clock time that comes twice and could not be told apart. */
export function noteDoubtful(): void {
  doubtful = true;
}

/** Notes digits below a ns, which are cut. */
// @ts-ignore: decorator
@inline
export function noteFiner(): void {
  finer = true;
}

/** Takes a second 60, which ends at the time read; false if no day of UTC ends there. */
export function takeLeapSecond(fraction: i64): bool {
  leap = (time - fraction) % 86400000000000 == 0;
  return leap;
}

/** Tells whether the last failure was a time beyond 64 bits of ns. */
export function timeOverflow(): bool {
  return overflow;
}

/** Tells whether the last failure was a clock time that does not exist. */
export function timeMissing(): bool {
  return missing;
}

/** Forgets digits below a ns, where times are moved anyway. */
export function timeMoved(): void {
  finer = false;
}

/** Sets the time of the row before the next one, and its distance to the one before it. */
export function setTimeBefore(last: i64, step: i64): void {
  before = last;
  distance = step;
  unsure = 0;
  cut = 0;
  leaps = 0;
}

export function timeBefore(): i64 {
  return before;
}

export function timeDistance(): i64 {
  return distance;
}

/** Notes that a row has a time. */
// @ts-ignore: decorator
@inline
export function timePassed(ns: i64): void {
  if (before != i64.MIN_VALUE && ns > before) distance = ns - before;
  before = ns;
  if (doubtful) {
    doubtful = false;
    unsure++;
  }
  if (finer) {
    finer = false;
    cut++;
  }
  if (leap) {
    leap = false;
    leaps++;
  }
}

/** Leap seconds since {@link setTimeBefore}, which got the time of the second after them. */
export function timesLeap(): u32 {
  return leaps;
}

/** Times since {@link setTimeBefore} that come twice and could not be told apart. */
export function timesUnsure(): u32 {
  return unsure;
}

/** Times since {@link setTimeBefore} with digits below a ns, which were cut. */
export function timesCut(): u32 {
  return cut;
}
