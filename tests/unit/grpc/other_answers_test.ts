/** Servers that answer another question than the one that was asked: an error, never data. */

import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import type { DescMessage, MessageInitShape } from "@bufbuild/protobuf";
import { BTrDBError } from "../../../src/core/errors.ts";
import type { Endpoint } from "../../../src/endpoint/endpoint.ts";
import * as v4 from "../../../src/gen/btrdb_v4_pb.ts";
import * as v5 from "../../../src/gen/btrdb_v5_pb.ts";
import { connectGrpc } from "../../../src/grpc/mod.ts";
import { connect } from "@btrdb/btrdb";
import {
  bytes,
  info,
  nearest,
  raw,
  versioned,
  windows,
} from "../../support/grpc/scripted_answers.ts";
import { Rpc } from "../../../src/grpc/transport/rpc.ts";
import { rawToIpc } from "../../../src/arrow/write_ipc.ts";
import { MAX_TIME, MIN_TIME } from "../../../src/core/range.ts";
import type { RawColumns } from "../../../src/core/columns.ts";
import { compressed, pointsMessages, streamOf } from "../../support/hostile_arrow.ts";
import { CompressionType } from "@uwdata/flechette";
import { CallRecorder } from "../../../src/grpc/transport/telemetry.ts";
import type { Wire, WireListener } from "../../../src/grpc/transport/wire.ts";
import { type Script, ScriptedServer } from "../../support/grpc/scripted_server.ts";

const uuid = new Uint8Array(16).fill(4);
const other = new Uint8Array(16).fill(5);
const range = { uuid, start: 100n, end: 200n, version: 11n };
const none = new Map<string, string>();
const columns = { times: BigInt64Array.of(1n), values: Float64Array.of(1) };

async function drain(source: AsyncIterable<unknown>): Promise<void> {
  for await (const _ of source);
}

/** Reads to the end; the number of points or windows. */
async function countIn(
  source: AsyncIterable<{ columns: { times: BigInt64Array } }>,
): Promise<number> {
  let count = 0;
  for await (const { columns } of source) count += columns.times.length;
  return count;
}

const V4 = "4.15.9-deno";
const V5 = "5.30.0-deno";
const OLD_V5 = "5.29.0-deno";

async function withServer(
  build: string,
  script: Script,
  body: (endpoint: Endpoint, server: ScriptedServer) => Promise<void>,
): Promise<void> {
  const [major = 0, minor = 0] = build.split(".").map(Number);
  await using server = await ScriptedServer.start((call) =>
    call.rpc === "Info" ? call.send(info(build, [], [major, minor])) : script(call)
  );
  const protocol = major === 4 ? "v4" : "v5";
  const endpoint = await connectGrpc({ addresses: [server.address], retry: false, protocol });
  try {
    await body(endpoint, server);
  } finally {
    await endpoint.close();
  }
}

type Ask = (endpoint: Endpoint) => Promise<unknown>;

const nearestTo = (time: bigint, backward: boolean, version = 11n): Ask => (endpoint) =>
  endpoint.nearest({ uuid, time, version, backward });
const streamInfo: Ask = (endpoint) =>
  endpoint.streamInfo({ uuid, omitVersion: true, omitDescriptor: false });
const changes: Ask = (endpoint) =>
  drain(endpoint.changes({ uuid, from: 1n, to: 11n, resolution: 0 }));
const lookup = (collection: string, isCollectionPrefix: boolean): Ask => (endpoint) =>
  drain(
    endpoint.lookupStreams({ collection, isCollectionPrefix, tags: none, annotations: none }),
  );
const lookupTagged: Ask = (endpoint) =>
  drain(endpoint.lookupStreams({
    ...{ collection: "c", isCollectionPrefix: false, annotations: none },
    tags: new Map([["name", "L1MAG"]]),
  }));
const collections = (prefix: string): Ask => (endpoint) =>
  drain(endpoint.listCollections({ prefix }));
const subscribe: Ask = (endpoint) => drain(endpoint.subscribe([uuid]));

function message<Desc extends DescMessage>(desc: Desc, init: MessageInitShape<Desc>): Uint8Array {
  return bytes(desc, init);
}

function found(collection: string, name = uuid): Uint8Array {
  return message(v5.LookupStreamsResponseSchema, { results: [{ uuid: name, collection }] });
}

function listed(...names: string[]): Uint8Array {
  return message(v4.ListCollectionsResponseSchema, { collections: names });
}

function changed(...ranges: [bigint, bigint][]): Uint8Array {
  return changedUpTo(11n, ...ranges);
}

