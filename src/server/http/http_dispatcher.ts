/**
 * Dispatches HTTP requests to routes: checks keys and limits, sends statuses, counts, and knows what
 * is under way when the server stops.
 *
 * @module
 */

import type { CallOptions, Endpoint } from "../../endpoint/endpoint.ts";
import { Access } from "../access.ts";
import { type SharedPlaces, withPlaces } from "../call_limit.ts";
import type { ErrorContext } from "../dispatcher.ts";
import type { KeyRing } from "../keys.ts";
import { ErrorCode } from "../../core/errors.ts";
import type { Metrics } from "../metrics.ts";
import type { PlaceHolder } from "../unread_answers.ts";
import { GrpcFailure, GrpcStatus } from "../transport/status.ts";
import { until } from "../transport/until.ts";
import type { Reply, Request } from "./exchange.ts";
import { HttpFailure, httpFailureOf } from "./http_failure.ts";
import type { RightsWatch } from "../watch_rights.ts";
import { refuse } from "./refusals.ts";
import type { HttpExchange, HttpRoute, HttpRoutes } from "./routes.ts";

/** Longest time for requests to notice that they were ended, ms. */
const SETTLE_MS = 500;

/** Parts of an {@linkcode HttpDispatcher}. */
export interface HttpDispatcherOptions {
  readonly endpoint: Endpoint;
  readonly routes: HttpRoutes;
  readonly keys: KeyRing;
  /** Collections of streams, and the rights of calls under way on them; the same for all ports. */
  readonly rights: RightsWatch;
  readonly places: SharedPlaces;
  readonly metrics: Metrics;
  /** Told of errors that no client can be blamed for. */
  readonly onError: (error: unknown, context: ErrorContext) => void;
}

/** Routes requests. */
export class HttpDispatcher {
  readonly #options: HttpDispatcherOptions;
  readonly #running = new Set<AbortController>();

  /** @param options Routes and what surrounds them. */
  constructor(options: HttpDispatcherOptions) {
    this.#options = options;
  }

  /**
   * Begins to answer a request.
   *
   * @returns False if there is nothing under its path.
   */
  begin(request: Request, reply: Reply): boolean {
    const [path = ""] = request.url.split("?", 1);
    const route = this.#options.routes.find(path);
    if (route === undefined) return false;
    if (!route.methods.includes(request.method)) {
      request.resume();
      const allowed = route.methods.join(", ");
      refuse(reply, 405, `expected ${allowed}`, 0, { allow: allowed });
      return true;
    }
    // An error here is one of the answer to an error; it ends the request, not the process.
    this.#handle(route, request, reply, path).catch((error: unknown) => {
      reply.destroy();
      this.#options.onError(error, { path, peer: request.peer });
    });
    return true;
  }

  /** Lets the requests under way finish, and ends what is left after `graceMs`. */
  async finish(graceMs: number): Promise<void> {
    await until(() => this.#running.size === 0, graceMs);
    const stop = new GrpcFailure(GrpcStatus.UNAVAILABLE, "the server is stopping");
    for (const controller of this.#running) controller.abort(stop);
    await until(() => this.#running.size === 0, SETTLE_MS);
  }

  /** Answers a request to its end. */
  async #handle(
    route: HttpRoute,
    request: Request,
    reply: Reply,
    path: string,
  ): Promise<void> {
    const controller = new AbortController();
    const { signal } = controller;
    this.#running.add(controller);
    reply.onClose(() => {
      controller.abort(new GrpcFailure(GrpcStatus.CANCELLED, "the client is gone"));
    });
    const started = performance.now();
    let code = "OK";
    try {
      const cancel = (reason: Error) => controller.abort(reason);
      const holder = holderOf(reply, signal, cancel);
      const exchange = this.#exchange(route, { request, reply, path, holder });
      await this.#options.rights.run(exchange.access, cancel, () => route.run(exchange));
    } catch (error) {
      const failure = this.#failureOf(error, request, signal);
      code = String(failure.code === 0 ? failure.status : failure.code);
      if (failure.isUnexpected) this.#options.onError(error, { path, peer: request.peer });
      this.#fail(route, reply, failure);
    } finally {
      request.resume();
      this.#running.delete(controller);
    }
    this.#options.metrics.record({
      service: route.service,
      rpc: route.name,
      code,
      seconds: (performance.now() - started) / 1000,
      bytesReceived: request.bytes,
      bytesSent: reply.bytes,
    });
  }

  #exchange(
    route: HttpRoute,
    { request, reply, path, holder }: Pick<HttpExchange, "request" | "reply" | "path" | "holder">,
  ): HttpExchange {
    const { keys, rights, endpoint, metrics, places } = this.#options;
    const grant = keys.grantOf(route.authenticated === false ? undefined : request.authorization);
    const options: CallOptions & { signal: AbortSignal } = {
      signal: holder.signal,
      owner: keys.isEmpty ? request.peer : grant,
    };
    const access = new Access(grant, rights.collections, options);
    const owner = keys.ownerOf(grant);
    const gates = places.of(owner);
    const gated = <T>(work: () => Promise<T>) => withPlaces(gates, holder, work);
    const shared = { request, reply, path, endpoint, access, metrics, options };
    return { ...shared, grant, owner, holder, gated };
  }

  /** The failure of a request; who showed no key is asked for one. */
  #failureOf(error: unknown, request: Request, signal: AbortSignal): HttpFailure {
    const failure = httpFailureOf(error, signal);
    const isUnasked = failure.status === 403 && request.authorization === undefined;
    if (!isUnasked || this.#options.keys.isEmpty) return failure;
    return new HttpFailure(401, failure.message);
  }

  #fail(route: HttpRoute, reply: Reply, failure: HttpFailure): void {
    // What has begun to be sent can only be broken off.
    if (reply.hasBegun) return reply.destroy();
    if (route.fail !== undefined) route.fail(reply, failure);
    else refuse(reply, failure.status, failure.message, failure.code);
  }
}

/** A request as what has places. */
function holderOf(
  reply: Reply,
  signal: AbortSignal,
  cancel: (reason: Error) => void,
): PlaceHolder {
  return {
    signal,
    unreadSince: () => reply.unreadSince(),
    endUnread: (message) => cancel(new HttpFailure(503, message, ErrorCode.ResourceDepleted)),
  };
}
