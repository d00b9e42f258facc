/**
 * Changes of the clocks of a place.
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

const HOUR = 3_600_000_000_000n;

/** Names of zones that mean one thing (RFC 2822, and those in use where no other zone is called so). */
const NAMES: Readonly<Record<string, bigint>> = hours({
  UTC: 0,
  GMT: 0,
  UT: 0,
  WET: 0,
  WEST: 1,
  CET: 1,
  CEST: 2,
  MEZ: 1,
  MESZ: 2,
  EET: 2,
  EEST: 3,
  MSK: 3,
  EST: -5,
  EDT: -4,
  CST: -6,
  CDT: -5,
  MST: -7,
  MDT: -6,
  PST: -8,
  PDT: -7,
  AKST: -9,
  AKDT: -8,
  HST: -10,
  JST: 9,
  KST: 9,
  AWST: 8,
  ACST: 9.5,
  ACDT: 10.5,
  AEST: 10,
  AEDT: 11,
  NZST: 12,
  NZDT: 13,
  SAST: 2,
});

/** Names that mean something in one place and something else in another. */
const PLACES: Readonly<Record<string, Readonly<Record<string, bigint>>>> = {
  "Europe/London": hours({ BST: 1 }),
  "Europe/Dublin": hours({ IST: 1 }),
  "Asia/Kolkata": hours({ IST: 5.5 }),
  "Asia/Calcutta": hours({ IST: 5.5 }),
  "Asia/Jerusalem": hours({ IST: 2, IDT: 3 }),
  "Asia/Shanghai": hours({ CST: 8 }),
  "Asia/Taipei": hours({ CST: 8 }),
  "America/Havana": hours({ CST: -5, CDT: -4 }),
  "America/Halifax": hours({ AST: -4, ADT: -3 }),
};

function hours(names: Record<string, number>): Record<string, bigint> {
  return Object.fromEntries(
    Object.entries(names).map(([name, ahead]) => [name, BigInt(ahead * 2) * HOUR / 2n]),
  );
}

/** Names of zones and what they are ahead of UTC, ns, where times of `tz` are written. */
export function zoneNames(tz: string): Record<string, bigint> {
  return { ...NAMES, ...PLACES[tz] };
}
