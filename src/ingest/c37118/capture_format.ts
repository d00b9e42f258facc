/**
 * The import format for captures of synchrophasors.
 *
 * @module
 */

import { ImportError, optionError } from "../errors.ts";
import { type FormatInput, Rereadable } from "../format.ts";
import type { SourceOptions } from "../options.ts";
import type { CaptureOptions } from "./capture_reader.ts";
import { CaptureSource } from "./capture_source.ts";

/**
 * Opens a capture that is imported. It is read twice: one that comes only once is kept on disk
 * meanwhile.
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
    throw optionError("Cannot use --column with c37118: all streams of a capture are imported");
  }
  const { names, frequency, exactTimes } = options;
  const wanted = layout as CaptureOptions | undefined ?? { names, frequency, exactTimes };
  const bytes = await Rereadable.of(input);
  try {
    return await CaptureSource.open(
      {
        // Of a compressed capture, the size of what is read is not known.
        size: input.bytes.compression === "none" ? bytes.size : undefined,
        read: () => bytes.read(0),
      },
      wanted,
      options.signal,
      () => bytes[Symbol.asyncDispose](),
    );
  } catch (error) {
    await bytes[Symbol.asyncDispose]();
    throw error instanceof RangeError ? new ImportError(error.message, { cause: error }) : error;
  }
}
