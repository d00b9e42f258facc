/**
 * Messages that come framed, on the gRPC port. The library frames each message in new memory, which
 * costs as much as sending it.
 *
 * @module
 */

import { constants } from "node:http2";
import { messageHead } from "../../core/grpc_web.ts";
import { type CallStream, FEW_WAITING_BYTES, PIECE_BYTES } from "./call_stream.ts";
import { GrpcStatus } from "./status.ts";
import { type SendingSession, unsentOf } from "./unsent_bytes.ts";

/** Bytes of a call that may wait for its reader before it is told to stop. */
const MAX_WAITING_BYTES = 1 << 20;

/** Frames on their way through the library, which takes them for one message. */
class Frames {
  readonly bytes: Uint8Array;

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
  }
}

/** The library's side of a call. */
export type LibraryStream =
  & Omit<CallStream, "writeFrames" | "waitingBytes" | "takenMs" | "reset">
  & {
    emit(event: "drain"): unknown;
  };

/** The part of the library's calls that is replaced. */
interface LibraryCall {
  serializeMessage?(message: unknown): Uint8Array;
  /** The stream of HTTP/2. */
  readonly stream?: {
    close?(code: number): void;
    readonly session?: SendingSession;
  };
}

/**
 * Lets a call send messages that are framed already, and bounds the bytes that wait for its reader:
 * the library counts messages, 16 of them, however long they are. Messages are held back while the
 * socket has much to send.
 */
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
  const endOfLibrary = stream.end;
  const ofLibrary = stream.write as (message: unknown, onSent: (error?: Error) => void) => boolean;
  const session = call?.stream?.session;
  const unsent = session === undefined ? undefined : unsentOf(session);
  /** Messages that the library does not have yet. */
  let held: { readonly bytes: number; readonly hand: () => boolean }[] = [];
  stream.on("cancelled", () => held = []);
  const release = (): number => {
    const released = held;
    held = [];
    return released.reduce((sum, { bytes, hand }) => (hand(), sum + bytes), 0);
  };
  let waitingBytes = 0;
  let isFull = false;
  let takenMs = 0;
  const write = (message: unknown, bytes: number, onSent?: () => void): boolean => {
    waitingBytes += bytes;
    const hand = (): boolean => handOver(message, bytes, onSent);
    if (held.length === 0 && !unsent?.isFull) return hand();
    held.push({ bytes, hand });
    isFull = true;
    unsent?.hold(release);
    return false;
  };
  const handOver = (message: unknown, bytes: number, onSent?: () => void): boolean => {
    const hasRoom = ofLibrary.call(stream, message, (error) => {
      const before = waitingBytes;
      waitingBytes -= bytes;
      takenMs = performance.now();
      if (!error) onSent?.();
      if (held.length > 0) return;
      const isFew = waitingBytes <= FEW_WAITING_BYTES && before > FEW_WAITING_BYTES;
      const hasRoom = isFull && waitingBytes < MAX_WAITING_BYTES;
      if (hasRoom) isFull = false;
      if (hasRoom || isFew) stream.emit("drain");
    });
    isFull ||= waitingBytes >= MAX_WAITING_BYTES;
    return hasRoom && !isFull;
  };
  /** Writes long ones in pieces: the library tells of nothing less than a whole one. */
  const writeFrames = (frames: Uint8Array, onSent?: () => void): boolean => {
    let at = 0;
    for (; frames.length - at > PIECE_BYTES; at += PIECE_BYTES) {
      write(new Frames(frames.subarray(at, at + PIECE_BYTES)), PIECE_BYTES);
    }
    const rest = at === 0 ? frames : frames.subarray(at);
    return write(new Frames(rest), rest.length, onSent);
  };
  return Object.assign(stream, {
    waitingBytes: (): number =>
      held.length === 0 ? waitingBytes : Math.max(waitingBytes, FEW_WAITING_BYTES + 1),
    takenMs: (): number => takenMs,
    reset: (code: number): void => {
      held = [];
      call!.stream?.close?.(
        code === GrpcStatus.RESOURCE_EXHAUSTED
          ? constants.NGHTTP2_ENHANCE_YOUR_CALM
          : constants.NGHTTP2_CANCEL,
      );
    },
    write: (message: Uint8Array): boolean => {
      if (message.length <= PIECE_BYTES) return write(message, message.length);
      const head = messageHead(message.length);
      write(new Frames(head), head.length);
      return writeFrames(message);
    },
    writeFrames,
    // Behind what is held back, which would be lost otherwise.
    end: (): void => {
      if (held.length === 0) return void endOfLibrary.call(stream);
      held.push({ bytes: 0, hand: () => (endOfLibrary.call(stream), true) });
    },
  });
}
