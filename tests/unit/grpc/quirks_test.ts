/** Workarounds of the client for each weakness of real servers: one script a weakness. */

import { assertEquals, assertRejects } from "@std/assert";
import { fromBinary } from "@bufbuild/protobuf";
import { BTrDBError } from "../../../src/core/errors.ts";
import type { Endpoint, LookupRequest } from "../../../src/endpoint/endpoint.ts";
import {
  AlignedWindowsParamsSchema,
  ChangesParamsSchema,
  ChangesResponseSchema,
  ListCollectionsParamsSchema,
  ListCollectionsResponseSchema,
  LookupStreamsParamsSchema,
  LookupStreamsResponseSchema,
  NearestParamsSchema,
  NearestResponseSchema,
  RawValuesParamsSchema,
  StreamInfoResponseSchema,
  WindowsParamsSchema,
  WindowsResponseSchema,
} from "../../../src/gen/btrdb_v4_pb.ts";
import { connectGrpc } from "../../../src/grpc/mod.ts";
import {
  bytes,
  failure,
  raw,
  v4Server,
  versioned,
  windows,
} from "../../support/grpc/scripted_answers.ts";
import { type ScriptedCall, ScriptedServer } from "../../support/grpc/scripted_server.ts";

const uuid = new Uint8Array(16).fill(9);

type Methods = Readonly<Record<string, (call: ScriptedCall) => Promise<void> | void>>;

/** A client of a scripted 4.15.9. */
async function withReal(
  methods: Methods,
  body: (endpoint: Endpoint, server: ScriptedServer) => Promise<void>,
): Promise<void> {
  await using server = await ScriptedServer.start(v4Server("4.15.9", methods));
  const endpoint = await connectGrpc({ addresses: [server.address], retry: false });
  try {
    await body(endpoint, server);
  } finally {
    await endpoint.close();
  }
}

async function refused(code: number, call: () => Promise<unknown>): Promise<string> {
  const error = await assertRejects(call, BTrDBError);
  assertEquals(error.code, code, error.message);
  return error.message;
}

Deno.test("connectGrpc: what kills or hangs a real server is refused before it is sent", () =>
  withReal({}, async (endpoint, server) => {
    const range = { uuid, start: 0n, end: 100n, version: 0n };
    await refused(415, () => Array.fromAsync(endpoint.windows({ ...range, width: 0n, depth: 0 })));
    await refused(
      415,
      () => Array.fromAsync(endpoint.windows({ ...range, width: 10n, depth: 256 })),
    );
    await refused(
      415,
      () => Array.fromAsync(endpoint.changes({ uuid, from: 1n, to: 2n, resolution: 256 })),
    );
    const short = new Uint8Array(15);
    const tags = new Map([["name", "x"]]);
    const created = { uuid: short, collection: "c", tags, annotations: new Map() };
    await refused(421, () => endpoint.create(created));
    await refused(421, () => endpoint.flush(short));
    assertEquals(server.calls.filter((rpc) => rpc !== "Info"), []);
  }));

Deno.test("windows-last-data-missing: the tail is asked for again, not invented", () =>
  withReal({
    Windows: (call) => call.send(windows([[0n, 2n, 5]])),
    RawValues(call) {
      const { start, end } = fromBinary(RawValuesParamsSchema, call.request);
      assertEquals([start, end], [10n, 20n]);
      return call.send(raw([[12n, 1], [15n, 4]]));
    },
  }, async (endpoint) => {
    const request = { uuid, start: 0n, end: 25n, version: 0n, width: 10n, depth: 0 };
    const chunks = await Array.fromAsync(endpoint.windows(request));
    const [, tail] = chunks;
    assertEquals(chunks.map((chunk) => chunk.columns.times[0]), [0n, 10n]);
    const { min, mean, max, count } = tail!.columns;
    assertEquals([min[0], mean[0], max[0], count[0]], [1, 2.5, 4, 2n]);
  }));

Deno.test("windows-last-empty-missing: an empty tail is zeros", () =>
  withReal({
    Windows: (call) => call.send(windows([])),
    RawValues: (call) => call.send(raw([])),
  }, async (endpoint) => {
    const request = { uuid, start: 0n, end: 10n, version: 0n, width: 10n, depth: 0 };
    const columns = (await Array.fromAsync(endpoint.windows(request))).flatMap((
      chunk,
    ) => [...chunk.columns.count]);
    assertEquals(columns, [0n]);
  }));

