/**
 * Windows as they should be, from servers that leave out the last one or spoil those that have only
 * unflushed points (docs/protocol.md, "Quirks of real servers": `windows-last-empty-missing`,
 * `windows-last-data-missing`, `windows-buffer-minmax`).
 *
 * @module
 */

import { allocStat, type StatColumns } from "../../core/columns.ts";
import type { CallOptions, Version, WindowsRequest } from "../../endpoint/endpoint.ts";
import { movedError } from "../errors.ts";
import { exactStats, sameVersion, type Stats } from "./range_search.ts";
import type { Reader } from "../read/reader.ts";
import type { Part } from "../read/resumable.ts";

/** Windows that one chunk of added ones holds. */
const CHUNK = 4096;

/**
 * Reads windows, all of them, with right minima and maxima.
 *
 * @param range Ends of the request, rounded to whole windows.
 */
export async function* completeWindows(
  reader: Reader,
  request: WindowsRequest,
  range: { start: bigint; end: bigint },
  options: CallOptions,
): AsyncGenerator<Part<StatColumns>, void, undefined> {
  let next = range.start;
  let version: Version = { major: 0n, minor: 0n };
  for await (const part of reader.windows(request, range, options)) {
    version = part.version;
    const n = part.columns.times.length;
    if (n > 0) next = part.columns.times[n - 1]! + request.width;
    if (version.minor > 0n) await mendBuffered(reader, request, part, options);
    yield part;
  }
  while (next < range.end) {
    const columns = await missing(reader, request, next, range.end, version, options);
    next = columns.times[columns.times.length - 1]! + request.width;
    yield { version, columns };
  }
}

/** The windows that the server left out, at most {@linkcode CHUNK} of them. */
async function missing(
  reader: Reader,
  request: WindowsRequest,
  from: bigint,
  end: bigint,
  version: Version,
  options: CallOptions,
): Promise<StatColumns> {
  const { uuid, width } = request;
  const left = (end - from) / width;
  const columns = allocStat(left < CHUNK ? Number(left) : CHUNK, reader.stddev);
  for (let i = 0; i < columns.times.length; i++) {
    const start = from + BigInt(i) * width;
    columns.times[i] = start;
    const range = { uuid, start, end: start + width, version: request.version };
    const found = await exactStats(reader, range, options);
    // What the server left out has no unflushed points: at another version of the stream, the tree
    // of the first one still tells what was there.
    const same = sameVersion(found.version, version);
    const tree = { ...range, version: version.major };
    put(columns, i, same ? found.value : (await exactStats(reader, tree, options)).value);
  }
  return columns;
}

/**
 * Computes again what may be spoilt: a window can only be if all its points are unflushed, and then
 * its minimum or maximum is 0 and it has no more points than the buffer.
 */
async function mendBuffered(
  reader: Reader,
  request: WindowsRequest,
  part: Part<StatColumns>,
  options: CallOptions,
): Promise<void> {
  const { times, min, max, count } = part.columns;
  for (let i = 0; i < times.length; i++) {
    const suspect = min[i] === 0 || max[i] === 0;
    if (!suspect || count[i] === 0n || count[i]! > part.version.minor) continue;
    const start = times[i]!;
    const range = { uuid: request.uuid, start, end: start + request.width, version: 0n };
    const { value } = await exactStats(reader, range, options);
    if (value.count !== count[i]) {
      const what = `Cannot read the window at ${start}: points were added to it meanwhile`;
      throw movedError(what, { rpc: "Windows", uuid: request.uuid });
    }
    put(part.columns, i, value);
  }
}

function put(columns: StatColumns, i: number, stats: Stats): void {
  columns.min[i] = stats.min;
  columns.mean[i] = stats.mean;
  columns.max[i] = stats.max;
  columns.count[i] = stats.count;
  if (columns.stddev !== undefined && stats.count > 0n) {
    columns.stddev[i] = Math.sqrt(stats.m2 / Number(stats.count));
  }
}
