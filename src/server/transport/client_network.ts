/**
 * The network of a client, by which connections are counted.
 *
 * @module
 */

/** Groups of 16 bits in the part of an IPv6 address that a provider assigns: 64 bits. */
const NETWORK_GROUPS = 4;

/**
 * The network of an address: an IPv4 address itself, also one mapped to IPv6; the first 64 bits of an
 * IPv6 address, because whoever has one address there has all 2⁶⁴ of them (RFC 6177).
 *
 * @param address An address as sockets name it; undefined if the connection has ended.
 */
export function networkOf(address: string | undefined): string {
  if (address === undefined) return "";
  if (!address.includes(":") || address.includes(".")) return address;
  const [start, end] = address.split("%")[0]!.split("::");
  const groups = start === "" ? [] : start!.split(":");
  const rest = end === undefined || end === "" ? [] : end.split(":");
  while (end !== undefined && groups.length + rest.length < 8) groups.push("0");
  return `${[...groups, ...rest].slice(0, NETWORK_GROUPS).join(":")}::/64`;
}
