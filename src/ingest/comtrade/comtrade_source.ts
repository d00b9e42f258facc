/**
 * Records of COMTRADE as a source of points.
 *
 * @module
 */

import { basename } from "node:path";
import { concatBytes } from "../../core/bytes.ts";
import { formatTime } from "../../core/time.ts";
import { didYouMean, nearest } from "../../core/suggest.ts";
import { ImportError, optionError } from "../errors.ts";
import { type FormatInput, randomAccess } from "../format.ts";
import type { SourceOptions } from "../options.ts";
import type { Position, Source, SourceBatch, SourceColumn } from "../source.ts";
import type { AnalogChannel } from "./configuration.ts";
import { bytesInMemory, bytesOfSpool, type RandomBytes } from "./random_bytes.ts";
import type { ComtradeOptions } from "./comtrade_options.ts";
import { openPath } from "./open_comtrade.ts";
import { ComtradeRecord } from "./record.ts";
import type { ComtradeColumn } from "./record_columns.ts";
import { isSingleFile, partsOf, type RecordFiles } from "./record_files.ts";

/** Properties that a resumed import must find again. */
interface ComtradeLayout {
  readonly options: Omit<ComtradeOptions, "start" | "signal"> & { readonly start?: string };
  /** Bytes of the samples. */
  readonly bytes: number;
  /** Digest of the beginning and the end of the samples: another record may be as long. */
  readonly digest: string;
}

/** Bytes of the beginning and of the end of the samples in a digest. */
const DIGEST_BYTES = 1 << 16;

