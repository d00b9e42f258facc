/**
 * A thread that reads a database file, as the thread of the database sees it.
 *
 * @module
 */

import { Worker } from "node:worker_threads";
import { abortable, type CallOptions, throwIfOver } from "../../core/call.ts";
import { BTrDBError } from "../../core/errors.ts";
import { SpareBuffers } from "../../core/spare_buffers.ts";
import type { AnswerFrames, FramesRequest } from "../../endpoint/endpoint.ts";
import { Heartbeat, type SilenceLimits } from "./heartbeat.ts";
import {
  errorOf,
  type MovedFrames,
  type ReaderOrder,
  type ReaderReport,
  type ReadMethod,
} from "./messages.ts";
import type { ReaderFile } from "../options.ts";

/** Longest time for a thread to close its database at the end, ms. */
const CLOSE_MS = 1_000;

/**
 * Silence of a thread. One that does not answer gets no more reads, if there are others, and is given up
 * after 40 s. Its program may have to be compiled before it opens the file.
 */
const SILENCE: SilenceLimits = { pingMs: 1_000, pongMs: 38_000, openMs: 300_000 };

/** Memory of messages that waits to be sent back, bytes. */
const SPARE_BYTES = 1 << 20;

/** The answer to a read. */
interface Answer {
  /** Chunks that have come and were not taken. */
  readonly chunks: unknown[];
  /** True once the thread has nothing more to send. */
  isWhole: boolean;
  /** Set when it fails. */
  failure: { readonly reason: unknown } | undefined;
  wake: (() => void) | undefined;
}

/** A reader in a thread of its own. */
export class ReaderThread {
  /** Resolves when the file is open; rejects when it cannot be, or the thread ends before. */
  readonly opened: Promise<void>;
  readonly #worker: Worker;
  readonly #answers = new Map<number, Answer>();
  readonly #heartbeat: Heartbeat;
  readonly #spare = new SpareBuffers(SPARE_BYTES);
  /** Resolves when the thread is gone. */
  readonly exited: Promise<void>;
  #settleOpened!: (error?: Error) => void;
  #settleClosed!: () => void;
  readonly #closed: Promise<void> = new Promise((resolve) => this.#settleClosed = resolve);
  #lastId = 0;
  #failure: Error | undefined;
  #isOpened = false;
  /** Reads that wait until the file is open. */
  #waiting = 0;

