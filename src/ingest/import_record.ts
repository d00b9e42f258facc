/**
 * Record on disk of an import that is under way, so that it can be resumed.
 *
 * The record says how many points each stream had before the import, and how many the import had
 * put there at the position recorded. Points go to a stream in the order of the batches, each batch
 * sorted by time, and a request stores a part of that order from its beginning or nothing. So the
 * number of points in a stream now says exactly how far into the batches it got, whatever happened
 * between the last insert and the last record.
 *
 * @module
 */

import { createHash } from "node:crypto";
import { mkdir } from "node:fs/promises";
import { dirname, join } from "node:path";
import process from "node:process";
import { writePrivateFile } from "../core/new_file.ts";
import { parseJson } from "../core/parse_json.ts";
import { isIntact, readStateText, sealedJson, stateError } from "./state_file.ts";
import { readAt } from "./bytes.ts";
import { ImportError } from "./errors.ts";
import type { Position } from "./source.ts";

/** State of one stream in a record. */
export interface StreamRecord {
  uuid: string;
  /** Points in it before the import. */
  before: string;
  /** Points that the import had put there at `position`. */
  stored: string;
}

/** A record of an import under way. */
export interface ImportRecord {
  format: 1;
  /** Identity of the file. */
  source: { path: string; size: number | null; modifiedMs: number | null; head: string };
  /** Target of the database. */
  target: string;
  /** Options of the import, to notice when a resumed import has other ones. */
  wishes: unknown;
  layout: unknown;
  streams: StreamRecord[];
  position: Position;
  /** Digests of the bytes before `position`, where the file may grow behind it. */
  before?: { bytes: number; head: string; tail?: string };
  /** True if all of the file is stored, so that there is nothing to resume. */
  done?: boolean;
}

/** Bytes at the beginning of a file that identify it. */
export const HEAD_BYTES = 65_536;

/** A digest of the beginning of a file. */
export function headDigest(head: Uint8Array): string {
  return digest(head.subarray(0, HEAD_BYTES)).slice(0, 32);
}

/**
 * Digests of what is before a place: of the first bytes, and of a plain file's last ones.
 *
 * @param head The beginning of the decompressed file.
 * @param bytes Decompressed bytes before the place.
 * @param path Of a plain file.
 */
export async function digestsBefore(
  head: Uint8Array,
  bytes: number,
  path: string | undefined,
): Promise<NonNullable<ImportRecord["before"]>> {
  const first = headDigest(head.subarray(0, bytes));
  if (path === undefined) return { bytes, head: first };
  const start = Math.max(0, bytes - HEAD_BYTES);
  return { bytes, head: first, tail: headDigest(await readAt(path, start, bytes - start)) };
}

/** SHA-256 in hexadecimal digits. */
export function digest(bytes: Uint8Array | string): string {
  return createHash("sha256").update(bytes).digest("hex");
}

/** Path of the record of an import: one file for each pair of source and database. */
export function recordPath(folder: string, source: string, target: string): string {
  return join(folder, `import-${digest(`${source}\n${target}`).slice(0, 24)}.json`);
}

/** Folder where programs keep state that is worth keeping (XDG Base Directory Specification 0.8). */
export function stateFolder(): string {
  const { BTRDB_STATE_DIR, XDG_STATE_HOME, LOCALAPPDATA, HOME, USERPROFILE } = process.env;
  if (BTRDB_STATE_DIR) return BTRDB_STATE_DIR;
  const xdg = XDG_STATE_HOME || LOCALAPPDATA;
  if (xdg) return join(xdg, "btrdb");
  const home = HOME || USERPROFILE;
  if (!home) {
    throw new ImportError("Cannot keep a record of the import: there is no home directory", {
      hint: "set $BTRDB_STATE_DIR",
    });
  }
  return join(home, ".local", "state", "btrdb");
}

/**
 * The record at a path, or `undefined` if there is none.
 *
 * @throws {ImportError} If what is there is no record. Nothing of it is repeated.
 */
export async function loadRecord(path: string): Promise<ImportRecord | undefined> {
  const text = await readStateText(path, "the record of the import");
  return text === undefined ? undefined : recordIn(text, path);
}

function recordIn(text: string, path: string): ImportRecord {
  let value: unknown;
  try {
    value = parseJson(text);
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
  }
  const isObject = typeof value === "object" && value !== null;
  const { sum: _, ...record } = (isObject ? value : {}) as Partial<ImportRecord> & { sum?: string };
  const isOurs = isIntact(text) && record.format === 1 && Array.isArray(record.streams) &&
    typeof record.source === "object" && typeof record.position === "object";
  if (isOurs) return record as ImportRecord;
  throw new ImportError(`Cannot read the record of the import: ${path} is damaged`, {
    hint: "--restart discards it, and imports the whole file",
  });
}

/**
 * Writes a record, all of it or nothing.
 *
 * @throws {ImportError} If no file can be there.
 */
export async function saveRecord(path: string, record: ImportRecord): Promise<void> {
  try {
    await mkdir(dirname(path), { recursive: true, mode: 0o700 });
    writePrivateFile(path, sealedJson(record));
  } catch (error) {
    throw await stateError(error, path, "the record of the import");
  }
}
