/**
 * Memory of the kernel while it parses a table.
 *
 * @module
 */

/** Bytes of the columns that one go may fill, unless that is less than 64 rows. */
const OUTPUT_BYTES = 1 << 20;
/** Bytes that the kernel may touch beyond its input. */
const SLACK = 64;

/** Offsets of the input, roles, counts, scratch and columns, bytes. */
export interface TableLayout {
  roles: number;
  counts: number;
  scratch: number;
  out: number;
  stride: number;
  capacity: number;
  size: number;
}

/**
 * Lays out the memory for a piece of a table.
 *
 * @param bytes Length of the input.
 * @param columns Number of columns of the text.
 * @param values Number of those with values.
 */
export function layOutTable(bytes: number, columns: number, values: number): TableLayout {
  const align = (n: number): number => (n + 63) & ~63;
  const capacity = Math.max(64, Math.min(16_384, Math.floor(OUTPUT_BYTES / (16 * (values + 1)))));
  const stride = 16 * capacity + 640;
  const roles = align(bytes + SLACK);
  const counts = roles + align(columns);
  const scratch = counts + align(4 * values);
  const out = scratch + align(4 * values);
  return { roles, counts, scratch, out, stride, capacity, size: out + values * stride };
}
