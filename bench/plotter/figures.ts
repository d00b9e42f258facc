// deno-lint-ignore-file no-console -- a command line tool
/**
 * Figures of the bench beside what is asked of them.
 *
 * @module
 */

/** The value below which a share of all is. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? NaN;
}

/** Median, 99th percentile and the largest, ms. */
export function spread(values: readonly number[]): string {
  const [median, slow, most] = [0.5, 0.99, 1].map((share) => quantile(values, share).toFixed(1));
  return `median ${median} ms, p99 ${slow} ms, most ${most} ms`;
}

/** Prints a figure, its goal, and whether it is met. */
export function goal(name: string, value: number, most: number, unit: string): void {
  const verdict = value <= most ? "met" : "MISSED";
  console.log(`  ${verdict}: ${name} ${value.toFixed(1)} ${unit}, asked ≤ ${most} ${unit}`);
}