function changedUpTo(versionMajor: bigint, ...ranges: [bigint, bigint][]): Uint8Array {
  return message(v4.ChangesResponseSchema, {
    versionMajor,
    ranges: ranges.map(([start, end]) => ({ start, end })),
  });
}

function inArrow(arrowBytes: Uint8Array): Uint8Array {
  return message(v5.SubscriptionRespSchema, { uuid, arrowBytes: new Uint8Array(arrowBytes) });
}

function emptyBatches(count: number): Uint8Array {
  const { schema, batch } = pointsMessages(zeros(0));
  return streamOf(schema, ...Array.from({ length: count }, () => batch));
}

function zeros(points: number): RawColumns {
  return { times: new BigInt64Array(points), values: new Float64Array(points) };
}

/** Server, what it answers, the question, and a part of the error. */
const CASES: readonly (readonly [string, string, Uint8Array, Ask, string])[] = [
  [
    "rawValues: points of another version",
    V4,
    raw([[150n, 1]], 5n),
    (endpoint) => drain(endpoint.rawValues(range)),
    "is of version 5, not of 11",
  ],
  [
    "windows: windows of another version",
    V4,
    windows([[100n, 1n]], 12n),
    (endpoint) => drain(endpoint.windows({ ...range, width: 10n, depth: 0 })),
    "is of version 12, not of 11",
  ],
  // Servers that send every window may not leave one out: it would count as a window without points
  // in a plot, and shift all those behind it in columns.
  [
    "windows: a gap among them",
    V4,
    windows([0n, 1n, 2n, 3n, 5n, 6n, 7n, 8n, 9n].map((i) => [100n + 10n * i, 1n, 1] as const)),
    (endpoint) => drain(endpoint.windows({ ...range, width: 10n, depth: 0 })),
    "lacks 1 windows",
  ],
  [
    "windows: none at all",
    V5,
    windows([]),
    (endpoint) => drain(endpoint.windows({ ...range, width: 10n, depth: 0 })),
    "lacks 10 windows",
  ],
  [
    "alignedWindows: windows of another version",
    V4,
    windows([[112n, 1n]], 12n),
    (endpoint) => drain(endpoint.alignedWindows({ ...range, pointwidth: 4 })),
    "is of version 12, not of 11",
  ],
  [
    "alignedWindows: a minimum above the maximum",
    V4,
    message(v4.AlignedWindowsResponseSchema, {
      versionMajor: 11n,
      values: [{ time: 112n, count: 2n, min: 3, mean: 2, max: 1 }],
    }),
    (endpoint) => drain(endpoint.alignedWindows({ ...range, pointwidth: 4 })),
    "a minimum above its maximum",
  ],
  // Asked for again later, version 0 was the latest one: other data under the same number.
  [
    "rawValues: points of no version",
    V4,
    raw([[150n, 1]], 0n),
    (endpoint) => drain(endpoint.rawValues({ ...range, version: 0n })),
    "has no version",
  ],
  ["nearest: no version", V5, nearest(5n, 1, 0n), nearestTo(5n, false, 0n), "has no version"],
  [
    "streamInfo: no version",
    V4,
    message(v4.StreamInfoResponseSchema, { descriptor: { uuid, collection: "c" } }),
    (endpoint) => endpoint.streamInfo({ uuid, omitVersion: false, omitDescriptor: true }),
    "has no version",
  ],
  // Without a point, the answer was a point at 1970 with the value 0.
  ["nearest: no point", V4, versioned(11n), nearestTo(0n, false), "has no point"],
  ["nearest: a point before", V4, nearest(4n), nearestTo(5n, false), "a point at 4"],
  [
    "nearest: a point at the time, backward",
    V5,
    nearest(5n),
    nearestTo(5n, true),
    "a point at 5",
  ],
  // Times that no point can have came out as points.
  [
    "nearest: a point behind the time axis",
    V4,
    nearest(MAX_TIME),
    nearestTo(5n, false),
    `a point at ${MAX_TIME}`,
  ],
  [
    "nearest: a point before the time axis",
    V5,
    nearest(MIN_TIME - 1n),
    nearestTo(5n, true),
    `a point at ${MIN_TIME - 1n}`,
  ],
  ["nearest: another version", V4, nearest(5n, 1, 3n), nearestTo(5n, false), "is of version 3"],
  ["changes: a range of nothing", V4, changed([1n, 2n], [5n, 5n]), changes, "an impossible range"],
  ["changes: a range that goes back", V5, changed([9n, 5n]), changes, "an impossible range"],
  // Whoever works through changes read streams from before the beginning of time.
  [
    "changes: a range before the time axis",
    V4,
    changed([MIN_TIME - 1n, 2n]),
    changes,
    "an impossible range",
  ],
  [
    "changes: a range behind the time axis",
    V5,
    changed([1n, MAX_TIME + 1n]),
    changes,
    "an impossible range",
  ],
  // Changes up to an earlier version passed for all of them: what follows a stream left the rest out.
  [
    "changes: up to another version",
    V4,
    changedUpTo(5n, [1n, 2n]),
    changes,
    "is of version 5, not",
  ],
  ["changes: of no version", V5, changedUpTo(0n, [1n, 2n]), changes, "has no version"],
  [
    "streamInfo: another stream",
    V4,
    message(v4.StreamInfoResponseSchema, { descriptor: { uuid: other, collection: "c" } }),
    streamInfo,
    'has uuid "05050505-',
  ],
  [
    "streamInfo: no descriptor",
    V5,
    message(v5.StreamInfoResponseSchema, {}),
    streamInfo,
    "has no descriptor",
  ],
  [
    "lookupStreams: a uuid of 15 bytes",
    V4,
    found("c", other.subarray(1)),
    lookup("c", false),
    '0505050505"',
  ],
  [
    "lookupStreams: a uuid of nothing",
    V5,
    found("c", new Uint8Array()),
    lookup("c", true),
    'uuid ""',
  ],
  ["lookupStreams: another collection", V5, found("cd"), lookup("c", false), 'it has "cd"'],
  ["lookupStreams: another prefix", V5, found("x/c"), lookup("c", true), 'it has "x/c"'],
  // Only the collection was compared: a stream that was not looked for passed for one that was.
  ["lookupStreams: a stream without the tag", V5, found("c"), lookupTagged, 'it has "c"'],
  ["listCollections: another prefix", V5, listed("c/a", "d"), collections("c/"), 'it has "d"'],
  ["listCollections: another prefix in a page", V4, listed("b"), collections("c"), '"b"'],
  [
    "listCollections: a page out of order",
    V4,
    listed("c/b", "c/a"),
    collections("c"),
    'it has "c/a"',
  ],
  // The same page for ever was a list without an end.
  ["listCollections: a page that comes again", V4, listed("c/a"), collections("c"), 'it has "c/a"'],
  [
    "flush: no version",
    V4,
    new Uint8Array(0),
    (endpoint) => endpoint.flush(uuid),
    "has no version",
  ],
  [
    "insert: no version",
    V5,
    versioned(0n),
    (endpoint) => endpoint.insert({ uuid, columns }),
    "no v",
  ],
  [
    "subscribe: points of another stream",
    OLD_V5,
    message(v5.SubscribeResponseSchema, { uuid: other, values: [{ time: 1n, value: 1 }] }),
    subscribe,
    'uuid "05050505-',
  ],
  [
    "subscribe: points of no stream",
    OLD_V5,
    message(v5.SubscribeResponseSchema, { values: [{ time: 1n, value: 1 }] }),
    subscribe,
    'uuid ""',
  ],
  [
    "subscribe: points before the time axis",
    OLD_V5,
    message(v5.SubscribeResponseSchema, { uuid, values: [{ time: MIN_TIME - 1n, value: 1 }] }),
    subscribe,
    `a point at ${MIN_TIME - 1n}`,
  ],
  [
    "subscribe: points behind the time axis, in Arrow",
    V5,
    inArrow(rawToIpc({ times: BigInt64Array.of(5n, MAX_TIME), values: new Float64Array(2) })),
    subscribe,
    `a point at ${MAX_TIME}`,
  ],
  // A message of some kilobytes was unpacked to as much as 1 GiB of points.
  [
    "subscribe: Arrow that unpacks to more than 64 MiB",
    V5,
    inArrow(compressed(zeros(4_500_000), CompressionType.ZSTD)),
    subscribe,
    "more than 67108864 bytes unpacked",
  ],
  // A message of 33 MB, 200,000 batches without a point, stood still for 5 s with everything else in the
  // process, on a busy machine for 22 s.
  [
    "subscribe: Arrow in very many batches without points",
    V5,
    inArrow(emptyBatches(6_000)),
    subscribe,
    "more than 16384 columns in all",
  ],
  // What the decoder of Arrow threw came out as it was, with no status to tell it by.
  [
    "subscribe: what is no Arrow",
    V5,
    message(v5.SubscriptionRespSchema, { uuid, arrowBytes: new Uint8Array(64).fill(255) }),
    subscribe,
    "cannot be decoded",
  ],
];