Deno.test("windows: a long tail is made of aligned windows and raw edges", () =>
  withReal({
    Windows: (call) => call.send(windows([])),
    AlignedWindows(call) {
      const { start, pointWidth } = fromBinary(AlignedWindowsParamsSchema, call.request);
      const width = 1n << BigInt(pointWidth);
      assertEquals(start, 0n);
      return call.send(windows([[0n, 3n, 1], [width, 10n, 2], [30n * width, 70n, 4]]));
    },
    RawValues: (call) => call.send(raw([[3n, 6]])),
  }, async (endpoint) => {
    const request = { uuid, start: 1n, end: 1_000_001n, version: 0n, width: 1_000_000n, depth: 0 };
    const [, tail] = await Array.fromAsync(endpoint.windows(request));
    const { min, mean, max, count } = tail!.columns;
    assertEquals([min[0], max[0], count[0]], [2, 6, 12n + 70n - 1n]);
    assertEquals(mean[0]!.toFixed(9), ((10 * 2 + 70 * 4 + 6) / 81).toFixed(9));
  }));

Deno.test("windows-buffer-minmax: windows of unflushed points are computed again", () =>
  withReal({
    Windows: (call) =>
      call.send(bytesOfWindow({ time: 0n, min: 0, mean: 6, max: 7, count: 2n }, 5n)),
    RawValues: (call) => call.send(raw([[2n, 5], [3n, 7]], 11n, 5n)),
  }, async (endpoint, server) => {
    const request = { uuid, start: 0n, end: 10n, version: 0n, width: 10n, depth: 0 };
    const [chunk] = await Array.fromAsync(endpoint.windows(request));
    assertEquals([chunk!.columns.min[0], chunk!.columns.max[0]], [5, 7]);
    assertEquals(server.count("RawValues"), 1);
  }));

Deno.test("windows-last-data-missing: the last window has its committed points beside the unflushed", () =>
  withReal({
    Windows(call) {
      const empty = { time: -10n, min: 0, mean: 0, max: 0, count: 0n };
      const last = { time: 0n, min: 100, mean: 100, max: 100, count: 1n };
      const values = [empty, last];
      return call.send(
        bytes(WindowsResponseSchema, { versionMajor: 11n, versionMinor: 1n, values }),
      );
    },
    RawValues: (call) => call.send(raw([[4n, 1], [5n, 100]], 11n, 1n)),
  }, async (endpoint) => {
    const request = { uuid, start: -10n, end: 10n, version: 0n, width: 10n, depth: 0 };
    const [chunk] = await Array.fromAsync(endpoint.windows(request));
    const { min, mean, max, count } = chunk!.columns;
    assertEquals([min[1], mean[1], max[1], count[1]], [1, 50.5, 100, 2n]);
  }));

Deno.test("windows: windows of unflushed points: moved is said only when the version is another one", async () => {
  const window = { time: 0n, min: 0, mean: 0, max: 0, count: 1n };
  const answer = { versionMajor: 11n, versionMinor: 1n, values: [window] };
  let minor = 1n;
  await withReal({
    Windows: (call) => call.send(bytes(WindowsResponseSchema, answer)),
    RawValues: (call) => call.send(raw([[4n, 1], [5n, 0]], 11n, minor)),
  }, async (endpoint) => {
    const request = { uuid, start: 0n, end: 10n, version: 0n, width: 10n, depth: 0 };
    const [chunk] = await Array.fromAsync(endpoint.windows(request));
    assertEquals([chunk!.columns.count[0], chunk!.columns.max[0]], [2n, 1]);
    minor = 2n;
    const error = await assertRejects(() => Array.fromAsync(endpoint.windows(request)), BTrDBError);
    assertEquals(error.status, "ABORTED");
  });
});

Deno.test("windows: windows with more points than the buffer holds are taken as they are", () =>
  withReal({
    Windows: (call) =>
      call.send(bytesOfWindow({ time: 0n, min: 0, mean: 6, max: 7, count: 9n }, 5n)),
  }, async (endpoint, server) => {
    const request = { uuid, start: 0n, end: 10n, version: 0n, width: 10n, depth: 0 };
    const [chunk] = await Array.fromAsync(endpoint.windows(request));
    assertEquals(chunk!.columns.min[0], 0);
    assertEquals(server.count("RawValues"), 0);
  }));

