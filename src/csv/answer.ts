/**
 * CSV of any number of streams over any endpoint: one query a stream, their answers merged row by
 * row while they arrive, in memory that does not grow with them (docs/protocol.md, "CSV").
 *
 * @module
 */

import type { RawColumns, StatColumns } from "../core/columns.ts";
import { csvLine, type CsvNumbers, eachCsvName } from "../kernel/csv_text.ts";
import type { CsvSupply } from "./messages.ts";
import { CsvThread } from "./thread.ts";
import { type CsvLayout, CsvWriter } from "../kernel/csv_writer.ts";
import { chunkSize } from "../endpoint/chunk_size.ts";
import { mapConcurrently } from "../core/concurrency.ts";
import { giveWay, inSlices } from "../core/pacer.ts";
import type { CallOptions, Chunk, Endpoint } from "../endpoint/endpoint.ts";

/** Text after which an answer is long enough for a thread of its own: it takes a while to start. */
const LONG_BYTES = 8 << 20;

/** Most streams a thread is given: each has up to four batches on the way, half a MiB a piece. */
const MAX_THREAD_STREAMS = 64;

/** Streams that are asked at a time. */
const CONCURRENCY = 64;

/** The query that every stream is asked. */
export type CsvQueryKind =
  | { type: "raw" }
  | { type: "aligned"; pointwidth: number }
  | { type: "windows"; width: bigint; depth: number };

/** One stream of a CSV. */
export interface CsvStreamRequest {
  uuid: Uint8Array;
  /** Name of its columns. */
  label: string;
  version: bigint;
}

/** A CSV. */
export interface CsvRequest {
  query: CsvQueryKind;
  start: bigint;
  end: bigint;
  /** True if the names of the columns say which version answered. */
  includeVersions: boolean;
  streams: readonly CsvStreamRequest[];
}

/** Format of the numbers and times of a CSV. */
export interface CsvFormat {
  numbers: CsvNumbers;
  /** Decimals of the seconds in the human-readable time. */
  timeDigits: 0 | 9;
}

/** The format of a BTrDB server. */
export const SERVER_FORMAT: CsvFormat = { numbers: "fixed6", timeDigits: 0 };

/** A batch of any answer. */
type AnyChunk = Chunk<RawColumns | StatColumns>;

/** Starts the query of one stream. */
export type CsvOpener = (stream: CsvStreamRequest) => AsyncIterator<AnyChunk, unknown, undefined>;

/** One stream's query. */
class StreamQuery {
  #chunks: AsyncIterator<AnyChunk, unknown, undefined> | undefined;
  /** The batch that told the version, until it is taken. */
  #first: AnyChunk | undefined;
  /** Version that answers; undefined if the query failed. */
  version: bigint | undefined;
  /** The error of the query, if it failed. */
  failure: unknown;

  /** Starts the query and waits for its first batch, or its failure. */
  async open(start: () => AsyncIterator<AnyChunk, unknown, undefined>): Promise<void> {
    try {
      this.#chunks = start();
      this.#first = await this.#take();
      this.version = this.#first?.version.major;
    } catch (error) {
      this.#chunks = undefined;
      this.failure = error;
    }
  }

  /** The next batch that has points, or undefined at the end. */
  async next(): Promise<RawColumns | StatColumns | undefined> {
    for (;;) {
      const chunk = this.#first ?? await this.#take();
      this.#first = undefined;
      if (chunk === undefined || chunk.columns.times.length > 0) return chunk?.columns;
    }
  }

  /** Tells whether the query is under way. */
  get isOpen(): boolean {
    return this.#chunks !== undefined;
  }

  /** Stops the query if it is not at its end. */
  async close(): Promise<void> {
    const chunks = this.#chunks;
    this.#chunks = undefined;
    await chunks?.return?.(undefined);
  }

  async #take(): Promise<AnyChunk | undefined> {
    const result = await this.#chunks?.next();
    if (result?.done === false) return result.value;
    this.#chunks = undefined;
    return undefined;
  }
}

/**
 * The answer to a {@linkcode CsvRequest}: the names of its columns are known, its rows are read
 * with `bytes` or `pour`, once. Call `close` if you do not read it to the end.
 */
