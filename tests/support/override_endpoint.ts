/**
 * A real endpoint with some of its parts replaced: to watch calls, to make them fail, or to let the
 * embedded engine pass for a server.
 *
 * @module
 */

import type { Endpoint } from "../../src/endpoint/endpoint.ts";

/** `endpoint`, with the members of `own` in place of its own. */
export function override(endpoint: Endpoint, own: Partial<Endpoint>): Endpoint {
  return new Proxy(endpoint, {
    get(target, name) {
      const member = Reflect.get(name in own ? own : target, name);
      return typeof member === "function" ? member.bind(name in own ? own : target) : member;
    },
  });
}

/** `endpoint`, passing for a server that speaks v4: no merge policies, 25,000 points an insert. */
export function asV4(endpoint: Endpoint, own: Partial<Endpoint> = {}): Endpoint {
  const capabilities = {
    ...endpoint.capabilities,
    protocol: "v4" as const,
    mergePolicies: false,
    setTags: false,
    sql: false,
    maxInsertPoints: 25_000,
  };
  return override(endpoint, { capabilities, ...own });
}
