/**
 * Captures of synchrophasors as a source of points: pcap, pcapng, and files of frames.
 *
 * @module
 */

import { open } from "node:fs/promises";
import { concatRaw, type RawColumns } from "../../core/columns.ts";
import type { Position, Source, SourceBatch, SourceColumn } from "../source.ts";
import { ChannelColumns, type ChannelNames, stationCollection } from "./channel_columns.ts";
import { ConfigurationMemory } from "./configuration_memory.ts";
import type { DataLayout } from "./data_layout.ts";
import { type DecodeOptions, FrameDecoder, type RawDataFrame } from "./frame_decoder.ts";
import { FrameRepeats } from "./frame_repeats.ts";
import { NetworkReader, type Segment } from "./network_layers.ts";
import { type CaptureKind, captureKindOf, PacketReader } from "./packet_file.ts";
import { TcpStream } from "./tcp_stream.ts";
import { outOfRange } from "../../core/argument_error.ts";

/** Options of reading a capture. */
export interface CaptureOptions extends DecodeOptions {
  /** Way of naming the streams. @default {"btrdb"} */
  names?: ChannelNames | undefined;
}

/** Bytes of a capture, read as often as needed. */
export interface CaptureInput {
  /** Size, bytes, where it is known. */
  readonly size?: number | undefined;
  /** Reads all bytes from the beginning. */
  read(): AsyncIterable<Uint8Array>;
}

/** Rows of a batch, at most; a row is a data frame. */
const BATCH_ROWS = 8192;
/** Values of a batch, at most. */
const BATCH_VALUES = 1 << 20;
/** Most connections and directions that are put together at a time. */
const MAX_FLOWS = 4096;
/** Bytes read from a file at a time. */
const CHUNK_BYTES = 1 << 16;

/** A data frame and the device it came from. */
interface Received {
  raw: RawDataFrame;
  /** Address, or empty where there is none. */
  device: string;
  decoder: FrameDecoder;
}

/** Counts of what a capture holds beside good frames. */
interface CaptureCounts {
  badCrc: number;
  skippedBytes: number;
  unconfigured: number;
  mismatched: number;
  malformed: number;
  repeated: number;
  gaps: number;
  commands: number;
  problem: string | undefined;
}

/** One pass over the bytes of a capture. */
class CaptureReader {
  readonly #options: CaptureOptions;
  readonly #memory = new ConfigurationMemory();
  readonly #repeats = new FrameRepeats();
  readonly #decoders = new Map<string, FrameDecoder>();
  readonly #streams = new Map<string, TcpStream>();
  readonly #network = new NetworkReader();
  readonly #packets: PacketReader | undefined;
  readonly #onData: (received: Received) => void;
  readonly #closed = { badCrc: 0, skippedBytes: 0, unconfigured: 0, mismatched: 0, malformed: 0 };
  #gaps = 0;
  #repeated = 0;
  #commands = 0;
  #problem: string | undefined;

  constructor(
    kind: CaptureKind,
    options: CaptureOptions,
    onData: (received: Received) => void,
  ) {
    this.#options = options;
    this.#onData = onData;
    this.#packets = kind === "frames" ? undefined : new PacketReader(kind);
  }

  push(chunk: Uint8Array): void {
    if (this.#packets === undefined) {
      this.#decode("", [""], "", chunk);
      return;
    }
    for (const packet of this.#packets.push(chunk)) {
      const segment = this.#network.read(packet);
      if (segment !== undefined && segment.payload.length + segment.flags > 0) {
        this.#segment(segment);
      }
    }
  }

