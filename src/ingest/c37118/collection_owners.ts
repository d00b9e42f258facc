/**
 * Names of collections, each of which belongs to one device: points of two devices never mix.
 *
 * @module
 */

import type { SourceColumn } from "../source.ts";

/** A device as the sender of frames. */
export interface Sender {
  /** Address of the source, as given. */
  readonly source: string;
  readonly address: string;
  readonly port: number;
  /** Time of its last frame, ms; that of a device that is asked is never. */
  seenMs: number;
  /** Silence after which a device at another port of its address may be the same one, ms. */
  silentMs: number;
}

/** Most collections and streams of a run, together. */
const MAX_NAMES = 200_000;

/**
 * Gives collections to devices, and bounds how many names they have. An address gets three quarters of
 * what others have left at most, so that one whose names change all the time leaves room for new devices.
 */
export class CollectionOwners {
  readonly #owners = new Map<string, Sender>();
  readonly #streams = new Set<string>();
  /** Number of names of each address. */
  readonly #shares = new Map<string, number>();

  /**
   * Gives a collection to a device: the wanted one, or if that is another device's, one with the
   * address behind it.
   *
   * @param wanted Name that the station has by itself.
   * @param suffix Appended to tell stations of one device apart.
   * @param sender The device.
   * @returns The collection, and the device that had it before if that one fell silent and is taken
   * for the same; `undefined` if the address has too many names.
   */
  claim(
    wanted: string,
    suffix: string,
    sender: Sender,
  ): { collection: string; before: Sender | undefined } | undefined {
    const { address, port } = sender;
    for (let n = 1;; n++) {
      const numbered = n <= 3 ? "" : ` ${n - 1}`;
      const at = n === 1 ? "" : n === 2 ? `@${address}` : `@${address}:${port}${numbered}`;
      const collection = `${wanted}${at}${suffix}`;
      const owner = this.#owners.get(collection);
      if (owner !== undefined && !isSame(owner, sender) && !isSuccessor(owner, sender)) continue;
      if (owner === undefined && !this.#take(sender, 1)) return undefined;
      this.#owners.set(collection, sender);
      const isTaken = owner !== undefined && !isSame(owner, sender);
      return { collection, before: isTaken ? owner : undefined };
    }
  }

  /** Takes note of the streams of a device; false if its address has too many names. */
  admit(columns: readonly SourceColumn[], sender: Sender): boolean {
    const names = columns.map(({ collection, name }) => `${collection}\0${name}`);
    const added = names.filter((name) => !this.#streams.has(name));
    if (!this.#take(sender, added.length)) return false;
    for (const name of added) this.#streams.add(name);
    return true;
  }

  #take({ source, address }: Sender, count: number): boolean {
    const who = `${source} ${address}`;
    const own = this.#shares.get(who) ?? 0;
    const free = MAX_NAMES - this.#owners.size - this.#streams.size;
    if (4 * (own + count) > 3 * (own + free)) return false;
    this.#shares.set(who, own + count);
    return true;
  }
}

function isSame(a: Sender, b: Sender): boolean {
  return a.source === b.source && a.address === b.address && a.port === b.port;
}

/** Tells whether a device that fell silent came back with another port, as after a restart. */
function isSuccessor(old: Sender, { source, address }: Sender): boolean {
  return old.source === source && old.address === address &&
    Date.now() - old.seenMs > old.silentMs;
}
