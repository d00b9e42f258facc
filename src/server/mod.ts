/**
 * A BTrDB server: {@linkcode serve} puts any database of this package behind a port that
 * existing BTrDB clients use unchanged.
 *
 * @module
 */

export type { RawColumns, RawPoint, StatColumns } from "../core/columns.ts";
export type * from "../endpoint/endpoint.ts";
export type * from "../endpoint/retention.ts";
export type { ErrorContext } from "./dispatcher.ts";
export type { ApiKey, Capability, Grant } from "./keys.ts";
export type {
  HttpOptions,
  Limits,
  ServeOptions,
  ServerTlsOptions,
  WriteOptions,
} from "./options.ts";
export { serve, Server, type StopOptions } from "./serve.ts";
