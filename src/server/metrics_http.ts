/**
 * Metrics and probes over plain HTTP, for Prometheus and orchestrators.
 *
 * @module
 */

import { createServer } from "node:http";
import type { IncomingMessage, Server, ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { requestTarget } from "./http/request_target.ts";
import { withinBounds } from "./http/http1_bounds.ts";

/** Longest duration of a request, ms. */
const REQUEST_MS = 10_000;

/** Time that a connection without a request is kept, ms. */
const IDLE_MS = 5_000;

/** Most connections at once. */
const MAX_CONNECTIONS = 64;

/** Contents of the pages. */
export interface MetricsPages {
  /** Text of `/metrics`. */
  metrics: () => string;
  /** Why `/readyz` says no; `undefined` if it says yes. */
  obstacle: () => string | undefined;
}

/** An HTTP port with `/metrics`, `/healthz` and `/readyz`. */
export class MetricsListener {
  readonly #server: Server;

  private constructor(pages: MetricsPages) {
    const bounds = {
      restMs: REQUEST_MS,
      nextMs: IDLE_MS + REQUEST_MS,
      smallBytes: () => Infinity,
    };
    this.#server = createServer(
      withinBounds((request, response) => answer(request, response, pages), bounds),
    );
    this.#server.keepAliveTimeout = IDLE_MS;
    this.#server.headersTimeout = REQUEST_MS;
    this.#server.requestTimeout = REQUEST_MS;
    this.#server.maxConnections = MAX_CONNECTIONS;
  }

  /** Opens the port; 0 takes any that is free. */
  static async open(hostname: string, port: number, pages: MetricsPages): Promise<MetricsListener> {
    const listener = new MetricsListener(pages);
    await new Promise<void>((resolve, reject) => {
      listener.#server.once("error", reject);
      listener.#server.listen(port, hostname, () => {
        listener.#server.off("error", reject);
        resolve();
      });
    });
    return listener;
  }

  /** The port that is open. */
  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** Closes the port and every connection. */
  close(): Promise<void> {
    return new Promise((resolve) => {
      this.#server.close(() => resolve());
      this.#server.closeAllConnections();
    });
  }
}

function answer(request: IncomingMessage, response: ServerResponse, pages: MetricsPages): void {
  const path = requestTarget(request.url ?? "/").url.split("?")[0];
  if (request.method !== "GET" && request.method !== "HEAD") {
    return page(response, 405, "method not allowed\n");
  }
  if (path === "/metrics") return page(response, 200, pages.metrics());
  if (path === "/healthz") return page(response, 200, "ok\n");
  if (path !== "/readyz") return page(response, 404, "not found\n");
  const obstacle = pages.obstacle();
  return obstacle === undefined
    ? page(response, 200, "ready\n")
    : page(response, 503, `${obstacle}\n`);
}

function page(response: ServerResponse, status: number, body: string): void {
  response.writeHead(status, { "content-type": "text/plain; version=0.0.4; charset=utf-8" });
  response.end(body);
}