/** Digest of the beginning and the end of some bytes. */
async function digestOf(bytes: RandomBytes): Promise<string> {
  const end = Math.max(0, bytes.size - DIGEST_BYTES);
  const parts = [await bytes.read(0, DIGEST_BYTES), await bytes.read(end, DIGEST_BYTES)];
  const hash = await crypto.subtle.digest("SHA-256", concatBytes(parts) as Uint8Array<ArrayBuffer>);
  return Array.from(new Uint8Array(hash), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** Opens a record that is imported. */
export async function openComtradeInput(
  input: FormatInput,
  options: SourceOptions,
  layout?: unknown,
): Promise<ComtradeSource> {
  const { times, values, status, skew, encoding, tz, start } = options;
  const known = layout as ComtradeLayout | undefined;
  const wanted: ComtradeOptions = known === undefined
    ? { times, values, status, skew, encoding, tz, start }
    : { ...known.options, start: known.options.start && BigInt(known.options.start) || undefined };
  const files = await filesOfInput(input);
  try {
    const record = await ComtradeRecord.open(files, { ...wanted, signal: options.signal });
    const digest = await digestOf(files.samples);
    const isSame = known === undefined ||
      (known.bytes === record.sampleBytes && known.digest === digest);
    if (!isSame) {
      throw new ImportError(
        `Cannot resume: the samples of ${files.name} were changed since the import began`,
        { hint: "--restart imports the file from its beginning again" },
      );
    }
    return new ComtradeSource(record, files.name, wanted, options.columns ?? [], digest);
  } catch (error) {
    await files[Symbol.asyncDispose]();
    throw error;
  }
}

async function filesOfInput(input: FormatInput): Promise<RecordFiles> {
  const { bytes, head } = input;
  if (!isSingleFile(head)) {
    if (bytes.path === undefined || bytes.once || bytes.compression !== "none") {
      throw new ImportError(
        `Cannot read ${bytes.name}: a configuration needs the file with the samples beside it`,
        { hint: "name the plain .cfg file, or use one .cff" },
      );
    }
    return await openPath(bytes.path);
  }
  if (bytes.memory !== undefined && bytes.compression === "none") {
    return await partsOf(bytesInMemory(bytes.memory), bytes.name);
  }
  const random = await randomAccess(input);
  if (typeof random === "string") return await openPath(random);
  try {
    return await partsOf(bytesOfSpool(random), bytes.name);
  } catch (error) {
    await random[Symbol.asyncDispose]();
    throw error;
  }
}

/** Points of a record. */
export class ComtradeSource implements Source {
  readonly format = "comtrade";
  readonly columns: readonly SourceColumn[];
  readonly omitted: readonly { name: string; reason: string }[];
  readonly about: readonly (readonly [string, string])[];
  readonly size: number;
  readonly layout: ComtradeLayout;
  readonly #record: ComtradeRecord;
  /** Places of the columns among those of the record. */
  readonly #places: readonly number[];
  #bytesRead = 0;

  constructor(
    record: ComtradeRecord,
    name: string,
    options: ComtradeOptions,
    wanted: readonly string[],
    digest: string,
  ) {
    this.#record = record;
    this.#places = placesOf(record.columns, wanted);
    this.columns = this.#places.map((place) => sourceColumn(record, place, name));
    this.omitted = record.columns.flatMap(({ name }, i) =>
      this.#places.includes(i) ? [] : [{ name, reason: "not asked for" }]
    );
    this.size = record.sampleBytes;
    const { start, ...rest } = options;
    this.layout = {
      options: start === undefined ? rest : { ...rest, start: String(start) },
      bytes: record.sampleBytes,
      digest,
    };
    this.about = aboutOf(record);
  }

  get notices(): readonly string[] {
    return this.#record.notices;
  }

  get warnings(): readonly string[] {
    return this.#record.warnings;
  }

  get bytesRead(): number {
    return this.#bytesRead;
  }

  lastTime(): Promise<bigint | undefined> {
    return Promise.resolve(this.#record.last);
  }

  async *batches(from: Position, signal?: AbortSignal): AsyncGenerator<SourceBatch, void, void> {
    for await (const { columns, next } of this.#record.batches(from, signal)) {
      this.#bytesRead = next.offset;
      yield { columns: this.#places.map((place) => columns[place]!), next };
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#record[Symbol.asyncDispose]();
  }
}

/** Columns that are wanted, by name or number; all of them if none is named. */
function placesOf(columns: readonly ComtradeColumn[], wanted: readonly string[]): number[] {
  if (wanted.length === 0) return columns.map((_, i) => i);
  return wanted.map((key) => {
    const named = columns.findIndex(({ name }) => name === key);
    if (named >= 0) return named;
    const number = Number(key);
    if (Number.isInteger(number) && number >= 1 && number <= columns.length) return number - 1;
    throw optionError(
      `Cannot use --column ${key}: there is no such channel`,
      didYouMean(nearest(key, columns.map(({ name }) => name)), undefined),
    );
  });
}

function sourceColumn(record: ComtradeRecord, place: number, file: string): SourceColumn {
  const { configuration: { station, device }, trigger } = record;
  const { name, analog, status } = record.columns[place]!;
  const channel = analog ?? status!;
  const collection = [station, device].filter((part) => part !== "").join("/");
  const annotations: Record<string, string> = {};
  const note = (key: string, value: string | undefined): void => {
    if (value !== undefined && value !== "") annotations[key] = value;
  };
  note("phase", channel.phase);
  note("circuit", channel.circuit);
  note("ratio", analog === undefined ? undefined : ratioOf(analog));
  note("skew", analog === undefined || analog.skew === 0 ? undefined : `${analog.skew} µs`);
  note("device", device);
  note("trigger", trigger === undefined ? undefined : formatTime(trigger));
  note("source", basename(file));
  return {
    name,
    number: place + 1,
    ...(collection === "" ? {} : { collection }),
    ...(analog === undefined || analog.unit === "" ? {} : { unit: analog.unit }),
    annotations,
  };
}

/** `933/1, values secondary`. */
function ratioOf({ primary, secondary, side }: AnalogChannel): string | undefined {
  if (Number.isNaN(primary) || Number.isNaN(secondary)) return undefined;
  return `${primary}/${secondary}${side === undefined ? "" : `, values ${side}`}`;
}

function aboutOf(record: ComtradeRecord): [string, string][] {
  const { configuration, first, trigger, samples } = record;
  const { revision, type, station, device, analogs, statuses, rates } = configuration;
  const about: [string, string][] = [
    ["edition", `${revision}, ${type}`],
    ["station", station || "–"],
    ["device", device || "–"],
    ["channels", `${analogs.length} analog, ${statuses.length} status`],
    ["times", record.byStamps ? "by the stamps" : `by the rate, ${rateText(rates)}`],
    ["zone", zoneOf(record)],
    ["first", formatTime(first)],
  ];
  if (trigger !== undefined) about.push(["trigger", formatTime(trigger)]);
  if (samples !== undefined) about.push(["samples", String(samples)]);
  if (configuration.lineFrequency !== undefined) {
    about.push(["line", `${configuration.lineFrequency} Hz`]);
  }
  if (configuration.timeQuality !== undefined) {
    about.push(["clock", `quality ${configuration.timeQuality}`]);
  }
  return about;
}

/** Zone of the recorder's clock, and what says so. */
function zoneOf({ configuration: { timeCode, timeCodeText }, tz }: ComtradeRecord): string {
  if (timeCode !== undefined) return `${timeCodeText}, as the file says`;
  return tz === undefined ? "UTC, because nothing says another" : `${tz}, from --tz`;
}

function rateText(rates: ComtradeRecord["configuration"]["rates"]): string {
  const texts = rates.map(({ rate }) =>
    rate === undefined ? "–" : `${Number(rate.numerator) / Number(rate.denominator)}/s`
  );
  const distinct = [...new Set(texts)];
  const shown = distinct.length <= 3 ? distinct.join(", ") : `${distinct.length} different ones`;
  return rates.length === 1 ? shown : `${shown} in ${rates.length} stretches`;
}
