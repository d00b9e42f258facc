/**
 * The blocks of µPMU files: `sync_output` of the PQube 3 by Power Standards Lab. A block is one
 * second; all of it is little endian, as in BTrDB's smartgridstore, `upmuparser/parser.go`.
 *
 * @module
 */

/** Most readings in a block. */
const READINGS = 120;
/** Bytes of a block before its expansion. */
export const STANDARD_BYTES = 6312;
/** Bytes of a block with its expansion: power and frequency. */
export const EXPANDED_BYTES = 9192;
/** Bytes by which a block is known: interval and date. */
const HEADER_BYTES = 28;

const STATUS_AT = 28;
const VECTORS_AT = STATUS_AT + 4 * READINGS;
const VECTOR_BYTES = 8 * READINGS;
/** Bits of a reading's status that say that the block has an expansion. */
const EXPANSION_BITS = 0xe0;

/** A series of readings in a block. */
export interface BlockSeries {
  /** Name that BTrDB's ingester gave its stream. */
  readonly name: string;
  /** Unit of its values. */
  readonly unit: string;
  /** True if only blocks with an expansion have it. */
  readonly isExpansion: boolean;
  /** Byte of its first reading in the block. */
  readonly at: number;
  /** Bytes from one reading to the next. */
  readonly stride: number;
  /** True if its readings are integers; else they are of single precision. */
  readonly isInteger: boolean;
}

/** All series of a block. */
export const SERIES: readonly BlockSeries[] = [
  ...["L1", "L2", "L3", "C1", "C2", "C3"].flatMap((phase, i) => {
    const at = VECTORS_AT + i * VECTOR_BYTES;
    const rest = { isExpansion: false, stride: 8, isInteger: false };
    const unit = phase.startsWith("L") ? "Volt" : "Amp";
    return [
      { name: `${phase}MAG`, unit, at: at + 4, ...rest },
      { name: `${phase}ANG`, unit: "degrees", at, ...rest },
    ];
  }),
  { name: "LSTATE", unit: "bits", isExpansion: false, at: STATUS_AT, stride: 4, isInteger: true },
  ...([
    ["FUND_W", "W"],
    ["FUND_VAR", "VAR"],
    ["FUND_VA", "VA"],
    ["FUND_DPF", "DPF"],
    ["FREQ_L1_1S", "Hz"],
    ["FREQ_L1_C37", "Hz"],
  ] as const).map(([name, unit], i) => ({
    name,
    unit,
    isExpansion: true,
    at: STANDARD_BYTES + 4 * READINGS * i,
    stride: 4,
    isInteger: false,
  })),
];

/** The beginning of a block. */
export interface BlockHeader {
  /** Time of its first reading, ns. */
  readonly time: bigint;
  /** Distance of its readings, ns; not whole, as the block says it in single precision. */
  readonly interval: number;
  /** Number of its readings. */
  readonly readings: number;
}

/** Tells whether bytes begin with a block. */
export function isSecondBlock(head: Uint8Array): boolean {
  if (head.length < HEADER_BYTES) return false;
  return typeof readHeader(new DataView(head.buffer, head.byteOffset, head.length)) !== "string";
}

/**
 * Reads the beginning of a block.
 *
 * @returns The header, or what is wrong with it.
 */
export function readHeader(view: DataView): BlockHeader | string {
  const intervalMs = view.getFloat32(0, true);
  const readings = Math.round(1000 / intervalMs);
  if (!(readings >= 1 && readings <= READINGS)) {
    const [least, most] = [(1000 / READINGS).toFixed(3), 2000];
    return `its interval is ${intervalMs} ms, expected ${least} to ${most} ms`;
  }
  const date = Array.from({ length: 6 }, (_, i) => view.getInt32(4 + 4 * i, true));
  const [year, month, day, hour, minute, second] = date as [
    number,
    number,
    number,
    number,
    number,
    number,
  ];
  const midnightMs = Date.UTC(year, month - 1, day);
  const isDate = year >= FIRST_YEAR && year <= LAST_YEAR && month >= 1 && month <= 12 &&
    day >= 1 && new Date(midnightMs).getUTCDate() === day;
  // A leap second is the 60th, at the end of a day; it gets the time of the second after it.
  const lastSecond = hour === 23 && minute === 59 ? 60 : 59;
  const isClock = inRange(hour, 23) && inRange(minute, 59) && inRange(second, lastSecond);
  if (!isDate || !isClock) {
    return `its date is ${date.join(" ")}, expected year, month, day, hour, minute and second, ` +
      `from ${FIRST_YEAR} to ${LAST_YEAR}`;
  }
  const seconds = midnightMs / 1000 + 3600 * hour + 60 * minute + second;
  return { time: BigInt(seconds) * NS_PER_SECOND, interval: intervalMs * NS_PER_MS, readings };
}

/** The years that blocks may be of; BTrDB's own ingester takes those from 2010 to 2025 only. */
const [FIRST_YEAR, LAST_YEAR] = [1970, 2079];
const NS_PER_MS = 1_000_000;
const NS_PER_SECOND = 1_000_000_000n;

function inRange(value: number, most: number): boolean {
  return value >= 0 && value <= most;
}

/** Tells whether another block begins at a place; it is nearly impossible that readings look so. */
export function isBlockAt(view: DataView, at: number): boolean {
  if (view.byteLength < at + HEADER_BYTES) return false;
  return typeof readHeader(new DataView(view.buffer, view.byteOffset + at)) !== "string";
}

/**
 * Searches for a block.
 *
 * @returns Bytes before it; if there is none, bytes in which none can begin.
 */
export function findBlock(view: DataView): { passed: number; isFound: boolean } {
  const last = view.byteLength - HEADER_BYTES;
  for (let at = 0; at <= last; at++) {
    const year = view.getInt32(at + 4, true);
    if (year >= FIRST_YEAR && year <= LAST_YEAR && isBlockAt(view, at)) {
      return { passed: at, isFound: true };
    }
  }
  return { passed: Math.max(0, last + 1), isFound: false };
}

/** Tells whether a block, of which at least the status words are there, has an expansion. */
export function hasExpansion(view: DataView): boolean {
  for (let i = 0; i < READINGS; i++) {
    if ((view.getInt32(STATUS_AT + 4 * i, true) & EXPANSION_BITS) !== 0) return true;
  }
  return false;
}

/**
 * Writes the times of a block's readings: `time + round(i × interval)`, exactly as BTrDB's ingester
 * did. The products are exact: an interval has 24 bits, times 10⁶ and an index they are 45.
 */
export function writeTimes({ time, interval, readings }: BlockHeader, to: BigInt64Array): void {
  for (let i = 0; i < readings; i++) to[i] = time + BigInt(Math.floor(i * interval + 0.5));
}

/** Writes the values of a series. */
export function writeValues(
  view: DataView,
  { at, stride, isInteger }: BlockSeries,
  readings: number,
  to: Float64Array,
): void {
  for (let i = 0; i < readings; i++) {
    const place = at + stride * i;
    to[i] = isInteger ? view.getInt32(place, true) : view.getFloat32(place, true);
  }
}
