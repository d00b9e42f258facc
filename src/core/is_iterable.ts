/**
 * Tells what can be iterated.
 *
 * @module
 */

/** Tells whether a value is an iterable or async iterable object; a string is none. */
export function isIterable(value: unknown): boolean {
  if (typeof value !== "object" || value === null) return false;
  return Symbol.asyncIterator in value || Symbol.iterator in value;
}
