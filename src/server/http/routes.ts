/**
 * The table of what is under which path of the HTTP port: pages, data and the write API each add
 * their routes to it.
 *
 * @module
 */

import type { CallOptions, Endpoint } from "../../endpoint/endpoint.ts";
import type { Access } from "../access.ts";
import type { Grant } from "../keys.ts";
import type { Metrics } from "../metrics.ts";
import type { PlaceHolder } from "../unread_answers.ts";
import type { Reply, Request } from "./exchange.ts";
import type { HttpFailure } from "./http_failure.ts";

/** One request and everything around it. */
export interface HttpExchange {
  readonly request: Request;
  readonly reply: Reply;
  /** Path, percent signs resolved by nobody. */
  readonly path: string;
  readonly endpoint: Endpoint;
  readonly access: Access;
  /** Rights of the caller. */
  readonly grant: Grant;
  /** Holder of a share of the limits; undefined where callers are not told apart. */
  readonly owner: unknown;
  readonly metrics: Metrics;
  /** Signal of the request: aborts when the client is gone, or the server stops. */
  readonly options: CallOptions & { readonly signal: AbortSignal };
  /** The request as a holder of places. */
  readonly holder: PlaceHolder;
  /** Does the part of the work that counts against the limit of concurrent calls. */
  readonly gated: <T>(work: () => Promise<T>) => Promise<T>;
}

/** Answers the requests for a path. */
export interface HttpRoute {
  /** The whole path; or, with a `*` at its end, what paths begin with. */
  readonly path: string;
  /** Methods it answers, in capitals. */
  readonly methods: readonly string[];
  /** Service and name in metrics. */
  readonly service: string;
  readonly name: string;
  /** True if callers need a valid key. @default {true} */
  readonly authenticated?: boolean;
  /** Answers; what it throws becomes the status of the reply. */
  readonly run: (exchange: HttpExchange) => Promise<void>;
  /** Answers a failure in a form of its own. @default JSON with status, code and message */
  readonly fail?: (reply: Reply, failure: HttpFailure) => void;
}

/** Routes by their paths. */
export class HttpRoutes {
  readonly #exact = new Map<string, HttpRoute>();
  readonly #beginnings: HttpRoute[] = [];

  /** @param routes Longer beginnings go before shorter ones, whole paths before all. */
  constructor(routes: readonly HttpRoute[]) {
    for (const route of routes) {
      if (route.path.endsWith("*")) this.#beginnings.push(route);
      else this.#exact.set(route.path, route);
    }
    this.#beginnings.sort((a, b) => b.path.length - a.path.length);
  }

  /** The route of a path. */
  find(path: string): HttpRoute | undefined {
    return this.#exact.get(path) ??
      this.#beginnings.find((route) => path.startsWith(route.path.slice(0, -1)));
  }
}
