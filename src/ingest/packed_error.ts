/**
 * Serializes errors for `postMessage`, which would keep little more than the message.
 *
 * @module
 */

import { ImportError, type ImportFault } from "./errors.ts";

/** An error as plain data. */
export interface PackedError {
  name: string;
  message: string;
  stack: string | undefined;
  /** Its own properties that are texts or numbers, such as the line of a {@linkcode CsvError}. */
  own?: Record<string, string | number>;
  /** Of a {@linkcode ImportError}. */
  fault?: ImportFault;
  hint?: string | undefined;
  cause?: PackedError;
}

/** Classes that are looked for when an error is shown; any other is known by its name. */
const CLASSES = [TypeError, RangeError];

/** Converts an error to plain data. */
export function packError(error: unknown): PackedError {
  if (!(error instanceof Error)) return { name: "Error", message: String(error), stack: undefined };
  const { name, message, stack, cause } = error;
  return {
    name,
    message,
    stack,
    own: Object.fromEntries(
      Object.entries(error).filter(([, value]) => /^(string|number)$/.test(typeof value)),
    ),
    ...(error instanceof ImportError ? { fault: error.fault, hint: error.hint } : {}),
    ...(cause === undefined ? {} : { cause: packError(cause) }),
  };
}

/** The error again, of its class if that matters, and with the name it had. */
export function unpackError({ name, message, stack, own, fault, hint, cause }: PackedError): Error {
  const init = cause === undefined ? {} : { cause: unpackError(cause) };
  const Class = CLASSES.find((known) => known.name === name) ?? Error;
  const error = fault === undefined
    ? Object.assign(new Class(message, init), { ...own, name })
    : new ImportError(message, { fault, hint, ...init });
  if (stack !== undefined) error.stack = stack;
  return error;
}
