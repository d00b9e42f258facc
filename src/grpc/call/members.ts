/**
 * The nodes of a cluster, as a server tells of them, and which of them a call may go to
 * (docs/protocol.md, "Clusters"). Loaded only where nodes can be reached: not from pages.
 *
 * @module
 */

import { BTrDBError, ErrorCode } from "../../core/errors.ts";
import { uuidText } from "../../core/uuid.ts";
import type { ServerInfo } from "../../endpoint/endpoint.ts";
import { type Address, channelKey } from "../transport/address.ts";
import { type Learning, learntAddress } from "./learnt_address.ts";
import { Routes } from "./mash.ts";

/** Nodes that calls can go to. */
export interface Members {
  /** Addresses of all of them, each once, those that the user named included. */
  readonly everywhere: readonly Address[];
  /**
   * Addresses that a call may go to, best first.
   *
   * @param uuid Stream concerned, if any.
   * @param anyNode True if a node may answer that does not own the stream.
   * @throws {BTrDBError} 419 if the owner is needed and there is none at present.
   */
  of(uuid: Uint8Array | undefined, anyNode: boolean): readonly Address[];
}

/** Reads the nodes in the answer to `Info`, as far as they may be used. */
export type ReadMembers = (info: ServerInfo, learning: Learning) => Members;

/** See {@linkcode ReadMembers}. */
export function readMembers(info: ServerInfo, learning: Learning): Members {
  const { bootstraps } = learning;
  const routes = new Routes(info.mash, learning);
  const proxies = (info.proxyEndpoints ?? []).flatMap((text) => learntAddress(text, learning));
  const members = routes.routed ? routes.owners.flatMap(({ addresses }) => addresses) : [];
  return {
    everywhere: unique([...members, ...bootstraps, ...proxies]),
    of(uuid, anyNode) {
      if (!routes.routed) return [...bootstraps, ...proxies];
      if (uuid === undefined) return members;
      const owner = routes.ownerOf(uuid);
      if (anyNode) return [...owner?.addresses ?? [], ...members];
      if (owner !== undefined) return owner.addresses;
      throw new BTrDBError("Cluster is degraded: no node owns the stream at present", {
        code: ErrorCode.ClusterDegraded,
        uuid: uuidText(uuid),
      });
    },
  };
}

function unique(addresses: readonly Address[]): Address[] {
  return [...new Map(addresses.map((address) => [channelKey(address), address])).values()];
}
