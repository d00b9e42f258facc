/**
 * The errors of an import.
 *
 * @module
 */

/** Kind of fault: the data, the options, or a file or stream that does not exist. */
export type ImportFault = "data" | "options" | "missing";

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
    super(message, init.cause === undefined ? undefined : { cause: init.cause });
    this.name = "ImportError";
    this.fault = init.fault ?? "data";
    this.hint = init.hint;
  }
}

/** An option that cannot be used as it is. */
export function optionError(message: string, hint?: string): ImportError {
  return new ImportError(message, { fault: "options", hint });
}
