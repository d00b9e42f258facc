/**
 * Decodes frames from bytes; configurations are remembered and data frames read by them.
 *
 * @module
 */

import { checkBytes } from "../../core/check_bytes.ts";
import { checkObject } from "../../core/check_object.ts";
import type { Configuration } from "./configuration.ts";
import { ConfigurationMemory } from "./configuration_memory.ts";
import type { FrequencyForm, StationData } from "./data_frame.ts";
import type { DataLayout } from "./data_layout.ts";
import { CHECKSUM_BYTES, type FrameHeader, frameHeaderAt, HEADER_BYTES } from "./frame_header.ts";
import { FrameSplitter } from "./frame_splitter.ts";
import { exactTime, gridTime } from "./frame_time.ts";
import { oneOf } from "../../client/arguments.ts";

/** Time and origin of a frame. */
export interface FrameBase {
  /** Number of the data stream. */
  idcode: number;
  /** Seconds since the Unix epoch, as the frame says. */
  soc: number;
  /** Byte of time quality: see {@linkcode timeQualityOf}. */
  quality: number;
}

/** A configuration frame; of a CFG-3 in fragments the last one gives it. */
export interface ConfigurationFrame extends FrameBase {
  /** Kind of frame. */
  type: "configuration";
  /** Decoded content. */
  configuration: Configuration;
}

/** Measurements of all PMUs of a data stream at one time. */
export interface DataFrame extends FrameBase {
  /** Kind of frame. */
  type: "data";
  /** ns since the Unix epoch, on the grid of the data rate or exact: see `exactTimes`. */
  time: bigint;
  /** Measurements, in the order of the configuration. */
  stations: StationData[];
}

/** A frame with text for people. */
export interface HeaderFrame extends FrameBase {
  /** Kind of frame. */
  type: "header";
  /** The text. */
  text: string;
}

/** A command to a PMU. */
export interface CommandFrame extends FrameBase {
  /** Kind of frame. */
  type: "command";
  /** Number of the command: 1 stop, 2 start, 3 send the header, 4 to 6 send CFG-1 to CFG-3, 8 other. */
  command: number;
  /** Data of command 8 (extended frame). */
  extended: Uint8Array;
}

/** A frame that was read. */
export type Frame = ConfigurationFrame | DataFrame | HeaderFrame | CommandFrame;

/** Options of reading frames. */
export interface DecodeOptions {
  /** Reading of the frequency. @default {"auto"} */
  frequency?: FrequencyForm | undefined;
  /**
   * Times exactly as the frames say, not on the grid k / rate where it is less than one unit of
   * `timeBase` away.
   *
   * @default {false}
   */
  exactTimes?: boolean | undefined;
}

/** Counts of a decoder. */
export interface DecodeCounts {
  /** Frames with a good checksum. */
  frames: number;
  /** Data frames that were read. */
  dataFrames: number;
  /** Frames with a bad checksum. */
  badCrc: number;
  /** Bytes that belong to no good frame. */
  skippedBytes: number;
  /** Data frames before any configuration of their stream. */
  unconfigured: number;
  /** Data frames whose size is not that of their configuration, nor of the next one. */
  mismatched: number;
  /** Frames whose content cannot be: a fraction beyond its second, a malformed configuration. */
  malformed: number;
}

/** A data frame as it came, before objects are made of it. */
export interface RawDataFrame {
  /** Layout of its values. */
  layout: DataLayout;
  /** Its common words. */
  header: FrameHeader;
  /** Buffer that holds it. */
  view: DataView;
  /** Its first byte. */
  start: number;
}

/** Frames that do not fit their configuration, kept until a new one comes. */
const MAX_HELD = 256;
const MAX_HELD_BYTES = 1 << 20;

/** Decodes the frames of a connection, or of several that are told apart by scopes. */
export class FrameDecoder {
  readonly #splitter = new FrameSplitter();
  #datagrams: FrameSplitter | undefined;
  readonly #memory: ConfigurationMemory;
  readonly #scopes: readonly string[];
  readonly #form: FrequencyForm;
  readonly #exact: boolean;
  readonly #own = { dataFrames: 0, unconfigured: 0, mismatched: 0, malformed: 0 };
  readonly #held: Uint8Array[] = [];
  #heldBytes = 0;
  #lastLayout: DataLayout | undefined;
  #lastIdcode = -1;
  #lastGeneration = -1;
  #lastProblem: string | undefined;

  /**
   * A decoder that knows no configuration yet.
   *
   * @param options Reading of frequency and times.
   * @param scopes Origins of the bytes, the closest first.
   * @param memory Configurations, shared by the decoders of one capture.
   */
  constructor(
    options: DecodeOptions = {},
    scopes: readonly string[] = [""],
    memory: ConfigurationMemory = new ConfigurationMemory(),
  ) {
    checkObject("decode frames", "options", options);
    const { frequency = "auto", exactTimes = false } = options;
    this.#form = oneOf("decode frames", frequency, "frequency", ["auto", "actual", "deviation"]);
    this.#exact = exactTimes;
    this.#scopes = scopes;
    this.#memory = memory;
  }

