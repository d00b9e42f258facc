/** Lines of a process that may be killed at any moment. */

const encoder = new TextEncoder();

/** Writes a line to standard output; it is there when this returns. */
export function sayLine(line: string): void {
  Deno.stdout.writeSync(encoder.encode(`${line}\n`));
}
