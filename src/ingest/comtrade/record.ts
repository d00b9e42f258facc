/**
 * Records of COMTRADE: what relays and fault recorders write (IEEE C37.111, IEC 60255-24).
 *
 * @module
 */

import { allocRaw, type RawColumns } from "../../core/columns.ts";
import type { Position } from "../source.ts";
import { AsciiSamples } from "./ascii_samples.ts";
import { BinarySamples } from "./binary_samples.ts";
import { type Configuration, parseConfiguration } from "./configuration.ts";
import type { RecordFiles } from "./record_files.ts";
import { SampleNumbers } from "./sample_numbers.ts";
import { needsScan, SampleTimes, StampScanner, WantedSteps } from "./sample_times.ts";
import type { SampleBlock, Samples, SampleShape } from "./samples.ts";
import { changesOf } from "./status_points.ts";
import type { ComtradeOptions } from "./comtrade_options.ts";
import { type Scale, scaleOf } from "./channel_scale.ts";
import { columnsOf, type ComtradeColumn } from "./record_columns.ts";
import { decodeText } from "./configuration_text.ts";
import { clockNotices, timesOf, triggerNotices } from "./record_start.ts";
import { ImportError } from "../errors.ts";

/** Points of some records. */
export interface ComtradeBatch {
  /** Points of each of the columns; those of status channels have their own times. */
  readonly columns: RawColumns[];
  /** Position of the next batch. */
  readonly next: Position;
}

/** Values of a batch, at most. */
const BATCH_VALUES = 1 << 20;
/** Records of a batch, at most. */
const BATCH_ROWS = 1 << 16;

/** A record of COMTRADE. */
export class ComtradeRecord implements AsyncDisposable {
  /** Content of its configuration file. */
  readonly configuration: Configuration;
  /** Columns that become points. */
  readonly columns: readonly ComtradeColumn[];
  /** Time of the first sample, ns since 1970 (UTC). */
  readonly first: bigint;
  /** Time of the trigger, ns since 1970 (UTC); `undefined` where the file does not say. */
  readonly trigger: bigint | undefined;
  /** Number of samples; `undefined` where it shows only at the end. */
  readonly samples: number | undefined;
  readonly #parts: Parts;
  readonly #notices: string[];
  readonly #warnings: string[] = [];
  #missing = 0;
  #odd = 0;
  #steps = 0;
  #said = false;
  #end: bigint | undefined;
  /** Records whose stamp is that of the one before, where stamps say the times. */
  #repeats = 0;

  private constructor(parts: Parts, notices: string[]) {
    const { configuration, options, samples } = parts;
    this.#parts = parts;
    this.#notices = notices;
    this.configuration = configuration;
    this.columns = columnsOf(configuration, options.status ?? "changes");
    this.first = parts.start;
    this.trigger = parts.trigger;
    this.samples = samples.records ?? parts.rows;
  }

  /** Opens a record whose parts are known. */
  static async open(files: RecordFiles, options: ComtradeOptions): Promise<ComtradeRecord> {
    const notices = [...files.notices];
    const text = decodeText(files.configuration, files.name, options.encoding, notices);
    const configuration = parseConfiguration(text, files.name);
    notices.push(...configuration.notices, ...clockNotices(configuration, files.name));
    if (files.form !== undefined && files.form !== configuration.type) {
      notices.push(`${files.name} says ${files.form} before the samples, its configuration rules`);
    }
    const { type, analogs, statuses, revision } = configuration;
    const shape: SampleShape = { type, analogs: analogs.length, statuses: statuses.length };
    const samples: Samples = type === "ASCII"
      ? new AsciiSamples(files.samples, {
        shape,
        revision,
        max: analogs.map(({ max }) => max),
        name: files.name,
      })
      : await BinarySamples.open(
        files.samples,
        shape,
        analogs.map(({ min }) => type === "BINARY" && revision === 1991 && min >= 0),
      );
    notices.push(...samples.notices.splice(0));
    const channels = analogs.length + statuses.length;
    const blockRows = Math.max(
      16,
      Math.min(BATCH_ROWS, Math.floor(BATCH_VALUES / Math.max(1, channels))),
    );
    const rule = options.times ?? "auto";
    const scanner = needsScan(configuration, rule) ? new StampScanner(configuration) : undefined;
    if (scanner !== undefined) {
      for await (const block of samples.blocks(0, 0, blockRows)) {
        options.signal?.throwIfAborted();
        scanner.push(block);
      }
    }
    const scan = scanner?.finish();
    const { start, trigger } = timesOf(configuration, files.name, options, notices);
    const times = new SampleTimes(configuration, {
      start,
      rule,
      scan,
      blockRows,
      name: files.name,
    });
    notices.push(...times.notices);
    const scales = analogs.map((channel) => scaleOf(channel, options.values ?? "as-is"));
    const unknown = analogs.filter((_, i) => scales[i]!.isUnknown).map(({ id }) => id);
    if (unknown.length > 0) {
      notices.push(
        `No ratio is known of ${shortList(unknown)}: values as they are in the file`,
      );
    }
    const skews = analogs.filter(({ skew }) => skew !== 0);
    if (skews.length > 0) {
      const most = Math.max(...skews.map(({ skew }) => Math.abs(skew)));
      const what = options.skew === "apply" ? "applied" : "not applied; --skew apply does";
      const which = skews.length === 1 ? "channel has" : "channels have";
      notices.push(`${skews.length} ${which} a skew of up to ${most} µs, ${what}`);
    }
    const parts = {
      files,
      configuration,
      samples,
      blockRows,
      times,
      options,
      scales,
      start,
      trigger,
    };
    return new ComtradeRecord({ ...parts, rows: scan?.rows }, notices);
  }