  /** Counts so far. */
  get counts(): DecodeCounts {
    const sum = { ...this.#splitter.counts, ...this.#own };
    if (this.#datagrams !== undefined) {
      const { frames, badCrc, skippedBytes } = this.#datagrams.counts;
      sum.frames += frames;
      sum.badCrc += badCrc;
      sum.skippedBytes += skippedBytes;
    }
    return sum;
  }

  /** Problem of the last frame that was malformed or did not fit, in words. */
  get lastProblem(): string | undefined {
    return this.#lastProblem;
  }

  /** About how many bytes of memory configurations and waiting frames take. */
  get keptBytes(): number {
    return this.#memory.keptBytes + this.#heldBytes;
  }

  /** Reading of the frequency. */
  get frequencyForm(): FrequencyForm {
    return this.#form;
  }

  /** Takes bytes, in any pieces; returns the frames that are whole now. */
  push(bytes: Uint8Array): Frame[] {
    checkBytes("decode frames", "bytes", bytes);
    const frames: Frame[] = [];
    this.pushRaw(bytes, (frame) => frames.push(frame), (raw) => frames.push(this.toFrame(raw)));
    return frames;
  }

  /** Takes the end of the bytes; returns frames found in an incomplete one. */
  end(): Frame[] {
    const frames: Frame[] = [];
    this.endRaw((frame) => frames.push(frame), (raw) => frames.push(this.toFrame(raw)));
    return frames;
  }

  /** As `push`, with data frames as they are; their bytes are only valid during the call. */
  pushRaw(
    bytes: Uint8Array,
    onFrame: (frame: Frame) => void,
    onData: (raw: RawDataFrame) => void,
  ): void {
    this.#splitter.push(
      bytes,
      (view, start, end) => this.#read(view, start, end, onFrame, onData),
    );
  }

  /** As `end`, with data frames as they are. */
  endRaw(onFrame: (frame: Frame) => void, onData: (raw: RawDataFrame) => void): void {
    this.#splitter.end((view, start, end) => this.#read(view, start, end, onFrame, onData));
  }

  /**
   * Takes a datagram, which has whole frames. A frame that comes in pieces beside it, over TCP, is
   * neither cut nor ended by it.
   */
  datagramRaw(
    bytes: Uint8Array,
    onFrame: (frame: Frame) => void,
    onData: (raw: RawDataFrame) => void,
  ): void {
    const splitter = this.#datagrams ??= new FrameSplitter();
    const read = (view: DataView, start: number, end: number): void =>
      this.#read(view, start, end, onFrame, onData);
    splitter.push(bytes, read);
    splitter.end(read);
  }

  /** Time of a data frame. */
  timeOf({ layout, header }: RawDataFrame): bigint {
    const { configuration } = layout;
    return this.#exact
      ? exactTime(header.soc, header.fraction, configuration.timeBase)
      : gridTime(header.soc, header.fraction, configuration);
  }

