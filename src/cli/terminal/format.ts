/**
 * Formats counts, quantities and bytes for people.
 *
 * @module
 */

/** A count with commas: `1,234,567`. */
export function grouped(count: bigint | number): string {
  return count.toString().replace(/\B(?=(\d{3})+(?!\d))/g, ",");
}

/** A quantity with three digits and a letter: `1.23 M`. */
export function rough(n: number): string {
  if (n < 1000) return String(Math.round(n));
  for (const [unit, letter] of [[1e9, "G"], [1e6, "M"], [1e3, "k"]] as const) {
    if (n >= unit) return `${Number((n / unit).toPrecision(3))} ${letter}`;
  }
  return String(n);
}

/** Bytes for people: `1.5 MB`. */
export function bytesText(n: number): string {
  return n < 1000 ? `${n} B` : `${rough(n)}B`;
}

/** One of one thing, or several: `1 stream`, `2 streams`. */
export function plural(n: bigint | number, one: string): string {
  return `${grouped(n)} ${one}${Number(n) === 1 ? "" : "s"}`;
}
