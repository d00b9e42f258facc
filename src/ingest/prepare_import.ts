/**
 * Prepares an import: checks its options, finds its streams, and resumes a record.
 *
 * @module
 */

import { checkPath } from "../core/check_path.ts";
import type { BTrDB } from "../client/btrdb.ts";
import { mapConcurrently } from "../core/concurrency.ts";
import { parseJson } from "../core/parse_json.ts";
import { collectionOf, identityOf, type ImportInput, openBytes } from "./bytes.ts";
import { FileChanges } from "./file_changes.ts";
import { configurationBeside } from "./comtrade/record_files.ts";
import { ImportError, optionError } from "./errors.ts";
import type { FormatInput } from "./format.ts";
import { findSource, type FoundSource, openFound } from "./open_source.ts";
import type { ImportOptions } from "./options.ts";
import {
  digestsBefore,
  headDigest,
  type ImportRecord,
  loadRecord,
  recordPath,
  stateFolder,
} from "./import_record.ts";
import { type Position, type Source, START } from "./source.ts";
import { type NamedStream, nameStream } from "../client/stream_paths.ts";
import { findTargets, type Target } from "./targets.ts";

/** Streams looked at at the same time. */
const AT_ONCE = 8;

/** An import that is ready, or was found to be. */
export interface Prepared {
  readonly source: Source;
  /** Streams of the columns; absent where an import is resumed, whose streams are known. */
  readonly targets?: readonly Target[];
  /** The streams of a resumed import. */
  readonly streams?: readonly NamedStream[];
  readonly record: ImportRecord;
  readonly path: string;
  /** Digests of what is before a position, where the file may grow behind it. */
  before(position: Position): Promise<ImportRecord["before"]>;
  readonly resumed: boolean;
  /** Finds out if the file is another one than was looked at. */
  readonly changes: FileChanges;
}

/**
 * Opens a source, finds its streams, and finds the record of an import that was interrupted. Makes
 * nothing.
 */
export async function prepareImport(
  db: BTrDB,
  input: ImportInput,
  options: ImportOptions,
): Promise<Prepared> {
  // Whichever of its files is named, a record is known again by its configuration.
  const named = typeof input === "string" ? configurationBeside(input) : undefined;
  const bytes = await openBytes(named ?? input);
  const opened = await findSource(bytes, options);
  const changes = new FileChanges(opened.input);
  const identity: ImportRecord["source"] = {
    path: await identityOf(bytes),
    size: bytes.size ?? null,
    modifiedMs: bytes.modifiedMs ?? null,
    head: headDigest(opened.input.head),
  };
  const { target = "", restart = false, resume = false } = options;
  const key = identity.path === "-" ? `-${identity.head}` : identity.path;
  const folder = options.stateFolder ?? stateFolder();
  checkPath("import", folder, "stateFolder");
  const path = recordPath(folder, key, target);
  const known = restart ? undefined : await recordOf(db, path);
  const old = known?.done && !resume ? undefined : known;
  const wishes = wishesOf(options);
  if (old !== undefined) {
    if (!resume) throw unfinished(bytes.name, old);
    await checkSame(opened, old, identity, wishes, options.changed ?? false);
    old.source = identity;
    const source = await openFound(opened, options, old.layout);
    const before = (position: Position) => digestsAt(opened, source, position);
    const streams = await mapConcurrently(
      old.streams,
      AT_ONCE,
      ({ uuid }) => nameStream(db.streamFromUUID(uuid)),
    );
    if (old.done) await rebase(old, streams);
    return { source, streams, record: old, path, before, resumed: true, changes };
  }
  if (resume) options.onNotice?.(`Nothing to resume for ${bytes.name}: importing all of it`);
  const source = await openFound(opened, options);
  try {
    for (const notice of source.notices) options.onNotice?.(notice);
    const targets = await findTargets(db, source, options, options.into ?? collectionOf(bytes));
    const doubles = (options.mergePolicy ?? "never") === "never" && known?.done === true;
    if (doubles && !bytes.once && isSame(known, identity, targets)) {
      options.onWarning?.(
        `${bytes.name} has already been imported; this will store its points a second time. ` +
          "Use --merge equal to skip identical points, or --resume to import only new rows",
      );
    }
    const record: ImportRecord = {
      format: 1,
      source: identity,
      target,
      wishes,
      layout: source.layout,
      streams: [],
      position: START,
    };
    const before = (position: Position) => digestsAt(opened, source, position);
    return { source, targets, record, path, before, resumed: false, changes };
  } catch (error) {
    await source[Symbol.asyncDispose]();
    throw error;
  }
}