  /** A data frame as an object. */
  toFrame(raw: RawDataFrame): DataFrame {
    const { layout, header: { idcode, soc, quality }, view, start } = raw;
    const values = new Float64Array(layout.slots);
    layout.read(view, start, values, this.#form);
    const stations = layout.stations.map(({ station, slot }): StationData => {
      const { phasors, analogs, digitals } = station;
      const afterPhasors = slot + 1 + 2 * phasors.length;
      const afterAnalogs = afterPhasors + 2 + analogs.length;
      const words = new Uint16Array(digitals.length);
      for (let i = 0; i < words.length; i++) words[i] = values[afterAnalogs + i]!;
      return {
        configuration: station,
        stat: values[slot]!,
        phasors: values.subarray(slot + 1, afterPhasors),
        frequency: values[afterPhasors]!,
        rocof: values[afterPhasors + 1]!,
        analogs: values.subarray(afterPhasors + 2, afterAnalogs),
        digitals: words,
      };
    });
    return { type: "data", idcode, soc, quality, time: this.timeOf(raw), stations };
  }

  #read(
    view: DataView,
    start: number,
    end: number,
    onFrame: (frame: Frame) => void,
    onData: (raw: RawDataFrame) => void,
  ): void {
    const header = frameHeaderAt(view, start);
    if (header.type === "data") {
      const layout = this.#layoutOf(header.idcode);
      if (layout === undefined) {
        this.#own.unconfigured++;
      } else if (layout.frameBytes !== header.size) {
        this.#own.mismatched++;
        this.#lastProblem = `A data frame of stream ${header.idcode} has ${header.size} bytes, ` +
          `its configuration says ${layout.frameBytes}`;
        this.#hold(copyOf(view, start, end));
      } else if (header.fraction >= layout.configuration.timeBase) {
        this.#bad(
          `A data frame says ${header.fraction} of ${layout.configuration.timeBase} as fraction ` +
            "of a second",
        );
      } else {
        this.#own.dataFrames++;
        onData({ layout, header, view, start });
      }
      return;
    }
    const frame = this.#readOther(copyOf(view, start, end), header);
    if (frame === undefined) return;
    onFrame(frame);
    if (frame.type === "configuration") this.readHeld(header.idcode, onData);
  }

  /**
   * Keeps a data frame until a configuration of its stream comes, or `readHeld` is called.
   *
   * @ignore Used by live connections.
   * @returns False if there is no room for it.
   */
  hold({ view, start, header }: RawDataFrame): boolean {
    const isHeld = this.#hold(copyOf(view, start, start + header.size));
    if (!isHeld) return false;
    this.#own.dataFrames--;
    this.#own.mismatched++;
    return true;
  }

  /** Layout in use; looked up again when any configuration has come. */
  #layoutOf(idcode: number): DataLayout | undefined {
    const { generation } = this.#memory;
    if (this.#lastIdcode !== idcode || this.#lastGeneration !== generation) {
      this.#lastLayout = this.#memory.find(this.#scopes, idcode);
      this.#lastIdcode = idcode;
      this.#lastGeneration = generation;
    }
    return this.#lastLayout;
  }

  /** Keeps a frame that does not fit: the new configuration may be on its way. */
  #hold(frame: Uint8Array): boolean {
    const size = this.#heldBytes + frame.length;
    if (this.#held.length >= MAX_HELD || size > MAX_HELD_BYTES) return false;
    this.#held.push(frame);
    this.#heldBytes = size;
    return true;
  }

  /**
   * Reads the frames kept of a data stream that fit its configuration.
   *
   * @ignore Used by live connections.
   */
  readHeld(idcode: number, onData: (raw: RawDataFrame) => void): void {
    const layout = this.#memory.find(this.#scopes, idcode);
    if (layout === undefined) return;
    const frames = this.#held.splice(0);
    this.#heldBytes = 0;
    for (const frame of frames) {
      const view = new DataView(frame.buffer, frame.byteOffset, frame.length);
      const header = frameHeaderAt(view, 0);
      const fits = header.idcode === idcode && header.size === layout.frameBytes &&
        header.fraction < layout.configuration.timeBase;
      if (!fits) {
        if (header.idcode !== idcode) this.#hold(frame);
        continue;
      }
      this.#own.mismatched--;
      this.#own.dataFrames++;
      onData({ layout, header, view, start: 0 });
    }
  }

  #readOther(frame: Uint8Array, header: FrameHeader): Frame | undefined {
    const { idcode, soc, quality } = header;
    const content = frame.subarray(HEADER_BYTES, frame.length - CHECKSUM_BYTES);
    if (header.type === "header") {
      return { type: "header", idcode, soc, quality, text: new TextDecoder().decode(content) };
    }
    if (header.type === "command") {
      if (content.length < 2) return this.#bad("A command frame has no command");
      const command = content[0]! << 8 | content[1]!;
      return { type: "command", idcode, soc, quality, command, extended: content.slice(2) };
    }
    try {
      const taken = this.#memory.take(frame, header, this.#scopes);
      if (taken === undefined) return undefined;
      return { type: "configuration", idcode, soc, quality, configuration: taken.configuration };
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
      return this.#bad(error.message);
    }
  }

  #bad(problem: string): undefined {
    this.#own.malformed++;
    this.#lastProblem = problem;
    return undefined;
  }
}

/**
 * Reads the frames in bytes: a file of frames one after the other, or what a connection gave.
 *
 * @param bytes All of them.
 * @param options Reading of frequency and times.
 * @returns The frames. Data frames before the configuration of their stream, frames with a bad
 * checksum and bytes between frames are left out; {@linkcode FrameDecoder} counts them.
 *
 * @example A configuration, and data by it
 * ```ts
 * import { decodeFrames, encodeConfiguration, simulatedConfiguration } from "@btrdb/btrdb/c37118";
 * import { assertEquals } from "@std/assert";
 *
 * const configuration = simulatedConfiguration({ id: 7, phasors: 3 });
 * const [bytes] = encodeConfiguration(configuration, { soc: 1_700_000_000, fraction: 0 });
 * const [frame] = decodeFrames(bytes!);
 * assertEquals(frame?.type === "configuration" && frame.configuration.idcode, 7);
 * ```
 */
export function* decodeFrames(bytes: Uint8Array, options: DecodeOptions = {}): Generator<Frame> {
  checkBytes("decode frames", "bytes", bytes);
  const decoder = new FrameDecoder(options);
  for (let at = 0; at < bytes.length; at += PIECE_BYTES) {
    yield* decoder.push(bytes.subarray(at, at + PIECE_BYTES));
  }
  yield* decoder.end();
}

function copyOf(view: DataView, start: number, end: number): Uint8Array {
  return new Uint8Array(view.buffer, view.byteOffset + start, end - start).slice();
}

/** Bytes read at a time. */
const PIECE_BYTES = 1 << 16;
