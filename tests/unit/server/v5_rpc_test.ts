/** The RPCs that only v5 has, each by the bytes of its own messages. */

import { Buffer } from "node:buffer";
import { create, type DescMessage, fromBinary, toBinary } from "@bufbuild/protobuf";
import { Metadata } from "@grpc/grpc-js";
import { assert, assertEquals, assertMatch } from "@std/assert";
import { openEngine } from "../../../src/engine/mod.ts";
import * as pb from "../../../src/gen/btrdb_v5_pb.ts";
import { ipcToMulti, ipcToRaw, ipcToStat } from "../../../src/arrow/read_ipc.ts";
import { rawToIpc } from "../../../src/arrow/write_ipc.ts";
import { serve, type ServeOptions } from "../../../src/server/mod.ts";
import { RawClient } from "../../support/grpc_client.ts";
import { until } from "../../support/until.ts";

const [A, B] = [1, 2].map((n) => new Uint8Array(16).fill(n)) as [Uint8Array, Uint8Array];
const NEVER = pb.MergePolicy.NEVER;

type Fields = Record<string, unknown>;

/** Calls a method of v5; its messages, still bytes. */
type Caller = (rpc: string, schema: DescMessage, fields: Fields) => Promise<Uint8Array[]>;

/** Two streams with points at 10, 20, 30 and 20, 25. */
async function withServer(
  test: (call: Caller, client: RawClient) => Promise<void>,
  options: ServeOptions = {},
): Promise<void> {
  await using endpoint = await openEngine();
  await using server = await serve(endpoint, { port: 0, ...options });
  using client = new RawClient(server.address);
  const call: Caller = async (rpc, schema, fields) => {
    const bytes = toBinary(schema, create(schema, fields));
    const { code, details, messages } = await client.call(`/v5api.BTrDB/${rpc}`, bytes);
    assertEquals([code, details], [0, "OK"]);
    return messages;
  };
  for (const [uuid, times] of [[A, [10n, 20n, 30n]], [B, [20n, 25n]]] as const) {
    const tags = [{ key: "name", val: { value: `s${uuid[0]}` } }];
    await call("Create", pb.CreateParamsSchema, { uuid, collection: "v5", tags });
    const values = times.map((time) => ({ time, value: Number(time) + uuid[0]! / 8 }));
    await call("Insert", pb.InsertParamsSchema, { uuid, values });
    await call("Flush", pb.FlushParamsSchema, { uuid });
  }
  await test(call, client);
}

function statusOf(messages: readonly Uint8Array[]): [number, string] {
  const { stat } = fromBinary(pb.FlushResponseSchema, messages.at(-1)!);
  return [stat?.code ?? 0, stat?.msg ?? ""];
}

Deno.test("serve moves a stream and changes its tags, by property version", () =>
  withServer(async (call) => {
    const tags = [{ key: "name", val: { value: "new" } }, { key: "unit", val: { value: "V" } }];
    const change = { uuid: A, expectedPropertyVersion: 1n, tags, collection: "moved" };
    assertEquals(statusOf(await call("SetStreamTags", pb.SetStreamTagsParamsSchema, change))[0], 0);
    const again = await call("SetStreamTags", pb.SetStreamTagsParamsSchema, change);
    assertEquals(statusOf(again)[0], 423);
    const remove = { uuid: A, expectedPropertyVersion: 2n, remove: ["unit"] };
    assertEquals(statusOf(await call("SetStreamTags", pb.SetStreamTagsParamsSchema, remove))[0], 0);
    const [info] = await call("StreamInfo", pb.StreamInfoParamsSchema, { uuid: A });
    const { descriptor } = fromBinary(pb.StreamInfoResponseSchema, info!);
    assertEquals(descriptor!.collection, "moved");
    assertEquals(descriptor!.tags.map(({ key, val }) => [key, val?.value]), [["name", "new"]]);
    assertEquals(descriptor!.propertyVersion, 3n);
  }));

async function valuesOf(call: Caller, uuid: Uint8Array): Promise<[bigint, number][]> {
  const range = { uuid, start: 0n, end: 100n };
  const messages = await call("RawValues", pb.RawValuesParamsSchema, range);
  return messages.flatMap((bytes) => fromBinary(pb.RawValuesResponseSchema, bytes).values)
    .map(({ time, value }) => [time, value]);
}