function bytesOfWindow(
  point: { time: bigint; min: number; mean: number; max: number; count: bigint },
  minor: bigint,
): Uint8Array {
  const init = { versionMajor: 11n, versionMinor: minor };
  return bytes(WindowsResponseSchema, { ...init, values: [point] });
}

Deno.test("windows-depth: depth is a hint, 0 is what is sent", () =>
  withReal({
    Windows(call) {
      assertEquals(fromBinary(WindowsParamsSchema, call.request).depth, 0);
      return call.send(windows([[0n, 1n, 5]]));
    },
  }, async (endpoint) => {
    const request = { uuid, start: 0n, end: 10n, version: 0n, width: 10n, depth: 40 };
    assertEquals((await Array.fromAsync(endpoint.windows(request))).length, 1);
  }));

Deno.test("nearest-backward-bucket0: an answer that is too early is found out", () =>
  withReal({
    Nearest(call) {
      const { backward } = fromBinary(NearestParamsSchema, call.request);
      const value = backward ? { time: 100n, value: 1 } : { time: 400n, value: 4 };
      return call.send(bytes(NearestResponseSchema, { versionMajor: 11n, value }));
    },
    RawValues: (call) => call.send(raw([[400n, 4], [700n, 7]])),
  }, async (endpoint) => {
    const { point } = await endpoint.nearest({ uuid, time: 1000n, backward: true, version: 0n });
    assertEquals(point, { time: 700n, value: 7 });
  }));

Deno.test("nearest-backward-bucket0: a point that is said not to be there is found", () =>
  withReal({
    Nearest(call) {
      const { backward } = fromBinary(NearestParamsSchema, call.request);
      const value = { time: 400n, value: 4 };
      return call.send(
        backward
          ? failure(401, "no such point")
          : bytes(NearestResponseSchema, { versionMajor: 11n, value }),
      );
    },
    RawValues: (call) => call.send(raw([[400n, 4]])),
  }, async (endpoint) => {
    const { point } = await endpoint.nearest({ uuid, time: 1000n, backward: true, version: 0n });
    assertEquals(point, { time: 400n, value: 4 });
  }));

Deno.test("nearest: nothing before is still nothing", () =>
  withReal({
    Nearest(call) {
      const { backward } = fromBinary(NearestParamsSchema, call.request);
      const value = { time: 4000n, value: 4 };
      return call.send(
        backward
          ? failure(401, "no such point")
          : bytes(NearestResponseSchema, { versionMajor: 11n, value }),
      );
    },
  }, async (endpoint) => {
    await refused(401, () => endpoint.nearest({ uuid, time: 1000n, backward: true, version: 0n }));
  }));

Deno.test("buffer-not-sorted: raw values come in order of time, equal ones as they arrived", () =>
  withReal({
    async RawValues(call) {
      await call.send(raw([[100n, 1], [300n, 3]], 11n, 4n));
      await call.send(raw([[200n, 2], [100n, 9]], 11n, 4n));
    },
  }, async (endpoint) => {
    const [chunk] = await Array.fromAsync(
      endpoint.rawValues({ uuid, start: 0n, end: 1000n, version: 0n }),
    );
    assertEquals([...chunk!.columns.times], [100n, 100n, 200n, 300n]);
    assertEquals([...chunk!.columns.values], [1, 9, 2, 3]);
  }));

Deno.test("changes: those up to the latest version are asked for with its number", () =>
  withReal({
    StreamInfo: (call) => call.send(bytes(StreamInfoResponseSchema, { versionMajor: 14n })),
    Changes(call) {
      const { fromMajor, toMajor } = fromBinary(ChangesParamsSchema, call.request);
      assertEquals([fromMajor, toMajor], [14n, 14n]);
      return call.send(bytes(ChangesResponseSchema, { versionMajor: 14n }));
    },
  }, async (endpoint) => {
    for (const from of [14n, 15n]) {
      const chunks = await Array.fromAsync(endpoint.changes({ uuid, from, to: 0n, resolution: 0 }));
      assertEquals(chunks.map(({ starts }) => starts.length), [0]);
    }
  }));

