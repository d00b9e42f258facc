/**
 * Errors thrown while a request begins, by the libraries that read it or by what looks at it first.
 * Nobody would catch them, and one request of a stranger would end the process: they end the request
 * or the connection, and the server is told.
 *
 * @module
 */

/** Told of an error, and of the request that met it. */
export type OnStrangeError = (error: unknown, request: { path: string; peer: string }) => void;

/** The part of a server of HTTP/1.1 or HTTP/2 that is needed. */
interface Emitter {
  emit(name: string, ...args: unknown[]): boolean;
}

/** A request, a reply or a connection that an event is about. */
interface Destroyable {
  destroy(): void;
}

/**
 * Catches what the listeners of a server throw. The first thing of the event that can be ended is
 * ended; an error of an event without such a thing, of the server itself, is thrown on.
 *
 * @param server Before its first connection.
 */
export function containErrors(server: Emitter, onError: OnStrangeError): void {
  const emit = server.emit;
  server.emit = (name, ...args) => {
    try {
      return emit.call(server, name, ...args);
    } catch (error) {
      const subject = args.find(isDestroyable);
      if (subject === undefined) throw error;
      const request = { path: pathOf(args), peer: peerOf(subject) };
      subject.destroy();
      onError(error, request);
      return true;
    }
  };
}

function isDestroyable(value: unknown): value is Destroyable {
  return fieldOf(value, "destroy") instanceof Function;
}

/** Path of the request, from the headers of HTTP/2 or the request of HTTP/1.1; empty without one. */
function pathOf(args: readonly unknown[]): string {
  for (const value of args) {
    const path = fieldOf(value, ":path") ?? fieldOf(value, "url");
    if (typeof path === "string") return path;
  }
  return "";
}

/** Address of the client as far as it is known. */
function peerOf(subject: Destroyable): string {
  const socket = fieldOf(fieldOf(subject, "session") ?? subject, "socket") ?? subject;
  const [host, port] = [fieldOf(socket, "remoteAddress"), fieldOf(socket, "remotePort")];
  return typeof host === "string" ? `${host}:${port}` : "";
}

function fieldOf(value: unknown, name: string): unknown {
  return typeof value === "object" && value !== null ? Reflect.get(value, name) : undefined;
}
