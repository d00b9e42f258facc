/**
 * Garbage of closed calls. V8 makes a function that is assigned where it is written
 * (`object.name = () => …`) among old objects, at once. So it lives until all garbage is collected,
 * and with it whatever it refers to; calls of a few ms leave behind what only long ones should, and
 * all garbage is collected many times as often. Code that runs once a call assigns a constant instead:
 *
 *     const answer = () => …;
 *     object.name = answer;
 *
 * Getters that are defined once a call are old objects, too, and so is what they refer to.
 * Deno's HTTP/2 assigns such functions to the native half of each stream, which refers to the stream.
 *
 * @module
 */

import type { Http2Server, ServerHttp2Stream } from "node:http2";

/** The native half of a stream. */
type NativeHalf = Record<PropertyKey, unknown>;

/** Stands in for a stream where the native half has something to say to it later. */
const CLOSED = { destroyed: true, on() {} };

/** Key of the native half, once a stream was seen. */
let nativeKey: symbol | undefined;

/** Lets the native half of a stream forget the stream when it is closed. */
export function releaseClosedStreams(http2: Http2Server): void {
  http2.prependListener("stream", (stream: ServerHttp2Stream) => {
    const native = nativeHalf(stream);
    // Other runtimes have no such functions.
    if (native === undefined || !Object.hasOwn(native, "writeBuffer")) return;
    stream.once("close", () => {
      for (const key of Reflect.ownKeys(native)) if (native[key] === stream) native[key] = CLOSED;
    });
  });
}

function nativeHalf(stream: ServerHttp2Stream): NativeHalf | undefined {
  nativeKey ??= Object.getOwnPropertySymbols(stream).find((key) => key.description === "kHandle");
  if (nativeKey === undefined) return undefined;
  return (stream as unknown as Record<symbol, NativeHalf | undefined>)[nativeKey];
}