for (
  const [name, policy, expected] of [
    ["never", NEVER, [10, 20, 20.125, 20.25, 30]],
    ["equal", pb.MergePolicy.EQUAL, [10, 20, 20.125, 30]],
    ["retain", pb.MergePolicy.RETAIN, [10, 20.125, 30]],
    ["replace", pb.MergePolicy.REPLACE, [10, 20, 30]],
  ] as const
) {
  Deno.test(`serve merges points of equal time: ${name}`, () =>
    withServer(async (call) => {
      const value = name === "equal" ? 20.125 : 20;
      const values = [
        { time: 20n, value },
        ...(name === "equal" ? [{ time: 20n, value: 20 }] : []),
      ];
      if (name === "never") values.push({ time: 20n, value: 20.25 });
      const insert = { uuid: A, values, mergePolicy: policy };
      assertEquals(statusOf(await call("Insert", pb.InsertParamsSchema, insert))[0], 0);
      await call("Flush", pb.FlushParamsSchema, { uuid: A });
      const got = (await valuesOf(call, A)).map(([, value]) =>
        Math.trunc(value) === 20 ? value : Math.trunc(value)
      );
      assertEquals(got.toSorted((a, b) => a - b), [...expected]);
    }));
}

Deno.test("serve rounds what it is told to round", () =>
  withServer(async (call) => {
    const rounding = { spec: { case: "bits", value: 44 } };
    const insert = { uuid: A, values: [{ time: 50n, value: Math.PI }], rounding };
    assertEquals(statusOf(await call("Insert", pb.InsertParamsSchema, insert))[0], 0);
    const value = (await valuesOf(call, A)).at(-1)![1];
    assert(value !== Math.PI && Math.abs(value - Math.PI) < 0.02, String(value));
  }));

Deno.test("serve joins raw values of several streams by time, or to a period", () =>
  withServer(async (call) => {
    const read = async (periodNs: bigint) => {
      const request = { uuid: [A, B], start: 0n, end: 100n, periodNs };
      const messages = await call("MultiRawValues", pb.MultiRawValuesParamsSchema, request);
      const responses = messages.map((bytes) => fromBinary(pb.MultiRawValuesResponseSchema, bytes));
      assertEquals(responses[0]!.versionMajor, [11n, 11n]);
      return responses.flatMap(({ values }) => values).map(({ time, value }) => [time, ...value]);
    };
    assertEquals(await read(0n), [
      [10n, 10.125, NaN],
      [20n, 20.125, 20.25],
      [25n, NaN, 25.25],
      [30n, 30.125, NaN],
    ]);
    assertEquals((await read(10n)).map(([time]) => time), [10n, 20n, 30n]);
    const wrong = { uuid: [A], start: 0n, end: 9n, periodNs: -1n };
    const refused = await call("MultiRawValues", pb.MultiRawValuesParamsSchema, wrong);
    assertEquals(statusOf(refused), [421, "the period is -1 ns, expected 0 or more"]);
  }));

Deno.test("serve answers the Arrow reads with complete IPC streams", () =>
  withServer(async (call) => {
    const range = { uuid: A, start: 0n, end: 100n };
    const ipc = async (rpc: string, schema: DescMessage, fields: Fields) => {
      const [message] = await call(rpc, schema, fields);
      const response = fromBinary(pb.ArrowRawValuesResponseSchema, message!);
      assertEquals(response.versionMajor, 11n);
      return response.arrowBytes;
    };
    const raw = ipcToRaw(await ipc("ArrowRawValues", pb.ArrowRawValuesParamsSchema, range));
    assertEquals([[...raw.times], [...raw.values]], [[10n, 20n, 30n], [10.125, 20.125, 30.125]]);
    const width = { ...range, width: 50n };
    const windows = ipcToStat(await ipc("ArrowWindows", pb.WindowsParamsSchema, width));
    assertEquals([[...windows.times], [...windows.count]], [[0n, 50n], [3n, 0n]]);
    const aligned = await ipc("ArrowAlignedWindows", pb.AlignedWindowsParamsSchema, {
      ...range,
      end: 128n,
      pointWidth: 6,
    });
    assertEquals([...ipcToStat(aligned).count], [3n]);
    const multi = { uuid: [A, B], start: 0n, end: 100n };
    const messages = await call("ArrowMultiValues", pb.ArrowMultiValuesParamsSchema, multi);
    const rows = messages.flatMap((bytes) => {
      const { arrowBytes } = fromBinary(pb.ArrowMultiValuesResponseSchema, bytes);
      const { times, streams } = ipcToMulti(arrowBytes);
      return Array.from(times, (time, i) => [time, ...streams.map(({ values }) => values[i])]);
    });
    assertEquals(rows, [[10n, 10.125, NaN], [20n, 20.125, 20.25], [25n, NaN, 25.25], [
      30n,
      30.125,
      NaN,
    ]]);
  }));

