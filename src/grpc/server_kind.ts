/**
 * Identifies the server and the workarounds it needs.
 *
 * @module
 */

import type { ServerInfo } from "../endpoint/endpoint.ts";

/** Mark in the build of servers of this package. */
const OURS = /-deno\b/;

/** Mark in the build of those that take inserts of several streams in one message. */
const BATCHES = /-deno\+batches\b/;

/** From this minor version of v5 on: Arrow calls and the two-way `Subscribe`. */
const ARROW_MINOR = 30;

/** Workarounds and forms that a server needs. */
export interface ServerKind {
  /**
   * True if the rules of docs/protocol.md, "Quirks of real servers", apply: for every server but
   * those of this package, which say so in their build. Each workaround names its quirk. Two have
   * none, because what is lost is lost on the server: `duplicates-truncated-1024` and
   * `mean-overflow`.
   */
  readonly quirks: boolean;
  /** True if metadata usage may be asked for; it kills real v4 servers. */
  readonly metadataUsage: boolean;
  /** True if `Subscribe` takes updates (and answers in Arrow) instead of one request. */
  readonly arrowSubscribe: boolean;
  /** True if inserts of several streams may share a message. */
  readonly insertMany: boolean;
  /** True if raw points may be asked for in blocks. A server that does not know them sends points. */
  readonly blocks: boolean;
  /** True if windows may go on to one that begins at the end of the range (docs/protocol.md, "Windows"). */
  readonly windowAtEnd: boolean;
}

/**
 * Derives the kind of a server from its answer to `Info`.
 *
 * @param info Its answer to `Info`.
 * @param override Forces the quirks on or off. @default {"auto"}
 */
export function serverKind(
  info: ServerInfo,
  override: "auto" | "on" | "off" = "auto",
): ServerKind {
  const isOurs = OURS.test(info.build);
  const quirks = override === "auto" ? !isOurs : override === "on";
  return {
    quirks,
    metadataUsage: !quirks || info.protocol === "v5",
    arrowSubscribe: info.majorVersion > 5 ||
      (info.majorVersion === 5 && info.minorVersion >= ARROW_MINOR),
    blocks: !quirks,
    windowAtEnd: !isOurs,
    insertMany: !quirks && BATCHES.test(info.build),
  };
}
