/**
 * The listening side of HTTP: HTTP/1.1, and HTTP/2 where TLS agrees on it. Routes requests, after
 * their host and origin were looked at.
 *
 * @module
 */

import type { IncomingMessage, Server } from "node:http";
import { createServer as createServer2, type Http2Server } from "node:http2";
import type { Socket } from "node:net";
import type { TLSSocket } from "node:tls";
import type { Calls } from "../transport/calls.ts";
import { containErrors, type OnStrangeError } from "../transport/contain_errors.ts";
import { suppressGoaway } from "../transport/no_goaway.ts";
import { releaseClosedStreams } from "../transport/closed_streams.ts";
import type { IncomingBytes } from "../transport/incoming_bytes.ts";
import type { OpenRequests } from "../transport/open_requests.ts";
import { type KeepaliveTimes, probeClients } from "../transport/keepalive.ts";
import { Port, type PortOptions } from "../transport/port.ts";
import { MAX_UNKNOWN_STREAMS } from "../transport/stream_limits.ts";
import { dropDeadStreams } from "../transport/dead_streams.ts";
import { canBeEnded } from "../transport/end_connection.ts";
import { endOnFrameFloods } from "../transport/frame_bounds.ts";
import { beginTurns, type KeyOf, noteKey, noteKeys } from "../transport/turns.ts";
import { endOnLongHeaders, endOnRefusedHeaders } from "../transport/header_bounds.ts";
import { Reply, Request } from "./exchange.ts";
import { bearerOf, isBasic } from "./credentials.ts";
import { allowedOrigin, isOwnHost, mayShowPassword, type OriginRules } from "./origins.ts";
import { keepForeignConnections } from "./foreign_connections.ts";
import type { HttpDispatcher } from "./http_dispatcher.ts";
import { boundedServer } from "./http1_bounds.ts";
import { takeTurns } from "./http1_turns.ts";
import { refuse } from "./refusals.ts";
import { WebStream } from "./web_stream.ts";

/** Longest duration of the head of a request, ms. */
const HEAD_MS = 10_000;

/** Time that a connection without a request is kept, ms. */
const IDLE_MS = 60_000;

/**
 * Length below which a chunk of HTTP/1.1 is small, by whether the key is known: a line of line protocol
 * is longer, and callers without a key have little to send.
 */
const SMALL_BYTES = { known: 16, unknown: 256 } as const;

/** Request header fields that pages of other origins may send. */
const ALLOWED_FIELDS =
  "authorization, content-type, grpc-timeout, if-match, if-none-match, if-range, range, " +
  "x-grpc-web, x-user-agent";

/** Reply header fields that such pages may see. */
const EXPOSED_FIELDS =
  "accept-ranges, btrdb-note, btrdb-versions, content-location, content-range, " +
  "etag, grpc-message, grpc-status";

/** Options of an {@linkcode HttpPort}. */
export interface HttpPortOptions
  extends Omit<PortOptions, "protocols" | "onConnection">, KeepaliveTimes {
  readonly rules: OriginRules;
  /** Largest request message, bytes. */
  readonly maxMessageBytes: number;
  /** Counts what arrives. */
  readonly incoming: IncomingBytes;
  /** Tells keys apart. */
  readonly keyOf: KeyOf;
  /** Counts what is open. */
  readonly open: OpenRequests;
  /** Requests one connection of HTTP/2 may have open. */
  readonly maxStreamsPerConnection: number;
  /** Takes the calls. */
  readonly calls: Calls;
  /** Takes all other requests. */
  readonly requests: HttpDispatcher;
  /** Told of errors that neither has caught. */
  readonly onStrangeError: OnStrangeError;
}

/** A port that speaks gRPC-Web and HTTP. */
export class HttpPort {
  readonly #options: HttpPortOptions;
  readonly #http1: Server;
  readonly #http2: Http2Server;
  #port!: Port;
  #isClosing = false;

