/**
 * One connection to a server, remade by its wire as need be, and the calls on it.
 *
 * @module
 */

import { abortable } from "../../core/call.ts";
import { socketsSeen } from "../../core/event_loop.ts";
import { type Address, addressText } from "./address.ts";
import { type Peer, Rpc, type RpcRequest } from "./rpc.ts";
import { CallRecorder, type Watchers } from "./telemetry.ts";
import type { Transport, Wire } from "./wire.ts";

/** Settings that all connections of a client share. */
export interface ChannelSettings {
  readonly transport: Transport;
  readonly apiKey?: string | undefined;
  /** Hosts that addresses learnt from servers may have; absent: any. */
  readonly allowedHosts?: readonly string[] | undefined;
  readonly watchers: Watchers;
  /** Silence after which a connection with calls on it is sent a keepalive probe, ms. */
  readonly probeAfterMs: number;
  /** Longest wait for the answer to a probe, ms. */
  readonly probeTimeoutMs: number;
  /** Longest time between the beginning of an answer and its first message, ms. */
  readonly muteAfterMs: number;
}

/** The keepalive probe: every server answers something to this, whatever it speaks. */
const PROBE = {
  rpc: "Info",
  path: "/grpcinterface.BTrDB/Info",
  message: new Uint8Array(0),
  attempt: 1,
};

/** Told what happens to a connection. */
export interface ConnectionEvents {
  /** The server takes no new calls on it (GOAWAY); those that it has begun go on. */
  onRetired(): void;
  /** The last call on it has ended. */
  onIdle(): void;
  /** It does not answer any more. */
  onSilent(): void;
}

/** A connection, made when it is first needed. */
export class Connection {
  readonly rpcs: Set<Rpc> = new Set();
  readonly #peer: Peer;
  readonly #settings: ChannelSettings;
  readonly #events: ConnectionEvents;
  readonly #wire: Wire;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #heardMs = 0;
  #probing = false;
  #isClosed = false;

  constructor(address: Address, settings: ChannelSettings, events: ConnectionEvents) {
    this.#peer = { address: addressText(address), apiKey: settings.apiKey };
    this.#settings = settings;
    this.#events = events;
    this.#wire = settings.transport.open(address, () => events.onRetired());
  }

  /**
   * Sends a request.
   *
   * @param onBegun Called once, when the answer begins or the call is over.
   */
  start(request: RpcRequest, onBegun?: () => void): Rpc {
    const { rpc, uuid, attempt, message } = request;
    const recorder = new CallRecorder(this.#settings.watchers, {
      rpc,
      server: this.#peer.address,
      uuid,
      attempt,
      requestBytes: message.length,
    });
    let begun = onBegun;
    const started = new Rpc(this.#wire, this.#peer, request, recorder, (ended) => {
      this.#heardMs = Date.now();
      begun?.();
      begun = undefined;
      if (ended) this.#remove(started);
    });
    this.rpcs.add(started);
    if (this.rpcs.size === 1) this.#heardMs = Date.now();
    const { probeAfterMs } = this.#settings;
    if (this.#timer === undefined && !this.#probing) {
      this.#watch(probeAfterMs);
    }
    return started;
  }

  #remove(rpc: Rpc): void {
    this.rpcs.delete(rpc);
    if (this.rpcs.size > 0) return;
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#events.onIdle();
  }

  /** Looks again after `ms` whether the server has been heard. */
  #watch(ms: number): void {
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      this.#failMute();
      if (this.rpcs.size === 0) return;
      const silentMs = Date.now() - this.#heardMs;
      const { probeAfterMs } = this.#settings;
      if (!this.#settings.transport.canProbe) this.#watch(probeAfterMs);
      else if (silentMs < probeAfterMs) this.#watch(probeAfterMs - silentMs);
      else void this.#probe();
    }, ms);
  }

  /** Fails the calls whose answer has begun and does not go on; the connection itself may be alive. */
  #failMute(): void {
    const now = Date.now();
    for (const rpc of [...this.rpcs]) {
      if (rpc.mutenessMs(now) < this.#settings.muteAfterMs) continue;
      rpc.fail(`it began an answer and sent nothing of it for ${this.#settings.muteAfterMs} ms`);
    }
  }

  /** Sends a probe; without an answer, all calls fail. */
  async #probe(): Promise<void> {
    this.#probing = true;
    const heardMs = this.#heardMs;
    const answered = await this.#answers();
    this.#probing = false;
    if (this.rpcs.size === 0) return;
    if (!answered && heardMs === this.#heardMs) this.#events.onSilent();
    if (this.rpcs.size > 0) this.#watch(this.#settings.probeAfterMs);
  }

  /**
   * Tells whether the server says anything, be it an error, within the time it has. An answer counts that
   * has come by then, though this process was too busy to look at it.
   */
  async #answers(): Promise<boolean> {
    const deadlineMs = Date.now() + this.#settings.probeTimeoutMs;
    const recorder = new CallRecorder({}, {
      ...PROBE,
      uuid: undefined,
      server: this.#peer.address,
      requestBytes: 0,
    });
    const probe = new Rpc(this.#wire, this.#peer, { ...PROBE, options: {} }, recorder, () => {});
    let isAnswered = false;
    const answer = probe.read().catch(() => {}).then(() => isAnswered = true);
    await abortable(answer, { deadlineMs }, "probe").catch(() => {});
    // Once to read the sockets, once more for what handles it.
    for (let i = 0; i < 2 && !isAnswered; i++) await socketsSeen();
    probe.cancel();
    return isAnswered;
  }

  /** Ends all calls, because the server does not answer any more, and disconnects. */
  fail(details: string): void {
    for (const rpc of [...this.rpcs]) rpc.fail(details);
    this.close();
  }

  /** Disconnects. */
  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#wire.close();
  }
}
