/**
 * Work that is done before an error that nobody catches ends the process. Deno lets go of all objects
 * then, SQLite's connections too, without an event like the one at an ordinary end.
 *
 * @module
 */

import process from "node:process";

const EVENT = "uncaughtExceptionMonitor";

const works = new Set<() => void>();

function run(): void {
  for (const work of works) work();
}

/**
 * Has something done when an error is not caught. The process may go on after it all the same, where a
 * program hears of such errors.
 *
 * @param work Never throws.
 * @returns A function that takes it back.
 */
export function onUncaughtError(work: () => void): () => void {
  if (works.size === 0) process.on(EVENT, run);
  works.add(work);
  return () => {
    if (works.delete(work) && works.size === 0) process.off(EVENT, run);
  };
}
