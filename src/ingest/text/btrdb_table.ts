/**
 * The CSV that BTrDB writes.
 *
 * @module
 */

import { CsvError } from "../../kernel/csv_error.ts";
import { readHeader } from "../../kernel/csv_header.ts";

const BTRDB_NAMES = ["Timestamp (ns)", "Human-Readable Time (UTC)"];

/** Tells whether the names are those of a CSV that BTrDB writes. */
export function isBtrdbTable(names: readonly string[]): boolean {
  return BTRDB_NAMES.every((name, i) => names[i] === name);
}

/**
 * Names of a CSV that BTrDB writes with every blank around them, which tables of others may have for
 * looks only; `undefined` if its header is not as BTrDB writes it.
 */
export function exactNames(text: string): string[] | undefined {
  try {
    const header = readHeader(new TextEncoder().encode(text), true);
    return header && [...BTRDB_NAMES, ...header.labels];
  } catch (error) {
    if (error instanceof CsvError) return undefined;
    throw error;
  }
}
