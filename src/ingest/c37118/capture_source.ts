/**
 * Captures of synchrophasors as a source of points: pcap, pcapng, and files of frames.
 *
 * @module
 */

import { concatRaw, type RawColumns } from "../../core/columns.ts";
import type { Position, Source, SourceBatch, SourceColumn } from "../source.ts";
import { outOfRange } from "../../core/argument_error.ts";
import { type CaptureKind, captureKindOf } from "./packet_file.ts";
import { type CaptureCounts, type CaptureOptions, CaptureReader } from "./capture_reader.ts";
import { CaptureColumns } from "./capture_columns.ts";

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

/** Points of a capture. */
export class CaptureSource implements Source {
  readonly format: string;
  readonly columns: readonly SourceColumn[];
  /** True: each station has a collection of its own, below one that the user names. */
  readonly hasStations = true;
  readonly omitted: readonly [] = [];
  /** Probable mistakes: frames of the same time, and by an old configuration. */
  readonly warnings: readonly string[];
  readonly size: number | undefined;
  readonly layout: unknown;
  readonly #input: CaptureInput;
  readonly #kind: CaptureKind;
  readonly #options: CaptureOptions;
  readonly #close: () => Promise<void>;
  readonly #notices: readonly string[];
  #bytesRead = 0;
  #absent = 0;

  private constructor(
    input: CaptureInput,
    kind: CaptureKind,
    options: CaptureOptions,
    columns: readonly SourceColumn[],
    notices: readonly string[],
    warnings: readonly string[],
    close: () => Promise<void>,
  ) {
    this.#close = close;
    this.#notices = notices;
    this.warnings = warnings;
    this.#input = input;
    this.#kind = kind;
    this.#options = options;
    this.format = kind === "frames" ? "c37118" : `c37118 in ${kind}`;
    this.columns = columns;
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
          if (columns.isFull) columns.forget();
        });
      }
      reader.push(chunk);
    }
    reader?.end();
    if (reader === undefined || kind === undefined || frames === 0) {
      throw outOfRange(nothingText(reader?.counts));
    }
    const notices = [...columns.notices, ...noticesOf(reader.counts, reader.cutBytes)];
    const warnings = warningsOf(reader.counts);
    return new CaptureSource(input, kind, options, columns.columns, notices, warnings, close);
  }

  get bytesRead(): number {
    return this.#bytesRead;
  }

  /** Remarks on the capture; the number of values without a point shows once it is read. */
  get notices(): readonly string[] {
    return this.#absent === 0 ? this.#notices : [
      ...this.#notices,
      `${this.#absent} values make no point: absent, not finite, or of a station that marks them so`,
    ];
  }

  /** Reads from a position on; frames before it are passed over. */
  async *batches(from: Position, signal?: AbortSignal): AsyncGenerator<SourceBatch> {
    const columns = new CaptureColumns(this.#options.names ?? "btrdb");
    const count = this.columns.length;
    let [rows, values] = [0, 0];
    let pending = 0;
    let full = false;
    let ready: SourceBatch[] = [];
    this.#absent = 0;
    const flush = (): void => {
      const [merged, absent] = merge(columns, count);
      this.#absent += absent;
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
      full = ++pending >= BATCH_ROWS || values >= BATCH_VALUES || columns.isFull;
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

/**
 * Points of all collectors, at the places of their columns, and the number of values without a point;
 * times ascend within a configuration.
 */
function merge(columns: CaptureColumns, count: number): [points: RawColumns[], absent: number] {
  const pieces: RawColumns[][] = Array.from({ length: count }, () => []);
  let absent = 0;
  for (const { to, places } of columns.collectors()) {
    if (to.rows === 0) continue;
    const taken = to.take();
    absent += taken.absent;
    for (const [i, { points }] of taken.columns.entries()) {
      if (points.times.length > 0) pieces[places[i]!]!.push(points);
    }
  }
  if (columns.isFull) columns.forget();
  return [pieces.map((list) => list.length === 1 ? list[0]! : concatRaw(list)), absent];
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
  say(counts.cutPackets, "packets are cut, left out: the capture kept only their first bytes");
  say(counts.damagedPackets, "packets have lengths that do not fit to each other, left out");
  say(counts.fragmented, "datagrams in fragments are not complete, left out");
  for (const [type, n] of counts.foreign) {
    say(n, `packets are of a network that cannot be read, left out (LINKTYPE ${type})`);
  }
  say(cutBytes, "bytes of a cut packet are at the end");
  return notices;
}

function warningsOf({ conflicts, outdated }: CaptureCounts): string[] {
  const warnings: string[] = [];
  if (conflicts > 0) {
    warnings.push(
      `${conflicts} data frames have the time of an earlier frame of their stream and other values: ` +
        "was there a leap second, was a clock set back, or do two devices share a number?",
    );
  }
  if (outdated > 0) {
    warnings.push(
      `${outdated} data frames come after an announced change of the configuration and before any ` +
        "other configuration: they are read by the old one",
    );
  }
  return warnings;
}
