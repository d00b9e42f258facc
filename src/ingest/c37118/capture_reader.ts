/**
 * One pass over the bytes of a capture: packets, connections, frames.
 *
 * @module
 */

import type { ChannelNames } from "./channel_columns.ts";
import { ConfigurationMemory } from "./configuration_memory.ts";
import { ConfigurationChanges } from "./configuration_changes.ts";
import {
  type DecodeOptions,
  type Frame,
  FrameDecoder,
  type RawDataFrame,
} from "./frame_decoder.ts";
import { FrameRepeats } from "./frame_repeats.ts";
import { NetworkReader, type Segment } from "./network_layers.ts";
import { type CaptureKind, PacketReader } from "./packet_file.ts";
import { TcpStream } from "./tcp_stream.ts";

/** Options of reading a capture. */
export interface CaptureOptions extends DecodeOptions {
  /** Way of naming the streams. @default {"btrdb"} */
  names?: ChannelNames | undefined;
}

/** Most connections and directions that are put together at a time. */
const MAX_FLOWS = 4096;
/** Connections from which on those without a single frame are dropped first: others are theirs. */
const MAX_FOREIGN_FLOWS = 256;

/** Most bytes ahead of gaps that are kept, of all connections. */
const MAX_AHEAD_BYTES = 64 << 20;

/** A data frame and the device it came from. */
export interface Received {
  raw: RawDataFrame;
  /** Address, or empty where there is none. */
  device: string;
  decoder: FrameDecoder;
}

/** Counts of what a capture holds beside good frames. */
export interface CaptureCounts {
  badCrc: number;
  skippedBytes: number;
  unconfigured: number;
  mismatched: number;
  malformed: number;
  repeated: number;
  /** Frames of a time that an earlier one of their stream has too, with other values. */
  conflicts: number;
  /** Frames read by a configuration that they say has changed. */
  outdated: number;
  gaps: number;
  /** Packets of which only a beginning is there. */
  cutPackets: number;
  /** Packets whose lengths do not fit to each other. */
  damagedPackets: number;
  /** Datagrams of which fragments are missing. */
  fragmented: number;
  /** Packets of unknown networks, by their LINKTYPE_. */
  foreign: ReadonlyMap<number, number>;
  commands: number;
  problem: string | undefined;
}

/** One pass over the bytes of a capture. */
export class CaptureReader {
  readonly #options: CaptureOptions;
  readonly #memory = new ConfigurationMemory();
  readonly #repeats = new FrameRepeats();
  readonly #decoders = new Map<string, FrameDecoder>();
  readonly #streams = new Map<string, TcpStream>();
  readonly #network = new NetworkReader();
  readonly #packets: PacketReader | undefined;
  readonly #onData: (received: Received) => void;
  readonly #closed = { badCrc: 0, skippedBytes: 0, unconfigured: 0, mismatched: 0, malformed: 0 };
  readonly #changes = new ConfigurationChanges();
  #gaps = 0;
  #aheadBytes = 0;
  #repeated = 0;
  #outdated = 0;
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
      conflicts: this.#repeats.conflicts,
      outdated: this.#outdated,
      cutPackets: this.#network.cut,
      damagedPackets: this.#network.damaged,
      fragmented: this.#network.incomplete,
      foreign: this.#network.foreign,
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
      if (this.#streams.size >= MAX_FOREIGN_FLOWS) this.#dropFlow();
      this.#streams.set(flow, stream = new TcpStream());
    }
    const { gaps, aheadBytes } = stream;
    const { sequence, flags, payload } = segment;
    for (const piece of stream.push(sequence, flags, payload)) {
      this.#decode(flow, scopes, sourceAddress, piece);
    }
    this.#gaps += stream.gaps - gaps;
    this.#aheadBytes += stream.aheadBytes - aheadBytes;
    if (this.#aheadBytes > MAX_AHEAD_BYTES) this.#flush(flow, stream);
  }

  /** Drops the oldest connection without a frame; of too many with frames, the oldest of all. */
  #dropFlow(): void {
    const flows = this.#streams.keys();
    let flow = flows.find((flow) => !(this.#decoders.get(flow)?.counts.frames));
    if (flow === undefined && this.#streams.size >= MAX_FLOWS) [flow] = this.#streams.keys();
    if (flow === undefined) return;
    this.#flush(flow, this.#streams.get(flow)!);
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
    const gaps = stream.gaps;
    this.#aheadBytes -= stream.aheadBytes;
    for (const piece of stream.flush()) this.#decode(flow, [flow, source, address], address, piece);
    this.#gaps += stream.gaps - gaps;
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
    if (this.#decoders.size <= MAX_FLOWS && decoder.counts.frames > 0) return;
    addCounts(this.#closed, decoder);
    this.#problem = decoder.lastProblem ?? this.#problem;
    this.#decoders.delete(flow);
  }

  #finish(flow: string, decoder: FrameDecoder): void {
    const device = (flow.split(" ")[1] ?? "").replace(/:\d+$/, "");
    decoder.endRaw(this.#onOther, (raw) => this.#take(raw, device, decoder));
  }

  readonly #onOther = (frame: Frame): void => {
    if (frame.type === "command") this.#commands++;
    if (frame.type === "configuration") this.#changes.came(frame.configuration);
  };

  #take(raw: RawDataFrame, device: string, decoder: FrameDecoder): void {
    if (this.#repeats.has(device, raw)) {
      this.#repeated++;
      return;
    }
    if (this.#changes.isOutdated(raw)) this.#outdated++;
    this.#onData({ raw, device, decoder });
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
