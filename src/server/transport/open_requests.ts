/**
 * A bound on the requests that are open at once, answered or not: a client that does not take its
 * answers keeps each of them in the memory of the server. Callers without a known key share a small
 * part (docs/security.md).
 *
 * @module
 */

import { setImmediate } from "node:timers";
import type { Http2Server, IncomingHttpHeaders, ServerHttp2Stream } from "node:http2";
import { endConnection } from "./end_connection.ts";
import { noteReset } from "./reset_calls.ts";

/** A socket, or the session of HTTP/2 on it. */
interface Connection {
  readonly socket?: object | undefined;
  destroy(): unknown;
}

/** Most requests open at once, by whether the key is known. */
const MOST = { known: 20_000, unknown: 2_000 } as const;

/** The requests of some callers, counted for each connection. */
class Share {
  readonly #most: number;
  readonly #connections = new Map<Connection, number>();
  #all = 0;

  constructor(most: number) {
    this.#most = most;
  }

  add(connection: Connection): void {
    this.#connections.set(connection, (this.#connections.get(connection) ?? 0) + 1);
    if (++this.#all > this.#most) this.#endLargest();
  }

  remove(connection: Connection): void {
    const left = this.#connections.get(connection);
    if (left === undefined) return;
    this.#all--;
    if (left === 1) this.#connections.delete(connection);
    else this.#connections.set(connection, left - 1);
  }

  /** Ends the connection with the most requests; honest clients have few. */
  #endLargest(): void {
    let [most, largest]: [number, Connection | undefined] = [0, undefined];
    for (const [connection, count] of this.#connections) {
      if (count > most) [most, largest] = [count, connection];
    }
    if (largest === undefined) return;
    this.#connections.delete(largest);
    this.#all -= most;
    // Not at once: others are about to hear of its last request, and may answer.
    setImmediate(() => endConnection(largest));
  }
}

/** The requests that are open, of both ports. */
export class OpenRequests {
  readonly #isKnown: (authorization: string | undefined) => boolean;
  readonly #known: Share;
  readonly #unknown: Share;

  /**
   * @param isKnown True if callers with such an `authorization` are known, or everybody is.
   * @param most Most requests open at once.
   */
  constructor(
    isKnown: (authorization: string | undefined) => boolean,
    most: { readonly known: number; readonly unknown: number } = MOST,
  ) {
    this.#isKnown = isKnown;
    this.#known = new Share(most.known);
    this.#unknown = new Share(most.unknown);
  }

  /**
   * Takes note of a request, and ends the connection with the most of them if there are too many.
   *
   * @param authorization Its header.
   * @returns To be called when the client has the answer, or is gone.
   */
  begin(connection: Connection, authorization: string | undefined): () => void {
    const share = this.#isKnown(authorization) ? this.#known : this.#unknown;
    share.add(connection);
    let isOpen = true;
    return () => {
      if (isOpen) share.remove(connection);
      isOpen = false;
    };
  }

  /** Counts all requests of an HTTP/2 server. */
  watch(http2: Http2Server): void {
    http2.prependListener("stream", (stream: ServerHttp2Stream, headers: IncomingHttpHeaders) => {
      const { session } = stream;
      if (session === undefined) return;
      const end = this.begin(session, headers.authorization);
      stream.once("close", () => {
        end();
        if (!stream.headersSent && session.socket !== undefined) noteReset(session.socket);
      });
    });
  }
}
