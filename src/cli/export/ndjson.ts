/**
 * CSV rows as JSON objects, one a line.
 *
 * @module
 */

/** Cells before the values: the time in ns, and the time for people. */
const TIME_CELLS = 2;

/**
 * Turns CSV with exact numbers into NDJSON: `{"time":"…","a/b":1.5}`. Empty cells are left out, and so
 * are the statistics of windows without points. It is made from the CSV because the exact, shortest
 * numbers come from there.
 *
 * @param names Names of the value columns.
 * @param windows True if the columns are min, mean, max and count of windows.
 */
export function ndjsonFromCsv(
  names: readonly string[],
  windows: boolean,
): TransformStream<Uint8Array, Uint8Array> {
  const keys = names.map((name) => `,${JSON.stringify(name)}:`);
  const decoder = new TextDecoder();
  const encoder = new TextEncoder();
  let rest = "";
  let header = true;
  return new TransformStream({
    transform(bytes, controller) {
      const text = rest + decoder.decode(bytes, { stream: true });
      const end = text.lastIndexOf("\n") + 1;
      rest = text.slice(end);
      let out = "";
      for (let at = 0; at < end;) {
        const next = header ? headerEnd(text, at) : text.indexOf("\n", at);
        if (!header) out += row(text.slice(at, next), keys, windows);
        header = false;
        at = next + 1;
      }
      if (out !== "") controller.enqueue(encoder.encode(out));
    },
  });
}

/** The line feed that ends the header; names in quotes may contain some. */
function headerEnd(text: string, from: number): number {
  let quoted = false;
  for (let i = from; i < text.length; i++) {
    if (text[i] === '"') quoted = !quoted;
    if (text[i] === "\n" && !quoted) return i;
  }
  return text.length;
}

/** Cells of a window. */
const STATISTICS = 4;

function row(line: string, keys: readonly string[], windows: boolean): string {
  const cells = line.split(",");
  for (let i = TIME_CELLS + STATISTICS - 1; windows && i < cells.length; i += STATISTICS) {
    if (cells[i] === "0") cells.fill("", i - STATISTICS + 1, i);
  }
  let text = `{"time":"${cells[0]}"`;
  for (let i = 0; i < keys.length; i++) {
    const cell = cells[TIME_CELLS + i];
    if (cell !== undefined && cell !== "") text += keys[i] + cell;
  }
  return `${text}}\n`;
}