Deno.test("changes: those up to the latest version are joined as the server joins them", () =>
  withReal({
    StreamInfo: (call) => call.send(bytes(StreamInfoResponseSchema, { versionMajor: 14n })),
    async Changes(call) {
      // A node holds back the range it is extending, so it can come after later ones.
      const parts = [[[20n, 30n], [40n, 50n]], [[30n, 40n], [0n, 10n]], [[10n, 20n], [60n, 70n]]];
      for (const part of parts) {
        const ranges = part.map(([start, end]) => ({ start: start!, end: end! }));
        await call.send(bytes(ChangesResponseSchema, { versionMajor: 14n, ranges }));
      }
    },
  }, async (endpoint) => {
    const ask = async (to: bigint) => {
      const chunks = await Array.fromAsync(endpoint.changes({ uuid, from: 1n, to, resolution: 0 }));
      return chunks.flatMap(({ starts, ends }) => Array.from(starts, (at, i) => [at, ends[i]!]));
    };
    assertEquals(await ask(0n), [[20n, 30n], [30n, 50n], [0n, 20n], [60n, 70n]]);
    assertEquals(
      await ask(14n),
      [[20n, 30n], [40n, 50n], [30n, 40n], [0n, 10n], [10n, 20n], [60n, 70n]],
    );
  }));

Deno.test("changes: those with something buffered are asked for as the latest", () =>
  withReal({
    StreamInfo: (call) =>
      call.send(bytes(StreamInfoResponseSchema, { versionMajor: 14n, versionMinor: 3n })),
    Changes(call) {
      assertEquals(fromBinary(ChangesParamsSchema, call.request).toMajor, 0n);
      const ranges = [{ start: 0n, end: 8n }];
      return call.send(
        bytes(ChangesResponseSchema, { versionMajor: 14n, versionMinor: 3n, ranges }),
      );
    },
  }, async (endpoint) => {
    const [chunk] = await Array.fromAsync(
      endpoint.changes({ uuid, from: 14n, to: 0n, resolution: 3 }),
    );
    assertEquals([chunk!.starts[0], chunk!.ends[0]], [0n, 8n]);
  }));

Deno.test("stale-major-after-delete: the version that the delete answered is kept", () =>
  withReal({
    StreamInfo: (call) =>
      call.send(bytes(StreamInfoResponseSchema, { versionMajor: 11n, descriptor: { uuid } })),
    Delete: (call) => call.send(versioned(12n)),
    RawValues: (call) => call.send(raw([[1n, 1]], 11n)),
    Flush: (call) => call.send(versioned(13n)),
  }, async (endpoint) => {
    assertEquals((await endpoint.deleteRange({ uuid, start: 0n, end: 9n })).major, 12n);
    const [chunk] = await Array.fromAsync(
      endpoint.rawValues({ uuid, start: 0n, end: 9n, version: 0n }),
    );
    assertEquals(chunk!.version.major, 12n);
    const info = await endpoint.streamInfo({ uuid, omitVersion: false, omitDescriptor: true });
    assertEquals(info.version, { major: 12n, minor: 0n });
    assertEquals((await endpoint.flush(uuid)).major, 13n);
  }));

Deno.test("deleteRange: a delete on an unknown stream is not sent", () =>
  withReal({
    StreamInfo: (call) => call.send(failure(404, "stream does not exist")),
  }, async (endpoint, server) => {
    const call = () => endpoint.deleteRange({ uuid, start: 0n, end: 9n });
    assertEquals(await refused(404, call), "Stream does not exist");
    assertEquals(server.count("Delete"), 0);
  }));

const FOUND = [
  { uuid: new Uint8Array(16).fill(3), collection: "c", tags: [tag("name", "x")] },
  { uuid: new Uint8Array(16).fill(2), collection: "c", tags: [tag("name", "y")] },
  { uuid: new Uint8Array(16).fill(1), collection: "c/sub", tags: [tag("name", "x")] },
];

function tag(key: string, value: string): { key: string; value: Uint8Array } {
  return { key, value: new TextEncoder().encode(value) };
}

function lookup(request: Partial<LookupRequest>): LookupRequest {
  const none = new Map();
  return { collection: "c", isCollectionPrefix: false, tags: none, annotations: none, ...request };
}

Deno.test("lookup-exact-subcollections: only the collection itself", () =>
  withReal({
    LookupStreams: (call) => call.send(bytes(LookupStreamsResponseSchema, { results: FOUND })),
  }, async (endpoint) => {
    const found = (await Array.fromAsync(endpoint.lookupStreams(lookup({})))).flat();
    assertEquals(found.map((stream) => stream.uuid[0]), [3, 2]);
  }));

