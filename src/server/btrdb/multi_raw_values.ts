/**
 * `MultiRawValues` of v5: several streams side by side (docs/protocol.md, "Protocol v5").
 *
 * @module
 */

import { create, toBinary } from "@bufbuild/protobuf";
import { BTrDBError, ErrorCode } from "../../core/errors.ts";
import {
  MultiRawValuesParamsSchema,
  MultiRawValuesResponseSchema,
  RawPointVecSchema,
} from "../../gen/btrdb_v5_pb.ts";
import type { Exchange } from "../method.ts";
import { withStreams } from "./many_streams.ts";
import { type MergedRequest, type MergedRows, mergedRows } from "./merged_rows.ts";
import { checkStreams, decode, versionOf } from "./request.ts";

/** Rows a message carries. */
const BATCH_ROWS = 1_000;

/** Cells a message carries, if that is more than a row: about 1 MiB. */
const BATCH_CELLS = 1 << 17;

/** `MultiRawValues`. */
export async function multiRawValues(exchange: Exchange): Promise<void> {
  const { call, endpoint, access, settings, metrics, options } = exchange;
  const params = await decode(MultiRawValuesParamsSchema, await call.only());
  const { uuid: uuids, start, end, periodNs } = params;
  await checkStreams(uuids, settings.maxStreamsPerCall);
  await access.stream("read", ...uuids);
  const request = mergedRequest(uuids, uuids.map(() => params.versionMajor), start, end, periodNs);
  const fitting = Math.floor(BATCH_CELLS / Math.max(1, uuids.length));
  const most = Math.max(1, Math.min(BATCH_ROWS, fitting));
  const streams = { streams: uuids.length, isWindows: false };
  await withStreams(exchange, streams, async (chunk) => {
    for await (const rows of mergedRows(endpoint, { ...request, chunk }, options)) {
      metrics.pointsRead += rows.times.length * uuids.length;
      let from = 0;
      do {
        const to = Math.min(rows.times.length, from + most);
        await call.send(rowsMessage(rows, from, to));
        from = to;
      } while (from < rows.times.length);
    }
  });
}

/**
 * The request of a call that names several streams.
 *
 * @throws {BTrDBError} 421, if the versions or the period do not fit.
 */
export function mergedRequest(
  uuids: readonly Uint8Array[],
  versions: readonly bigint[],
  start: bigint,
  end: bigint,
  periodNs: bigint,
): MergedRequest {
  if (versions.length !== 0 && versions.length !== uuids.length) {
    throw wrongArguments(`the call has ${versions.length} versions for ${uuids.length} streams`);
  }
  if (periodNs < 0n) throw wrongArguments(`the period is ${periodNs} ns, expected 0 or more`);
  return { uuids, versions: versions.map(versionOf), start, end, periodNs };
}

function wrongArguments(text: string): BTrDBError {
  return new BTrDBError(text, { code: ErrorCode.WrongArgs });
}

function rowsMessage(rows: MergedRows, from: number, to: number): Uint8Array {
  const values = [];
  for (let row = from; row < to; row++) {
    const cells = rows.values.map((column) => column[row]!);
    values.push(create(RawPointVecSchema, { time: rows.times[row]!, value: cells }));
  }
  const response = create(MultiRawValuesResponseSchema, {
    versionMajor: rows.versions.map(({ major }) => major),
    versionMinor: rows.versions.map(({ minor }) => minor),
    values,
  });
  return toBinary(MultiRawValuesResponseSchema, response);
}
