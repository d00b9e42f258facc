/**
 * A call that came in as gRPC-Web: one HTTP request, answered by messages and, in the body too, the
 * trailers.
 *
 * @module
 */

import {
  FrameError,
  frameOf,
  FrameReader,
  GRPC_WEB_TYPE,
  messageHead,
  trailersOf,
} from "../../core/grpc_web.ts";
import { parseGrpcTimeout } from "../../core/grpc_timeout.ts";
import type { CallStream } from "../transport/call_stream.ts";
import type { IncomingMeter } from "../transport/incoming_bytes.ts";
import { MALFORMED_TIMEOUT } from "../transport/long_deadlines.ts";
import { GrpcStatus } from "../transport/status.ts";
import type { Reply, Request } from "./exchange.ts";

/** Size below which a message is copied behind its head: another write would cost more. */
const COPIED_BYTES = 16_384;

type Listener = (message: Uint8Array) => void;

/** A call as {@linkcode import("../transport/call.ts").Call} sees it. */
export class WebStream implements CallStream {
  readonly metadata: { get(name: string): readonly unknown[] };
  readonly #request: Request;
  readonly #reply: Reply;
  readonly #deadlineMs: number;
  readonly #frames: FrameReader;
  readonly #meter: IncomingMeter;
  readonly #listeners = new Map<string, Listener[]>();
  /** Bytes received and not yet handed on. */
  #piece: Uint8Array | undefined;
  #isPaused = true;
  #hasEnded = false;
  /** True once something came that is no message: all that follows is dropped. */
  #isBroken = false;

  /**
   * @param maxMessageBytes Largest request message.
   * @param meter Counts what arrives.
   */
  constructor(request: Request, reply: Reply, maxMessageBytes: number, meter: IncomingMeter) {
    this.#meter = meter;
    this.#request = request;
    this.#reply = reply;
    this.#frames = new FrameReader(maxMessageBytes);
    const asked = request.header("grpc-timeout");
    const timeout = parseGrpcTimeout(asked ?? "");
    const malformed = timeout === undefined ? asked : undefined;
    this.metadata = {
      get: (name) => [name === MALFORMED_TIMEOUT ? malformed : request.header(name)],
    };
    this.#deadlineMs = timeout === undefined ? Infinity : Date.now() + timeout;
    request.onData((piece) => this.#received(piece));
    request.onEnd(() => this.#inputEnded());
    reply.onDrain(() => this.#tell("drain"));
    reply.onClose(() => {
      meter.close();
      this.#tell("close");
    });
  }

  getHost(): string {
    return this.#request.host ?? "";
  }

  getPeer(): string {
    return this.#request.peer;
  }

  getDeadline(): number {
    return this.#deadlineMs;
  }

  resume(): void {
    this.#isPaused = false;
    this.#giveOn();
    if (!this.#isPaused) this.#request.resume();
  }

  pause(): void {
    this.#isPaused = true;
    this.#request.pause();
  }

  write(message: Uint8Array): boolean {
    this.#begin();
    if (message.length < COPIED_BYTES) return this.#reply.write(frameOf(message));
    return this.#reply.writeBehind(messageHead(message.length), message);
  }

  writeFrames(frames: Uint8Array, onSent: () => void): boolean {
    this.#begin();
    return this.#reply.write(frames, onSent);
  }

  waitingBytes(): number {
    return this.#reply.waitingBytes;
  }

  takenMs(): number {
    return this.#reply.takenMs;
  }

  reset(): void {
    this.#reply.destroy();
  }

  end(): void {
    this.#finish({ code: GrpcStatus.OK, details: "" });
  }

  emit(_event: "error", status: { code: number; details: string }): void {
    this.#finish(status);
  }

  on(event: string, listener: Listener | (() => void)): void {
    this.#listeners.set(event, [...this.#listeners.get(event) ?? [], listener as Listener]);
  }

  #tell(event: string, message: Uint8Array = new Uint8Array(0)): void {
    for (const listener of this.#listeners.get(event) ?? []) listener(message);
  }

  #received(piece: Uint8Array): void {
    if (this.#isBroken) return;
    const details = this.#meter.received(piece);
    if (details !== undefined) {
      return this.#break({ code: GrpcStatus.RESOURCE_EXHAUSTED, details });
    }
    this.#piece = piece;
    this.#frames.position = 0;
    this.#giveOn();
  }

  /** Gives on the messages in the piece that came last, until a pause. */
  #giveOn(): void {
    try {
      while (!this.#isPaused && this.#piece !== undefined) {
        const frame = this.#frames.take(this.#piece);
        if (frame === undefined) this.#piece = undefined;
        else if (!frame.isTrailers) this.#tell("data", frame.bytes);
      }
    } catch (error) {
      if (!(error instanceof FrameError)) throw error;
      return this.#break(error.end);
    }
    if (this.#hasEnded && this.#piece === undefined) this.#tell("end");
  }

  #inputEnded(): void {
    if (this.#isBroken) return;
    this.#hasEnded = true;
    if (!this.#frames.isBetween && this.#piece === undefined) {
      return this.#break({ code: GrpcStatus.INTERNAL, details: "the request message broke off" });
    }
    if (this.#piece === undefined) this.#tell("end");
  }

  #break(status: { code: number; details: string }): void {
    this.#isBroken = true;
    this.#meter.close();
    this.#piece = undefined;
    this.#finish(status);
  }

  #begin(): void {
    if (!this.#reply.hasBegun) this.#reply.begin(200, { "content-type": GRPC_WEB_TYPE });
  }

  #finish(status: { code: number; details: string }): void {
    if (this.#reply.hasEnded) return;
    this.#begin();
    this.#reply.end(trailersOf(status));
    this.#request.resume();
  }
}
