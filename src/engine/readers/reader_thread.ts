/**
 * A thread that reads a database file, as the thread of the database sees it.
 *
 * @module
 */

import { Worker } from "node:worker_threads";
import { abortable, type CallOptions, throwIfOver } from "../../core/call.ts";
import { BTrDBError } from "../../core/errors.ts";
import { onSilence } from "../../core/silence_timer.ts";
import { errorOf, type ReaderOrder, type ReaderReport, type ReadMethod } from "./messages.ts";
import type { ReaderFile } from "../options.ts";

/** Longest time for a thread to close its database at the end, ms. */
const CLOSE_MS = 1_000;

/** A thread that is waited for is asked for a sign of life after this silence, ms. */
const PING_MS = 10_000;

/** Longest time in which it must give one, ms. */
const PONG_MS = 30_000;

/** Longest time for a thread to begin and open the file, ms: its program may have to be compiled. */
const OPEN_MS = 300_000;

/** Silence of a thread, for tests. */
export interface SilenceLimits {
  readonly pingMs: number;
  readonly pongMs: number;
  readonly openMs: number;
}

/** The answer to a read. */
interface Answer {
  /** Chunks that have come and were not taken. */
  readonly chunks: unknown[];
  /** Set when nothing follows. */
  end: { readonly error: Error | undefined } | undefined;
  wake: (() => void) | undefined;
}

/** A reader in a thread of its own. */
export class ReaderThread {
  /** Resolves when the file is open; rejects when it cannot be, or the thread ends before. */
  readonly opened: Promise<void>;
  readonly #worker: Worker;
  readonly #answers = new Map<number, Answer>();
  readonly #silence: SilenceLimits;
  /** Resolves when the thread is gone. */
  readonly exited: Promise<void>;
  #settleOpened!: (error?: Error) => void;
  #settleClosed!: () => void;
  readonly #closed: Promise<void> = new Promise((resolve) => this.#settleClosed = resolve);
  #lastId = 0;
  #failure: Error | undefined;
  #isOpened = false;
  #stopListening: (() => void) | undefined;

  /**
   * @param file The file, which a writer of this process may have open.
   * @param worker Its program; for tests.
   * @param silence Silence after which it is given up; for tests.
   */
  constructor(
    file: ReaderFile,
    worker: Worker = new Worker(new URL("./reader_worker.ts", import.meta.url)),
    silence: SilenceLimits = { pingMs: PING_MS, pongMs: PONG_MS, openMs: OPEN_MS },
  ) {
    this.#silence = silence;
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
    this.#listen();
  }

  /** False once the thread has ended, or could not open the file. */
  get isAlive(): boolean {
    return this.#failure === undefined;
  }

  /** Reads under way. */
  get reads(): number {
    return this.#answers.size;
  }

  /**
   * Reads.
   *
   * @param method Method of the endpoint.
   * @param request Its request.
   * @param options Signal and deadline; both reach the thread.
   * @throws {BTrDBError} `UNAVAILABLE` if the thread ends meanwhile.
   */
  async *read<C>(
    method: ReadMethod,
    request: object,
    options: CallOptions = {},
  ): AsyncGenerator<C, undefined> {
    throwIfOver(options, "read");
    if (this.#failure !== undefined) throw this.#failure;
    const id = ++this.#lastId;
    const answer: Answer = { chunks: [], end: undefined, wake: undefined };
    this.#answers.set(id, answer);
    const { deadlineMs } = options;
    try {
      this.#order({ type: "read", id, method, request, deadlineMs });
      if (this.reads === 1) this.#listen();
      for (;;) {
        while (answer.chunks.length === 0 && answer.end === undefined) {
          await abortable(new Promise<void>((wake) => answer.wake = wake), options, "read");
        }
        throwIfOver(options, "read");
        if (answer.chunks.length === 0) break;
        this.#order({ type: "more", id });
        yield answer.chunks.shift() as C;
      }
      if (answer.end?.error !== undefined) throw answer.end.error;
    } finally {
      this.#answers.delete(id);
      if (answer.end === undefined) this.#order({ type: "stop", id });
      if (this.reads === 0) this.#listen();
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
    if (this.isAlive) this.#worker.postMessage(order);
  }

  /** Begins to wait for a report, if one is due: a thread that is stuck is ended. */
  #listen(): void {
    this.#stopListening?.();
    this.#stopListening = undefined;
    if (!this.isAlive || this.#isOpened && this.reads === 0) return;
    const { pingMs, pongMs, openMs } = this.#silence;
    if (!this.#isOpened) return this.#expectReport(openMs);
    this.#stopListening = onSilence(pingMs, () => {
      this.#order({ type: "ping" });
      this.#expectReport(pongMs);
    });
  }

  #expectReport(ms: number): void {
    this.#stopListening = onSilence(ms, () => {
      this.#fail(ended(new Error(`it has not answered for ${ms} ms`)));
      void this.end();
    });
  }

  #hear(report: ReaderReport): void {
    if (report.type === "opened") this.#isOpened = true;
    this.#listen();
    if (report.type === "opened") return this.#settleOpened();
    if (report.type === "closed") return this.#settleClosed();
    if (report.type === "pong") return;
    if (report.type === "refused") {
      this.#fail(errorOf(report.error));
      return void this.end();
    }
    const answer = this.#answers.get(report.id);
    if (answer === undefined) return; // It was given up.
    if (report.type === "chunk") answer.chunks.push(report.chunk);
    else answer.end = { error: report.error && errorOf(report.error) };
    answer.wake?.();
  }

  #fail(error: Error): void {
    if (this.#failure !== undefined) return;
    this.#failure = error;
    this.#stopListening?.();
    this.#settleOpened(error);
    for (const answer of this.#answers.values()) {
      answer.end ??= { error };
      answer.chunks.length = 0;
      answer.wake?.();
    }
  }
}

function ended(cause?: unknown): BTrDBError {
  const why = cause instanceof Error ? `: ${cause.message}` : "";
  return new BTrDBError(`Cannot read: the thread that reads has ended${why}`, {
    status: "UNAVAILABLE",
    retryable: true,
    cause,
  });
}
