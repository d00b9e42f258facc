/**
 * Numbers as people read them.
 *
 * @module
 */

/** A value with as many digits as tell it apart from its neighbours, six by default. */
export function valueText(value: number, digits = 6): string {
  if (value === 0) return "0";
  const size = Math.abs(value);
  if (!(size < 1e9 && size >= 1e-4)) return value.toExponential(Math.max(1, digits - 2));
  const after = Math.max(0, digits - 1 - Math.floor(Math.log10(size)));
  return value.toFixed(Math.min(after, 12)).replace("-", "−");
}

/** A count with thin groups of thousands. */
export function countText(count: number | bigint): string {
  return count.toLocaleString("en").replaceAll(",", "\u202f");
}