  /**
   * @param file The file, which a writer of this process may have open.
   * @param worker Its program; for tests.
   * @param silence Silence after which it is given up; for tests.
   */
  constructor(
    file: ReaderFile,
    worker: Worker = new Worker(new URL("./reader_worker.ts", import.meta.url)),
    silence: SilenceLimits = SILENCE,
  ) {
    this.#heartbeat = new Heartbeat(silence, {
      ping: () => this.#order({ type: "ping" }),
      giveUp: (ms) => {
        this.#fail(ended(new Error(`it has not answered for ${ms} ms`)));
        void this.end();
      },
    });
    this.opened = new Promise((resolve, reject) => {
      this.#settleOpened = (error) => error === undefined ? resolve() : reject(error);
    });
    this.opened.catch(() => {});
    this.#worker = worker;
    this.#worker.on("message", (report: ReaderReport) => this.#hear(report));
    this.#worker.on("error", (error) => this.#fail(ended(error)));
    this.exited = new Promise((resolve) => {
      this.#worker.on("exit", () => {
        this.#fail(ended());
        resolve();
      });
    });
    this.#order({ type: "open", file });
    this.#heartbeat.awaitOpened();
  }

  /** False once the thread has ended, or could not open the file. */
  get isAlive(): boolean {
    return this.#failure === undefined;
  }

  /** True once the file is open. */
  get isOpened(): boolean {
    return this.#isOpened;
  }

  /** True while it does not answer. */
  get isSilent(): boolean {
    return this.#heartbeat.isOverdue;
  }

  /** Reads under way, and those that wait until the file is open. */
  get reads(): number {
    return this.#answers.size + this.#waiting;
  }

  /** Waits until the file is open, with a signal and a deadline. */
  async untilOpened(options: CallOptions = {}): Promise<void> {
    this.#waiting++;
    try {
      await abortable(this.opened, options, "read");
    } finally {
      this.#waiting--;
    }
  }

  /**
   * Reads.
   *
   * @param method Method of the endpoint.
   * @param request Its request.
   * @param options Signal and deadline; both reach the thread.
   * @throws {BTrDBError} `UNAVAILABLE` if the thread ends meanwhile.
   */
  read<C>(method: ReadMethod, request: object, options?: CallOptions): AsyncGenerator<C> {
    return this.#read<C>({ method, request, encoding: undefined }, options);
  }

  /**
   * Reads and encodes.
   *
   * @param read The read.
   * @param options Signal and deadline; both reach the thread.
   * @throws {BTrDBError} `UNAVAILABLE` if the thread ends meanwhile.
   */
  async *frames(
    { method, request, withStddev }: FramesRequest,
    options?: CallOptions,
  ): AsyncGenerator<AnswerFrames> {
    const parts = { method, request, encoding: { withStddev } };
    for await (const { frames, points } of this.#read<MovedFrames>(parts, options)) {
      yield { frames, points, done: () => this.#spare.give(frames.buffer) };
    }
  }

  async *#read<C>(
    parts: Pick<Extract<ReaderOrder, { type: "read" }>, "method" | "request" | "encoding">,
    options: CallOptions = {},
  ): AsyncGenerator<C, undefined> {
    throwIfOver(options, "read");
    if (this.#failure !== undefined) throw this.#failure;
    const id = ++this.#lastId;
    const answer: Answer = { chunks: [], isWhole: false, failure: undefined, wake: undefined };
    this.#answers.set(id, answer);
    const { promise: left, resolve: leave } = Promise.withResolvers<void>();
    abortable(left, options, "read").catch((reason) => fail(answer, reason));
    const { deadlineMs } = options;
    try {
      this.#order({ type: "read", id, ...parts, deadlineMs, spare: this.#spare.takeAll() });
      this.#heartbeat.start();
      for (;;) {
        while (answer.chunks.length === 0 && !answer.isWhole && answer.failure === undefined) {
          await new Promise<void>((wake) => answer.wake = wake);
        }
        throwIfOver(options, "read");
        if (answer.chunks.length === 0) {
          if (answer.failure !== undefined) throw answer.failure.reason;
          return;
        }
        if (!answer.isWhole) this.#order({ type: "more", id, spare: this.#spare.takeAll() });
        yield answer.chunks.shift() as C;
      }
    } finally {
      leave();
      this.#answers.delete(id);
      if (!answer.isWhole) this.#order({ type: "stop", id });
      if (this.#answers.size === 0) this.#heartbeat.rest();
    }
  }

  /** Ends the reads and the thread. */
  async close(): Promise<void> {
    const wasAlive = this.isAlive;
    this.#fail(new BTrDBError("The database is closed", { status: "CLOSED" }));
    if (wasAlive) {
      this.#worker.postMessage({ type: "close" } satisfies ReaderOrder);
      const inTime = { deadlineMs: Date.now() + CLOSE_MS };
      const over = Promise.race([this.#closed, this.exited]);
      await abortable(over, inTime, "close").catch(() => {});
    }
    await this.end();
  }

  /** Ends the thread at once, whatever it does. */
  async end(): Promise<void> {
    await this.#worker.terminate();
  }

  #order(order: ReaderOrder): void {
    const buffers = "spare" in order ? [...order.spare] : [];
    if (this.isAlive) this.#worker.postMessage(order, buffers);
  }

  #hear(report: ReaderReport): void {
    this.#heartbeat.heard();
    if (report.type === "opened") {
      this.#isOpened = true;
      this.#heartbeat.stop();
      return this.#settleOpened();
    }
    if (report.type === "closed") return this.#settleClosed();
    if (report.type === "pong") return;
    if (report.type === "refused") {
      this.#fail(errorOf(report.error));
      return void this.end();
    }
    const answer = this.#answers.get(report.id);
    if (answer === undefined || answer.failure !== undefined) return; // It was given up.
    if (report.type === "chunk") answer.chunks.push(report.chunk);
    answer.isWhole = report.type === "end" || report.isLast;
    if (report.type === "end" && report.error !== undefined) {
      answer.failure = { reason: errorOf(report.error) };
    }
    answer.wake?.();
  }

  #fail(error: Error): void {
    if (this.#failure !== undefined) return;
    this.#failure = error;
    this.#heartbeat.stop();
    this.#settleOpened(error);
    for (const answer of this.#answers.values()) {
      answer.isWhole = true;
      fail(answer, error);
    }
  }
}

/** Ends an answer early, with what has come of it. */
function fail(answer: Answer, reason: unknown): void {
  answer.failure ??= { reason };
  answer.chunks.length = 0;
  answer.wake?.();
}

function ended(cause?: unknown): BTrDBError {
  const why = cause instanceof Error ? `: ${cause.message}` : "";
  return new BTrDBError(`Cannot read: the thread that reads has ended${why}`, {
    status: "UNAVAILABLE",
    retryable: true,
    cause,
  });
}
