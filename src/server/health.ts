/**
 * The standard health service, `grpc.health.v1.Health`: serving until the server is told to stop.
 *
 * @module
 */

import { delay } from "../core/call.ts";
import type { Method, ServiceTable } from "./method.ts";
import { GrpcFailure, GrpcStatus } from "./transport/status.ts";
import { malformed } from "./btrdb/request.ts";

import { BinaryReader, WireType } from "@bufbuild/protobuf/wire";

/** Values of `HealthCheckResponse.ServingStatus`. */
const SERVING = 1;
const NOT_SERVING = 2;
const SERVICE_UNKNOWN = 3;

/** Interval at which a watched status is checked, ms. */
const WATCH_EVERY_MS = 100;

/**
 * The methods of the health service.
 *
 * @param services Names that may be asked for, beside the empty one for the whole server.
 */
export function healthService(services: readonly string[]): ServiceTable {
  const known = new Set(["", ...services]);
  const check: Method = async ({ call, settings }) => {
    const service = serviceOf(await call.only());
    if (!known.has(service)) throw new GrpcFailure(GrpcStatus.NOT_FOUND, "unknown service");
    await call.send(response(settings.stopping() ? NOT_SERVING : SERVING));
  };
  const watch: Method = async ({ call, settings }) => {
    const service = serviceOf(await call.only());
    let last = -1;
    while (true) {
      call.signal.throwIfAborted();
      const serving = settings.stopping() ? NOT_SERVING : SERVING;
      const now = known.has(service) ? serving : SERVICE_UNKNOWN;
      if (now !== last) await call.send(response(now));
      last = now;
      if (settings.stopping()) return;
      await delay(WATCH_EVERY_MS, call);
    }
  };
  return {
    Check: { run: check, gated: false, authenticated: false },
    Watch: { run: watch, gated: false, authenticated: false },
  };
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
