/**
 * Points as records of COMTRADE, edition 2013.
 *
 * @module
 */

import { checkPath } from "../../core/check_path.ts";
import { checkList } from "../../core/check_list.ts";
import { checkObject } from "../../core/check_object.ts";
import { openPartFile, type PartFile } from "../../csv/part_file.ts";
import { throwIfOver } from "../../core/call.ts";
import { type ColumnSource, type TableBatch, tableBatches } from "../../io/table.ts";
import type { ComtradeType } from "./configuration.ts";
import { asciiRecords, binaryRecords, type RecordWriter } from "./record_writers.ts";
import { ChannelRange, type Quantized } from "./quantize.ts";
import { TimePlan, type WrittenTimes } from "./written_times.ts";

/** A stream as an analog channel. */
export interface WrittenChannel {
  /** Identifier; commas and line ends become `_`. */
  readonly id: string;
  /** Unit of the values. */
  readonly unit?: string | undefined;
  /** Phase, e.g. `A`. */
  readonly phase?: string | undefined;
  /** Circuit component. */
  readonly circuit?: string | undefined;
  /** Opens its points or windows, in order of time; called twice, with the same result. */
  readonly open: () => ColumnSource;
}

/** Options of {@linkcode writeComtrade}. */
export interface WriteComtradeOptions {
  /** Form of the samples. @default {"float32"} */
  type?: Lowercase<ComtradeType> | undefined;
  /** Name of the station. @default {""} */
  station?: string | undefined;
  /** Recording device. @default {"btrdb"} */
  device?: string | undefined;
  /** Nominal frequency of the network, Hz. @default {0} unknown */
  lineFrequency?: number | undefined;
  /** Ends the writing; rejects with its reason. */
  signal?: AbortSignal | undefined;
  /** Is told how far the second of two passes is. */
  onProgress?: ((written: WrittenProgress) => void) | undefined;
}

/** Progress of a record that is written. */
export interface WrittenProgress {
  /** Records so far. */
  rows: number;
  /** Bytes so far. */
  bytes: number;
  /** Time of the last record, ns since 1970. */
  time?: bigint;
}

/** Files written: records, bytes, paths and resolution. */
export interface WrittenRecord {
  /** Records. */
  readonly rows: number;
  /** Bytes of all files. */
  readonly bytes: number;
  /** Paths of the files. */
  readonly files: readonly string[];
  /** Largest difference between a value and what is read back, by channel. */
  readonly resolution: readonly number[];
}

/**
 * Writes a record: `out.cfg` and `out.dat`, or one `out.cff`. Each stream is an analog channel, equal
 * times share a record, and where a stream has nothing its sample is a missing one. The streams are
 * read twice: scales and rate stand in front.
 *
 * Times come back exactly: at a constant rate they are counted, otherwise stamps say them. Values come
 * back exactly if they are float32 and so is the type; in the integer types to half a step of the
 * scale, or exactly if they are integers that fit.
 *
 * @param path Ends with `.cfg` or `.cff`. Nothing has that name before it is complete.
 * @param channels At least one.
 * @returns Records, bytes, files.
 * @throws {RangeError} If the path has another ending, or the times need more than the 32 bits of the
 *   stamps.
 */
export async function writeComtrade(
  path: string,
  channels: readonly WrittenChannel[],
  options: WriteComtradeOptions = {},
): Promise<WrittenRecord> {
  checkPath("write COMTRADE", path, "path");
  checkList("write COMTRADE", "channels", channels);
  for (const [i, channel] of channels.entries()) {
    checkObject("write COMTRADE", `channels[${i}]`, channel);
  }
  checkObject("write COMTRADE", "options", options);
  const [, ending] = /\.(cfg|cff)$/i.exec(path) ?? [];
  if (ending === undefined) {
    throw new RangeError(`Cannot write ${path}: expected a name that ends with .cfg or .cff`);
  }
  if (channels.length === 0) throw new RangeError(`Cannot write ${path}: no stream is given`);
  const type = (options.type ?? "float32").toUpperCase() as ComtradeType;
  const { times, ranges, names } = await look(channels, options);
  if (times.rows === 0) throw new RangeError(`Cannot write ${path}: the streams have no points`);
  const plan = times.finish(path);
  const scales = ranges.map((range) => range.quantize(type));
  const configuration = new TextEncoder().encode(
    configurationOf(names, channels, scales, plan, type, options),
  );
  const writer = type === "ASCII" ? asciiRecords(scales) : binaryRecords(type, scales);
  const files = ending.toLowerCase() === "cff"
    ? await writeOne(path, configuration, writer, plan, channels, type, options)
    : await writeTwo(path, configuration, writer, plan, channels, options);
  return { ...files, rows: plan.rows, resolution: scales.map(({ resolution }) => resolution) };
}

