/**
 * Whom we talk to, and so which of its mistakes must be worked around.
 *
 * @module
 */

import type { ServerInfo } from "../endpoint/endpoint.ts";

/** How `serve` of this package marks its build. */
const OURS = /-deno\b/;

/** From this minor version of v5 on: Arrow calls and the two-way `Subscribe`. */
const ARROW_MINOR = 30;

/** What a server's answers call for. */
export interface ServerKind {
  /**
   * Whether the rules of docs/protocol.md, "Quirks of real servers", apply: for every server but
   * those of this package, which say so in their build. Each workaround names its quirk. Two have
   * none, because what is lost is lost on the server: `duplicates-truncated-1024` and
   * `mean-overflow`.
   */
  readonly quirks: boolean;
  /** Whether metadata usage may be asked for; it kills real v4 servers. */
  readonly metadataUsage: boolean;
  /** Whether `Subscribe` takes updates (and answers in Arrow) instead of one request. */
  readonly arrowSubscribe: boolean;
}

/**
 * What is known of a server from what it says of itself.
 *
 * @param info Its answer to `Info`.
 * @param override Forces the quirks on or off. @default {"auto"}
 */
export function serverKind(
  info: ServerInfo,
  override: "auto" | "on" | "off" = "auto",
): ServerKind {
  const quirks = override === "auto" ? !OURS.test(info.build) : override === "on";
  return {
    quirks,
    metadataUsage: !quirks || info.protocol === "v5",
    arrowSubscribe: info.majorVersion > 5 ||
      (info.majorVersion === 5 && info.minorVersion >= ARROW_MINOR),
  };
}
