/**
 * The listening side of gRPC: sockets are accepted here, in the clear or by `node:tls`, and their
 * plain bytes are handed to the gRPC library, whose own TLS does not work on every runtime
 * (docs/server.md, "Transport").
 *
 * @module
 */

import { Buffer } from "node:buffer";
import net from "node:net";
import type { AddressInfo, Socket } from "node:net";
import tls from "node:tls";
import { Server, ServerCredentials } from "@grpc/grpc-js";
import type { ServerOptions } from "@grpc/grpc-js";
import { type ByteStream, Call } from "./call.ts";
import { dropLongDeadlines } from "./long_deadlines.ts";
import { http2ServersOf } from "./http2_servers.ts";
import { FairSending } from "./fair_sending.ts";
import { GrpcFailure, GrpcStatus } from "./status.ts";
import { suppressGoaway } from "./no_goaway.ts";
import { onUnknownMethod } from "./unknown_method.ts";

/** Flow-control window of a connection, bytes: what a client may have under way. */
const WINDOW_BYTES = 4 << 20;

/** Longest time for calls and connections to notice that they were ended, ms. */
const SETTLE_MS = 500;

/** Longest wait for the first call of a connection, its TLS handshake included, ms. */
const FIRST_CALL_MS = 10_000;

/** A certificate and its private key, PEM text. */
export interface Certificate {
  cert: string;
  key: string;
}

/** Options of a {@linkcode Listener}. */
export interface ListenerOptions {
  hostname: string;
  /** 0: any free port. */
  port: number;
  /** Absent: plain text. */
  certificate: Certificate | undefined;
  /** Largest request message, bytes. */
  maxMessageBytes: number;
  maxConnections: number;
  /** Connections one address may have open. */
  maxConnectionsPerAddress: number;
  /** Calls one connection may have open. */
  maxStreamsPerConnection: number;
  /** Silence of a peer after which a keepalive probe is sent, ms. */
  keepaliveMs: number;
  /** Longest wait for the answer to a probe, ms. */
  keepaliveTimeoutMs: number;
  /** Every method, `/package.Service/Method`. */
  paths: Iterable<string>;
  /** Handles a call to its end; never rejects. */
  handle: (call: Call) => Promise<void>;
}

/** A port that speaks gRPC. */
export class Listener {
  readonly #options: ListenerOptions;
  readonly #grpc: Server;
  readonly #injector: ReturnType<Server["createConnectionInjector"]>;
  readonly #server: net.Server;
  readonly #sockets = new Set<Socket>();
  /** Connections without a call so far, oldest first, by the address and port of the client. */
  readonly #silent = new Map<string, { socket: Socket; timer: ReturnType<typeof setTimeout> }>();
  readonly #calls = new Set<Call>();
  readonly #pace = new FairSending();
  #closing: Promise<void> | undefined;

  private constructor(options: ListenerOptions) {
    this.#options = options;
    this.#grpc = new Server(libraryOptions(options));
    for (const path of options.paths) this.#register(path);
    onUnknownMethod(this.#grpc, (path, stream) => this.#handle(path, stream));
    this.#injector = this.#grpc.createConnectionInjector(ServerCredentials.createInsecure());
    for (const http2 of http2ServersOf(this.#grpc)) {
      suppressGoaway(http2);
      dropLongDeadlines(http2);
    }
    this.#server = options.certificate === undefined ? net.createServer() : tls.createServer({
      ...options.certificate,
      ALPNProtocols: ["h2"],
    });
    this.#server.on("connection", (socket: Socket) => this.#track(socket));
    this.#server.on("tlsClientError", (_error: Error, socket: Socket) => socket.destroy());
    const ready = options.certificate === undefined ? "connection" : "secureConnection";
    this.#server.on(ready, (socket: Socket) => this.#injector.injectConnection(socket));
  }

  /**
   * Opens the port.
   *
   * @throws What the operating system says, e.g. that the address is in use.
   */
  static async open(options: ListenerOptions): Promise<Listener> {
    const listener = new Listener(options);
    const server = listener.#server;
    await new Promise<void>((resolve, reject) => {
      server.once("error", reject);
      server.listen(options.port, options.hostname, () => {
        server.off("error", reject);
        resolve();
      });
    });
    server.on("error", () => {});
    return listener;
  }

