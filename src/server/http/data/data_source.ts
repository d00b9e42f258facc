/**
 * From a request to queries that have begun: finds the streams, the range and the versions.
 *
 * @module
 */

import { BTrDBError, ErrorCode } from "../../../core/errors.ts";
import { uuidText } from "../../../core/uuid.ts";
import type { OpenStreams } from "../../open_streams.ts";
import { HttpFailure } from "../http_failure.ts";
import type { HttpExchange } from "../routes.ts";
import { type DataAnswer, type DataFormat, labelsOf, pinnedVersions } from "./data_answer.ts";
import { DataQueries } from "./data_queries.ts";
import { dataRange, type VersionedStream } from "./data_range.ts";
import { dataRequest } from "./data_request.ts";
import { findStreams } from "./data_streams.ts";
import { badParameter, quoted } from "./parameters.ts";

/** Points of a chunk of an answer that is streamed: a slow reader keeps some of them waiting. */
const STREAMED_POINTS = 8_192;

/** Limits on the streams of answers. */
export interface StreamLimits {
  /** Streams that one request may name. */
  readonly maxStreams: number;
  /** Limits the streams that requests for several of them read at once. */
  readonly openStreams: OpenStreams;
}

/** An answer whose queries have begun. */
export interface BegunAnswer {
  readonly answer: DataAnswer;
  readonly queries: DataQueries;
}

/**
 * Begins an answer, hands it to `use`, and stops its queries.
 *
 * @param known The answer, if it was resolved before and all its versions are committed.
 */
export async function withAnswer<T>(
  exchange: HttpExchange,
  format: DataFormat,
  limits: StreamLimits,
  known: DataAnswer | undefined,
  use: (begun: BegunAnswer) => Promise<T>,
): Promise<T> {
  const { endpoint, access, options, owner, holder } = exchange;
  const resolved = known ?? await resolve(exchange, format, limits.maxStreams);
  const { uuids, range } = resolved;
  await access.stream("read", ...uuids);
  const streams = uuids.map((uuid, s) => ({ uuid, version: resolved.versions[s]!.major }));
  const work = async (fair: number | undefined): Promise<T> => {
    const chunk = format === "parquet" ? fair : Math.min(STREAMED_POINTS, fair ?? STREAMED_POINTS);
    await using queries = await withVersions(
      streams,
      () => DataQueries.begin(endpoint, streams, range, options, chunk),
    );
    checkVersions(queries, streams);
    return await use({ answer: { ...resolved, versions: queries.versions }, queries });
  };
  const isWindows = range.query.type !== "raw";
  const request = { streams: streams.length, isWindows };
  return await limits.openStreams.of(owner).run(request, holder, work);
}

/**
 * Checks that the versions that were asked for have answered: of a stream without commits, any
 * version is the first one to a server.
 *
 * @throws {HttpFailure} 404.
 */
function checkVersions({ versions }: DataQueries, streams: readonly VersionedStream[]): void {
  streams.forEach(({ uuid, version }, s) => {
    if (version === 0n || versions[s]!.major === version) return;
    const message = `stream ${uuidText(uuid)} has no version ${version}`;
    throw new HttpFailure(404, message, ErrorCode.NoSuchStream);
  });
}

/** Runs what reads streams that are known to be there: one that is missing then lacks the version. */
async function withVersions<T>(
  streams: readonly VersionedStream[],
  read: () => Promise<T>,
): Promise<T> {
  try {
    return await read();
  } catch (error) {
    const versions = streams.map(({ version }) => version);
    const isLacking = error instanceof BTrDBError && error.code === ErrorCode.NoSuchStream &&
      versions.some((version) => version !== 0n);
    if (!isLacking) throw error;
    const streamsLack = versions.length > 1
      ? "some of the streams do not have"
      : "the stream does not have";
    const message = `version is ${quoted(versions.join(","))}, which ${streamsLack}`;
    throw new HttpFailure(404, message, ErrorCode.NoSuchStream);
  }
}

/** The answer to a request; versions that are not pinned are 0. */
async function resolve(
  exchange: HttpExchange,
  format: DataFormat,
  maxStreams: number,
): Promise<DataAnswer> {
  const { endpoint, options, request: { url } } = exchange;
  const request = dataRequest(url);
  if (request.isSafe && format !== "csv") {
    throw badParameter(`safe-csv is for CSV alone, not for ${format}`);
  }
  const streams = await findStreams(exchange, request.streams, maxStreams);
  const labels = labelsOf(streams, request);
  const versions = pinnedVersions(request, streams.length);
  const uuids = streams.map(({ uuid }) => uuid);
  await exchange.access.stream("read", ...uuids);
  const versioned = uuids.map((uuid, s) => ({ uuid, version: versions[s]! }));
  const range = await withVersions(
    versioned,
    () => dataRange(endpoint, versioned, request, options),
  );
  const versionsOf = versions.map((major) => ({ major, minor: 0n }));
  return { format, request, range, uuids, labels, versions: versionsOf };
}
