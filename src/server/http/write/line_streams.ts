/**
 * Streams of the series of line protocol: found, or made.
 *
 * @module
 */

import { createHash } from "node:crypto";
import { BTrDBError, ErrorCode } from "../../../core/errors.ts";
import type {
  CallOptions,
  Endpoint,
  Metadata,
  StreamDescriptor,
} from "../../../endpoint/endpoint.ts";
import {
  annotationsOf,
  checkSeries,
  prefixIdentity,
  SeriesRefusal,
} from "../../../core/series_annotations.ts";
import type { ListedCollections } from "./listed_collections.ts";
import { type LinePrefix, linePrefix, type LineSeries } from "../../../core/line_series.ts";
import { OldestFirst } from "../../../core/oldest_first.ts";

/** Time for which the stream of a series is remembered, ms: streams can be moved and removed. */
const REMEMBER_MS = 60_000;

/** Most series remembered. */
const MAX_REMEMBERED = 100_000;

/** Length up to which an identity is kept as it is, UTF-16 units: tags may have 65,000. */
const MAX_IDENTITY = 256;

/** Text that tells a measurement with its tags, in a collection, from all others; never a long one. */
export function keptIdentity(collection: string, prefix: LinePrefix): string {
  const identity = prefixIdentity(collection, prefix);
  if (identity.length <= MAX_IDENTITY) return identity;
  return createHash("sha256").update(identity).digest("base64");
}

/** A series and where its points belong. */
export interface LineStream {
  readonly collection: string;
  readonly series: LineSeries;
  /** Tells it from all others: {@linkcode keptIdentity} and the field. */
  readonly id: string;
}

/** A series that is remembered. */
interface Known {
  readonly uuid: Promise<Uint8Array>;
  /** The one on whose account it was looked for, and what gives that up. */
  readonly owner: object;
  readonly signal: AbortSignal | undefined;
  /** The same, once it is there. */
  value?: Uint8Array;
  readonly untilMs: number;
}

/** Finds and makes streams: the field is the tag `name`, the tags are annotations. */
export class LineStreams {
  readonly #endpoint: Endpoint;
  readonly #maxStreams: number;
  readonly #known = new Map<string, Known>();
  readonly #oldest: OldestFirst<string, Known> = new OldestFirst(this.#known);
  readonly #made = new WeakMap<object, number>();
  /** Streams made so far. */
  made = 0;

  /** @param maxStreams Most streams that the holder of a key may make. */
  constructor(endpoint: Endpoint, maxStreams: number) {
    this.#endpoint = endpoint;
    this.#maxStreams = maxStreams;
  }

  /**
   * The stream of a series, made if there is none.
   *
   * @param owner The grant of the caller, whose new streams are counted.
   * @param listed Collections that are read once for several series.
   * @returns Its uuid.
   * @throws {SeriesRefusal} If its names cannot be those of a stream, another series has the stream,
   * or the caller has made too many.
   */
  async find(
    stream: LineStream,
    owner: object,
    options: CallOptions,
    listed?: ListedCollections,
  ): Promise<Uint8Array> {
    for (;;) {
      const known = this.#known.get(stream.id);
      if (known === undefined || known.untilMs <= Date.now()) break;
      try {
        return await known.uuid;
      } catch (error) {
        options.signal?.throwIfAborted();
        // The caller that it was looked for may be gone, or may make no more: then this one does it.
        if (known.owner === owner && known.signal?.aborted !== true) throw error;
      }
    }
    const uuid = this.#findOrMake(stream, owner, options, listed);
    this.#remember(stream.id, { uuid, owner, signal: options.signal });
    uuid.catch(() => {
      if (this.#known.get(stream.id)?.uuid === uuid) this.#known.delete(stream.id);
    });
    return await uuid;
  }

  /** The stream of a series if it is remembered. */
  known({ id }: LineStream): Uint8Array | undefined {
    const known = this.#known.get(id);
    return known !== undefined && known.untilMs > Date.now() ? known.value : undefined;
  }

  /** Forgets a series whose stream is not what it was. */
  forget({ id }: LineStream): void {
    this.#known.delete(id);
  }

  async #findOrMake(
    stream: LineStream,
    owner: object,
    options: CallOptions,
    listed: ListedCollections | undefined,
  ): Promise<Uint8Array> {
    try {
      const { collection, series } = stream;
      const found = await listed?.named(collection, series.field) ??
        await this.#lookUp(stream, options);
      const uuid = uuidOf(stream, found);
      if (uuid !== undefined) return uuid;
      return await this.#make(stream, owner, options);
    } catch (error) {
      if (error instanceof BTrDBError && NAME_CODES.has(error.code)) {
        throw new SeriesRefusal(error.message);
      }
      throw error;
    }
  }

