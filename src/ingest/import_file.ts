/**
 * Imports a file into the streams of a database.
 *
 * @module
 */

import { checkDatabase } from "../client/check_database.ts";
import { fileURLToPath } from "node:url";
import type { BTrDB } from "../client/btrdb.ts";
import { mapConcurrently } from "../core/concurrency.ts";
import type { ImportInput } from "./bytes.ts";
import { lockImport } from "./import_lock.ts";
import { checkOptions } from "./check_options.ts";
import { inFile } from "./errors.ts";
import type { FileChanges } from "./file_changes.ts";
import { ImportRun } from "./import_run.ts";
import type { ImportOptions } from "./options.ts";
import { type Prepared, prepareImport } from "./prepare_import.ts";
import type { OmittedColumn, SourceBatch } from "./source.ts";
import { storableBatches } from "./storable_batches.ts";
import type { NamedStream } from "../client/stream_paths.ts";
import { timeWarnings } from "./time_warnings.ts";
import { createTargets } from "./targets.ts";

/** A stream that an import wrote to. */
export interface ImportedStream {
  /** Its uuid. */
  readonly uuid: string;
  /** `collection/name`. */
  readonly path: string;
  /** Points in it that the import stored, all its runs together. */
  readonly points: bigint;
}

/** Result of an import. */
export interface ImportSummary {
  /** Format of the source. */
  readonly format: string;
  /** Rows read, those of earlier runs included. */
  readonly rows: number;
  /** Points stored, those of earlier runs included. */
  readonly points: bigint;
  /** Points stored by this run. */
  readonly fresh: number;
  /** First time stored by this run, ns; absent if it stored nothing. */
  readonly first: bigint | undefined;
  /** Last time stored by this run, ns. */
  readonly last: bigint | undefined;
  /** True if it resumed an interrupted import. */
  readonly resumed: boolean;
  /** Streams that were made. */
  readonly created: number;
  /** Points that the streams have more than before; fewer than stored, where some were merged. */
  readonly added: bigint | undefined;
  /** The streams, in the order of the columns. */
  readonly streams: readonly ImportedStream[];
  /** Columns that were left out, and why. */
  readonly omitted: readonly OmittedColumn[];
  /** Rows and cells that were left out because they could not be read. */
  readonly skipped: { readonly rows: number; readonly cells: number };
  /** Probable mistakes. */
  readonly warnings: readonly string[];
  /** Bytes of the file read, compressed as they are. */
  readonly bytes: number;
  /** Seconds since the call. */
  readonly seconds: number;
}

/** Streams counted at the same time. */
const AT_ONCE = 8;

/**
 * Imports the numeric columns of a file, each number at its time.
 *
 * A second import of a file into a database with the same options is refused while the first one is
 * under way, as every point would be stored twice. Imports with one `db` are always told apart; those of
 * other processes, and with other connections to one database, only on Deno, not on Windows, and if both
 * give the same `target`. Elsewhere the caller has to see to it.
 *
 * @param db Database to import into.
 * @param input Path, `file:` URL or bytes.
 * @param options Properties of the file and the streams, as far as they are known; the rest is
 *   detected.
 * @returns Points and streams stored, and columns left out.
 * @throws {TypeError} If there is no option of a name, or one is of the wrong type.
 * @throws {RangeError} If an option has a value that is not allowed.
 * @throws {ImportError} If the file or an option cannot be used, or it is being imported. Nothing was
 *   stored, unless {@linkcode storedBefore} says so.
 * @throws {CsvError} If a row or a cell of a table cannot be read.
 */
export async function importFile(
  db: BTrDB,
  input: ImportInput,
  options: ImportOptions = {},
): Promise<ImportSummary> {
  checkDatabase("import", db);
  checkOptions("import", options);
  using _lock = lockImport(db, input, options);
  const startMs = performance.now();
  const prepared = await prepareImport(db, input, options);
  await using source = prepared.source;
  const signal = options.signal ?? new AbortController().signal;
  const told = source.notices.length;
  const batches = storableBatches(source, prepared.record.position, signal);
  const name = nameOf(input);
  try {
    // Nothing is made for what cannot be read.
    const first = await batches.next();
    await prepared.changes.checkBegun();
    const streams = prepared.streams ?? await makeStreams(db, prepared);
    const run = await ImportRun.prepare({
      db,
      source,
      streams,
      record: prepared.record,
      recordPath: prepared.path,
      before: prepared.before,
      resumed: prepared.resumed,
      mergePolicy: options.mergePolicy ?? "never",
      signal,
      onProgress: options.onProgress,
    });
    const result = await run.run(goOn(first, batches, prepared.changes)).catch((error) => {
      if (run.begun) stopped.set(error as object, run.fresh);
      throw error;
    });
    for (const notice of source.notices.slice(told)) options.onNotice?.(notice);
    const warnings = [...timeWarnings(result.first, result.last), ...source.warnings ?? []];
    for (const warning of warnings) options.onWarning?.(warning);
    const merged = (options.mergePolicy ?? "never") !== "never";
    return {
      format: source.format,
      ...result,
      resumed: prepared.resumed,
      created: prepared.targets?.filter(({ found }) => found === undefined).length ?? 0,
      added: merged ? await addedTo(streams, prepared) : undefined,
      streams: streams.map(({ uuid, path }, i) => ({ uuid, path, points: run.stored(i) })),
      omitted: source.omitted,
      skipped: source.skipped ?? { rows: 0, cells: 0 },
      warnings,
      bytes: source.bytesRead,
      seconds: (performance.now() - startMs) / 1000,
    };
  } catch (error) {
    throw inFile(error, name);
  } finally {
    await batches.return?.();
  }
}

/** Name of an input in messages; `-` where it has none. */
function nameOf(input: ImportInput): string {
  return typeof input === "string" ? input : input instanceof URL ? fileURLToPath(input) : "-";
}

const stopped = new WeakMap<object, number>();

/**
 * The number of points that an import had stored in this run when it failed; undefined if it had not
 * begun to.
 *
 * @param error The error of {@linkcode importFile}.
 */
export function storedBefore(error: unknown): number | undefined {
  return typeof error === "object" && error !== null ? stopped.get(error) : undefined;
}

async function makeStreams(db: BTrDB, { targets, record }: Prepared): Promise<NamedStream[]> {
  const counts = await mapConcurrently(targets!, AT_ONCE, async ({ found }) => {
    return found === undefined ? 0n : await found.stream.count();
  });
  const streams = await createTargets(db, targets!);
  for (const [i, { uuid }] of streams.entries()) {
    record.streams.push({ uuid, before: String(counts[i]), stored: "0" });
  }
  return streams;
}

async function addedTo(
  streams: readonly NamedStream[],
  { record }: Prepared,
): Promise<bigint> {
  const counts = await mapConcurrently(streams, AT_ONCE, ({ stream }) => stream.count());
  return counts.reduce((sum, n, i) => sum + n - BigInt(record.streams[i]!.before), 0n);
}

/** The batch that was read already, and the rest, if the file is still the one that was looked at. */
async function* goOn(
  first: IteratorResult<SourceBatch>,
  rest: AsyncIterator<SourceBatch>,
  changes: FileChanges,
): AsyncGenerator<SourceBatch, void, void> {
  for (let next = first; !next.done; next = await rest.next()) yield next.value;
  await changes.checkRead();
}