for (const [name, build, answer, ask, text] of CASES) {
  Deno.test(`${name} is DATA_LOSS`, async () => {
    await withServer(build, (call) => call.send(answer), async (endpoint) => {
      const error = await assertRejects(() => ask(endpoint), BTrDBError);
      assertEquals([error.status, error.retryable], ["DATA_LOSS", false], error.message);
      assertStringIncludes(error.message, text);
    });
  });
}

Deno.test("changes: all of a stream that was never flushed may be of the version that it has", async () => {
  const answer = changedUpTo(10n, [MIN_TIME, MAX_TIME]);
  await withServer(V4, (call) => call.send(answer), async (endpoint) => {
    const request = { uuid, from: 1n, to: 11n, resolution: 0 };
    const [only, ...more] = await Array.fromAsync(endpoint.changes(request));
    assertEquals([only!.version.major, [...only!.starts], [...only!.ends], more.length], [
      ...[10n, [MIN_TIME], [MAX_TIME], 0],
    ]);
  });
});

Deno.test("rawValues, windows: an empty stream may answer with the version that it has", async () => {
  const answers: [Uint8Array, Ask, count: number][] = [
    [raw([], 10n), (endpoint) => countIn(endpoint.rawValues(range)), 0],
    [
      windows([[100n, 0n], [150n, 0n]], 10n),
      (endpoint) => countIn(endpoint.windows({ ...range, width: 50n, depth: 0 })),
      2,
    ],
  ];
  for (const [answer, ask, count] of answers) {
    let asked = 0;
    const send: Script = async (call) => {
      asked++;
      await call.send(answer);
    };
    await withServer(V5, send, async (endpoint) => assertEquals(await ask(endpoint), count));
    assertEquals(asked, 1);
  }
});

