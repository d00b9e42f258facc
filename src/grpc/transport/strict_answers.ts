/**
 * Keeps grpc-js to the letter of gRPC where it takes what only resembles it: it makes a number of any
 * status that JavaScript can (`0x0`, `1e0`, and none at all are 0, a success), and takes messages with
 * unknown flags as they are.
 *
 * @module
 */

import { type Channel, Metadata, status, type StatusObject } from "@grpc/grpc-js";
import { isStatusCode } from "../../core/grpc_web.ts";

/** Stands for a status that is none: the library makes NaN of it, which is no success. */
const NO_CODE = "none";

/** The statuses that are none, by the trailers that had them. */
const malformed = new WeakMap<Metadata, string>();

// The library's own reading of headers is the only place that sees the text of a status.
const readHeaders = Metadata.fromHttp2Headers;
Metadata.fromHttp2Headers = (headers) => {
  const given = headers["grpc-status"];
  if (given === undefined || isStatusCode(String(given))) {
    return readHeaders.call(Metadata, headers);
  }
  const metadata = readHeaders.call(Metadata, { ...headers, "grpc-status": NO_CODE });
  malformed.set(metadata, String(given));
  return metadata;
};

/** The status in trailers as the server gave it, if it is none of gRPC. */
export function malformedStatus(trailers: Metadata | undefined): string | undefined {
  return trailers === undefined ? undefined : malformed.get(trailers);
}

/** The part of a filter of grpc-js 1.14 that is used; the rest hands on what it gets. */
interface MessageFilter {
  sendMetadata(metadata: Promise<Metadata>): Promise<Metadata>;
  receiveMetadata(metadata: Metadata): Metadata;
  sendMessage<T>(message: Promise<T>): Promise<T>;
  receiveMessage(framed: Uint8Array): Uint8Array | Promise<never>;
  receiveTrailers(end: StatusObject): StatusObject;
}

/** The filters of a channel of grpc-js 1.14, the one next to the wire last; not in its types. */
interface Filtered {
  readonly internalChannel?: {
    readonly filterStackFactory?: {
      readonly factories?: { createFilter(): MessageFilter }[];
    };
  };
}

/** Sees messages with their flag and length in front, before they are decompressed. */
const flagFilter: MessageFilter = {
  sendMetadata: (metadata) => metadata,
  receiveMetadata: (metadata) => metadata,
  sendMessage: (message) => message,
  receiveMessage: checkFlag,
  receiveTrailers: (end) => end,
};

/**
 * Makes the calls of a channel end with INTERNAL at a message whose flag is neither 0 nor 1.
 *
 * @param channel Changed in place.
 * @throws {Error} If grpc-js has no such filters: then such messages would be believed.
 */
export function checkFlags(channel: Channel): void {
  const factories = (channel as unknown as Filtered).internalChannel?.filterStackFactory?.factories;
  if (!Array.isArray(factories)) {
    throw new Error("Cannot check messages: grpc-js has no filterStackFactory");
  }
  factories.push({ createFilter: () => flagFilter });
}

function checkFlag(framed: Uint8Array): Uint8Array | Promise<never> {
  const flag = framed[0]!;
  if (flag <= 1) return framed;
  const details = `a message has the flag ${flag}, expected 0 or 1`;
  // The library takes the status from the properties.
  return Promise.reject(Object.assign(new Error(details), { code: status.INTERNAL, details }));
}
