/**
 * Writes data to stdout and messages to stderr.
 *
 * @module
 */

import { withEscapes } from "../../plot/sgr.ts";
import { escapeLine, escapeText } from "./escape.ts";

/** Tells whether an error means that the reader of a pipe has closed it, as `head` does. */
export function isBrokenPipe(error: unknown): boolean {
  return error instanceof Deno.errors.BrokenPipe ||
    (error instanceof Error && (error as { code?: string }).code === "EPIPE");
}

const encoder = new TextEncoder();

function writeAll(file: { writeSync(bytes: Uint8Array): number }, bytes: Uint8Array): void {
  while (bytes.length > 0) {
    try {
      bytes = bytes.subarray(file.writeSync(bytes));
    } catch (error) {
      if (!(error instanceof Deno.errors.WouldBlock)) throw error;
    }
  }
}

/** Text as it is written: escaped where it goes to a terminal, unchanged elsewhere. */
function outgoing(text: string, isTerminal: boolean): Uint8Array {
  return encoder.encode(withEscapes(isTerminal ? escapeText(text) : text));
}

/** Writes data. */
export function writeOut(text: string): void {
  writeAll(Deno.stdout, outgoing(text, Deno.stdout.isTerminal()));
}

const decoder = new TextDecoder();

/** Writes data that is bytes: text for a terminal. */
export function writeBytes(bytes: Uint8Array): void {
  if (Deno.stdout.isTerminal()) writeOut(decoder.decode(bytes, { stream: true }));
  else writeAll(Deno.stdout, bytes);
}

/** Writes talk; an stderr that has gone is no error. */
export function writeErr(text: string): void {
  writeRaw(outgoing(text, Deno.stderr.isTerminal()));
}

/**
 * Rewrites the line that the cursor of stderr, a terminal, is in.
 *
 * @param line New text of the line; it stays until the next rewrite.
 */
export function rewriteLine(line: string): void {
  writeRaw(encoder.encode(`\r${withEscapes(escapeLine(line))}\x1b[K`));
}

function writeRaw(bytes: Uint8Array): void {
  try {
    writeAll(Deno.stderr, bytes);
  } catch (error) {
    if (!isBrokenPipe(error)) throw error;
  }
}

/** JSON in which 64-bit integers are strings of digits. */
export function toJson(value: unknown): string {
  return JSON.stringify(value, (_key, item) => {
    if (typeof item === "bigint") return item.toString();
    if (typeof item === "number" && !Number.isFinite(item)) return String(item);
    return item;
  });
}
