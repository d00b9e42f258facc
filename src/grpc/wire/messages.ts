/**
 * Messages that are the same in v4 and v5, between bytes and the terms of the endpoint. The
 * differences are in metadata_codec_v4.ts and metadata_codec_v5.ts; points go through the kernel
 * (src/kernel/wire.ts).
 *
 * @module
 */

import { create, toBinary } from "@bufbuild/protobuf";
import { MAX_TIME, MIN_TIME } from "../../core/range.ts";
import type {
  ChangesChunk,
  ChangesRequest,
  Mash,
  NearestRequest,
  NearestResult,
  ServerInfo,
  Version,
} from "../../endpoint/endpoint.ts";
import {
  AlignedWindowsParamsSchema,
  ChangesParamsSchema,
  ChangesResponseSchema,
  DeleteParamsSchema,
  FlushParamsSchema,
  InfoResponseSchema,
  type Mash as WireMash,
  NearestParamsSchema,
  NearestResponseSchema,
  ObliterateParamsSchema,
  RawValuesParamsSchema,
  StreamInfoParamsSchema,
  WindowsParamsSchema,
} from "../../gen/btrdb_v5_pb.ts";
import { checkStat, type ErrorContext, wrongAnswer } from "../errors.ts";
import { decodeMessage } from "./decode_message.ts";

/** A range of a stream at a version, as three requests begin. */
export interface WireRange {
  readonly uuid: Uint8Array;
  readonly start: bigint;
  readonly end: bigint;
  readonly version: bigint;
}

/** A `RawValuesParams`. */
export function rawValuesParams({ uuid, start, end, version }: WireRange): Uint8Array {
  const message = create(RawValuesParamsSchema, { uuid, start, end, versionMajor: version });
  return toBinary(RawValuesParamsSchema, message);
}

/** An `AlignedWindowsParams`. */
export function alignedWindowsParams(range: WireRange, pointWidth: number): Uint8Array {
  const { uuid, start, end, version } = range;
  const init = { uuid, start, end, versionMajor: version, pointWidth };
  return toBinary(AlignedWindowsParamsSchema, create(AlignedWindowsParamsSchema, init));
}

/** A `WindowsParams`. */
export function windowsParams(range: WireRange, width: bigint, depth: number): Uint8Array {
  const { uuid, start, end, version } = range;
  const init = { uuid, start, end, versionMajor: version, width, depth };
  return toBinary(WindowsParamsSchema, create(WindowsParamsSchema, init));
}

/** A `NearestParams`. */
export function nearestParams({ uuid, time, version, backward }: NearestRequest): Uint8Array {
  const message = create(NearestParamsSchema, { uuid, time, versionMajor: version, backward });
  return toBinary(NearestParamsSchema, message);
}

/** A `ChangesParams`. */
export function changesParams({ uuid, from, to, resolution }: ChangesRequest): Uint8Array {
  const init = { uuid, fromMajor: from, toMajor: to, resolution };
  return toBinary(ChangesParamsSchema, create(ChangesParamsSchema, init));
}

/** A `DeleteParams`. */
export function deleteParams(uuid: Uint8Array, start: bigint, end: bigint): Uint8Array {
  return toBinary(DeleteParamsSchema, create(DeleteParamsSchema, { uuid, start, end }));
}

/** A `FlushParams`. */
export function flushParams(uuid: Uint8Array): Uint8Array {
  return toBinary(FlushParamsSchema, create(FlushParamsSchema, { uuid }));
}

/** An `ObliterateParams`. */
export function obliterateParams(uuid: Uint8Array): Uint8Array {
  return toBinary(ObliterateParamsSchema, create(ObliterateParamsSchema, { uuid }));
}

/** A `StreamInfoParams`. */
export function streamInfoParams(
  uuid: Uint8Array,
  omitVersion: boolean,
  omitDescriptor: boolean,
): Uint8Array {
  const message = create(StreamInfoParamsSchema, { uuid, omitVersion, omitDescriptor });
  return toBinary(StreamInfoParamsSchema, message);
}

