/**
 * Connects to a database by its target. This is the only module that knows every kind of database,
 * and it loads each only when it is asked for.
 *
 * @module
 */

import { checkPath } from "../core/check_path.ts";
import { describe } from "../core/describe.ts";
import { oneOf, text } from "../client/arguments.ts";
import { BTrDB } from "../client/btrdb.ts";
import type { CompactOptions } from "../client/retention.ts";
import type { CompactReport } from "../endpoint/retention.ts";
import { setDisplayRenderer } from "../client/display.ts";
import { type RequestOptions, startCall } from "../core/request_options.ts";
import { checkAllowedHosts } from "./allowed_hosts.ts";
import { type Environment, processEnvironment } from "./environment.ts";
import { resolveTarget, type Target } from "./target.ts";
import { BTrDBError } from "../core/errors.ts";
import { NotAFileError, readPlainText } from "../core/plain_file.ts";
import type { CallOptions, Endpoint } from "../endpoint/endpoint.ts";
import type { VerifyReport } from "../engine/mod.ts";
import type {
  CallHooks,
  ConnectionOptions,
  GrpcOptions,
  RetryOptions,
  Tracer,
} from "../grpc/mod.ts";
import { invalidType, outOfRange } from "../core/argument_error.ts";

export type { VerifyReport } from "../engine/mod.ts";
export type { CallEvent, CallHooks, RetryEvent, RetryOptions, Span, Tracer } from "../grpc/mod.ts";

/** TLS options of a connection. */
export interface TlsOptions {
  /** Certificates to trust, PEM. @default {undefined} $BTRDB_CA_BUNDLE, else the system's */
  ca?: string | undefined;
  /** Name that the server's certificate must carry. @default {undefined} the host of the address */
  serverName?: string | undefined;
}

/** Options of `file:` and `memory:` databases. */
export interface EmbeddedOptions {
  /** Open an existing file without changing it, also beside a writer. @default {false} */
  readOnly?: boolean | undefined;
  /**
   * Failures that an acknowledged insert survives. `"full"`: the end of the process and of the
   * power. `"relaxed"`: the end of the process; after a power failure the latest writes may be
   * missing, the rest is whole.
   *
   * @default {"full"}
   */
  durability?: "full" | "relaxed" | undefined;
  /**
   * Most memory for decoded tree nodes, bytes; late points may take a quarter more.
   *
   * @default {268435456}
   */
  cacheBytes?: number | undefined;
  /** Age at which buffered points are committed, ms. @default {28800000} 8 hours */
  maxBufferAgeMs?: number | undefined;
}

/** Options of {@linkcode connect}. */
export interface ConnectOptions extends RequestOptions {
  /** Key shown to the server. @default {undefined} $BTRDB_API_KEY, or the profile's */
  apiKey?: string | undefined;
  /** Profile of the credentials file to use instead of a target. */
  profile?: string | undefined;
  /** Protocol to speak. @default {"auto"} the server is asked */
  protocol?: "auto" | "v4" | "v5" | undefined;
  /** TLS: `true`, `false` or its options. @default {undefined} by scheme, or on port 4411 */
  tls?: boolean | TlsOptions | undefined;
  /**
   * Hosts that servers may send this client on to (members of a cluster, proxies), with the API key:
   * names, addresses, or `*.example.org` for subdomains. Others are not used. @default {undefined} any
   * host; where TLS was spoken with who names it, only with TLS
   */
  allowedHosts?: readonly string[] | undefined;
  /** Limits of retries; `false` for none. */
  retry?: RetryOptions | false | undefined;
  /**
   * Longest message taken from a server, decompressed, bytes; 65,536 to 2,147,483,647. A longer one
   * ends its call with status `RESOURCE_EXHAUSTED`. @default {67108864} 64 MiB
   */
  maxMessageBytes?: number | undefined;
  /** Told about every request. */
  hooks?: CallHooks | undefined;
  /** An OpenTelemetry tracer, or anything of its shape. */
  tracer?: Tracer | undefined;
  /** Options of `file:` and `memory:` databases. */
  embedded?: EmbeddedOptions | undefined;
}

