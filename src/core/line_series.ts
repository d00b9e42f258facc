/**
 * Names in line protocol: measurement, tags and field, without their escapes.
 *
 * @module
 */

/**
 * Series of a point of line protocol. Of very many series, all that is kept of each is copied by the
 * collection of garbage, so tags are read where they are needed.
 */
export interface LineSeries {
  /** Measurement and tags as they stand in the line, for {@linkcode linePrefix}. */
  readonly prefix: string;
  /** Field. */
  readonly field: string;
  /** Line of its first point, from 1. */
  readonly line: number;
}

/** Measurement and tags. */
export interface LinePrefix {
  /** Measurement. */
  readonly measurement: string;
  /** Tags in the order of their keys. */
  readonly tags: ReadonlyMap<string, string>;
}

/**
 * The parts of `measurement,key=value,…`, which the kernel has found well-formed.
 *
 * @param text The escapes still in it.
 */
export function linePrefix(text: string): LinePrefix {
  const [measurement, ...pairs] = split(text, ",");
  const tags = pairs.map((pair): [string, string] => {
    const [key, value] = split(pair, "=");
    return [unescaped(key!), unescaped(value!)];
  });
  tags.sort(([a], [b]) => a < b ? -1 : 1);
  return { measurement: measurement!.replace(/\\([, ])/g, "$1"), tags: new Map(tags) };
}

/** A name without the backslashes before commas, blanks and equals signs. */
export function unescaped(text: string): string {
  return text.includes("\\") ? text.replace(/\\([,= ])/g, "$1") : text;
}

/** Splits a text at a mark wherever no backslash is before it. */
function split(text: string, mark: string): string[] {
  if (!text.includes("\\")) return text.split(mark);
  const parts: string[] = [];
  let from = 0;
  for (let at = 0; at < text.length; at++) {
    if (text[at] === "\\" && /[,= ]/.test(text[at + 1] ?? "")) at++;
    else if (text[at] === mark) {
      parts.push(text.slice(from, at));
      from = at + 1;
    }
  }
  parts.push(text.slice(from));
  return parts;
}
