/** Thin stand-in for typed ranges. @module */

const UNIT: Record<string, bigint> = {
  ns: 1n,
  us: 1000n,
  ms: 1_000_000n,
  s: 1_000_000_000n,
  m: 60_000_000_000n,
  min: 60_000_000_000n,
  h: 3_600_000_000_000n,
  d: 86_400_000_000_000n,
  w: 604_800_000_000_000n,
  y: 31_557_600_000_000_000n,
};
export function parseMoment(text: string, now: bigint): bigint {
  const relative = /^now(?:\s*([+-])\s*(\d+)\s*([a-z]+))?$/i.exec(text.trim());
  if (relative !== null) {
    const [, sign, n, unit = ""] = relative;
    if (n === undefined) return now;
    const by = BigInt(n) * (UNIT[unit] ?? bad(text));
    return sign === "-" ? now - by : now + by;
  }
  const match = /^(\d{4}-\d\d-\d\d)(?:[T ](\d\d:\d\d)(?::(\d\d)(?:\.(\d{1,9}))?)?)?Z?$/.exec(
    text.trim(),
  );
  if (match === null) return bad(text);
  const [, day, minutes = "00:00", seconds = "00", fraction = ""] = match;
  const ms = Date.parse(`${day}T${minutes}:${seconds}Z`);
  return BigInt(ms) * 1_000_000n + BigInt(fraction.padEnd(9, "0"));
}
function bad(text: string): never {
  throw new RangeError(`Cannot read ${JSON.stringify(text)}: expected a time`);
}
