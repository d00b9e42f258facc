/**
 * Data to stdout, talk to stderr.
 *
 * @module
 */

/** Whether an error says that the reader of a pipe has gone, as `head` does. */
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

/** Writes data. */
export function writeOut(text: string): void {
  writeAll(Deno.stdout, encoder.encode(text));
}

/** Writes data that is bytes. */
export function writeBytes(bytes: Uint8Array): void {
  writeAll(Deno.stdout, bytes);
}

/** Writes talk; an stderr that has gone is no error. */
export function writeErr(text: string): void {
  try {
    writeAll(Deno.stderr, encoder.encode(text));
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