  end(): void {
    for (const [flow, stream] of this.#streams) this.#flush(flow, stream);
    for (const [flow, decoder] of this.#decoders) {
      this.#finish(flow, decoder);
    }
  }

  get cutBytes(): number {
    return this.#packets?.pendingBytes ?? 0;
  }

  get counts(): CaptureCounts {
    const sum = { ...this.#closed };
    let problem = this.#problem;
    for (const decoder of this.#decoders.values()) {
      addCounts(sum, decoder);
      problem = decoder.lastProblem ?? problem;
    }
    return {
      ...sum,
      repeated: this.#repeated,
      gaps: this.#gaps,
      commands: this.#commands,
      problem,
    };
  }

  #segment(segment: Segment): void {
    const { source, destination, sourceAddress, protocol } = segment;
    const flow = `${protocol} ${source} ${destination}`;
    const scopes = [flow, source, sourceAddress];
    if (protocol === "udp") {
      // A datagram holds whole frames: what is left of one does not go on in the next.
      this.#decode(flow, scopes, sourceAddress, segment.payload);
      this.#endDatagram(flow, sourceAddress);
      return;
    }
    let stream = this.#streams.get(flow);
    if (stream === undefined) {
      // Connections that have nothing of this protocol are not put together.
      if (this.#streams.size >= MAX_FLOWS) this.#dropFlow();
      this.#streams.set(flow, stream = new TcpStream());
    }
    const gaps = stream.gaps;
    const { sequence, flags, payload } = segment;
    for (const piece of stream.push(sequence, flags, payload)) {
      this.#decode(flow, scopes, sourceAddress, piece);
    }
    this.#gaps += stream.gaps - gaps;
  }

  #dropFlow(): void {
    const [flow, stream] = this.#streams.entries().next().value!;
    this.#flush(flow, stream);
    this.#streams.delete(flow);
    const decoder = this.#decoders.get(flow);
    if (decoder === undefined) return;
    this.#finish(flow, decoder);
    addCounts(this.#closed, decoder);
    this.#problem = decoder.lastProblem ?? this.#problem;
    this.#decoders.delete(flow);
  }

  #flush(flow: string, stream: TcpStream): void {
    const [, source] = flow.split(" ") as [string, string];
    const address = source.replace(/:\d+$/, "");
    for (const piece of stream.flush()) {
      this.#decode(flow, [flow, source, address], address, piece);
      this.#gaps++;
    }
  }

  #decoder(flow: string, scopes: readonly string[]): FrameDecoder {
    let decoder = this.#decoders.get(flow);
    if (decoder === undefined) {
      decoder = new FrameDecoder(this.#options, scopes, this.#memory);
      this.#decoders.set(flow, decoder);
    }
    return decoder;
  }

  #decode(flow: string, scopes: readonly string[], device: string, bytes: Uint8Array): void {
    const decoder = this.#decoder(flow, scopes);
    decoder.pushRaw(bytes, this.#onOther, (raw) => this.#take(raw, device, decoder));
  }

  #endDatagram(flow: string, device: string): void {
    const decoder = this.#decoders.get(flow)!;
    decoder.endRaw(this.#onOther, (raw) => this.#take(raw, device, decoder));
    if (this.#decoders.size <= MAX_FLOWS) return;
    addCounts(this.#closed, decoder);
    this.#decoders.delete(flow);
  }

  #finish(flow: string, decoder: FrameDecoder): void {
    const device = (flow.split(" ")[1] ?? "").replace(/:\d+$/, "");
    decoder.endRaw(this.#onOther, (raw) => this.#take(raw, device, decoder));
  }

  readonly #onOther = (frame: { type: string }): void => {
    if (frame.type === "command") this.#commands++;
  };

  #take(raw: RawDataFrame, device: string, decoder: FrameDecoder): void {
    if (this.#repeats.has(device, raw)) this.#repeated++;
    else this.#onData({ raw, device, decoder });
  }
}

function addCounts(
  sum: Pick<CaptureCounts, "badCrc" | "skippedBytes" | "unconfigured" | "mismatched" | "malformed">,
  { counts }: FrameDecoder,
): void {
  // Of bytes without a single frame nothing is said: captures hold other protocols too.
  if (counts.frames > 0) {
    sum.badCrc += counts.badCrc;
    sum.skippedBytes += counts.skippedBytes;
  }
  sum.unconfigured += counts.unconfigured;
  sum.mismatched += counts.mismatched;
  sum.malformed += counts.malformed;
}

/** Columns of all configurations of a capture, each stream once. */
class CaptureColumns {
  readonly columns: SourceColumn[] = [];
  readonly notices: string[] = [];
  readonly #names: ChannelNames;
  readonly #places = new Map<string, number>();
  /** Device of each collection. */
  readonly #owners = new Map<string, string>();
  readonly #collectors = new Map<
    DataLayout,
    Map<string, { to: ChannelColumns; places: number[] }>
  >();

  constructor(names: ChannelNames) {
    this.#names = names;
  }

  /** Collector of a frame, and the places of its columns among all. */
  of({ raw: { layout }, device }: Received): { to: ChannelColumns; places: number[] } {
    let byDevice = this.#collectors.get(layout);
    if (byDevice === undefined) this.#collectors.set(layout, byDevice = new Map());
    let found = byDevice.get(device);
    if (found === undefined) byDevice.set(device, found = this.#collector(layout, device));
    return found;
  }

  *collectors(): Generator<{ to: ChannelColumns; places: number[] }> {
    for (const byDevice of this.#collectors.values()) yield* byDevice.values();
  }

  #collector(layout: DataLayout, device: string): { to: ChannelColumns; places: number[] } {
    const taken = new Set<string>();
    const collections = layout.stations.map(({ station }, i) => {
      const wanted = stationCollection(station);
      let collection = wanted;
      const owner = this.#owners.get(wanted) ?? device;
      if (owner !== device) collection = `${wanted}@${device}`;
      if (taken.has(collection)) collection = `${collection}#${i + 1}`;
      taken.add(collection);
      if (!this.#owners.has(collection)) {
        this.#owners.set(collection, device);
        if (collection !== wanted) {
          this.notices.push(`Another station is called ${wanted}: this one goes to ${collection}`);
        }
      }
      return collection;
    });
    for (const name of layout.unscaled()) {
      this.notices.push(`No scale is known of ${name}: its values are left out`);
    }
    const to = new ChannelColumns(layout, this.#names, collections);
    return { to, places: to.columns.map((column) => this.#place(column)) };
  }

  #place(column: SourceColumn): number {
    const key = `${column.collection}\0${column.name}`;
    let place = this.#places.get(key);
    if (place === undefined) {
      place = this.columns.push(column) - 1;
      this.#places.set(key, place);
    }
    return place;
  }
}

/** Points of a capture. */
export class CaptureSource implements Source {
  readonly format: string;
  readonly columns: readonly SourceColumn[];
  /** A collection that the user says is the beginning of those of the stations. */
  readonly hasStations = true;
  readonly omitted: readonly [] = [];
  readonly notices: readonly string[];
  readonly size: number | undefined;
  readonly layout: unknown;
  readonly #input: CaptureInput;
  readonly #kind: CaptureKind;
  readonly #options: CaptureOptions;
  readonly #close: () => Promise<void>;
  #bytesRead = 0;

  private constructor(
    input: CaptureInput,
    kind: CaptureKind,
    options: CaptureOptions,
    columns: readonly SourceColumn[],
    notices: readonly string[],
    close: () => Promise<void>,
  ) {
    this.#close = close;
    this.#input = input;
    this.#kind = kind;
    this.#options = options;
    this.format = kind === "frames" ? "c37118" : `c37118 in ${kind}`;
    this.columns = columns;
    this.notices = notices;
    this.size = input.size;
    this.layout = { kind, ...options };
  }

  /**
   * Opens a capture: reads it once to know its stations.
   *
   * @param input Its bytes.
   * @param options Names, frequency, times.
   * @param signal Stops reading.
   * @param close Frees the bytes when the source is disposed of.
   * @throws {RangeError} If it is no capture, malformed, or without measurements.
   */
  static async open(
    input: CaptureInput,
    options: CaptureOptions,
    signal?: AbortSignal,
    close: () => Promise<void> = () => Promise.resolve(),
  ): Promise<CaptureSource> {
    const columns = new CaptureColumns(options.names ?? "btrdb");
    let kind: CaptureKind | undefined;
    let reader: CaptureReader | undefined;
    let frames = 0;
    for await (const chunk of input.read()) {
      signal?.throwIfAborted();
      if (reader === undefined) {
        kind = captureKindOf(chunk) ?? "frames";
        reader = new CaptureReader(kind, options, (received) => {
          frames++;
          columns.of(received);
        });
      }
      reader.push(chunk);
    }
    reader?.end();
    if (reader === undefined || kind === undefined || frames === 0) {
      throw outOfRange(nothingText(reader?.counts));
    }
    const notices = [...columns.notices, ...noticesOf(reader.counts, reader.cutBytes)];
    return new CaptureSource(input, kind, options, columns.columns, notices, close);
  }

  get bytesRead(): number {
    return this.#bytesRead;
  }

  /** Reads from a position on; frames before it are passed over. */
  async *batches(from: Position, signal?: AbortSignal): AsyncGenerator<SourceBatch> {
    const columns = new CaptureColumns(this.#options.names ?? "btrdb");
    const count = this.columns.length;
    let [rows, values] = [0, 0];
    let pending = 0;
    let full = false;
    let ready: SourceBatch[] = [];
    const flush = (): void => {
      const merged = merge(columns, count);
      ready.push({ columns: merged, next: { offset: this.#bytesRead, lines: 0, rows } });
      [pending, values, full] = [0, 0, false];
    };
    const reader = new CaptureReader(this.#kind, this.#options, (received) => {
      const { to } = columns.of(received);
      rows++;
      if (rows <= from.rows) return;
      const { raw, decoder } = received;
      const row = to.addRow(decoder.timeOf(raw), raw.header.quality);
      raw.layout.read(raw.view, raw.start, row, decoder.frequencyForm);
      values += raw.layout.slots;
      full = ++pending >= BATCH_ROWS || values >= BATCH_VALUES;
      if (full) flush();
    });
    this.#bytesRead = 0;
    for await (const chunk of this.#input.read()) {
      signal?.throwIfAborted();
      this.#bytesRead += chunk.length;
      reader.push(chunk);
      yield* ready;
      ready = [];
    }
    reader.end();
    if (pending > 0) flush();
    yield* ready;
  }

  /** Frees the bytes. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#close();
  }
}

/** Points of all collectors, at the places of their columns; times ascend within a configuration. */
function merge(columns: CaptureColumns, count: number): RawColumns[] {
  const pieces: RawColumns[][] = Array.from({ length: count }, () => []);
  for (const { to, places } of columns.collectors()) {
    if (to.rows === 0) continue;
    for (const [i, { points }] of to.take().columns.entries()) {
      if (points.times.length > 0) pieces[places[i]!]!.push(points);
    }
  }
  return pieces.map((list) => list.length === 1 ? list[0]! : concatRaw(list));
}

function nothingText(counts: CaptureCounts | undefined): string {
  const text = "Cannot read the capture: no data frame of C37.118 can be read in it";
  if (counts === undefined) return `${text}, it is empty`;
  const reasons = noticesOf(counts, 0);
  return reasons.length === 0 ? text : `${text}; ${reasons.join("; ")}`;
}

function noticesOf(counts: CaptureCounts, cutBytes: number): string[] {
  const notices: string[] = [];
  const say = (n: number, text: string): void => {
    if (n > 0) notices.push(`${n} ${text}`);
  };
  say(counts.badCrc, "frames with a bad checksum are left out");
  say(counts.skippedBytes, "bytes belong to no good frame");
  say(counts.unconfigured, "data frames come before the configuration of their stream, left out");
  say(counts.mismatched, "data frames do not fit their configuration, left out");
  say(counts.malformed, `frames are malformed, left out (${counts.problem})`);
  say(counts.repeated, "data frames come twice, the second ones are left out");
  say(counts.gaps, "gaps in TCP connections, the capture missed packets");
  say(cutBytes, "bytes of a cut packet are at the end");
  return notices;
}

/** A file as the bytes of a capture. */
export async function captureFile(path: string): Promise<CaptureInput> {
  const file = await open(path);
  const { size } = await file.stat();
  await file.close();
  return {
    size,
    async *read(): AsyncGenerator<Uint8Array> {
      const file = await open(path);
      try {
        const buffer = new Uint8Array(CHUNK_BYTES);
        for (;;) {
          const { bytesRead } = await file.read(buffer, 0, buffer.length);
          if (bytesRead === 0) return;
          yield buffer.subarray(0, bytesRead);
        }
      } finally {
        await file.close();
      }
    },
  };
}

/**
 * Opens a capture of synchrophasors: pcap, pcapng, or frames one after the other (`.c37`, `.pdat`).
 *
 * @param path The file.
 * @param options Names, frequency, times.
 * @returns A source of points: its columns are the streams of all stations.
 * @throws {RangeError} If no measurement can be read in it.
 */
export async function openCapture(
  path: string,
  options: CaptureOptions = {},
): Promise<CaptureSource> {
  return await CaptureSource.open(await captureFile(path), options);
}
