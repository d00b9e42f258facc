/**
 * The error of Arrow data that cannot be read.
 *
 * @module
 */

import { BTrDBError, ErrorCode } from "../core/errors.ts";

/** The error of bytes or templates that are not valid Arrow. */
export function invalid(what: string, cause?: unknown): BTrDBError {
  return new BTrDBError(`Cannot read Arrow data: ${what}`, {
    code: ErrorCode.InvalidParameter,
    ...(cause === undefined ? {} : { cause }),
  });
}
