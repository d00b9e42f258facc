/**
 * Files of µPMUs as a source of points.
 *
 * @module
 */

import { concatRaw, type RawColumns } from "../../core/columns.ts";
import { didYouMean, nearest } from "../../core/suggest.ts";
import { ImportError, optionError } from "../errors.ts";
import { type FormatInput, Rereadable } from "../format.ts";
import type { SourceOptions } from "../options.ts";
import {
  type OmittedColumn,
  type Position,
  type Source,
  type SourceBatch,
  type SourceColumn,
  START,
} from "../source.ts";
import {
  type BlockHeader,
  type BlockSeries,
  EXPANDED_BYTES,
  hasExpansion,
  readHeader,
  SERIES,
  STANDARD_BYTES,
  writeTimes,
  writeValues,
} from "./second_block.ts";

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

/** A block, or what is wrong with it. */
interface Block {
  readonly view: DataView;
  /** First byte in the file. */
  readonly offset: number;
  readonly isExpanded: boolean;
  readonly header: BlockHeader | string;
}

/** A pass over the blocks of a file. */
class BlockPass {
  readonly #chunks: AsyncIterable<Uint8Array>;
  #offset: number;
  /** Bytes of a cut block, once all blocks are read. */
  cutBytes = 0;

  constructor(chunks: AsyncIterable<Uint8Array>, offset: number) {
    this.#chunks = chunks;
    this.#offset = offset;
  }

  /** The blocks; the bytes of one are good until the next is taken. */
  async *blocks(): AsyncGenerator<Block, void, void> {
    let rest = new Uint8Array(0);
    for await (const chunk of this.#chunks) {
      const bytes = new Uint8Array(rest.length + chunk.length);
      bytes.set(rest);
      bytes.set(chunk, rest.length);
      let at = 0;
      while (bytes.length - at >= STANDARD_BYTES) {
        const view = new DataView(bytes.buffer, at);
        const isExpanded = hasExpansion(view);
        const size = isExpanded ? EXPANDED_BYTES : STANDARD_BYTES;
        if (bytes.length - at < size) break;
        yield { view, offset: this.#offset, isExpanded, header: readHeader(view) };
        at += size;
        this.#offset += size;
      }
      rest = bytes.slice(at);
    }
    this.cutBytes = rest.length;
  }
}

/** A file of a µPMU. */
export class UpmuSource implements Source {
  readonly format = "upmu";
  readonly layout: UpmuLayout;
  readonly columns: readonly SourceColumn[];
  readonly omitted: readonly OmittedColumn[];
  readonly notices: readonly string[];
  readonly warnings: readonly string[];
  readonly about: readonly (readonly [string, string])[];
  readonly size: number | undefined;
  readonly #input: Rereadable;
  readonly #name: string;
  readonly #series: readonly BlockSeries[];
  readonly #last: bigint | undefined;
  readonly #skipped = { rows: 0, cells: 0 };