  /** Remarks on what was read although it is odd; more may come while it is read. */
  get notices(): readonly string[] {
    return this.#notices;
  }

  /** Probable mistakes; more may come while it is read. */
  get warnings(): readonly string[] {
    return this.#warnings;
  }

  /** Zone that was said for the recorder's clock; it counts if the file does not say its own. */
  get tz(): string | undefined {
    return this.#parts.options.tz;
  }

  /** True if times come from the stamps, not from the rate. */
  get byStamps(): boolean {
    return this.#parts.times.byStamps;
  }

  /** Time of the last sample, ns since 1970; `undefined` where it shows only at the end. */
  get last(): bigint | undefined {
    const { samples, times } = this.#parts;
    const { records } = samples;
    if (records === undefined || records === 0 || times.byStamps) return undefined;
    return times.ofRow(records - 1);
  }

  /** Bytes of the samples. */
  get sampleBytes(): number {
    return this.#parts.files.samples.size;
  }

  /**
   * Reads the points.
   *
   * @param from Position of the first sample; `next` of a batch. @default the beginning
   * @param signal Ends the reading.
   * @throws {ImportError} If a sample cannot be read.
   */
  async *batches(
    from: Position = { offset: 0, lines: 0, rows: 0 },
    signal: AbortSignal | undefined = this.#parts.options.signal,
  ): AsyncGenerator<ComtradeBatch, void, void> {
    const { samples, blockRows } = this.#parts;
    const blocks = samples.blocks(from.offset, from.lines, blockRows);
    let { rows } = from;
    const numbers = new SampleNumbers(
      this.configuration,
      !this.byStamps && this.#parts.options.times !== "rate",
      this.#parts.files.name,
    );
    let states = await samples.statesBefore(from.offset);
    let next = await blocks.next();
    while (!next.done) {
      signal?.throwIfAborted();
      const block = next.value;
      next = await blocks.next();
      numbers.push(block, rows);
      const columns = this.#columnsOf(block, rows, states, next.done === true);
      states = block.words.subarray(block.words.length / block.rows * (block.rows - 1));
      rows += block.rows;
      yield { columns, next: { offset: block.to, lines: block.lines, rows } };
    }
    if (!this.#said) this.#sum(rows, numbers.odd);
  }

  #columnsOf(
    block: SampleBlock,
    row: number,
    states: Uint16Array | undefined,
    isLast: boolean,
  ): RawColumns[] {
    const { times: clock, scales, options, configuration } = this.#parts;
    const times = clock.of(block, row);
    if (clock.byStamps) {
      this.#repeats += times.reduce((sum, time, i) => {
        return sum + Number(time === (i === 0 ? this.#end : times[i - 1]));
      }, 0);
    }
    this.#end = times.at(-1);
    if (!clock.byStamps) this.#compare(block);
    const columns = block.analogs.map((samples, i) => {
      const { skew, id } = configuration.analogs[i]!;
      const isShifted = options.skew === "apply" && skew !== 0;
      const place = `${this.#parts.files.name}: channel ${JSON.stringify(id)}`;
      const own = isShifted ? shifted(times, skew, place) : times;
      return this.#scaled(own, samples, scales[i]!, { place, row });
    });
    const choice = options.status ?? "changes";
    for (let channel = 0; choice !== "none" && channel < configuration.statuses.length; channel++) {
      columns.push(changesOf(block, channel, times, states, choice, isLast));
    }
    return columns;
  }

