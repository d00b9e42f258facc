/**
 * A bare gRPC client for tests of the server: bytes in, bytes out, and the status as it came.
 *
 * @module
 */

import { Buffer } from "node:buffer";
import { Client, type ClientReadableStream, credentials, Metadata } from "@grpc/grpc-js";
import { type DescMessage, fromBinary, type MessageShape, toBinary } from "@bufbuild/protobuf";

/** Messages and status with which a call ended. */
export interface Outcome {
  /** gRPC status. */
  code: number;
  details: string;
  messages: Uint8Array[];
}

/** Options of one call. */
export interface RawCallOptions {
  headers?: Record<string, string>;
  deadlineMs?: number;
}

/** A connection of its own; close it. */
export class RawClient implements Disposable {
  readonly client: Client;

  /** @param address `host:port`. */
  constructor(
    address: string,
    creds: ReturnType<typeof credentials.createInsecure> = credentials.createInsecure(),
  ) {
    this.client = new Client(address, creds, {
      "grpc.max_receive_message_length": -1,
      "grpc.use_local_subchannel_pool": 1,
      "grpc.enable_retries": 0,
    });
  }

  /** Makes a call and reads it to its end. */
  call(path: string, request: Uint8Array, options: RawCallOptions = {}): Promise<Outcome> {
    const stream = this.open(path, request, options);
    const messages: Uint8Array[] = [];
    return new Promise((resolve) => {
      stream.on("data", (bytes: Uint8Array) => messages.push(bytes));
      stream.on("error", () => {});
      stream.on(
        "status",
        ({ code, details }: { code: number; details: string }) =>
          resolve({ code, details, messages }),
      );
    });
  }

  /** Makes a call whose answer is left to the caller. */
  open(
    path: string,
    request: Uint8Array,
    options: RawCallOptions = {},
  ): ClientReadableStream<Uint8Array> {
    const metadata = new Metadata();
    for (const [name, value] of Object.entries(options.headers ?? {})) metadata.set(name, value);
    const deadline = options.deadlineMs === undefined ? {} : { deadline: options.deadlineMs };
    return this.client.makeServerStreamRequest<Uint8Array, Uint8Array>(
      path,
      (bytes) => Buffer.from(bytes),
      (bytes) => bytes,
      request,
      metadata,
      deadline,
    );
  }

  /** Makes a call with messages of given types; the only response, decoded. */
  async unary<In extends DescMessage, Out extends DescMessage>(
    path: string,
    input: In,
    request: MessageShape<In>,
    output: Out,
    options: RawCallOptions = {},
  ): Promise<MessageShape<Out>> {
    const { code, details, messages } = await this.call(path, toBinary(input, request), options);
    if (code !== 0) throw new Error(`${code}: ${details}`);
    if (messages.length !== 1) throw new Error(`${messages.length} messages`);
    return fromBinary(output, messages[0]!);
  }

  [Symbol.dispose](): void {
    this.client.close();
  }
}