/** The options that decide the points and their streams. */
export function wishesOf(options: ImportOptions): unknown {
  const { signal: _, onProgress: _p, onNotice: _n, onWarning: _w, ...rest } = options;
  const { resume: _r, changed: _c, restart: _s, mergePolicy: _m, threads: _t, ...wishes } = rest;
  const text = JSON.stringify(wishes, (_, value) => typeof value === "bigint" ? `${value}` : value);
  return parseJson(text);
}

/**
 * The record of an import. One whose streams are not there is of a database that was, under the same
 * name: a file that was removed, memory that is gone.
 */
async function recordOf(db: BTrDB, path: string): Promise<ImportRecord | undefined> {
  const record = await loadRecord(path);
  if (record === undefined) return undefined;
  for (const { uuid } of record.streams) {
    if (await db.streamFromUUID(uuid).exists()) return record;
  }
  return undefined;
}

/** Tells whether a finished import was of the same file into the same streams. */
function isSame(
  { source, streams }: ImportRecord,
  identity: ImportRecord["source"],
  targets: readonly Target[],
): boolean {
  const uuids = new Set(streams.map(({ uuid }) => uuid));
  return JSON.stringify(source) === JSON.stringify(identity) &&
    targets.some(({ found }) => found !== undefined && uuids.has(found.uuid));
}

/** After a complete import, what else came to the streams counts as if it had been there before. */
async function rebase(record: ImportRecord, streams: readonly NamedStream[]): Promise<void> {
  await mapConcurrently(streams, AT_ONCE, async ({ stream }, i) => {
    const known = record.streams[i]!;
    known.before = String(await stream.count() - BigInt(known.stored));
  });
}

function unfinished(file: string, record: ImportRecord): ImportError {
  const points = record.streams.reduce((sum, { stored }) => sum + BigInt(stored), 0n);
  return new ImportError(
    `An import of ${file} into this database was interrupted after ${points} points or more`,
    {
      hint:
        "--resume goes on where it stopped, --restart imports the file from its beginning again",
    },
  );
}

async function checkSame(
  { input }: FoundSource,
  record: ImportRecord,
  source: ImportRecord["source"],
  wishes: unknown,
  mayChange: boolean,
): Promise<void> {
  const { size, modifiedMs } = record.source;
  const changed = size !== source.size || modifiedMs !== source.modifiedMs;
  // A file that was replaced by another one may have its size and time: cp -p, rsync, tar keep them.
  const early = !await isUnchangedBefore(input, record);
  if (early || (changed && !mayChange)) {
    const { name } = input.bytes;
    throw new ImportError(`Cannot resume: ${name} was changed since the import began`, {
      hint: early
        ? "it was changed before the place where the import stopped; --restart imports it from its " +
          "beginning"
        : "--changed says that it was changed only after the place where the import stopped",
    });
  }
  if (JSON.stringify(record.wishes) !== JSON.stringify(wishes)) {
    throw optionError("Cannot resume: the import began with other options", "use the same ones");
  }
}

/** Tells whether the bytes before the recorded position are unchanged. */
async function isUnchangedBefore(
  { head, bytes }: FormatInput,
  { before, source }: ImportRecord,
): Promise<boolean> {
  if (before === undefined) return source.head === headDigest(head);
  const { tail } = before;
  const path = tail === undefined ? undefined : bytes.path;
  const now = await digestsBefore(head, before.bytes, path);
  return now.head === before.head && now.tail === tail;
}

/** Digests of what is before a position, where the file may grow behind it. */
async function digestsAt(
  { input: { head, bytes } }: FoundSource,
  source: Source,
  position: Position,
): Promise<ImportRecord["before"]> {
  const before = source.bytesBefore?.(position);
  if (before === undefined) return undefined;
  const plain = bytes.compression === "none" && !bytes.once;
  return await digestsBefore(head, before, plain ? bytes.path : undefined);
}
