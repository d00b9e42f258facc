/**
 * Errors of argument checks. They are plain `TypeError`s and `RangeError`s with a code, so that a
 * program can tell them from mistakes in its own code, or in this package.
 *
 * @module
 */

/** The `code` of an error that an argument check has thrown. */
export const ARGUMENT_ERROR_CODE = "ERR_INVALID_ARGUMENT";

/**
 * The error of an argument of the wrong type.
 *
 * @param message Names the argument, its value and what was expected.
 * @param options The cause, if another error was.
 */
export function invalidType(message: string, options?: ErrorOptions): TypeError {
  return coded(new TypeError(message, options), invalidType);
}

/**
 * The error of an argument out of its range.
 *
 * @param message Names the argument, its value and the range.
 * @param options The cause, if another error was.
 */
export function outOfRange(message: string, options?: ErrorOptions): RangeError {
  return coded(new RangeError(message, options), outOfRange);
}

/** Gives an error the code, and a stack that begins where the check is. */
function coded<E extends Error>(error: E, maker: (message: string) => E): E {
  (Error as { captureStackTrace?: (error: Error, maker: unknown) => void })
    .captureStackTrace?.(error, maker);
  return Object.assign(error, { code: ARGUMENT_ERROR_CODE });
}
