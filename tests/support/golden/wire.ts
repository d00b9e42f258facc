/**
 * Recorded calls as protobuf messages: which recorded call a request is, and what the real server
 * sent back.
 */

import {
  create,
  type DescMessage,
  equals,
  fromBinary,
  type MessageInitShape,
  toBinary,
} from "@bufbuild/protobuf";
import { uuidBytes } from "../../../src/core/uuid.ts";
import * as v4 from "../../../src/gen/btrdb_v4_pb.ts";
import { goldenDouble, type GoldenMap, goldenPoints, type GoldenStep } from "./recording.ts";

// deno-lint-ignore no-explicit-any
type Recorded = any;

/** One RPC: its messages, and how recorded values become them. */
interface Rpc {
  request: DescMessage;
  response: DescMessage;
  toRequest(input: Recorded): Record<string, unknown>;
  /** The messages of the answer; `undefined` where the recording only sums them up. */
  toResponses(out: Recorded): Record<string, unknown>[] | undefined;
}

const encoder = new TextEncoder();

function pairs(map: GoldenMap | undefined): [string, string | null][] {
  return Array.isArray(map) ? map : Object.entries(map ?? {});
}

function keyValues(map: GoldenMap | undefined): unknown[] {
  return pairs(map).map(([key, value]) => ({ key, value: encoder.encode(value ?? "") }));
}

function keyOptValues(map: GoldenMap | undefined): unknown[] {
  return pairs(map).map(([key, value]) =>
    value === null ? { key } : { key, val: { value: encoder.encode(value) } }
  );
}

const uuidOf = (input: Recorded) => ({ uuid: uuidBytes(input.uuid) });
const big = (value: Recorded) => BigInt(value ?? 0);
const rangeOf = (input: Recorded) => ({
  ...uuidOf(input),
  start: big(input.start),
  end: big(input.end),
});
const versionOf = (out: Recorded) => ({
  versionMajor: big(out.versionMajor),
  versionMinor: big(out.versionMinor),
});
const statOf = (out: Recorded) => out.stat === undefined ? {} : { stat: out.stat };
const one = (out: Recorded) => [{ ...statOf(out), ...versionOf(out) }];

/** A streamed answer in the batches in which it was sent. */
function batched(
  out: Recorded,
  field: string,
  row: (recorded: Recorded) => Record<string, unknown>,
): Record<string, unknown>[] | undefined {
  const rows = out[field] ?? [];
  if (!Array.isArray(rows)) return undefined;
  const messages: Record<string, unknown>[] = [];
  let at = 0;
  for (const n of out.batches ?? (out.stat === undefined ? [0] : [])) {
    messages.push({ ...versionOf(out), [field]: rows.slice(at, at + n).map(row) });
    at += n;
  }
  if (out.stat !== undefined) messages.push({ stat: out.stat });
  return messages;
}

const rawRow = ([time, value]: Recorded) => ({ time: BigInt(time), value: goldenDouble(value) });
const statRow = ([time, min, mean, max, count]: Recorded) => ({
  time: BigInt(time),
  min: goldenDouble(min),
  mean: goldenDouble(mean),
  max: goldenDouble(max),
  count: BigInt(count),
});

function descriptor(recorded: Recorded): unknown {
  return {
    ...uuidOf(recorded),
    collection: recorded.collection,
    tags: keyValues(recorded.tags),
    annotations: keyValues(recorded.annotations),
    annotationVersion: big(recorded.annotationVersion),
  };
}

function counts(map: Record<string, string> | undefined): unknown[] {
  return Object.entries(map ?? {}).map(([key, count]) => ({ key, count: BigInt(count) }));
}