  /** The port that is open. */
  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** Connections open now. */
  get connections(): number {
    return this.#sockets.size;
  }

  /** Connections made from now on see this certificate. */
  setCertificate(certificate: Certificate): void {
    (this.#server as tls.Server).setSecureContext(certificate);
  }

  /**
   * Stops: refuses new connections and new calls on the old ones, lets the calls under way finish,
   * cancels those that have no end of their own and what is left after `graceMs`, and closes
   * everything. Idempotent.
   *
   * @param graceMs How long calls may take to finish; 0 cancels at once.
   */
  close(graceMs: number): Promise<void> {
    this.#closing ??= this.#close(graceMs);
    return this.#closing;
  }

  async #close(graceMs: number): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    this.#injector.destroy();
    await until(() => [...this.#calls].every((call) => call.endless), graceMs);
    const stop = new GrpcFailure(GrpcStatus.UNAVAILABLE, "the server is stopping");
    for (const call of this.#calls) call.cancel(stop);
    await until(() => this.#calls.size === 0, SETTLE_MS);
    await until(() => this.#sockets.size === 0, SETTLE_MS);
    for (const socket of this.#sockets) socket.destroy();
    await closed;
    await until(() => this.#sockets.size === 0, SETTLE_MS);
    this.#grpc.forceShutdown();
  }

  #register(path: string): void {
    this.#grpc.register<Uint8Array, Uint8Array>(
      path,
      (stream: ByteStream) => this.#handle(path, stream),
      asBuffer,
      (bytes: Buffer): Uint8Array => bytes,
      "bidi",
    );
  }

  #handle(path: string, stream: ByteStream): void {
    const call = new Call(path, stream, this.#pace);
    this.#heard(call.peer);
    this.#calls.add(call);
    this.#options.handle(call).then(() => call.done).then(() => this.#calls.delete(call));
  }

  #track(socket: Socket): void {
    socket.on("error", () => socket.destroy());
    if (!this.#makeRoom(socket.remoteAddress)) return void socket.destroy();
    const peer = `${socket.remoteAddress}:${socket.remotePort}`;
    const timer = setTimeout(() => socket.destroy(), FIRST_CALL_MS);
    this.#sockets.add(socket);
    this.#silent.set(peer, { socket, timer });
    socket.on("close", () => {
      this.#sockets.delete(socket);
      if (this.#silent.get(peer)?.socket === socket) this.#heard(peer);
    });
    socket.setNoDelay(true);
  }

  /** Takes note of the first call of a connection, or of its end. */
  #heard(peer: string): void {
    const silent = this.#silent.get(peer);
    if (silent === undefined) return;
    clearTimeout(silent.timer);
    this.#silent.delete(peer);
  }

  /** Makes room for a connection: the oldest one without a call has to go where there is none. */
  #makeRoom(address: string | undefined): boolean {
    const { maxConnections, maxConnectionsPerAddress } = this.#options;
    const near = [...this.#sockets].filter((socket) => socket.remoteAddress === address).length;
    const isCrowded = near >= maxConnectionsPerAddress;
    if (!isCrowded && this.#sockets.size < maxConnections) return true;
    for (const [peer, { socket }] of this.#silent) {
      if (isCrowded && socket.remoteAddress !== address) continue;
      this.#heard(peer);
      this.#sockets.delete(socket);
      socket.destroy();
      return true;
    }
    return false;
  }
}

function libraryOptions(options: ListenerOptions): ServerOptions {
  return {
    "grpc.max_receive_message_length": options.maxMessageBytes,
    "grpc.max_send_message_length": -1,
    "grpc.max_concurrent_streams": options.maxStreamsPerConnection,
    "grpc.keepalive_time_ms": options.keepaliveMs,
    "grpc.keepalive_timeout_ms": options.keepaliveTimeoutMs,
    "grpc.enable_channelz": 0,
    "grpc-node.flow_control_window": WINDOW_BYTES,
  };
}

/** The same bytes as the class that the library copies from. */
export function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** Waits for a condition, at most `ms`. */
async function until(condition: () => boolean, ms: number): Promise<void> {
  const end = Date.now() + ms;
  while (!condition() && Date.now() < end) {
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}
