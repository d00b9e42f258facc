/**
 * Connecting from a page.
 *
 * @module
 */

import { BTrDB } from "../client/btrdb.ts";
import { oneOf, text } from "../client/arguments.ts";
import { type RequestOptions, startCall } from "../core/request_options.ts";
import type { RetryOptions } from "../grpc/call/retry.ts";
import { connectGrpcWeb } from "../grpc/connect_grpc_web.ts";
import type { CallHooks, Tracer } from "../grpc/transport/telemetry.ts";
import { invalidType } from "../core/argument_error.ts";

/** Options of {@linkcode connect}. */
export interface WebConnectOptions extends RequestOptions {
  /** Key shown to the server, in a header. */
  apiKey?: string | undefined;
  /** Protocol to speak. @default {"auto"} the server is asked */
  protocol?: "auto" | "v4" | "v5" | undefined;
  /** Limits of retries; `false` for none. */
  retry?: RetryOptions | false | undefined;
  /** Told about every request. */
  hooks?: CallHooks | undefined;
  /** An OpenTelemetry tracer, or anything of its shape. */
  tracer?: Tracer | undefined;
}

/**
 * Connects to a server in gRPC-Web.
 *
 * @param url Server, `https://host:port/prefix` or `grpc-web+tls://…`. @default the origin of the page
 * @param options API key, protocol and retry limits.
 * @returns The database; closing it is the caller's, `await using` does it.
 * @throws {TypeError} If the URL is none of these, or none is given outside of a page.
 * @throws {BTrDBError} `UNAVAILABLE` or `DEADLINE_EXCEEDED` if nobody answers there,
 * `UNAUTHENTICATED` if the key is wrong.
 */
export async function connect(url?: string, options: WebConnectOptions = {}): Promise<BTrDB> {
  const call = startCall("connect", options);
  const { apiKey, protocol = "auto", retry, hooks, tracer } = options;
  if (url !== undefined) text("connect", url, "url");
  if (apiKey !== undefined) text("connect", apiKey, "apiKey");
  oneOf("connect", protocol, "protocol", ["auto", "v4", "v5"]);
  const addresses = [url ?? originOfPage()];
  return new BTrDB(
    await connectGrpcWeb({ addresses, protocol, apiKey, retry, hooks, tracer, ...call }),
  );
}

function originOfPage(): string {
  const origin = (globalThis as { location?: { origin?: string } }).location?.origin;
  if (origin !== undefined && origin !== "null") return origin;
  throw invalidType(`Cannot connect: there is no page to take the server from, expected its URL`);
}
