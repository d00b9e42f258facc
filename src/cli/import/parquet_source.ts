/**
 * Parquet files as a source.
 *
 * @module
 */

import { openParquet, type ParquetInput, type TimeUnit } from "../../io/parquet.ts";
import { usageError } from "../errors.ts";
import type { ByteSource } from "./bytes.ts";
import type { LayoutWishes } from "./layout.ts";
import type { Position, SourceBatch, TableSource } from "./source.ts";
import type { Spool } from "./spool.ts";

/** Which columns of a file are read; plain data, because a record of interrupted work keeps it. */
interface ParquetLayout {
  time?: string;
  values?: readonly string[];
  timeUnit?: TimeUnit;
}

const UNITS: readonly string[] = ["ns", "us", "ms", "s"];

/** A Parquet file; a batch is a row group. */
export class ParquetSource implements TableSource {
  readonly layout: ParquetLayout;
  readonly labels: readonly string[];
  readonly size: number | undefined;
  readonly #file: ParquetInput;
  readonly #spool: Spool | undefined;
  #rows = 0;

  private constructor(
    file: ParquetInput,
    layout: ParquetLayout,
    size: number | undefined,
    spool: Spool | undefined,
  ) {
    this.#file = file;
    this.#spool = spool;
    this.layout = layout;
    this.size = size;
    this.labels = file.labels;
  }

  /**
   * Opens a file.
   *
   * @param bytes Where it is.
   * @param spool All its bytes, where they come only once or packed; closed with the file.
   * @param layout From a record; absent: as the wishes say.
   */
  static async open(
    bytes: ByteSource,
    spool: Spool | undefined,
    layout: unknown,
    wishes?: LayoutWishes,
  ): Promise<ParquetSource> {
    const known = layout as ParquetLayout | undefined ?? layoutOf(wishes!);
    const size = spool?.byteLength ?? bytes.size;
    return new ParquetSource(await openParquet(spool ?? bytes.path, known), known, size, spool);
  }

  /** Bytes of the file read so far, by the rows read. */
  get bytesRead(): number {
    const all = this.#file.rows;
    return all === 0 ? this.size ?? 0 : Math.round((this.size ?? 0) * this.#rows / all);
  }

  /** Reads from a position on, whose offset is a row, and closes the file. */
  async *batches(from: Position): AsyncGenerator<SourceBatch, void, void> {
    try {
      this.#rows = from.offset;
      for await (const { rowStart, rows, columns } of this.#file.batches(from.offset)) {
        this.#rows = rowStart + rows;
        yield { columns, next: { offset: this.#rows, lines: 0, rows: this.#rows } };
      }
    } finally {
      await this.#file[Symbol.asyncDispose]();
      this.#spool?.[Symbol.dispose]();
    }
  }
}

function layoutOf(wishes: LayoutWishes): ParquetLayout {
  const layout: ParquetLayout = {};
  if (wishes.time !== undefined) layout.time = wishes.time;
  if (wishes.columns.length > 0) layout.values = wishes.columns;
  const unit = wishes.timeFormat;
  if (unit !== undefined) {
    if (!UNITS.includes(unit)) {
      throw usageError(
        `Cannot use --time-format ${unit} with Parquet: expected ${UNITS.join(", ")}`,
      );
    }
    layout.timeUnit = unit as TimeUnit;
  }
  return layout;
}
