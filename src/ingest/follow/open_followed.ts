/**
 * Opens files that are followed: as a table that grows, or as a file to import as a whole.
 *
 * @module
 */

import { openBytes } from "../bytes.ts";
import { optionError } from "../errors.ts";
import { findSource, openFound } from "../open_source.ts";
import type { SourceOptions } from "../options.ts";
import type { Source } from "../source.ts";
import type { TableLayout } from "../text/table_layout.ts";

/** A file whose format is known. */
export interface OpenedFile {
  readonly source: Source;
  /** Layout of a table that can grow; absent for what is imported as a whole. */
  readonly growing: TableLayout | undefined;
  /** Reason for which it cannot grow. */
  readonly reason: string;
}

/** Circumstances of a file that is opened. */
export interface OpenFollowedOptions {
  /** True if it was not written to for a moment, so that few lines are enough. */
  readonly isQuiet: boolean;
  /** True if it is a log that was rotated, and can be compressed: it is read as the others are. */
  readonly isRotated: boolean;
  /** Layout of a file that was opened before. */
  readonly layout?: unknown;
}

/** Lines without which a table is not looked at while it is being written. */
const MIN_LINES = 4;
const LF = 10;

/**
 * Opens a file.
 *
 * @param path Its path.
 * @param options Properties of the file, as far as they are known.
 * @param circumstances Its role, and what is known of it.
 * @returns `undefined` while too little of it is there.
 */
export async function openFollowed(
  path: string,
  options: SourceOptions,
  { isQuiet, isRotated, layout }: OpenFollowedOptions,
): Promise<OpenedFile | undefined> {
  const bytes = await openBytes(path);
  if (bytes.size === 0) return undefined;
  const quick = { ...options, threads: false };
  const found = await findSource(bytes, quick);
  const isPlain = bytes.compression === "none" || isRotated;
  const isText = isPlain && found.format.name === "csv";
  if (isText && !isQuiet && linesOf(found.input.head) < MIN_LINES) return undefined;
  const source = await openFound(found, quick, layout);
  const known = source.layout as TableLayout;
  const growing = isText && known.by === undefined ? known : undefined;
  const reason = !isPlain
    ? `it is compressed with ${bytes.compression === "zstd" ? "zstd" : "gzip"}`
    : isText
    ? "it is a long table, whose streams are known when all of it was read"
    : `${found.format.name} is not a table of text`;
  return { source, growing, reason };
}

/** The error of a file that is followed and cannot grow. */
export function cannotGrow(path: string, reason: string): Error {
  return optionError(
    `Cannot follow ${path}: ${reason}`,
    "import it without --follow, or follow its folder, whose new files are imported when they are " +
      "complete",
  );
}

function linesOf(bytes: Uint8Array): number {
  let lines = 0;
  for (let at = bytes.indexOf(LF); at >= 0; at = bytes.indexOf(LF, at + 1)) lines++;
  return lines;
}
