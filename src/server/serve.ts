/**
 * `serve`: puts a database behind a port that BTrDB clients speak to.
 *
 * @module
 */

import { checkObject } from "../core/check_object.ts";
import { onAbort } from "../core/call.ts";
import type { BTrDB } from "../client/btrdb.ts";
import { endpointOf } from "../client/endpoint_of.ts";
import type { Endpoint, Readers } from "../endpoint/endpoint.ts";
import { SERVICES } from "./btrdb/service.ts";
import { readCertificate, watchCertificate } from "./certificate.ts";
import { Dispatcher, type ErrorContext } from "./dispatcher.ts";
import type { MethodSettings, ServiceTable } from "./method.ts";
import { SharedPlaces } from "./call_limit.ts";
import { freeMemoryAfterMany, freeMemoryWhileServing } from "./free_memory.ts";
import { RightsWatch } from "./watch_rights.ts";
import { healthService } from "./health.ts";
import { KeyRing } from "./keys.ts";
import { checkKnown } from "./known_options.ts";
import type { Metrics } from "./metrics.ts";
import type { MetricsListener } from "./metrics_http.ts";
import { collectSeldom } from "./seldom_collection.ts";
import { Spool, type SpoolLimits } from "./http/data/spool.ts";
import type { HttpPort } from "./http/http_port.ts";
import { openHttp } from "./http/open_http.ts";
import { OpenStreams } from "./open_streams.ts";
import {
  addressOf,
  type AllLimits,
  isLoopback,
  limitsOf,
  refuseToWrite,
  type ServeOptions,
  workersOf,
} from "./options.ts";
import { Readiness } from "./readiness.ts";
import { metricsOf, openPages } from "./server_metrics.ts";
import { SendTimeout } from "./unread_answers.ts";
import { openWorkers, readingIn } from "./worker_reads.ts";
import { Calls } from "./transport/calls.ts";
import { IncomingBytes } from "./transport/incoming_bytes.ts";
import { OpenRequests } from "./transport/open_requests.ts";
import { GrpcPort } from "./transport/grpc_port.ts";

/** Bound of messages below which clients are not told that they may send several inserts in one. */
const MIN_BATCHES_MESSAGE_BYTES = 1 << 20;

/** Context of errors that were found by no call. */
const READINESS: ErrorContext = { path: "/readyz", peer: "" };

/** Longest time for calls to finish after a graceful stop began, ms. */
const GRACE_MS = 10_000;

/** Options of stopping a server. */
export interface StopOptions {
  /**
   * True if calls may finish; otherwise they are cancelled with UNAVAILABLE.
   *
   * @default {true}
   */
  graceful?: boolean;
  /**
   * Longest time for calls to finish, ms; the rest is cancelled.
   *
   * @default {10000}
   */
  graceMs?: number;
}