/** The version in the answer to `Insert`, `Delete` or `Flush`; throws what its `stat` says. */
export function decodeVersion(bytes: Uint8Array, call: ErrorContext): Version {
  const { stat, versionMajor, versionMinor } = decodeMessage(NearestResponseSchema, bytes);
  checkStat(stat, call);
  if (versionMajor === 0n) throw wrongAnswer("it has no version", call);
  return { major: versionMajor, minor: versionMinor };
}

/** Throws what the `stat` of an answer says: all of them begin alike. */
export function decodeStat(bytes: Uint8Array, call: ErrorContext): void {
  checkStat(decodeMessage(NearestResponseSchema, bytes).stat, call);
}

/** Reads a `NearestResponse`; throws what its `stat` says. */
export function decodeNearest(bytes: Uint8Array, call: ErrorContext): NearestResult {
  const { stat, versionMajor, versionMinor, value } = decodeMessage(NearestResponseSchema, bytes);
  checkStat(stat, call);
  if (value === undefined) throw wrongAnswer("it has no point", call);
  return {
    version: { major: versionMajor, minor: versionMinor },
    point: { time: value.time, value: value.value },
  };
}

/**
 * Reads a `ChangesResponse`; throws what its `stat` says.
 *
 * @param resolution That of the request. Times of buffered points are rounded to it, also beyond the time
 *   axis.
 */
export function decodeChanges(
  bytes: Uint8Array,
  call: ErrorContext,
  resolution: number,
): ChangesChunk {
  const { stat, versionMajor, versionMinor, ranges } = decodeMessage(ChangesResponseSchema, bytes);
  checkStat(stat, call);
  const place = BigInt(resolution);
  const first = MIN_TIME >> place << place;
  const last = -(-MAX_TIME >> place << place);
  if (ranges.some(({ start, end }) => start >= end || start < first || end > last)) {
    throw wrongAnswer("it has an impossible range", call);
  }
  return {
    version: { major: versionMajor, minor: versionMinor },
    starts: BigInt64Array.from(ranges, (range) => range.start),
    ends: BigInt64Array.from(ranges, (range) => range.end),
  };
}

/** Longest answer to `Info`: a thousand nodes have 250 KB. All of them may be connected to. */
const MAX_INFO_BYTES = 1 << 18;

/** Reads an `InfoResponse`; throws what its `stat` says. */
export function decodeInfo(
  bytes: Uint8Array,
  call: ErrorContext,
  protocol: "v4" | "v5",
): ServerInfo {
  if (bytes.length > MAX_INFO_BYTES) throw wrongAnswer(`it has ${bytes.length} bytes`, call);
  const { stat, mash, majorVersion, minorVersion, build, proxy } = decodeMessage(
    InfoResponseSchema,
    bytes,
  );
  checkStat(stat, call);
  const info: ServerInfo = { protocol, majorVersion, minorVersion, build };
  if (mash !== undefined) info.mash = mashOf(mash);
  if (proxy !== undefined) info.proxyEndpoints = proxy.proxyEndpoints;
  return info;
}

function mashOf(mash: WireMash): Mash {
  const { revision, leader, leaderRevision, totalWeight, healthy, unmapped } = mash;
  const members = mash.members.map((member) => {
    const { hash, nodename, up, in: isIn, enabled, start, end, weight, readPreference } = member;
    return {
      ...{ hash, nodename, up, in: isIn, enabled, start, end, weight, readPreference },
      httpEndpoints: split(member.httpEndpoints),
      grpcEndpoints: split(member.grpcEndpoints),
    };
  });
  return { revision, leader, leaderRevision, totalWeight, healthy, unmapped, members };
}

function split(endpoints: string): string[] {
  return endpoints.split(";").filter((text) => text !== "");
}
