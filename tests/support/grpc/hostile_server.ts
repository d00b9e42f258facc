/** A server that speaks HTTP/2 and, in it, whatever a test likes. */

import { Buffer } from "node:buffer";
import { createServer, type Http2Server, type ServerHttp2Stream } from "node:http2";
import type { AddressInfo } from "node:net";

/** Answers one call. */
export type Answer = (rpc: string, stream: ServerHttp2Stream) => void;

/** A server. */
export class HostileServer implements AsyncDisposable {
  readonly address: string;
  readonly #server: Http2Server;
  readonly #sessions = new Set<{ destroy(): void }>();

  private constructor(server: Http2Server) {
    this.#server = server;
    this.address = `127.0.0.1:${(server.address() as AddressInfo).port}`;
    server.on("session", (session) => {
      this.#sessions.add(session);
      session.on("error", () => {});
      session.on("close", () => this.#sessions.delete(session));
    });
  }

  /** Starts one. */
  static async start(answer: Answer): Promise<HostileServer> {
    const server = createServer();
    server.on("stream", (raw, headers) => {
      const stream = raw as ServerHttp2Stream;
      stream.on("error", () => {});
      stream.resume();
      answer(String(headers[":path"]).split("/").at(-1)!, stream);
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    return new HostileServer(server);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const session of this.#sessions) session.destroy();
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
  }
}

/** Headers of an answer. */
export function begin(stream: ServerHttp2Stream, more: Record<string, string> = {}): void {
  if (stream.destroyed || stream.headersSent) return;
  stream.respond({ ":status": 200, "content-type": "application/grpc+proto", ...more }, {
    waitForTrailers: true,
  });
  stream.on("wantTrailers", () => stream.sendTrailers({ "grpc-status": "0" }));
}

/** A message in its frame. */
export function framed(message: Uint8Array, flag = 0, length: number = message.length): Buffer {
  const head = Buffer.alloc(5);
  head.writeUInt8(flag, 0);
  head.writeUInt32BE(length, 1);
  return Buffer.concat([head, message]);
}

/** A whole answer. */
export function answer(stream: ServerHttp2Stream, message: Uint8Array): void {
  begin(stream);
  if (!stream.destroyed) stream.end(framed(message));
}
