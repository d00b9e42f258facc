/**
 * Encodings of text.
 *
 * @module
 */

import { ImportError, optionError } from "../errors.ts";

/**
 * The encoding of a text, absent where it is UTF-8.
 *
 * @param head Its first bytes.
 * @param said Encoding named by the user.
 * @throws {ImportError} If there is no such encoding.
 */
export function encodingOf(head: Uint8Array, said: string | undefined): string | undefined {
  if (said !== undefined) {
    try {
      const label = new TextDecoder(said).encoding;
      return label === "utf-8" ? undefined : label;
    } catch {
      throw optionError(
        `Cannot use --encoding ${JSON.stringify(said)}: there is no such encoding`,
        "encodings are called utf-8, utf-16le, windows-1252, iso-8859-15, shift_jis, …",
      );
    }
  }
  const isUtf32 = (head[0] === 0xff && head[1] === 0xfe && head[2] === 0 && head[3] === 0) ||
    (head[0] === 0 && head[1] === 0 && head[2] === 0xfe && head[3] === 0xff);
  if (isUtf32) {
    throw new ImportError("Cannot import: it is UTF-32, expected UTF-8, UTF-16 or --encoding", {
      hint: "turn it into UTF-8 first, for example with iconv -f UTF-32 -t UTF-8",
    });
  }
  if (head[0] === 0xff && head[1] === 0xfe) return "utf-16le";
  if (head[0] === 0xfe && head[1] === 0xff) return "utf-16be";
  return undefined;
}

/**
 * The beginning of a text.
 *
 * @throws {ImportError} If it is not in that encoding.
 */
export function decodeHead(head: Uint8Array, encoding: string | undefined, name: string): string {
  try {
    return new TextDecoder(encoding ?? "utf-8", { fatal: true }).decode(head, { stream: true });
  } catch (cause) {
    throw new ImportError(`Cannot import ${name}: it is not ${encoding ?? "UTF-8"}`, {
      hint: "say the encoding, for example --encoding windows-1252",
      cause,
    });
  }
}

/** Text of another encoding as UTF-8. */
export async function* toUtf8(
  chunks: AsyncIterable<Uint8Array>,
  encoding: string,
  name: string,
): AsyncGenerator<Uint8Array, void, void> {
  const decoder = new TextDecoder(encoding, { fatal: true });
  const encoder = new TextEncoder();
  try {
    for await (const chunk of chunks) yield encoder.encode(decoder.decode(chunk, { stream: true }));
    const rest = encoder.encode(decoder.decode());
    if (rest.length > 0) yield rest;
  } catch (cause) {
    if (!(cause instanceof TypeError)) throw cause;
    throw new ImportError(`Cannot import ${name}: it is not ${encoding}`, { cause });
  }
}
