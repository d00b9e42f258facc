/**
 * Dispatches calls to methods: checks keys and limits, sends statuses, counts. Nothing answers a
 * call without passing through here.
 *
 * @module
 */

import type { CallOptions, Endpoint, Readers } from "../endpoint/endpoint.ts";
import { Access } from "./access.ts";
import {
  type MethodEntry,
  type MethodSettings,
  REQUEST_BYTES,
  type ServiceTable,
  SMALL_MESSAGE_BYTES,
} from "./method.ts";
import { type Failure, failureOf } from "./failures.ts";
import { type SharedPlaces, withPlaces } from "./call_limit.ts";
import type { Grant, KeyRing } from "./keys.ts";
import { isWrite, onlyReads } from "./only_reads.ts";
import type { Metrics } from "./metrics.ts";
import type { OpenStreams } from "./open_streams.ts";
import type { Call } from "./transport/call.ts";
import { MALFORMED_TIMEOUT } from "./transport/long_deadlines.ts";
import { GrpcFailure, GrpcStatus, grpcStatusName } from "./transport/status.ts";
import { unknownMethodText } from "./transport/unknown_method.ts";
import type { RightsWatch } from "./watch_rights.ts";

/** The call in which an unexpected error came up. */
export interface ErrorContext {
  /** `/package.Service/Method`, or another path as it was sent. */
  path: string;
  /** Address of the client. */
  peer: string;
}

/** Parts of a {@linkcode Dispatcher}. */
export interface DispatcherOptions {
  endpoint: Endpoint;
  /** Threads that read; `undefined` without workers. */
  readers?: Readers | undefined;
  services: Readonly<Record<string, ServiceTable>>;
  keys: KeyRing;
  /** Collections of streams, and the rights of calls under way on them; the same for all ports. */
  rights: RightsWatch;
  places: SharedPlaces;
  /** Limits the streams that calls on several of them read at once. */
  openStreams: OpenStreams;
  metrics: Metrics;
  settings: MethodSettings;
  /** Told of errors that no client can be blamed for. */
  onError: (error: unknown, context: ErrorContext) => void;
}

interface Route {
  service: string;
  rpc: string;
  entry: MethodEntry;
}

/** Routes calls. */
export class Dispatcher {
  readonly #options: DispatcherOptions;
  readonly #routes = new Map<string, Route>();
  readonly #services: ReadonlySet<string>;

  /** @param options Services and what surrounds them. */
  constructor(options: DispatcherOptions) {
    this.#options = options;
    this.#services = new Set(Object.keys(options.services));
    for (const [service, table] of Object.entries(options.services)) {
      for (const [rpc, entry] of Object.entries(table)) {
        this.#routes.set(`/${service}/${rpc}`, { service, rpc, entry });
      }
    }
  }

  /**
   * Largest request of a method, bytes.
   *
   * @param path `/package.Service/Method`.
   * @param most Bound of all methods.
   */
  messageBytes(path: string, most: number): number {
    const route = this.#routes.get(path);
    return Math.min(
      most,
      route === undefined ? SMALL_MESSAGE_BYTES : route.entry.messageBytes ?? REQUEST_BYTES,
    );
  }

  /** Every method, `/package.Service/Method`. */
  get paths(): Iterable<string> {
    return this.#routes.keys();
  }

  /** Answers a call to its end. */
  async handle(call: Call): Promise<void> {
    const route = this.#routes.get(call.path);
    if (route === undefined) {
      const text = unknownMethodText(call.path, this.#services);
      call.finish(GrpcStatus.UNIMPLEMENTED, text);
      return;
    }
    call.endless = route.entry.endless === true;
    const started = performance.now();
    const code = await this.#answer(call, route);
    this.#options.metrics.record({
      service: route.service,
      rpc: route.rpc,
      code,
      seconds: (performance.now() - started) / 1000,
      bytesReceived: call.bytesReceived,
      bytesSent: call.bytesSent,
    });
  }

  async #answer(call: Call, route: Route): Promise<string> {
    try {
      await this.#run(call, route.entry);
      call.finish();
      return "OK";
    } catch (error) {
      return await this.#fail(call, failureOf(route.rpc, error, call.signal), error);
    }
  }

  async #run(call: Call, entry: MethodEntry): Promise<void> {
    const { keys, rights, openStreams, endpoint, readers, metrics, settings } = this.#options;
    const malformed = call.header(MALFORMED_TIMEOUT);
    if (malformed !== undefined) {
      throw new GrpcFailure(
        GrpcStatus.INTERNAL,
        `malformed grpc-timeout ${JSON.stringify(malformed)}, expected 1 to 8 digits and a unit`,
      );
    }
    const grant = keys.grantOf(
      entry.authenticated === false ? undefined : call.header("authorization"),
    );
    call.key = grant;
    const owners = keys.isEmpty ? [call.peer] : [call.peer, grant];
    const { signal, deadlineMs } = call;
    const options: CallOptions = { signal, deadlineMs, owner: owners.at(-1) };
    const access = new Access(grant, rights.collections, options);
    if (entry.needs !== undefined) {
      access.capability(entry.needs);
      if (entry.seesAll === true) access.everything(entry.needs);
    }
    if (endpoint.capabilities.readOnly === true && isWrite(entry.needs)) throw onlyReads();
    const report = (error: unknown) => this.#report(error, call);
    const streams = openStreams.of(keys.ownerOf(grant));
    const parts = { endpoint, readers, metrics, settings, openStreams: streams };
    const run = () => entry.run({ ...parts, call, access, owners, options, report });
    const cancel = (reason: GrpcFailure) => call.cancel(reason);
    await rights.run(access, cancel, () => this.#gated(call, entry, grant, run));
  }

  async #gated(
    call: Call,
    entry: MethodEntry,
    grant: Grant,
    run: () => Promise<void>,
  ): Promise<void> {
    const { keys, places } = this.#options;
    if (entry.gated === false) return await run();
    // Who sends no message takes no place.
    await call.arrived();
    await withPlaces(places.of(keys.ownerOf(grant)), call, async () => {
      await run();
      // An answer that waits for its client takes memory as long.
      await call.taken();
    });
  }

  /** Ends a call that failed; the name of how it failed. */
  async #fail(call: Call, failure: Failure, error: unknown): Promise<string> {
    if (failure.kind === "grpc") {
      if (failure.unexpected) this.#report(error, call);
      call.finish(failure.code, failure.text);
      return grpcStatusName(failure.code);
    }
    try {
      await call.send(failure.message);
      call.finish();
    } catch (reason) {
      const code = reason instanceof GrpcFailure ? reason.code : GrpcStatus.CANCELLED;
      call.finish(code, "the client is gone");
    }
    return String(failure.code);
  }

  #report(error: unknown, { path, peer }: Call): void {
    this.#options.onError(error, { path, peer });
  }
}
