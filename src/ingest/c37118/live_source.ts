/**
 * A live source that is kept connected, and whose frames are collected as columns.
 *
 * @module
 */

import { abortable, delay } from "../../core/call.ts";
import {
  ChannelColumns,
  type ChannelNames,
  type ColumnPoints,
  stationCollection,
} from "./channel_columns.ts";
import type { DataLayout } from "./data_layout.ts";
import type { DecodeOptions, FrameDecoder, RawDataFrame } from "./frame_decoder.ts";
import { addCounts, noCounts, type SourceReport, StreamTimes } from "./link_statistics.ts";
import { PmuLink } from "./pmu_link.ts";
import type { PmuTarget } from "./pmu_target.ts";

/** First and longest wait before a connection is tried again, ms; each wait is twice the last one. */
const FIRST_WAIT_MS = 500;
const LONGEST_WAIT_MS = 30_000;
/** A connection that lasted so long was a good one: the waits begin anew, ms. */
const GOOD_MS = 10_000;
/** Time to connect, ms. */
const CONNECT_MS = 20_000;
/** Most layouts that are collected at a time: a device that changes all the time is not followed. */
const MAX_LAYOUTS = 16;
/** Values collected at which TCP is held back, and at which frames are dropped. */
const PAUSE_VALUES = 1 << 20;
const MAX_VALUES = 1 << 22;
/** Most data streams of a source whose times are followed. */
const MAX_STREAMS = 1024;

/** Names of collections that belong to a device, over all sources. */
export type CollectionOwners = Map<string, string>;

/** Keeps a source connected until it is stopped. */
export class LiveSource {
  readonly target: PmuTarget;
  readonly #options: DecodeOptions;
  readonly #names: ChannelNames;
  readonly #owners: CollectionOwners;
  readonly #say: (text: string) => void;
  readonly #collectors = new Map<DataLayout, ChannelColumns>();
  readonly #times = new Map<number, StreamTimes>();
  readonly #layouts = new Map<number, DataLayout>();
  #past = noCounts();
  #link: PmuLink | undefined;
  #connections = 0;
  #configurations = 0;
  #clockOffsetMs: number | undefined;
  #problem: string | undefined;
  #overrun = 0;
  #size = 0;

  /**
   * @param target Address of the PMU.
   * @param options Names of streams, reading of frequency and times.
   * @param owners Shared by all sources of a run.
   * @param say Receives one line about each change.
   */
  constructor(
    target: PmuTarget,
    options: DecodeOptions & { names: ChannelNames },
    owners: CollectionOwners,
    say: (text: string) => void,
  ) {
    this.target = target;
    this.#options = options;
    this.#names = options.names;
    this.#owners = owners;
    this.#say = say;
  }

  /** Connects, and connects again with growing waits, until the signal is aborted. */
  async run(signal: AbortSignal): Promise<void> {
    let wait = FIRST_WAIT_MS;
    while (!signal.aborted) {
      const startMs = Date.now();
      const reason = await this.#connection(signal);
      if (signal.aborted) return;
      if (Date.now() - startMs > GOOD_MS) wait = FIRST_WAIT_MS;
      // Jitter keeps many sources from coming back in the same moment.
      const pause = wait * (0.5 + Math.random());
      this.#problem = reason;
      this.#say(`${this.target.text}: ${reason}; again in ${(pause / 1000).toFixed(1)} s`);
      await delay(pause, { signal }).catch(() => {});
      wait = Math.min(2 * wait, LONGEST_WAIT_MS);
    }
  }