/**
 * Connects to a database.
 *
 * - `"host:4410"`, `"a:4410,b:4410"`, `"[::1]:4410"`, `"btrdb://host"`, `"btrdb+tls://host"`: a
 *   server or cluster over gRPC; port 4411 and `btrdb+tls` mean TLS.
 * - `"grpc-web://host:8080"`, `"grpc-web+tls://host/grid"`: the same in gRPC-Web over `fetch`, where
 *   HTTP gets through and HTTP/2 does not.
 * - `"file:grid.btrdb"`: the embedded engine on one file, made if it does not exist.
 * - `"memory:"`: the embedded engine, nothing on disk.
 * - nothing: `$BTRDB_ENDPOINTS` with `$BTRDB_API_KEY`, or a profile of
 *   `~/.predictivegrid/credentials.yaml` (docs/connecting.md).
 *
 * @param target Database to connect to; without it, the configured one.
 * @param options API key, protocol, TLS and retry limits.
 * @returns The database; closing it is the caller's, `await using` does it.
 * @throws {TypeError} If the target is of no known form.
 * @throws {BTrDBError} Status `NOT_CONFIGURED` if no target was given and none is configured;
 *   `UNAVAILABLE` or `DEADLINE_EXCEEDED` if nobody answers there.
 *
 * @example A database in memory
 * ```ts
 * import { connect } from "@btrdb/btrdb";
 * import { assertEquals } from "@std/assert";
 *
 * await using db = await connect("memory:");
 * assertEquals((await db.info()).protocol, "embedded");
 * ```
 */
export async function connect(target?: string, options: ConnectOptions = {}): Promise<BTrDB> {
  const call = startCall("connect", options);
  checkConnectOptions(options);
  call.signal?.throwIfAborted();
  const env = processEnvironment();
  const resolved = await resolveTarget(target, options, env);
  setDisplayRenderer(() => import("../notebook/mod.ts"));
  return new BTrDB(await openEndpoint(resolved, options, env, call), targetText(resolved));
}

/** A target as logs show it: without a key. */
function targetText(target: Target): string {
  if (target.kind === "memory") return "memory:";
  return target.kind === "file" ? `file:${target.path}` : target.endpoints.join(",");
}

/**
 * Checks a database file without changing it: every block, every statistic, every version. It may
 * be in use meanwhile.
 *
 * @param path Path of the file.
 * @returns A report; damage is reported, not thrown.
 * @throws {BTrDBError} If the file cannot be opened, or its schema is not one that this release reads.
 *
 * @example A file that is as it should be
 * ```ts
 * import { connect, verifyFile } from "@btrdb/btrdb";
 * import { assertEquals } from "@std/assert";
 *
 * const path = `${await Deno.makeTempDir()}/grid.btrdb`;
 * {
 *   await using db = await connect(`file:${path}`);
 *   const stream = await db.create(crypto.randomUUID(), "demo");
 *   await stream.insert([[1n, 1]]);
 * }
 * const { ok, streams, points } = await verifyFile(path);
 * assertEquals([ok, streams, points], [true, 1, 1n]);
 * ```
 */
export async function verifyFile(path: string): Promise<VerifyReport> {
  checkPath("verify", path, "path");
  const { verify } = await import("../engine/mod.ts");
  return await verify(path);
}

/**
 * Makes a database file smaller: gives back the room that nothing uses, in small steps, also while
 * another process writes it.
 *
 * @param path Path of the file.
 * @param options Permission to write the file anew, and a function that is told how far it is.
 * @returns Sizes before and after.
 * @throws {BTrDBError} Status `REWRITE_NEEDED` if the file was made by a release that did not prepare
 *   it, and `rewrite` is not set; `LOCKED` if it is, and another process writes the file.
 *
 * @example A file that has nothing to give back
 * ```ts
 * import { compactFile, connect } from "@btrdb/btrdb";
 * import { assertEquals } from "@std/assert";
 *
 * const path = `${await Deno.makeTempDir()}/grid.btrdb`;
 * await (await connect(`file:${path}`)).close();
 * const { before, after, free } = await compactFile(path);
 * assertEquals([after, free], [before, 0]);
 * ```
 */
export async function compactFile(
  path: string,
  options: CompactOptions = {},
): Promise<CompactReport> {
  const action = "compact";
  checkPath(action, path, "path");
  const call = startCall(action, options);
  const { rewrite, onProgress } = options;
  const { compactFile } = await import("../engine/mod.ts");
  return await compactFile(path, { ...call, rewrite, onProgress });
}

/** Range of `maxMessageBytes`: messages of points have up to 110 KB, and lengths 31 bits. */
const MIN_MESSAGE_BYTES = 65_536;
const MAX_MESSAGE_BYTES = 2 ** 31 - 1;

/** Tells whether an error may show a value: a long text may be a key, given in the wrong place. */
function fitsError(value: unknown): boolean {
  return typeof value !== "string" || value.length < 6;
}

function shown(value: unknown): string {
  return fitsError(value) ? describe(value) : "a text";
}

