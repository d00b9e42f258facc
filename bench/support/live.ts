/**
 * Streams that are written while they are watched.
 *
 * @module
 */

/** Uuid of a live stream. */
export function liveUuid(stream: number): string {
  return `11110000-0000-4000-8000-${stream.toString(16).padStart(12, "0")}`;
}

/** The second that has begun last, s since the Unix epoch. */
export function nowSecond(): bigint {
  return BigInt(Math.floor(Date.now() / 1000));
}

/** The value that `percent` of some values do not exceed; 0 where there are none. */
export function percentile(values: readonly number[], percent: number): number {
  const sorted = Float64Array.from(values).sort();
  return sorted[Math.ceil(sorted.length * percent / 100) - 1] ?? 0;
}
