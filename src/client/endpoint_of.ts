/**
 * Finds the endpoint of a `BTrDB`, for this package only: `serve` puts the endpoint behind a
 * port, and nobody else needs it.
 *
 * @module
 */

import type { Endpoint } from "../endpoint/endpoint.ts";
import { invalidType } from "../core/argument_error.ts";

const endpoints = new WeakMap<object, Endpoint>();

/** Remembers which endpoint a database object stands on. */
export function setEndpoint(db: object, endpoint: Endpoint): void {
  endpoints.set(db, endpoint);
}

/**
 * The endpoint a `BTrDB` stands on.
 *
 * @param db A `BTrDB`.
 * @throws {TypeError} If it is none.
 */
export function endpointOf(db: object): Endpoint {
  const endpoint = endpoints.get(db);
  if (endpoint === undefined) {
    throw invalidType("Cannot find the endpoint: db is not a BTrDB made by connect");
  }
  return endpoint;
}
