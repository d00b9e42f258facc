/**
 * Opens a file as a source of points.
 *
 * @module
 */

import { checkObject } from "../core/check_object.ts";
import { concatBytes } from "../core/bytes.ts";
import { untilAborted } from "../core/call.ts";
import { type ImportInput, type InputBytes, openBytes, readBytes } from "./bytes.ts";
import { optionError } from "./errors.ts";
import { type Format, type FormatInput, HEAD_BYTES, MAX_HEAD_BYTES } from "./format.ts";
import { FORMATS } from "./formats.ts";
import type { SourceOptions } from "./options.ts";
import type { Source } from "./source.ts";
import { withPauses } from "./with_pauses.ts";

/** A source that is not open yet: its format is known. */
export interface FoundSource {
  readonly input: FormatInput;
  readonly format: Format;
}

/**
 * Opens anything that can be imported.
 *
 * @param input Path, `file:` URL or bytes.
 * @param options Properties of the file, as far as they are known; the rest is detected.
 * @throws {ImportError} If it cannot be read.
 */
export async function openSource(
  input: ImportInput,
  options: SourceOptions = {},
): Promise<Source> {
  checkObject("open the source", "options", options);
  return await openFound(await findSource(await openBytes(input), options), options);
}

/** Finds out the format of a source. */
export async function findSource(
  bytes: InputBytes,
  options: SourceOptions,
): Promise<FoundSource> {
  const { signal = new AbortController().signal } = options;
  if (options.live === true && !bytes.once) {
    throw optionError(`Cannot use --live: ${bytes.name} is no pipe, all of it is there`);
  }
  if (options.live === true && options.by !== undefined) {
    throw optionError("Cannot use --live and --by together: all names must be known first");
  }
  const counter = { bytes: 0 };
  const once = bytes.once
    ? await peek(untilAborted(readBytes(bytes, 0, counter), signal), options.live === true)
    : undefined;
  const head = once?.head ?? await headOf(bytes);
  const all = () => once?.all ?? untilAborted(readBytes(bytes, 0, counter), signal);
  return { input: { bytes, head, all, counter }, format: formatOf(head, bytes.name, options) };
}

/** Opens a source whose format is known. */
export async function openFound(
  { input, format }: FoundSource,
  options: SourceOptions,
  layout?: unknown,
): Promise<Source> {
  for (const key of format.refuses ?? []) {
    if (options[key] === undefined) continue;
    throw optionError(`Cannot use ${optionName(key)} with ${format.name}: it has no meaning there`);
  }
  return await format.open(input, options, layout);
}

/** An option as the command line writes it. */
export function optionName(key: keyof SourceOptions): string {
  const names: Partial<Record<keyof SourceOptions, string>> = {
    skipLines: "skip",
    columns: "column",
    nulls: "null",
    header: "no-header",
  };
  return `--${names[key] ?? key.replace(/[A-Z]/g, (c) => `-${c.toLowerCase()}`)}`;
}

function formatOf(head: Uint8Array, name: string, { format }: SourceOptions): Format {
  if (format === undefined) return FORMATS.find(({ fits }) => fits(head, name))!;
  const found = FORMATS.find(({ name }) => name === format);
  if (found !== undefined) return found;
  const names = FORMATS.map(({ name }) => name).join(", ");
  throw optionError(`Cannot use --format ${JSON.stringify(format)}: expected ${names}`);
}

/** The first decompressed bytes. */
async function headOf(source: InputBytes): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  let length = 0;
  let lines = 0;
  for await (const chunk of readBytes(source, 0, { bytes: 0 })) {
    parts.push(chunk);
    length += chunk.length;
    lines += countLines(chunk);
    if (length >= HEAD_BYTES && (lines >= MIN_LINES || length >= MAX_HEAD_BYTES)) break;
  }
  return headIn(concatBytes(parts));
}

/** The first bytes of something that can be read only once, and all of it. */
async function peek(
  source: AsyncGenerator<Uint8Array, void, void>,
  live: boolean,
): Promise<{ head: Uint8Array; all: AsyncIterable<Uint8Array> }> {
  const chunks = live ? withPauses(source, LIVE_PAUSE_MS) : source as AsyncGenerator<
    Uint8Array | undefined,
    void,
    void
  >;
  const parts: Uint8Array[] = [];
  let length = 0;
  let lines = 0;
  while (length < HEAD_BYTES || (lines < MIN_LINES && length < MAX_HEAD_BYTES)) {
    const next = await chunks.next();
    if (next.done) break;
    if (next.value === undefined) {
      if (lines >= LIVE_LINES) break;
      continue;
    }
    parts.push(next.value);
    length += next.value.length;
    lines += countLines(next.value);
  }
  async function* all(): AsyncGenerator<Uint8Array, void, void> {
    yield* parts.splice(0);
    for await (const chunk of chunks) if (chunk !== undefined) yield chunk;
  }
  return { head: headIn(concatBytes(parts)), all: all() };
}

/** Lines without which a live table is not looked at: a header and a row. */
const LIVE_LINES = 2;
/** Time without a byte after which a live table is looked at. */
const LIVE_PAUSE_MS = 300;
/** Lines that the look of a table is found out from, at least. */
const MIN_LINES = 4;

function countLines(bytes: Uint8Array): number {
  let lines = 0;
  for (let at = bytes.indexOf(LF); at >= 0; at = bytes.indexOf(LF, at + 1)) lines++;
  return lines;
}

/** The beginning that is looked at, with at least its first few lines. */
function headIn(bytes: Uint8Array): Uint8Array {
  let at = 0;
  for (let i = 0; i < MIN_LINES && at >= 0; i++) at = bytes.indexOf(LF, at) + 1 || -1;
  return bytes.subarray(0, at < 0 ? bytes.length : Math.max(at, HEAD_BYTES));
}

const LF = 10;