Deno.test("serve takes Arrow inserts, and refuses what is no Arrow", () =>
  withServer(async (call) => {
    const columns = { times: BigInt64Array.of(40n), values: Float64Array.of(4) };
    const insert = { uuid: A, arrowBytes: rawToIpc(columns) };
    assertEquals(statusOf(await call("ArrowInsert", pb.ArrowInsertParamsSchema, insert))[0], 0);
    assertEquals((await valuesOf(call, A)).at(-1), [40n, 4]);
    const wrong = { uuid: A, arrowBytes: new Uint8Array(100).fill(65) };
    assert(statusOf(await call("ArrowInsert", pb.ArrowInsertParamsSchema, wrong))[0] > 400);
  }));

Deno.test("serve answers SQL on the metadata within its bounds, and nothing else", () =>
  withServer(
    async (call) => {
      const sql = (query: string, params: string[] = []) =>
        call("SQLQuery", pb.SQLQueryParamsSchema, { query, params });
      const rows = (await sql("select name, collection from streams where name = $1", ["s1"]))
        .flatMap((bytes) => fromBinary(pb.SQLQueryResponseSchema, bytes).SQLQueryRow)
        .map((row) => JSON.parse(new TextDecoder().decode(row)));
      assertEquals(rows, [{ name: "s1", collection: "v5" }]);
      assertEquals(statusOf(await sql("select a.name from streams a, streams b"))[0], 441);
      for (
        const query of [
          "delete from streams",
          "select 1; select 2",
          "attach database '/tmp/x' as x",
          "create table x (y)",
          "pragma writable_schema = 1",
          "select load_extension('x')",
          "nonsense",
        ]
      ) {
        const [code] = statusOf(await sql(query));
        assert(code >= 400, `${query}: ${code}`);
      }
      const count = (times: number) =>
        sql(`select count(*) from ${Array.from({ length: times }, (_, i) => `streams s${i}`)}`);
      assertMatch(statusOf(await count(32))[1], /^the query may visit 4294967296 rows/);
      const endless =
        "with recursive n(i) as (select 1 union all select i + 1 from n) select * from n";
      assertEquals(statusOf(await sql(endless)), [441, "not authorized"]);
    },
    { limits: { sqlRows: 3 } },
  ));

Deno.test("serve: SQLQuery: a query that takes longer than allowed is answered 402", () =>
  withServer(
    async (call) => {
      const query = `select count(*) from ${Array.from({ length: 20 }, (_, i) => `streams s${i}`)}`;
      const answer = await call("SQLQuery", pb.SQLQueryParamsSchema, { query, params: [] });
      assertEquals(statusOf(answer), [402, "the query takes more than 1 ms"]);
    },
    { limits: { sqlTimeoutMs: 1 } },
  ));

Deno.test("serve has no compaction and injects no faults", () =>
  withServer(async (call) => {
    const [config] = await call("GetCompactionConfig", pb.GetCompactionConfigParamsSchema, {
      uuid: A,
    });
    const { LatestMajorVersion, CompactedVersion, reducedResolutionRanges } = fromBinary(
      pb.GetCompactionConfigResponseSchema,
      config!,
    );
    assertEquals([LatestMajorVersion, CompactedVersion, reducedResolutionRanges], [11n, 0n, []]);
    const missing = { uuid: new Uint8Array(16).fill(9) };
    const none = await call("GetCompactionConfig", pb.GetCompactionConfigParamsSchema, missing);
    assertEquals(statusOf(none)[0], 404);
    const set = await call("SetCompactionConfig", pb.SetCompactionConfigParamsSchema, { uuid: A });
    assertEquals(statusOf(set)[0], 501);
    const fault = await call("FaultInject", pb.FaultInjectParamsSchema, { type: 1n });
    assertEquals(statusOf(fault), [424, "Fault injection is disabled on this node"]);
  }));

