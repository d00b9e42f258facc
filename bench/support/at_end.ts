/**
 * Closing what jobs share, once all of them are measured: open databases and processes would keep the
 * bench from ending.
 *
 * @module
 */

const works: (() => unknown)[] = [];

/** Has something done when everything is measured. */
export function atEnd(work: () => unknown): void {
  works.push(work);
}

/** Does it, the last first. */
export async function closeShared(): Promise<void> {
  for (const work of works.reverse()) await work();
}
