/**
 * The HTTP/2 servers inside the gRPC library.
 *
 * @module
 */

import type { Server } from "@grpc/grpc-js";
import type { Http2Server } from "node:http2";

/**
 * The HTTP/2 servers of `server`. The library does not hand them out; they are the keys of one of
 * its tables. If a later version of it has no such table, this throws rather than let a server run
 * that any client can end.
 *
 * @param server After its injector has been made.
 */
export function http2ServersOf(server: Server): Iterable<Http2Server> {
  const table = (server as unknown as { http2Servers?: unknown }).http2Servers;
  if (!(table instanceof Map) || table.size === 0) {
    throw new Error(
      "Cannot serve: this version of @grpc/grpc-js keeps its HTTP/2 servers elsewhere",
    );
  }
  return table.keys() as Iterable<Http2Server>;
}
