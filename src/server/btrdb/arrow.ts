/**
 * The Arrow RPCs of v5: columns as complete Arrow IPC streams (docs/protocol.md, "Arrow"). The Arrow
 * library is loaded by the first call that needs it.
 *
 * @module
 */

import { create, toBinary } from "@bufbuild/protobuf";
import { BTrDBError, ErrorCode } from "../../core/errors.ts";
import { giveWay, inSlices } from "../../core/pacer.ts";
import { loadArrow } from "./load_arrow.ts";
import { uuidText } from "../../core/uuid.ts";
import type { MergePolicy, Version } from "../../endpoint/endpoint.ts";
import { checkInsertSize } from "../../endpoint/checks.ts";
import {
  AlignedWindowsParamsSchema,
  ArrowInsertParamsSchema,
  ArrowMultiValuesParamsSchema,
  ArrowMultiValuesResponseSchema,
  ArrowRawValuesParamsSchema,
  ArrowRawValuesResponseSchema,
  MergePolicy as WirePolicy,
  WindowsParamsSchema,
} from "../../gen/btrdb_v5_pb.ts";
import type { Exchange } from "../method.ts";
import { withStreams } from "./many_streams.ts";
import { mergedRows } from "./merged_rows.ts";
import { mergedRequest } from "./multi_raw_values.ts";
import { type AnswerKind, RAW_ANSWER, statAnswer } from "../../kernel/answer_pieces.ts";
import { sendColumns } from "./streaming.ts";
import { atMost, checkStreams, decode, versionOf } from "./request.ts";
import { insertInPieces, insertLimit } from "./insert_in_pieces.ts";
import { versionMessage } from "./writes.ts";

/** Points of a message: what frames them costs about a KiB each time. */
const BATCH_POINTS = 50_000;

/** Windows of a message, of six columns: one is made in 2 to 4 ms. */
const BATCH_WINDOWS = 16_384;

/** Cells of a message of several streams. */
const BATCH_CELLS = 250_000;

/** Names that are made in one step. */
const STEP_NAMES = 512;

/** Bytes of all buffers of an insert, unpacked: four times those of the points it may have. */
const MAX_INSERT_BYTES = 64 << 20;

const POLICIES: Readonly<Record<number, MergePolicy>> = {
  [WirePolicy.NEVER]: "never",
  [WirePolicy.EQUAL]: "equal",
  [WirePolicy.RETAIN]: "retain",
  [WirePolicy.REPLACE]: "replace",
};

/** `ArrowRawValues`. */
export async function arrowRawValues(exchange: Exchange): Promise<void> {
  const { call, endpoint, access, options } = exchange;
  const params = await decode(ArrowRawValuesParamsSchema, await call.only());
  await access.stream("read", params.uuid);
  const { rawToIpc } = await loadArrow();
  const { uuid, start, end, templateBytes: template } = params;
  const kind = encodedBy(RAW_ANSWER, (columns) => rawToIpc(columns, { template }));
  const request = { uuid, start, end, version: versionOf(params.versionMajor) };
  await sendColumns(exchange, endpoint.rawValues(request, options), kind, BATCH_POINTS);
}

/** `ArrowAlignedWindows`. */
export async function arrowAlignedWindows(exchange: Exchange): Promise<void> {
  const { call, endpoint, access, options } = exchange;
  const params = await decode(AlignedWindowsParamsSchema, await call.only());
  await access.stream("read", params.uuid);
  const { statToIpc } = await loadArrow();
  const kind = encodedBy(statAnswer(true), (columns) => statToIpc(columns, { withStddev: true }));
  const { uuid, start, end, pointWidth: pointwidth } = params;
  const request = { uuid, start, end, pointwidth, version: versionOf(params.versionMajor) };
  await sendColumns(exchange, endpoint.alignedWindows(request, options), kind, BATCH_WINDOWS);
}

