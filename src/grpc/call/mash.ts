/**
 * Finds the node that owns a stream (docs/protocol.md, "Clusters").
 *
 * @module
 */

import type { Mash } from "../../endpoint/endpoint.ts";
import type { Address } from "../transport/address.ts";
import { type Learning, learntAddress } from "./learnt_address.ts";
import { murmur3 } from "./murmur3.ts";

/** A member that serves: the hashes `[start, end)` are its. */
export interface Owner {
  readonly start: number;
  readonly end: number;
  /** Addresses of the node; any of them will do. */
  readonly addresses: readonly Address[];
}

/** The owners of a mash, by hash. */
export class Routes {
  readonly owners: readonly Owner[];

  /**
   * @param mash The mash of an answer to `Info`; absent behind a proxy.
   * @param learning Source of the mash, and which of its addresses may be used.
   */
  constructor(mash: Mash | undefined, learning: Learning) {
    this.owners = (mash?.members ?? [])
      .filter((member) => member.in && member.up && member.start !== member.end)
      .map((member) => ({
        start: Number(member.start),
        end: Number(member.end),
        addresses: member.grpcEndpoints.flatMap((text) => learntAddress(text, learning)),
      }))
      .filter((owner) => owner.addresses.length > 0);
  }

  /**
   * True if calls have to find their node: a single member is every bootstrap, under whatever name
   * it is reached from here.
   */
  get routed(): boolean {
    return this.owners.length > 1;
  }

  /** The owner of a stream; `undefined` while nobody owns it. */
  ownerOf(uuid: Uint8Array): Owner | undefined {
    const hash = murmur3(uuid);
    return this.owners.find(({ start, end }) => start <= hash && hash < end);
  }
}
