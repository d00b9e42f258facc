/**
 * Tables of text as a source.
 *
 * @module
 */

import type { InputBytes, ReadCounter } from "../bytes.ts";
import { readAt } from "../bytes.ts";
import { ImportError, NoRowsError, optionError } from "../errors.ts";
import { type FormatInput, HEAD_BYTES, isWhole, MAX_HEAD_BYTES } from "../format.ts";
import type { SourceOptions } from "../options.ts";
import {
  type OmittedColumn,
  type Position,
  type Source,
  type SourceBatch,
  type SourceColumn,
  START,
} from "../source.ts";
import { csvBatches } from "./csv_batches.ts";
import { BATCH_BYTES, type CsvTable, parserOf } from "./csv_table.ts";
import { changeTexts, noRemarks } from "./table_remarks.ts";
import { csvBatchesFromThread } from "./csv_thread.ts";
import { collectionIn } from "../../client/stream_paths.ts";
import { Spool } from "../spool.ts";
import { jsisTable } from "./jsis.ts";
import { keysOf } from "./long_table.ts";
import { decodeHead, encodingOf } from "./encoding.ts";
import { isBtrdbTable } from "./btrdb_table.ts";
import { detectLayout } from "./detect_layout.ts";
import type { FoundLayout, LayoutWishes, TableLayout } from "./table_layout.ts";

/** Size of a file from which on it is worth a thread, bytes. */
const LARGE_BYTES = 16 << 20;
/** Bytes at the end of a file in which its last row is. */
const TAIL_BYTES = 1 << 20;
const LF = 10;

/** First bytes of compressed files and archives that are not read, and their names. */
const ARCHIVES: readonly [name: string, first: readonly number[]][] = [
  ["ZIP", [0x50, 0x4b, 3, 4]],
  ["ZIP", [0x50, 0x4b, 5, 6]],
  ["xz", [0xfd, 0x37, 0x7a, 0x58, 0x5a, 0]],
  ["bzip2", [0x42, 0x5a, 0x68]],
  ["7z", [0x37, 0x7a, 0xbc, 0xaf, 0x27, 0x1c]],
  ["LZ4", [4, 0x22, 0x4d, 0x18]],
  ["gzip a second time", [0x1f, 0x8b]],
];

/** The name of what a file is compressed as, if it is not read; text has no bytes below a tab. */
function archiveOf(head: Uint8Array): string | undefined {
  if (!head.subarray(0, 256).some((byte) => byte < 9)) return undefined;
  return ARCHIVES.find(([, first]) => first.every((byte, i) => head[i] === byte))?.[0];
}

/** Opens a table of text. */
export async function openText(
  input: FormatInput,
  options: SourceOptions,
  layout?: unknown,
): Promise<Source> {
  const { head, bytes } = input;
  const encoding = encodingOf(head, options.encoding);
  const compression = archiveOf(head);
  if (compression !== undefined) {
    throw new ImportError(`Cannot import ${bytes.name}: it is compressed as ${compression}`, {
      hint: "gzip and Zstandard are decompressed; others are not, unpack it first",
    });
  }
  if (encoding === undefined && head.includes(0)) {
    throw new ImportError(`Cannot import ${bytes.name}: it is neither text nor Parquet`, {
      hint: "for UTF-16 without a mark at its beginning say --encoding utf-16le",
    });
  }
  const text = decodeHead(head, encoding, bytes.name);
  refuseLoneReturns(text, bytes.name);
  const complete = options.complete ?? isWhole(input);
  const lines = text.slice(0, text.lastIndexOf("\n") + 1);
  if (lines === "" && text !== "" && !complete) {
    throw new NoRowsError(`Cannot import ${bytes.name}: its only line has no line end`, {
      hint: "--complete says that the file is complete",
    });
  }
  const known = layout as TableLayout | undefined;
  // The last line of a beginning goes on behind it; only that of a whole file may lack its end.
  const isAll = complete && head.length < HEAD_BYTES;
  const shown = isAll || lines === "" ? text : lines;
  const jsis = known === undefined ? jsisTable(shown, bytes.name) : undefined;
  const said = {
    ...options,
    start: options.start ?? jsis?.start,
    rate: options.rate ?? jsis?.rate,
  };
  if (said.start === undefined) said.rate = options.rate;
  const found = known === undefined
    ? detectLayout(shown, {
      ...wishesOf(said, encoding),
      complete,
      isCut: head.length >= MAX_HEAD_BYTES,
    })
    : { layout: { ...known, complete }, omitted: [], warnings: [] };
  if (jsis !== undefined && found.layout.base !== undefined) {
    found.layout.reason =
      `JSIS-CSV, from ${options.start === undefined ? "the file's name" : "--start"}` +
      (said.rate === undefined ? "" : ` at ${said.rate} rows a second`);
  }
  if (found.layout.times !== undefined && found.layout.skipBadRows) {
    throw optionError(
      "Cannot use --bad-rows skip without a column of times: they are counted by rows",
    );
  }
  const threads = options.threads !== false;
  const { by } = found.layout;
  if (by === undefined || by.keys.length > 0) {
    return new TextSource(input, found, threads, undefined, options.live);
  }
  // All names must be known before the first point: what can be read only once is kept.
  const spool = bytes.once ? await Spool.of(input.all()) : undefined;
  const again = spool === undefined ? bytes : { ...bytes, ...ofSpool(spool) };
  const counter = { bytes: 0 };
  const limit = options.preview === true ? BATCH_BYTES : Infinity;
  by.keys = await keysOf({ bytes: again, layout: found.layout }, counter, limit);
  const kept = { ...input, bytes: again, counter: { bytes: 0 } };
  return new TextSource(kept, found, threads, spool);
}

