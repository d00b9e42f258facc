/**
 * Files of names, units, tags and annotations of columns.
 *
 * @module
 */

import { checkPath } from "../core/check_path.ts";
import { parseJson } from "../core/parse_json.ts";
import { NotAFileError, readPlainText } from "../core/plain_file.ts";
import { ImportError, optionError, pathError } from "./errors.ts";
import type { ColumnMeta } from "./options.ts";

/**
 * Reads a file of metadata: an object by the names of columns, as JSON or YAML.
 *
 * @param path The file.
 * @returns The option `meta` of an import.
 * @throws {ImportError} If there is no such file, or a column has anything but `name`, `unit`, `tags`
 * and `annotations` of text.
 */
export async function readColumnMeta(path: string): Promise<Record<string, ColumnMeta>> {
  checkPath("read the metadata", path, "path");
  const text = await readPlainText(path).catch((cause) => {
    if (cause instanceof NotAFileError) throw optionError(`Cannot use --meta: ${cause.message}`);
    if ((cause as { code?: unknown }).code !== "ENOENT") throw pathError(cause, "use --meta", path);
    throw new ImportError(`There is no file ${path}`, { fault: "missing", cause });
  });
  let meta: unknown;
  try {
    meta = /\.json$/i.test(path) ? parseJson(text) : (await import("yaml")).parse(text);
  } catch (cause) {
    const [reason] = (cause as Error).message.split("\n");
    throw optionError(`Cannot use --meta ${path}: ${reason}`);
  }
  checkMeta(meta, path);
  return meta as Record<string, ColumnMeta>;
}

/** Fails on anything that a column may not have: nothing is left unread. */
function checkMeta(meta: unknown, path: string): void {
  const fail = (what: string): never => {
    throw optionError(
      `Cannot use --meta ${path}: ${what}`,
      'it looks like {"V": {"name": "volts", "unit": "kV", "tags": {}, "annotations": {}}}',
    );
  };
  if (!isRecord(meta)) return fail("expected an object by the names of columns");
  for (const [column, value] of Object.entries(meta)) {
    if (!isRecord(value)) return fail(`column ${column} is no object`);
    for (const [key, one] of Object.entries(value)) {
      const text = (key === "name" || key === "unit") && typeof one === "string";
      const texts = (key === "tags" || key === "annotations") && isRecord(one) &&
        Object.values(one).every((text) => typeof text === "string");
      if (!text && !texts) fail(`column ${column} has ${key}: ${JSON.stringify(one)}`);
    }
  }
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