/** `ArrowWindows`. */
export async function arrowWindows(exchange: Exchange): Promise<void> {
  const { call, endpoint, access, options } = exchange;
  const params = await decode(WindowsParamsSchema, await call.only());
  await access.stream("read", params.uuid);
  const { statToIpc } = await loadArrow();
  const kind = encodedBy(statAnswer(true), (columns) => statToIpc(columns, { withStddev: true }));
  const { uuid, start, end, width, depth } = params;
  const request = { uuid, start, end, width, depth, version: versionOf(params.versionMajor) };
  await sendColumns(exchange, endpoint.windows(request, options), kind, BATCH_WINDOWS);
}

/** `ArrowMultiValues`: raw values of several streams, joined by time. */
export async function arrowMultiValues(exchange: Exchange): Promise<void> {
  const { call, endpoint, access, settings, metrics, options } = exchange;
  const params = await decode(ArrowMultiValuesParamsSchema, await call.only(), {
    list: atMost(ArrowMultiValuesParamsSchema.field.uuid, settings.maxStreamsPerCall),
  });
  const { uuid: uuids, start, end, snapPeriodNs, templateBytes: template } = params;
  await checkStreams(uuids, settings.maxStreamsPerCall);
  await access.stream("read", ...uuids);
  const { multiIpcInSteps } = await loadArrow();
  const request = mergedRequest(uuids, params.versionMajor, start, end, snapPeriodNs);
  const names: string[] = [];
  for (const uuid of uuids) {
    names.push(uuidText(uuid));
    if (names.length % STEP_NAMES === 0) await giveWay();
  }
  const writer = await inSlices(multiIpcInSteps(names, { template }), options);
  await giveWay();
  const most = Math.max(1, Math.floor(BATCH_CELLS / (uuids.length + 1)));
  const streams = { streams: uuids.length, isWindows: false };
  await withStreams(exchange, streams, async (chunk) => {
    const merged = mergedRows(endpoint, { ...request, chunk }, options);
    for await (const { times, values } of merged) {
      metrics.pointsRead += times.length * uuids.length;
      let from = 0;
      do {
        const to = Math.min(times.length, from + most);
        await giveWay();
        const isAll = to - from === times.length;
        const part = isAll ? values : values.map((column) => column.subarray(from, to));
        const steps = writer.write([times.subarray(from, to), ...part]);
        const arrowBytes = await inSlices(steps, options);
        await giveWay();
        const response = create(ArrowMultiValuesResponseSchema, { arrowBytes });
        await call.send(toBinary(ArrowMultiValuesResponseSchema, response));
        from = to;
      } while (from < times.length);
    }
  });
}

/** `ArrowInsert`. */
export async function arrowInsert(exchange: Exchange): Promise<void> {
  const { call, endpoint, access, metrics, options } = exchange;
  const params = await decode(ArrowInsertParamsSchema, await call.only());
  const { uuid, rounding } = params;
  await access.stream("insert", uuid);
  const mergePolicy = POLICIES[params.mergePolicy];
  if (mergePolicy === undefined) {
    throw new BTrDBError(`merge policy ${params.mergePolicy} is unknown`, {
      code: ErrorCode.InvalidParameter,
    });
  }
  const { ipcToRawInSlices } = await loadArrow();
  const checkPoints = (points: number) => checkInsertSize(points, insertLimit(endpoint), uuid);
  const bounds = { maxUnpackedBytes: MAX_INSERT_BYTES, checkPoints };
  const columns = await ipcToRawInSlices(params.arrowBytes, bounds, { signal: call.signal });
  const roundBits = rounding?.spec.case === "bits" ? rounding.spec.value : undefined;
  const request = { uuid, columns, mergePolicy, roundBits };
  const version = await insertInPieces(endpoint, request, options);
  metrics.pointsInserted += columns.times.length;
  await call.send(versionMessage(version));
}

/** Columns of one kind as Arrow; the responses of the three reads are the same on the wire. */
function encodedBy<Columns>(
  kind: AnswerKind<Columns>,
  ipc: (columns: Columns) => Uint8Array,
): AnswerKind<Columns> {
  const encode = (columns: Columns, from: number, to: number, version: Version) => {
    const response = create(ArrowRawValuesResponseSchema, {
      versionMajor: version.major,
      versionMinor: version.minor,
      arrowBytes: ipc(kind.slice(columns, from, to)),
    });
    return toBinary(ArrowRawValuesResponseSchema, response);
  };
  return { ...kind, encode };
}
