/**
 * Times on the clocks of a place to UTC.
 *
 * @module
 */

const QUARTER = 900_000_000_000n;

/** What a zone is ahead of UTC, ns, if that never changes. */
export function fixedOffset(tz: string): bigint | undefined {
  if (tz === "UTC") return 0n;
  const match = /^([+-])(\d{2}):?(\d{2})$/.exec(tz);
  if (match === null) return undefined;
  const ns = (BigInt(match[2]!) * 60n + BigInt(match[3]!)) * 60_000_000_000n;
  return match[1] === "-" ? -ns : ns;
}

/**
 * Times of clocks in a zone, counted as if they were UTC, to UTC. An hour that comes twice is taken
 * as its first, one that does not exist as if the clock had not been changed.
 *
 * @param times Is not changed.
 * @param tz Time zone, e.g. `"Europe/Berlin"`.
 */
export function toUtc(times: BigInt64Array, tz: string): BigInt64Array {
  const result = new BigInt64Array(times.length);
  let from = 1n;
  let to = 0n;
  let offset = 0n;
  for (let i = 0; i < times.length; i++) {
    const time = times[i]!;
    if (time < from || time >= to) {
      from = time - ((time % QUARTER) + QUARTER) % QUARTER;
      to = from + QUARTER;
      offset = localOffset(from, tz);
    }
    result[i] = time - offset;
  }
  return result;
}

/** What the clocks of a zone are ahead when they show a time; they change on quarters of an hour. */
function localOffset(local: bigint, tz: string): bigint {
  const zoned = Temporal.Instant.fromEpochNanoseconds(local).toZonedDateTimeISO("UTC")
    .toPlainDateTime().toZonedDateTime(tz);
  return local - zoned.epochNanoseconds;
}
