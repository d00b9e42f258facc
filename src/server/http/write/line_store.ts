/**
 * Stores what lines of line protocol hold.
 *
 * @module
 */

import { patchPoints } from "../../../client/patch.ts";
import { mapConcurrently } from "../../../core/concurrency.ts";
import { giveWay, inSlices } from "../../../core/pacer.ts";
import type { RawColumns } from "../../../core/columns.ts";
import { BTrDBError, ErrorCode } from "../../../core/errors.ts";
import { uuidKey } from "../../../core/uuid.ts";
import { groupPoints, NO_GROUP } from "../../../kernel/group_points.ts";
import type { LineBatch } from "../../../kernel/line_parser.ts";
import type { LineError } from "../../../kernel/line_error.ts";
import { GrpcFailure } from "../../transport/status.ts";
import type { CallOptions, Endpoint } from "../../../endpoint/endpoint.ts";
import type { HttpExchange } from "../routes.ts";
import type { CollectionTemplate, LineDestination } from "../../../core/collection_template.ts";
import { linePrefix, type LineSeries } from "../../../core/line_series.ts";
import { SeriesRefusal } from "../../../core/series_annotations.ts";
import { ListedCollections } from "./listed_collections.ts";
import { keptIdentity, type LineStream, type LineStreams } from "./line_streams.ts";

/**
 * Streams looked for, or made, at the same time: those that are made at once share a transaction. With
 * 256 a new series takes 130 µs of CPU in place of 180, and transactions and what waits for them take
 * more than 10 ms at a time, again and again.
 */
const FIND_AT_ONCE = 64;

/**
 * Streams written at the same time: those that wait share a transaction. Their objects are copied by each
 * collection of garbage meanwhile; with 64, inserts take 1.4 times as much CPU.
 */
const WRITE_AT_ONCE = 256;

/** Refused lines that are kept to be told. */
const MAX_ERRORS = 10;

/** Outcome of a write. */
export interface LineOutcome {
  /** Points stored. */
  points: number;
  /** Strings left out. */
  strings: number;
  /** Lines, and series of the whole request, that are refused. */
  refused: number;
  /** True if one of them is refused because the caller may not write there. */
  isDenied: boolean;
  /** The first of them. */
  readonly errors: LineError[];
}

/** Parts of a {@linkcode LineStore}. */
export interface LineStoreOptions {
  readonly template: CollectionTemplate;
  readonly streams: LineStreams;
  readonly exchange: HttpExchange;
  readonly destination: LineDestination;
}

/** Streams of the series of a batch. */
interface KnownStreams {
  /** Those that are known, each at the place of its series. */
  readonly found: (Uint8Array | undefined)[];
  readonly others: readonly { readonly place: number; readonly stream: LineStream }[];
}

/**
 * Stores batches of lines for one request. A point whose time the stream has already replaces what
 * stands there, as in InfluxDB: a request that is sent again changes nothing.
 */
export class LineStore {
  readonly #options: LineStoreOptions;
  #latest:
    | { readonly prefix: string; readonly collection: string; readonly id: string }
    | undefined;
  readonly outcome: LineOutcome = {
    points: 0,
    strings: 0,
    refused: 0,
    isDenied: false,
    errors: [],
  };

  /** @param options Destination, and on whose behalf. */
  constructor(options: LineStoreOptions) {
    this.#options = options;
  }

  /** Stores a batch; once it resolves, its points are safe. */
  async store(batch: LineBatch): Promise<void> {
    this.outcome.strings += batch.strings;
    this.#refuse(batch.refused, ...batch.errors);
    const { series } = batch;
    const { found, others } = await inSlices(this.#knownOf(series));
    const { endpoint, options } = this.#options.exchange;
    const listed = new ListedCollections(endpoint, options);
    await inSlices(listed.expect(others.map(({ stream }) => stream.collection)));
    await mapConcurrently(others, FIND_AT_ONCE, async ({ place, stream }) => {
      await giveWay();
      found[place] = await this.#findOrRefuse(stream, listed);
    });
    await this.#write(batch, found);
  }

  /**
   * The stream of a series, which is not kept once it is found: of thousands, all that is kept is copied
   * by collections of garbage. Fields of one line have their collection in common.
   */
  #streamOf(series: LineSeries): LineStream {
    if (this.#latest?.prefix !== series.prefix) {
      const { template, destination } = this.#options;
      const prefix = linePrefix(series.prefix);
      const collection = template.expand(destination, prefix);
      const id = keptIdentity(collection, prefix);
      this.#latest = { prefix: series.prefix, collection, id };
    }
    const { collection, id } = this.#latest;
    return { collection, series, id: id + series.field };
  }