/** Messages of a subscription, as they come. */
function subscription(client: RawClient, first: Uint8Array) {
  const stream = client.client.makeBidiStreamRequest<Uint8Array, Uint8Array>(
    "/v5api.BTrDB/Subscribe",
    (bytes) => Buffer.from(bytes),
    (bytes) => bytes,
    new Metadata(),
  );
  const messages: Uint8Array[] = [];
  stream.on("data", (bytes: Uint8Array) => messages.push(bytes));
  stream.on("error", () => {});
  stream.write(first);
  return { stream, messages };
}

/** Inserts points into a stream, one after another, until `enough`. */
async function insertUntil(call: Caller, uuid: Uint8Array, enough: () => boolean): Promise<void> {
  let time = 100n;
  await until("points arrive", async () => {
    const values = [{ time, value: Number(time++) }];
    await call("Insert", pb.InsertParamsSchema, { uuid, values });
    return enough();
  });
}

Deno.test("serve answers a subscription of one request with points", () =>
  withServer(async (call, client) => {
    const request = create(pb.SubscribeParamsSchema, { uuid: [A] });
    const { stream, messages } = subscription(client, toBinary(pb.SubscribeParamsSchema, request));
    await insertUntil(call, A, () => messages.length > 1);
    const { uuid, values } = fromBinary(pb.SubscribeResponseSchema, messages[0]!);
    assertEquals(new Uint8Array(uuid), A);
    assertEquals(Number(values[0]!.time), values[0]!.value);
    stream.cancel();
  }));

Deno.test("serve adds and removes streams of a subscription that is a stream of updates", () =>
  withServer(async (call, client) => {
    const { ADD_UUIDS, REMOVE_UUIDS } = pb.SubscriptionUpdate_Op;
    const update = (op: pb.SubscriptionUpdate_Op, uuid: Uint8Array[]) =>
      toBinary(pb.SubscriptionUpdateSchema, create(pb.SubscriptionUpdateSchema, { op, uuid }));
    const { stream, messages } = subscription(client, update(ADD_UUIDS, [A]));
    await insertUntil(call, A, () => messages.length > 1);
    const { uuid, arrowBytes } = fromBinary(pb.SubscriptionRespSchema, messages[0]!);
    assertEquals(new Uint8Array(uuid), A);
    const { times, values } = ipcToRaw(arrowBytes);
    assertEquals(Number(times[0]), values[0]);
    stream.write(update(ADD_UUIDS, [B]));
    stream.write(update(REMOVE_UUIDS, [A]));
    const of = (wanted: Uint8Array) =>
      messages.filter((bytes) =>
        fromBinary(pb.SubscriptionRespSchema, bytes).uuid[0] === wanted[0]
      );
    await insertUntil(call, B, () => of(B).length > 0);
    const before = of(A).length;
    await call("Insert", pb.InsertParamsSchema, { uuid: A, values: [{ time: 1000n, value: 1 }] });
    const seen = of(B).length;
    await insertUntil(call, B, () => of(B).length > seen + 3);
    assertEquals(of(A).length, before);
    stream.cancel();
  }));

Deno.test("serve sends each point once however often an update names its stream", () =>
  withServer(async (call, client) => {
    const named = create(pb.SubscriptionUpdateSchema, { uuid: [A, A, A] });
    const update = toBinary(pb.SubscriptionUpdateSchema, named);
    const { stream, messages } = subscription(client, update);
    stream.write(update);
    const timesOf = () =>
      messages.flatMap((bytes) => [
        ...ipcToRaw(fromBinary(pb.SubscriptionRespSchema, bytes).arrowBytes).times,
      ]);
    await insertUntil(call, A, () => messages.length > 20);
    const times = timesOf();
    assertEquals(times, [...new Set(times)]);
    stream.cancel();
  }));

Deno.test("serve says what it is, at the address by which it was reached", () =>
  withServer(async (call, client) => {
    const [bytes] = await call("Info", pb.InfoParamsSchema, {});
    const info = fromBinary(pb.InfoResponseSchema, bytes!);
    assertEquals([info.majorVersion, info.minorVersion], [5, 30]);
    assertMatch(info.build, /-deno\+batches$/);
    const [member] = info.mash!.members;
    assertEquals(info.mash!.members.length, 1);
    assertEquals(member!.grpcEndpoints, client.client.getChannel().getTarget().replace("dns:", ""));
    const v4 = await client.call("/grpcinterface.BTrDB/Info", new Uint8Array());
    const old = fromBinary(pb.InfoResponseSchema, v4.messages[0]!);
    assertEquals([old.majorVersion, old.minorVersion], [4, 15]);
  }));
