/**
 * Messages that come framed, on the gRPC port. The library frames each message in new memory, which
 * costs as much as sending it.
 *
 * @module
 */

import type { CallStream } from "./call_stream.ts";

/** Frames on their way through the library, which takes them for one message. */
class Frames {
  readonly bytes: Uint8Array;

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
  }
}

/** The library's side of a call. */
export type LibraryStream = Omit<CallStream, "writeFrames">;

/** The part of the library's calls that is replaced. */
interface LibraryCall {
  serializeMessage?(message: unknown): Uint8Array;
}

/** Lets a call send messages that are framed already. */
export function takeFrames(stream: LibraryStream): CallStream {
  const { call } = stream as { call?: LibraryCall };
  const serialize = call?.serializeMessage;
  if (typeof serialize !== "function") {
    throw new Error("Cannot serve: this version of @grpc/grpc-js frames its messages elsewhere");
  }
  // Not assigned where it is made: see closed_streams.ts.
  const framed = (message: unknown): Uint8Array =>
    message instanceof Frames ? message.bytes : serialize.call(call, message);
  call!.serializeMessage = framed;
  const write = stream.write as (message: unknown, onSent: () => void) => boolean;
  return Object.assign(stream, {
    writeFrames(frames: Uint8Array, onSent: () => void): boolean {
      return write.call(stream, new Frames(frames), onSent);
    },
  });
}
