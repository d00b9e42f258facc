/**
 * Calls of methods that no service has, answered by ourselves: the library's own text differs from
 * the one BTrDB servers send, and clients print it (docs/protocol.md, "Telling v4 from v5").
 *
 * @module
 */

import type { Server } from "@grpc/grpc-js";
import type { CallStream } from "./call_stream.ts";
import { type LibraryStream, takeFrames } from "./framed_messages.ts";

interface Handler {
  func: (stream: LibraryStream) => void;
  serialize: (message: Uint8Array) => Uint8Array;
  deserialize: (bytes: Uint8Array) => Uint8Array;
  type: "bidi";
  path: string;
}

/**
 * Has `handle` take every call of `server` whose method nobody registered. The library has no hook
 * for that; its table of handlers gets a default. If a later version of it has no such table, this
 * does nothing and the library answers UNIMPLEMENTED in its own words.
 *
 * @param server After every method has been registered.
 * @param handle Called with the method asked for.
 */
export function onUnknownMethod(
  server: Server,
  handle: (path: string, stream: CallStream) => void,
): void {
  const table = (server as unknown as { handlers?: unknown }).handlers;
  if (!(table instanceof Map)) return;
  const known = (path: string): Handler | undefined => Map.prototype.get.call(table, path);
  // A request of the method CONNECT has no path.
  table.get = (path: string = ""): Handler =>
    known(path) ?? {
      func: (stream) => handle(path, takeFrames(stream)),
      serialize: (message) => message,
      deserialize: (bytes) => bytes,
      type: "bidi",
      path,
    };
}

/** Longest name that an error repeats, UTF-16 units. */
const MAX_NAME = 100;

/**
 * Error text of a BTrDB server for a method it does not have.
 *
 * @param path `/package.Service/Method`, as requested.
 * @param services Full names of the services there are.
 */
export function unknownMethodText(path: string, services: ReadonlySet<string>): string {
  const split = path.lastIndexOf("/");
  if (!path.startsWith("/") || split < 1) {
    return `malformed method name: ${JSON.stringify(cut(path))}`;
  }
  const service = path.slice(1, split);
  if (!services.has(service)) return `unknown service ${cut(service)}`;
  return `unknown method ${cut(path.slice(split + 1))} for service ${service}`;
}

function cut(text: string): string {
  return text.length <= MAX_NAME ? text : `${text.slice(0, MAX_NAME).toWellFormed()}…`;
}
