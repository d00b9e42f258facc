/**
 * The errors of an import.
 *
 * @module
 */

import { pathProblem } from "../core/path_problem.ts";

/** Kind of fault: the data, the options, or a file or stream that does not exist. */
export type ImportFault = "data" | "options" | "missing";

/** Most characters of a message: a line of 16 MiB may be the name of a column in it. */
const MAX_MESSAGE = 8_192;

/** Most characters of a cell in a message. */
const MAX_CELL = 100;

function cut(text: string, most: number): string {
  return text.length > most ? `${text.slice(0, most)}…` : text;
}

/** A cell as a message shows it: its beginning, if it is long. */
export function shownCell(cell: string): string {
  return cut(cell, MAX_CELL);
}

/** An import that cannot be done; nothing of what it refuses is stored. */
export class ImportError extends Error {
  /** Kind of fault. */
  readonly fault: ImportFault;
  /** Advice, one line. */
  readonly hint: string | undefined;

  /**
   * Makes an error.
   *
   * @param message Text in sentence case, without a full stop.
   * @param init Kind of fault, `"data"` by default; hint and cause.
   */
  constructor(
    message: string,
    init: { fault?: ImportFault; hint?: string | undefined; cause?: unknown } = {},
  ) {
    super(cut(message, MAX_MESSAGE), init.cause === undefined ? undefined : { cause: init.cause });
    this.name = "ImportError";
    this.fault = init.fault ?? "data";
    this.hint = init.hint === undefined ? undefined : cut(init.hint, MAX_MESSAGE);
  }
}

/**
 * Names the file in the error of a row or a cell, which knows only its line.
 *
 * @param error Anything thrown; other errors are left as they are.
 * @param name Name of the file, or `-` where there is none.
 * @returns The same error.
 */
export function inFile(error: unknown, name: string): unknown {
  if (error instanceof Error && error.name === "CsvError" && name !== "-") {
    error.message = error.message.replace(/^Cannot parse \w+:/, () => `Cannot import ${name}:`);
  }
  return error;
}

/**
 * The error to show for one of the file system that the path is to blame for.
 *
 * @param error Any error; others pass unchanged.
 * @param action Action that failed: `"import"`.
 * @param path The file.
 */
export function pathError(error: unknown, action: string, path: string): unknown {
  const problem = pathProblem(error);
  if (problem === undefined) return error;
  return new ImportError(`Cannot ${action} ${path}: ${problem}`, { cause: error });
}

/** A table in which there are no rows yet. */
export class NoRowsError extends ImportError {}

/** An option that cannot be used as it is. */
export function optionError(message: string, hint?: string): ImportError {
  return new ImportError(message, { fault: "options", hint });
}
