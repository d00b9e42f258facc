/**
 * First pass over a file of line protocol: its series.
 *
 * @module
 */

import type { CollectionTemplate } from "../../core/collection_template.ts";
import { type LinePrefix, linePrefix, type LineSeries } from "../../core/line_series.ts";
import { annotationsOf, prefixIdentity, SeriesRefusal } from "../../core/series_annotations.ts";
import { NO_GROUP } from "../../kernel/group_points.ts";
import type { LineBatch } from "../../kernel/line_parser.ts";
import { ImportError } from "../errors.ts";
import type { Rereadable } from "../format.ts";
import { START } from "../source.ts";
import type { Survey } from "../surveyed_source.ts";
import { otherUnit } from "../time_unit.ts";
import { LinePass, type LineReading } from "./line_pass.ts";

/** Most series of a file. */
const MAX_SERIES = 100_000;

/** A series of a file. */
export interface KnownSeries {
  /** Tells it from all others: measurement, tags and field. */
  readonly id: string;
  readonly field: string;
  readonly collection: string;
  readonly annotations: Readonly<Record<string, string>>;
}

/** Reading of a file that is not known yet. */
export interface SurveyReading extends LineReading {
  /** True if an option says the unit of the times. */
  readonly isUnitSaid: boolean;
}

/** Findings of the first pass. */
export interface LineSurvey extends Survey {
  readonly series: readonly KnownSeries[];
}

/** Makes texts that tell series from all others of a file; those of a line have their tags in common. */
export function seriesIdentities(): (series: LineSeries) => string {
  let latest: { readonly prefix: string; readonly id: string } | undefined;
  return ({ prefix, field }) => {
    if (latest?.prefix !== prefix) {
      latest = { prefix, id: prefixIdentity("", linePrefix(prefix)) };
    }
    return latest.id + field;
  };
}

/**
 * Reads a file once to know its series.
 *
 * @throws {ImportError} If there is nothing to store in it, or a line cannot be read.
 */
export async function surveyLines(
  input: Rereadable,
  name: string,
  reading: SurveyReading,
  template: CollectionTemplate,
  bucket: string,
  signal: AbortSignal | undefined,
): Promise<LineSurvey> {
  const pass = new LinePass(input.read(START.offset), name, reading, START);
  const series = new Map<string, KnownSeries>();
  const destination = { bucket, org: "", rp: "" };
  const identityOf = seriesIdentities();
  let span: TimeSpan | undefined;
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
      const prefix = linePrefix(one.prefix);
      series.set(id, known(id, one, prefix, template.expand(destination, prefix), name));
    }
    points += batch.groups.length - timeless;
    strings += batch.strings;
    span = widened(span, batch);
  }
  if (series.size === 0) {
    throw new ImportError(`Cannot read ${name}: there is no number in its lines`, {
      hint: strings === 0 ? undefined : `its ${strings} strings are not points`,
    });
  }
  if (!reading.isUnitSaid && span !== undefined) {
    const error = otherUnit(name, span.first, span.last);
    if (error !== undefined) throw error;
  }
  const notices = [...pass.notices];
  if (strings > 0) {
    const words = strings === 1 ? "1 string" : `${strings} strings`;
    notices.push(`Left out ${words} of ${name}: strings are not points`);
  }
  return {
    series: [...series.values()],
    last: span?.last,
    notices,
    about: [["series", String(series.size)], ["points", String(points)], ["times", reading.unit]],
  };
}

function known(
  id: string,
  series: LineSeries,
  prefix: LinePrefix,
  collection: string,
  name: string,
): KnownSeries {
  try {
    const annotations = Object.fromEntries(annotationsOf(prefix));
    return { id, field: series.field, collection, annotations };
  } catch (error) {
    if (!(error instanceof SeriesRefusal)) throw error;
    throw new ImportError(`Cannot import ${name}: line ${series.line}: ${error.message}`);
  }
}

/** Times of points. */
interface TimeSpan {
  readonly first: bigint;
  readonly last: bigint;
}

/** A span that has the times of the points of a batch too. */
function widened(
  span: TimeSpan | undefined,
  { columns: { times }, groups }: LineBatch,
): TimeSpan | undefined {
  let [first, last] = [span?.first, span?.last];
  for (let i = 0; i < times.length; i++) {
    if (groups[i] === NO_GROUP) continue;
    const time = times[i]!;
    if (first === undefined || time < first) first = time;
    if (last === undefined || time > last) last = time;
  }
  return first === undefined || last === undefined ? undefined : { first, last };
}