const RPCS: Readonly<Record<string, Rpc>> = {
  RawValues: {
    request: v4.RawValuesParamsSchema,
    response: v4.RawValuesResponseSchema,
    toRequest: (input) => ({ ...rangeOf(input), versionMajor: big(input.versionMajor) }),
    toResponses: (out) => batched(out, "values", rawRow),
  },
  AlignedWindows: {
    request: v4.AlignedWindowsParamsSchema,
    response: v4.AlignedWindowsResponseSchema,
    toRequest: (input) => ({
      ...rangeOf(input),
      versionMajor: big(input.versionMajor),
      pointWidth: input.pointWidth,
    }),
    toResponses: (out) => batched(out, "values", statRow),
  },
  Windows: {
    request: v4.WindowsParamsSchema,
    response: v4.WindowsResponseSchema,
    toRequest: (input) => ({
      ...rangeOf(input),
      versionMajor: big(input.versionMajor),
      width: big(input.width),
      depth: input.depth,
    }),
    toResponses: (out) => batched(out, "values", statRow),
  },
  Changes: {
    request: v4.ChangesParamsSchema,
    response: v4.ChangesResponseSchema,
    toRequest: (input) => ({
      ...uuidOf(input),
      fromMajor: big(input.fromMajor),
      toMajor: big(input.toMajor),
      resolution: input.resolution,
    }),
    toResponses: (out) =>
      batched(out, "ranges", ([start, end]) => ({ start: BigInt(start), end: BigInt(end) })),
  },
  Nearest: {
    request: v4.NearestParamsSchema,
    response: v4.NearestResponseSchema,
    toRequest: (input) => ({
      ...uuidOf(input),
      time: big(input.time),
      versionMajor: big(input.versionMajor),
      backward: input.backward,
    }),
    toResponses: (out) => [{
      ...one(out)[0],
      ...(out.value === undefined ? {} : { value: rawRow(out.value) }),
    }],
  },
  StreamInfo: {
    request: v4.StreamInfoParamsSchema,
    response: v4.StreamInfoResponseSchema,
    toRequest: (input) => ({
      ...uuidOf(input),
      omitVersion: input.omitVersion,
      omitDescriptor: input.omitDescriptor,
    }),
    toResponses: (out) => [{
      ...one(out)[0],
      ...(out.descriptor === undefined ? {} : { descriptor: descriptor(out.descriptor) }),
    }],
  },
  Create: {
    request: v4.CreateParamsSchema,
    response: v4.CreateResponseSchema,
    toRequest: (input) => ({
      ...uuidOf(input),
      collection: input.collection,
      tags: keyValues(input.tags),
      annotations: keyValues(input.annotations),
    }),
    toResponses: (out) => [statOf(out)],
  },
  Insert: {
    request: v4.InsertParamsSchema,
    response: v4.InsertResponseSchema,
    toRequest: (input) => {
      const { times, values } = goldenPoints(input.values ?? []);
      return {
        ...uuidOf(input),
        values: Array.from(times, (time, i) => ({ time, value: values[i] })),
      };
    },
    toResponses: one,
  },
  Delete: {
    request: v4.DeleteParamsSchema,
    response: v4.DeleteResponseSchema,
    toRequest: rangeOf,
    toResponses: one,
  },
  Flush: {
    request: v4.FlushParamsSchema,
    response: v4.FlushResponseSchema,
    toRequest: uuidOf,
    toResponses: one,
  },
  Obliterate: {
    request: v4.ObliterateParamsSchema,
    response: v4.ObliterateResponseSchema,
    toRequest: uuidOf,
    toResponses: (out) => [statOf(out)],
  },
  SetStreamAnnotations: {
    request: v4.SetStreamAnnotationsParamsSchema,
    response: v4.SetStreamAnnotationsResponseSchema,
    toRequest: (input) => ({
      ...uuidOf(input),
      expectedAnnotationVersion: big(input.expectedAnnotationVersion),
      annotations: keyOptValues(input.annotations),
    }),
    toResponses: (out) => [statOf(out)],
  },
  LookupStreams: {
    request: v4.LookupStreamsParamsSchema,
    response: v4.LookupStreamsResponseSchema,
    toRequest: (input) => ({
      collection: input.collection,
      isCollectionPrefix: input.isCollectionPrefix,
      tags: keyOptValues(input.tags),
      annotations: keyOptValues(input.annotations),
    }),
    toResponses: (out) => batched({ versionMajor: 0, ...out }, "results", descriptor as never),
  },
  ListCollections: {
    request: v4.ListCollectionsParamsSchema,
    response: v4.ListCollectionsResponseSchema,
    toRequest: (input) => ({
      prefix: input.prefix,
      startWith: input.startWith,
      limit: big(input.limit),
    }),
    toResponses: (out) => [{ ...statOf(out), collections: out.collections }],
  },
  GetMetadataUsage: {
    request: v4.MetadataUsageParamsSchema,
    response: v4.MetadataUsageResponseSchema,
    toRequest: (input) => ({ prefix: input.prefix }),
    toResponses: (out) => [{
      ...statOf(out),
      tags: counts(out.tags),
      annotations: counts(out.annotations),
    }],
  },
};

/** Fields of `init` that are given. */
function given(init: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(init).filter(([, value]) => value !== undefined));
}

/** Tells whether the bytes are the recorded request. */
export function isRequest(step: GoldenStep, rpc: string, bytes: Uint8Array): boolean {
  const known = RPCS[rpc];
  if (step.rpc !== rpc || known === undefined) return false;
  const wanted = message(known.request, known.toRequest(step.in));
  const sent = fromBinary(known.request, bytes);
  sortPairs(wanted);
  sortPairs(sent);
  return equals(known.request, wanted, sent);
}

/** Pairs are sent in any order. */
function sortPairs(request: unknown): void {
  const { tags, annotations } = request as Record<string, { key: string }[] | undefined>;
  for (const list of [tags, annotations]) {
    list?.sort((a, b) => a.key < b.key ? -1 : a.key > b.key ? 1 : 0);
  }
}

function message<Desc extends DescMessage>(desc: Desc, init: Record<string, unknown>) {
  return create(desc, given(init) as MessageInitShape<Desc>);
}

/** The recorded answer; `undefined` where the recording does not have all of it. */
export function recordedAnswer(step: GoldenStep): Uint8Array[] | undefined {
  const { response, toResponses } = RPCS[step.rpc]!;
  return toResponses(step.out)?.map((init) => toBinary(response, message(response, init)));
}

/** An answer without the rows that the recorded one does not have either. */
export function cutToRecorded(step: GoldenStep, answer: Uint8Array[]): Uint8Array[] {
  const summary = step.out.values;
  if (summary === undefined || Array.isArray(summary)) return answer;
  const { response } = RPCS[step.rpc]!;
  let left = Number(summary.count);
  const cut: Uint8Array[] = [];
  for (const bytes of answer) {
    const part = fromBinary(response, bytes) as unknown as { values: unknown[] };
    part.values = part.values.slice(0, left);
    left -= part.values.length;
    cut.push(toBinary(response, part as never));
  }
  return cut;
}
