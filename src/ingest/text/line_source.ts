/**
 * Files of InfluxDB's line protocol as a source of points.
 *
 * @module
 */

import { CollectionTemplate } from "../../core/collection_template.ts";
import { linePrefix, type LineSeries } from "../../core/line_series.ts";
import { didYouMean, nearest } from "../../core/suggest.ts";
import { groupPoints, NO_GROUP } from "../../kernel/group_points.ts";
import { collectionOf } from "../bytes.ts";
import { ImportError, optionError } from "../errors.ts";
import { type FormatInput, isWhole, type Rereadable } from "../format.ts";
import type { SourceOptions } from "../options.ts";
import type { Position, SourceBatch } from "../source.ts";
import {
  type SkipCounts,
  type Survey,
  type SurveyedFile,
  SurveyedSource,
} from "../surveyed_source.ts";
import { LinePass } from "./line_pass.ts";
import {
  type KnownSeries,
  seriesIdentities,
  surveyLines,
  type SurveyReading,
} from "./line_survey.ts";

/** ns of the units of times, by the words of `--time-format`. */
const UNITS: Readonly<Record<string, bigint>> = {
  ns: 1n,
  us: 1_000n,
  ms: 1_000_000n,
  s: 1_000_000_000n,
};

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

/**
 * Opens a file of line protocol: reads it once to know which series it has.
 *
 * @param input The file.
 * @param options Unit of the times, template of the collections, fields to read, and the fate of
 * lines that cannot be read.
 * @param layout Of a resumed import.
 * @throws {ImportError} If there is nothing to store in it, or a line cannot be read.
 */
export async function openLineSource(
  input: FormatInput,
  options: SourceOptions,
  layout?: unknown,
): Promise<SurveyedSource<LineLayout>> {
  const { name } = input.bytes;
  const reading = readingOf(input, options);
  const template = templateOf(options);
  return await SurveyedSource.open(input, async (bytes) => {
    if (layout !== undefined) return new LineFile(bytes, name, layout as LineLayout, undefined);
    const bucket = options.into ?? collectionOf(input.bytes);
    const found = await surveyLines(bytes, name, reading, template, bucket, options.signal);
    const wanted = options.columns ?? [];
    const series = chosen(found.series, wanted);
    const left = found.series.filter((one) => !series.includes(one));
    const omitted = [...new Set(left.map(({ field }) => field))]
      .map((name) => ({ name, reason: "not asked for" }));
    const { unit, skipBadRows, complete } = reading;
    const chosenLayout = { series, wanted, unit, skipBadRows, complete };
    return new LineFile(bytes, name, chosenLayout, { ...found, omitted });
  });
}

/** A file of line protocol whose series are known. */
class LineFile implements SurveyedFile<LineLayout> {
  readonly format = "influx";
  readonly hasCollections = true;
  readonly layout: LineLayout;
  readonly columns: SurveyedFile<LineLayout>["columns"];
  readonly found: Survey | undefined;
  readonly #input: Rereadable;
  readonly #name: string;
  readonly #places: ReadonlyMap<string, number>;
  readonly #identityOf = seriesIdentities();

  constructor(input: Rereadable, name: string, layout: LineLayout, found: Survey | undefined) {
    this.#input = input;
    this.#name = name;
    this.layout = layout;
    this.found = found;
    this.columns = layout.series.map(({ field, collection, annotations }, i) => ({
      name: field,
      number: i + 1,
      collection,
      annotations,
    }));
    this.#places = new Map(layout.series.map(({ id }, i) => [id, i]));
  }

  async *batches(
    from: Position,
    skipped: SkipCounts,
    signal?: AbortSignal,
  ): AsyncGenerator<SourceBatch, void, void> {
    const { unit, skipBadRows, complete } = this.layout;
    const reading = { unit, nsPerUnit: UNITS[unit]!, skipBadRows, complete };
    const pass = new LinePass(this.#input.read(from.offset), this.#name, reading, from);
    for await (const { batch, next, timeless } of pass.batches()) {
      signal?.throwIfAborted();
      skipped.rows += batch.refused;
      skipped.cells += timeless;
      const places = Uint32Array.from(batch.series, (series) => this.#placeOf(series));
      const groups = batch.groups.map((series) => series === NO_GROUP ? NO_GROUP : places[series]!);
      const columnsOf = groupPoints(batch.columns, groups, this.columns.length);
      yield { columns: this.columns.map((_, place) => columnsOf(place)), next };
    }
  }

  #placeOf(series: LineSeries): number {
    const place = this.#places.get(this.#identityOf(series));
    if (place !== undefined) return place;
    if (this.layout.wanted.length > 0) return NO_GROUP;
    throw new ImportError(
      `Cannot resume: line ${series.line} of ${this.#name} has a series of ` +
        `${
          JSON.stringify(linePrefix(series.prefix).measurement)
        } that was not there before the interruption`,
      { hint: "--restart imports the file from its beginning again" },
    );
  }
}

function readingOf(input: FormatInput, options: SourceOptions): SurveyReading {
  const { timeFormat: unit = "ns", badRows } = options;
  const nsPerUnit = Object.hasOwn(UNITS, unit) ? UNITS[unit] : undefined;
  if (nsPerUnit === undefined) {
    throw optionError(
      `Cannot use --time-format ${JSON.stringify(unit)} with influx: expected ` +
        Object.keys(UNITS).join(", "),
    );
  }
  const complete = options.complete ?? isWhole(input);
  return {
    unit,
    isUnitSaid: options.timeFormat !== undefined,
    nsPerUnit,
    skipBadRows: badRows === "skip",
    complete,
  };
}

function templateOf({ influx }: SourceOptions): CollectionTemplate {
  try {
    return new CollectionTemplate(influx);
  } catch (error) {
    if (error instanceof TypeError) throw optionError(error.message);
    throw error;
  }
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
