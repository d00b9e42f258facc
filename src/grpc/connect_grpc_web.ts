/**
 * Connecting in gRPC-Web: to `serve` with an HTTP port, or to any server behind a proxy that speaks
 * it. Loads no gRPC library and no `node:` module.
 *
 * @module
 */

import type { Endpoint } from "../endpoint/endpoint.ts";
import { type ConnectionOptions, connectOver, MAX_MESSAGE_BYTES } from "./open.ts";
import { parseWebAddress } from "./transport/address.ts";
import { webTransport } from "./transport/web_transport.ts";

/** Options of {@linkcode connectGrpcWeb}. */
export interface GrpcWebOptions extends ConnectionOptions {
  /** `grpc-web://host:port/prefix`, `grpc-web+tls://…`, or a URL; several lead to one server. */
  readonly addresses: readonly string[];
}

/**
 * Connects to a server in gRPC-Web. Members that a cluster tells of are not called: they are
 * addresses of gRPC, so that whatever stands in front has to find the right one.
 *
 * @param options Addresses and options of the connection.
 * @returns The endpoint.
 * @throws {TypeError} If there is no address, or one is malformed.
 * @throws {BTrDBError} `UNAVAILABLE` if nobody answers, `UNAUTHENTICATED` if the key is wrong,
 * `UNIMPLEMENTED` if the server speaks neither protocol.
 */
export async function connectGrpcWeb(options: GrpcWebOptions): Promise<Endpoint> {
  const { addresses, maxMessageBytes = MAX_MESSAGE_BYTES } = options;
  const transport = webTransport({ maxMessageBytes });
  return await connectOver(transport, addresses.map(parseWebAddress), options);
}
