/**
 * Reads of many points in worker threads, the rest of a database where it is (docs/server.md,
 * "Workers").
 *
 * @module
 */

import { invalidType } from "../core/argument_error.ts";
import type { Endpoint, Readers } from "../endpoint/endpoint.ts";

/**
 * Opens a database in worker threads.
 *
 * @param endpoint The database.
 * @param count Number of threads; none for 0.
 * @throws {TypeError} If it is not in a file that this process has open.
 */
export async function openWorkers(
  endpoint: Endpoint,
  count: number,
): Promise<Readers | undefined> {
  if (count === 0) return undefined;
  const text = `Cannot serve: workers is ${count}, expected 0 for what is not in a file here`;
  if (endpoint.openReaders === undefined) throw invalidType(text);
  try {
    return await endpoint.openReaders(count);
  } catch (error) {
    throw error instanceof TypeError ? invalidType(text, { cause: error }) : error;
  }
}

const READS: ReadonlySet<unknown> = new Set<keyof Readers>([
  "rawValues",
  "alignedWindows",
  "windows",
  "changes",
]);

/** The same database, with the reads of many points in the threads, if there are any. */
export function readingIn(readers: Readers | undefined, endpoint: Endpoint): Endpoint {
  if (readers === undefined) return endpoint;
  const bound = new Map<unknown, unknown>();
  return new Proxy(endpoint, {
    get(target, name) {
      const known = bound.get(name);
      if (known !== undefined) return known;
      const owner = READS.has(name) ? readers : target;
      const member: unknown = Reflect.get(owner, name, owner);
      if (typeof member !== "function") return member;
      const method: unknown = member.bind(owner);
      bound.set(name, method);
      return method;
    },
  });
}
