/**
 * The RPCs that read points, the same in both protocols but for `stddev`.
 *
 * @module
 */

import { create, toBinary } from "@bufbuild/protobuf";
import {
  AlignedWindowsParamsSchema,
  ChangesParamsSchema,
  ChangesResponseSchema,
  NearestParamsSchema,
  NearestResponseSchema,
  RawValuesParamsSchema,
  WindowsParamsSchema,
} from "../../gen/btrdb_v5_pb.ts";
import type { ChangesChunk } from "../../endpoint/endpoint.ts";
import { asksForBlocks } from "../../kernel/wire.ts";
import type { Exchange, Method } from "../method.ts";
import { decode, versionOf } from "./request.ts";
import { sendRead } from "./streaming.ts";

/** Ranges a `ChangesResponse` carries. */
const BATCH_RANGES = 1_000;

/** `RawValues`. */
export async function rawValues(exchange: Exchange): Promise<void> {
  const { call, access } = exchange;
  const message = await call.only();
  const params = await decode(RawValuesParamsSchema, message);
  await access.stream("read", params.uuid);
  const { uuid, start, end } = params;
  const version = versionOf(params.versionMajor);
  const request = { uuid, start, end, version, takesBlocks: asksForBlocks(message) };
  await sendRead(exchange, { method: "rawValues", request, withStddev: false });
}

/** `AlignedWindows`, with `stddev` in v5. */
export function alignedWindows(withStddev: boolean): Method {
  return async (exchange) => {
    const { call, access } = exchange;
    const params = await decode(AlignedWindowsParamsSchema, await call.only());
    await access.stream("read", params.uuid);
    const { uuid, start, end, pointWidth } = params;
    const version = versionOf(params.versionMajor);
    const request = { uuid, start, end, version, pointwidth: pointWidth };
    await sendRead(exchange, { method: "alignedWindows", request, withStddev });
  };
}

/** `Windows`, with `stddev` in v5. */
export function windows(withStddev: boolean): Method {
  return async (exchange) => {
    const { call, access } = exchange;
    const params = await decode(WindowsParamsSchema, await call.only());
    await access.stream("read", params.uuid);
    const { uuid, start, end, width, depth } = params;
    const request = { uuid, start, end, width, depth, version: versionOf(params.versionMajor) };
    await sendRead(exchange, { method: "windows", request, withStddev });
  };
}

/** `Nearest`. */
export async function nearest({ call, endpoint, access, options }: Exchange): Promise<void> {
  const params = await decode(NearestParamsSchema, await call.only());
  await access.stream("read", params.uuid);
  const { uuid, time, backward } = params;
  const request = { uuid, time, backward, version: versionOf(params.versionMajor) };
  const { version, point } = await endpoint.nearest(request, options);
  const response = create(NearestResponseSchema, {
    versionMajor: version.major,
    versionMinor: version.minor,
    value: point,
  });
  await call.send(toBinary(NearestResponseSchema, response));
}

/** `Changes`. */
export async function changes(exchange: Exchange): Promise<void> {
  const { call, endpoint, access, options } = exchange;
  const params = await decode(ChangesParamsSchema, await call.only());
  await access.stream("read", params.uuid);
  const request = {
    uuid: params.uuid,
    from: params.fromMajor,
    to: versionOf(params.toMajor),
    resolution: params.resolution,
  };
  let held: ChangesChunk | undefined;
  let sent = false;
  for await (const chunk of endpoint.changes(request, options)) {
    const joined = joinRanges(held, chunk);
    let at = 0;
    for (; joined.starts.length - at >= BATCH_RANGES; at += BATCH_RANGES) {
      sent = true;
      await call.send(encodeRanges(joined, at, at + BATCH_RANGES));
    }
    held = cutRanges(joined, at, joined.starts.length);
  }
  if (held !== undefined && (!sent || held.starts.length > 0)) {
    await call.send(encodeRanges(held, 0, held.starts.length));
  }
}

function cutRanges(chunk: ChangesChunk, from: number, to: number): ChangesChunk {
  const { version, starts, ends } = chunk;
  return { version, starts: starts.subarray(from, to), ends: ends.subarray(from, to) };
}

function joinRanges(held: ChangesChunk | undefined, chunk: ChangesChunk): ChangesChunk {
  if (held === undefined || held.starts.length === 0) return chunk;
  const n = held.starts.length;
  const starts = new BigInt64Array(n + chunk.starts.length);
  const ends = new BigInt64Array(starts.length);
  starts.set(held.starts);
  starts.set(chunk.starts, n);
  ends.set(held.ends);
  ends.set(chunk.ends, n);
  return { version: chunk.version, starts, ends };
}

function encodeRanges(chunk: ChangesChunk, from: number, to: number): Uint8Array {
  const ranges = [];
  for (let i = from; i < to; i++) {
    ranges.push({ start: chunk.starts[i]!, end: chunk.ends[i]! });
  }
  const response = create(ChangesResponseSchema, {
    versionMajor: chunk.version.major,
    versionMinor: chunk.version.minor,
    ranges,
  });
  return toBinary(ChangesResponseSchema, response);
}
