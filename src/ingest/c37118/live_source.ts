/**
 * A live source that is kept connected, and whose frames are collected as columns.
 *
 * @module
 */

import { abortable, delay } from "../../core/call.ts";
import type { CollectionOwners, Sender } from "./collection_owners.ts";
import {
  ChannelColumns,
  type ChannelNames,
  type ColumnPoints,
  stationCollection,
} from "./channel_columns.ts";
import type { DataLayout } from "./data_layout.ts";
import type { DecodeOptions, FrameDecoder, RawDataFrame } from "./frame_decoder.ts";
import { FrameRepeats } from "./frame_repeats.ts";
import { addCounts, noCounts, type SourceReport, StreamTimes } from "./link_statistics.ts";
import { MessageLimit } from "./message_limit.ts";
import { PmuLink } from "./pmu_link.ts";
import type { PmuTarget } from "./pmu_target.ts";
import type { SendingDevice } from "./sending_devices.ts";

/** First and longest wait before a connection is tried again, ms; each wait is twice the last one. */
const FIRST_WAIT_MS = 500;
const LONGEST_WAIT_MS = 30_000;
/** A connection that lasted so long was a good one: the waits begin anew, ms. */
const GOOD_MS = 10_000;
/** Time to connect, ms. */
const CONNECT_MS = 20_000;
/** Most layouts of a data stream at a time: a device that changes all the time is not followed. */
const MAX_LAYOUTS = 16;
/** Most data streams of a source, and most columns of all. */
const MAX_STREAMS = 1024;
const MAX_COLUMNS = 100_000;
/** Silence after which a data stream makes place for another one, ms. */
const IDLE_MS = 10_000;
/** Shortest silence after which a device may have come back with another port, and in frames. */
const SILENT_MS = 1_000;
const SILENT_FRAMES = 5;
/** Values collected at which TCP is held back, and at which frames are dropped. */
const PAUSE_VALUES = 1 << 20;
const MAX_VALUES = 1 << 22;
const TOO_MANY_NAMES = "the device has had too many names of stations and channels";
/** Channels without a scale that are named in a message. */
const MAX_NAMED = 8;

/** A data stream of a device. */
interface DataStream {
  /** Port of the device where it sends unasked, and number of the data stream. */
  readonly key: string;
  sender: Sender;
  readonly times: StreamTimes;
  /** Layout of its latest configuration. */
  layout: DataLayout;
  /** Time of its last frame, ms. */
  seenMs: number;
}

/** Columns of the frames of one layout. */
interface Collected {
  readonly columns: ChannelColumns;
  readonly stream: DataStream;
}

