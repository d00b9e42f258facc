/**
 * Files of InfluxDB's line protocol as a source of points.
 *
 * @module
 */

import { CollectionTemplate } from "../../core/collection_template.ts";
import { annotationsOf, prefixIdentity, SeriesRefusal } from "../../core/series_annotations.ts";
import { didYouMean, nearest } from "../../core/suggest.ts";
import { groupPoints, NO_GROUP } from "../../kernel/group_points.ts";
import type { LineBatch } from "../../kernel/line_parser.ts";
import type { LineSeries } from "../../core/line_series.ts";
import { collectionOf } from "../bytes.ts";
import { ImportError, optionError } from "../errors.ts";
import { type FormatInput, isWhole, Rereadable } from "../format.ts";
import type { SourceOptions } from "../options.ts";
import {
  type Position,
  type Source,
  type SourceBatch,
  type SourceColumn,
  START,
} from "../source.ts";
import { LinePass, type LineReading } from "./line_pass.ts";

/** Most series of a file. */
const MAX_SERIES = 100_000;

/** ns of the units of times, by the words of `--time-format`. */
const UNITS: Readonly<Record<string, bigint>> = {
  ns: 1n,
  us: 1_000n,
  ms: 1_000_000n,
  s: 1_000_000_000n,
};

/** A series of a file. */
interface KnownSeries {
  /** Tells it from all others: measurement, tags and field. */
  readonly id: string;
  readonly field: string;
  readonly collection: string;
  readonly annotations: Readonly<Record<string, string>>;
}

/** Reading of a file; plain data, because the record of an interrupted import keeps it. */
interface LineLayout {
  /** The series that are read. */
  readonly series: readonly KnownSeries[];
  /** Fields that were asked for; none for all. */
  readonly wanted: readonly string[];
  /** Unit of the times, as `--time-format` has it. */
  readonly unit: string;
  readonly skipBadRows: boolean;
  readonly complete: boolean;
}

/** A file of line protocol. */
export class LineSource implements Source {
  readonly format = "influx";
  readonly hasCollections = true;
  readonly layout: LineLayout;
  readonly columns: readonly SourceColumn[];
  readonly omitted: Source["omitted"];
  readonly notices: readonly string[];
  readonly about: Source["about"];
  readonly size: number | undefined;
  readonly #input: Rereadable;
  readonly #name: string;
  readonly #places: ReadonlyMap<string, number>;
  readonly #last: bigint | undefined;
  readonly #skipped = { rows: 0, cells: 0 };

  private constructor(
    input: Rereadable,
    name: string,
    layout: LineLayout,
    found: Survey | undefined,
  ) {
    this.#input = input;
    this.#name = name;
    this.layout = layout;
    this.size = input.size;
    this.columns = layout.series.map(({ field, collection, annotations }, i) => ({
      name: field,
      number: i + 1,
      collection,
      annotations,
    }));
    this.#places = new Map(layout.series.map(({ id }, i) => [id, i]));
    this.omitted = found?.omitted ?? [];
    this.notices = found?.notices ?? [];
    this.about = found?.about;
    this.#last = found?.last;
  }

  /**
   * Opens a file: reads it once to know which series it has.
   *
   * @param input The file.
   * @param options Unit of the times, template of the collections, fields to read, and the fate of
   * lines that cannot be read.
   * @param layout Of a resumed import.
   * @throws {ImportError} If there is nothing to store in it, or a line cannot be read.
   */
  static async open(
    input: FormatInput,
    options: SourceOptions,
    layout?: unknown,
  ): Promise<LineSource> {
    const { name } = input.bytes;
    const known = layout as LineLayout | undefined;
    const reading = readingOf(input, options);
    const template = templateOf(options);
    const bytes = await Rereadable.of(input);
    try {
      if (known !== undefined) return new LineSource(bytes, name, known, undefined);
      const found = await survey(
        bytes,
        name,
        reading,
        template,
        options.into ?? collectionOf(input.bytes),
        options.signal,
      );
      const wanted = options.columns ?? [];
      const series = chosen(found.series, wanted);
      const left = found.series.filter((one) => !series.includes(one));
      const omitted = [...new Set(left.map(({ field }) => field))]
        .map((name) => ({ name, reason: "not asked for" }));
      const { unit, skipBadRows, complete } = reading;
      return new LineSource(bytes, name, { series, wanted, unit, skipBadRows, complete }, {
        ...found,
        omitted,
      });
    } catch (error) {
      await bytes[Symbol.asyncDispose]();
      throw error;
    }
  }

  get bytesRead(): number {
    return this.#input.bytesRead;
  }

  get skipped(): { readonly rows: number; readonly cells: number } {
    return this.#skipped;
  }

