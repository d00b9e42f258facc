/**
 * Checks the hosts to which servers may send a client on.
 *
 * @module
 */

import { invalidType } from "../core/argument_error.ts";
import { describe } from "../core/describe.ts";

/** A name or address, or `*.` with a name; no scheme, port or path. */
const NAME = /^(?:\*\.)?[\p{L}\p{M}\p{N}._-]+$/u;
const IPV6 = /^(?:[0-9a-f.]*:[0-9a-f.]*:[0-9a-f:.]*|\[[0-9a-f.]*:[0-9a-f.]*:[0-9a-f:.]*\])$/i;

/**
 * Refuses entries that no host could ever match: who writes them believes them to be in force.
 *
 * @param hosts The option `allowedHosts`.
 * @throws {TypeError} If it is no array, or an entry is no host.
 */
export function checkAllowedHosts(hosts: unknown): void {
  if (!Array.isArray(hosts)) {
    throw invalidType(
      `Cannot connect: allowedHosts is ${describe(hosts)}, expected an array of host names`,
    );
  }
  for (const [i, host] of hosts.entries()) {
    if (typeof host === "string" && (NAME.test(host) || IPV6.test(host))) continue;
    throw invalidType(
      `Cannot connect: allowedHosts[${i}] is ${
        describe(host)
      }, expected a host name, an address, ` +
        `or "*.example.org" for subdomains`,
    );
  }
}
