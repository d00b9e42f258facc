/**
 * A connection to one server.
 *
 * @module
 */

import { Channel as GrpcChannel, type ChannelOptions, credentials } from "@grpc/grpc-js";
import { Buffer } from "node:buffer";
import { checkServerIdentity, type PeerCertificate } from "node:tls";
import { type Address, addressText, grpcTarget, isIp } from "./address.ts";
import { type Peer, Rpc, type RpcRequest } from "./rpc.ts";
import { callError } from "../errors.ts";
import { CallRecorder, type Watchers } from "./telemetry.ts";
import { UnaryLimit } from "./unary_limit.ts";

/** What all connections of a client have in common. */
export interface ChannelSettings {
  readonly apiKey?: string | undefined;
  /** Certificates of authorities, PEM; absent: the platform's. */
  readonly caBundle?: string | Uint8Array | undefined;
  /** Name that the server's certificate must carry; absent: the host's. */
  readonly tlsName?: string | undefined;
  readonly watchers: Watchers;
  /** Bytes that may be under way on the wire, per connection and per call. */
  readonly flowControlWindow: number;
  /** Silence after which a connection with calls on it is asked for a sign of life, ms. */
  readonly probeAfterMs: number;
  /** How long the sign of life may take, ms. */
  readonly probeTimeoutMs: number;
}

/** The keepalive probe: every server answers something to this, whatever it speaks. */
const PROBE = {
  rpc: "Info",
  path: "/grpcinterface.BTrDB/Info",
  message: new Uint8Array(0),
  attempt: 1,
};

/** Calls with one answer at once, inserts and deletes aside; with more, all take longer. */
const UNARY_AT_ONCE = 128;

/** How long {@linkcode Channel.close} leaves a stream to a consumer that has stopped reading. */
const ABANDONED_MS = 1000;

/** A connection to one server, made when it is first needed, and remade when it stays silent. */
export class Channel {
  readonly address: Address;
  readonly peer: string;
  /** Of calls with one answer, inserts and deletes aside. */
  readonly unaryLimit: UnaryLimit = new UnaryLimit(UNARY_AT_ONCE);
  readonly #settings: ChannelSettings;
  readonly #peer: Peer;
  readonly #rpcs: Set<Rpc> = new Set();
  #grpc: GrpcChannel;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #heardMs = 0;
  #probing = false;
  #closed = false;
  #drained: (() => void) | undefined;

  constructor(address: Address, settings: ChannelSettings) {
    this.address = address;
    this.peer = addressText(address);
    this.#settings = settings;
    this.#peer = { address: this.peer, apiKey: settings.apiKey };
    this.#grpc = open(address, settings);
  }

  /**
   * Sends a request.
   *
   * @throws {BTrDBError} If the channel is closed; the signal's reason if it is aborted already.
   */
  start(request: RpcRequest): Rpc {
    request.options.signal?.throwIfAborted();
    if (this.#closed) {
      throw callError(`Cannot call ${request.rpc}: the connection is closed`, "CANCELLED", request);
    }
    return this.#start(request);
  }

  #start(request: RpcRequest): Rpc {
    const { rpc, uuid, attempt, message } = request;
    const recorder = new CallRecorder(this.#settings.watchers, {
      rpc,
      server: this.peer,
      uuid,
      attempt,
      requestBytes: message.length,
    });
    const started = new Rpc(this.#grpc, this.#peer, request, recorder, (ended) => {
      this.#heardMs = Date.now();
      if (ended) this.#remove(started);
    });
    this.#rpcs.add(started);
    if (this.#rpcs.size === 1) this.#heardMs = Date.now();
    if (this.#timer === undefined && !this.#probing) this.#watch(this.#settings.probeAfterMs);
    return started;
  }

  #remove(rpc: Rpc): void {
    this.#rpcs.delete(rpc);
    if (this.#rpcs.size > 0) return;
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#drained?.();
  }

  /** Looks again after `ms` whether the server has been heard. */
  #watch(ms: number): void {
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      const silentMs = Date.now() - this.#heardMs;
      const { probeAfterMs } = this.#settings;
      if (silentMs < probeAfterMs) this.#watch(probeAfterMs - silentMs);
      else void this.#probe();
    }, ms);
  }

  /** Asks for a sign of life; without one, all calls fail and the connection is made anew. */
  async #probe(): Promise<void> {
    this.#probing = true;
    const heardMs = this.#heardMs;
    const answered = await this.#answers();
    this.#probing = false;
    if (this.#rpcs.size === 0) return;
    if (!answered && heardMs === this.#heardMs) this.#replace();
    if (this.#rpcs.size > 0) this.#watch(this.#settings.probeAfterMs);
  }

  /** Whether the server says anything, be it an error, within the time it has. */
  async #answers(): Promise<boolean> {
    const deadlineMs = Date.now() + this.#settings.probeTimeoutMs;
    const recorder = new CallRecorder({}, {
      ...PROBE,
      uuid: undefined,
      server: this.peer,
      requestBytes: 0,
    });
    const request = { ...PROBE, options: { deadlineMs } };
    const probe = new Rpc(this.#grpc, this.#peer, request, recorder, () => {});
    await probe.read().catch(() => {});
    probe.cancel();
    return Date.now() < deadlineMs;
  }

  #replace(): void {
    const silent = [...this.#rpcs];
    const old = this.#grpc;
    this.#grpc = open(this.address, this.#settings);
    for (const rpc of silent) rpc.fail("it does not answer any more");
    old.close();
  }

  /**
   * Ends subscriptions, waits for what is in flight, stops streams that nobody reads any more, and
   * disconnects.
   */
  async close(): Promise<void> {
    for (const rpc of this.#rpcs) if (rpc.endless) rpc.disconnect();
    await this.unaryLimit.idle();
    this.#closed = true;
    while (this.#rpcs.size > 0) {
      for (const rpc of this.#rpcs) {
        if (rpc.idleMs() >= ABANDONED_MS) rpc.fail("the connection was closed");
      }
      if (this.#rpcs.size > 0) await this.#quiet(100);
    }
    this.#grpc.close();
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

function open(address: Address, settings: ChannelSettings): GrpcChannel {
  const options: ChannelOptions = {
    "grpc.max_receive_message_length": -1,
    "grpc.max_send_message_length": -1,
    "grpc-node.flow_control_window": settings.flowControlWindow,
    "grpc.enable_retries": 0,
    "grpc.use_local_subchannel_pool": 1,
    "grpc.enable_channelz": 0,
    "grpc.initial_reconnect_backoff_ms": 100,
    "grpc.max_reconnect_backoff_ms": 2000,
    "grpc.service_config_disable_resolution": 1,
  };
  const target = grpcTarget(address);
  if (!address.tls) return new GrpcChannel(target, credentials.createInsecure(), options);
  const ca = settings.caBundle === undefined ? null : Buffer.from(settings.caBundle as Uint8Array);
  const name = settings.tlsName ?? address.host;
  // A literal address is no valid server name: the handshake carries a stand-in, and the
  // certificate is checked against the address itself.
  if (isIp(address.host) || settings.tlsName !== undefined) {
    options["grpc.ssl_target_name_override"] = isIp(name) ? "btrdb.invalid" : name;
  }
  const secure = credentials.createSsl(ca, null, null, {
    checkServerIdentity: (_host: string, certificate: PeerCertificate) =>
      checkServerIdentity(name, certificate),
  });
  return new GrpcChannel(target, secure, options);
}