/** A database behind a port. */
export class Server implements AsyncDisposable {
  #finish!: () => void;
  /** Address or host name at which the server listens. */
  readonly hostname: string;
  /** Port of the gRPC services. */
  readonly port: number;
  /** `hostname:port`, as clients write it. */
  readonly address: string;
  /** Port of HTTP, where there is one. */
  readonly httpPort: number | undefined;
  /** Port of the metrics, where there is one. */
  readonly metricsPort: number | undefined;
  /** True if connections are encrypted. */
  readonly tls: boolean;
  /** One line for people: where the server listens and who may use it. */
  readonly notice: string;
  /** Resolves once the server has stopped, whoever stopped it. */
  readonly finished: Promise<void> = new Promise((resolve) => this.#finish = resolve);

  readonly #parts: Parts;
  #stopping: Promise<void> | undefined;

  /** @ignore Made by {@linkcode serve}. */
  constructor(options: ServeOptions, parts: Parts) {
    this.#parts = parts;
    this.hostname = addressOf(options).hostname;
    this.port = parts.grpc.port.number;
    this.httpPort = parts.http?.port.number;
    this.address = this.hostname.includes(":")
      ? `[${this.hostname}]:${this.port}`
      : `${this.hostname}:${this.port}`;
    this.metricsPort = parts.pages?.port;
    this.tls = options.tls !== undefined;
    this.notice = noticeOf(options, this);
    const { signal } = options;
    if (signal !== undefined) this.#stopOn(signal);
  }

  /** Calls, durations, points, bytes and connections in the text format of Prometheus. */
  metrics(): string {
    return this.#parts.metrics.text();
  }

  /**
   * Stops: no new connections and calls, those under way finish (or are cancelled), everything is
   * closed. The database stays open; it belongs to who opened it. Idempotent.
   *
   * @param options Time that running calls have to finish.
   */
  stop(options: StopOptions = {}): Promise<void> {
    checkObject("stop", "options", options);
    this.#stopping ??= this.#stop(options.graceful === false ? 0 : options.graceMs ?? GRACE_MS);
    return this.#stopping;
  }

  /** Stops gracefully, as {@linkcode stop} does without options. */
  close(): Promise<void> {
    return this.stop();
  }

  /** The same as {@linkcode close}. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #stop(graceMs: number): Promise<void> {
    const { grpc, http, calls, pages, spool, readers, readiness, stopTimers } = this.#parts;
    readiness.stopping = true;
    const idle = stopTimers();
    const finish = Promise.all([calls.finish(graceMs), http?.requests.finish(graceMs)]).then(
      () => {},
    );
    await Promise.all([grpc.close(finish), http?.close(finish)]);
    await pages?.close();
    await spool.close();
    await readers?.close();
    await idle;
    this.#finish();
  }

  #stopOn(signal: AbortSignal): void {
    if (signal.aborted) return void this.stop();
    this.finished.then(onAbort(signal, () => void this.stop()));
  }
}

/** Parts of a {@linkcode Server}. */
interface Parts {
  grpc: GrpcPort;
  http: HttpPort | undefined;
  calls: Calls;
  pages: MetricsListener | undefined;
  metrics: Metrics;
  spool: Spool;
  readers: Readers | undefined;
  readiness: Readiness;
  stopTimers: () => Promise<void>;
}

/**
 * Puts a database behind a port that existing BTrDB clients use unchanged: gRPC protocols v4 and v5
 * side by side, whatever the database is: embedded, or another server (then this one is a proxy).
 * Tested clients, keys, TLS, limits and metrics: docs/server.md.
 *
 * @param db A `BTrDB` made by `connect`, or an endpoint.
 * @param options Address, TLS, keys and limits.
 * @returns The server, once the port is open.
 * @throws {TypeError} If the options do not fit together, e.g. a public address without keys, or workers
 *   of a database that is not in a file.
 * @throws {RangeError} If a limit, a port or the number of workers is out of range.
 * @throws What the operating system says about a port that cannot be opened.
 *
 * @example A database for other programs on this machine
 * ```ts
 * import { connect } from "@btrdb/btrdb";
 * import { serve } from "@btrdb/btrdb/server";
 *
 * await using db = await connect("memory:");
 * await using server = await serve(db, { port: 0 });
 * await using client = await connect(server.address);
 * const { majorVersion } = await client.info();
 * console.assert(majorVersion === 5);
 * ```
 */
export async function serve(db: BTrDB | Endpoint, options: ServeOptions = {}): Promise<Server> {
  checkObject("serve", "db", db);
  checkObject("serve", "options", options);
  checkKnown(options);
  const { hostname, port } = addressOf(options);
  collectSeldom();
  const limits = limitsOf(options.limits);
  const workers = workersOf(options);
  const keys = new KeyRing(options.apiKeys, options.anonymous);
  const certificate = options.tls && await readCertificate(options.tls);
  const timeout = new SendTimeout(limits.sendTimeoutMs);
  const { concurrentCalls, waitingCalls } = limits;
  const places = new SharedPlaces(concurrentCalls, waitingCalls, timeout, freeMemoryAfterMany);
  const openStreams = new OpenStreams(limits.openStreams, waitingCalls, timeout);
  const spool = new Spool(spoolLimits(limits, keys));
  const ports: (GrpcPort | HttpPort)[] = [];
  const database = isEndpoint(db) ? db : endpointOf(db);
  const readiness = new Readiness(database, (error) => onError(error, READINESS));
  const metrics = metricsOf(
    places.all,
    timeout,
    () => ports.reduce((sum, { port }) => sum + port.connections.size, 0),
    spool,
    readiness,
  );
  const onError = (error: unknown, context: ErrorContext): void => {
    metrics.recordError(error);
    try {
      options.onError?.(error, context);
    } catch {
      // A reporter that fails must not take the answer with it, or the server.
    }
  };
  if (database.capabilities.readOnly === true) refuseToWrite(options);
  const readers = await openWorkers(database, workers);
  const endpoint = readingIn(readers, database);
  const around = {
    endpoint,
    keys,
    rights: new RightsWatch(endpoint),
    places,
    metrics,
    onError,
  };
  const dispatcher = new Dispatcher({
    ...around,
    readers,
    services: servicesOf(),
    openStreams,
    settings: settingsOf(options, limits, readiness),
  });
  const calls = new Calls((call) => dispatcher.handle(call), onError);
  const isKnown = (authorization: string | undefined) => keys.isKnown(authorization);
  const incoming = new IncomingBytes({
    maxMessageBytes: limits.messageBytes,
    messageBytes: (path) => dispatcher.messageBytes(path, limits.messageBytes),
    isKnown,
  });
  const shared = {
    certificate,
    calls,
    incoming,
    keyOf: (authorization: string | undefined) => keys.keyOf(authorization),
    open: new OpenRequests(isKnown),
    maxStreamsPerConnection: limits.callsPerConnection,
    onStrangeError: onError,
    maxMessageBytes: limits.messageBytes,
    maxConnections: limits.connections,
    maxConnectionsPerAddress: limits.connectionsPerAddress,
    keepaliveMs: options.keepaliveMs ?? 20_000,
    keepaliveTimeoutMs: options.keepaliveTimeoutMs ?? 20_000,
  };
  try {
    const grpc = await GrpcPort.open({
      ...shared,
      hostname,
      port,
      paths: dispatcher.paths,
    });
    ports.push(grpc);
    const data = { spool, openStreams, maxStreams: limits.streamsPerCall, isKeyed: !keys.isEmpty };
    const http = await openHttp(options, hostname, shared, around, data);
    if (http !== undefined) ports.push(http);
    const pages = await openPages(options, hostname, metrics, readiness, onError);
    const stopWatching = options.tls === undefined || certificate === undefined
      ? () => {}
      : watchCertificate(options.tls, certificate, (next) => {
        for (const { port } of ports) port.setCertificate(next);
      });
    const endFreeing = freeMemoryWhileServing();
    const stopTimers = () => {
      stopWatching();
      return endFreeing();
    };
    const parts = { grpc, http, calls, pages, metrics, spool, readers, readiness, stopTimers };
    return new Server(options, parts);
  } catch (error) {
    for (const port of ports) await port.close(Promise.resolve());
    await readers?.close();
    throw error;
  }
}

/** Bounds of the files kept for HTTP: where there are keys, one of them may fill a half. */
function spoolLimits({ spoolBytes }: AllLimits, keys: KeyRing): SpoolLimits {
  const share = keys.isEmpty ? 1 : 0.5;
  return { maxBytes: spoolBytes, maxOwnerBytes: Math.ceil(share * spoolBytes) };
}

function isEndpoint(db: BTrDB | Endpoint): db is Endpoint {
  return "capabilities" in db && "metadataUsage" in db;
}

function servicesOf(): Record<string, ServiceTable> {
  return { ...SERVICES, "grpc.health.v1.Health": healthService(Object.keys(SERVICES)) };
}

function settingsOf(
  options: ServeOptions,
  limits: AllLimits,
  readiness: Readiness,
): MethodSettings {
  return {
    maxInsertPointsV4: limits.insertPointsV4,
    maxStreamsPerCall: limits.streamsPerCall,
    maxSqlRows: limits.sqlRows,
    sqlTimeoutMs: limits.sqlTimeoutMs,
    announcesBatches: limits.messageBytes >= MIN_BATCHES_MESSAGE_BYTES,
    allowObliterate: options.allowObliterate ?? true,
    readiness,
  };
}

function noticeOf(
  options: ServeOptions,
  { address, httpPort, metricsPort }: Pick<Server, "address" | "httpPort" | "metricsPort">,
): string {
  const keyed = (options.apiKeys?.length ?? 0) > 0;
  const who = keyed
    ? "API key required"
    : isLoopback(addressOf(options).hostname)
    ? "no API keys: this machine only"
    : "no API keys: open to anyone who can reach it";
  const how = options.tls === undefined ? "plain text" : "TLS";
  const http = httpPort === undefined ? "" : `, HTTP on port ${httpPort}`;
  const metrics = metricsPort === undefined ? "" : `, metrics on port ${metricsPort}`;
  return `Listening on ${address} (BTrDB v4 and v5, ${how}, ${who}${http}${metrics})`;
}
