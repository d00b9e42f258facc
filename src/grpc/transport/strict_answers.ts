/**
 * Keeps grpc-js to the letter of gRPC where it takes what only resembles it: it makes a number of any
 * status that JavaScript can (`0x0`, `1e0`, and none at all are 0, a success), takes messages with
 * unknown flags as they are, and an answer that ends within a message as a whole one.
 *
 * @module
 */

import type { Channel } from "@grpc/grpc-js";
import { setImmediate } from "node:timers";
import { GrpcStatus } from "../../core/grpc_status.ts";
import {
  decodedMessage,
  type EndStatus,
  FrameError,
  isStatusCode,
  unknownStatus,
} from "../../core/grpc_web.ts";
import { MessageDecoder } from "./message_decoder.ts";

/** Headers or trailers of an answer. */
type Headers = Readonly<Record<string, unknown>>;

/** The part of an HTTP/2 call of grpc-js 1.14 that is changed; not in its types. */
interface Http2Call {
  decoder: { write(piece: Uint8Array): Uint8Array[] };
  finalStatus: EndStatus & { readonly metadata: Marked } | null;
  /** Absent until the headers are told. */
  readonly httpStatusCode?: number;
  handleTrailers(headers: Headers): void;
  outputStatus(): void;
  cancelWithStatus(code: number, details: string): void;
}

/** The part of a connection of grpc-js 1.14, or of one to be, that makes its calls. */
interface CallMaker {
  createCall(...args: unknown[]): Http2Call;
}

/** The part of a channel of grpc-js 1.14 that makes its connections; not in its types. */
interface ConnectionMaker {
  readonly subchannelPool?: { getOrCreateSubchannel?(...args: unknown[]): CallMaker };
}

/** Marks trailers of answers, as opposed to what the library makes of calls that have none. */
const SENT = Symbol("sent");

/** Headers or trailers of the library, which may be marked. */
interface Marked {
  [SENT]?: true;
}

/** Tells whether a server has sent these trailers, so that the text beside them is its own. */
export function wereSent(trailers: object | undefined): boolean {
  return (trailers as Marked | undefined)?.[SENT] === true;
}

/**
 * Makes the calls of a channel end with UNKNOWN at a status that gRPC does not have, and with
 * INTERNAL at a message whose flag is neither 0 nor 1, or that is not whole.
 *
 * @param channel Changed in place. Its connections must be its own.
 * @param maxMessageBytes Longest message that is taken.
 * @throws {Error} If grpc-js makes its connections in another way: then such answers would be believed.
 */
export function checkAnswers(channel: Channel, maxMessageBytes: number): void {
  const { internalChannel } = channel as unknown as { internalChannel?: ConnectionMaker };
  const pool = internalChannel?.subchannelPool;
  const make = pool?.getOrCreateSubchannel;
  if (pool === undefined || make === undefined) {
    throw new Error("Cannot check answers: grpc-js has no getOrCreateSubchannel");
  }
  const strict = new WeakSet<CallMaker>();
  pool.getOrCreateSubchannel = (...args) => {
    const connection = make.apply(pool, args);
    if (strict.has(connection)) return connection;
    strict.add(connection);
    const { createCall } = connection;
    connection.createCall = (...args) => {
      const call = createCall.apply(connection, args);
      checkAnswer(call, maxMessageBytes);
      return call;
    };
    return connection;
  };
}

/** Texts that mean the same encoded and not: of printable ASCII without `%`. */
const PLAIN_TEXT = /^[ -$&-~]*$/;

/** Makes one call strict, before anything of its answer has come. */
function checkAnswer(call: Http2Call, maxMessageBytes: number): void {
  const { handleTrailers, outputStatus } = call;
  const messages = new MessageDecoder(maxMessageBytes);
  let hasTrailers = false;
  let malformed: string | undefined;
  let broken: EndStatus | undefined;
  call.decoder = {
    write(piece) {
      try {
        if (broken === undefined) return messages.write(piece);
      } catch (error) {
        if (!(error instanceof FrameError)) throw error;
        const { code, details } = broken = error.end;
        // Data can come before its headers are told. A page of a proxy ends with its HTTP status.
        setImmediate(() => {
          if (call.httpStatusCode === 200) call.cancelWithStatus(code, details);
        });
      }
      return [];
    },
  };
  call.handleTrailers = (headers) => {
    const { "grpc-status": given, "grpc-message": message } = headers;
    let strict = headers;
    hasTrailers = true;
    // Most are this one.
    const isGood = given === "0" || given === undefined || isStatusCode(String(given));
    if (!isGood) {
      malformed = JSON.stringify(String(given));
      strict = { ...strict, "grpc-status": String(GrpcStatus.UNKNOWN) };
    }
    // The library leaves some characters encoded.
    if (typeof message === "string" && !PLAIN_TEXT.test(message)) {
      strict = { ...strict, "grpc-message": encodeURI(decodedMessage(message)) };
    }
    handleTrailers.call(call, strict);
  };
  call.outputStatus = () => {
    const end = call.finalStatus!;
    if (hasTrailers) end.metadata[SENT] = true;
    if (malformed !== undefined) {
      Object.assign(end, unknownStatus(malformed, end.details));
      malformed = undefined;
    } else if (broken !== undefined && call.httpStatusCode === 200) Object.assign(end, broken);
    else if (end.code === GrpcStatus.OK && !messages.isBetween) Object.assign(end, ENDED_WITHIN);
    outputStatus.call(call);
  };
}

/** The status of an answer whose last message is not whole. */
const ENDED_WITHIN: EndStatus = {
  code: GrpcStatus.INTERNAL,
  details: "the answer ended within a message",
};
