/**
 * Files of µPMUs as a source of points.
 *
 * @module
 */

import { didYouMean, nearest } from "../../core/suggest.ts";
import { ImportError, optionError } from "../errors.ts";
import type { FormatInput, Rereadable } from "../format.ts";
import type { SourceOptions } from "../options.ts";
import type { Position, SourceBatch } from "../source.ts";
import {
  type SkipCounts,
  type Survey,
  type SurveyedFile,
  SurveyedSource,
} from "../surveyed_source.ts";
import { BlockBatch } from "./block_batch.ts";
import { BlockPass } from "./block_pass.ts";
import { type BlockSeries, SERIES, STANDARD_BYTES } from "./second_block.ts";
import { badBlock, surveyUpmu } from "./upmu_survey.ts";

/** Blocks of a batch: about a million values. */
const BATCH_BLOCKS = 256;
/** Readings that a block is counted as where it does not say how many it has. */
const UNKNOWN_READINGS = 120;

/** Reading of a file; plain data, because the record of an interrupted import keeps it. */
interface UpmuLayout {
  /** Names of the series that are read. */
  columns: readonly string[];
  /** True if there are blocks with an expansion. */
  isExpanded: boolean;
  skipBadRows: boolean;
  skipBadCells: boolean;
}

/**
 * Opens a file of a µPMU: reads it once to know which series it has.
 *
 * @param input The file.
 * @param options Columns to read, and the fate of blocks and values that cannot be read.
 * @param layout Of a resumed import.
 * @throws {ImportError} If it holds no whole block, or one without a date.
 */
export async function openUpmuSource(
  input: FormatInput,
  options: SourceOptions,
  layout?: unknown,
): Promise<SurveyedSource<UpmuLayout>> {
  const { name } = input.bytes;
  return await SurveyedSource.open(input, async (bytes) => {
    if (layout !== undefined) return new UpmuFile(bytes, name, layout as UpmuLayout, undefined);
    const skipBadRows = options.badRows === "skip";
    const skipBadCells = options.badCells === "skip";
    const found = await surveyUpmu(bytes, name, skipBadRows, options.signal);
    const isExpanded = found.expanded > 0;
    const has = SERIES.filter(({ isExpansion }) => !isExpansion || isExpanded)
      .map(({ name }) => name);
    const columns = chosen(has, options.columns ?? []);
    const omitted = has.filter((name) => !columns.includes(name))
      .map((name) => ({ name, reason: "not asked for" }));
    const chosenLayout = { columns, isExpanded, skipBadRows, skipBadCells };
    return new UpmuFile(bytes, name, chosenLayout, { ...found, omitted });
  });
}

/** A file of a µPMU whose series are known. */
class UpmuFile implements SurveyedFile<UpmuLayout> {
  readonly format = "upmu";
  readonly layout: UpmuLayout;
  readonly columns: SurveyedFile<UpmuLayout>["columns"];
  readonly found: Survey | undefined;
  readonly #input: Rereadable;
  readonly #name: string;
  readonly #series: readonly BlockSeries[];

  constructor(input: Rereadable, name: string, layout: UpmuLayout, found: Survey | undefined) {
    this.#input = input;
    this.#name = name;
    this.layout = layout;
    this.found = found;
    this.#series = layout.columns.map((name) => SERIES.find((series) => series.name === name)!);
    this.columns = this.#series.map(({ name, unit }) => ({
      name,
      number: SERIES.findIndex((series) => series.name === name) + 1,
      unit,
    }));
  }

  /** Reads from a position on, whose offset is the first byte of a block. */
  async *batches(
    from: Position,
    skipped: SkipCounts,
    signal?: AbortSignal,
  ): AsyncGenerator<SourceBatch, void, void> {
    const pass = new BlockPass(this.#input.read(from.offset), from.offset);
    let batch = new BlockBatch(this.#series);
    const next = { offset: from.offset, lines: 0, rows: from.rows };
    for await (const { view, offset, bytes, isExpanded, header } of pass.blocks()) {
      signal?.throwIfAborted();
      if (typeof header === "string") {
        if (!this.layout.skipBadRows) throw badBlock(this.#name, offset, header);
        skipped.rows += UNKNOWN_READINGS * Math.max(1, Math.round(bytes / STANDARD_BYTES));
      } else {
        const strange = batch.add(view, header, isExpanded);
        if (strange.cells > 0 && !this.layout.skipBadCells) {
          throw badCell(this.#name, offset, strange.first);
        }
        skipped.cells += strange.cells;
        next.rows += header.readings;
      }
      next.offset = offset + bytes;
      if (isExpanded && !this.layout.isExpanded) throw newSeries(this.#name, offset);
      if (batch.blocks < BATCH_BLOCKS) continue;
      yield { columns: batch.take(), next: { ...next } };
      batch = new BlockBatch(this.#series);
    }
    if (batch.blocks > 0) yield { columns: batch.take(), next: { ...next } };
  }
}

function badCell(name: string, offset: number, problem: string): ImportError {
  return new ImportError(`Cannot read ${name}: in the block at byte ${offset}, ${problem}`, {
    hint: "--bad-cells skip leaves such values out",
  });
}

function newSeries(name: string, offset: number): ImportError {
  return new ImportError(
    `Cannot resume: the block at byte ${offset} of ${name} has power and frequency, which the blocks ` +
      "before the interruption did not have",
    { hint: "--restart imports the file from its beginning again" },
  );
}

/** The series that were asked for, by name or number, in their own order. */
function chosen(has: readonly string[], wanted: readonly string[]): readonly string[] {
  if (wanted.length === 0) return has;
  const all = SERIES.map(({ name }) => name);
  const names = wanted.map((word) => {
    const name = has.includes(word) ? word : /^\d+$/.test(word) ? all[Number(word) - 1] : undefined;
    if (name !== undefined && has.includes(name)) return name;
    throw optionError(
      `Cannot use --column ${JSON.stringify(word)}: there is no such column`,
      didYouMean(nearest(word, has), `columns are ${has.join(", ")}`),
    );
  });
  return has.filter((name) => names.includes(name));
}
