/** Garbage of short-lived objects. */

/**
 * Makes so many short-lived objects that those of before are collected, if no old object has them.
 *
 * @returns Those that are still there.
 */
export function stillThere(objects: readonly WeakRef<object>[]): number {
  let last: unknown;
  for (let i = 0; i < 4_000_000; i++) last = { i };
  return last === undefined ? 0 : objects.filter((one) => one.deref() !== undefined).length;
}
