/**
 * One HTTP/2 connection to a server, remade by grpc-js as need be, and the calls on it.
 *
 * @module
 */

import { Channel as GrpcChannel, type ChannelOptions, credentials } from "@grpc/grpc-js";
import { Buffer } from "node:buffer";
import { checkServerIdentity, type PeerCertificate } from "node:tls";
import { type Address, addressText, grpcTarget, isIp } from "./address.ts";
import { filtered } from "./filtered_credentials.ts";
import { type Peer, Rpc, type RpcRequest } from "./rpc.ts";
import { CallRecorder, type Watchers } from "./telemetry.ts";

/** Settings that all connections of a client share. */
export interface ChannelSettings {
  readonly apiKey?: string | undefined;
  /** Certificates of authorities, PEM; absent: the platform's. */
  readonly caBundle?: string | Uint8Array | undefined;
  /** Name that the server's certificate must carry; absent: the host's. */
  readonly tlsName?: string | undefined;
  /** Hosts that addresses learnt from servers may have; absent: any. */
  readonly allowedHosts?: readonly string[] | undefined;
  readonly watchers: Watchers;
  /** Longest message that is taken, decompressed. */
  readonly maxMessageBytes: number;
  /** Bytes that may be under way on the wire, per connection and per call. */
  readonly flowControlWindow: number;
  /** Silence after which a connection with calls on it is sent a keepalive probe, ms. */
  readonly probeAfterMs: number;
  /** Longest wait for the answer to a probe, ms. */
  readonly probeTimeoutMs: number;
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
  readonly #grpc: GrpcChannel;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #heardMs = 0;
  #probing = false;
  #isClosed = false;

  constructor(address: Address, settings: ChannelSettings, events: ConnectionEvents) {
    this.#peer = { address: addressText(address), apiKey: settings.apiKey };
    this.#settings = settings;
    this.#events = events;
    this.#grpc = open(address, settings, () => events.onRetired());
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
    const started = new Rpc(this.#grpc, this.#peer, request, recorder, (ended) => {
      this.#heardMs = Date.now();
      begun?.();
      begun = undefined;
      if (ended) this.#remove(started);
    });
    this.rpcs.add(started);
    if (this.rpcs.size === 1) this.#heardMs = Date.now();
    if (this.#timer === undefined && !this.#probing) this.#watch(this.#settings.probeAfterMs);
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
      const silentMs = Date.now() - this.#heardMs;
      const { probeAfterMs } = this.#settings;
      if (silentMs < probeAfterMs) this.#watch(probeAfterMs - silentMs);
      else void this.#probe();
    }, ms);
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

  /** Tells whether the server says anything, be it an error, within the time it has. */
  async #answers(): Promise<boolean> {
    const deadlineMs = Date.now() + this.#settings.probeTimeoutMs;
    const recorder = new CallRecorder({}, {
      ...PROBE,
      uuid: undefined,
      server: this.#peer.address,
      requestBytes: 0,
    });
    const request = { ...PROBE, options: { deadlineMs } };
    const probe = new Rpc(this.#grpc, this.#peer, request, recorder, () => {});
    await probe.read().catch(() => {});
    probe.cancel();
    return Date.now() < deadlineMs;
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
    this.#grpc.close();
  }
}

function open(
  address: Address,
  settings: ChannelSettings,
  onGoaway: () => void,
): GrpcChannel {
  const options: ChannelOptions = {
    "grpc.max_receive_message_length": settings.maxMessageBytes,
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
  if (!address.tls) {
    return new GrpcChannel(target, filtered(credentials.createInsecure(), onGoaway), options);
  }
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
  return new GrpcChannel(target, filtered(secure, onGoaway), options);
}
