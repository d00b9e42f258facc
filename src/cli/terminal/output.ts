/**
 * Writes data to stdout and messages to stderr.
 *
 * @module
 */

import { escapeJson } from "../../core/unsafe_text.ts";
import { withEscapes } from "../../plot/sgr.ts";
import { CliError } from "../errors.ts";
import { escapeLine, escapeText } from "./escape.ts";

/** Tells whether an error means that the reader of a pipe has closed it, as `head` does. */
export function isBrokenPipe(error: unknown): boolean {
  return error instanceof Deno.errors.BrokenPipe ||
    (error instanceof Error && (error as { code?: string }).code === "EPIPE");
}

const encoder = new TextEncoder();

/** Pause before the next try to write to a pipe that is full and does not block. */
const FULL_PIPE_MS = 5;
const pause = new Int32Array(new SharedArrayBuffer(4));

/** Writes all bytes, and waits while nobody reads them, without occupying a processor. */
export function writeAll(
  file: { writeSync(bytes: Uint8Array): number },
  bytes: Uint8Array,
): void {
  while (bytes.length > 0) {
    try {
      bytes = bytes.subarray(file.writeSync(bytes));
    } catch (error) {
      if (!(error instanceof Deno.errors.WouldBlock)) throw error;
      Atomics.wait(pause, 0, 0, FULL_PIPE_MS);
    }
  }
}

/** Text as it is written: escaped where it goes to a terminal, unchanged elsewhere. */
function outgoing(text: string, isTerminal: boolean): Uint8Array {
  return encoder.encode(withEscapes(isTerminal ? escapeText(text) : text));
}

/** Writes data. */
export function writeOut(text: string): void {
  writeStdout(outgoing(text, Deno.stdout.isTerminal()));
}

/** Writes all bytes to stdout; a failure says where it was, unless the reader has gone. */
function writeStdout(bytes: Uint8Array): void {
  try {
    writeAll(Deno.stdout, bytes);
  } catch (cause) {
    if (isBrokenPipe(cause) || !(cause instanceof Error)) throw cause;
    const hint = "the output is not complete";
    throw new CliError(`Cannot write to stdout: ${cause.message}`, { hint, cause });
  }
}

const decoder = new TextDecoder();

/**
 * Writes data that is bytes: text for a terminal.
 *
 * @param isJson True for lines of JSON, which are escaped as JSON is.
 */
export function writeBytes(bytes: Uint8Array, isJson: boolean): void {
  if (!Deno.stdout.isTerminal()) return writeStdout(bytes);
  const text = decoder.decode(bytes, { stream: true });
  writeOut(isJson ? escapeJson(text) : text);
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

/**
 * A JSON document on one line, in which 64-bit integers are strings of digits.
 *
 * @param isTerminal True where it goes to a terminal: it is escaped as JSON is, and stays JSON.
 */
export function jsonLine(value: unknown, isTerminal: boolean = Deno.stdout.isTerminal()): string {
  const json = JSON.stringify(value, (_key, item) => {
    if (typeof item === "bigint") return item.toString();
    if (typeof item === "number" && !Number.isFinite(item)) return String(item);
    return item;
  });
  return `${isTerminal ? escapeJson(json) : json}\n`;
}