export class CsvAnswer implements AsyncDisposable {
  /** Error of the first query that failed; undefined if none did. */
  readonly failure: unknown;
  readonly #kind: "raw" | "windows";
  readonly #request: CsvRequest;
  readonly #sources: readonly StreamQuery[];
  #rows = 0;

  /** @ignore Made by {@linkcode openCsv}. */
  constructor(request: CsvRequest, sources: readonly StreamQuery[]) {
    this.#kind = request.query.type === "raw" ? "raw" : "windows";
    this.#request = request;
    this.#sources = sources;
    this.failure = sources.find((source) => source.failure !== undefined)?.failure;
  }

  /** The cells of the header, each made when it is asked for: four per stream are many. */
  names(): Generator<string, void> {
    return eachCsvName(this.#kind, this.#labels());
  }

  *#labels(): Generator<string, void> {
    const { streams, includeVersions } = this.#request;
    for (const [s, { label }] of streams.entries()) {
      yield includeVersions ? `${label}, ver. ${this.#sources[s]!.version ?? 0n}` : label;
    }
  }

  /** Rows given so far. */
  get count(): number {
    return this.#rows;
  }

  /** The header as it stands in a file: quoted where needed, with its line feed, UTF-8. */
  header(): Uint8Array<ArrayBuffer> {
    return new TextEncoder().encode(csvLine([...this.names()]));
  }

  /**
   * The rows as they stand in a file, in pieces of whole rows, about a MiB each.
   *
   * @param format Numbers and digits.
   * @throws What a query failed with, at first or later.
   */
  bytes(format: CsvFormat): AsyncGenerator<Uint8Array<ArrayBuffer>, void, void> {
    return this.pour(format, (view) => view.slice());
  }

  /**
   * Hands the pieces that `bytes` gives to a function, without a copy.
   *
   * @param format Numbers and digits.
   * @param take Gets a piece, which is valid during the call only, and must not use the kernel. A
   * promise is waited for.
   * @param inThread True if the rows of a long answer are made in a thread of their own, where
   * there
   * are threads.
   * @returns The results of `take`, one a piece.
   * @throws What a query failed with, at first or later, and what `take` throws.
   */
  async *pour<T>(
    format: CsvFormat,
    take: (view: Uint8Array<ArrayBuffer>) => T,
    inThread = false,
  ): AsyncGenerator<Awaited<T>, void, void> {
    if (this.failure !== undefined) {
      await this.close();
      throw this.failure;
    }
    const layout = { kind: this.#kind, streams: this.#sources.length, ...format };
    const writer = new CsvWriter(layout);
    const late = new LateThread(layout, inThread);
    try {
      for (;;) {
        if (late.thread !== undefined) {
          return yield* this.#pourThread(late.thread, writer, take);
        }
        if (writer.isWaiting) await this.#feed(writer);
        await giveWay();
        await inSlices(writer.prepare());
        const taken = writer.pour((view) => {
          this.#rows = writer.rows;
          late.notice(view.length);
          return { result: take(view) };
        });
        if (taken !== undefined) yield await taken.result;
        else if (!writer.isWaiting) return;
      }
    } finally {
      late.close();
      await this.close();
    }
  }

  /** Goes on in a thread with what a writer has left. */
  async *#pourThread<T>(
    thread: CsvThread,
    writer: CsvWriter,
    take: (view: Uint8Array<ArrayBuffer>) => T,
  ): AsyncGenerator<Awaited<T>, void, void> {
    const before = this.#rows;
    thread.supply(
      writer.rest().flatMap((rest, stream) => rest.map((columns) => ({ stream, columns }))),
    );
    this.#supply(thread).catch((error) => thread.fail(error));
    for (let piece = await thread.next(); piece !== undefined; piece = await thread.next()) {
      this.#rows = before + piece.rows;
      yield await take(piece.bytes);
      thread.giveBack(piece);
    }
  }

  /** Gets batches for a thread as it wants them. */
  async #supply(thread: CsvThread): Promise<void> {
    for (let wanted = await thread.wanted(); wanted.length > 0; wanted = await thread.wanted()) {
      const next = async (stream: number): Promise<CsvSupply> => {
        return { stream, columns: await this.#sources[stream]!.next() };
      };
      thread.supply(await Promise.all(wanted.map(next)));
    }
  }

