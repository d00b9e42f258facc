/**
 * The header `grpc-timeout`: 1 to 8 digits and a unit, and nothing else ("gRPC over HTTP/2",
 * Requests).
 *
 * @module
 */

/** Units, ms. */
const UNITS: Readonly<Record<string, number>> = {
  H: 3_600_000,
  M: 60_000,
  S: 1_000,
  m: 1,
  u: 1e-3,
  n: 1e-6,
};

/** End of the numbers that eight digits can write. */
const END = 1e8;

/**
 * Reads a timeout such as `90S`.
 *
 * @returns ms; undefined for anything that is none.
 */
export function parseGrpcTimeout(text: string): number | undefined {
  const match = /^(\d{1,8})([HMSmun])$/.exec(text);
  return match === null ? undefined : Number(match[1]) * UNITS[match[2]!]!;
}

/**
 * Writes a timeout, rounded up to what can be written.
 *
 * @param ms Below 0 is 0; more than 11,000 years is that.
 */
export function formatGrpcTimeout(ms: number): string {
  for (const unit of ["m", "S", "M", "H"] as const) {
    const count = Math.max(0, Math.ceil(ms / UNITS[unit]!));
    if (count < END) return `${count}${unit}`;
  }
  return `${END - 1}H`;
}
