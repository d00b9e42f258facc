/**
 * Finds the node that owns a stream (docs/protocol.md, "Clusters").
 *
 * @module
 */

import type { Mash } from "../../endpoint/endpoint.ts";
import { type Address, addressText, parseAddress } from "../transport/address.ts";
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
   * @param mash What `Info` said; absent behind a proxy.
   * @param bootstraps Addresses that lead to the cluster. An address of the mash that is one of
   * them is spoken to in the same way; others speak TLS if the port is 4411 or all of these do.
   */
  constructor(mash: Mash | undefined, bootstraps: readonly Address[]) {
    this.owners = (mash?.members ?? [])
      .filter((member) => member.in && member.up && member.start !== member.end)
      .map((member) => ({
        start: Number(member.start),
        end: Number(member.end),
        addresses: member.grpcEndpoints.flatMap((text) => addressOf(text, bootstraps)),
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

/** The address in `text`, or none: what a mash lists need not be fit for use. */
function addressOf(text: string, bootstraps: readonly Address[]): Address[] {
  try {
    const parsed = parseAddress(text.trim());
    const known = bootstraps.find((address) => addressText(address) === addressText(parsed));
    if (known !== undefined) return [known];
    return [{ ...parsed, tls: parsed.tls || bootstraps.every((address) => address.tls) }];
  } catch {
    return [];
  }
}
