/**
 * The import format for captures of synchrophasors.
 *
 * @module
 */

import { ImportError, optionError } from "../errors.ts";
import { type FormatInput, randomAccess } from "../format.ts";
import type { SourceOptions } from "../options.ts";
import { Spool } from "../spool.ts";
import {
  captureFile,
  type CaptureInput,
  type CaptureOptions,
  CaptureSource,
} from "./capture_source.ts";

/** Bytes read from a spool at a time. */
const CHUNK_BYTES = 1 << 16;

/**
 * Opens a capture that is imported. It is read twice: one that comes only once, or compressed, is
 * kept on disk meanwhile.
 *
 * @param input The captured bytes.
 * @param options Names, frequency, times.
 * @param layout Of a resumed import: the options it had.
 */
export async function openCaptureInput(
  input: FormatInput,
  options: SourceOptions,
  layout?: unknown,
): Promise<CaptureSource> {
  if (options.columns !== undefined && options.columns.length > 0) {
    throw optionError("Cannot use --column with c37118: all streams of a capture are taken");
  }
  const bytes = await randomAccess(input);
  const { names, frequency, exactTimes } = options;
  const wanted = layout as CaptureOptions | undefined ?? { names, frequency, exactTimes };
  const spool = bytes instanceof Spool ? bytes : undefined;
  try {
    const file = typeof bytes === "string" ? await captureFile(bytes) : spooled(bytes);
    return await CaptureSource.open(
      file,
      wanted,
      options.signal,
      () => spool?.[Symbol.asyncDispose]() ?? Promise.resolve(),
    );
  } catch (error) {
    await spool?.[Symbol.asyncDispose]();
    throw error instanceof RangeError ? new ImportError(error.message, { cause: error }) : error;
  }
}

function spooled(spool: Spool): CaptureInput {
  return {
    size: spool.byteLength,
    async *read(): AsyncGenerator<Uint8Array> {
      for (let at = 0; at < spool.byteLength; at += CHUNK_BYTES) {
        const end = Math.min(at + CHUNK_BYTES, spool.byteLength);
        yield new Uint8Array(await spool.slice(at, end));
      }
    },
  };
}
