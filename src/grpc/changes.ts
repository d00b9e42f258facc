/**
 * Changed ranges, from servers that never answer when asked for the changes up to the latest version
 * and there are none (docs/protocol.md, "Quirks of real servers").
 *
 * @module
 */

import { BTrDBError, ErrorCode } from "../core/errors.ts";
import { LATEST } from "../core/range.ts";
import { uuidText } from "../core/uuid.ts";
import { checkChanges, isLatest, TEXT } from "../endpoint/checks.ts";
import type { CallOptions, ChangesChunk, ChangesRequest } from "../endpoint/endpoint.ts";
import type { Reader } from "./reader.ts";

/**
 * See `Endpoint.changes`.
 *
 * @param quirks Whether the server is one that can hang.
 */
export async function* readChanges(
  reader: Reader,
  request: ChangesRequest,
  quirks: boolean,
  options: CallOptions,
): AsyncGenerator<ChangesChunk, void, undefined> {
  checkChanges(request);
  const sent = quirks && isLatest(request.to)
    ? await resolveLatest(reader, request, options)
    : request;
  for await (const { version, columns } of reader.changes(sent, options)) {
    yield { version, ...columns };
  }
}

/**
 * The request with an end that the server can find. It is the latest major, except when something is
 * buffered: then there is a change after every version, and the latest may be asked for as such.
 */
async function resolveLatest(
  reader: Reader,
  request: ChangesRequest,
  options: CallOptions,
): Promise<ChangesRequest> {
  const call = { rpc: "Changes", uuid: uuidText(request.uuid) };
  const { major, minor } = await reader.version(request.uuid, options).catch((error) => {
    if (!(error instanceof BTrDBError) || error.code !== ErrorCode.NoSuchStream) throw error;
    throw new BTrDBError(TEXT.streamNotFound, { code: error.code, ...call });
  });
  if (request.from > major) {
    throw new BTrDBError(TEXT.versionOrder, { code: ErrorCode.InvalidVersions, ...call });
  }
  return { ...request, to: minor === 0n ? major : LATEST };
}
