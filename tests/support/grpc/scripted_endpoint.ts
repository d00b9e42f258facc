/**
 * An endpoint of which a test writes just the operations it is about; every other one fails.
 *
 * @module
 */

import { BTrDBError } from "../../../src/core/errors.ts";
import type { Capabilities, Endpoint } from "../../../src/endpoint/endpoint.ts";

const CAPABILITIES: Capabilities = {
  protocol: "embedded",
  mergePolicies: true,
  setTags: true,
  sql: true,
  stddev: true,
  subscribe: true,
  maxInsertPoints: 1_000_000,
};

/**
 * An endpoint with the given operations.
 *
 * @param operations Operations of the endpoint; all others fail.
 */
export function scriptedEndpoint(operations: Partial<Endpoint>): Endpoint {
  return new Proxy({ capabilities: CAPABILITIES, ...operations } as Endpoint, {
    has: () => true,
    get(target, name) {
      const own = Reflect.get(target, name);
      // What an endpoint may lack is absent.
      if (own !== undefined || name === "trouble") return own;
      return () => {
        throw new BTrDBError(`${String(name)} is not in the script`, { code: 501 });
      };
    },
  });
}

/** The chunks as an endpoint streams them. */
export async function* streamed<T>(...chunks: readonly T[]): AsyncIterableIterator<T> {
  for (const chunk of chunks) {
    await Promise.resolve();
    yield chunk;
  }
}
