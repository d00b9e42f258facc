/**
 * Windows of any width, computed by the server, or here from aligned windows that are
 * re-windowed in the kernel.
 *
 * @module
 */

import type { RawColumns, StatColumns } from "../core/columns.ts";
import { MAX_ALIGNED_POINTWIDTH, pointwidthOf } from "../core/pointwidth.ts";
import { MAX_TIME } from "../core/range.ts";
import type { CallOptions, Chunk, Endpoint, StatChunk, Version } from "../endpoint/endpoint.ts";
import { Rewindower } from "../kernel/rewindower.ts";
import { openAligned } from "./aligned_windows.ts";
import { cut, readInTurn, type Target, wholeRange } from "./range_cut.ts";

/** Place where windows are computed: the server, the client, or whichever is right and cheaper. */
export type Compute = "auto" | "server" | "client";

/** Windows wanted: `[start + k·width, start + (k+1)·width)` for all k below `n`. */
export interface WindowsPlan extends Target {
  start: bigint;
  width: bigint;
  n: bigint;
  /** Accurate to 2^depth ns. */
  depth: number;
  compute: Compute;
}

/**
 * Opens the answer to a plan.
 *
 * Servers compute exact windows but visit every point at a window's edge; their own `depth` is not
 * used because it can give wrong counts (docs/protocol.md, "Windows"). A depth above 0 is computed
 * here from aligned windows of at most 2^depth ns, unless the endpoint is embedded, where exact
 * costs no more.
 */
export function openWindows(
  endpoint: Endpoint,
  plan: WindowsPlan,
  options: CallOptions,
): AsyncIterableIterator<StatChunk> {
  const embedded = endpoint.capabilities.protocol === "embedded";
  const here = plan.compute === "client" ||
    (plan.compute === "auto" && plan.depth > 0 && !embedded);
  if (!here) return serverWindows(endpoint, plan, options);
  if (plan.depth === 0) return rewindowed(endpoint, plan, rawSource(endpoint, plan, options));
  return rewindowed(endpoint, plan, alignedSource(endpoint, plan, options));
}

/**
 * Servers refuse an end at `MAX_TIME`. The last window is then asked for on its own, one moment
 * shorter: no point can be stored in that moment.
 */
function serverWindows(
  endpoint: Endpoint,
  plan: WindowsPlan,
  options: CallOptions,
): AsyncIterableIterator<StatChunk> {
  const { uuid, start, width, n } = plan;
  const end = start + n * width;
  const ask = (last: bigint) => (version: bigint) =>
    endpoint.windows({ uuid, version, start, end: last, width, depth: 0 }, options);
  if (end !== MAX_TIME) return ask(end)(plan.version);
  const range = { start: end - width, end };
  const lastWindow = (version: bigint) => wholeRange(endpoint, { uuid, version }, range, options);
  return readInTurn(
    endpoint,
    plan.version,
    n === 1n ? [lastWindow] : [ask(end - width), lastWindow],
  );
}

/** Columns of one kind in order of time, with the version they come from. */
type SourceChunk = Chunk<RawColumns | StatColumns>;

/** No point can be in the moment before `MAX_TIME`, and servers refuse `MAX_TIME` as an end. */
async function* rawSource(
  endpoint: Endpoint,
  { uuid, version, start, width, n }: WindowsPlan,
  options: CallOptions,
): AsyncIterableIterator<SourceChunk> {
  const end = start + n * width;
  const last = end === MAX_TIME ? end - 1n : end;
  if (start < last) yield* endpoint.rawValues({ uuid, version, start, end: last }, options);
}

/** Aligned windows where they fit and one exact window at either edge: the totals are exact. */
function alignedSource(
  endpoint: Endpoint,
  { uuid, version, start, width, n, depth }: WindowsPlan,
  options: CallOptions,
): AsyncIterableIterator<SourceChunk> {
  const pointwidth = Math.min(depth, pointwidthOf(width), MAX_ALIGNED_POINTWIDTH);
  const { head, body, tail } = cut({ start, end: start + n * width }, pointwidth);
  const openers: ((version: bigint) => AsyncIterableIterator<StatChunk>)[] = [];
  if (head !== undefined) {
    openers.push((at) => wholeRange(endpoint, { uuid, version: at }, head, options));
  }
  if (body !== undefined) {
    openers.push((at) =>
      openAligned(endpoint, { uuid, version: at, ...body, pointwidth }, options)
    );
  }
  if (tail !== undefined) {
    openers.push((at) => wholeRange(endpoint, { uuid, version: at }, tail, options));
  }
  return readInTurn(endpoint, version, openers);
}

async function* rewindowed(
  endpoint: Endpoint,
  { start, width, n }: WindowsPlan,
  source: AsyncIterableIterator<SourceChunk>,
): AsyncIterableIterator<StatChunk> {
  const rewindower = new Rewindower({
    start,
    end: start + n * width,
    width,
    mode: "dense",
    stddev: endpoint.capabilities.stddev,
  });
  let version: Version = { major: 0n, minor: 0n };
  for await (const chunk of source) {
    version = chunk.version;
    if (chunk.columns.times.length === 0) continue;
    for (const columns of rewindower.batches(chunk.columns)) yield { version, columns };
  }
  for (const columns of rewindower.rest()) yield { version, columns };
}
