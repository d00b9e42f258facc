/**
 * Calls as gRPC-Web over `fetch`: in pages, and wherever HTTP gets through and HTTP/2 does not. One
 * request, then answers; nothing here needs `node:`.
 *
 * @module
 */

import { MAX_TIMER_MS } from "../../core/call.ts";
import { GrpcStatus } from "../../core/grpc_status.ts";
import { formatGrpcTimeout } from "../../core/grpc_timeout.ts";
import {
  type EndStatus,
  endStatus,
  FrameError,
  frameOf,
  FrameReader,
  GRPC_WEB_TYPE,
  statusOf,
} from "../../core/grpc_web.ts";
import type { Reach } from "../errors.ts";
import { type Address, addressText } from "./address.ts";
import { type BodyReader, bodyReader } from "./body_reader.ts";
import { makeReusable, spareMemory } from "./message_memory.ts";
import type { Transport, Wire, WireCall, WireListener, WireRequest } from "./wire.ts";

/** Bytes after the trailers that are read so that the connection can be used again. */
const MAX_REST_BYTES = 64 << 10;
/** Longest wait for the end of an answer behind its trailers, ms. */
const MAX_REST_MS = 1000;

/**
 * gRPC statuses of HTTP answers that carry none (the protocol's http-grpc-status-mapping.md).
 */
const BY_HTTP_STATUS: Readonly<Record<number, number>> = {
  400: GrpcStatus.INTERNAL,
  401: GrpcStatus.UNAUTHENTICATED,
  403: GrpcStatus.PERMISSION_DENIED,
  404: GrpcStatus.UNIMPLEMENTED,
  429: GrpcStatus.UNAVAILABLE,
  502: GrpcStatus.UNAVAILABLE,
  503: GrpcStatus.UNAVAILABLE,
  504: GrpcStatus.UNAVAILABLE,
};

/** Media types of binary gRPC-Web in protobuf; its text form and JSON were not asked for. */
const WEB_TYPE = /^application\/grpc-web(?:\+proto)?(?: *;|$)/i;

/** Settings of all connections of a client. */
export interface WebSettings {
  /** Longest message that is taken. */
  readonly maxMessageBytes: number;
}

/** gRPC-Web over `fetch`. */
export function webTransport(settings: WebSettings): Transport {
  return {
    canProbe: false,
    isTwoWay: false,
    takesBlocks: true,
    open: (address) => new WebWire(address, settings),
  };
}

class WebWire implements Wire {
  readonly #base: string;
  readonly #settings: WebSettings;

  constructor(address: Address, settings: WebSettings) {
    this.#base = `${address.tls ? "https" : "http"}://${addressText(address)}`;
    this.#settings = settings;
  }

  start(request: WireRequest, listener: WireListener): WireCall {
    return new WebCall(this.#base + request.path, request, listener, this.#settings);
  }

  /** The runtime keeps the connections and closes them. */
  close(): void {}
}

class WebCall implements WireCall {
  readonly #url: string;
  readonly #request: WireRequest;
  readonly #listener: WireListener;
  readonly #frames: FrameReader;
  readonly #controller = new AbortController();
  readonly #timer: ReturnType<typeof setTimeout> | undefined;
  #message: Uint8Array<ArrayBuffer> = frameOf(new Uint8Array(0));
  #wanted = 0;
  #wake: (() => void) | undefined;
  #isOver = false;

  constructor(url: string, request: WireRequest, listener: WireListener, settings: WebSettings) {
    this.#url = url;
    this.#request = request;
    this.#listener = listener;
    this.#frames = new FrameReader(settings.maxMessageBytes, spareMemory);
    const leftMs = request.deadlineMs - Date.now();
    if (leftMs <= MAX_TIMER_MS) this.#timer = setTimeout(() => this.#late(), Math.max(0, leftMs));
  }

  want(): void {
    this.#wanted++;
    this.#wake?.();
  }

  send(message: Uint8Array): void {
    this.#message = frameOf(message);
  }

  halfClose(): void {
    void this.#run();
  }

  cancel(): void {
    this.#close();
    this.#controller.abort();
  }

  #late(): void {
    this.#end({ code: GrpcStatus.DEADLINE_EXCEEDED, details: "the deadline passed" });
    this.#controller.abort();
  }

