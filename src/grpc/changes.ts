/**
 * Changed ranges, from servers that never answer when asked for the changes up to the latest version
 * and there are none (docs/protocol.md, "Quirks of real servers").
 *
 * @module
 */

import { BTrDBError, ErrorCode } from "../core/errors.ts";
import { LATEST, MAX_TIME, MIN_TIME } from "../core/range.ts";
import { uuidText } from "../core/uuid.ts";
import { checkChanges, isLatest, TEXT } from "../endpoint/checks.ts";
import type { CallOptions, ChangesChunk, ChangesRequest, Version } from "../endpoint/endpoint.ts";
import type { Reader } from "./reader.ts";

/**
 * See `Endpoint.changes`.
 *
 * @param latest Asks for the stream's version.
 * @param quirks Whether the server is one that can hang.
 */
export async function* readChanges(
  reader: Reader,
  request: ChangesRequest,
  latest: () => Promise<Version>,
  quirks: boolean,
  options: CallOptions,
): AsyncGenerator<ChangesChunk, void, undefined> {
  checkChanges(request);
  const sent = quirks && isLatest(request.to) ? await resolveLatest(request, latest) : request;
  for await (const { version, columns } of reader.changes(sent, options)) {
    yield { version, ...clamp(columns) };
  }
}

/**
 * The request with an end that the server can find. It is the latest major, except when something is
 * buffered: then there is a change after every version, and the latest may be asked for as such.
 */
async function resolveLatest(
  request: ChangesRequest,
  latest: () => Promise<Version>,
): Promise<ChangesRequest> {
  const { major, minor } = await latest();
  if (request.from > major) {
    const init = { code: ErrorCode.InvalidVersions, rpc: "Changes", uuid: uuidText(request.uuid) };
    throw new BTrDBError(TEXT.versionOrder, init);
  }
  return { ...request, to: minor === 0n ? major : LATEST };
}

/** Ranges without what lies outside the legal times: buffered points are rounded beyond them. */
function clamp(columns: { starts: BigInt64Array; ends: BigInt64Array }): {
  starts: BigInt64Array;
  ends: BigInt64Array;
} {
  const { starts, ends } = columns;
  const n = starts.length;
  if (n > 0 && starts[0]! < MIN_TIME) starts[0] = MIN_TIME;
  if (n > 0 && ends[n - 1]! > MAX_TIME) ends[n - 1] = MAX_TIME;
  return { starts, ends };
}
