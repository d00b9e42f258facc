/**
 * Data of the streams on show: windows in tiles, the points beside a view, news, and what changed
 * between versions.
 *
 * @module
 */

import type { BTrDB } from "../../client/btrdb.ts";
import type { ChangedRange } from "../../client/changes.ts";
import { LAST_TIME, MAX_TIME, MIN_TIME } from "../../core/range.ts";
import type { PixelColumns } from "../../plot/figure/pixel_columns.ts";
import { LineEnds } from "../plotter/line_ends.ts";
import { LiveTail, type News } from "../plotter/live_tail.ts";
import type { TileRequest } from "../plotter/tile.ts";
import { TileCache } from "../plotter/tile_cache.ts";
import { seriesOf, type TimeSpan } from "../plotter/view_changes.ts";
import type { SeriesState, ViewState } from "../plotter/view_state.ts";
import { isLost, isNotImplemented } from "./connection.ts";

/** Most ranges that are shaded for a stream. */
const MAX_SHADES = 2_000;

/** Pause in which news are gathered, ms. */
const NEWS_MS = 150;

/** Options of a {@linkcode DataSource}. */
export interface DataSourceOptions {
  readonly db: () => BTrDB;
  /** Called when there is more to draw. */
  readonly onChange: () => void;
  /** Called with errors that concern a stream, or the whole connection. */
  readonly onError: (error: unknown, uuid?: string) => void;
}

/** Statistics of a range. */
export interface RangeStatistics {
  readonly count: bigint;
  readonly min: number;
  readonly mean: number;
  readonly max: number;
  readonly stddev: number | undefined;
}

/** Reads what views need. */
export class DataSource {
  readonly #options: DataSourceOptions;
  readonly #tiles: TileCache;
  readonly #ends: LineEnds;
  readonly #tail: LiveTail;
  readonly #news = new Map<string, News | undefined>();
  readonly #shades = new Map<string, readonly ChangedRange[]>();
  #newsTimer: ReturnType<typeof setTimeout> | undefined;

