/**
 * Addresses and targets as errors repeat them.
 *
 * @module
 */

/**
 * The text without what may be a password or a key in it: whatever stands before an `@`, and whatever
 * follows a `?` or `#`.
 *
 * @param text An address or target as it was given.
 */
export function shownAddress(text: string): string {
  return text.replace(/^([a-z+-]+:\/\/)?.*@|[?#].*/gis, "$1…");
}
