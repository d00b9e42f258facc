/**
 * `GenerateCSV`: a header, then one row a message (docs/protocol.md, "CSV").
 *
 * @module
 */

import { create, toBinary } from "@bufbuild/protobuf";
import { concatBytes } from "../../core/bytes.ts";
import { BTrDBError, ErrorCode } from "../../core/errors.ts";
import { atOnce, giveWay, inSlices } from "../../core/pacer.ts";
import { TEXT } from "../../endpoint/checks.ts";
import {
  csvOpener,
  type CsvQueryKind,
  type CsvRequest,
  openCsv,
  SERVER_FORMAT,
} from "../../csv/answer.ts";
import {
  type GenerateCSVParams,
  GenerateCSVParams_QueryType as QueryType,
  GenerateCSVParamsSchema,
  GenerateCSVResponseSchema,
} from "../../gen/btrdb_v5_pb.ts";
import type { Exchange } from "../method.ts";
import { withStreams } from "./many_streams.ts";
import { atMost, checkCount, decode, versionOf } from "./request.ts";

const COMMA = 0x2c;
const LINE_FEED = 0x0a;

/** Most characters of all labels of a call: windows have four columns each, and a header is one message. */
const LABEL_CHARACTERS = 1 << 20;

/** Tag of `row`, field 3. */
const ROW_TAG = 0x1a;

/** `GenerateCSV`. The header goes out even when the queries then fail, as a real server's does. */
export async function generateCsv(exchange: Exchange): Promise<void> {
  const { call, endpoint, access, settings, metrics, options } = exchange;
  const params = await decode(GenerateCSVParamsSchema, await call.only(), {
    list: atMost(GenerateCSVParamsSchema.field.streams, settings.maxStreamsPerCall),
  });
  const uuids = params.streams.map(({ uuid }) => uuid);
  // Several versions of one stream may stand side by side (golden csv_raw).
  checkCount(uuids.length, settings.maxStreamsPerCall);
  checkLabels(params);
  await access.stream("read", ...uuids);
  await giveWay();
  const request = requestOf(params);
  const streams = { streams: uuids.length, isWindows: request.query.type !== "raw" };
  await withStreams(exchange, streams, async (chunk) => {
    await giveWay();
    const opener = csvOpener(endpoint, request, options, chunk);
    await using answer = await openCsv(request, opener, call.signal);
    await call.send(await headerMessage(answer.names()));
    let rows = 0;
    for await (const piece of answer.bytes(SERVER_FORMAT)) {
      for (let at = 0; at < piece.length;) {
        const end = piece.indexOf(LINE_FEED, at);
        const steps = rowInSteps(piece, at, end);
        await call.send(end - at < STEP_BYTES ? atOnce(steps) : await inSlices(steps, options));
        at = end + 1;
      }
      metrics.pointsRead += answer.count - rows;
      rows = answer.count;
    }
  });
}

function checkLabels({ streams }: GenerateCSVParams): void {
  const characters = streams.reduce((sum, { label }) => sum + label.length, 0);
  if (characters <= LABEL_CHARACTERS) return;
  throw new BTrDBError(
    `the labels of the call have ${characters} characters, more than the ${LABEL_CHARACTERS} allowed`,
    { code: ErrorCode.WrongArgs },
  );
}

/** Names that are encoded in one step, and characters from which on it takes no more. */
const STEP_NAMES = 512;
const STEP_CHARACTERS = 65_536;

/** The header: messages with some of the names, one after another, are one message. */
export async function headerMessage(names: Iterable<string>): Promise<Uint8Array> {
  const pieces: Uint8Array[] = [];
  let row: string[] = [];
  let characters = 0;
  const encode = (): void => {
    const part = create(GenerateCSVResponseSchema, { isHeader: pieces.length === 0, row });
    pieces.push(toBinary(GenerateCSVResponseSchema, part));
    [row, characters] = [[], 0];
  };
  for (const name of names) {
    row.push(name);
    characters += name.length;
    if (row.length < STEP_NAMES && characters < STEP_CHARACTERS) continue;
    await giveWay();
    encode();
  }
  encode();
  return concatBytes(pieces);
}

/**
 * Reads the request; unknown kinds of queries and pointwidths from 65 on are refused before a
 * header.
 */
function requestOf(params: GenerateCSVParams): CsvRequest {
  return {
    query: queryOf(params),
    start: params.startTime,
    end: params.endTime,
    includeVersions: params.includeVersions,
    // The decoded streams themselves: ten thousand more objects would be copied with each collection.
    streams: params.streams.map((stream) => {
      stream.version = versionOf(stream.version);
      return stream;
    }),
  };
}

function queryOf({ queryType, depth, windowSize, streams }: GenerateCSVParams): CsvQueryKind {
  switch (queryType) {
    case QueryType.RAW_QUERY:
      return { type: "raw" };
    case QueryType.ALIGNED_WINDOWS_QUERY:
      if (depth > 64 && streams.length > 0) {
        throw new BTrDBError(TEXT.pointwidthBad, { code: ErrorCode.InvalidPointWidth });
      }
      return { type: "aligned", pointwidth: depth };
    case QueryType.WINDOWS_QUERY:
      return { type: "windows", width: windowSize, depth };
    default:
      throw new BTrDBError(`CSV query type ${queryType} is unknown`, {
        code: ErrorCode.WrongArgs,
      });
  }
}

/** Bytes of a line that are encoded in one step, in half a millisecond or so. */
const STEP_BYTES = 65_536;

/**
 * The line `[from, to)` as a message. Its cells are times and numbers: no quotes, at most some 320
 * bytes each. Yields where it may pause.
 */
export function* rowInSteps(
  line: Uint8Array,
  from: number,
  to: number,
): Generator<undefined, Uint8Array> {
  const message = new Uint8Array((to - from) * 3 + 3);
  let out = 0, step = from + STEP_BYTES;
  for (let at = from; at <= to;) {
    if (at >= step) {
      step += STEP_BYTES;
      yield;
    }
    let end = at;
    while (end < to && line[end] !== COMMA) end++;
    const length = end - at;
    message[out++] = ROW_TAG;
    if (length < 128) message[out++] = length;
    else {
      message[out++] = (length & 0x7f) | 0x80;
      message[out++] = length >>> 7;
    }
    for (; at < end; at++) message[out++] = line[at]!;
    at = end + 1;
  }
  return message.subarray(0, out);
}
