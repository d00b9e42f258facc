/**
 * Files that are read twice: once to know their columns, then for their points.
 *
 * @module
 */

import { type FormatInput, Rereadable } from "./format.ts";
import type { OmittedColumn, Position, Source, SourceBatch, SourceColumn } from "./source.ts";

/** Rows and cells left out. */
export interface SkipCounts {
  rows: number;
  cells: number;
}

/** Findings of the first pass over a file. */
export interface Survey {
  /** Time of the last row, ns. */
  readonly last?: bigint | undefined;
  readonly omitted?: readonly OmittedColumn[];
  readonly notices?: readonly string[];
  readonly warnings?: readonly string[];
  readonly about?: Source["about"];
}

/** A file whose columns are known. */
export interface SurveyedFile<Layout> {
  readonly format: string;
  readonly layout: Layout;
  readonly columns: readonly SourceColumn[];
  readonly hasCollections?: boolean;
  /** Findings of the first pass; a resumed import makes none. */
  readonly found?: Survey | undefined;
  /** Reads from a position on and counts what it leaves out. */
  batches(from: Position, skipped: SkipCounts, signal?: AbortSignal): AsyncIterable<SourceBatch>;
}

/** The points of a surveyed file. */
export class SurveyedSource<Layout> implements Source {
  readonly #input: Rereadable;
  readonly #file: SurveyedFile<Layout>;
  readonly #skipped: SkipCounts = { rows: 0, cells: 0 };

  private constructor(input: Rereadable, file: SurveyedFile<Layout>) {
    this.#input = input;
    this.#file = file;
  }

  /**
   * Opens an input and closes it again if that fails.
   *
   * @param input The file.
   * @param survey Reads the file to know its columns.
   */
  static async open<Layout>(
    input: FormatInput,
    survey: (bytes: Rereadable) => Promise<SurveyedFile<Layout>>,
  ): Promise<SurveyedSource<Layout>> {
    const bytes = await Rereadable.of(input);
    try {
      return new SurveyedSource(bytes, await survey(bytes));
    } catch (error) {
      await bytes[Symbol.asyncDispose]();
      throw error;
    }
  }

  get format(): string {
    return this.#file.format;
  }

  get layout(): Layout {
    return this.#file.layout;
  }

  get columns(): readonly SourceColumn[] {
    return this.#file.columns;
  }

  get hasCollections(): boolean {
    return this.#file.hasCollections ?? false;
  }

  get omitted(): readonly OmittedColumn[] {
    return this.#file.found?.omitted ?? [];
  }

  get notices(): readonly string[] {
    return this.#file.found?.notices ?? [];
  }

  get warnings(): readonly string[] {
    return this.#file.found?.warnings ?? [];
  }

  get about(): Source["about"] {
    return this.#file.found?.about;
  }

  get size(): number | undefined {
    return this.#input.size;
  }

  get bytesRead(): number {
    return this.#input.bytesRead;
  }

  get skipped(): Readonly<SkipCounts> {
    return this.#skipped;
  }

  /** The latest time of the file, ns. */
  lastTime(): Promise<bigint | undefined> {
    return Promise.resolve(this.#file.found?.last);
  }

  /** Rows are read whole, and one after the other. */
  bytesBefore(position: Position): number {
    return position.offset;
  }

  /** Reads from a position on, whose offset is the first byte of a row. */
  batches(from: Position, signal?: AbortSignal): AsyncIterable<SourceBatch> {
    return this.#file.batches(from, this.#skipped, signal);
  }

  /** Closes the file. Closing twice does nothing. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#input[Symbol.asyncDispose]();
  }
}