  #scaled(
    times: BigInt64Array,
    samples: Float64Array,
    { a, b, ratio }: Scale,
    { place, row }: { place: string; row: number },
  ): RawColumns {
    const values = new Float64Array(samples.length);
    let missing = 0;
    // A sum would make 0 of -0.
    const isPlain = a === 1 && b === 0 && ratio === 1;
    for (let i = 0; i < samples.length; i++) {
      const value = isPlain ? samples[i]! : (a * samples[i]! + b) * ratio;
      values[i] = value;
      if (value - value === 0) continue;
      if (!Number.isNaN(samples[i]!)) {
        throw new ImportError(
          `Cannot read ${place}: the value of record ${row + i + 1}, (${a} × ${
            samples[i]
          } + ${b})` +
            `${ratio === 1 ? "" : ` × ${ratio}`}, is beyond the range of a double`,
        );
      }
      missing++;
    }
    if (missing === 0) return { times: times.slice(), values };
    this.#missing += missing;
    const rest = values.length - missing;
    const kept = allocRaw(rest);
    for (let i = 0, at = 0; i < values.length; i++) {
      if (Number.isNaN(values[i]!)) continue;
      kept.times[at] = times[i]!;
      kept.values[at++] = values[i]!;
    }
    return kept;
  }

  /** Counts steps of stamps that are not those of a single rate. */
  #compare({ stamps, rows }: SampleBlock): void {
    const { configuration } = this.#parts;
    if (configuration.rates.length > 1) return;
    const wanted = new WantedSteps(configuration).of(0);
    for (let i = 1; i < rows; i++) {
      const step = stamps[i]! - stamps[i - 1]!;
      if (Number.isNaN(step)) continue;
      this.#steps++;
      if (Math.abs(step - wanted) <= 1 || step < 0) continue;
      this.#odd++;
    }
  }

  /** Says what shows only at the end. */
  #sum(rows: number, oddNumbers: number): void {
    this.#said = true;
    const { configuration, files, samples } = this.#parts;
    const { end } = configuration.rates.at(-1)!;
    this.#notices.push(...new Set(samples.notices));
    if (rows < end) {
      this.#warnings.push(`${files.name} says ${end} samples, there are only ${rows}: was it cut?`);
    } else if (rows > end) {
      this.#notices.push(`${files.name} says ${end} samples, there are ${rows}: all are read`);
    }
    if (this.#parts.options.start === undefined && this.#end !== undefined) {
      this.#notices.push(...triggerNotices(this, this.#end, files.name));
    }
    if (this.#repeats > 0) {
      const what = this.#repeats === 1 ? "1 record has" : `${this.#repeats} records have`;
      this.#warnings.push(`${what} the stamp of the one before, and so its time`);
    }
    if (this.#missing > 0) {
      const what = this.#missing === 1 ? "sample is" : "samples are";
      this.#notices.push(`${this.#missing} ${what} missing, left out`);
    }
    if (oddNumbers > 0) {
      const what = oddNumbers === 1
        ? "record has a number that does not follow"
        : "records have numbers that do not follow";
      this.#notices.push(`${oddNumbers} ${what} the one before`);
    }
    if (this.#odd > 0) {
      this.#notices.push(
        `${this.#odd} of ${this.#steps} steps of the stamps are not those of the rate, which rules`,
      );
    }
  }

  /** Closes its files. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#parts.files[Symbol.asyncDispose]();
  }
}

interface Parts {
  readonly files: RecordFiles;
  readonly configuration: Configuration;
  readonly samples: Samples;
  readonly blockRows: number;
  readonly times: SampleTimes;
  readonly options: ComtradeOptions;
  readonly scales: readonly Scale[];
  readonly start: bigint;
  readonly trigger: bigint | undefined;
  readonly rows: number | undefined;
}

/** Longest skew, µs: an hour, where real ones are below the time between two samples. */
const MAX_SKEW = 3_600_000_000;

function shifted(times: BigInt64Array, skew: number, place: string): BigInt64Array {
  if (Math.abs(skew) > MAX_SKEW) {
    throw new ImportError(
      `Cannot read ${place}: its skew is ${skew} µs, expected -${MAX_SKEW} to ${MAX_SKEW}`,
      { hint: "--skew ignore leaves the times as they are" },
    );
  }
  const shift = BigInt(Math.round(skew * 1000));
  return shift === 0n ? times : times.map((time) => time + shift);
}

/** First names of a list. */
function shortList(names: readonly string[]): string {
  return names.length <= 5
    ? names.join(", ")
    : `${names.slice(0, 5).join(", ")} and ${names.length - 5} more`;
}
