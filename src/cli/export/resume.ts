/**
 * Continues interrupted exports.
 *
 * Beside the `.part` file a note says what was asked for and which versions were read. Rows are in
 * the order of time, so the file is cut before the rows of its last time, and the query starts
 * there.
 *
 * @module
 */

import { writePrivateFile } from "../../core/new_file.ts";
import { NotAFileError, readPlainText } from "../../core/plain_file.ts";
import { CliError } from "../errors.ts";
import { type Destination, partPath } from "./sink.ts";

/** Request and stream versions that must be unchanged for an export to be resumed. */
export interface ExportNote {
  request: unknown;
  /** Versions of the streams, `major.minor`. */
  versions: string[];
}

function notePath(file: Destination): string {
  return `${partPath(file)}.json`;
}

/** Writes the note of an export that begins. */
export function writeNote(file: Destination, note: ExportNote): void {
  writePrivateFile(notePath(file), JSON.stringify(note));
}

/** Removes the note of an export that is done. */
export async function removeNote(file: Destination): Promise<void> {
  await Deno.remove(notePath(file)).catch((error) => {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  });
}

/**
 * Cuts the `.part` file to rows that are certainly whole.
 *
 * @param file The file when it is complete.
 * @param note Request and versions of this run.
 * @returns The time from which to go on, or `undefined` to begin anew.
 * @throws {CliError} If the export that was interrupted was another one.
 */
export async function resumeAt(
  file: Destination,
  note: ExportNote,
): Promise<bigint | undefined> {
  const old = await readNote(file);
  if (old === undefined) return undefined;
  if (JSON.stringify(old.request) !== JSON.stringify(note.request)) {
    throw new CliError(`Cannot resume ${file.name}: the export began with other options`, {
      hint: "leave out --resume to start over",
    });
  }
  if (JSON.stringify(old.versions) !== JSON.stringify(note.versions)) {
    throw new CliError(
      `Cannot resume ${file.name}: the streams were changed since the export began`,
      {
        hint: "leave out --resume to start over",
      },
    );
  }
  return await cut(file.name, partPath(file));
}

async function readNote(file: Destination): Promise<ExportNote | undefined> {
  let text: string;
  try {
    text = await readPlainText(notePath(file));
  } catch (error) {
    if ((error as { code?: unknown }).code === "ENOENT") return undefined;
    if (error instanceof NotAFileError) {
      throw new CliError(`Cannot resume ${file.name}: ${error.message}`, { hint: "remove it" });
    }
    throw error;
  }
  const note = parseNote(text);
  if (note !== undefined) return note;
  throw new CliError(`Cannot resume ${file.name}: ${notePath(file)} is damaged`, {
    hint: "leave out --resume to start over",
  });
}

function parseNote(text: string): ExportNote | undefined {
  try {
    const note: unknown = JSON.parse(text);
    return typeof note === "object" && note !== null ? note as ExportNote : undefined;
  } catch {
    return undefined;
  }
}

const LF = 10;
/** Bytes looked at from the end: more than all rows of one time, mostly. */
const TAIL_BYTES = 1 << 20;

/** Cuts off the last time; `undefined` if nothing is left but the header. */
async function cut(name: string, part: string): Promise<bigint | undefined> {
  let info: Deno.FileInfo;
  try {
    info = await Deno.lstat(part);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
  using file = await Deno.open(part, { read: true, write: true });
  const opened = await file.stat();
  if (!info.isFile || opened.ino !== info.ino || opened.dev !== info.dev) {
    throw new CliError(`Cannot resume ${name}: ${part} is a link or no file`, {
      hint: "without --resume it begins anew",
    });
  }
  const { size } = opened;
  for (let bytes = TAIL_BYTES;; bytes *= 4) {
    const from = Math.max(0, size - bytes);
    const found = lastTime(await readFrom(file, from, size - from), from === 0);
    if (found !== undefined) {
      await file.truncate(from + found.offset);
      return found.time;
    }
    if (from === 0) return undefined;
  }
}

async function readFrom(file: Deno.FsFile, from: number, length: number): Promise<Uint8Array> {
  const buffer = new Uint8Array(length);
  await file.seek(from, Deno.SeekMode.Start);
  for (let at = 0; at < length;) {
    const n = await file.read(buffer.subarray(at));
    if (n === null) return buffer.subarray(0, at);
    at += n;
  }
  return buffer;
}

/** Offset at which the rows of the last time begin, if rows of another time precede them. */
function lastTime(
  bytes: Uint8Array,
  whole: boolean,
): { offset: number; time: bigint } | undefined {
  let end = bytes.lastIndexOf(LF) + 1;
  let found: { offset: number; time: bigint } | undefined;
  while (end > 0) {
    const start = bytes.lastIndexOf(LF, end - 2) + 1;
    if (start === 0 && !whole) return undefined;
    const match = /^(?:\{"time":")?(-?\d+)/.exec(
      new TextDecoder().decode(bytes.subarray(start, Math.min(end, start + 40))),
    );
    if (match === null) return found;
    const time = BigInt(match[1]!);
    if (found !== undefined && time !== found.time) return found;
    found = { offset: start, time };
    end = start;
  }
  return found;
}
