/**
 * Stream identifiers: 16 bytes on the wire, canonical lower-case text for people.
 *
 * @module
 */

import { invalidType } from "./argument_error.ts";

const TEXT = /^[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}$/i;

/** The two digits of each byte. */
const HEX = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, "0"));

/**
 * The 16 bytes of a uuid.
 *
 * @param uuid Text form (any case, with or without dashes) or 16 bytes.
 * @param name Name of the argument, for the error.
 * @returns A copy owned by the caller.
 * @throws {TypeError} If `uuid` is neither.
 */
export function uuidBytes(uuid: string | Uint8Array, name = "uuid"): Uint8Array {
  if (uuid instanceof Uint8Array) {
    if (uuid.length !== 16) {
      throw invalidType(`Cannot use ${name}: it has ${uuid.length} bytes, expected 16`);
    }
    return uuid.slice();
  }
  if (typeof uuid !== "string" || !TEXT.test(uuid)) {
    throw invalidType(
      `Cannot use ${name}: ${JSON.stringify(uuid)} is not a uuid, expected text like ` +
        `"a5fba242-74c8-4e59-ad89-c1565ee3229c" or 16 bytes`,
    );
  }
  const hex = uuid.replaceAll("-", "");
  const bytes = new Uint8Array(16);
  for (let i = 0; i < 16; i++) bytes[i] = parseInt(hex.slice(2 * i, 2 * i + 2), 16);
  return bytes;
}

/**
 * The canonical text form of a uuid: lower case, dashes after 8, 12, 16 and 20 digits.
 *
 * @param bytes The 16 bytes.
 */
export function uuidText(bytes: Uint8Array): string {
  let text = "";
  for (let i = 0; i < bytes.length; i++) {
    if (i === 4 || i === 6 || i === 8 || i === 10) text += "-";
    text += HEX[bytes[i]!]!;
  }
  return text;
}

/**
 * A uuid as a key of a map: a short text that is made in a fraction of the time of {@linkcode uuidText}.
 *
 * @param bytes The 16 bytes.
 */
export function uuidKey(bytes: Uint8Array): string {
  // A sixth of the time of a spread, which goes through an iterator.
  return String.fromCharCode.apply(null, bytes as unknown as number[]);
}
