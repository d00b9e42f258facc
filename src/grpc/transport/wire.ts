/**
 * The seam between calls and the protocol that carries them. Above it nothing knows a gRPC library;
 * below it nothing knows BTrDB.
 *
 * @module
 */

import type { EndStatus } from "../../core/grpc_web.ts";
import type { Reach } from "../errors.ts";
import type { Address } from "./address.ts";

/** The head of a call. */
export interface WireRequest {
  /** Full gRPC method, `/package.service/method`. */
  readonly path: string;
  /** Time at which the call is over, ms since the Unix epoch; `Infinity`: never. */
  readonly deadlineMs: number;
  /** Sent as `authorization: bearer …`. */
  readonly apiKey: string | undefined;
}

/** Told what comes back on a call. */
export interface WireListener {
  /** The answer begins. */
  onHeaders(): void;
  /** A message that was asked for with {@linkcode WireCall.want}; its memory is the listener's. */
  onMessage(message: Uint8Array): void;
  /**
   * The call is over; nothing follows. Not called after {@linkcode WireCall.cancel}, or of no
   * interest then.
   *
   * @param end Status of the server, or of the wire for a call that it could not bring to its end.
   * @param reach The point that it reached.
   */
  onEnd(end: EndStatus, reach: Reach): void;
}

/** A call on the wire. */
export interface WireCall {
  /** Asks for the next message; without it, the server is stopped after some read-ahead. */
  want(): void;
  /** Sends a request message, which is left alone until the call has ended. */
  send(message: Uint8Array): void;
  /** Says that no request message follows. */
  halfClose(): void;
  /** Stops the call on the server too. */
  cancel(): void;
}

/** A connection to a server, made when it is first needed and remade as need be. */
export interface Wire {
  /** Begins a call; the listener is not called before this returns. */
  start(request: WireRequest, listener: WireListener): WireCall;
  /** Disconnects. */
  close(): void;
}

/** A protocol that carries calls, with its own settings. */
export interface Transport {
  /**
   * Makes a wire to a server.
   *
   * @param onRetired Told when the server takes no new calls on it; those that it has begun go on.
   */
  open(address: Address, onRetired: () => void): Wire;
  /**
   * True if a silent connection can be probed by another call on it. A browser makes connections as
   * it likes, so that there an answer proves nothing.
   */
  readonly canProbe: boolean;
  /** True if requests and answers may alternate; the Arrow form of `Subscribe` needs it. */
  readonly isTwoWay: boolean;
  /**
   * True if raw points are asked for in blocks, which take fewer bytes and less work than messages of
   * points.
   */
  readonly takesBlocks: boolean;
}
