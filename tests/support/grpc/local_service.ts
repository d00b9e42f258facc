/**
 * The server's answers without a network: request bytes in, response bytes and status out.
 */

import { HEAD_BYTES } from "../../../src/core/grpc_web.ts";
import type { Endpoint } from "../../../src/endpoint/endpoint.ts";
import { SERVICES } from "../../../src/server/btrdb/service.ts";
import { Dispatcher } from "../../../src/server/dispatcher.ts";
import { SharedPlaces } from "../../../src/server/call_limit.ts";
import { OpenStreams } from "../../../src/server/open_streams.ts";
import { KeyRing } from "../../../src/server/keys.ts";
import { Metrics } from "../../../src/server/metrics.ts";
import { Readiness } from "../../../src/server/readiness.ts";
import { RightsWatch } from "../../../src/server/watch_rights.ts";
import type { Call } from "../../../src/server/transport/call.ts";
import { NO_TIMEOUT } from "../place_holder.ts";

/** Messages and status with which a call ended. */
export interface LocalOutcome {
  code: number;
  details: string;
  messages: Uint8Array[];
}

/** The messages of frames, each behind a flag and its length. */
function* messagesOf(frames: Uint8Array): Generator<Uint8Array> {
  const view = new DataView(frames.buffer, frames.byteOffset, frames.byteLength);
  for (let at = 0, end; at < frames.length; at = end) {
    end = at + HEAD_BYTES + view.getUint32(at + 1);
    yield frames.slice(at + HEAD_BYTES, end);
  }
}

/** The services of `serve`, called directly. */
export class LocalService {
  readonly #endpoint: Endpoint;
  readonly #dispatcher: Dispatcher;

  constructor(endpoint: Endpoint) {
    this.#endpoint = endpoint;
    this.#dispatcher = new Dispatcher({
      endpoint,
      services: SERVICES,
      keys: new KeyRing([], undefined),
      rights: new RightsWatch(endpoint),
      places: new SharedPlaces(1000, 1000, NO_TIMEOUT),
      openStreams: new OpenStreams(20_000, 1000, NO_TIMEOUT),
      metrics: new Metrics([]),
      settings: {
        maxInsertPointsV4: 25_000,
        maxStreamsPerCall: 10_000,
        maxSqlRows: 100_000,
        announcesBatches: true,
        sqlTimeoutMs: 10_000,
        allowObliterate: true,
        readiness: new Readiness(endpoint, () => {}),
      },
      onError: () => {},
    });
  }

  /** Makes a call with one request message. */
  async call(path: string, request: Uint8Array): Promise<LocalOutcome> {
    const outcome: LocalOutcome = { code: 0, details: "", messages: [] };
    const call: Partial<Record<keyof Call, unknown>> = {
      path,
      authority: "127.0.0.1:4410",
      peer: "127.0.0.1:1",
      deadlineMs: undefined,
      signal: new AbortController().signal,
      bytesReceived: request.length,
      bytesSent: 0,
      header: () => undefined,
      arrived: () => Promise.resolve(),
      taken: () => Promise.resolve(),
      only: () => Promise.resolve(request),
      send: (message: Uint8Array) => void outcome.messages.push(message.slice()),
      sendFrames(frames: Uint8Array, onSent: () => void) {
        outcome.messages.push(...messagesOf(frames));
        onSent();
      },
      finish(code = 0, details = "") {
        outcome.code = code;
        outcome.details = details;
      },
    };
    await this.#dispatcher.handle(call as unknown as Call);
    return outcome;
  }

  /** Closes the endpoint. */
  async close(): Promise<void> {
    await this.#endpoint.close();
  }
}
