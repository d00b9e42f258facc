/**
 * Queries of several streams that have begun, so that the versions that answer are known.
 *
 * @module
 */

import type { RawColumns, StatColumns } from "../../../core/columns.ts";
import { mapConcurrently } from "../../../core/concurrency.ts";
import { csvOpener } from "../../../csv/answer.ts";
import type { CallOptions, Chunk, Endpoint, Version } from "../../../endpoint/endpoint.ts";
import type { DataRange, VersionedStream } from "./data_range.ts";

/** Queries that are begun at a time. */
const CONCURRENCY = 64;

type AnyChunk = Chunk<RawColumns | StatColumns>;

/** A query whose first chunk is here. */
export class BegunQuery implements AsyncIterableIterator<AnyChunk> {
  readonly #chunks: AsyncIterator<AnyChunk, unknown, undefined>;
  #first: AnyChunk | undefined;
  /** Version that answers. */
  readonly version: Version;

  constructor(chunks: AsyncIterator<AnyChunk, unknown, undefined>, first: AnyChunk) {
    this.#chunks = chunks;
    this.#first = first;
    this.version = first.version;
  }

  async next(): Promise<IteratorResult<AnyChunk, undefined>> {
    const first = this.#first;
    if (first !== undefined) {
      this.#first = undefined;
      return { done: false, value: first };
    }
    const { done, value } = await this.#chunks.next();
    return done === true ? { done, value: undefined } : { done: false, value: value as AnyChunk };
  }

  async return(): Promise<IteratorResult<AnyChunk, undefined>> {
    this.#first = undefined;
    await this.#chunks.return?.(undefined);
    return { done: true, value: undefined };
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  /** The columns of its chunks. */
  async *columns(): AsyncGenerator<RawColumns | StatColumns, void, void> {
    for await (const { columns } of this) yield columns;
  }
}

/** Queries of several streams. */
export class DataQueries implements AsyncDisposable {
  readonly queries: readonly BegunQuery[];

  private constructor(queries: readonly BegunQuery[]) {
    this.queries = queries;
  }

  /**
   * Begins a query of each stream.
   *
   * @param chunk Most points of a chunk; absent: what is fastest.
   * @throws What one of them fails with; the others are stopped then.
   */
  static async begin(
    endpoint: Endpoint,
    streams: readonly VersionedStream[],
    { start, end, query }: DataRange,
    options: CallOptions,
    chunk?: number,
  ): Promise<DataQueries> {
    const requests = streams.map((stream) => ({ ...stream, label: "" }));
    const request = { query, start, end, includeVersions: false, streams: requests };
    const open = csvOpener(endpoint, request, options, chunk);
    const begun: BegunQuery[] = [];
    try {
      await mapConcurrently(requests, CONCURRENCY, async (stream, s) => {
        const chunks = open(stream);
        const first = await chunks.next();
        if (first.done === true) throw new Error("a query has no chunk");
        begun[s] = new BegunQuery(chunks, first.value);
      });
    } catch (error) {
      await new DataQueries(Object.values(begun)).close();
      throw error;
    }
    return new DataQueries(begun);
  }

  /** Versions that answer, one a stream. */
  get versions(): Version[] {
    return this.queries.map(({ version }) => version);
  }

  /** Stops all queries. Closing twice does nothing. */
  async close(): Promise<void> {
    await Promise.all(this.queries.map((query) => query.return()));
  }

  /** As {@linkcode DataQueries.close}. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
}
