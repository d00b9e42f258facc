/**
 * Options of `serve` and their defaults.
 *
 * @module
 */

import type { ErrorContext } from "./dispatcher.ts";
import type { ApiKey, Grant } from "./keys.ts";
import { invalidType, outOfRange } from "../core/argument_error.ts";
import { describe } from "../core/describe.ts";

/** Bounds on what clients may ask for (docs/server.md, "Limits"). */
export interface Limits {
  /**
   * Calls worked on at once; more wait. `Info`, health checks and subscriptions do not count.
   *
   * @default {200}
   */
  concurrentCalls?: number;
  /**
   * Calls that may wait for one of them to end; more are answered 426.
   *
   * @default {100}
   */
  waitingCalls?: number;
  /**
   * Largest request message, bytes; larger ones are answered RESOURCE_EXHAUSTED. Requests without
   * points may have 1 MiB, `GenerateCSV` 4 MiB.
   *
   * @default {16777216}
   */
  messageBytes?: number;
  /**
   * Points of one v4 insert; more are answered 414.
   *
   * @default {25000}
   */
  insertPointsV4?: number;
  /**
   * Streams one call may name (CSV, Arrow and multi-stream reads, subscriptions); more are
   * answered 421.
   *
   * @default {10000}
   */
  streamsPerCall?: number;
  /**
   * Streams that all calls on several of them may read at once, CSV, Arrow and multi-stream reads;
   * further calls wait, and count as waiting ones.
   *
   * @default {20000}
   */
  openStreams?: number;
  /**
   * Open connections; more are closed at once.
   *
   * @default {1000}
   */
  connections?: number;
  /**
   * Open connections of one address, or of one network (/64) of IPv6; more are closed at once.
   *
   * @default {500}
   */
  connectionsPerAddress?: number;
  /**
   * Open calls of one connection; clients keep further ones back.
   *
   * @default {1000}
   */
  callsPerConnection?: number;
  /**
   * Rows one SQL query may answer; more are answered 441.
   *
   * @default {100000}
   */
  sqlRows?: number;
  /**
   * Longest duration of one SQL query, ms; longer ones are answered 402.
   *
   * @default {10000}
   */
  sqlTimeoutMs?: number;
  /**
   * Bytes of temporary files that HTTP keeps for readers of Parquet; where there are keys, each may
   * fill a half. Larger files are refused (413).
   *
   * @default {1073741824}
   */
  spoolBytes?: number;
  /**
   * Time without any progress after which an answer that waits for its client is ended with
   * RESOURCE_EXHAUSTED, ms, if others wait for its place or its streams. Otherwise it may wait.
   *
   * @default {30000}
   */
  sendTimeoutMs?: number;
}

/** A certificate: PEM texts, or paths of files that are read again when they change. */
export interface ServerTlsOptions {
  /** Certificate chain: PEM text, or the path of a PEM file. */
  cert: string;
  /** Private key: PEM text, or the path of a PEM file. */
  key: string;
  /**
   * Interval at which the files are checked, ms.
   *
   * @default {1000}
   */
  reloadEveryMs?: number;
}

/** Options of the HTTP port of `serve` (docs/server.md, "HTTP"). */
export interface HttpOptions {
  /**
   * Port; 0 takes any that is free.
   *
   * @default {8080}
   */
  port?: number;
  /**
   * Address or host name to listen at.
   *
   * @default that of the gRPC port
   */
  hostname?: string;
  /**
   * Origins whose pages may ask, e.g. `https://grid.example.org`; `"*"` for all.
   *
   * @default none but the server's own
   */
  origins?: readonly string[];
  /**
   * True to serve the plotter's page at `/` (docs/plotter.md).
   *
   * @default {true}
   */
  pages?: boolean;
  /**
   * Take line protocol, as InfluxDB does (docs/line-protocol.md); `true` for the defaults.
   *
   * @default none
   */
  write?: boolean | WriteOptions;
}

