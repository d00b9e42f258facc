/**
 * Durations as people write them: `1.5s`, `200ms`, `1h30m`.
 *
 * @module
 */

/** ns in each unit. A day is 24 hours and a week 7 days, whatever the time zone does. */
const UNITS: Readonly<Record<string, bigint>> = {
  ns: 1n,
  us: 1_000n,
  "µs": 1_000n,
  "μs": 1_000n,
  ms: 1_000_000n,
  s: 1_000_000_000n,
  sec: 1_000_000_000n,
  m: 60_000_000_000n,
  min: 60_000_000_000n,
  h: 3_600_000_000_000n,
  d: 86_400_000_000_000n,
  w: 604_800_000_000_000n,
};

const PART = /^(\d+)(?:\.(\d+))?\s*(ns|us|µs|μs|ms|sec|s|min|m|h|d|w)\s*/;

/**
 * A duration such as `1.5s`, `200ms`, `8333333ns`, `1d` or `1h30m`, exactly.
 *
 * @param text Text of a person.
 * @returns ns, or `undefined` if it is not a duration. A fraction of a ns is not one.
 */
export function tryDuration(text: string): bigint | undefined {
  let rest = text.trim();
  let sum = 0n;
  if (rest === "") return undefined;
  while (rest !== "") {
    const match = PART.exec(rest);
    if (match === null) return undefined;
    const part = scale(match[1]!, match[2] ?? "", UNITS[match[3]!]!);
    if (part === undefined) return undefined;
    sum += part;
    rest = rest.slice(match[0].length);
  }
  return sum;
}

function scale(whole: string, fraction: string, unit: bigint): bigint | undefined {
  const digits = BigInt(whole + fraction) * unit;
  const divisor = 10n ** BigInt(fraction.length);
  return digits % divisor === 0n ? digits / divisor : undefined;
}