  async #lookUp(
    { collection, series }: LineStream,
    options: CallOptions,
  ): Promise<StreamDescriptor[]> {
    const tags: Metadata = new Map([["name", series.field]]);
    const request = {
      collection,
      isCollectionPrefix: false,
      tags,
      annotations: new Map<string, string>(),
    };
    const found: StreamDescriptor[] = [];
    for await (const some of this.#endpoint.lookupStreams(request, options)) found.push(...some);
    return found;
  }

  async #make(stream: LineStream, owner: object, options: CallOptions): Promise<Uint8Array> {
    const { collection, series } = stream;
    const made = this.#made.get(owner) ?? 0;
    if (made >= this.#maxStreams) {
      throw new SeriesRefusal(
        `it would make more than ${this.#maxStreams} streams since the server began; are there ` +
          "tags of ever new values? If not, raise the limit (--influx-max-streams)",
      );
    }
    this.#made.set(owner, made + 1);
    const uuid = crypto.getRandomValues(new Uint8Array(16));
    uuid[6] = uuid[6]! & 0x0f | 0x40;
    uuid[8] = uuid[8]! & 0x3f | 0x80;
    const tags: Metadata = new Map([["name", series.field]]);
    const annotations = annotationsOf(linePrefix(series.prefix));
    try {
      await this.#endpoint.create({ uuid, collection, tags, annotations }, options);
      this.made++;
      return uuid;
    } catch (error) {
      this.#made.set(owner, this.#made.get(owner)! - 1);
      const isThere = error instanceof BTrDBError && error.code === ErrorCode.StreamExists;
      const other = isThere ? uuidOf(stream, await this.#lookUp(stream, options)) : undefined;
      if (other === undefined) throw error;
      return other;
    }
  }

  #remember(id: string, found: Pick<Known, "uuid" | "owner" | "signal">): void {
    this.#known.delete(id);
    if (this.#known.size >= MAX_REMEMBERED) {
      const oldest = this.#oldest.next();
      if (oldest !== undefined) this.#known.delete(oldest[0]);
    }
    // Not all at once, lest they all are looked up again at once.
    const known: Known = { ...found, untilMs: Date.now() + REMEMBER_MS * (0.5 + Math.random()) };
    this.#known.set(id, known);
    this.#oldest.added();
    found.uuid.then((value) => known.value = value, () => {});
  }
}

/** The stream of a series among those of its collection and name; `undefined` if there is none. */
function uuidOf(
  { collection, series }: LineStream,
  found: readonly StreamDescriptor[],
): Uint8Array | undefined {
  const exact = found.find(({ tags }) => tags.size === 1) ?? found[0];
  if (exact === undefined) return undefined;
  if (found.length > 1 && exact.tags.size > 1) {
    throw new SeriesRefusal(
      `${found.length} streams of ${JSON.stringify(collection)} are called ` +
        JSON.stringify(series.field),
    );
  }
  const wanted = annotationsOf(linePrefix(series.prefix));
  checkSeries(exact.annotations, wanted, series.field, exact.collection);
  return exact.uuid;
}

/** Codes of names that a stream cannot have. */
const NAME_CODES: ReadonlySet<number> = new Set([
  ErrorCode.InvalidCollection,
  ErrorCode.InvalidTagKey,
  ErrorCode.InvalidTagValue,
]);
