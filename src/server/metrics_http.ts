/**
 * Metrics and probes over plain HTTP, for Prometheus and orchestrators.
 *
 * @module
 */

import type { IncomingMessage, Server, ServerResponse } from "node:http";
import { keepForeignConnections } from "./http/foreign_connections.ts";
import { requestTarget } from "./http/request_target.ts";
import { boundedServer } from "./http/http1_bounds.ts";
import { takeTurns } from "./http/http1_turns.ts";
import { peerOf } from "./transport/connections.ts";
import { containErrors, type OnStrangeError } from "./transport/contain_errors.ts";
import { Port } from "./transport/port.ts";

/** Longest duration of a request, ms. */
const REQUEST_MS = 10_000;

/** Time that a connection without a request is kept, ms. */
const IDLE_MS = 5_000;

/** Most connections at once. */
const MAX_CONNECTIONS = 64;

/** Most connections of one address, or one network of IPv6. */
const MAX_CONNECTIONS_PER_ADDRESS = 16;

/** Contents of the pages, and who is told of errors. */
export interface MetricsPages {
  /** Text of `/metrics`. */
  metrics: () => string;
  /** Why `/readyz` says no; `undefined` if it says yes. */
  obstacle: () => string | undefined;
  /** Why `/healthz` says no; by default it says yes. */
  illness?: () => string | undefined;
  /** Told of errors that no request has caught. */
  onStrangeError: OnStrangeError;
}

/** An HTTP port with `/metrics`, `/healthz` and `/readyz`. */
export class MetricsListener {
  readonly #http: Server;
  #port!: Port;
  #isClosing = false;

  private constructor(pages: MetricsPages) {
    const bounds = {
      restMs: REQUEST_MS,
      nextMs: IDLE_MS + REQUEST_MS,
      smallBytes: () => Infinity,
    };
    this.#http = boundedServer((request, response) => {
      const { connections } = this.#port;
      const peer = peerOf(request.socket);
      connections.heard(peer, false);
      response.once("finish", () => connections.idle(peer));
      answer(request, response, pages);
    }, bounds);
    this.#http.keepAliveTimeout = IDLE_MS;
    this.#http.headersTimeout = REQUEST_MS;
    this.#http.requestTimeout = REQUEST_MS;
    containErrors(this.#http, pages.onStrangeError);
    keepForeignConnections(this.#http, () => !this.#isClosing);
  }

  /** Opens the port; 0 takes any that is free. */
  static async open(hostname: string, port: number, pages: MetricsPages): Promise<MetricsListener> {
    const listener = new MetricsListener(pages);
    listener.#port = await Port.open({
      hostname,
      port,
      certificate: undefined,
      protocols: [],
      maxConnections: MAX_CONNECTIONS,
      maxConnectionsPerAddress: MAX_CONNECTIONS_PER_ADDRESS,
      onConnection: (socket) => {
        takeTurns(socket, undefined);
        listener.#http.emit("connection", socket);
      },
    });
    return listener;
  }

  /** The port that is open. */
  get port(): number {
    return this.#port.number;
  }

  /** Closes the port and every connection. */
  async close(): Promise<void> {
    this.#isClosing = true;
    this.#port.connections.destroy();
    await this.#port.close(Promise.resolve());
  }
}

function answer(request: IncomingMessage, response: ServerResponse, pages: MetricsPages): void {
  const path = requestTarget(request.url ?? "/").url.split("?")[0];
  if (request.method !== "GET" && request.method !== "HEAD") {
    return page(response, 405, "method not allowed\n");
  }
  if (path === "/metrics") return page(response, 200, pages.metrics());
  if (path === "/healthz") return probe(response, "ok", pages.illness?.());
  if (path === "/readyz") return probe(response, "ready", pages.obstacle());
  return page(response, 404, "not found\n");
}

function probe(response: ServerResponse, yes: string, no: string | undefined): void {
  if (no === undefined) page(response, 200, `${yes}\n`);
  else page(response, 503, `${no}\n`);
}

function page(response: ServerResponse, status: number, body: string): void {
  response.writeHead(status, { "content-type": "text/plain; version=0.0.4; charset=utf-8" });
  response.end(body);
}