// A server that sent one empty message after another kept a read of nothing busy for ever.
Deno.test("rawValues: an answer that goes on without anything in it ends with DATA_LOSS", async () => {
  const empty = raw([]);
  await withServer(V5, async (call) => {
    while (!call.signal.aborted) await call.send(empty);
  }, async (endpoint) => {
    const error = await assertRejects(() => drain(endpoint.rawValues(range)), BTrDBError);
    assertEquals(error.status, "DATA_LOSS");
    assertStringIncludes(error.message, "over 16384 empty messages");
  });
});

// Of a call with one answer, all but the first message were dropped without a word. As with a part of a
// stream that comes twice, the connection is not to be believed, and a write has to be settled.
Deno.test("flush: a second message is a lost connection", async () => {
  await withServer(V5, async (call) => {
    await call.send(versioned(12n));
    await call.send(versioned(13n));
  }, async (endpoint) => {
    const error = await assertRejects(
      () => endpoint.flush(uuid),
      BTrDBError,
      "came twice",
    );
    assertEquals(error.status, "UNAVAILABLE");
  });
});

// Empty messages counted nothing towards what may be read ahead, so that a reader who paused got all of
// them into memory.
Deno.test("Rpc: empty messages count towards those that are read ahead", async () => {
  let wanted = 0;
  let listener: WireListener | undefined;
  const wire: Wire = {
    start: (_request, given) => {
      listener = given;
      return { want: () => wanted++, send: () => {}, halfClose: () => {}, cancel: () => {} };
    },
    close: () => {},
  };
  const request = { rpc: "RawValues", path: "/x", message: new Uint8Array(), attempt: 1 };
  const about = { ...request, server: "a:1", uuid: undefined, requestBytes: 0 };
  const recorder = new CallRecorder({}, about);
  const peer = { address: "a:1", apiKey: undefined };
  const rpc = new Rpc(wire, peer, { ...request, options: {} }, recorder, () => {});
  let given = 0;
  for (; given < wanted && given < 1_000_000; given++) listener!.onMessage(new Uint8Array(0));
  assert(given < 10_000, `${given} messages`);
  for (let i = 0; i < given; i++) await rpc.read();
  assert(wanted > given, "more is wanted once these are read");
  rpc.cancel();
});

for (const row of ["no json", "5", "null", "[]", ""]) {
  // A row that is no JSON came out as a SyntaxError, and one that is no object as a row.
  Deno.test(`BTrDB.sql: the row ${JSON.stringify(row)} is DATA_LOSS`, async () => {
    const answer = message(v5.SQLQueryResponseSchema, {
      SQLQueryRow: [new TextEncoder().encode('{"a":1}'), new TextEncoder().encode(row)],
    });
    await using server = await ScriptedServer.start((call) =>
      call.send(call.rpc === "Info" ? info(V5, [], [5, 30]) : answer)
    );
    await using db = await connect(server.address, { retry: false });
    const error = await assertRejects(() => drain(db.sql("select 1")), BTrDBError);
    assertEquals([error.status, error.rpc], ["DATA_LOSS", "SQLQuery"]);
  });
}
