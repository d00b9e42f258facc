/** A server of HTTP/2 made of bare frames, which sends whatever a test wants. */

import { type AddressInfo, createServer, type Server, type Socket } from "node:net";
import { createServer as createTlsServer } from "node:tls";

const HEADER_BYTES = 9;
const PREFACE_BYTES = 24;

/** Types of frames. */
export const DATA = 0;
export const HEADERS = 1;
export const RST_STREAM = 3;
export const SETTINGS = 4;
export const GOAWAY = 7;

/** Flags of frames. */
const END_STREAM = 1;
const ACK = 1;
const END_HEADERS = 4;

/** A frame; `length` is what its header says. */
export function frame(
  type: number,
  flags: number,
  streamId: number,
  payload: Uint8Array = new Uint8Array(0),
  length: number = payload.length,
): Uint8Array {
  const bytes = new Uint8Array(HEADER_BYTES + payload.length);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, length << 8 | type);
  bytes[4] = flags;
  view.setUint32(5, streamId);
  bytes.set(payload, HEADER_BYTES);
  return bytes;
}

/** Big-endian numbers of 32 bits. */
export function words(...values: number[]): Uint8Array {
  const bytes = new Uint8Array(values.length * 4);
  values.forEach((value, i) => new DataView(bytes.buffer).setUint32(i * 4, value));
  return bytes;
}

/** Fields of a header block that no table is needed for (RFC 7541, section 6.2.2). */
function fields(...pairs: [name: string, value: string][]): Uint8Array {
  const encoder = new TextEncoder();
  const bytes = pairs.flatMap(([name, value]) => [
    0,
    name.length,
    ...encoder.encode(name),
    value.length,
    ...encoder.encode(value),
  ]);
  return Uint8Array.from(bytes);
}

const STATUS_200 = 0x88;
const BEGIN = Uint8Array.of(STATUS_200, ...fields(["content-type", "application/grpc"]));
const END = fields(["grpc-status", "0"]);

/** The answer to a call: one empty message. */
export function answer(streamId: number): Uint8Array {
  return joined(
    frame(HEADERS, END_HEADERS, streamId, BEGIN),
    frame(DATA, 0, streamId, new Uint8Array(5)),
    frame(HEADERS, END_HEADERS | END_STREAM, streamId, END),
  );
}

/** The bytes of all parts. */
export function joined(...parts: readonly Uint8Array[]): Uint8Array {
  const all = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

/** A request that has come as a whole. */
interface Request {
  readonly streamId: number;
  /** Of its last frame. */
  readonly bytes: number;
}

/** One connection of a client. */
export class RawConnection {
  readonly socket: Socket;
  /** Streams whose request has come to its end. */
  readonly requests: number[] = [];
  #bytes: Uint8Array = new Uint8Array(0);
  #skip = PREFACE_BYTES;

  constructor(socket: Socket) {
    this.socket = socket;
  }

  /** Sends bytes, if the client is still there. */
  send(bytes: Uint8Array): void {
    if (!this.socket.destroyed) this.socket.write(bytes);
  }

  /** Takes bytes of the client; the requests that end with them. */
  receive(chunk: Uint8Array): Request[] {
    const bytes = joined(this.#bytes, chunk);
    const ended: Request[] = [];
    let at = 0;
    if (this.#skip > 0) {
      if (bytes.length < this.#skip) {
        this.#bytes = bytes;
        return ended;
      }
      at = this.#skip;
      this.#skip = 0;
    }
    const view = new DataView(bytes.buffer);
    while (bytes.length - at >= HEADER_BYTES) {
      const end = at + HEADER_BYTES + (view.getUint32(at) >>> 8);
      if (bytes.length < end) break;
      const [type, flags, streamId] = [bytes[at + 3]!, bytes[at + 4]!, view.getUint32(at + 5)];
      if (type === SETTINGS && (flags & ACK) === 0) this.send(frame(SETTINGS, ACK, 0));
      if ((type === HEADERS || type === DATA) && (flags & END_STREAM) !== 0) {
        this.requests.push(streamId);
        ended.push({ streamId, bytes: end - at - HEADER_BYTES });
      }
      at = end;
    }
    this.#bytes = bytes.slice(at);
    return ended;
  }
}

/** Certificate and key, PEM. */
export interface Tls {
  readonly cert: string;
  readonly key: string;
}

/** The server. */
export class RawHttp2Server implements AsyncDisposable {
  readonly port: number;
  /** Connections that were made. */
  readonly connections: RawConnection[];
  readonly #server: Server;

  private constructor(server: Server, connections: RawConnection[]) {
    this.#server = server;
    this.connections = connections;
    this.port = (server.address() as AddressInfo).port;
  }

  /**
   * Starts a server.
   *
   * @param onRequest Called for every request that has come as a whole; `bytes` of its last frame.
   * @param tls For a server that speaks TLS.
   */
  static async start(
    onRequest: (connection: RawConnection, streamId: number, bytes: number) => void,
    tls?: Tls,
  ): Promise<RawHttp2Server> {
    const connections: RawConnection[] = [];
    const accept = (socket: Socket) => {
      const connection = new RawConnection(socket);
      connections.push(connection);
      socket.on("error", () => {});
      connection.send(frame(SETTINGS, 0, 0, Uint8Array.of(0, 3, 0, 1, 0, 0)));
      socket.on("data", (chunk: Uint8Array) => {
        for (const { streamId, bytes } of connection.receive(chunk)) {
          onRequest(connection, streamId, bytes);
        }
      });
    };
    const server = tls === undefined
      ? createServer({ allowHalfOpen: true }, accept)
      : createTlsServer({ ...tls, ALPNProtocols: ["h2"] }, accept);
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    return new RawHttp2Server(server, connections);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const { socket } of this.connections) socket.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}
