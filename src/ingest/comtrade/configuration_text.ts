/**
 * Text of configurations in whatever encoding.
 *
 * @module
 */

import { ImportError } from "../errors.ts";

/**
 * Reads a configuration as UTF-8, or as `encoding`, or as latin1, with a notice if it is not UTF-8.
 *
 * @throws {ImportError} If the encoding is not known.
 */
export function decodeText(
  bytes: Uint8Array,
  name: string,
  encoding: string | undefined,
  notices: string[],
): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    // Another one, then.
  }
  if (encoding !== undefined) {
    let decoder: TextDecoder;
    try {
      decoder = new TextDecoder(encoding, { fatal: true });
    } catch (cause) {
      throw new ImportError(`Cannot use --encoding ${encoding}: it is not known`, {
        fault: "options",
        cause,
      });
    }
    try {
      return decoder.decode(bytes);
    } catch {
      notices.push(`${name} is neither UTF-8 nor ${encoding}, read as latin1`);
      return new TextDecoder("latin1").decode(bytes);
    }
  }
  notices.push(`${name} is not UTF-8, read as latin1; --encoding names another`);
  return new TextDecoder("latin1").decode(bytes);
}
