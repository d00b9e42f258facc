/**
 * Aligned windows that servers refuse or begin at the wrong times (docs/protocol.md, "Quirks of real
 * servers": `aligned-pw61`).
 *
 * @module
 */

import { MAX_ALIGNED_POINTWIDTH } from "../../core/pointwidth.ts";
import { checkAlignedWindows } from "../../endpoint/checks.ts";
import type { AlignedWindowsRequest, CallOptions, StatChunk } from "../../endpoint/endpoint.ts";
import { alignedRewindow } from "../../kernel/rewindow.ts";
import type { Reader } from "../read/reader.ts";

/**
 * See `Endpoint.alignedWindows`: the largest windows are made of smaller ones. `Stream` never asks
 * for them, because `src/client` makes them itself for every endpoint; only `serve` in front of a
 * cluster does.
 */
export async function* alignedWindows(
  reader: Reader,
  request: AlignedWindowsRequest,
  options: CallOptions,
): AsyncGenerator<StatChunk, void, undefined> {
  const { pointwidth } = request;
  const { start, end } = checkAlignedWindows(request);
  if (pointwidth <= MAX_ALIGNED_POINTWIDTH) {
    yield* reader.aligned(request, options);
    return;
  }
  const smaller = { ...request, start, end, pointwidth: MAX_ALIGNED_POINTWIDTH };
  const { version, columns } = await reader.collectAligned(smaller, options);
  if (columns.times.length === 0) yield { version, columns };
  else yield { version, columns: alignedRewindow(columns, { pointwidth, stddev: reader.stddev }) };
}
