/**
 * Reading a recording from a file in BTrDB's export format.
 *
 * The whole file is read and checked before anything is stored: a bad cell on its last line leaves
 * no half of it in a database.
 *
 * @module
 */

import { formatTime, MAX_TIME, MIN_TIME, type RawColumns } from "@btrdb/btrdb";
import { CsvError, parseCsvStream, sortPoints } from "@btrdb/btrdb/kernel";
import type { Recording, Series } from "./recording.ts";

/** Something about the input that its owner can mend; the message begins with the place. */
class InputError extends Error {}

/** The bytes of a file, unpacked if it is a `.gz`. */
async function openFile(path: string): Promise<ReadableStream<Uint8Array>> {
  try {
    if ((await Deno.stat(path)).isDirectory) {
      throw new InputError(`${path}: is a folder, not a file`);
    }
    const { readable } = await Deno.open(path);
    return path.endsWith(".gz") ? readable.pipeThrough(new DecompressionStream("gzip")) : readable;
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    throw new Deno.errors.NotFound(`${path}: no such file`);
  }
}

/** All batches of all labels. */
async function parse(path: string): Promise<Map<string, RawColumns[]>> {
  const batches = new Map<string, RawColumns[]>();
  try {
    for await (const columns of parseCsvStream(await openFile(path))) {
      for (const { label, times, values } of columns) {
        const list = batches.get(label) ?? [];
        list.push({ times, values });
        batches.set(label, list);
      }
      if (batches.size < columns.length) throw new InputError(`${path}:1: a label comes twice`);
    }
  } catch (error) {
    if (error instanceof CsvError) throw new InputError(`${path}: ${error.message}`);
    if (error instanceof TypeError && path.endsWith(".gz")) {
      throw new InputError(`${path}: not a complete gzip file (${error.message})`);
    }
    throw error;
  }
  return batches;
}

/** Batches one after another, sorted by time. */
function join(batches: readonly RawColumns[]): RawColumns {
  const length = batches.reduce((sum, { times }) => sum + times.length, 0);
  const joined = { times: new BigInt64Array(length), values: new Float64Array(length) };
  let at = 0;
  for (const { times, values } of batches) {
    joined.times.set(times, at);
    joined.values.set(values, at);
    at += times.length;
  }
  return sortPoints(joined);
}

/** Refuses what a database would refuse later. */
function check(path: string, { name, columns: { times } }: Series): void {
  if (name === "" || new TextEncoder().encode(name).length > 255 || name.includes("\0")) {
    throw new InputError(`${path}:1: label ${JSON.stringify(name)} cannot name a stream`);
  }
  for (const time of [times[0], times.at(-1)]) {
    if (time !== undefined && (time < MIN_TIME || time > MAX_TIME - 2n)) {
      throw new InputError(
        `${path}: ${JSON.stringify(name)} has a point at ${time}, expected ` +
          `${formatTime(MIN_TIME)} to ${formatTime(MAX_TIME - 2n)}`,
      );
    }
  }
}

/**
 * Reads a CSV, `Timestamp (ns),Human-Readable Time (UTC),label…`, plain or gzipped.
 *
 * @param path The file.
 * @returns A stream for each label that has points.
 * @throws {Error} With a message that begins with the file and says line and column.
 */
export async function readRecording(path: string): Promise<Recording> {
  const series: Series[] = [];
  for (const [name, batches] of await parse(path)) {
    const columns = join(batches);
    if (columns.times.length > 0) series.push({ name, columns });
  }
  if (series.length === 0) throw new InputError(`${path}: holds no points`);
  for (const one of series) check(path, one);
  const stem = path.replace(/^.*[/\\]/, "").replace(/\.csv(\.gz)?$/, "");
  return { collection: `demo/${stem}`, source: path, series };
}