/** Options of the write API, line protocol over HTTP (docs/line-protocol.md). */
export interface WriteOptions {
  /**
   * Template of the collections: text with `{bucket}`, `{org}`, `{rp}`, `{measurement}`, `{tag.KEY}`
   * and `{tags}`, the values of all other tags with `/` between them.
   *
   * @default {"{bucket}/{measurement}/{tags}"}
   */
  collection?: string;
  /**
   * Most streams that the holder of a key may make while the server runs; without keys, everybody
   * together. Points of further new series are refused.
   *
   * @default {10000}
   */
  maxStreams?: number;
}

/** Options of `serve`. */
export interface ServeOptions {
  /**
   * Port; 0 takes any that is free.
   *
   * @default {4410}, with TLS 4411: clients take the port 4411 to mean TLS
   */
  port?: number;
  /**
   * Address or host name to listen at.
   *
   * @default {"127.0.0.1"} without API keys, "0.0.0.0" with them
   */
  hostname?: string;
  /** Certificate; absent: plain text. */
  tls?: ServerTlsOptions;
  /**
   * API keys and their permissions; without any, every client on this machine may do everything.
   */
  apiKeys?: readonly ApiKey[];
  /**
   * Permissions of callers without a key, when there are keys.
   *
   * @default nothing
   */
  anonymous?: Grant;
  /**
   * Listen beyond this machine without any key.
   *
   * @default {false}
   */
  allowPublic?: boolean;
  /**
   * True if streams may be removed permanently; otherwise such calls are answered 431.
   *
   * @default {true}
   */
  allowObliterate?: boolean;
  /** Bounds on what clients may ask for. */
  limits?: Limits;
  /**
   * Threads that read points and windows, 0 to 64, while this one writes and sends; only for a database
   * in a file (docs/server.md, "Workers").
   *
   * @default {0}
   */
  workers?: number;
  /**
   * Port for `/metrics`, `/healthz` and `/readyz` over HTTP, at the same address; 0 takes any that
   * is free.
   *
   * @default none
   */
  metricsPort?: number;
  /**
   * Address of that port.
   *
   * @default `hostname`
   */
  metricsHost?: string;
  /**
   * Serve over HTTP too: gRPC-Web for pages, and data by URL (docs/http.md).
   *
   * @default none
   */
  http?: HttpOptions;
  /**
   * Silence of a client after which a keepalive probe is sent, ms.
   *
   * @default {20000}
   */
  keepaliveMs?: number;
  /**
   * Longest wait for the answer to a probe before the client's calls are cancelled, ms.
   *
   * @default {20000}
   */
  keepaliveTimeoutMs?: number;
  /** Aborting it stops the server, letting calls finish as `stop()` does. */
  signal?: AbortSignal;
  /** Told of errors that no client can be blamed for; clients only see "internal error". */
  onError?: (error: unknown, context: ErrorContext) => void;
}

/** Every limit. */
export type AllLimits = Required<Limits>;

const DEFAULTS: AllLimits = {
  concurrentCalls: 200,
  waitingCalls: 100,
  messageBytes: 16 << 20,
  insertPointsV4: 25_000,
  streamsPerCall: 10_000,
  openStreams: 20_000,
  connections: 1_000,
  connectionsPerAddress: 500,
  callsPerConnection: 1_000,
  sqlRows: 100_000,
  sqlTimeoutMs: 10_000,
  spoolBytes: 1 << 30,
  sendTimeoutMs: 30_000,
};

/**
 * The limits of a server.
 *
 * @throws {RangeError} If one is not a whole number in its range.
 */
export function limitsOf(given: Limits = {}): AllLimits {
  const limits = { ...DEFAULTS, ...given };
  for (const [name, value] of Object.entries(limits)) {
    const least = name === "waitingCalls" ? 0 : 1;
    const most = name === "spoolBytes" ? Number.MAX_SAFE_INTEGER : 2 ** 31 - 1;
    if (!Number.isSafeInteger(value) || value < least || value > most) {
      throw outOfRange(`Cannot serve: limits.${name} is ${value}, expected ${least} to ${most}`);
    }
  }
  return limits;
}

/** Most worker threads of a server. */
const MAX_WORKERS = 64;

/**
 * Number of worker threads of a server.
 *
 * @throws {RangeError} If it is no whole number in its range.
 */