Deno.test("lookupStreams: a filtered lookup with a slash is filtered here, in the server's order", () =>
  withReal({
    LookupStreams(call) {
      assertEquals(fromBinary(LookupStreamsParamsSchema, call.request).tags, []);
      const results = FOUND.map((found) => ({ ...found, collection: `c/${found.collection}` }));
      return call.send(bytes(LookupStreamsResponseSchema, { results }));
    },
  }, async (endpoint) => {
    const request = lookup({
      collection: "c/c",
      isCollectionPrefix: true,
      tags: new Map([["name", "x"]]),
    });
    const found = (await Array.fromAsync(endpoint.lookupStreams(request))).flat();
    assertEquals(found.map((stream) => stream.uuid[0]), [3, 1]);
    const any = lookup({ collection: "c/c", tags: new Map([["name", null]]) });
    const exact = (await Array.fromAsync(endpoint.lookupStreams(any))).flat();
    assertEquals(exact.map((stream) => stream.uuid[0]), [2, 3]);
  }));

Deno.test("lookupStreams: a filtered lookup is read to its end after a break", () =>
  withReal({
    async LookupStreams(call) {
      for (const result of FOUND.slice(0, 2)) {
        await call.send(bytes(LookupStreamsResponseSchema, { results: [result] }));
        await call.delivered();
        await left.promise;
      }
      ended.resolve(call.signal.aborted);
    },
  }, async (endpoint) => {
    for await (const _ of endpoint.lookupStreams(lookup({ tags: new Map([["name", null]]) }))) {
      break;
    }
    left.resolve();
    assertEquals(await ended.promise, false);
  }));

const left = Promise.withResolvers<void>();
const ended = Promise.withResolvers<boolean>();

Deno.test("listCollections: pages go on until one is empty, however short they are", () => {
  const names = ["a", "a/b", "b", "c"];
  const sent: string[] = [];
  return withReal({
    ListCollections(call) {
      const { startWith } = fromBinary(ListCollectionsParamsSchema, call.request);
      sent.push(startWith);
      const after = names.filter((name) => `${name}/` >= startWith);
      return call.send(bytes(ListCollectionsResponseSchema, { collections: after.slice(0, 1) }));
    },
  }, async (endpoint) => {
    assertEquals((await Array.fromAsync(endpoint.listCollections({ prefix: "" }))).flat(), names);
    assertEquals(sent, ["", "a/\0", "a/b/\0", "b/\0", "c/\0"]);
  });
});

Deno.test("getMetadataUsage: metadata usage is counted here: the call kills the server", () =>
  withReal({
    LookupStreams: (call) => call.send(bytes(LookupStreamsResponseSchema, { results: FOUND })),
  }, async (endpoint, server) => {
    const { tags } = await endpoint.metadataUsage("c");
    assertEquals([...tags], [["name", 3n]]);
    assertEquals(server.count("GetMetadataUsage"), 0);
  }));

Deno.test("aligned-pw61: windows above 2^60 are made of smaller ones", () =>
  withReal({
    AlignedWindows(call) {
      assertEquals(fromBinary(AlignedWindowsParamsSchema, call.request).pointWidth, 60);
      return call.send(windows([[0n, 2n, 4], [1n << 60n, 6n, 8]]));
    },
  }, async (endpoint) => {
    const request = { uuid, start: 0n, end: 1n << 61n, pointwidth: 61, version: 0n };
    const [chunk] = await Array.fromAsync(endpoint.alignedWindows(request));
    const { times, min, mean, max, count } = chunk!.columns;
    assertEquals([times[0], min[0], mean[0], max[0], count[0]], [0n, 4, 7, 8, 8n]);
  }));

Deno.test("connectGrpc: a server of ours is believed", async () => {
  const rows = [[0n, 1n, 5], [10n, 0n], [20n, 0n]] as const;
  const script = v4Server("4.15.9-deno", { Windows: (call) => call.send(windows(rows)) });
  await using server = await ScriptedServer.start(script);
  const endpoint = await connectGrpc({ addresses: [server.address], retry: false });
  const request = { uuid, start: 0n, end: 30n, version: 0n, width: 10n, depth: 0 };
  assertEquals((await Array.fromAsync(endpoint.windows(request))).length, 1);
  await endpoint.close();
});