  /** One connection; returns why it ended. */
  async #connection(signal: AbortSignal): Promise<string> {
    let closed: (reason: Error | undefined) => void = () => {};
    const end = new Promise<Error | undefined>((resolve) => closed = resolve);
    const opening = PmuLink.open(this.target, this.#options, {
      onData: (raw, decoder) => this.#data(raw, decoder),
      onFrame: () => {},
      onClose: (reason) => closed(reason),
    }, { signal, deadlineMs: Date.now() + CONNECT_MS });
    let link: PmuLink;
    try {
      const deadlineMs = Date.now() + CONNECT_MS;
      link = await abortable(opening, { signal, deadlineMs }, `connect to ${this.target.text}`);
    } catch (error) {
      opening.then((link) => link.close(), () => {});
      return textOf(error);
    }
    this.#link = link;
    this.#connections++;
    this.#say(
      this.target.transport === "listen"
        ? `${this.target.text}: listening on port ${link.udpPort}`
        : `${this.target.text}: connected`,
    );
    const reason = await abortable(end, { signal }, "read").catch(() => undefined);
    await link.close();
    this.#past = addCounts(this.#past, link.counts);
    this.#link = undefined;
    return reason === undefined ? "closed" : textOf(reason);
  }

  /** Values collected and not taken. */
  get size(): number {
    return this.#size;
  }

  /** Takes the points collected so far. */
  take(): { columns: ColumnPoints[]; absent: number } {
    const taken: ColumnPoints[] = [];
    let absent = 0;
    this.#size = 0;
    this.#link?.resume();
    for (const [layout, collector] of this.#collectors) {
      if (collector.rows > 0) {
        const { columns, absent: missing } = collector.take();
        taken.push(...columns);
        absent += missing;
      } else if (![...this.#layouts.values()].includes(layout)) this.#collectors.delete(layout);
    }
    return { columns: taken, absent };
  }

  /** Counts since the beginning. */
  get report(): SourceReport {
    const link = this.#link;
    const counts = link === undefined ? this.#past : addCounts(this.#past, link.counts);
    const sum = { lost: 0, late: 0, repeated: 0 };
    for (const { lost, late, repeated } of this.#times.values()) {
      sum.lost += lost;
      sum.late += late;
      sum.repeated += repeated;
    }
    return {
      source: this.target.text,
      connected: link !== undefined,
      connections: this.#connections,
      ...counts,
      ...sum,
      overrun: this.#overrun,
      configurations: this.#configurations,
      clockOffsetMs: this.#clockOffsetMs,
      problem: this.#problem,
    };
  }

  #data(raw: RawDataFrame, decoder: FrameDecoder): void {
    const { layout, header } = raw;
    const collector = this.#collectors.get(layout) ?? this.#collector(layout);
    if (collector === undefined || this.#size > MAX_VALUES) {
      this.#overrun++;
      this.#problem = collector === undefined
        ? "the configuration changes too often"
        : "frames come faster than they can be kept";
      return;
    }
    this.#size += layout.slots;
    if (this.#size > PAUSE_VALUES) this.#link?.pause();
    const time = decoder.timeOf(raw);
    layout.read(raw.view, raw.start, collector.addRow(time, header.quality), decoder.frequencyForm);
    this.#clockOffsetMs = Date.now() - Number(time / 1000n) / 1000;
    let times = this.#times.get(header.idcode);
    if (times === undefined) {
      if (this.#times.size >= MAX_STREAMS) return;
      this.#times.set(header.idcode, times = new StreamTimes());
    }
    times.add(time, layout.configuration.dataRate);
  }

  #collector(layout: DataLayout): ChannelColumns | undefined {
    if (this.#collectors.size >= MAX_LAYOUTS) return undefined;
    const { idcode, stations, dataRate } = layout.configuration;
    const before = this.#layouts.get(idcode);
    if (this.#layouts.size < MAX_STREAMS || before !== undefined) this.#layouts.set(idcode, layout);
    // A device that is connected again says what it said before.
    const isKnown = before !== undefined && isSame(before, layout);
    if (before !== undefined && !isKnown) this.#configurations++;
    const seen = new Set<string>();
    const collections = stations.map((station, i) => {
      const name = stationCollection(station);
      const { hostname, text } = this.target;
      const owner = this.#owners.get(name) ?? text;
      let collection = owner === text ? name : `${name}@${hostname}`;
      if (seen.has(collection)) collection = `${collection}#${i + 1}`;
      seen.add(collection);
      if (!this.#owners.has(name)) this.#owners.set(name, text);
      if (collection !== name) {
        this.#say(`${text}: another station is called ${name}, this one goes to ${collection}`);
      }
      return collection;
    });
    const collector = new ChannelColumns(layout, this.#names, collections);
    this.#collectors.set(layout, collector);
    if (isKnown) return collector;
    this.#say(
      `${this.target.text}: ${before === undefined ? "configuration" : "new configuration"} of ` +
        `stream ${idcode}: ${stations.length} station${stations.length === 1 ? "" : "s"}, ` +
        `${collector.columns.length} streams, ${rateText(dataRate)}`,
    );
    for (const name of layout.unscaled()) {
      this.#say(`${this.target.text}: no scale is known of ${name}, its values are left out`);
    }
    return collector;
  }
}

/** Tells whether two layouts are of the same configuration. */
function isSame(a: DataLayout, b: DataLayout): boolean {
  return JSON.stringify(a.configuration) === JSON.stringify(b.configuration);
}

function rateText(dataRate: number): string {
  return dataRate < 0 ? `a frame in ${-dataRate} s` : `${dataRate} frames/s`;
}

function textOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
