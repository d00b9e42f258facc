/**
 * Telemetry: hooks called for every RPC, and a tracer. Nothing is logged.
 *
 * @module
 */

import { uuidText } from "../../core/uuid.ts";

/** One RPC, as it went over the wire once; a retried call makes several. */
export interface CallEvent {
  /** `"RawValues"`, `"Insert"`, … */
  readonly rpc: string;
  /** Address of the server. */
  readonly server: string;
  /** Stream concerned, canonical text form. */
  readonly uuid?: string | undefined;
  /** 1 for the first try. */
  readonly attempt: number;
  /** Bytes of the request message, before framing. */
  readonly requestBytes: number;
  /** Bytes of the response messages so far, decompressed. */
  readonly responseBytes: number;
  /** Response messages so far. */
  readonly messages: number;
  /** Points, windows or ranges sent or received so far. */
  readonly points: number;
  /** ms since the call began. */
  readonly durationMs: number;
  /**
   * The error of the call; absent while it runs, when it succeeded and when the caller stopped it.
   */
  readonly error?: unknown;
}

/** A call that failed and is retried. */
export interface RetryEvent {
  /** `"RawValues"`, `"Insert"`, … */
  readonly rpc: string;
  /** Tries without progress so far. */
  readonly attempt: number;
  /** Pause before the next try, ms. */
  readonly delayMs: number;
  /** Error of the last try. */
  readonly error: unknown;
  /** Time without progress so far, ms. */
  readonly elapsedMs: number;
  /**
   * State of a cluster that is waited for, up to `retry.maxElapsedMs`, until it serves the stream
   * again: whether it says that it is healthy, and the share of its streams without an owner,
   * percent. Absent for other retries.
   */
  readonly recovery?: { readonly healthy: boolean; readonly unmapped: number } | undefined;
}

/**
 * Functions called for every RPC. They should not throw: the call goes on without them, and the error is
 * one that nobody catches, as that of an event listener is.
 */
export interface CallHooks {
  /** A call is about to be sent. */
  onStart?(event: CallEvent): void;
  /** A call has ended. */
  onEnd?(event: CallEvent): void;
  /** A call failed and is retried after a pause. */
  onRetry?(event: RetryEvent): void;
}

/**
 * Tells hooks or a tracer about a call. Their errors are none of the call, which would wait without an
 * end or be sent again.
 */
export function tell<T>(watcher: () => T): T | undefined {
  try {
    return watcher();
  } catch (error) {
    queueMicrotask(() => {
      throw error;
    });
    return undefined;
  }
}

/** The part of OpenTelemetry's `Span` that is used. */
export interface Span {
  /** Notes a fact about the call. */
  setAttribute(key: string, value: string | number | boolean): unknown;
  /** 1 is OK, 2 is an error. */
  setStatus(status: { code: number; message?: string }): unknown;
  /** Notes an error. */
  recordException(exception: Error): void;
  /** The call has ended. */
  end(): void;
}

/** The part of OpenTelemetry's `Tracer` that is used: one of theirs fits as it is. */
export interface Tracer {
  /** A call begins. */
  startSpan(
    name: string,
    options?: { kind?: number; attributes?: Record<string, string | number | boolean> },
  ): Span;
}

/** OpenTelemetry's `SpanKind.CLIENT` and `SpanStatusCode.ERROR`. */
const KIND_CLIENT = 2;
const STATUS_ERROR = 2;

/** Hooks and tracer of a client. */
export interface Watchers {
  readonly hooks?: CallHooks | undefined;
  readonly tracer?: Tracer | undefined;
}

/** Facts about a call that are known at its start. */
export interface CallStart {
  readonly rpc: string;
  readonly server: string;
  /** Stream concerned. */
  readonly uuid: Uint8Array | undefined;
  readonly attempt: number;
  readonly requestBytes: number;
}

/** The text form of a stream's uuid; only made for hooks and tracers. */
function textOf(uuid: Uint8Array | undefined): string | undefined {
  return uuid?.length === 16 ? uuidText(uuid) : undefined;
}

/** Follows one RPC. */
export class CallRecorder {
  responseBytes = 0;
  messages = 0;
  points = 0;
  readonly #start: CallStart;
  readonly #startedMs: number = performance.now();
  readonly #hooks: CallHooks | undefined;
  readonly #span: Span | undefined;
  #ended = false;

  constructor(watchers: Watchers, start: CallStart) {
    this.#start = start;
    this.#hooks = watchers.hooks;
    const { tracer } = watchers;
    if (tracer !== undefined) this.#span = tell(() => startSpan(tracer, start));
    tell(() => this.#hooks?.onStart?.(this.#event(undefined)));
  }

  /** Counts a response message. */
  received(bytes: number): void {
    this.messages++;
    this.responseBytes += bytes;
  }

  /** The call is over; later calls do nothing. */
  end(error?: unknown): void {
    if (this.#ended) return;
    this.#ended = true;
    tell(() => this.#hooks?.onEnd?.(this.#event(error)));
    const span = this.#span;
    if (span !== undefined) tell(() => this.#endSpan(span, error));
  }

  #endSpan(span: Span, error: unknown): void {
    span.setAttribute("btrdb.request_bytes", this.#start.requestBytes);
    span.setAttribute("btrdb.response_bytes", this.responseBytes);
    span.setAttribute("btrdb.points", this.points);
    if (error instanceof Error) {
      span.recordException(error);
      span.setStatus({ code: STATUS_ERROR, message: error.message });
    }
    span.end();
  }

  #event(error: unknown): CallEvent {
    const { responseBytes, messages, points } = this;
    const durationMs = performance.now() - this.#startedMs;
    const uuid = textOf(this.#start.uuid);
    const event = { ...this.#start, uuid, responseBytes, messages, points, durationMs };
    return error === undefined ? event : { ...event, error };
  }
}

function startSpan(tracer: Tracer, { rpc, server, attempt, uuid }: CallStart): Span {
  const text = textOf(uuid);
  return tracer.startSpan(`btrdb.${rpc}`, {
    kind: KIND_CLIENT,
    attributes: {
      "rpc.system": "grpc",
      "rpc.method": rpc,
      "server.address": server,
      "btrdb.attempt": attempt,
      ...(text === undefined ? {} : { "btrdb.uuid": text }),
    },
  });
}
