/**
 * Plans: what an import would store, found out from the beginning and the end of a file.
 *
 * @module
 */

import { emptyRaw } from "../core/columns.ts";
import type { BTrDB } from "../client/btrdb.ts";
import { checkOptions } from "./check_options.ts";
import { collectionOf, type ImportInput, openBytes } from "./bytes.ts";
import { findSource, openFound } from "./open_source.ts";
import type { SourceOptions, TargetOptions } from "./options.ts";
import { type OmittedColumn, type SourceBatch, START } from "./source.ts";
import { findTargets } from "./targets.ts";
import { timeWarnings } from "./time_warnings.ts";

/** A column in a plan. */
export interface PlannedColumn {
  /** Its name in the source. */
  readonly name: string;
  /** Path of its stream. */
  readonly stream: string;
  /** True if the stream exists; undefined without a database. */
  readonly exists: boolean | undefined;
  /** Unit of its values. */
  readonly unit: string | undefined;
  /** Its first values. */
  readonly values: readonly number[];
  /** Smallest value among the rows looked at. */
  readonly min: number | undefined;
  /** Largest value among the rows looked at. */
  readonly max: number | undefined;
  /** Rows looked at without a value. */
  readonly missing: number;
}

/** Preview of an import: the points and streams that it would store. */
export interface Plan {
  /** Name of the file, or `-`. */
  readonly file: string;
  /** Format, e.g. `csv`. */
  readonly format: string;
  /** Properties found in the source: pairs of a word and its value. */
  readonly about: readonly (readonly [string, string])[];
  /** Time of the first row looked at, ns. */
  readonly first: bigint | undefined;
  /** Time of the last row of the file, or of the last one looked at, ns. */
  readonly last: bigint | undefined;
  /** True if `last` is that of the last row of the file. */
  readonly complete: boolean;
  /** Rows looked at. */
  readonly rows: number;
  /** Distance of rows that is met most, ns. */
  readonly step: bigint | undefined;
  /** Distances of more than one and a half such steps. */
  readonly gaps: number;
  /** Rows with the time of the row before. */
  readonly duplicates: number;
  /** Rows with a time before that of the row before. */
  readonly backward: number;
  /** Columns that would become streams. */
  readonly columns: readonly PlannedColumn[];
  /** Columns that would be left out, with the reasons. */
  readonly omitted: readonly OmittedColumn[];
  /** Probable mistakes. */
  readonly warnings: readonly string[];
}

/** Options of {@linkcode explain}. */
export interface ExplainOptions extends SourceOptions, TargetOptions {
  /** The database that would be written to: streams that exist are named. */
  db?: BTrDB | undefined;
}

/** First values that a plan has of each column. */
const SHOWN = 3;

/**
 * Finds out what would be stored, and stores nothing.
 *
 * @param input Path, `file:` URL or bytes.
 * @param options Properties of the file and the streams, as far as they are known.
 * @throws {ImportError} If the file cannot be read.
 * @throws {CsvError} If a row or a cell of a table cannot be read.
 */
export async function explain(input: ImportInput, options: ExplainOptions = {}): Promise<Plan> {
  checkOptions("explain the import", options);
  const bytes = await openBytes(input);
  const quick = { ...options, threads: false, preview: true };
  await using source = await openFound(await findSource(bytes, quick), quick);
  const batches = source.batches(START, options.signal)[Symbol.asyncIterator]();
  const next = await batches.next();
  await batches.return?.();
  const batch: SourceBatch = next.done
    ? { columns: source.columns.map(emptyColumn), next: START }
    : next.value;
  const times = allTimes(batch);
  const end = await source.lastTime?.();
  const last = end ?? times[times.length - 1];
  const into = options.into ?? collectionOf(bytes);
  const targets = options.db === undefined
    ? undefined
    : await findTargets(options.db, source, options, into);
  const columns = source.columns.map((column, i): PlannedColumn => {
    const { values } = batch.columns[i]!;
    const target = targets?.[i];
    return {
      name: column.name,
      stream: target?.path ?? `${column.collection ?? into}/${column.name}`,
      exists: target === undefined ? undefined : target.found !== undefined,
      unit: target?.tags["unit"] ?? column.unit,
      values: [...values.subarray(0, SHOWN)],
      min: values.length === 0 ? undefined : extreme(values, Math.min),
      max: values.length === 0 ? undefined : extreme(values, Math.max),
      missing: Math.max(0, batch.next.rows - values.length),
    };
  });
  const steps = stepsOf(times);
  const warnings = [
    ...timeWarnings(times[0], last, steps, times.length),
    ...source.notices.filter((notice) => !notice.startsWith("Left out")),
    ...source.warnings ?? [],
    ...columns.filter(({ min, max, values }) => values.length > 2 && min === max)
      .map(({ name, min }) => `All values of ${name} looked at are ${min}`),
  ];
  for (const [i, target] of (targets ?? []).entries()) {
    if (target.found === undefined || times.length === 0 || last === undefined) continue;
    const there = await target.found.stream.count({ start: times[0]!, end: last + 1n });
    if (there > 0n) {
      warnings.push(`${columns[i]!.stream} has ${there} points already between these times`);
    }
  }
  return {
    file: bytes.name,
    format: source.format,
    about: source.about ?? [["compression", bytes.compression]],
    first: times[0],
    last,
    complete: end !== undefined,
    rows: batch.next.rows,
    ...steps,
    columns,
    omitted: source.omitted,
    warnings,
  };
}

function emptyColumn(): { times: BigInt64Array; values: Float64Array } {
  return emptyRaw();
}

/** The times of the column that has the most. */
function allTimes({ columns }: SourceBatch): BigInt64Array {
  let most = new BigInt64Array(0) as BigInt64Array;
  for (const { times } of columns) if (times.length > most.length) most = times;
  return most;
}

function extreme(values: Float64Array, of: (a: number, b: number) => number): number {
  let found = values[0]!;
  for (const value of values) found = of(found, value);
  return found;
}

function stepsOf(
  times: BigInt64Array,
): { step: bigint | undefined; gaps: number; duplicates: number; backward: number } {
  const counts = new Map<bigint, number>();
  let duplicates = 0;
  let backward = 0;
  for (let i = 1; i < times.length; i++) {
    const step = times[i]! - times[i - 1]!;
    if (step === 0n) duplicates++;
    else if (step < 0n) backward++;
    else if (counts.size < MAX_STEPS || counts.has(step)) {
      counts.set(step, (counts.get(step) ?? 0) + 1);
    }
  }
  let step: bigint | undefined;
  for (const [one, n] of counts) if (step === undefined || n > counts.get(step)!) step = one;
  let gaps = 0;
  for (let i = 1; step !== undefined && i < times.length; i++) {
    if (2n * (times[i]! - times[i - 1]!) > 3n * step) gaps++;
  }
  return { step, gaps, duplicates, backward };
}

/** Different distances that are counted. */
const MAX_STEPS = 10_000;