  constructor(options: DataSourceOptions) {
    this.#options = options;
    const { db, onChange, onError } = options;
    this.#tiles = new TileCache({
      read: (request, signal) => this.#read(request, signal),
      onChange,
      onError: (error, { uuid }) => {
        onError(error, isLost(error) ? undefined : uuid);
        return isLost(error);
      },
    });
    this.#ends = new LineEnds({
      nearest: (uuid, version, time, backward) =>
        db().streamFromUUID(uuid).nearest(legalTime(time), { version, backward }),
      onChange,
    });
    this.#tail = new LiveTail({
      subscribe: (uuids, signal) => this.#subscribe(uuids, signal),
      version: async (uuid, signal) => {
        const { major, minor } = await db().streamFromUUID(uuid).fullVersion({ signal });
        return `${major}.${minor}`;
      },
      changed: (uuid, from, to, signal) => this.#changed(uuid, from, to, signal),
      isUnsupported: isNotImplemented,
      onNews: (uuid, range) => this.#heard(uuid, range),
      onError: (error) => onError(error),
    });
  }

  /** Requests under way for what is in view. */
  get pending(): number {
    return this.#tiles.pending;
  }

  /** Size of what is kept, bytes. */
  get bytes(): number {
    return this.#tiles.bytes;
  }

  /** Begins a view. */
  begin(view: ViewState): void {
    this.#tiles.begin();
    const live = seriesOf(view).filter(({ version }) => version === 0n);
    this.#tail.follow(document.hidden ? [] : live.map(({ uuid }) => uuid));
  }

  /** Columns of a stream. */
  columns(series: SeriesState, { start, end }: TimeSpan, length: number): PixelColumns {
    const { uuid, version } = series;
    const columns = this.#tiles.columns(uuid, version, start, end, length);
    this.#ends.complete(uuid, version, columns, end);
    return columns;
  }

  /** Ends a view. */
  end(): void {
    this.#tiles.end();
  }

  /** Tries everything again, after the server was lost or the page asleep. */
  refresh(): void {
    this.#tiles.invalidate();
    this.#ends.invalidate();
    this.#tiles.retry();
    this.#tail.restart();
  }

  /** Ends what goes on by itself, while nobody sees the page. */
  sleep(): void {
    this.#tail.stop();
  }

  /** Statistics of a range, exactly; undefined if it is not within the legal times. */
  async statistics(
    { uuid, version }: SeriesState,
    { start, end }: TimeSpan,
    signal: AbortSignal,
  ): Promise<RangeStatistics | undefined> {
    const stream = this.#options.db().streamFromUUID(uuid);
    const [from, to] = [legalTime(start), end > LAST_TIME ? LAST_TIME : end];
    const { min, mean, max, count, stddev } = await stream
      .windows(from, to, to - from, { version, signal }).collect();
    if (count.length === 0) return undefined;
    return {
      count: count[0]!,
      min: min[0]!,
      mean: mean[0]!,
      max: max[0]!,
      stddev: stddev?.[0],
    };
  }

  /** Ranges in which a stream changed since a version, as far as they are known yet. */
  shades({ uuid, version, since }: SeriesState): readonly ChangedRange[] {
    if (since === 0n) return [];
    const key = `${uuid}/${since}/${version}`;
    const known = this.#shades.get(key);
    if (known === undefined) {
      this.#shades.set(key, []);
      void this.#readShades(key, uuid, since, version);
    }
    return known ?? [];
  }

  async #readShades(key: string, uuid: string, since: bigint, version: bigint): Promise<void> {
    try {
      const stream = this.#options.db().streamFromUUID(uuid);
      const to = version === 0n ? await stream.version() : version;
      const found: ChangedRange[] = [];
      for await (const range of stream.changes(since, to, 0)) {
        found.push(range);
        if (found.length >= MAX_SHADES) break;
      }
      this.#shades.set(key, found);
      this.#options.onChange();
    } catch (error) {
      this.#options.onError(error, uuid);
    }
  }

  /** The hull of what changed between two versions of major and minor; points that wait have no range. */
  async #changed(
    uuid: string,
    from: string,
    to: string,
    signal: AbortSignal,
  ): Promise<News | undefined> {
    const [[older, waiting], [newer, waits]] = [from, to].map((text) =>
      text.split(".").map(BigInt)
    ) as [[bigint, bigint], [bigint, bigint]];
    if (older >= newer || waiting > 0n || waits > 0n) return undefined;
    const stream = this.#options.db().streamFromUUID(uuid);
    let news: News | undefined;
    for await (const { start, end } of stream.changes(older, newer, 0, { signal })) {
      news = joined({ uuid, start, end }, news);
    }
    return news;
  }

  async #read(request: TileRequest, signal: AbortSignal) {
    const { uuid, version, pointwidth, start, end } = request;
    const stream = this.#options.db().streamFromUUID(uuid);
    const to = end >= MAX_TIME ? LAST_TIME : end;
    return await stream.alignedWindows(start, to, pointwidth, { version, signal }).collect();
  }

  async *#subscribe(uuids: readonly string[], signal: AbortSignal): AsyncIterable<News> {
    const db = this.#options.db();
    const streams = uuids.map((uuid) => db.streamFromUUID(uuid));
    for await (const { stream: { uuid }, times } of db.subscribe(streams, { signal })) {
      if (times.length === 0) continue;
      let [start, last] = [times[0]!, times[0]!];
      for (const time of times) {
        if (time < start) start = time;
        if (time > last) last = time;
      }
      yield { uuid, start, end: last + 1n };
    }
  }

  #heard(uuid: string, range: News | undefined): void {
    const before = this.#news.get(uuid);
    const isAll = range === undefined || (this.#news.has(uuid) && before === undefined);
    this.#news.set(uuid, isAll ? undefined : joined(range!, before));
    this.#newsTimer ??= setTimeout(() => this.#apply(), NEWS_MS);
  }

  #apply(): void {
    this.#newsTimer = undefined;
    for (const [uuid, range] of this.#news) {
      this.#tiles.invalidate(uuid, range?.start, range?.end);
      this.#ends.invalidate(uuid);
      for (const key of this.#shades.keys()) {
        if (key.startsWith(uuid) && key.endsWith("/0")) this.#shades.delete(key);
      }
    }
    this.#news.clear();
    this.#options.onChange();
  }
}

function joined(a: News, b: News | undefined): News {
  if (b === undefined) return a;
  return {
    uuid: a.uuid,
    start: a.start < b.start ? a.start : b.start,
    end: a.end > b.end ? a.end : b.end,
  };
}

function legalTime(time: bigint): bigint {
  return time < MIN_TIME ? MIN_TIME : time > LAST_TIME ? LAST_TIME : time;
}