export function workersOf({ workers = 0 }: ServeOptions): number {
  if (Number.isInteger(workers) && workers >= 0 && workers <= MAX_WORKERS) return workers;
  throw outOfRange(`Cannot serve: workers is ${describe(workers)}, expected 0 to ${MAX_WORKERS}`);
}

/**
 * The address to listen at.
 *
 * @throws {TypeError} If that is beyond this machine, nobody needs a key, and nobody said so.
 * @throws {RangeError} If the port is none.
 */
export function addressOf(options: ServeOptions): { hostname: string; port: number } {
  const keyed = (options.apiKeys?.length ?? 0) > 0;
  // Brackets belong to an IPv6 address in a target, not to the address itself.
  const given = options.hostname?.replace(/^\[(.*)\]$/, "$1");
  const hostname = given ?? (keyed ? "0.0.0.0" : "127.0.0.1");
  const port = options.port ?? (options.tls === undefined ? 4410 : 4411);
  for (
    const [name, value] of [["port", port], ["metricsPort", options.metricsPort ?? 0]] as const
  ) {
    if (!Number.isInteger(value) || value < 0 || value > 65_535) {
      throw outOfRange(`Cannot serve: ${name} is ${value}, expected 0 to 65535`);
    }
  }
  if (!keyed && options.allowPublic !== true && !isLoopback(hostname)) {
    throw invalidType(
      `Cannot serve at ${JSON.stringify(hostname)} without API keys: expected a loopback ` +
        `address, apiKeys, or allowPublic (docs/server.md, "Keys")`,
    );
  }
  return { hostname, port };
}

/**
 * The HTTP address to listen at.
 *
 * @param options Of the server, with `http`.
 * @param hostname Address of the gRPC port.
 * @throws {TypeError} If that is beyond this machine, nobody needs a key, and nobody said so; if an
 * origin is none.
 * @throws {RangeError} If the port is none.
 */
export function httpAddressOf(
  options: ServeOptions & { http: HttpOptions },
  hostname: string,
): Required<Pick<HttpOptions, "hostname" | "port" | "origins">> {
  const { http, apiKeys, allowPublic } = options;
  const address = { hostname: http.hostname ?? hostname, port: http.port ?? 8080 };
  const asked = { ...address, ...(apiKeys === undefined ? {} : { apiKeys }) };
  const checked = addressOf(allowPublic === undefined ? asked : { ...asked, allowPublic });
  const origins = http.origins ?? [];
  for (const origin of origins) {
    if (origin === "*" || (URL.canParse(origin) && new URL(origin).origin === origin)) continue;
    throw invalidType(
      `Cannot serve: http.origins has ${
        JSON.stringify(origin)
      }, expected "*" or an origin such as ` +
        `"https://grid.example.org"`,
    );
  }
  return { ...checked, origins };
}

/**
 * The options of the write API with their defaults.
 *
 * @returns Undefined if there is none.
 * @throws {RangeError} If `maxStreams` is no whole number in its range.
 */
export function writeOptionsOf(
  { write }: HttpOptions,
): { collection: string | undefined; maxStreams: number } | undefined {
  if (write === undefined || write === false) return undefined;
  const { collection, maxStreams = 10_000 } = write === true ? {} as WriteOptions : write;
  if (!Number.isSafeInteger(maxStreams) || maxStreams < 0) {
    throw outOfRange(
      `Cannot serve: http.write.maxStreams is ${maxStreams}, expected 0 to ${Number.MAX_SAFE_INTEGER}`,
    );
  }
  return { collection, maxStreams };
}

/**
 * Refuses options of a server that writes, for a database that is open for reading only.
 *
 * @throws {TypeError} If the server is to take line protocol.
 */
export function refuseToWrite({ http }: ServeOptions): void {
  if (http === undefined || writeOptionsOf(http) === undefined) return;
  throw invalidType(
    "Cannot serve: http.write is set, expected none while the database is open for reading only",
  );
}

/** Tells whether an address is only reachable from this machine. */
export function isLoopback(hostname: string): boolean {
  return hostname === "localhost" || hostname === "::1" ||
    /^127(\.\d{1,3}){3}$/.test(hostname);
}
