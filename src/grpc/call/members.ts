/**
 * The nodes of a cluster, as a server tells of them. Loaded only where nodes can be reached: not from
 * pages.
 *
 * @module
 */

import type { ServerInfo } from "../../endpoint/endpoint.ts";
import type { Address } from "../transport/address.ts";
import { type Learning, learntAddress } from "./learnt_address.ts";
import { Routes } from "./mash.ts";

/** Nodes that calls can go to. */
export interface Members {
  readonly routes: Routes;
  readonly proxies: readonly Address[];
}

/** Reads the nodes in the answer to `Info`, as far as they may be used. */
export type ReadMembers = (info: ServerInfo, learning: Learning) => Members;

/** See {@linkcode ReadMembers}. */
export function readMembers(info: ServerInfo, learning: Learning): Members {
  return {
    routes: new Routes(info.mash, learning),
    proxies: (info.proxyEndpoints ?? []).flatMap((text) => learntAddress(text, learning)),
  };
}
