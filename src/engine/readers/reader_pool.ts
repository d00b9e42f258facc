/**
 * Reads in several threads.
 *
 * @module
 */

import type {
  AlignedWindowsRequest,
  AnswerFrames,
  CallOptions,
  ChangesChunk,
  ChangesRequest,
  FramesRequest,
  RangeRequest,
  RawChunk,
  Readers,
  StatChunk,
  WindowsRequest,
} from "../../endpoint/endpoint.ts";
import { closedError } from "../write/group_commit.ts";
import type { ReaderFile } from "../options.ts";
import type { ReadMethod } from "./messages.ts";
import { ReaderThread } from "./reader_thread.ts";

/** Threads that read one file. One that ends is replaced when the next read begins. */
export class ReaderPool implements Readers {
  readonly #beforeRead: () => void;
  readonly #start: () => ReaderThread;
  readonly #threads: ReaderThread[];
  #next = 0;
  #closing: Promise<void> | undefined;

  /**
   * @param count Number of threads, at least 1.
   * @param file The file.
   * @param start Starts a thread; for tests.
   * @param beforeRead Called before each read, which fails with what it throws.
   */
  constructor(
    count: number,
    file: ReaderFile,
    start: () => ReaderThread = () => new ReaderThread(file),
    beforeRead: () => void = () => {},
  ) {
    this.#beforeRead = beforeRead;
    this.#start = start;
    this.#threads = Array.from({ length: count }, start);
  }

  /**
   * Waits until all threads have the file open.
   *
   * @throws What one of them could not do.
   */
  async opened(): Promise<void> {
    await Promise.all(this.#threads.map(({ opened }) => opened));
  }

  rawValues(
    request: RangeRequest,
    options?: CallOptions,
  ): AsyncIterableIterator<RawChunk> {
    return this.#read("rawValues", request, options);
  }

  alignedWindows(
    request: AlignedWindowsRequest,
    options?: CallOptions,
  ): AsyncIterableIterator<StatChunk> {
    return this.#read("alignedWindows", request, options);
  }

  windows(
    request: WindowsRequest,
    options?: CallOptions,
  ): AsyncIterableIterator<StatChunk> {
    return this.#read("windows", request, options);
  }

  changes(
    request: ChangesRequest,
    options?: CallOptions,
  ): AsyncIterableIterator<ChangesChunk> {
    return this.#read("changes", request, options);
  }

  async *frames(read: FramesRequest, options?: CallOptions): AsyncGenerator<AnswerFrames> {
    const thread = await this.#opened(options);
    yield* thread.frames(read, options);
  }

  /** Ends all reads and threads. Idempotent. */
  close(): Promise<void> {
    this.#closing ??= Promise.all(this.#threads.map((thread) => thread.close())).then(() => {});
    return this.#closing;
  }

  async *#read<C>(
    method: ReadMethod,
    request: object,
    options: CallOptions | undefined,
  ): AsyncGenerator<C> {
    const thread = await this.#opened(options);
    yield* thread.read<C>(method, request, options);
  }

  async #opened(options: CallOptions | undefined): Promise<ReaderThread> {
    this.#beforeRead();
    const thread = this.#thread();
    if (!thread.isOpened) await thread.untilOpened(options);
    return thread;
  }

  /**
   * The thread with the fewest reads; of several, the next in turn. One that still opens the file is
   * taken if no other one answers, one that does not answer if there is nothing else.
   */
  #thread(): ReaderThread {
    if (this.#closing !== undefined) throw closedError();
    const threads = this.#threads;
    const first = this.#next++;
    let best: ReaderThread | undefined;
    for (let i = 0; i < threads.length; i++) {
      const at = (first + i) % threads.length;
      if (!threads[at]!.isAlive) threads[at] = this.#start();
      const thread = threads[at]!;
      if (best === undefined || isBetter(thread, best)) best = thread;
    }
    return best!;
  }
}

function isBetter(one: ReaderThread, other: ReaderThread): boolean {
  const [ofOne, ofOther] = [delayOf(one), delayOf(other)];
  return ofOne === ofOther ? one.reads < other.reads : ofOne < ofOther;
}

/** Rank of the wait for a thread: none, until it has begun, or of unknown length. */
function delayOf({ isOpened, isSilent }: ReaderThread): number {
  return isSilent ? 2 : isOpened ? 0 : 1;
}
