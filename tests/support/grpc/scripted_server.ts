/**
 * A gRPC server in the test's own process whose every answer a test writes, in bytes.
 */

import * as grpc from "@grpc/grpc-js";
import { Buffer } from "node:buffer";
import * as http2 from "node:http2";
import { SERVICES } from "../../../src/server/btrdb/service.ts";
import { clientMessages, untilClientMessages } from "./client_messages.ts";

// A GOAWAY from a server that has answered many calls can abort the whole process in nghttp2.
const { Http2Session } = http2 as unknown as { Http2Session: { prototype: { goaway(): void } } };
Http2Session.prototype.goaway = () => {};

/** One call, as a script sees it. */
export interface ScriptedCall {
  /** `/package.Service/Method`. */
  readonly path: string;
  /** Name of the method alone. */
  readonly rpc: string;
  /** The first request message. */
  readonly request: Uint8Array;
  /** Metadata of the request. */
  header(name: string): string | undefined;
  /** Sends a message; resolves once there is room for another. */
  send(message: Uint8Array): Promise<void>;
  /**
   * Waits until the client, in this process, has received all that was sent; or has gone away. A
   * status that follows at once can overtake messages.
   */
  delivered(): Promise<void>;
  /** Aborted when the client cancels or goes away. */
  readonly signal: AbortSignal;
}

/** Answers a call; what it throws as `{ code, details }` is the status. */
export type Script = (call: ScriptedCall) => Promise<void> | void;

/** A status to throw. */
export function status(code: number, details = ""): { code: number; details: string } {
  return { code, details };
}

/** A port with a script behind it. */
export class ScriptedServer implements AsyncDisposable {
  readonly port: number;
  /** Names of the methods called so far. */
  readonly calls: string[] = [];
  readonly #server: grpc.Server;

  private constructor(server: grpc.Server, port: number, calls: string[]) {
    this.#server = server;
    this.port = port;
    this.calls = calls;
  }

  /** @param port 0: any free one. */
  static async start(script: Script, port = 0): Promise<ScriptedServer> {
    const server = new grpc.Server({
      "grpc.max_receive_message_length": -1,
      "grpc.enable_channelz": 0,
    });
    const calls: string[] = [];
    for (const [service, table] of Object.entries(SERVICES)) {
      for (const rpc of Object.keys(table)) register(server, `/${service}/${rpc}`, script, calls);
    }
    const bound = await new Promise<number>((resolve, reject) =>
      server.bindAsync(
        `127.0.0.1:${port}`,
        grpc.ServerCredentials.createInsecure(),
        (error, bound) => error === null ? resolve(bound) : reject(error),
      )
    );
    return new ScriptedServer(server, bound, calls);
  }

  /** `host:port`. */
  get address(): string {
    return `127.0.0.1:${this.port}`;
  }

  /** Number of calls of a method. */
  count(rpc: string): number {
    return this.calls.filter((call) => call === rpc).length;
  }

  /** Drops every connection and closes the port. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.forceShutdown();
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

type Duplex = grpc.ServerDuplexStream<Uint8Array, Uint8Array>;

function register(server: grpc.Server, path: string, script: Script, calls: string[]): void {
  const rpc = path.slice(path.lastIndexOf("/") + 1);
  const answer = async (call: Duplex, request: Uint8Array, gone: AbortController) => {
    let expected = clientMessages();
    try {
      await script({
        path,
        rpc,
        request,
        header: (name) => call.metadata.get(name)[0]?.toString(),
        send: (message) => {
          expected++;
          return send(call, message, gone.signal);
        },
        delivered: () => untilClientMessages(expected, gone.signal),
        signal: gone.signal,
      });
      call.end();
    } catch (error) {
      const { code = 13, details = String(error) } = error as { code?: number; details?: string };
      call.emit("error", { code, details, metadata: new grpc.Metadata() });
    }
  };
  // Served both ways, every method answers as soon as the first message is there.
  const handler = (call: Duplex) => {
    calls.push(rpc);
    const gone = new AbortController();
    call.on("cancelled", () => gone.abort());
    call.once("data", (request: Uint8Array) => void answer(call, request, gone));
    call.on("error", () => {});
  };
  const serialize = (bytes: Uint8Array) => Buffer.from(bytes);
  server.register(path, handler, serialize, (bytes: Uint8Array) => bytes, "bidi");
}

function send(
  call: Duplex,
  message: Uint8Array,
  signal: AbortSignal,
): Promise<void> {
  if (call.write(message) || signal.aborted) return Promise.resolve();
  return new Promise((resolve) => {
    const done = () => {
      call.off("drain", done);
      signal.removeEventListener("abort", done);
      resolve();
    };
    call.on("drain", done);
    signal.addEventListener("abort", done);
  });
}