  /** Stops all queries. Closing twice does nothing. */
  async close(): Promise<void> {
    const open = this.#sources.filter((source) => source.isOpen);
    await Promise.all(open.map((source) => source.close()));
  }

  /** As {@linkcode CsvAnswer.close}. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  /** Gets the next batch of every stream that can take one. */
  async #feed(writer: CsvWriter): Promise<void> {
    await mapConcurrently(writer.hungry(), CONCURRENCY, async (s) => {
      // Streams at their end, or with few points, never wait for anything else.
      const pause = giveWay();
      if (pause !== undefined) await pause;
      const columns = await this.#sources[s]!.next();
      if (columns === undefined) writer.close(s);
      else writer.push(s, columns);
    });
  }
}

/** A thread that is started once an answer has turned out to be long. */
class LateThread {
  readonly #layout: CsvLayout;
  readonly #allowed: boolean;
  #bytes = 0;
  #thread: CsvThread | undefined;

  constructor(layout: CsvLayout, allowed: boolean) {
    this.#layout = layout;
    this.#allowed = allowed && layout.streams <= MAX_THREAD_STREAMS;
  }

  /** The thread, once it is there to work. */
  get thread(): CsvThread | undefined {
    return this.#thread?.isReady ? this.#thread : undefined;
  }

  /** Takes note of a piece. */
  notice(bytes: number): void {
    const before = this.#bytes;
    this.#bytes += bytes;
    if (!this.#allowed || before >= LONG_BYTES || this.#bytes < LONG_BYTES) return;
    this.#thread = CsvThread.start(this.#layout);
  }

  close(): void {
    this.#thread?.close();
  }
}

/**
 * Starts all queries of a CSV and waits until each has answered or failed, so that the versions are
 * known; after a failure only those are started whose versions the header tells. A failure is not
 * thrown but kept in the answer: a server sends the header all the same.
 *
 * @param request Streams, range and format.
 * @param open Starts one query, e.g. {@linkcode csvOpener}'s.
 * @param signal Makes the call end with its reason, the queries stopped, when it is aborted.
 * @throws The signal's reason.
 */
export async function openCsv(
  request: CsvRequest,
  open: CsvOpener,
  signal?: AbortSignal,
): Promise<CsvAnswer> {
  signal?.throwIfAborted();
  const sources = request.streams.map(() => new StreamQuery());
  let isFailed = false;
  await mapConcurrently(sources, CONCURRENCY, async (source, s) => {
    // The versions of the others are told in the header even then.
    if (isFailed && !request.includeVersions) return;
    // Queries that fail or answer at once never wait for anything else.
    const pause = giveWay();
    if (pause !== undefined) await pause;
    await source.open(() => open(request.streams[s]!));
    isFailed ||= source.failure !== undefined;
  });
  const answer = new CsvAnswer(request, sources);
  if (signal?.aborted === true) {
    await answer.close();
    throw signal.reason;
  }
  return answer;
}

/**
 * The queries of a CSV as the endpoint answers them.
 *
 * @param endpoint The database.
 * @param request Streams, range and format.
 * @param call Signal and deadline of all queries.
 * @param most Most points of a chunk; absent: what is fastest.
 */
export function csvOpener(
  endpoint: Endpoint,
  request: CsvRequest,
  call?: CallOptions,
  most?: number,
): CsvOpener {
  const { query, start, end } = request;
  const fair = chunkSize(request.streams.length);
  const chunk = most === undefined ? fair : Math.min(most, fair ?? most);
  return ({ uuid, version }) => {
    const range = { uuid, start, end, version, ...(chunk === undefined ? {} : { chunk }) };
    switch (query.type) {
      case "raw":
        return endpoint.rawValues(range, call);
      case "aligned":
        return endpoint.alignedWindows({ ...range, pointwidth: query.pointwidth }, call);
      case "windows":
        return endpoint.windows({ ...range, width: query.width, depth: query.depth }, call);
    }
  };
}