function checkConnectOptions(options: ConnectOptions): void {
  const { apiKey, profile, protocol, tls, retry, allowedHosts, maxMessageBytes } = options;
  if (apiKey !== undefined) text("connect", apiKey, "apiKey");
  if (profile !== undefined) text("connect", profile, "profile");
  if (protocol !== undefined) {
    oneOf("connect", fitsError(protocol) ? protocol : "a text", "protocol", ["auto", "v4", "v5"]);
  }
  if (tls !== undefined && typeof tls !== "boolean" && (typeof tls !== "object" || tls === null)) {
    throw invalidType(`Cannot connect: tls is ${shown(tls)}, expected a boolean or an object`);
  }
  if (typeof tls === "object" && tls.ca !== undefined) text("connect", tls.ca, "tls.ca");
  if (typeof tls === "object" && tls.serverName !== undefined) {
    text("connect", tls.serverName, "tls.serverName");
  }
  if (allowedHosts !== undefined) checkAllowedHosts(allowedHosts);
  if (maxMessageBytes !== undefined) {
    const isInRange = Number.isInteger(maxMessageBytes) &&
      maxMessageBytes >= MIN_MESSAGE_BYTES && maxMessageBytes <= MAX_MESSAGE_BYTES;
    if (!isInRange) {
      throw outOfRange(
        `Cannot connect: maxMessageBytes is ${shown(maxMessageBytes)}, expected an integer from ` +
          `${MIN_MESSAGE_BYTES} to ${MAX_MESSAGE_BYTES}`,
      );
    }
  }
  if (retry !== undefined && retry !== false && (typeof retry !== "object" || retry === null)) {
    throw invalidType(`Cannot connect: retry is ${shown(retry)}, expected an object or false`);
  }
  for (const [name, value] of Object.entries(retry || {})) {
    if (typeof value !== "string") continue;
    throw outOfRange(`Cannot connect: retry.${name} is a text, expected a number`);
  }
}

async function openEndpoint(
  target: Target,
  options: ConnectOptions,
  env: Environment,
  call: CallOptions,
): Promise<Endpoint> {
  if (target.kind === "grpc") return await openGrpc(target, options, env, call);
  if (target.kind === "grpc-web") return await openGrpcWeb(target, options, call);
  const { openEngine } = await import("../engine/mod.ts");
  const path = target.kind === "file" ? { path: target.path } : {};
  return await openEngine({ ...options.embedded, ...path });
}

type ServerTarget = Extract<Target, { endpoints: string[] }>;

/** Key, protocol, retries and watchers: the options that are the same however calls are carried. */
function commonOptions(
  { apiKey }: ServerTarget,
  options: ConnectOptions,
  call: CallOptions,
): ConnectionOptions {
  const { protocol = "auto", retry, hooks, tracer, maxMessageBytes } = options;
  return { protocol, apiKey, retry, maxMessageBytes, hooks, tracer, ...call };
}

/** `fetch` has no place for certificates; runtimes take them from elsewhere. */
async function openGrpcWeb(
  target: ServerTarget,
  options: ConnectOptions,
  call: CallOptions,
): Promise<Endpoint> {
  if (options.tls !== undefined) {
    throw invalidType(
      "Cannot connect: tls is given, expected grpc-web+tls:// in the target, and certificates in " +
        "$DENO_CERT or $NODE_EXTRA_CA_CERTS",
    );
  }
  const { connectGrpcWeb } = await import("../grpc/connect_grpc_web.ts");
  const common = commonOptions(target, options, call);
  return await connectGrpcWeb({ ...common, addresses: target.endpoints });
}

async function openGrpc(
  target: ServerTarget,
  options: ConnectOptions,
  env: Environment,
  call: CallOptions,
): Promise<Endpoint> {
  const { connectGrpc, parseAddress } = await import("../grpc/mod.ts");
  const { tls } = options;
  const secure = typeof tls === "object" ? true : tls;
  const endpoints = target.endpoints.map((address) => parseAddress(address, secure));
  const own = typeof tls === "object" ? tls : {};
  const caBundle = endpoints.some((endpoint) => endpoint.tls)
    ? own.ca ?? await readBundle(env)
    : undefined;
  const grpc: GrpcOptions = { ...commonOptions(target, options, call), addresses: endpoints };
  if (caBundle !== undefined) grpc.caBundle = caBundle;
  if (own.serverName !== undefined) grpc.tlsName = own.serverName;
  if (options.allowedHosts !== undefined) grpc.allowedHosts = options.allowedHosts;
  return await connectGrpc(grpc);
}

async function readBundle(env: Environment): Promise<string | undefined> {
  const path = env.get("BTRDB_CA_BUNDLE");
  if (path === undefined) return undefined;
  try {
    return await readPlainText(path);
  } catch (cause) {
    const why = cause instanceof NotAFileError
      ? `is wrong: ${cause.message}`
      : `names ${path}, which cannot be read`;
    throw new BTrDBError(`Cannot connect: $BTRDB_CA_BUNDLE ${why}`, {
      status: "NOT_CONFIGURED",
      cause,
    });
  }
}
