/**
 * Addresses that a server tells of: members of its mash and proxies. The key goes there too, so they
 * are held to more than those that the user names.
 *
 * @module
 */

import { type Address, addressText, isIp, parseAddress } from "../transport/address.ts";

/** Source of learnt addresses, and their bounds. */
export interface Learning {
  /** Addresses that the user named; one of these is spoken to as the user said. */
  readonly bootstraps: readonly Address[];
  /**
   * True if the server that named them was reached over TLS. Then they are reached over TLS only.
   */
  readonly overTls: boolean;
  /** Hosts that learnt addresses may have; `*.` stands for any subdomain. Absent: any host. */
  readonly allowedHosts?: readonly string[] | undefined;
}

/**
 * Parses a learnt address.
 *
 * @param text As the server gives it: what it lists need not be fit for use.
 * @returns One address, or none if it is no address or may not be used.
 */
export function learntAddress(text: string, learning: Learning): Address[] {
  const { bootstraps, overTls, allowedHosts } = learning;
  try {
    const parsed = parseAddress(text.trim());
    const known = bootstraps.find((address) => addressText(address) === addressText(parsed));
    if (known !== undefined) return [known];
    if (allowedHosts !== undefined && !isAllowed(parsed.host, allowedHosts)) return [];
    return [{ ...parsed, tls: parsed.tls || overTls }];
  } catch {
    return [];
  }
}

/** Tells whether a host is one of those in a list. An address is no subdomain of anything. */
function isAllowed(host: string, allowed: readonly string[]): boolean {
  const name = plainName(host);
  return allowed.map(plainName).some((entry) =>
    entry.startsWith("*.") ? !isIp(name) && name.endsWith(entry.slice(1)) : name === entry
  );
}

/** A host without what does not tell it from another: case, brackets, the dot at its end. */
function plainName(host: string): string {
  return host.toLowerCase().replace(/^\[(.*)\]$/, "$1").replace(/\.$/, "");
}
