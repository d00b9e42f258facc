/**
 * Database that `serve_file.ts` serves.
 *
 * @module
 */

/** The stream. */
export const UUID = "01010101-0101-0101-0101-010101010101";