  /** From the request to the end of the answer; never rejects. */
  async #run(): Promise<void> {
    let response: Response;
    try {
      response = await fetch(this.#url, {
        method: "POST",
        headers: this.#headers(),
        body: this.#message,
        signal: this.#controller.signal,
        redirect: "error",
        cache: "no-store",
      });
    } catch (error) {
      const end = { code: GrpcStatus.UNAVAILABLE, details: reasonOf(error) };
      return this.#end(end, isRefusal(error) ? "unsent" : "cut");
    }
    try {
      await this.#receive(response);
    } catch (error) {
      this.#end(
        error instanceof FrameError
          ? error.end
          : { code: GrpcStatus.UNAVAILABLE, details: reasonOf(error) },
        "cut",
      );
      this.#controller.abort();
    }
  }

  #headers(): Record<string, string> {
    const { apiKey, deadlineMs } = this.#request;
    const headers: Record<string, string> = { "content-type": GRPC_WEB_TYPE, "x-grpc-web": "1" };
    if (apiKey !== undefined) headers.authorization = `bearer ${apiKey}`;
    if (deadlineMs !== Infinity) {
      headers["grpc-timeout"] = formatGrpcTimeout(deadlineMs - Date.now());
    }
    return headers;
  }

  async #receive(response: Response): Promise<void> {
    const { status, headers, body } = response;
    const atOnce = endStatus((name) => headers.get(name));
    const type = headers.get("content-type") ?? "";
    if (atOnce !== undefined || status !== 200 || !WEB_TYPE.test(type)) {
      await body?.cancel();
      return this.#end(atOnce ?? foreignAnswer(status, type));
    }
    if (this.#isOver) return void await body?.cancel();
    this.#listener.onHeaders();
    const reader = bodyReader(body);
    try {
      await this.#read(reader);
    } finally {
      await reader.close();
    }
  }

  async #read(reader: BodyReader): Promise<void> {
    while (true) {
      await this.#room();
      const piece = await reader.read();
      if (this.#isOver) return;
      if (piece === undefined) break;
      this.#frames.position = 0;
      while (true) {
        const frame = this.#frames.take(piece);
        if (frame === undefined) break;
        if (frame.isTrailers) {
          this.#end(statusOf(frame.bytes));
          return await this.#readRest(reader);
        }
        await this.#room();
        if (this.#isOver) return;
        this.#wanted--;
        makeReusable(frame.bytes);
        this.#listener.onMessage(frame.bytes);
      }
    }
    throw new FrameError(GrpcStatus.UNAVAILABLE, "the answer broke off");
  }

  /** Reads what follows the trailers, nothing as a rule: only then is the connection free again. */
  async #readRest(reader: BodyReader): Promise<void> {
    const timer = setTimeout(() => this.#controller.abort(), MAX_REST_MS);
    try {
      let bytes = 0;
      for (let piece = await reader.read(); piece !== undefined; piece = await reader.read()) {
        bytes += piece.length;
        if (bytes > MAX_REST_BYTES) return this.#controller.abort();
      }
    } finally {
      clearTimeout(timer);
    }
  }

  /** Waits until a message is wanted, or the call is over. */
  async #room(): Promise<void> {
    while (this.#wanted === 0 && !this.#isOver) {
      await new Promise<void>((resolve) => this.#wake = resolve);
      this.#wake = undefined;
    }
  }

  #end(end: EndStatus, reach: Reach = "answered"): void {
    if (this.#isOver) return;
    this.#close();
    this.#listener.onEnd(end, reach);
  }

  #close(): void {
    this.#isOver = true;
    clearTimeout(this.#timer);
    this.#wake?.();
  }
}

/** The status of an HTTP answer that is none of gRPC-Web. */
function foreignAnswer(status: number, type: string): EndStatus {
  if (status !== 200) {
    const code = BY_HTTP_STATUS[status] ?? GrpcStatus.UNKNOWN;
    return { code, details: `it answered with HTTP status ${status}` };
  }
  const details = `it answered with ${JSON.stringify(type)}, not with gRPC-Web`;
  return { code: GrpcStatus.UNKNOWN, details };
}

/** The innermost reason of a failed `fetch`. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause instanceof Error ? reasonOf(error.cause) : error.message;
}

/**
 * Tells whether no connection could be made, as far as the runtime says: Deno in its text, Node.js by
 * a code, browsers not at all.
 */
function isRefusal(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  return error.message.includes("client error (Connect)") ||
    (error as { code?: unknown }).code === "ECONNREFUSED" || isRefusal(error.cause);
}