  /** The latest time of the file, ns. */
  lastTime(): Promise<bigint | undefined> {
    return Promise.resolve(this.#last);
  }

  /** Lines are read whole, and one after the other. */
  bytesBefore(position: Position): number {
    return position.offset;
  }

  /** Reads from a position on, whose offset is the first byte of a line. */
  async *batches(from: Position, signal?: AbortSignal): AsyncGenerator<SourceBatch, void, void> {
    const { unit, skipBadRows, complete } = this.layout;
    const reading = { unit, nsPerUnit: UNITS[unit]!, skipBadRows, complete };
    const pass = new LinePass(this.#input.read(from.offset), this.#name, reading, from);
    for await (const { batch, next, timeless } of pass.batches()) {
      signal?.throwIfAborted();
      this.#skipped.rows += batch.refused;
      this.#skipped.cells += timeless;
      const places = Uint32Array.from(batch.series, (series) => this.#placeOf(series));
      const groups = batch.groups.map((series) => series === NO_GROUP ? NO_GROUP : places[series]!);
      yield { columns: groupPoints(batch.columns, groups, this.columns.length), next };
    }
  }

  #placeOf(series: LineSeries): number {
    const place = this.#places.get(identityOf(series));
    if (place !== undefined) return place;
    if (this.layout.wanted.length > 0) return NO_GROUP;
    throw new ImportError(
      `Cannot resume: line ${series.line} of ${this.#name} has a series of ` +
        `${JSON.stringify(series.measurement)} that was not there before the interruption`,
      { hint: "--restart imports the file from its beginning again" },
    );
  }

  /** Closes the file. Closing twice does nothing. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#input[Symbol.asyncDispose]();
  }
}

function identityOf(series: LineSeries): string {
  return prefixIdentity("", series) + series.field;
}

function readingOf(input: FormatInput, options: SourceOptions): LineReading {
  const { timeFormat: unit = "ns", badRows } = options;
  const nsPerUnit = Object.hasOwn(UNITS, unit) ? UNITS[unit] : undefined;
  if (nsPerUnit === undefined) {
    throw optionError(
      `Cannot use --time-format ${JSON.stringify(unit)} with influx: expected ` +
        Object.keys(UNITS).join(", "),
    );
  }
  const complete = options.complete ?? isWhole(input);
  return { unit, nsPerUnit, skipBadRows: badRows === "skip", complete };
}

function templateOf({ influx }: SourceOptions): CollectionTemplate {
  try {
    return new CollectionTemplate(influx);
  } catch (error) {
    if (error instanceof TypeError) throw optionError(error.message);
    throw error;
  }
}

/** Findings of a first pass over a file. */
interface Survey {
  readonly series: readonly KnownSeries[];
  readonly last: bigint | undefined;
  readonly notices: readonly string[];
  readonly about: readonly (readonly [string, string])[];
  readonly omitted: Source["omitted"];
}

async function survey(
  input: Rereadable,
  name: string,
  reading: LineReading,
  template: CollectionTemplate,
  bucket: string,
  signal: AbortSignal | undefined,
): Promise<Survey> {
  const pass = new LinePass(input.read(START.offset), name, reading, START);
  const series = new Map<string, KnownSeries>();
  const destination = { bucket, org: "", rp: "" };
  let last: bigint | undefined;
  let [points, strings] = [0, 0];
  for await (const { batch, timeless } of pass.batches()) {
    signal?.throwIfAborted();
    for (const one of batch.series) {
      const id = identityOf(one);
      if (series.has(id)) continue;
      if (series.size >= MAX_SERIES) {
        throw new ImportError(`Cannot read ${name}: it has more than ${MAX_SERIES} series`, {
          hint: "are there tags of ever new values?",
        });
      }
      series.set(id, known(id, one, template.expand(destination, one), name));
    }
    points += batch.groups.length - timeless;
    strings += batch.strings;
    last = latest(batch, last);
  }
  if (series.size === 0) {
    throw new ImportError(`Cannot read ${name}: there is no number in its lines`, {
      hint: strings === 0 ? undefined : `its ${strings} strings are no points`,
    });
  }
  const notices = [...pass.notices];
  if (strings > 0) {
    const words = strings === 1 ? "1 string" : `${strings} strings`;
    notices.push(`Left out ${words} of ${name}: strings are no points`);
  }
  return {
    series: [...series.values()],
    last,
    notices,
    omitted: [],
    about: [["series", String(series.size)], ["points", String(points)], ["times", reading.unit]],
  };
}

function known(id: string, series: LineSeries, collection: string, name: string): KnownSeries {
  try {
    const annotations = Object.fromEntries(annotationsOf(series));
    return { id, field: series.field, collection, annotations };
  } catch (error) {
    if (!(error instanceof SeriesRefusal)) throw error;
    throw new ImportError(`Cannot import ${name}: line ${series.line}: ${error.message}`);
  }
}

/** The later of a time and the latest of a batch. */
function latest(
  { columns: { times }, groups }: LineBatch,
  last: bigint | undefined,
): bigint | undefined {
  let found = last;
  for (let i = 0; i < times.length; i++) {
    const time = times[i]!;
    if (groups[i] !== NO_GROUP && (found === undefined || time > found)) found = time;
  }
  return found;
}

/** The series whose fields, or numbers, were asked for, in their own order. */
function chosen(series: readonly KnownSeries[], wanted: readonly string[]): readonly KnownSeries[] {
  if (wanted.length === 0) return series;
  const fields = [...new Set(series.map(({ field }) => field))];
  const places = new Set<KnownSeries>();
  for (const word of wanted) {
    const found = fields.includes(word)
      ? series.filter(({ field }) => field === word)
      : /^\d+$/.test(word)
      ? series.slice(Number(word) - 1, Number(word))
      : [];
    if (found.length === 0 || word === "0") {
      throw optionError(
        `Cannot use --column ${JSON.stringify(word)}: there is no such field`,
        didYouMean(nearest(word, fields), `fields are ${fields.slice(0, 8).join(", ")}`),
      );
    }
    for (const one of found) places.add(one);
  }
  return series.filter((one) => places.has(one));
}
