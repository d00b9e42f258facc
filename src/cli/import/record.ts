/**
 * What is known about an import that is under way, on disk, so that it can be resumed.
 *
 * The record says how many points each stream had before the import, and how many the import had
 * put there at the position recorded. Points go to a stream in the order of the batches, each batch
 * sorted by time, and a request stores a part of that order from its beginning or nothing. So the
 * number of points in a stream now says exactly how far into the batches it got, whatever happened
 * between the last insert and the last record.
 *
 * @module
 */

import { concatBytes } from "../../core/bytes.ts";
import { CliError } from "../errors.ts";
import type { ByteSource } from "./bytes.ts";
import { readBytes } from "./bytes.ts";
import type { Position } from "./source.ts";

/** What a record keeps of each stream. */
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
  /** Which file. */
  source: { path: string; size: number | null; modifiedMs: number | null; head: string };
  /** Into which database. */
  target: string;
  /** What was asked for, to notice when a resumed import asks for something else. */
  wishes: unknown;
  layout: unknown;
  streams: StreamRecord[];
  position: Position;
  /** Whether all of the file is stored: resuming it finds nothing to do. */
  done?: boolean;
}

/** Bytes at the beginning of a file that identify it. */
const HEAD_BYTES = 65_536;

/** The first bytes of a file, unpacked. */
export async function readHead(source: ByteSource, bytes: number): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of readBytes(source, 0, { bytes: 0 })) {
    parts.push(chunk);
    length += chunk.length;
    if (length >= bytes) break;
  }
  return concatBytes(parts).subarray(0, bytes);
}

/** A digest of the beginning of a file. */
export async function headDigest(head: Uint8Array): Promise<string> {
  const digest = await crypto.subtle.digest("SHA-256", head.slice(0, HEAD_BYTES));
  return new Uint8Array(digest).toHex().slice(0, 32);
}

/** Where the record of an import is: one file for each pair of source and database. */
export async function recordPath(source: string, target: string): Promise<string> {
  const key = new TextEncoder().encode(`${source}\n${target}`);
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", key)).toHex();
  return `${stateDirectory()}/import-${digest.slice(0, 24)}.json`;
}

/** Where programs keep state that is worth keeping (XDG Base Directory Specification 0.8). */
export function stateDirectory(): string {
  const own = Deno.env.get("BTRDB_STATE_DIR");
  if (own !== undefined && own !== "") return own;
  const xdg = Deno.env.get("XDG_STATE_HOME") ?? Deno.env.get("LOCALAPPDATA");
  if (xdg !== undefined && xdg !== "") return `${xdg}/btrdb`;
  const home = Deno.env.get("HOME") ?? Deno.env.get("USERPROFILE");
  if (home === undefined) {
    throw new CliError("Cannot keep a record of the import: there is no home directory", {
      hint: "set $BTRDB_STATE_DIR",
    });
  }
  return `${home}/.local/state/btrdb`;
}

/** The record at a path, or `undefined` if there is none. */
export async function loadRecord(path: string): Promise<ImportRecord | undefined> {
  try {
    return JSON.parse(await Deno.readTextFile(path)) as ImportRecord;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}

/** Writes a record, all of it or nothing. */
export async function saveRecord(path: string, record: ImportRecord): Promise<void> {
  await Deno.mkdir(path.slice(0, path.lastIndexOf("/")), { recursive: true });
  const fresh = `${path}.new`;
  await Deno.writeTextFile(fresh, JSON.stringify(record));
  await Deno.rename(fresh, path);
}
