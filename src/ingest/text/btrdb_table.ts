/**
 * The CSV that BTrDB writes.
 *
 * @module
 */

const BTRDB_NAMES = ["Timestamp (ns)", "Human-Readable Time (UTC)"];

/** Tells whether the names are those of a CSV that BTrDB writes. */
export function isBtrdbTable(names: readonly string[]): boolean {
  return BTRDB_NAMES.every((name, i) => names[i] === name);
}
