/**
 * Targets of requests of HTTP/1.1 (RFC 9112, section 3.2).
 *
 * @module
 */

/** A target in parts. */
export interface RequestTarget {
  /** Host and port, if the target names them: then whatever `Host` says does not count. */
  readonly authority: string | undefined;
  /** Path and query. */
  readonly url: string;
}

const ABSOLUTE = /^https?:\/\/([^/?#]*)(.*)$/i;

/** Takes a target apart. Servers accept the absolute form, which only proxies are sent as a rule. */
export function requestTarget(target: string): RequestTarget {
  const [, authority, rest] = ABSOLUTE.exec(target) ?? [];
  if (authority === undefined || rest === undefined) return { authority: undefined, url: target };
  return { authority, url: rest.startsWith("/") ? rest : `/${rest}` };
}
