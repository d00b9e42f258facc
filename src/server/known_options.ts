/**
 * Refuses options of a server that there are not: a misspelt `apiKeys` must not serve everyone.
 *
 * @module
 */

import { checkNames } from "../core/check_names.ts";
import type {
  HttpOptions,
  Limits,
  ServeOptions,
  ServerTlsOptions,
  WriteOptions,
} from "./options.ts";

/** All names of an interface, which the compiler holds against it. */
type Names<T> = Readonly<Record<keyof T, true>>;

const SERVE: Names<ServeOptions> = {
  port: true,
  hostname: true,
  tls: true,
  apiKeys: true,
  anonymous: true,
  allowPublic: true,
  allowObliterate: true,
  limits: true,
  workers: true,
  metricsPort: true,
  metricsHost: true,
  http: true,
  keepaliveMs: true,
  keepaliveTimeoutMs: true,
  signal: true,
  onError: true,
};

const LIMITS: Names<Limits> = {
  concurrentCalls: true,
  waitingCalls: true,
  messageBytes: true,
  insertPointsV4: true,
  streamsPerCall: true,
  openStreams: true,
  connections: true,
  connectionsPerAddress: true,
  callsPerConnection: true,
  sqlRows: true,
  sqlTimeoutMs: true,
  spoolBytes: true,
  sendTimeoutMs: true,
};

const TLS: Names<ServerTlsOptions> = { cert: true, key: true, reloadEveryMs: true };

const HTTP: Names<HttpOptions> = {
  port: true,
  hostname: true,
  origins: true,
  pages: true,
  write: true,
};

const WRITE: Names<WriteOptions> = { collection: true, maxStreams: true };

/**
 * Checks the names of all options of a server.
 *
 * @throws {TypeError} Naming one that there is not.
 */
export function checkKnown(options: ServeOptions): void {
  checkNames("serve", "", options, SERVE);
  checkNames("serve", "limits", options.limits, LIMITS);
  checkNames("serve", "tls", options.tls, TLS);
  checkNames("serve", "http", options.http, HTTP);
  const write = options.http?.write;
  if (typeof write !== "boolean") checkNames("serve", "http.write", write, WRITE);
}