/**
 * Refuses text whose lines end with a carriage return alone, as on old Macs: it would be one line.
 *
 * @throws {ImportError} If it does.
 */
function refuseLoneReturns(text: string, name: string): void {
  const [line = ""] = text.split("\n", 1);
  const returns = line.replace(/\r$/, "").split("\r").length - 1;
  if (returns === 0 || line.includes('"')) return;
  throw new ImportError(
    `Cannot import ${name}: line 1 has ${returns} carriage returns, expected lines that end with ` +
      "a line feed, or with both",
    { hint: "turn them into line feeds first, for example with tr '\\r' '\\n'" },
  );
}

/** A spool as bytes that can be read again and again. */
function ofSpool(spool: Spool): Pick<InputBytes, "stream" | "once" | "path" | "compression"> {
  const stream = { [Symbol.asyncIterator]: () => spool.chunks() };
  return { stream, once: false, path: undefined, compression: "none" };
}

function wishesOf(options: SourceOptions, encoding: string | undefined): LayoutWishes {
  const { start, interval, thousands } = options;
  if (thousands !== undefined && !/^[!-/:-@[-`{-~ ]$/.test(thousands)) {
    throw optionError(
      `Cannot use --thousands ${JSON.stringify(thousands)}: expected one ASCII mark`,
    );
  }
  return {
    delimiter: options.delimiter,
    decimal: options.decimal,
    thousands,
    comment: options.comment,
    encoding,
    header: options.header,
    skipLines: options.skipLines ?? 0,
    time: options.time,
    timeFormat: options.timeFormat,
    columns: options.columns ?? [],
    tz: options.tz ?? "UTC",
    isZoneSaid: options.tz !== undefined,
    nulls: options.nulls,
    rate: options.rate,
    skipBadRows: options.badRows === "skip",
    skipBadCells: options.badCells === "skip",
    by: options.by,
    start: start === undefined ? undefined : String(start),
    times: start === undefined || interval === undefined
      ? undefined
      : { first: String(start), step: String(interval) },
  };
}

/** A table of text. */
class TextSource implements Source {
  readonly format = "csv";
  readonly columns: readonly SourceColumn[];
  readonly omitted: readonly OmittedColumn[];
  readonly size: number | undefined;
  readonly layout: TableLayout;
  readonly notices: readonly string[];
  readonly #table: CsvTable;
  readonly #threads: boolean;
  readonly #once: AsyncIterable<Uint8Array> | undefined;
  readonly #counter: ReadCounter;
  readonly #remarks = noRemarks();
  readonly #spool: Spool | undefined;
  readonly #warnings: readonly string[];
  /** True if the end of the file was looked at, and has no line end. */
  #endsOpen = false;

  constructor(
    { bytes, all, counter }: FormatInput,
    { layout, omitted, warnings = [] }: FoundLayout,
    threads: boolean,
    spool?: Spool,
    live = false,
  ) {
    this.#spool = spool;
    this.#warnings = warnings;
    this.layout = layout;
    this.omitted = omitted;
    const left = omitted.map(({ name, reason }) => `${name} (${reason})`);
    this.notices = left.length === 0 ? [] : [`Left out: ${left.join(", ")}`];
    this.#once = bytes.once ? all() : undefined;
    this.#counter = counter;
    this.#table = { bytes, layout, live };
    this.#threads = threads;
    const own = isBtrdbTable(layout.names);
    const columns = layout.names.flatMap((name, i) => {
      if (layout.roles[i] !== "value") return [];
      const column: SourceColumn = {
        name: name || `column${i + 1}`,
        number: i + 1,
        collection: own ? collectionIn(name) : undefined,
        unit: layout.units[i] ?? undefined,
      };
      return [column];
    });
    this.columns = layout.by === undefined ? columns : keyed(layout.by.keys, columns);
    this.size = bytes.size;
  }

  /** Bytes of the file read so far. */
  get bytesRead(): number {
    return this.#counter.bytes;
  }

  /** Rows and cells left out so far. */
  get skipped(): { rows: number; cells: number } {
    return { rows: this.#remarks.badRows, cells: this.#remarks.badCells };
  }

  /** Probable mistakes. */
  get warnings(): readonly string[] {
    const { openLine } = this.#remarks;
    const found = [...this.#warnings, ...changeTexts(this.#remarks)];
    if (openLine !== undefined || this.#endsOpen) {
      const number = openLine === undefined ? "" : `, ${openLine},`;
      found.push(
        `The last line${number} has no line end and is not stored: --resume --changed takes it ` +
          "when it is complete, --complete says that it is",
      );
    }
    return found;
  }

  /** Properties found in the table. */
  get about(): readonly (readonly [string, string])[] {
    const { layout } = this;
    const names = layout.timeOrder.map((i) => layout.names[i] || `column${i + 1}`);
    const time = names.length === 0
      ? "none, from --start"
      : `${names.join(" and ")}, ${layout.timeFormat}, ${layout.reason}`;
    return [
      ["compression", this.#table.bytes.compression],
      ["encoding", layout.encoding ?? "utf-8"],
      ["delimiter", layout.blanks ? "runs of blanks" : JSON.stringify(layout.delimiter)],
      ["decimal mark", layout.decimal],
      ["lines before the data", String(layout.headerLines)],
      ["time", time],
      ["zone", /[zZ]$/.test(layout.timeFormat) ? "in the cells" : layout.tz],
    ];
  }

  /** Time of the last row of a plain file. */
  async lastTime(): Promise<bigint | undefined> {
    const { bytes } = this.#table;
    const { layout } = this;
    const plain = bytes.path !== undefined && !bytes.once && bytes.compression === "none" &&
      layout.encoding === undefined;
    if (!plain) return undefined;
    const start = Math.max(0, (bytes.size ?? 0) - TAIL_BYTES);
    const tail = await readAt(bytes.path!, start, TAIL_BYTES);
    const end = tail.lastIndexOf(LF) + 1;
    this.#endsOpen = !layout.complete && end < tail.length;
    if (layout.timeOrder.length === 0) return undefined;
    const from = tail.lastIndexOf(LF, end - 2) + 1;
    if (start === 0 && from === 0) return undefined;
    const parser = parserOf(layout, START);
    try {
      parser.parse(tail.subarray(from, end));
    } catch {
      return undefined;
    }
    return parser.lastTime?.time;
  }

  /** Bytes that are surely before a position, as they are in the decompressed file. */
  bytesBefore({ offset }: Position): number {
    // UTF-8 has at most three bytes where another encoding has one.
    return this.layout.encoding === undefined ? offset : Math.floor(offset / 3);
  }

  /** Reads from a position on; a large file in a thread of its own. */
  batches(from: Position): AsyncGenerator<SourceBatch, void, void> {
    const large = this.#once === undefined && (this.size ?? 0) >= LARGE_BYTES &&
      this.#table.bytes.path !== undefined;
    return large && this.#threads
      ? csvBatchesFromThread(this.#table, from, this.#counter, this.#remarks)
      : csvBatches(this.#table, from, this.#counter, this.#once, this.#remarks);
  }

  /** Closes what was kept of an input that can be read only once. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#spool?.[Symbol.asyncDispose]();
  }
}

/** The columns of a long table: named after its keys, and after its columns where there are several. */
function keyed(keys: readonly string[], columns: readonly SourceColumn[]): SourceColumn[] {
  return keys.flatMap((key) =>
    columns.map(({ name, unit }) => ({
      name: columns.length === 1 ? key : `${key}/${name}`,
      unit,
    }))
  );
}
