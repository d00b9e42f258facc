/**
 * The listening side of gRPC: connections are accepted by a {@linkcode Port}, and their plain bytes
 * are handed to the gRPC library, whose own TLS does not work on every runtime (docs/server.md,
 * "Transport").
 *
 * @module
 */

import { Buffer } from "node:buffer";
import { Server, ServerCredentials } from "@grpc/grpc-js";
import type { ServerOptions } from "@grpc/grpc-js";
import type { CallStream } from "./call_stream.ts";
import type { Calls } from "./calls.ts";
import { releaseClosedStreams } from "./closed_streams.ts";
import { containErrors, type OnStrangeError } from "./contain_errors.ts";
import { dropLongDeadlines } from "./long_deadlines.ts";
import { gatherWrites } from "./gather_writes.ts";
import { type KeepaliveTimes, probeClients } from "./keepalive.ts";
import { type LibraryStream, takeFrames } from "./framed_messages.ts";
import { gatherLongMessages } from "./long_messages.ts";
import { http2ServersOf } from "./http2_servers.ts";
import { suppressGoaway } from "./no_goaway.ts";
import type { IncomingBytes } from "./incoming_bytes.ts";
import type { OpenRequests } from "./open_requests.ts";
import { Port, type PortOptions } from "./port.ts";
import { dropUnplainHeaders } from "./plain_headers.ts";
import { dropDeadStreams } from "./dead_streams.ts";
import { canBeEnded } from "./end_connection.ts";
import { endOnFrameFloods } from "./frame_bounds.ts";
import { endOnLongHeaders, endOnRefusedHeaders } from "./header_bounds.ts";
import { beginTurns, type KeyOf, noteKeys } from "./turns.ts";
import { MAX_UNKNOWN_STREAMS, raiseLimitForKeys } from "./stream_limits.ts";
import { onUnknownMethod } from "./unknown_method.ts";

/** Flow-control window of a connection, bytes: what a client may have under way. */
const WINDOW_BYTES = 4 << 20;

/** Options of a {@linkcode GrpcPort}. */
export interface GrpcPortOptions
  extends Omit<PortOptions, "protocols" | "onConnection">, KeepaliveTimes {
  /** Largest request message, bytes. */
  readonly maxMessageBytes: number;
  /** Counts what arrives. */
  readonly incoming: IncomingBytes;
  /** Tells keys apart. */
  readonly keyOf: KeyOf;
  /** Counts what is open. */
  readonly open: OpenRequests;
  /** Calls one connection may have open, once a known key was shown on it. */
  readonly maxStreamsPerConnection: number;
  /** Every method, `/package.Service/Method`. */
  readonly paths: Iterable<string>;
  /** Takes the calls. */
  readonly calls: Calls;
  /** Told of errors that no call has caught. */
  readonly onStrangeError: OnStrangeError;
}

/** A port that speaks gRPC. */
export class GrpcPort {
  readonly #calls: Calls;
  readonly #incoming: IncomingBytes;
  readonly #maxMessageBytes: number;
  readonly #grpc: Server;
  readonly #injector: ReturnType<Server["createConnectionInjector"]>;
  #port!: Port;

  private constructor(options: GrpcPortOptions) {
    this.#calls = options.calls;
    this.#incoming = options.incoming;
    this.#maxMessageBytes = options.maxMessageBytes;
    this.#grpc = new Server(libraryOptions(options));
    for (const path of options.paths) this.#register(path);
    onUnknownMethod(this.#grpc, (path, stream) => this.#begin(path, stream));
    this.#injector = this.#grpc.createConnectionInjector(ServerCredentials.createInsecure());
    for (const http2 of http2ServersOf(this.#grpc)) {
      containErrors(http2, options.onStrangeError);
      suppressGoaway(http2);
      dropDeadStreams(http2);
      dropLongDeadlines(http2);
      options.incoming.watch(http2);
      options.open.watch(http2);
      const isKnown = (authorization: string | undefined) =>
        options.incoming.isKnown(authorization);
      noteKeys(http2, options.keyOf);
      raiseLimitForKeys(http2, isKnown, options.maxStreamsPerConnection);
      dropUnplainHeaders(http2);
      endOnLongHeaders(http2);
      releaseClosedStreams(http2);
      probeClients(http2, options);
    }
  }

  /**
   * Opens the port.
   *
   * @throws What the operating system says, e.g. that the address is in use.
   */
  static async open(options: GrpcPortOptions): Promise<GrpcPort> {
    const grpc = new GrpcPort(options);
    grpc.#port = await Port.open({
      ...options,
      protocols: ["h2"],
      onConnection: (socket) => {
        gatherWrites(socket);
        endOnRefusedHeaders(socket);
        beginTurns(socket, options.keyOf(undefined));
        endOnFrameFloods(socket);
        canBeEnded(socket);
        grpc.#injector.injectConnection(socket);
      },
    });
    return grpc;
  }

  /** The port that is open. */
  get port(): Port {
    return this.#port;
  }

  /**
   * Refuses new connections, and new calls on the old ones, and closes everything.
   *
   * @param finish Resolves when the calls under way have finished.
   */
  async close(finish: Promise<void>): Promise<void> {
    this.#injector.destroy();
    await this.#port.close(finish);
    this.#grpc.forceShutdown();
  }

  #register(path: string): void {
    this.#grpc.register<Uint8Array, Uint8Array>(
      path,
      (ofLibrary: LibraryStream) => {
        const stream = takeFrames(ofLibrary);
        gatherLongMessages(stream, this.#maxMessageBytes);
        this.#begin(path, stream);
      },
      asBuffer,
      (bytes: Buffer): Uint8Array => bytes,
      "bidi",
    );
  }

  #begin(path: string, stream: CallStream): void {
    const call = this.#calls.begin(path, stream);
    this.#port.connections.heard(call.peer, this.#incoming.isKnown(call.header("authorization")));
  }
}

function libraryOptions(options: GrpcPortOptions): ServerOptions {
  return {
    "grpc.max_receive_message_length": options.maxMessageBytes,
    "grpc.max_send_message_length": -1,
    "grpc.max_concurrent_streams": Math.min(MAX_UNKNOWN_STREAMS, options.maxStreamsPerConnection),
    "grpc.enable_channelz": 0,
    "grpc-node.flow_control_window": WINDOW_BYTES,
  };
}

/** The same bytes as the class that the library copies from. */
export function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
