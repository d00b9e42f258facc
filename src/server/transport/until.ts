/**
 * Waiting for something that is looked at again and again.
 *
 * @module
 */

/** Waits for a condition, at most `ms`. */
export async function until(condition: () => boolean, ms: number): Promise<void> {
  const end = Date.now() + ms;
  while (!condition() && Date.now() < end) {
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}
