/**
 * The connections to the nodes of a cluster, and the one that a call goes to.
 *
 * @module
 */

import { BTrDBError } from "../../core/errors.ts";
import type { CallOptions, ServerInfo } from "../../endpoint/endpoint.ts";
import { type Address, channelKey } from "../transport/address.ts";
import { Channel } from "../transport/channel.ts";
import type { ChannelSettings } from "../transport/connection.ts";
import { hideKey } from "../hidden_keys.ts";
import type { Members, ReadMembers } from "./members.ts";

/** Asks a node what it knows of the cluster. */
export type AskInfo = (channel: Channel, options: CallOptions) => Promise<ServerInfo>;

/** Longest wait for the mash of one node, and of all of them, ms. */
const INFO_TIMEOUT_MS = 2000;
const RESYNC_TIMEOUT_MS = 30_000;

/** One channel an address, and the rules that choose one. */
export class Cluster {
  readonly #bootstraps: readonly Address[];
  readonly #settings: ChannelSettings;
  readonly #channels: Map<string, Channel> = new Map();
  readonly #closing: Set<Promise<void>> = new Set();
  /** Time at which an address was last found dead, ms; those never found dead are not in it. */
  readonly #lostMs: Map<string, number> = new Map();
  readonly #readMembers: ReadMembers | undefined;
  readonly #showKey: () => void;
  #known: Members | undefined;
  #resyncing: Promise<void> | undefined;
  #closed = false;
  #health: { healthy: boolean; unmapped: number } | undefined;

  /**
   * @param bootstraps Addresses that lead to the cluster, best first; at least one.
   * @param settings Settings of all channels.
   * @param readMembers Reads what a node says of the others; absent: they cannot be reached.
   */
  constructor(
    bootstraps: readonly Address[],
    settings: ChannelSettings,
    readMembers?: ReadMembers,
  ) {
    this.#bootstraps = bootstraps;
    this.#settings = settings;
    this.#readMembers = readMembers;
    this.#showKey = hideKey(settings.apiKey);
  }

  /** State of the cluster when it last said so; `undefined` behind a proxy. */
  get health(): { readonly healthy: boolean; readonly unmapped: number } | undefined {
    return this.#health;
  }

  /** Takes over what a node says of the cluster; channels of nodes that are gone are closed. */
  learn(info: ServerInfo, from: Address): void {
    const { allowedHosts } = this.#settings;
    this.#health = info.mash;
    if (this.#readMembers === undefined) return;
    const learning = { bootstraps: this.#bootstraps, overTls: from.tls, allowedHosts };
    this.#known = this.#readMembers(info, learning);
    const wanted = new Set(this.#everywhere().map(channelKey));
    for (const [key, channel] of this.#channels) {
      if (!wanted.has(key)) {
        this.#channels.delete(key);
        this.#close(channel);
      }
    }
    for (const key of this.#lostMs.keys()) if (!wanted.has(key)) this.#lostMs.delete(key);
  }

  /**
   * The channel for a call.
   *
   * @param uuid Stream concerned, if any.
   * @param anyNode True if a node may answer that does not own the stream.
   * @throws {BTrDBError} 419 if the owner is needed and there is none at present.
   */
  route(uuid: Uint8Array | undefined, anyNode: boolean): Channel {
    return this.channel(this.#alive(this.#known?.of(uuid, anyNode) ?? this.#bootstraps));
  }

  /**
   * The channel to an address, opened if need be.
   *
   * @throws {BTrDBError} `CANCELLED` after {@linkcode close}.
   */
  channel(address: Address): Channel {
    if (this.#closed) {
      throw new BTrDBError("Cannot make a call: the connection is closed", { status: "CANCELLED" });
    }
    const key = channelKey(address);
    let channel = this.#channels.get(key);
    if (channel === undefined) {
      channel = new Channel(address, this.#settings);
      this.#channels.set(key, channel);
    }
    return channel;
  }

  /** Notes that a node did not answer; others are preferred from now on. */
  lost(channel: Channel): void {
    this.#lostMs.set(channelKey(channel.address), performance.now());
  }

  /**
   * Asks for the mash again, node after node until one answers. Concurrent calls share one round;
   * a round without any answer changes nothing.
   */
  resync(ask: AskInfo): Promise<void> {
    this.#resyncing ??= this.#resync(ask).finally(() => this.#resyncing = undefined);
    return this.#resyncing;
  }

  async #resync(ask: AskInfo): Promise<void> {
    const addresses = [...this.#everywhere()].sort((a, b) => this.#lost(a) - this.#lost(b));
    const endMs = Date.now() + RESYNC_TIMEOUT_MS;
    for (const address of addresses) {
      if (this.#closed || Date.now() > endMs) return;
      const channel = this.channel(address);
      try {
        const info = await ask(channel, { deadlineMs: Date.now() + INFO_TIMEOUT_MS });
        return this.learn(info, address);
      } catch {
        this.lost(channel);
      }
    }
  }

  /** Waits for what is in flight, then disconnects from every node. */
  async close(): Promise<void> {
    this.#closed = true;
    for (const channel of this.#channels.values()) this.#close(channel);
    this.#channels.clear();
    await Promise.all(this.#closing);
    this.#showKey();
  }

  #close(channel: Channel): void {
    const closing = channel.close().finally(() => this.#closing.delete(closing));
    this.#closing.add(closing);
  }

  #everywhere(): readonly Address[] {
    return this.#known?.everywhere ?? this.#bootstraps;
  }

  #lost(address: Address): number {
    return this.#lostMs.get(channelKey(address)) ?? 0;
  }

  /** The first address that was never lost, else the one that was lost first. */
  #alive(addresses: readonly Address[]): Address {
    // Of thousands of members, calls look at no more than they need.
    return addresses.find((address) => this.#lost(address) === 0) ??
      addresses.reduce((best, next) => this.#lost(next) < this.#lost(best) ? next : best);
  }
}
