/**
 * Access rules for browsers over HTTP: the origins whose pages may call, and the names under which
 * this server may be addressed, so that no page can reach it by a name of its own (DNS rebinding).
 *
 * @module
 */

import { isIP } from "node:net";
import { isLoopback } from "../options.ts";

/** Rules for a port. */
export interface OriginRules {
  /** Origins whose pages may call, `https://grid.example.org`; `"*"`: all. */
  readonly origins: readonly string[];
  /** Host name the server listens at. */
  readonly hostname: string;
  /** True if callers show keys: then the name by which they came does not matter. */
  readonly keyed: boolean;
}

/**
 * The host of a `Host` header, without port and brackets, in lower case; undefined for a header that
 * has another form, which no browser sends.
 */
function hostOf(header: string): string | undefined {
  const match = /^(?:\[([0-9a-f:.]+)\]|([^[\]:@/?#\s]+))(?::\d{1,5})?$/i.exec(header);
  return (match?.[1] ?? match?.[2])?.toLowerCase();
}

/**
 * Tells whether a request may be addressed to this server under the name in its `Host` header.
 *
 * @param header `Host` or `:authority`.
 */
export function isOwnHost(header: string | undefined, rules: OriginRules): boolean {
  if (rules.keyed) return true;
  const host = hostOf(header ?? "");
  if (host === undefined) return false;
  // No DNS server can make an address lead elsewhere.
  if (isIP(host) !== 0 || isLoopback(host) || host.endsWith(".localhost")) return true;
  if (host === rules.hostname.toLowerCase()) return true;
  return rules.origins.some((origin) => URL.canParse(origin) && new URL(origin).hostname === host);
}

/**
 * The `Access-Control-Allow-Origin` for a request.
 *
 * @param origin `Origin` header; absent where no page of another origin asks.
 * @param host `Host` header.
 * @returns `undefined` if none is needed, `null` if the page may not ask.
 */
export function allowedOrigin(
  origin: string | undefined,
  host: string | undefined,
  rules: OriginRules,
): string | null | undefined {
  if (origin === undefined) return undefined;
  if (rules.origins.includes("*")) return "*";
  if (isOwnOrigin(origin, host)) return undefined;
  return rules.origins.includes(origin) ? origin : null;
}

/**
 * Tells whether a key may come as the password of `Basic`. A browser in which one was typed in adds it to
 * the requests of every page, so that a page which may call only because all may would write with it.
 *
 * @param origin `Origin` header; absent where no page of another origin asks.
 * @param host `Host` header.
 */
export function mayShowPassword(
  origin: string | undefined,
  host: string | undefined,
  { origins }: OriginRules,
): boolean {
  return origin === undefined || origins.includes(origin) || isOwnOrigin(origin, host);
}

function isOwnOrigin(origin: string, host: string | undefined): boolean {
  return URL.canParse(origin) && new URL(origin).host === host?.toLowerCase();
}