/** Keeps a source connected until it is stopped. */
export class LiveSource {
  readonly target: PmuTarget;
  readonly #options: DecodeOptions;
  readonly #names: ChannelNames;
  readonly #owners: CollectionOwners;
  readonly #messages: MessageLimit;
  readonly #collected = new Map<DataLayout, Collected>();
  readonly #refused = new WeakSet<DataLayout>();
  /** Columns to which no more frames come, and whose points were not taken yet. */
  #retired: ChannelColumns[] = [];
  /** By their keys. */
  readonly #streams = new Map<string, DataStream>();
  readonly #senders = new WeakMap<SendingDevice, Sender>();
  /** The device that is asked. */
  readonly #asked: Sender;
  #columns = 0;
  readonly #repeats = new FrameRepeats();
  readonly #gone = { lost: 0, late: 0, repeated: 0 };
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
    this.#messages = new MessageLimit(say);
    const { text: source, hostname: address, port } = target;
    this.#asked = { source, address, port, seenMs: Infinity, silentMs: Infinity };
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
      this.#say(`${reason}; again in ${(pause / 1000).toFixed(1)} s`);
      await delay(pause, { signal }).catch(() => {});
      wait = Math.min(2 * wait, LONGEST_WAIT_MS);
    }
  }

  /** One connection; returns why it ended. */
  async #connection(signal: AbortSignal): Promise<string> {
    let closed: (reason: Error | undefined) => void = () => {};
    const end = new Promise<Error | undefined>((resolve) => closed = resolve);
    const opening = PmuLink.open(this.target, this.#options, {
      onData: (raw, decoder, device) => this.#data(raw, decoder, device),
      onFrame: () => {},
      onOutdated: (idcode) =>
        this.#say(
          `stream ${idcode} announced a change of its configuration, and has ` +
            "sent none: its values are read by the old one",
        ),
      onOverrun: () => {
        this.#overrun++;
        this.#problem = "configurations come faster than they can be read";
      },
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
      this.target.transport === "listen" ? `listening on port ${link.udpPort}` : "connected",
    );
    const reason = await abortable(end, { signal }, "read").catch(() => undefined);
    await link.close();
    this.#past = addCounts(this.#past, link.counts);
    this.#link = undefined;
    return reason === undefined ? "closed" : textOf(reason);
  }

  #say(text: string): void {
    this.#messages.say(this.target.text, text);
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
    const take = (columns: ChannelColumns): void => {
      const { columns: points, absent: missing } = columns.take();
      taken.push(...points);
      absent += missing;
    };
    for (const columns of this.#retired.splice(0)) take(columns);
    for (const [layout, { columns, stream }] of this.#collected) {
      if (columns.rows > 0) take(columns);
      else if (stream.layout !== layout) this.#retire(layout);
    }
    return { columns: taken, absent };
  }

  /** Counts since the beginning. */
  get report(): SourceReport {
    const link = this.#link;
    const counts = link === undefined ? this.#past : addCounts(this.#past, link.counts);
    const sum = { ...this.#gone };
    for (const { times } of this.#streams.values()) addTimes(sum, times);
    return {
      source: this.target.text,
      connected: link !== undefined,
      connections: this.#connections,
      ...counts,
      ...sum,
      conflicts: this.#repeats.conflicts,
      overrun: this.#overrun,
      configurations: this.#configurations,
      clockOffsetMs: this.#clockOffsetMs,
      problem: this.#problem,
    };
  }

  #data(raw: RawDataFrame, decoder: FrameDecoder, device: SendingDevice | undefined): void {
    const { layout, header } = raw;
    const collected = this.#collected.get(layout) ?? this.#collect(layout, this.#senderOf(device));
    if (typeof collected === "string" || this.#size > MAX_VALUES) {
      this.#overrun++;
      this.#problem = typeof collected === "string"
        ? collected
        : "frames come faster than they can be kept";
      return;
    }
    const { columns, stream } = collected;
    // Networks double datagrams. A point would be there twice on protocol v4, and one that is late
    // would be taken for a lost one.
    if (this.#repeats.has(stream.key, raw)) {
      this.#gone.repeated++;
      return;
    }
    this.#size += layout.slots;
    if (this.#size > PAUSE_VALUES) this.#link?.pause();
    const time = decoder.timeOf(raw);
    layout.read(raw.view, raw.start, columns.addRow(time, header.quality), decoder.frequencyForm);
    const nowMs = Date.now();
    this.#clockOffsetMs = nowMs - Number(time / 1000n) / 1000;
    stream.seenMs = nowMs;
    if (device !== undefined) stream.sender.seenMs = nowMs;
    stream.times.add(time, layout.configuration.dataRate);
  }

  #senderOf(device: SendingDevice | undefined): Sender {
    if (device === undefined) return this.#asked;
    let sender = this.#senders.get(device);
    if (sender === undefined) {
      const { address, port, seenMs } = device;
      sender = { source: this.target.text, address, port, seenMs, silentMs: SILENT_MS };
      this.#senders.set(device, sender);
    }
    return sender;
  }

  /** Begins to collect the frames of a layout; a text says why that cannot be. */
  #collect(layout: DataLayout, sender: Sender): Collected | string {
    if (this.#refused.has(layout)) return TOO_MANY_NAMES;
    const { idcode, dataRate } = layout.configuration;
    const isAsked = sender === this.#asked;
    const key = isAsked ? `${idcode}` : `${sender.address}:${sender.port} ${idcode}`;
    const known = this.#streams.get(key);
    const layouts = [...this.#collected.values()].filter(({ stream }) => stream === known).length;
    if (known !== undefined && layouts >= MAX_LAYOUTS) return "the configuration changes too often";
    if (known === undefined && this.#streams.size >= MAX_STREAMS) this.#dropIdle();
    if (known === undefined && this.#streams.size >= MAX_STREAMS) {
      return `more than ${MAX_STREAMS} data streams send at a time`;
    }
    // STAT, FREQ and so on are values of the frames, the quality of time is not.
    const count = layout.slots + layout.stations.length;
    if (this.#columns + count > MAX_COLUMNS) this.#dropIdle();
    if (this.#columns + count > MAX_COLUMNS) {
      return `the data streams have more than ${MAX_COLUMNS} channels together`;
    }
    const collections = this.#collectionsOf(layout, sender);
    if (typeof collections === "string") return collections;
    const columns = new ChannelColumns(layout, this.#names, collections);
    if (!this.#owners.admit(columns.columns, sender)) return this.#refuse(layout);
    // A device that is connected again says what it said before.
    const isKnown = known !== undefined && isSame(known.layout, layout);
    if (known !== undefined && !isKnown) this.#configurations++;
    const stream = known ?? { key, sender, times: new StreamTimes(), layout, seenMs: Date.now() };
    stream.layout = layout;
    stream.sender = sender;
    if (!isAsked && dataRate !== 0) {
      const periodMs = dataRate > 0 ? 1000 / dataRate : -dataRate * 1000;
      sender.silentMs = Math.max(sender.silentMs, SILENT_FRAMES * periodMs);
    }
    this.#streams.set(key, stream);
    this.#columns += count;
    const collected = { columns, stream };
    this.#collected.set(layout, collected);
    if (!isKnown) this.#sayConfiguration(layout, count, known !== undefined);
    return collected;
  }

  /** Takes note that a layout cannot be collected, as its device has had too many names. */
  #refuse(layout: DataLayout): string {
    this.#refused.add(layout);
    return TOO_MANY_NAMES;
  }

  /** Collections of the stations; a text says why there are none. */
  #collectionsOf(layout: DataLayout, sender: Sender): string[] | string {
    const { stations } = layout.configuration;
    const collections = new Set<string>();
    for (const [i, station] of stations.entries()) {
      const name = stationCollection(station);
      let claimed = this.#owners.claim(name, "", sender);
      for (let n = 1; claimed !== undefined && collections.has(claimed.collection); n++) {
        claimed = this.#owners.claim(name, `${"#".repeat(n)}${i + 1}`, sender);
      }
      if (claimed === undefined) return this.#refuse(layout);
      const { collection, before } = claimed;
      collections.add(collection);
      if (before !== undefined) this.#dropSender(before);
      if (collection !== name) {
        this.#say(
          `another station is called ${name}, this one goes to ${collection}`,
        );
      }
    }
    return [...collections];
  }

  #sayConfiguration(layout: DataLayout, columns: number, isNew: boolean): void {
    const { idcode, stations, dataRate } = layout.configuration;
    this.#say(
      `${isNew ? "new configuration" : "configuration"} of ` +
        `stream ${idcode}: ${stations.length} station${stations.length === 1 ? "" : "s"}, ` +
        `${columns} streams, ${rateText(dataRate)}`,
    );
    const names = layout.unscaled();
    for (const name of names.slice(0, MAX_NAMED)) {
      this.#say(`no scale is known of ${name}, its values are left out`);
    }
    const more = names.length - MAX_NAMED;
    if (more > 0) this.#say(`nor of ${more} other channels of stream ${idcode}`);
  }

  /** Collects no more frames by a layout; points that it has are taken next. */
  #retire(layout: DataLayout): void {
    const columns = this.#collected.get(layout)?.columns;
    if (columns === undefined) return;
    this.#collected.delete(layout);
    this.#columns -= layout.slots + layout.stations.length;
    if (columns.rows > 0) this.#retired.push(columns);
  }

  #dropStream(key: string, stream: DataStream): void {
    for (const [layout, { stream: other }] of this.#collected) {
      if (other === stream) this.#retire(layout);
    }
    addTimes(this.#gone, stream.times);
    this.#streams.delete(key);
  }

  #dropIdle(): void {
    const now = Date.now();
    for (const [key, stream] of this.#streams) {
      if (now - stream.seenMs > IDLE_MS) this.#dropStream(key, stream);
    }
  }

  /** Forgets a device whose collections another one has now. */
  #dropSender(sender: Sender): void {
    for (const [key, stream] of this.#streams) {
      if (stream.sender === sender) this.#dropStream(key, stream);
    }
  }
}

function addTimes(
  sum: { lost: number; late: number; repeated: number },
  { lost, late, repeated }: StreamTimes,
): void {
  sum.lost += lost;
  sum.late += late;
  sum.repeated += repeated;
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
