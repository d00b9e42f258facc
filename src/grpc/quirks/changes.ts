/**
 * Changed ranges, from servers that never answer when asked for the changes up to the latest
 * version and there are none (docs/protocol.md, "Quirks of real servers").
 *
 * @module
 */

import { BTrDBError, ErrorCode } from "../../core/errors.ts";
import { LATEST } from "../../core/range.ts";
import { uuidText } from "../../core/uuid.ts";
import { checkChanges, isLatest, TEXT } from "../../endpoint/checks.ts";
import type {
  CallOptions,
  ChangesChunk,
  ChangesRequest,
  Version,
} from "../../endpoint/endpoint.ts";
import type { Reader } from "../read/reader.ts";

/**
 * See `Endpoint.changes`.
 *
 * @param quirks True if the server is one that can hang.
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
  const chunks = chunksOf(reader, sent, options);
  yield* isLatest(request.to) && !isLatest(sent.to) ? joinTouching(chunks) : chunks;
}

async function* chunksOf(
  reader: Reader,
  request: ChangesRequest,
  options: CallOptions,
): AsyncGenerator<ChangesChunk, void, undefined> {
  for await (const { version, columns } of reader.changes(request, options)) {
    yield { version, ...columns };
  }
}

/**
 * The request with an end that the server can find. It is the latest major, except when something
 * is buffered: then there is a change after every version, and the latest may be asked for as such.
 * Nothing has changed since a version that is not yet, so such a start is the latest one.
 */
async function resolveLatest(
  reader: Reader,
  request: ChangesRequest,
  options: CallOptions,
): Promise<ChangesRequest> {
  const { major, minor } = await reader.version(request.uuid, options).catch((error) => {
    if (!(error instanceof BTrDBError) || error.code !== ErrorCode.NoSuchStream) throw error;
    const call = { rpc: "Changes", uuid: uuidText(request.uuid) };
    throw new BTrDBError(TEXT.streamNotFound, { code: error.code, ...call });
  });
  const from = request.from > major ? major : request.from;
  return { ...request, from, to: minor === 0n ? major : LATEST };
}

/**
 * Joins changes as a server does up to the latest version, but not up to a version that is named:
 * of ranges that follow each other, those that touch are joined, in whatever direction.
 */
async function* joinTouching(
  chunks: AsyncIterable<ChangesChunk>,
): AsyncGenerator<ChangesChunk, void, undefined> {
  let version: Version | undefined;
  let held: { start: bigint; end: bigint } | undefined;
  const columnsOf = (ranges: { start: bigint; end: bigint }[]) => ({
    version: version!,
    starts: BigInt64Array.from(ranges, ({ start }) => start),
    ends: BigInt64Array.from(ranges, ({ end }) => end),
  });
  for await (const chunk of chunks) {
    version = chunk.version;
    const done: { start: bigint; end: bigint }[] = [];
    for (let i = 0; i < chunk.starts.length; i++) {
      const start = chunk.starts[i]!, end = chunk.ends[i]!;
      if (held !== undefined && start <= held.end && held.start <= end) {
        held = { start: min(start, held.start), end: max(end, held.end) };
      } else {
        if (held !== undefined) done.push(held);
        held = { start, end };
      }
    }
    if (done.length > 0) yield columnsOf(done);
  }
  if (version !== undefined) yield columnsOf(held === undefined ? [] : [held]);
}

function min(a: bigint, b: bigint): bigint {
  return a < b ? a : b;
}

function max(a: bigint, b: bigint): bigint {
  return a > b ? a : b;
}
