/**
 * Calls to one server, on a connection that is replaced when the server leaves it or stays silent.
 *
 * @module
 */

import { type Address, addressText } from "./address.ts";
import { type ChannelSettings, Connection } from "./connection.ts";
import { callError } from "../errors.ts";
import type { Rpc, RpcRequest } from "./rpc.ts";
import { ConcurrencyLimit } from "./concurrency_limit.ts";

/** Calls that the server works on at once; with more, all take longer. */
const CALLS_AT_ONCE = 128;

/**
 * Longest time that {@linkcode Channel.close} leaves a stream to a consumer that has stopped
 * reading, ms.
 */
const ABANDONED_MS = 1000;

/** Calls to one server. */
export class Channel {
  readonly address: Address;
  readonly peer: string;
  /** Of calls that have not ended, or whose streamed answer has not begun. */
  readonly limit: ConcurrencyLimit = new ConcurrencyLimit(CALLS_AT_ONCE);
  readonly #settings: ChannelSettings;
  #current: Connection;
  /** Connections that the server is leaving: their calls go on to the end. */
  readonly #retired: Set<Connection> = new Set();
  #closed = false;
  #drained: (() => void) | undefined;

  constructor(address: Address, settings: ChannelSettings) {
    this.address = address;
    this.peer = addressText(address);
    this.#settings = settings;
    this.#current = this.#connection();
  }

  #connection(): Connection {
    const connection: Connection = new Connection(this.address, this.#settings, {
      onRetired: () => this.#retire(connection),
      onSilent: () => {
        this.#retire(connection);
        connection.fail("it does not answer any more");
      },
      onIdle: () => {
        if (this.#retired.delete(connection)) connection.close();
        this.#drained?.();
      },
    });
    return connection;
  }

  /** New calls go to another connection from now on. */
  #retire(connection: Connection): void {
    if (connection !== this.#current || this.#closed) return;
    this.#current = this.#connection();
    if (connection.rpcs.size === 0) connection.close();
    else this.#retired.add(connection);
  }

  /**
   * Sends a request.
   *
   * @param onBegun Called once, when the answer begins or the call is over.
   * @throws {BTrDBError} If the channel is closed; the signal's reason if it is aborted already.
   */
  start(request: RpcRequest, onBegun?: () => void): Rpc {
    request.options.signal?.throwIfAborted();
    if (this.#closed) {
      throw callError(`Cannot call ${request.rpc}: the connection is closed`, "CANCELLED", request);
    }
    return this.#current.start(request, onBegun);
  }

  /**
   * Ends subscriptions, waits for what is in flight, stops streams that nobody reads any more, and
   * disconnects.
   */
  async close(): Promise<void> {
    for (const rpc of this.#rpcs()) if (rpc.endless) rpc.disconnect();
    await this.limit.idle();
    this.#closed = true;
    for (let rpcs = this.#rpcs(); rpcs.length > 0; rpcs = this.#rpcs()) {
      for (const rpc of rpcs) {
        if (rpc.idleMs() >= ABANDONED_MS) rpc.fail("the connection was closed");
      }
      if (this.#rpcs().length > 0) await this.#quiet(100);
    }
    this.#current.close();
  }

  #rpcs(): Rpc[] {
    return [this.#current, ...this.#retired].flatMap(({ rpcs }) => [...rpcs]);
  }

  /** Resolves when no call is left, or after `ms`. */
  #quiet(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const done = () => {
        clearTimeout(timer);
        this.#drained = undefined;
        resolve();
      };
      const timer = setTimeout(done, ms);
      this.#drained = done;
    });
  }
}
