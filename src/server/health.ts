/**
 * The standard health service, `grpc.health.v1.Health`: serving until the server is told to stop, but
 * not while its database cannot be used.
 *
 * @module
 */

import { abortable } from "../core/call.ts";
import { type Exchange, type Method, type ServiceTable, SMALL_MESSAGE_BYTES } from "./method.ts";
import { networkOf } from "./transport/client_network.ts";
import { peerAddress } from "./transport/connections.ts";
import { GrpcFailure, GrpcStatus } from "./transport/status.ts";
import { Watchers } from "./watchers.ts";
import { malformed } from "./btrdb/request.ts";

import { BinaryReader, WireType } from "@bufbuild/protobuf/wire";

/** Values of `HealthCheckResponse.ServingStatus`. */
const SERVING = 1;
const NOT_SERVING = 2;
const SERVICE_UNKNOWN = 3;

/** Interval at which a watched status is checked, ms. */
const WATCH_EVERY_MS = 100;

/** One timer shared by all watchers; it runs while there are any. */
class Ticker {
  readonly #waiting = new Set<() => void>();
  #timer: ReturnType<typeof setInterval> | undefined;

  /** Waits for the next tick. */
  async next(signal: AbortSignal): Promise<void> {
    let wake!: () => void;
    const tick = new Promise<void>((resolve) => wake = resolve);
    this.#waiting.add(wake);
    this.#timer ??= setInterval(() => this.#tick(), WATCH_EVERY_MS);
    try {
      await abortable(tick, { signal }, "watch");
    } finally {
      this.#waiting.delete(wake);
      if (this.#waiting.size === 0) {
        clearInterval(this.#timer);
        this.#timer = undefined;
      }
    }
  }

  #tick(): void {
    for (const wake of this.#waiting) wake();
  }
}

/**
 * The methods of the health service.
 *
 * @param services Names that may be asked for, beside the empty one for the whole server.
 */
export function healthService(services: readonly string[]): ServiceTable {
  const known = new Set(["", ...services]);
  const ticker = new Ticker();
  const watchers = new Watchers();
  const check: Method = async ({ call, settings }) => {
    const service = serviceOf(await call.only());
    if (!known.has(service)) throw new GrpcFailure(GrpcStatus.NOT_FOUND, "unknown service");
    await call.send(response(statusOf(settings)));
  };
  const watch: Method = async ({ call, settings }) => {
    const service = serviceOf(await call.only());
    const watcher = watchers.enter(networkOf(peerAddress(call.peer)));
    try {
      await follow(call, service, settings, AbortSignal.any([call.signal, watcher.signal]));
    } finally {
      watcher.leave();
    }
  };
  const follow = async (
    call: Exchange["call"],
    service: string,
    settings: Exchange["settings"],
    signal: AbortSignal,
  ): Promise<void> => {
    let last = -1;
    while (true) {
      signal.throwIfAborted();
      const now = known.has(service) ? statusOf(settings) : SERVICE_UNKNOWN;
      if (now !== last) await call.send(response(now));
      last = now;
      if (settings.readiness.stopping) return;
      await ticker.next(signal);
    }
  };
  return {
    Check: { run: check, messageBytes: SMALL_MESSAGE_BYTES, gated: false, authenticated: false },
    Watch: { run: watch, messageBytes: SMALL_MESSAGE_BYTES, gated: false, authenticated: false },
  };
}

function statusOf({ readiness }: Exchange["settings"]): number {
  return readiness.obstacle() === undefined ? SERVING : NOT_SERVING;
}

/** `HealthCheckRequest { string service = 1 }`. */
function serviceOf(bytes: Uint8Array): string {
  try {
    const reader = new BinaryReader(bytes);
    let service = "";
    while (reader.pos < reader.len) {
      const [field, type] = reader.tag();
      if (field === 1 && type === WireType.LengthDelimited) service = reader.string();
      else reader.skip(type, field);
    }
    return service;
  } catch (error) {
    throw malformed(error);
  }
}

/** `HealthCheckResponse { ServingStatus status = 1 }`. */
function response(status: number): Uint8Array {
  return new Uint8Array([0x08, status]);
}