  /**
   * Those streams that are remembered, and the others, which have to be found or made; to callers who are
   * kept to collections all are others.
   */
  *#knownOf(series: readonly LineSeries[]): Generator<undefined, KnownStreams> {
    const { streams, exchange } = this.#options;
    const found = new Array<Uint8Array | undefined>(series.length);
    const others: { place: number; stream: LineStream }[] = [];
    for (const [place, one] of series.entries()) {
      const stream = this.#streamOf(one);
      if (!exchange.access.limited) found[place] = streams.known(stream);
      if (found[place] === undefined) others.push({ place, stream });
      yield;
    }
    return { found, others };
  }

  async #findOrRefuse(
    stream: LineStream,
    listed: ListedCollections,
  ): Promise<Uint8Array | undefined> {
    try {
      return await this.#find(stream, listed);
    } catch (error) {
      const isDenied = error instanceof GrpcFailure;
      if (!isDenied && !(error instanceof SeriesRefusal)) throw error;
      this.outcome.isDenied ||= isDenied;
      const { prefix, field, line } = stream.series;
      const { measurement } = linePrefix(prefix);
      const name = JSON.stringify(`${measurement} ${field}`.slice(0, 200));
      const mayRead = this.#options.exchange.grant.capabilities.includes("read");
      const why = error instanceof SeriesRefusal && !mayRead ? error.unread : error.message;
      this.#refuse(1, { line, message: `series ${name}: ${why}` });
      return undefined;
    }
  }

  async #find(stream: LineStream, listed: ListedCollections): Promise<Uint8Array> {
    const { streams, exchange } = this.#options;
    const { access, grant, options } = exchange;
    access.collection("insert", stream.collection);
    let uuid = await streams.find(stream, grant, options, listed);
    if (access.limited) {
      // It may have moved to where this caller may not write.
      await access.stream("insert", uuid).catch(async (error) => {
        if (!(error instanceof GrpcFailure)) throw error;
        streams.forget(stream);
        uuid = await streams.find(stream, grant, options);
        await access.stream("insert", uuid);
      });
    }
    return uuid;
  }

  /** Several series may be one stream: the order of their lines decides which point is the last. */
  async #write(batch: LineBatch, found: readonly (Uint8Array | undefined)[]): Promise<void> {
    const { targets, groupOf } = await inSlices(targetsOf(found));
    const groups = batch.groups.map((series) => groupOf[series]!);
    await giveWay();
    const columnsOf = groupPoints(batch.columns, groups, targets.length);
    await giveWay();
    await mapConcurrently(targets, WRITE_AT_ONCE, async (target, i) => {
      await giveWay();
      const columns = columnsOf(i);
      await this.#insert(batch.series[target]!, found[target]!, columns);
      const stored = columns.times.length;
      this.outcome.points += stored;
      this.#options.exchange.metrics.pointsInserted += stored;
    });
  }

  async #insert(series: LineSeries, uuid: Uint8Array, columns: RawColumns): Promise<void> {
    const { streams, exchange } = this.#options;
    const { endpoint, options, grant } = exchange;
    try {
      await replacePoints(endpoint, uuid, columns, options);
    } catch (error) {
      const isGone = error instanceof BTrDBError && error.code === ErrorCode.NoSuchStream;
      if (!isGone) throw error;
      // Obliterated since it was found: the series begins anew.
      const stream = this.#streamOf(series);
      streams.forget(stream);
      const next = await streams.find(stream, grant, options);
      await replacePoints(endpoint, next, columns, options);
    }
  }

  #refuse(count: number, ...errors: LineError[]): void {
    this.outcome.refused += count;
    this.#options.exchange.metrics.linesRefused += count;
    this.outcome.errors.push(...errors.slice(0, MAX_ERRORS - this.outcome.errors.length));
  }
}

/** Series that are looked at in one step. */
const STEP_SERIES = 256;

/**
 * The streams of series, each once, by the first of their series, and which of them each series is;
 * yields where it may pause.
 */
function* targetsOf(
  found: readonly (Uint8Array | undefined)[],
): Generator<undefined, { targets: number[]; groupOf: Uint32Array }> {
  const places = new Map<string, number>();
  const targets: number[] = [];
  const groupOf = new Uint32Array(found.length).fill(NO_GROUP);
  for (const [i, uuid] of found.entries()) {
    if (i % STEP_SERIES === STEP_SERIES - 1) yield;
    if (uuid === undefined) continue;
    const id = uuidKey(uuid);
    const place = places.get(id) ?? targets.push(i) - 1;
    places.set(id, place);
    groupOf[i] = place;
  }
  return { targets, groupOf };
}

/** Inserts points in place of those at the same times; the last of equal times counts. */
async function replacePoints(
  endpoint: Endpoint,
  uuid: Uint8Array,
  columns: RawColumns,
  options: CallOptions,
): Promise<void> {
  const { mergePolicies, maxInsertPoints, protocol } = endpoint.capabilities;
  if (mergePolicies && protocol === "embedded" && columns.times.length <= maxInsertPoints) {
    await endpoint.insert({ uuid, columns, mergePolicy: "replace" }, options);
  } else {
    await patchPoints(endpoint, uuid, columns, options);
  }
}