  private constructor(
    input: Rereadable,
    name: string,
    layout: UpmuLayout,
    omitted: readonly OmittedColumn[],
    found: Survey | undefined,
  ) {
    this.#input = input;
    this.#name = name;
    this.layout = layout;
    this.omitted = omitted;
    this.size = input.size;
    this.#series = layout.columns.map((name) => SERIES.find((series) => series.name === name)!);
    this.columns = this.#series.map(({ name, unit }) => ({
      name,
      number: SERIES.findIndex((series) => series.name === name) + 1,
      unit,
    }));
    this.notices = found?.notices ?? [];
    this.warnings = found?.warnings ?? [];
    this.about = found?.about ?? [];
    this.#last = found?.last;
  }

  /**
   * Opens a file: reads it once to know which series it has.
   *
   * @param input The file.
   * @param options Columns to read, and the fate of blocks and values that cannot be read.
   * @param layout Of a resumed import.
   * @throws {ImportError} If it holds no whole block, or one without a date.
   */
  static async open(
    input: FormatInput,
    options: SourceOptions,
    layout?: unknown,
  ): Promise<UpmuSource> {
    const { name } = input.bytes;
    const bytes = await Rereadable.of(input);
    try {
      const known = layout as UpmuLayout | undefined;
      if (known !== undefined) return new UpmuSource(bytes, name, known, [], undefined);
      const [skipBadRows, skipBadCells] = [options.badRows, options.badCells]
        .map((policy) => policy === "skip") as [boolean, boolean];
      const found = await survey(bytes, name, skipBadRows, options.signal);
      const isExpanded = found.expanded > 0;
      const has = SERIES.filter(({ isExpansion }) => !isExpansion || isExpanded)
        .map(({ name }) => name);
      const columns = chosen(has, options.columns ?? []);
      const omitted = has.filter((name) => !columns.includes(name))
        .map((name) => ({ name, reason: "not asked for" }));
      return new UpmuSource(
        bytes,
        name,
        { columns, isExpanded, skipBadRows, skipBadCells },
        omitted,
        found,
      );
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

  /** Time of the last reading, ns. */
  lastTime(): Promise<bigint | undefined> {
    return Promise.resolve(this.#last);
  }

  /** Blocks are read whole, and one after the other. */
  bytesBefore(position: Position): number {
    return position.offset;
  }

  /** Reads from a position on, whose offset is the first byte of a block. */
  async *batches(from: Position, signal?: AbortSignal): AsyncGenerator<SourceBatch, void, void> {
    const pass = new BlockPass(this.#input.read(from.offset), from.offset);
    let batch = new BatchOfBlocks(this.#series);
    const next = { offset: from.offset, lines: 0, rows: from.rows };
    for await (const { view, offset, isExpanded, header } of pass.blocks()) {
      signal?.throwIfAborted();
      if (typeof header === "string") {
        if (!this.layout.skipBadRows) throw badBlock(this.#name, offset, header);
        this.#skipped.rows += UNKNOWN_READINGS;
      } else {
        const strange = batch.add(view, header, isExpanded);
        if (strange.cells > 0 && !this.layout.skipBadCells) {
          throw badCell(this.#name, offset, strange.first);
        }
        this.#skipped.cells += strange.cells;
        next.rows += header.readings;
      }
      next.offset = offset + (isExpanded ? EXPANDED_BYTES : STANDARD_BYTES);
      if (isExpanded && !this.layout.isExpanded) throw newSeries(this.#name, offset);
      if (batch.blocks < BATCH_BLOCKS) continue;
      yield { columns: batch.take(), next: { ...next } };
      batch = new BatchOfBlocks(this.#series);
    }
    if (batch.blocks > 0) yield { columns: batch.take(), next: { ...next } };
  }

  /** Closes the file. Closing twice does nothing. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#input[Symbol.asyncDispose]();
  }
}

/** Points of some blocks. */
class BatchOfBlocks {
  readonly #series: readonly BlockSeries[];
  readonly #pieces: RawColumns[][];
  blocks = 0;

  constructor(series: readonly BlockSeries[]) {
    this.#series = series;
    this.#pieces = series.map(() => []);
  }

  /** Adds the points of a block; returns how many values are no finite number, and the first. */
  add(
    view: DataView,
    header: BlockHeader,
    isExpanded: boolean,
  ): { cells: number; first: string } {
    this.blocks++;
    const strange = { cells: 0, first: "" };
    const times = new BigInt64Array(header.readings);
    writeTimes(header, times);
    for (const [i, series] of this.#series.entries()) {
      if (series.isExpansion && !isExpanded) continue;
      const values = new Float64Array(header.readings);
      writeValues(view, series, header.readings, values);
      // NaN is a reading without a value.
      const infinite = values.filter((value) => Math.abs(value) === Infinity);
      if (infinite.length > 0 && strange.cells === 0) {
        strange.first = `${series.name} is ${infinite[0]}`;
      }
      strange.cells += infinite.length;
      this.#pieces[i]!.push(finite({ times, values }));
    }
    return strange;
  }

  take(): RawColumns[] {
    return this.#pieces.map(concatRaw);
  }
}

/** Points without those whose value is no finite number. */
function finite({ times, values }: RawColumns): RawColumns {
  if (values.every(Number.isFinite)) return { times, values };
  const keep = (_: unknown, i: number): boolean => Number.isFinite(values[i]!);
  return { times: times.filter(keep), values: values.filter(keep) };
}

/** Findings of a first pass over a file. */
interface Survey {
  readonly expanded: number;
  readonly last: bigint;
  readonly notices: readonly string[];
  readonly warnings: readonly string[];
  readonly about: readonly (readonly [string, string])[];
}

async function survey(
  input: Rereadable,
  name: string,
  skipBadRows: boolean,
  signal: AbortSignal | undefined,
): Promise<Survey> {
  const pass = new BlockPass(input.read(START.offset), START.offset);
  let [blocks, expanded, bad, leaps, repeats] = [0, 0, 0, 0, 0];
  let last: BlockHeader | undefined;
  for await (const { view, offset, isExpanded, header } of pass.blocks()) {
    signal?.throwIfAborted();
    if (typeof header === "string") {
      if (!skipBadRows) throw badBlock(name, offset, header);
      bad++;
      continue;
    }
    blocks++;
    if (isExpanded) expanded++;
    if (view.getInt32(24, true) === 60) leaps++;
    if (last !== undefined && header.time <= last.time) repeats++;
    last = header;
  }
  if (last === undefined) {
    throw new ImportError(
      `Cannot read ${name}: there is no whole block of a µPMU in it, of ${STANDARD_BYTES} bytes ` +
        "or more",
    );
  }
  const notices: string[] = [];
  if (pass.cutBytes > 0) {
    notices.push(`Left out a cut block of ${pass.cutBytes} bytes at the end of ${name}`);
  }
  if (bad > 0) notices.push(`Left out ${bad} blocks of ${name} without a date or an interval`);
  if (leaps > 0) {
    notices.push(`${leaps} leap seconds in ${name} have the times of the seconds after them`);
  }
  const times = new BigInt64Array(last.readings);
  writeTimes(last, times);
  return {
    expanded,
    last: times.at(-1)!,
    notices,
    warnings: repeats === 0 ? [] : [
      `${repeats} of ${blocks} blocks in ${name} are of a second that is not after that of the block ` +
      "before",
    ],
    about: [
      ["blocks", `${blocks} of one second${expanded > 0 ? `, ${expanded} of them expanded` : ""}`],
      ["readings", `${last.readings} a second`],
    ],
  };
}

function badBlock(name: string, offset: number, problem: string): ImportError {
  return new ImportError(`Cannot read ${name}: the block at byte ${offset} is broken, ${problem}`, {
    hint: "--bad-rows skip leaves such blocks out",
  });
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
