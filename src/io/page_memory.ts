/**
 * Memory of unpacked pages of Parquet and their values, which is given back as soon as they are read.
 *
 * @module
 */

/** Least size of a page that is freed at once: smaller buffers of Node.js share their memory. */
const LEAST_PAGE_BYTES = 65_536;

/** Least size of values that are freed at once. */
const LEAST_VALUES_BYTES = 1024;

/** Memory that can be given up; not all runtimes know how. */
type Memory = ArrayBufferLike & { transfer?(bytes: number): ArrayBuffer };

/**
 * Frees the memory of a page. Left to the collector of garbage, pages of a file that claims much in
 * few bytes would take hundreds of megabytes before it begins.
 *
 * @param page The output of a decompressor. It cannot be read any more.
 */
export function freePage({ buffer }: Uint8Array): void {
  free(buffer, LEAST_PAGE_BYTES);
}

/**
 * Frees the memory of values, if they are numbers.
 *
 * @param values In memory of their own. They cannot be read any more.
 */
export function freeValues(values: ArrayLike<unknown>): void {
  if (ArrayBuffer.isView(values)) free(values.buffer, LEAST_VALUES_BYTES);
}

function free(memory: Memory, least: number): void {
  if (memory.byteLength >= least) memory.transfer?.(0);
}
