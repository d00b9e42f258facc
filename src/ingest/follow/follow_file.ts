/**
 * Follows a file or a folder: stores rows as they are written, and files as they come.
 *
 * @module
 */

import { checkedPath, checkPath } from "../../core/check_path.ts";
import { checkDatabase } from "../../client/check_database.ts";
import { realpath, stat } from "node:fs/promises";
import { basename, dirname, resolve } from "node:path";
import type { BTrDB } from "../../client/btrdb.ts";
import { delay } from "../../core/call.ts";
import { checkObject } from "../../core/check_object.ts";
import { checkOptions } from "../check_options.ts";
import { ImportError, pathError } from "../errors.ts";
import { wishesOf } from "../prepare_import.ts";
import { stateFolder } from "../import_record.ts";
import { FileWatch } from "./file_watch.ts";
import { FollowedFile } from "./followed_file.ts";
import { FollowJournal, type FollowState } from "./follow_journal.ts";
import { checkFollowOptions, type FollowOptions, type FollowSummary } from "./follow_options.ts";
import { Follower } from "./follower.ts";
import { FollowStore } from "./follow_store.ts";

/** Shortest and longest pause between two looks. */
const MIN_PAUSE_MS = 150;
const MAX_PAUSE_MS = 600;

/**
 * Stores the rows of a file as they are written, or those of the files of a folder, until it is
 * ended. Each row is stored exactly once, also when the process is killed and followed again, when
 * the file is renamed and begun anew (rotation of logs), or cut off.
 *
 * @param db Database to import into; no other client may write to the same streams meanwhile.
 * @param source Path or `file:` URL of the file, or of the folder, not of folders in it.
 * @param options Properties of the files and the streams; `signal` ends the following.
 * @returns Points stored, when `signal` is aborted.
 * @throws {ImportError} If an option or the file cannot be used. Files of a folder that cannot be
 *   read are named in the summary and told to `onWarning`, and the others go on.
 * @throws {CsvError} If a row of the file cannot be read; the rows before it are stored.
 *
 * @example A log into a database, until ten rows are stored
 * ```ts
 * import { connect } from "@btrdb/btrdb";
 * import { followFile } from "@btrdb/btrdb/ingest";
 * import { mkdtemp, writeFile } from "node:fs/promises";
 *
 * const folder = await mkdtemp("/tmp/follow-");
 * await writeFile(`${folder}/log.csv`, "time,freq\n2026-03-01T00:00:00Z,59.98\n");
 * await using db = await connect("memory:");
 * const ended = new AbortController();
 * const { fresh } = await followFile(db, `${folder}/log.csv`, {
 *   into: "plant",
 *   stateFolder: folder,
 *   signal: ended.signal,
 *   onProgress: ({ points }) => points > 0 && ended.abort(), // or never
 * });
 * console.log(fresh);
 * ```
 */
