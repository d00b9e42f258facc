/**
 * One gRPC call as the services see it: messages in, messages out with backpressure, one status at
 * the end, and a signal that aborts when nobody waits for the answer any more.
 *
 * @module
 */

import { MAX_TIMER_MS } from "../../core/call.ts";
import { type CallStream, FEW_WAITING_BYTES } from "./call_stream.ts";
import type { FairSending } from "./fair_sending.ts";
import { FIRST_MESSAGE_MS, type FirstMessages, type SilentCall } from "./first_messages.ts";
import type { PlaceHolder } from "../unread_answers.ts";
import { GrpcFailure, GrpcStatus } from "./status.ts";
import { turnOfCall } from "./turns.ts";

/** Bytes before each message on the wire (docs/protocol.md, "Transport"). */
const PREFIX_BYTES = 5;

/** One call, of any of the four kinds. */
export class Call implements PlaceHolder, SilentCall {
  /** `/package.Service/Method`, as requested. */
  readonly path: string;
  /** The address the client used to reach this server. */
  readonly authority: string;
  /** Address of the client, for messages to the operator. */
  readonly peer: string;
  /** Deadline of the client, ms since the Unix epoch; absent: none. */
  readonly deadlineMs: number | undefined;
  #resolveDone!: () => void;
  /** Resolves when the client has the status, or is gone. */
  readonly done: Promise<void> = new Promise((resolve) => this.#resolveDone = resolve);
  /** True if it has no end of its own. */
  endless = false;
  /** The key by which its caller takes turns; undefined before it is known. */
  key: object | undefined;
  /** Message bytes received so far. */
  bytesReceived = 0;
  /** Message bytes sent so far. */
  bytesSent = 0;

  readonly #stream: CallStream;
  readonly #pace: FairSending;
  readonly #firstMessages: FirstMessages;
  readonly #controller = new AbortController();
  readonly #messages: Uint8Array[] = [];
  #timer: ReturnType<typeof setTimeout> | undefined;
  #inputEnded = false;
  #finished = false;
  #wakeReader: (() => void) | undefined;
  #wakeWriter: (() => void) | undefined;
  /** When the answer last began to wait for the client. */
  #fullMs = 0;
  #isUnread = false;

  /**
   * @param path Its method.
   * @param stream The wire's side of it; the call listens to it from now on.
   * @param pace When it may send more than one message.
   * @param firstMessages Ends it if its first message does not come.
   */
  constructor(
    path: string,
    stream: CallStream,
    pace: FairSending,
    firstMessages: FirstMessages,
  ) {
    this.path = path;
    this.#stream = stream;
    this.#pace = pace;
    this.#firstMessages = firstMessages;
    this.authority = stream.getHost();
    this.peer = stream.getPeer();
    const deadline = stream.getDeadline();
    const deadlineMs = deadline instanceof Date ? deadline.getTime() : deadline;
    if (deadlineMs - Date.now() <= MAX_TIMER_MS) {
      this.deadlineMs = deadlineMs;
      this.#startTimer(deadlineMs - Date.now());
    }
    firstMessages.expect(this);
    this.#listen();
  }

  /** Aborts when the client is gone, its deadline has passed, or the server cancels the call. */
  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** A request header, in its first value. */
  header(name: string): string | undefined {
    const value = this.#stream.metadata.get(name)[0];
    return typeof value === "string" ? value : undefined;
  }

  /** Gives up the call: whatever works on it rejects with `reason`. */
  cancel(reason: GrpcFailure): void {
    if (this.#finished || this.#controller.signal.aborted) return;
    clearTimeout(this.#timer);
    this.#firstMessages.heard(this);
    this.#controller.abort(reason);
    this.#wakeReader?.();
    this.#wakeWriter?.();
  }

  /** Gives up the call because its first message has not come. */
  endSilent(): void {
    const text = `no request message within ${FIRST_MESSAGE_MS} ms`;
    this.cancel(new GrpcFailure(GrpcStatus.DEADLINE_EXCEEDED, text));
  }

  /** When the client last took a part of the answer, while the answer waits for it. */
  unreadSince(): number | undefined {
    if (this.#wakeWriter === undefined) return undefined;
    return Math.max(this.#fullMs, this.#stream.takenMs());
  }

  /** Gives up the call because its client does not read. */
  endUnread(message: string): void {
    this.#isUnread = true;
    this.cancel(new GrpcFailure(GrpcStatus.RESOURCE_EXHAUSTED, message));
  }

  /**
   * Waits until the first message of the client is here, or it has none. The message stays for
   * {@linkcode next}.
   */
  async arrived(): Promise<void> {
    while (this.#messages.length === 0 && !this.#inputEnded) {
      this.signal.throwIfAborted();
      this.#stream.resume();
      await new Promise<void>((wake) => this.#wakeReader = wake);
      this.#wakeReader = undefined;
    }
    this.signal.throwIfAborted();
  }

  /**
   * The next message of the client.
   *
   * @returns Its bytes, or undefined after the last one.
   */
  async next(): Promise<Uint8Array | undefined> {
    while (true) {
      this.signal.throwIfAborted();
      const message = this.#messages.shift();
      if (message !== undefined) return message;
      if (this.#inputEnded) return undefined;
      this.#stream.resume();
      await new Promise<void>((wake) => this.#wakeReader = wake);
      this.#wakeReader = undefined;
    }
  }

  /** The message of a call that has exactly one; what else the client sends is dropped. */
  async only(): Promise<Uint8Array> {
    const message = await this.next();
    if (message === undefined) {
      throw new GrpcFailure(GrpcStatus.INTERNAL, "EOF: the call has no request message");
    }
    this.#inputEnded = true;
    this.#stream.resume();
    return message;
  }

  /**
   * Sends one message. All but the first of a call give way to other calls.
   *
   * @param message Its bytes, which belong to the transport from now on.
   * @returns Undefined when more may follow at once, else a promise that resolves once the client
   * has taken enough, and rejects with the signal's reason when it never will.
   */
  send(message: Uint8Array): Promise<void> | undefined {
    return this.#send(PREFIX_BYTES + message.length, () => this.#stream.write(message));
  }

  /**
   * Sends messages that are framed already.
   *
   * @param frames The messages, each behind its head. They belong to the transport until `onSent`.
   * @param onSent Told when the transport has done with them; not told if the call fails.
   * @returns As that of {@linkcode send}.
   */
  sendFrames(frames: Uint8Array, onSent: () => void): Promise<void> | undefined {
    return this.#send(frames.length, () => this.#stream.writeFrames(frames, onSent));
  }

  /**
   * Waits until only a few bytes of the answer wait for the client.
   *
   * @throws The signal's reason, once the client will not take them any more.
   */
  async taken(): Promise<void> {
    while (this.#stream.waitingBytes() > FEW_WAITING_BYTES) {
      this.signal.throwIfAborted();
      await this.#room();
    }
  }

  #send(bytes: number, write: () => boolean): Promise<void> | undefined {
    const now = (): Promise<void> | undefined => {
      this.signal.throwIfAborted();
      this.bytesSent += bytes;
      return write() ? undefined : this.#room();
    };
    const wait = this.bytesSent === 0
      ? undefined
      : this.#pace.take(bytes, () => turnOfCall(this.key, this.peer));
    return wait === undefined ? now() : wait.then(now);
  }

  /**
   * Ends the call with a status; only the first time counts. Bytes that wait for a client whose deadline
   * has passed, or that does not read, are dropped: nothing else would end the call.
   */
  finish(code: number = GrpcStatus.OK, details = ""): void {
    if (this.#finished) return;
    this.#finished = true;
    clearTimeout(this.#timer);
    this.#firstMessages.heard(this);
    this.#stream.resume();
    const isStuck = this.#isUnread || code === GrpcStatus.DEADLINE_EXCEEDED;
    if (isStuck && this.#stream.waitingBytes() > FEW_WAITING_BYTES) this.#stream.reset(code);
    else if (code === GrpcStatus.OK) this.#stream.end();
    // Half a character, as where a name was cut, cannot be sent: the call would never end.
    else this.#stream.emit("error", { code, details: details.toWellFormed() });
  }

  /** Ends the call without an answer, whatever was sent of one. */
  breakOff(): void {
    this.cancel(new GrpcFailure(GrpcStatus.INTERNAL, "internal error"));
    this.#finished = true;
    this.#stream.reset(GrpcStatus.INTERNAL);
  }

  #room(): Promise<void> {
    this.#fullMs = performance.now();
    return new Promise((resolve, reject) => {
      const wake = () => {
        this.#wakeWriter = undefined;
        if (this.signal.aborted) reject(this.signal.reason);
        else resolve();
      };
      this.#wakeWriter = wake;
    });
  }

  #startTimer(delayMs: number): void {
    this.#timer = setTimeout(() => {
      this.cancel(new GrpcFailure(GrpcStatus.DEADLINE_EXCEEDED, "context deadline exceeded"));
    }, Math.max(0, delayMs));
  }

  #listen(): void {
    const stream = this.#stream;
    stream.on("data", (message: Uint8Array) => {
      this.#firstMessages.heard(this);
      if (this.#inputEnded) return;
      this.bytesReceived += PREFIX_BYTES + message.length;
      this.#messages.push(message);
      stream.pause();
      this.#wakeReader?.();
    });
    stream.on("end", () => {
      this.#firstMessages.heard(this);
      this.#inputEnded = true;
      this.#wakeReader?.();
    });
    stream.on("drain", () => this.#wakeWriter?.());
    // The library says "cancelled" at the end of every call, whichever way it ended.
    stream.on("cancelled", () => this.#gone());
    stream.on("close", () => this.#gone());
  }

  #gone(): void {
    // An error takes note of where it was made, which would cost as much as the rest of a small call.
    if (!this.#finished) this.cancel(new GrpcFailure(GrpcStatus.CANCELLED, "the client is gone"));
    this.#resolveDone();
  }
}