  private constructor(options: HttpPortOptions) {
    this.#options = options;
    const { open, incoming } = options;
    const authorizationOf = ({ headers }: IncomingMessage) => bearerOf(headers.authorization);
    const bounds = {
      restMs: HEAD_MS,
      nextMs: IDLE_MS + HEAD_MS,
      smallBytes: (request: IncomingMessage) =>
        incoming.isKnown(authorizationOf(request)) ? SMALL_BYTES.known : SMALL_BYTES.unknown,
    };
    this.#http1 = boundedServer((request, outgoing) => {
      const authorization = authorizationOf(request);
      const key = options.keyOf(authorization);
      if (key !== undefined) noteKey(request.socket, key);
      const close = open.begin(request.socket, authorization);
      outgoing.once("finish", close);
      outgoing.once("close", close);
      this.#answer(new Request(request), (headers) => new Reply(outgoing, headers));
    }, bounds);
    this.#http1.keepAliveTimeout = IDLE_MS;
    // By default all fields behind the first 1,000 are dropped, a second `Host` for example. The length
    // of a head is bounded.
    this.#http1.maxHeadersCount = 0;
    containErrors(this.#http1, options.onStrangeError);
    keepForeignConnections(this.#http1, () => !this.#isClosing);
    const settings = {
      maxConcurrentStreams: Math.min(MAX_UNKNOWN_STREAMS, options.maxStreamsPerConnection),
    };
    this.#http2 = createServer2(
      { settings },
      (incoming, outgoing) =>
        this.#answer(new Request(incoming), (headers) => new Reply(outgoing, headers)),
    );
    containErrors(this.#http2, options.onStrangeError);
    suppressGoaway(this.#http2);
    dropDeadStreams(this.#http2);
    options.open.watch(this.#http2);
    endOnLongHeaders(this.#http2);
    noteKeys(this.#http2, (authorization) => options.keyOf(bearerOf(authorization)));
    releaseClosedStreams(this.#http2);
    probeClients(this.#http2, options);
  }

  /**
   * Opens the port.
   *
   * @throws What the operating system says, e.g. that the address is in use.
   */
  static async open(options: HttpPortOptions): Promise<HttpPort> {
    const http = new HttpPort(options);
    http.#port = await Port.open({
      ...options,
      protocols: ["h2", "http/1.1"],
      onConnection: (socket) => http.#speak(socket),
    });
    return http;
  }

  /** The requests under way that are no calls. */
  get requests(): HttpDispatcher {
    return this.#options.requests;
  }

  /** The port that is open. */
  get port(): Port {
    return this.#port;
  }

  /**
   * Refuses new connections, and new requests on the old ones, and closes everything.
   *
   * @param finish Resolves when the calls under way have finished.
   */
  async close(finish: Promise<void>): Promise<void> {
    this.#isClosing = true;
    await this.#port.close(finish.then(() => this.#port.connections.destroy()));
  }

  #speak(socket: Socket): void {
    const isHttp2 = (socket as TLSSocket).alpnProtocol === "h2";
    if (isHttp2) {
      endOnRefusedHeaders(socket);
      beginTurns(socket, this.#options.keyOf(undefined));
      endOnFrameFloods(socket);
      canBeEnded(socket);
    } else {
      takeTurns(socket, this.#options.keyOf(undefined));
    }
    (isHttp2 ? this.#http2 : this.#http1).emit("connection", socket);
  }

  #answer(request: Request, replyWith: (headers: Record<string, string>) => Reply): void {
    const { rules, requests, calls, incoming, maxMessageBytes } = this.#options;
    const { authorization } = request;
    this.#port.connections.heard(request.peer, incoming.isKnown(authorization));
    const page = request.header("origin");
    const origin = allowedOrigin(page, request.host, rules);
    const reply = replyWith(corsFields(origin));
    if (this.#isClosing) return refuse(reply, 503, "the server is stopping");
    if (request.isAmbiguous) return refuse(reply, 400, "expected one host, and one key at most");
    if (request.isCoded) {
      const close = { connection: "close" };
      return refuse(reply, 501, "expected transfer-encoding chunked", 0, close);
    }
    if (!isOwnHost(request.host, rules)) {
      return refuse(reply, 403, "this server is not reached by that name without API keys");
    }
    if (origin === null) return refuse(reply, 403, "pages of this origin may not ask");
    if (isBasic(request.header("authorization")) && !mayShowPassword(page, request.host, rules)) {
      return refuse(
        reply,
        403,
        "only pages of listed origins may show a password, expected bearer",
      );
    }
    if (request.method === "OPTIONS") return allow(reply);
    const type = request.header("content-type") ?? "";
    if (request.method === "POST" && /^application\/grpc-web(\+proto)?$/.test(type)) {
      const meter = incoming.meter(request.peer, request.url, authorization);
      return void calls.begin(request.url, new WebStream(request, reply, maxMessageBytes, meter));
    }
    if (requests.begin(request, reply)) return;
    request.resume();
    if (type.startsWith("application/grpc")) {
      return refuse(reply, 415, "expected content-type application/grpc-web+proto");
    }
    refuse(reply, 404, "there is nothing here");
  }
}

/** Header fields that let a page read the reply. */
function corsFields(origin: string | null | undefined): Record<string, string> {
  if (origin === undefined || origin === null) return { vary: "origin" };
  return {
    vary: "origin",
    "access-control-allow-origin": origin,
    "access-control-expose-headers": EXPOSED_FIELDS,
  };
}

/** Answers the question of a browser whether a request may be made. */
function allow(reply: Reply): void {
  reply.begin(204, {
    "access-control-allow-methods": "GET, HEAD, POST",
    "access-control-allow-headers": ALLOWED_FIELDS,
    "access-control-max-age": "600",
  });
  reply.end();
}
