/**
 * A port of the server: TCP or TLS connections, bounded, handed to whatever speaks a protocol on
 * them. TLS handshakes begin few at a time, once their first message has arrived.
 *
 * @module
 */

import net from "node:net";
import type { AddressInfo, Socket } from "node:net";
import tls from "node:tls";
import { onClientHello } from "./client_hello.ts";
import { networkOf } from "./client_network.ts";
import { type ConnectionLimits, Connections } from "./connections.ts";
import { HandshakeTurns } from "./handshake_turns.ts";
import { propagateReadStop } from "./tls_backpressure.ts";
import { until } from "./until.ts";

/** Longest time for connections to end by themselves, ms. */
const SETTLE_MS = 500;

/** A certificate and its private key, PEM text. */
export interface Certificate {
  cert: string;
  key: string;
}

/** Options of a {@linkcode Port}. */
export interface PortOptions extends ConnectionLimits {
  readonly hostname: string;
  /** 0: any free port. */
  readonly port: number;
  /** Absent: plain text. */
  readonly certificate: Certificate | undefined;
  /** Protocols offered in the TLS handshake, best first. */
  readonly protocols: readonly string[];
  /** Speaks a protocol on a connection, whose bytes are in the clear here. */
  readonly onConnection: (socket: Socket) => void;
}

/** A port that is open. */
export class Port {
  readonly connections: Connections;
  readonly #server: net.Server;
  /** Speaks TLS on the connections that are handed to it; absent: plain text. */
  readonly #tls: tls.Server | undefined;

  private constructor(options: PortOptions) {
    const { certificate, onConnection } = options;
    this.connections = new Connections(options);
    this.#tls = certificate && tlsServer(certificate, options);
    const speak = this.#tls === undefined ? onConnection : speaksTls(this.#tls);
    this.#server = net.createServer((socket) => {
      if (this.connections.take(socket)) speak(socket);
    });
  }

  /**
   * Opens a port.
   *
   * @throws What the operating system says, e.g. that the address is in use.
   */
  static async open(options: PortOptions): Promise<Port> {
    const port = new Port(options);
    const server = port.#server;
    await new Promise<void>((resolve, reject) => {
      server.once("error", reject);
      server.listen(options.port, options.hostname, () => {
        server.off("error", reject);
        resolve();
      });
    });
    server.on("error", () => {});
    return port;
  }

  /** Its number. */
  get number(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** Connections made from now on see this certificate. */
  setCertificate(certificate: Certificate): void {
    this.#tls?.setSecureContext(certificate);
  }

  /**
   * Takes no connections from now on, and ends those there are once `finish` has resolved.
   *
   * @param finish Resolves when the work on the connections is done.
   */
  async close(finish: Promise<void>): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    await finish;
    await until(() => this.connections.size === 0, SETTLE_MS);
    this.connections.destroy();
    await closed;
    await until(() => this.connections.size === 0, SETTLE_MS);
  }
}

/**
 * No timer of `node:tls` for handshakes, which {@linkcode Connections} times. Under Deno it goes on after
 * the connection is closed, two minutes by default, and keeps it in memory.
 */
const NO_HANDSHAKE_TIMER = -1;

/** A TLS server that listens nowhere. */
function tlsServer(certificate: Certificate, options: PortOptions): tls.Server {
  const server = tls.createServer({
    ...certificate,
    ALPNProtocols: [...options.protocols],
    handshakeTimeout: NO_HANDSHAKE_TIMER,
  });
  server.on("tlsClientError", (_error: Error, socket: Socket) => socket.destroy());
  server.on("secureConnection", (socket: tls.TLSSocket) => {
    propagateReadStop(socket);
    options.onConnection(socket);
  });
  return server;
}

/** Hands connections to a TLS server in turns, each once its first message has arrived. */
function speaksTls(server: tls.Server): (socket: Socket) => void {
  const turns = new HandshakeTurns();
  return (socket) => {
    const network = networkOf(socket.remoteAddress);
    onClientHello(socket, () => {
      turns.add(network, () => {
        if (!socket.destroyed) server.emit("connection", socket);
      });
    });
  };
}
