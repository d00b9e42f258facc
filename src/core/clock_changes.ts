/**
 * Clock changes of a time zone.
 *
 * @module
 */

const DAY_MS = 86_400_000;
/** BTrDB's first and last year, and one more on either side. */
const FROM_MS = Date.UTC(1932, 0, 1);
const TO_MS = Date.UTC(2081, 0, 1);

/** Offset of a zone from UTC, ns, if that never changes. */
export function fixedOffset(tz: string): bigint | undefined {
  if (tz === "UTC") return 0n;
  const match = /^([+-])(\d{2}):?(\d{2})$/.exec(tz);
  if (match === null) return undefined;
  const ns = (BigInt(match[2]!) * 60n + BigInt(match[3]!)) * 60_000_000_000n;
  return match[1] === "-" ? -ns : ns;
}

const known = new Map<string, BigInt64Array>();

/**
 * Every change of the clocks of a zone from 1932 to 2080, as the platform's database has it: pairs of
 * a time and of the ns ahead of UTC from then on.
 *
 * @param tz IANA name, e.g. `"Europe/Berlin"`.
 */
export function clockChanges(tz: string): BigInt64Array {
  let changes = known.get(tz);
  if (changes === undefined) known.set(tz, changes = findChanges(tz));
  return changes;
}

function findChanges(tz: string): BigInt64Array {
  const offsetAt = offsetsOf(tz);
  const pairs: bigint[] = [];
  const add = (ms: number, offsetMs: number): void => {
    pairs.push(BigInt(ms) * 1_000_000n, BigInt(offsetMs) * 1_000_000n);
  };
  let last = offsetAt(FROM_MS);
  pairs.push(-(1n << 63n), BigInt(last) * 1_000_000n);
  for (let ms = FROM_MS; ms < TO_MS; ms += STEP_MS) {
    const next = offsetAt(ms + STEP_MS);
    if (next === last) continue;
    let [low, high] = [ms, ms + STEP_MS];
    while (high - low > 1000) {
      const middle = low + Math.floor((high - low) / 2000) * 1000;
      if (offsetAt(middle) === last) low = middle;
      else high = middle;
    }
    add(high, last = offsetAt(high));
    // There may be more than one change in a step.
    if (last !== next) ms = high - STEP_MS;
  }
  return BigInt64Array.from(pairs);
}

/** Shorter than any time between two changes that undo each other. */
const STEP_MS = 8 * DAY_MS;

/** The offset of a zone at a time, both in ms. */
function offsetsOf(tz: string): (ms: number) => number {
  const format = new Intl.DateTimeFormat("en-US", {
    timeZone: tz,
    hourCycle: "h23",
    era: "short",
    year: "numeric",
    month: "numeric",
    day: "numeric",
    hour: "numeric",
    minute: "numeric",
    second: "numeric",
  });
  return (ms) => {
    const part: Record<string, number> = {};
    for (const { type, value } of format.formatToParts(ms)) part[type] = Number(value);
    const { year, month, day, hour, minute, second } = part;
    return Date.UTC(year!, month! - 1, day!, hour!, minute!, second!) - ms;
  };
}

/**
 * The time of a clock in a zone relative to UTC.
 *
 * @param tz IANA name, offset such as `"+02:00"`, or `"UTC"`.
 * @param time ns since the Unix epoch, UTC.
 * @returns ns ahead of UTC.
 */
export function offsetAt(tz: string, time: bigint): bigint {
  const fixed = fixedOffset(tz);
  if (fixed !== undefined) return fixed;
  const changes = clockChanges(tz);
  let [low, high] = [0, changes.length / 2];
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if (changes[2 * middle]! <= time) low = middle;
    else high = middle;
  }
  return changes[2 * low + 1]!;
}

/**
 * The moment at which the clocks of a zone show a time: of two, the earlier one; where clocks skip
 * it, as much later as they skip.
 *
 * @param tz As for {@linkcode offsetAt}.
 * @param local The time shown, as ns from 1970-01-01T00:00 of those clocks.
 * @returns ns since the Unix epoch, UTC.
 */
export function fromLocal(tz: string, local: bigint): bigint {
  const before = offsetAt(tz, local - DAY_NS);
  const after = offsetAt(tz, local + DAY_NS);
  for (const offset of before === after ? [before] : [before, after]) {
    if (offsetAt(tz, local - offset) === offset) return local - offset;
  }
  return local - before;
}

const DAY_NS = 86_400_000_000_000n;
