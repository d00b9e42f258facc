/** A TCP proxy in front of a gRPC server that stops gracefully, as load balancers and servers do. */

import { Buffer } from "node:buffer";
import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net";

const HEADER_BYTES = 9;
const PREFACE_BYTES = 24;
const [HEADERS, GOAWAY] = [1, 7];

/** Cuts bytes into frames. */
class Frames {
  #bytes: Buffer = Buffer.alloc(0);
  #skip: number;

  /** @param skip Bytes before the first frame, which come as one piece. */
  constructor(skip: number) {
    this.#skip = skip;
  }

  /** Whole frames, and the type and stream of each. */
  *add(chunk: Uint8Array): Generator<{ bytes: Buffer; type: number; streamId: number }> {
    this.#bytes = Buffer.concat([this.#bytes, chunk]);
    while (true) {
      const bytes = this.#bytes;
      const isPreface = this.#skip > 0;
      const length = isPreface
        ? this.#skip
        : bytes.length < HEADER_BYTES
        ? Infinity
        : HEADER_BYTES + bytes.readUIntBE(0, 3);
      if (bytes.length < length) return;
      this.#bytes = bytes.subarray(length);
      this.#skip = 0;
      const frame = bytes.subarray(0, length);
      const type = isPreface ? -1 : frame[3]!;
      yield { bytes: frame, type, streamId: isPreface ? 0 : frame.readUInt32BE(5) & 0x7fffffff };
    }
  }
}

/** One connection through the proxy. */
class Passage {
  readonly closed: Promise<void>;
  readonly #client: Socket;
  readonly #server: Socket;
  #lastStreamId = 0;
  #isLeft = false;

  constructor(client: Socket, port: number) {
    const server = connect(port, "127.0.0.1");
    this.#client = client;
    this.#server = server;
    this.closed = new Promise((resolve) => client.on("close", () => resolve()));
    for (const [from, to] of [[client, server], [server, client]] as const) {
      from.on("error", () => {});
      from.on("close", () => to.destroy());
      from.on("end", () => to.end());
    }
    const requests = new Frames(PREFACE_BYTES);
    client.on("data", (chunk: Uint8Array) => {
      for (const { bytes, type, streamId } of requests.add(chunk)) {
        // What comes after the last stream of a GOAWAY is not processed.
        if (this.#isLeft && streamId > this.#lastStreamId) continue;
        if (type === HEADERS) this.#lastStreamId = Math.max(this.#lastStreamId, streamId);
        pass(bytes, client, server);
      }
    });
    const answers = new Frames(0);
    server.on("data", (chunk: Uint8Array) => {
      for (const { bytes } of answers.add(chunk)) pass(bytes, server, client);
    });
  }

  /** Sends GOAWAY: what has begun goes on. */
  leave(): void {
    this.#isLeft = true;
    const frame = Buffer.alloc(HEADER_BYTES + 8);
    frame[2] = 8;
    frame[3] = GOAWAY;
    frame.writeUInt32BE(this.#lastStreamId, HEADER_BYTES);
    this.#client.write(frame);
  }

  /** Ends the connection. */
  close(): void {
    this.#client.destroy();
    this.#server.destroy();
  }
}

function pass(bytes: Uint8Array, from: Socket, to: Socket): void {
  if (to.write(bytes)) return;
  from.pause();
  to.once("drain", () => from.resume());
}

/** The proxy. It goes on after a stop, as if another server took the address over at once. */
export class GracefulProxy implements AsyncDisposable {
  readonly port: number;
  readonly #server: Server;
  readonly #passages: Set<Passage>;

  private constructor(server: Server, passages: Set<Passage>) {
    this.#server = server;
    this.#passages = passages;
    this.port = (server.address() as AddressInfo).port;
  }

  /** @param port Of the server behind. */
  static async start(port: number): Promise<GracefulProxy> {
    const passages = new Set<Passage>();
    const server = createServer((client) => {
      const passage = new Passage(client, port);
      passages.add(passage);
      void passage.closed.then(() => passages.delete(passage));
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    return new GracefulProxy(server, passages);
  }

  /** `host:port`. */
  get address(): string {
    return `127.0.0.1:${this.port}`;
  }

  /**
   * Stops gracefully: GOAWAY on every connection, which the clients then close.
   *
   * @param force True to close them, whatever is still under way.
   * @returns Resolves when the connections are closed; how many they were.
   */
  async stop(force = false): Promise<number> {
    const leaving = [...this.#passages];
    for (const passage of leaving) passage.leave();
    if (force) { for (const passage of leaving) passage.close(); }
    await Promise.all(leaving.map(({ closed }) => closed));
    return leaving.length;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const passage of this.#passages) passage.close();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}
