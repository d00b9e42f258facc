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
import { Call } from "./call.ts";
import type { CallStream } from "./call_stream.ts";
import { Connections } from "./connections.ts";
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
  readonly #connections: Connections;
  readonly #calls = new Set<Call>();
  readonly #pace = new FairSending();
  #closing: Promise<void> | undefined;

  private constructor(options: ListenerOptions) {
    this.#options = options;
    this.#connections = new Connections(options);
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
    this.#server.on("connection", (socket: Socket) => this.#connections.take(socket));
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
    return this.#connections.size;
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
   * @param graceMs Time that calls have to finish; 0 cancels at once.
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
    await until(() => this.#connections.size === 0, SETTLE_MS);
    this.#connections.destroy();
    await closed;
    await until(() => this.#connections.size === 0, SETTLE_MS);
    this.#grpc.forceShutdown();
  }

  #register(path: string): void {
    this.#grpc.register<Uint8Array, Uint8Array>(
      path,
      (stream: CallStream) => this.#handle(path, stream),
      asBuffer,
      (bytes: Buffer): Uint8Array => bytes,
      "bidi",
    );
  }

  #handle(path: string, stream: CallStream): void {
    const call = new Call(path, stream, this.#pace);
    this.#connections.heard(call.peer);
    this.#calls.add(call);
    this.#options.handle(call).then(() => call.done).then(() => this.#calls.delete(call));
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
