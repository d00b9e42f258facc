/**
 * Connecting over HTTP/2, as every BTrDB server speaks it.
 *
 * @module
 */

import type { Endpoint } from "../endpoint/endpoint.ts";
import { readMembers } from "./call/members.ts";
import { type ConnectionOptions, connectOver, MAX_MESSAGE_BYTES } from "./open.ts";
import { type Address, parseAddress } from "./transport/address.ts";
import { grpcJsTransport } from "./transport/grpc_js_transport.ts";

/** Options of {@linkcode connectGrpc}. */
export interface GrpcOptions extends ConnectionOptions {
  /** Addresses of the cluster: parts, or text for `parseAddress`. Several lead to one cluster. */
  readonly addresses: readonly (string | Address)[];
  /**
   * True if addresses given as text speak TLS. @default {undefined} by scheme, else by port 4411
   */
  tls?: boolean;
  /** Certificates of authorities, PEM. @default {undefined} the platform's */
  caBundle?: string | Uint8Array;
  /** Name that the servers' certificates must carry. @default {undefined} the host's */
  tlsName?: string;
  /** Bytes under way on the wire, per connection and per call. @default {4194304} */
  flowControlWindow?: number;
}

/**
 * 64 KiB, the library's default, is a third as fast; beyond 4 MiB nothing is gained, and what a
 * cancelled read leaves under way grows.
 */
const FLOW_CONTROL_WINDOW = 4 << 20;

/**
 * Connects to a server or cluster over HTTP/2.
 *
 * @param options Addresses and options of the connection.
 * @returns The endpoint.
 * @throws {TypeError} If there is no endpoint, or one is malformed.
 * @throws {BTrDBError} `UNAVAILABLE` if nobody answers, `UNAUTHENTICATED` if the key is wrong,
 * `UNIMPLEMENTED` if the server speaks neither protocol.
 */
export async function connectGrpc(options: GrpcOptions): Promise<Endpoint> {
  const addresses = options.addresses.map((address) =>
    typeof address === "string" ? parseAddress(address, options.tls) : address
  );
  const transport = grpcJsTransport({
    caBundle: options.caBundle,
    tlsName: options.tlsName,
    maxMessageBytes: options.maxMessageBytes ?? MAX_MESSAGE_BYTES,
    flowControlWindow: options.flowControlWindow ?? FLOW_CONTROL_WINDOW,
  });
  return await connectOver(transport, addresses, options, readMembers);
}