/** The first pass: times, and the range of each column. */
async function look(
  channels: readonly WrittenChannel[],
  { signal }: WriteComtradeOptions,
): Promise<{ times: TimePlan; ranges: ChannelRange[]; names: string[] }> {
  const times = new TimePlan();
  let ranges: ChannelRange[] | undefined;
  let names: string[] = [];
  for await (const batch of batchesOf(channels)) {
    throwIfOver({ signal }, "write COMTRADE");
    names = batch.columns.map(({ name }) => name);
    ranges ??= names.map(() => new ChannelRange());
    times.push(batch.times);
    for (const [i, { data }] of batch.columns.entries()) ranges[i]!.push(numbersOf(data));
  }
  return { times, ranges: ranges ?? [], names };
}

function batchesOf(channels: readonly WrittenChannel[]): AsyncGenerator<TableBatch, void, void> {
  return tableBatches(channels.map(({ id, open }) => ({ label: id, columns: open() })));
}

function numbersOf(data: Float64Array | BigUint64Array): Float64Array {
  return data instanceof Float64Array ? data : Float64Array.from(data, Number);
}

function configurationOf(
  names: readonly string[],
  channels: readonly WrittenChannel[],
  scales: readonly Quantized[],
  plan: WrittenTimes,
  type: ComtradeType,
  { station = "", device = "btrdb", lineFrequency = 0 }: WriteComtradeOptions,
): string {
  const field = (text: string) => text.replace(/[,\r\n]/g, "_");
  const lines = [
    `${field(station)},${field(device)},2013`,
    `${names.length},${names.length}A,0D`,
    ...names.map((name, i) => {
      // Windows have four columns a stream.
      const { unit, phase = "", circuit = "" } =
        channels[Math.floor(i * channels.length / names.length)]!;
      const { a, b, low, high } = scales[i]!;
      const of = [i + 1, name, phase, circuit, unit ?? ""].map((text) => field(String(text)));
      return [...of, a, b, 0, low, high, 1, 1, "P"].join(",");
    }),
    String(lineFrequency),
    plan.rate === undefined ? "0" : "1",
    `${plan.rate ?? 0},${plan.rows}`,
    plan.firstText,
    plan.firstText,
    type,
    String(plan.multiplier),
    "0,0",
    "0,3",
  ];
  return `${lines.join("\r\n")}\r\n`;
}

async function writeTwo(
  path: string,
  configuration: Uint8Array,
  writer: RecordWriter,
  plan: WrittenTimes,
  channels: readonly WrittenChannel[],
  options: WriteComtradeOptions,
): Promise<{ bytes: number; files: string[] }> {
  const samplesPath = path.replace(/cfg$/i, (ending) => ending === "CFG" ? "DAT" : "dat");
  const samples = openPartFile(samplesPath);
  try {
    const bytes = await writeSamples(samples, writer, plan, channels, options);
    const head = openPartFile(path);
    try {
      head.write(configuration);
      await samples.finish();
      await head.finish();
    } catch (error) {
      await head.discard().catch(() => {});
      throw error;
    }
    return { bytes: bytes + configuration.length, files: [path, samplesPath] };
  } catch (error) {
    await samples.discard().catch(() => {});
    throw error;
  }
}

async function writeOne(
  path: string,
  configuration: Uint8Array,
  writer: RecordWriter,
  plan: WrittenTimes,
  channels: readonly WrittenChannel[],
  type: ComtradeType,
  options: WriteComtradeOptions,
): Promise<{ bytes: number; files: string[] }> {
  const length = writer.recordBytes === undefined ? "" : `: ${writer.recordBytes * plan.rows}`;
  const encoder = new TextEncoder();
  const parts = [
    encoder.encode("--- file type: CFG ---\r\n"),
    configuration,
    encoder.encode("--- file type: INF ---\r\n\r\n--- file type: HDR ---\r\n\r\n"),
    encoder.encode(`--- file type: DAT ${type}${length} ---\r\n`),
  ];
  const file = openPartFile(path);
  try {
    for (const part of parts) file.write(part);
    const bytes = await writeSamples(file, writer, plan, channels, options);
    await file.finish();
    return { bytes: parts.reduce((sum, part) => sum + part.length, bytes), files: [path] };
  } catch (error) {
    await file.discard().catch(() => {});
    throw error;
  }
}

/** The second pass. */
async function writeSamples(
  file: PartFile,
  writer: RecordWriter,
  plan: WrittenTimes,
  channels: readonly WrittenChannel[],
  { signal, onProgress }: WriteComtradeOptions,
): Promise<number> {
  let [rows, bytes] = [0, 0];
  for await (const { times, columns } of batchesOf(channels)) {
    throwIfOver({ signal }, "write COMTRADE");
    const stamps = plan.stampsOf(rows, times);
    const piece = writer.encode(rows, stamps, columns.map(({ data }) => numbersOf(data)));
    file.write(piece);
    rows += times.length;
    bytes += piece.length;
    if (times.length > 0) onProgress?.({ rows, bytes, time: times.at(-1)! });
  }
  if (rows !== plan.rows) {
    throw new RangeError(`Cannot write COMTRADE: the streams changed while they were read`);
  }
  return bytes;
}
