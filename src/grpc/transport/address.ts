/**
 * Addresses of servers.
 *
 * @module
 */

import { invalidType } from "../../core/argument_error.ts";
import { shownAddress } from "../../core/shown_address.ts";

/** Host, port and whether TLS is spoken there. */
export interface Address {
  /** Name, IPv4 or IPv6 address (without brackets). */
  readonly host: string;
  /** 1 to 65535. */
  readonly port: number;
  /** True if TLS is spoken. */
  readonly tls: boolean;
  /** Path in front of those of calls, `"/grid"`; only over gRPC-Web. @default {""} */
  readonly prefix?: string;
}

/** By convention: plain and TLS (docs/protocol.md, "Addresses, TLS and keys"). */
const PLAIN_PORT = 4410;
const TLS_PORT = 4411;

const SCHEMES: ReadonlyMap<string, boolean | undefined> = new Map([
  ["btrdb", undefined],
  ["btrdb+tls", true],
  ["grpc", false],
  ["grpcs", true],
  ["http", false],
  ["https", true],
]);

/** Names keep to letters of any script, digits, `-`, `_` and `.`. */
const TEXT =
  /^(?:([a-z+]+):\/\/)?(?:\[([0-9a-fA-F:.%]+)\]|([\p{L}\p{M}\p{N}._-]+))(?::(\d{1,5}))?\/?$/u;

/**
 * Parses `host:port`, `[ipv6]:port`, or either behind `btrdb://` or `btrdb+tls://`. Without a port
 * it is 4410, or 4411 with TLS. TLS follows from `tls`, else the scheme, else port 4411.
 *
 * @param text The address.
 * @param tls Overrides what scheme and port say.
 * @returns Its parts.
 * @throws {TypeError} If `text` is no such address.
 */
export function parseAddress(text: string, tls?: boolean): Address {
  const match = TEXT.exec(text);
  const scheme = match?.[1];
  const port = match?.[4] === undefined ? undefined : Number(match[4]);
  if (
    match === null || (scheme !== undefined && !SCHEMES.has(scheme)) || port === 0 ||
    (port !== undefined && port > 65535)
  ) {
    throw invalidType(
      `Cannot use endpoint ${
        JSON.stringify(shownAddress(text))
      }: expected "host:port", "[ipv6]:port" or ` +
        `"btrdb+tls://host:port"`,
    );
  }
  const secure = tls ?? (scheme === undefined ? undefined : SCHEMES.get(scheme)) ??
    port === TLS_PORT;
  const host = (match[2] ?? match[3])!;
  return { host, port: port ?? (secure ? TLS_PORT : PLAIN_PORT), tls: secure };
}

/** Schemes of addresses that are spoken to in gRPC-Web, and what they are in URLs. */
const WEB_SCHEMES: ReadonlyMap<string, string> = new Map([
  ["grpc-web", "http"],
  ["grpc-web+tls", "https"],
  ["http", "http"],
  ["https", "https"],
]);

/**
 * Parses an address that is spoken to in gRPC-Web: `grpc-web://host:port/prefix`, the same with
 * `grpc-web+tls://`, or a URL. Ports are those of HTTP if not given.
 *
 * @param text The address.
 * @returns Its parts.
 * @throws {TypeError} If `text` is no such address.
 */
export function parseWebAddress(text: string): Address {
  const refuse = (): never => {
    throw invalidType(
      `Cannot use endpoint ${
        JSON.stringify(shownAddress(text))
      }: expected "grpc-web://host:port", ` +
        `"grpc-web+tls://host:port", or either with a path`,
    );
  };
  const [, scheme = "", rest = ""] = /^([a-z+-]+):\/\/(.+)$/i.exec(text) ?? [];
  const http = WEB_SCHEMES.get(scheme.toLowerCase());
  if (http === undefined || !URL.canParse(`${http}://${rest}`)) return refuse();
  const url = new URL(`${http}://${rest}`);
  if (url.username !== "" || url.password !== "" || url.search !== "" || url.hash !== "") {
    return refuse();
  }
  const tls = http === "https";
  return {
    host: url.hostname.replace(/^\[(.*)\]$/, "$1"),
    port: url.port === "" ? (tls ? 443 : 80) : Number(url.port),
    tls,
    prefix: url.pathname.replace(/\/+$/, ""),
  };
}

/** Tells whether `host` is a literal IPv4 or IPv6 address. */
export function isIp(host: string): boolean {
  return host.includes(":") || /^\d{1,3}(\.\d{1,3}){3}$/.test(host);
}

/** `host:port` and the prefix, IPv6 in brackets: for people, and as the key of a channel. */
export function addressText({ host, port, prefix = "" }: Address): string {
  return (host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`) + prefix;
}

/** The target in gRPC's notation; literal addresses skip the resolver. */
export function grpcTarget(address: Address): string {
  const text = addressText(address);
  if (address.host.includes(":")) return `ipv6:${text}`;
  return isIp(address.host) ? `ipv4:${text}` : `dns:${text}`;
}

/** One address with TLS and without are two: what has to go over TLS never goes over the other. */
export function channelKey(address: Address): string {
  return `${address.tls ? "tls " : ""}${addressText(address)}`;
}
