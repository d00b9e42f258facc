/**
 * Errors of columnar files whose bytes are not what their metadata say.
 *
 * @module
 */

import { BTrDBError } from "../../core/errors.ts";
import { ImportError } from "../errors.ts";

/** Most characters shown of what a decoder says. */
const MAX_TEXT = 200;

/**
 * An error of a decoder as one that says what is wrong with the file.
 *
 * @param error The error; those of the import, of the file system and of a signal stay as they
 *   are.
 * @param format Name of the format.
 */
export function damagedFile(error: unknown, format: "parquet" | "arrow"): unknown {
  const isOther = error instanceof ImportError || error instanceof BTrDBError ||
    !(error instanceof Error) || error.name === "AbortError" || error.name === "CsvError" ||
    ("code" in error && "syscall" in error);
  if (isOther) return error;
  const said = error.message.replace(/^Cannot read \w+: /, "");
  const text = said.length > MAX_TEXT ? `${said.slice(0, MAX_TEXT)}…` : said;
  const name = format === "parquet" ? "Parquet" : "Arrow";
  const what = said.includes("is encrypted") ? "cannot be read" : "is damaged";
  return new ImportError(`Cannot import: the ${name} file ${what}: ${text}`, { cause: error });
}
