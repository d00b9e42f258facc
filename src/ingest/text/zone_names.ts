/**
 * Names of time zones in tables.
 *
 * @module
 */

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
