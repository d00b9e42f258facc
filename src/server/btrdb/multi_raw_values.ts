/**
 * `MultiRawValues` of v5: several streams side by side (docs/protocol.md, "Protocol v5").
 *
 * @module
 */

import { create, toBinary } from "@bufbuild/protobuf";
import { concatBytes } from "../../core/bytes.ts";
import { giveWay } from "../../core/pacer.ts";
import { BTrDBError, ErrorCode } from "../../core/errors.ts";
import { MultiRawValuesParamsSchema, MultiRawValuesResponseSchema } from "../../gen/btrdb_v5_pb.ts";
import type { Exchange } from "../method.ts";
import { withStreams } from "./many_streams.ts";
import { type MergedRequest, type MergedRows, mergedRows } from "./merged_rows.ts";
import { atMost, checkStreams, decode, versionOf } from "./request.ts";

/** Rows a message carries. */
const BATCH_ROWS = 1_000;

/** Cells a message carries, if that is more than a row: about 1 MiB. */
const BATCH_CELLS = 1 << 17;

/** `MultiRawValues`. */
export async function multiRawValues(exchange: Exchange): Promise<void> {
  const { call, endpoint, access, settings, metrics, options } = exchange;
  const params = await decode(MultiRawValuesParamsSchema, await call.only(), {
    list: atMost(MultiRawValuesParamsSchema.field.uuid, settings.maxStreamsPerCall),
  });
  const { uuid: uuids, start, end, periodNs } = params;
  await checkStreams(uuids, settings.maxStreamsPerCall);
  await access.stream("read", ...uuids);
  const request = mergedRequest(uuids, uuids.map(() => params.versionMajor), start, end, periodNs);
  const fitting = Math.floor(BATCH_CELLS / Math.max(1, uuids.length));
  const most = Math.max(1, Math.min(BATCH_ROWS, fitting));
  const streams = { streams: uuids.length, isWindows: false };
  await withStreams(exchange, streams, async (chunk) => {
    let head: Uint8Array | undefined;
    for await (const rows of mergedRows(endpoint, { ...request, chunk }, options)) {
      metrics.pointsRead += rows.times.length * uuids.length;
      head ??= await versionFields(rows);
      let from = 0;
      do {
        const to = Math.min(rows.times.length, from + most);
        await giveWay();
        await call.send(rowsMessage(rows, head, from, to));
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

/** Tags of the fields of a row: itself in the message, its time and its values. */
const [ROW_TAG, TIME_TAG, VALUES_TAG] = [0x22, 0x09, 0x12];

/** Bytes of a time, and of a value. */
const NUMBER_BYTES = 8;

/** Streams whose versions are encoded in one step: those of 10,000 took 20 ms, the first time. */
const STEP_VERSIONS = 512;

/**
 * Fields of the versions that rows were read at: messages with some of them, one after another, are one
 * message.
 */
export async function versionFields(
  { versions }: Pick<MergedRows, "versions">,
): Promise<Uint8Array> {
  const pieces: Uint8Array[] = [];
  for (let from = 0; from < versions.length; from += STEP_VERSIONS) {
    const some = versions.slice(from, from + STEP_VERSIONS);
    const response = create(MultiRawValuesResponseSchema, {
      versionMajor: some.map(({ major }) => major),
      versionMinor: some.map(({ minor }) => minor),
    });
    await giveWay();
    pieces.push(toBinary(MultiRawValuesResponseSchema, response));
  }
  return concatBytes(pieces);
}

/**
 * Encodes rows. The library would make an object and a list of each, and take several times as long for
 * a message of a MiB, while everyone else waits.
 *
 * @param rows Rows of at least one stream.
 * @param head Fields before them.
 * @param from First row.
 * @param to Row after the last one.
 */
export function rowsMessage(
  rows: Pick<MergedRows, "times" | "values">,
  head: Uint8Array,
  from: number,
  to: number,
): Uint8Array {
  const valuesBytes = NUMBER_BYTES * rows.values.length;
  const beforeValues = [VALUES_TAG, ...varint(valuesBytes)];
  const rowBytes = 1 + NUMBER_BYTES + beforeValues.length + valuesBytes;
  const beforeTime = [ROW_TAG, ...varint(rowBytes), TIME_TAG];
  const stride = beforeTime.length - 1 + rowBytes;
  const message = new Uint8Array(head.length + (to - from) * stride);
  const view = new DataView(message.buffer);
  message.set(head);
  for (let row = from; row < to; row++) {
    const at = head.length + (row - from) * stride;
    message.set(beforeTime, at);
    view.setBigInt64(at + beforeTime.length, rows.times[row]!, true);
    message.set(beforeValues, at + beforeTime.length + NUMBER_BYTES);
  }
  const firstValue = head.length + stride - valuesBytes;
  for (const [stream, column] of rows.values.entries()) {
    fillColumn(view, firstValue + NUMBER_BYTES * stream, stride, column, from, to);
  }
  return message;
}

/** Writes the values of one stream into rows that are `stride` bytes apart. */
function fillColumn(
  view: DataView,
  first: number,
  stride: number,
  values: Float64Array,
  from: number,
  to: number,
): void {
  for (let row = from, at = first; row < to; row++, at += stride) {
    view.setFloat64(at, values[row]!, true);
  }
}

/** A number as protobuf encodes it. */
function varint(value: number): number[] {
  const bytes = [];
  for (; value > 0x7f; value >>>= 7) bytes.push(value & 0x7f | 0x80);
  bytes.push(value);
  return bytes;
}
