/**
 * Destinations of exports: stdout, or a file that appears when it is complete.
 *
 * @module
 */

import type { Transform } from "node:stream";
import { createGzip, createZstdCompress } from "node:zlib";
import { foreignLinkAt } from "../../core/foreign_link.ts";
import { openPartFile } from "../../csv/part_file.ts";
import { CliError, notFound, usageError } from "../errors.ts";
import { compressedStream } from "./compressed_stream.ts";
import { lockPart, refuseBusyPart } from "./part_lock.ts";
import { writeBytes } from "../terminal/output.ts";

/** A place for bytes. */
export interface Sink {
  readonly stream: WritableStream<Uint8Array>;
  /** Writes bytes at once, where the stream would do no more than that. */
  readonly write?: ((bytes: Uint8Array) => void) | undefined;
  /** Everything was written. */
  finish(): Promise<void>;
  /**
   * Something went wrong.
   *
   * @param keep True to leave the bytes written so far in the `.part` file.
   */
  abandon(keep: boolean): Promise<void>;
  /** Why bytes could not be written. */
  readonly failure: unknown;
}

/** A file to write to. */
export interface Destination {
  /** Its path as it was given. */
  readonly name: string;
  /** Real path, with symbolic links resolved. */
  readonly path: string;
  /** True if bytes are written to it directly: a pipe or a device cannot be replaced by a rename. */
  readonly direct: boolean;
}

/**
 * Looks where a file would be written, before anything is read for it.
 *
 * @param name Value of `-o`.
 * @throws {CliError} If no file can be there.
 */
export function destination(name: string): Destination {
  attempt({ name }, () => refuseForeignLinks(name));
  const path = realPath(name);
  const info = attempt({ name }, () => statOf(path));
  if (info === undefined) {
    const folder = path.replace(/[^/\\]*$/, "") || ".";
    const parent = statOf(folder);
    if (parent === undefined) {
      throw notFound(
        `Cannot write ${name}: there is no directory ${folder.replace(/(.)\/$/, "$1")}`,
      );
    }
    if (!parent.isDirectory) {
      throw usageError(`Cannot write ${name}: ${folder} is not a directory`);
    }
  }
  if (info?.isDirectory) {
    throw usageError(`Cannot write ${name}: it is a directory`, "name a file in it");
  }
  if (info?.isCharDevice && attempt({ name }, () => isTerminal(path))) {
    throw usageError(
      `Cannot write ${name}: it is a terminal, which would obey what is in names`,
      "- prints on a terminal what it can show",
    );
  }
  return { name, path, direct: info !== undefined && !info.isFile };
}

function isTerminal(path: string): boolean {
  using device = Deno.openSync(path, { write: true });
  return device.isTerminal();
}

/** Refuses a link of another user, who would choose the file that is replaced. */
function refuseForeignLinks(name: string): void {
  const link = foreignLinkAt(name, Deno.uid);
  if (link === undefined) return;
  throw usageError(
    `Cannot write ${name}: ${link} is a link of another user, in a folder that everyone may ` +
      "write to",
    "remove it, or name another file",
  );
}

function realPath(name: string): string {
  try {
    return Deno.realPathSync(name);
  } catch {
    return name;
  }
}

function statOf(path: string): Deno.FileInfo | undefined {
  try {
    return Deno.statSync(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    if (error instanceof Deno.errors.NotADirectory) return undefined;
    throw error;
  }
}

/** Name of the file under way. */
export function partPath({ path }: Destination): string {
  return `${path}.part`;
}

/**
 * Bytes to stdout.
 *
 * @param isJson True for lines of JSON.
 */
export function stdoutSink(isJson: boolean): Sink {
  let failure: unknown;
  const write = (bytes: Uint8Array): void => {
    try {
      writeBytes(bytes, isJson);
    } catch (error) {
      failure = error;
      throw error;
    }
  };
  return {
    stream: new WritableStream<Uint8Array>({ write }),
    write,
    finish: () => Promise.resolve(),
    abandon: () => Promise.resolve(),
    get failure() {
      return failure;
    },
  };
}

/**
 * Writes bytes to a file, compressed if its name ends with `.gz` or `.zst`.
 *
 * @param to The file when it is complete.
 * @param append True to continue at the end of the `.part` file.
 */
export function fileSink(to: Destination, append: boolean): Sink {
  const part = to.direct ? to.path : partPath(to);
  if (!to.direct) refuseBusyPart(part, to.name);
  const file = attempt(to, () => openPartFile(to.path, { part, append }));
  const lock = to.direct ? undefined : lockPart(part, to.name);
  let failure: unknown;
  const write = (bytes: Uint8Array): void => {
    try {
      attempt(to, () => file.write(bytes));
    } catch (error) {
      failure = error;
      throw error;
    }
  };
  const compressor = compressorOf(to.name);
  const compressed = compressor && compressedStream(compressor, write);
  return {
    stream: compressed?.stream ?? new WritableStream<Uint8Array>({ write }),
    write: compressed === undefined ? write : undefined,
    async finish() {
      await file.finish();
      lock?.release();
    },
    async abandon(keep) {
      compressed?.stop();
      await file.discard(keep);
      lock?.release();
    },
    get failure() {
      return failure;
    },
  };
}

/** Does something to a file; a failure names the file as it was given. */
function attempt<T>(to: Pick<Destination, "name">, action: () => T): T {
  try {
    return action();
  } catch (cause) {
    if (cause instanceof CliError) throw cause;
    const { code, message } = cause as NodeJS.ErrnoException;
    const reason = code === "EACCES" ? "permission denied" : message;
    throw new CliError(`Cannot write ${to.name}: ${reason}`, { cause });
  }
}

function compressorOf(path: string): Transform | undefined {
  if (/\.gz$/i.test(path)) return createGzip();
  if (/\.zst$/i.test(path)) return createZstdCompress();
  return undefined;
}
