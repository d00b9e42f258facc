/**
 * Files in which imports keep their state.
 *
 * @module
 */

import { pathProblem } from "../core/path_problem.ts";
import { createHash } from "node:crypto";
import { stat } from "node:fs/promises";
import { dirname } from "node:path";
import { kindOf, NotAFileError, readPlainText } from "../core/plain_file.ts";
import { ImportError } from "./errors.ts";

/**
 * Text of a file of state.
 *
 * @param path Its path.
 * @param what It is, in messages: `"the record of the import"`.
 * @returns `undefined` if there is none.
 * @throws {ImportError} If something else is there.
 */
export async function readStateText(path: string, what: string): Promise<string | undefined> {
  try {
    return await readPlainText(path);
  } catch (error) {
    if ((error as { code?: unknown }).code === "ENOENT") return undefined;
    throw await stateError(error, path, what);
  }
}

/** Digits of the digest of a state, and what it is called there. */
const SUM_DIGITS = 16;
const SUM = ',"sum":"';

/**
 * A state as JSON, with a digest at its end: one digit of a place that changed would lose rows, or
 * store them twice.
 */
export function sealedJson(state: object): string {
  const text = JSON.stringify(state);
  return `${text.slice(0, -1)}${SUM}${sumOf(text)}"}`;
}

/** Tells whether a state is as it was written; one without a digest is taken for such. */
export function isIntact(json: string): boolean {
  const at = json.lastIndexOf(SUM);
  return at < 0 || json.slice(at) === `${SUM}${sumOf(`${json.slice(0, at)}}`)}"}`;
}

function sumOf(text: string): string {
  return createHash("sha256").update(text).digest("hex").slice(0, SUM_DIGITS);
}

/**
 * Names what is in the place of a file of state, or of its folder.
 *
 * @param error With which it could not be read or written; it is returned if it has another cause.
 */
export async function stateError(error: unknown, path: string, what: string): Promise<unknown> {
  if (error instanceof NotAFileError) return refusal(error.message, what);
  const places = [{ path: dirname(path), expected: "a folder" }, { path, expected: "a file" }];
  for (const place of places) {
    const found = await stat(place.path).then(kindOf, () => undefined);
    if (found === undefined || found === place.expected) continue;
    return refusal(`${place.path} is ${found}, expected ${place.expected}`, what);
  }
  const problem = pathProblem(error);
  if (problem !== undefined) return refusal(`${path}: ${problem}`, what);
  return error;
}

function refusal(reason: string, what: string): ImportError {
  return new ImportError(`Cannot keep ${what}: ${reason}`, {
    hint: "remove it, or keep the state in another folder: $BTRDB_STATE_DIR",
  });
}
