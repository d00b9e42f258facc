/**
 * Credentials of grpc-js whose connections filter the frames that come in.
 *
 * @module
 */

import type { ChannelCredentials } from "@grpc/grpc-js";
import type { Socket } from "node:net";
import { FilteredSocket } from "./filtered_socket.ts";
import type { Goaway } from "./frame_filter.ts";

/** A connection as a connector of grpc-js 1.14 hands it on to HTTP/2. */
interface Connected {
  readonly socket: Socket;
  readonly secure: boolean;
}

/** The part of a connector of grpc-js 1.14 that is changed. */
interface Connector {
  connect(socket: Socket): Promise<Connected>;
}

/** The hook of grpc-js 1.14's credentials between TCP or TLS and HTTP/2; not in its types. */
interface Connecting {
  _createSecureConnector(...args: unknown[]): Connector;
}

/**
 * Makes the connections of `credentials` filter what the server sends.
 *
 * @param credentials Changed in place.
 * @param onGoaway Told when a server announces the end of a connection.
 * @returns The same credentials.
 * @throws {Error} If grpc-js has no such hook: then nothing would protect the process.
 */
export function filtered(
  credentials: ChannelCredentials,
  onGoaway: (goaway: Goaway) => void,
): ChannelCredentials {
  const hooked = credentials as unknown as Connecting;
  const original = hooked._createSecureConnector;
  if (typeof original !== "function") {
    throw new Error("Cannot filter connections: grpc-js has no _createSecureConnector");
  }
  hooked._createSecureConnector = (...args) => {
    const connector = original.apply(hooked, args);
    const connect = connector.connect.bind(connector);
    connector.connect = async (socket) => {
      const connected = await connect(socket);
      const filteredSocket = new FilteredSocket(connected.socket, onGoaway);
      return { ...connected, socket: filteredSocket as unknown as Socket };
    };
    return connector;
  };
  return credentials;
}
