/**
 * Opens records of COMTRADE.
 *
 * @module
 */

import { checkPath } from "../../core/check_path.ts";
import { checkBytes } from "../../core/check_bytes.ts";
import { checkObject } from "../../core/check_object.ts";
import { ComtradeRecord } from "./record.ts";
import { bytesInMemory, bytesOfFile } from "./random_bytes.ts";
import { filesOf, isSingleFile, partsOf, type RecordFiles } from "./record_files.ts";
import type { ComtradeOptions } from "./comtrade_options.ts";

const ACTION = "open the record";

/** Bytes of a record: a `.cff`, or its two parts. */
export type ComtradeBytes =
  | Uint8Array
  | { readonly configuration: Uint8Array; readonly samples: Uint8Array };

/**
 * Opens a record of COMTRADE.
 *
 * @param input Path of the `.cfg`, `.dat` or `.cff`, in any case; or the bytes.
 * @param options Times, values, states and encoding.
 * @returns The record; disposing of it closes its files.
 * @throws {ImportError} If it cannot be read, with file and line.
 */
export async function openComtrade(
  input: string | ComtradeBytes,
  options: ComtradeOptions = {},
): Promise<ComtradeRecord> {
  checkObject(ACTION, "options", options);
  const files = typeof input === "string" ? await openPath(input) : await openParts(input);
  try {
    return await ComtradeRecord.open(files, options);
  } catch (error) {
    await files[Symbol.asyncDispose]();
    throw error;
  }
}

/** The parts of a record that is on disk. */
export async function openPath(path: string): Promise<RecordFiles> {
  checkPath(ACTION, path, "input");
  const bytes = await bytesOfFile(path);
  try {
    if (isSingleFile(await bytes.read(0, 256))) return await partsOf(bytes, path);
  } catch (error) {
    await bytes[Symbol.asyncDispose]();
    throw error;
  }
  await bytes[Symbol.asyncDispose]();
  return await filesOf(path);
}

async function openParts(input: ComtradeBytes): Promise<RecordFiles> {
  if (input instanceof Uint8Array) return await partsOf(bytesInMemory(input), "the record");
  checkObject(ACTION, "input", input);
  checkBytes(ACTION, "input.configuration", input.configuration);
  checkBytes(ACTION, "input.samples", input.samples);
  const samples = bytesInMemory(input.samples);
  return {
    configuration: input.configuration,
    samples,
    form: undefined,
    name: "the configuration",
    notices: [],
    [Symbol.asyncDispose]: () => samples[Symbol.asyncDispose](),
  };
}
