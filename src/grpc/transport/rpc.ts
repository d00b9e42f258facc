/**
 * One RPC on the wire, in bytes. Nothing else in the package starts a gRPC call.
 *
 * @module
 */

import { onAbort } from "../../core/call.ts";
import { GrpcStatus } from "../../core/grpc_status.ts";
import type { EndStatus } from "../../core/grpc_web.ts";
import {
  type CallContext,
  callError,
  isLostPeer,
  lateError,
  lostPeer,
  markReach,
  type Reach,
  transportError,
} from "../errors.ts";
import type { CallRecorder } from "./telemetry.ts";
import type { Wire, WireCall } from "./wire.ts";

/** One call: the request, and how long it may last. */
export interface RpcRequest extends CallContext {
  /** Full gRPC method, `/package.service/method`. */
  readonly path: string;
  /** Number of the try, from 1. */
  readonly attempt: number;
  /** The request message; the caller leaves it alone until the call has ended. */
  readonly message: Uint8Array;
  /** True if more request messages follow (see {@linkcode Rpc.send}). */
  readonly open?: boolean | undefined;
  /** True if the call has no end of its own, so that closing does not wait for it. */
  readonly endless?: boolean | undefined;
}

/** A server and the key it is called with. */
export interface Peer {
  /** Its address, for errors. */
  readonly address: string;
  readonly apiKey: string | undefined;
}

/** Bytes of messages read ahead of the consumer before the wire is stopped. */
const READ_AHEAD_BYTES = 1 << 20;

/** Bytes that a message takes besides its own; empty ones have no others. */
const MESSAGE_BYTES = 256;

/** Tolerance for a server's clock that says earlier than ours that a deadline has passed, ms. */
const DEADLINE_SLACK_MS = 20;

/** A call that was made once. Messages are pulled; whoever stops pulling stops the wire. */
export class Rpc {
  readonly recorder: CallRecorder;
  /** Set when nobody waits for the call any more; it is only read to its end. */
  background = false;
  readonly #request: RpcRequest;
  readonly #peer: string;
  readonly #call: WireCall;
  readonly #onActivity: (ended: boolean) => void;
  readonly #unlisten: () => void;
  #queue: Uint8Array[] = [];
  #queuedBytes = 0;
  #paused = false;
  #end: { error: unknown } | undefined;
  #wake: (() => void) | undefined;
  #idleSinceMs: number = Date.now();
  /** Time at which the answer began, 0 before it and from its first message on. */
  #headersMs = 0;

  /**
   * Sends the request.
   *
   * @param wire Connection to the server.
   * @param peer The server.
   * @param request The request.
   * @param recorder Follows the call.
   * @param onActivity Called whenever something arrives, and with `true` once the call is over.
   */
  constructor(
    wire: Wire,
    peer: Peer,
    request: RpcRequest,
    recorder: CallRecorder,
    onActivity: (ended: boolean) => void,
  ) {
    this.recorder = recorder;
    this.#request = request;
    this.#peer = peer.address;
    this.#onActivity = onActivity;
    const { path, options: { deadlineMs = Infinity, signal } } = request;
    this.#call = wire.start({ path, deadlineMs, apiKey: peer.apiKey }, {
      onHeaders: () => {
        this.#headersMs = Date.now();
        onActivity(false);
      },
      onMessage: (message) => this.#received(message),
      onEnd: (end, reach) => this.#ended(end, reach),
    });
    this.#unlisten = onAbort(signal, () => this.#stop(signal!.reason, undefined));
    this.#call.want();
    this.send(request.message);
    if (request.open !== true) this.#call.halfClose();
  }

  /** Sends a message on a call that was left open. */
  send(message: Uint8Array): void {
    this.#call.send(message);
  }

  /**
   * The next message.
   *
   * @returns `undefined` after the last one of a call that ended well.
   * @throws {BTrDBError} How the call ended otherwise; the signal's reason after an abort.
   */
  async read(): Promise<Uint8Array | undefined> {
    if (this.#queue.length === 0 && this.#end === undefined) {
      await new Promise<void>((resolve) => this.#wake = resolve);
    }
    this.#idleSinceMs = Date.now();
    const message = this.#queue.shift();
    if (message !== undefined) {
      this.#queuedBytes -= message.length + MESSAGE_BYTES;
      if (this.#paused && this.#queuedBytes < READ_AHEAD_BYTES / 2) {
        this.#paused = false;
        this.#call.want();
      }
      return message;
    }
    if (this.#end!.error !== undefined) throw this.#end!.error;
    return undefined;
  }

  /** Time since a message was last asked for, ms; 0 while a reader waits for one. */
  idleMs(): number {
    if (this.background) return Infinity;
    return this.#wake === undefined ? Date.now() - this.#idleSinceMs : 0;
  }

  /** Stops the call on the server too, and drops what has arrived. Nothing after its end. */
  cancel(): void {
    this.#stop(undefined, undefined);
  }

  /** True if the call has no end of its own. */
  get endless(): boolean {
    return this.#request.endless === true;
  }

  /** Ends the call because its connection is being closed from here. */
  disconnect(): void {
    const request = this.#request;
    const message = `Cannot continue ${request.rpc}: the connection is closed`;
    const error = callError(message, "CANCELLED", request);
    this.#stop(error, error);
  }

  /** Ends the call because its connection does not answer any more. */
  fail(details: string): void {
    const error = lostPeer(this.#request, this.#peer, details);
    this.#stop(error, error);
  }

  /** Ends a call that has not ended; one that has must not be touched any more. */
  #stop(error: unknown, recorded: unknown): void {
    this.#queue = [];
    this.#queuedBytes = 0;
    if (this.#end !== undefined) return;
    this.#finish({ error }, recorded);
    this.#call.cancel();
  }

  /** Time since the answer began without a message in it, ms; 0 if it did not, or has no end. */
  mutenessMs(nowMs: number): number {
    return this.#headersMs === 0 || this.endless ? 0 : nowMs - this.#headersMs;
  }

  #received(message: Uint8Array): void {
    this.#headersMs = 0;
    this.recorder.received(message.length);
    this.#onActivity(false);
    if (this.#end !== undefined) return;
    this.#queue.push(message);
    this.#queuedBytes += message.length + MESSAGE_BYTES;
    if (this.#queuedBytes < READ_AHEAD_BYTES) this.#call.want();
    else this.#paused = true;
    this.#rouse();
  }

  #ended(end: EndStatus, reach: Reach): void {
    const request = this.#request;
    if (end.code === GrpcStatus.OK) return this.#finish({ error: undefined }, undefined);
    if (this.#end !== undefined) return;
    const error = this.#isLate(end) ? lateError(request) : transportError(end, request, this.#peer);
    markReach(error, reach);
    this.#finish({ error }, error);
  }

  /** A server that keeps the deadline too can be the first to end the call, as it likes. */
  #isLate(end: EndStatus): boolean {
    const { deadlineMs = Infinity } = this.#request.options;
    return end.code === GrpcStatus.DEADLINE_EXCEEDED ||
      (isLostPeer(end) && Date.now() >= deadlineMs - DEADLINE_SLACK_MS);
  }

  #finish(end: { error: unknown }, recorded: unknown): void {
    if (this.#end !== undefined) return;
    this.#end = end;
    this.#unlisten();
    this.recorder.end(recorded);
    this.#onActivity(true);
    this.#rouse();
  }

  #rouse(): void {
    const wake = this.#wake;
    this.#wake = undefined;
    this.#idleSinceMs = Date.now();
    wake?.();
  }
}