export async function followFile(
  db: BTrDB,
  source: string | URL,
  options: FollowOptions = {},
): Promise<FollowSummary> {
  const startMs = performance.now();
  checkDatabase("follow", db);
  checkObject("follow", "options", options);
  checkFollowOptions(options);
  checkOptions("follow", options);
  const { signal, target = "", onWarning = () => {}, onNotice = () => {} } = options;
  const root = resolve(checkedPath("follow", source, "source"));
  const folder = options.stateFolder ?? stateFolder();
  checkPath("follow", folder, "stateFolder");
  let isFolder = await kindOf(root);
  const isThere = isFolder !== undefined;
  // A folder is known by its real path; a file's name may be that of another file tomorrow.
  const identity = isFolder === true ? await realpath(root) : root;
  const path = FollowJournal.pathOf(folder, identity, target);
  if (options.restart === true) await FollowJournal.forget(path);
  const wishes = wishesOf(withoutSettling(options));
  const known = await stateIn(db, path, wishes);
  isFolder ??= [...known.files.values()].some((file) => dirname(file.path) === root);
  if (!isThere && known.files.size === 0) {
    throw new ImportError(`There is no file or folder ${root}`, { fault: "missing" });
  }
  const warnings: string[] = [];
  const warn = (text: string): void => {
    if (warnings.length < MAX_WARNINGS) warnings.push(text);
    onWarning(text);
  };
  const files = [...known.files.values()].map((state) => new FollowedFile(state, state.path));
  const { searchMs } = known;
  const watch = new FileWatch({ root, isFolder, searchMs, say: onNotice }, files);
  await using journal = await FollowJournal.open(path, { source: identity, target, wishes }, known);
  const store = await FollowStore.open(db, options.mergePolicy ?? "never");
  const follower = new Follower({
    db,
    watch,
    journal,
    store,
    options,
    isFolder,
    rootName: basename(root),
    warn,
  });
  try {
    const look = async () => {
      await watch.look();
      await journal.search(watch.searchMs);
      if (!isFolder) await journal.found(watch.files.map(({ state }) => state));
    };
    await look();
    // A journal that lost its end, or is an older copy, does not know all that is stored.
    if (known.isResumed) { for (const file of watch.files) file.mayBeStored = true; }
    if (known.pending !== undefined) await follower.finish(known.pending);
    for (let isFirst = true; signal?.aborted !== true; isFirst = false) {
      const lookMs = performance.now();
      if (!isFirst) await look();
      const took = performance.now() - lookMs;
      await follower.turn();
      const pause = Math.min(MAX_PAUSE_MS, Math.max(MIN_PAUSE_MS, 4 * took));
      await delay(pause, { signal });
    }
  } catch (error) {
    if (signal?.aborted !== true || error !== signal.reason) throw error;
  } finally {
    for (const file of watch.files) await file.close();
  }
  follower.sumUp();
  const { first, last } = store.times;
  const touched = watch.files.filter(({ fresh, problem }) =>
    fresh.rows > 0 || problem !== undefined
  );
  const sum = (of: (file: FollowedFile) => number): number =>
    watch.files.reduce((total, file) => total + of(file), 0);
  return {
    rows: sum(({ fresh }) => fresh.rows),
    fresh: store.stored,
    first,
    last,
    created: follower.created,
    files: touched.map(({ state, fresh, problem }) => ({
      path: state.path,
      format: state.format,
      rows: state.position.rows,
      points: state.points,
      fresh: fresh.points,
      problem: problem?.message,
    })),
    skipped: {
      rows: sum(({ fresh }) => fresh.badRows),
      cells: sum(({ fresh }) => fresh.badCells),
    },
    warnings,
    seconds: (performance.now() - startMs) / 1000,
  };
}

/** Most warnings in a summary. */
const MAX_WARNINGS = 1000;

/** True for a folder, false for a file, `undefined` if there is neither. */
async function kindOf(root: string): Promise<boolean | undefined> {
  const info = await stat(root).catch((error) => {
    if ((error as { code?: unknown }).code === "ENOENT") return undefined;
    throw pathError(error, "follow", root);
  });
  if (info === undefined || info.isDirectory()) return info?.isDirectory();
  if (info.isFile()) return false;
  throw new ImportError(`Cannot follow ${root}: it is no file or folder`, {
    fault: "options",
    hint: "pipes are imported with --live",
  });
}

function withoutSettling({ settleMs: _, ...options }: FollowOptions): FollowOptions {
  return options;
}

/** State of an earlier run; empty, if the database is another one by now. */
async function stateIn(db: BTrDB, path: string, wishes: unknown): Promise<FollowState> {
  const known = await FollowJournal.load(path, wishes);
  const uuids = [...known.files.values()].flatMap(({ streams }) => streams ?? []);
  if (uuids.length === 0) return known;
  for (const uuid of new Set(uuids)) if (await db.streamFromUUID(uuid).exists()) return known;
  return { files: new Map(), pending: undefined, searchMs: undefined, isResumed: true };
}
