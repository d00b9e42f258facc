/**
 * Corrects windows of servers that leave out the last one, give it without its
 * committed points, or spoil those that have only unflushed points (docs/protocol.md, "Quirks of
 * real servers": `windows-last-empty-missing`, `windows-last-data-missing`,
 * `windows-buffer-minmax`).
 *
 * @module
 */

import { allocStat, concatStat, sliceStat, type StatColumns } from "../../core/columns.ts";
import { MAX_TIME } from "../../core/range.ts";
import type { CallOptions, StatChunk, Version, WindowsRequest } from "../../endpoint/endpoint.ts";
import { movedError } from "../errors.ts";
import { sameVersion } from "../../endpoint/version.ts";
import { exactStats, type Stats } from "./range_search.ts";
import type { Reader } from "../read/reader.ts";

/** Windows that one chunk of added ones holds. */
const CHUNK = 4096;
/** Start of the root's last child: behind it the server's walk ends without sending what it has. */
const LAST_CHILD = MAX_TIME - (1n << 56n);

/** Grid of the windows asked for. */
interface Grid {
  readonly start: bigint;
  readonly end: bigint;
}

/**
 * Reads windows, all of them, with right statistics.
 *
 * @param grid Ends of the request, rounded to whole windows.
 */
export async function* completeWindows(
  reader: Reader,
  request: WindowsRequest,
  grid: Grid,
  options: CallOptions,
): AsyncGenerator<StatChunk, void, undefined> {
  let next = grid.start;
  let version: Version = { major: 0n, minor: 0n };
  for await (const part of reader.windows(request, grid, options)) {
    version = part.version;
    if (version.minor > 0n) await correctBuffered(reader, request, grid, part, options);
    for (const columns of runsOf(part.columns, request.width, grid.end)) {
      yield* fill(reader, request, next, columns.times[0] ?? next, version, options);
      const n = columns.times.length;
      if (n > 0) next = columns.times[n - 1]! + request.width;
      yield { version, columns };
    }
  }
  yield* fill(reader, request, next, grid.end, version, options);
}

/**
 * The windows of a part in runs without gaps, those at or behind `end` left out: an unflushed point
 * exactly there makes a window too many.
 */
function* runsOf(columns: StatColumns, width: bigint, end: bigint): Generator<StatColumns> {
  const { times } = columns;
  let n = times.length;
  while (n > 0 && times[n - 1]! >= end) n--;
  let from = 0;
  for (let i = 1; i < n; i++) {
    if (times[i]! - times[i - 1]! === width) continue;
    yield copyStat(columns, from, i);
    from = i;
  }
  yield from === 0 && n === times.length ? columns : copyStat(columns, from, n);
}

/** Some windows in memory of their own: every chunk belongs to who receives it. */
function copyStat(columns: StatColumns, from: number, to: number): StatColumns {
  return concatStat([sliceStat(columns, from, to)]);
}

/** The windows from `from` to `end`, which the server left out. */
async function* fill(
  reader: Reader,
  request: WindowsRequest,
  from: bigint,
  end: bigint,
  version: Version,
  options: CallOptions,
): AsyncGenerator<StatChunk, void, undefined> {
  for (let next = from; next < end;) {
    const columns = await missing(reader, request, next, end, version, options);
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
    // Windows that the server left out have no unflushed points: at another version of the stream, the tree
    // of the first one still tells what was there.
    const same = sameVersion(found.version, version);
    const tree = { ...range, version: version.major };
    put(columns, i, same ? found.value : (await exactStats(reader, tree, options)).value);
  }
  return columns;
}

/**
 * Computes windows anew that may be wrong. All of them have no more points than the buffer:
 *
 * - with only unflushed points, and a minimum or maximum of 0,
 * - the last one asked for, whose committed points the server may have left out,
 * - any one in the root's last child, for the same reason.
 */
async function correctBuffered(
  reader: Reader,
  request: WindowsRequest,
  grid: Grid,
  { version, columns }: StatChunk,
  options: CallOptions,
): Promise<void> {
  const { uuid, width } = request;
  const { times, min, max, count } = columns;
  for (let i = 0; i < times.length; i++) {
    const [start, end] = [times[i]!, times[i]! + width];
    const isDoubtful = min[i] === 0 || max[i] === 0 || end === grid.end || end > LAST_CHILD;
    if (!isDoubtful || count[i] === 0n || count[i]! > version.minor || end > grid.end) continue;
    const found = await exactStats(reader, { uuid, start, end, version: 0n }, options);
    if (!sameVersion(found.version, version)) {
      const text =
        `Cannot read the window at ${start}: version ${version.major}.${version.minor} ` +
        `has become ${found.version.major}.${found.version.minor} meanwhile`;
      throw movedError(text, { rpc: "Windows", uuid });
    }
    put(columns, i, found.value);
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
