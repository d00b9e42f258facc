/** `InsertMany` against callers that make the most of a message. */

import { assertEquals, assertLess } from "@std/assert";
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { nextTurn } from "../../../src/core/event_loop.ts";
import { type Engine, openEngine } from "../../../src/engine/mod.ts";
import {
  InsertManyParamsSchema,
  InsertManyResponseSchema,
} from "../../../src/gen/btrdb_deno_pb.ts";
import { InsertResponseSchema } from "../../../src/gen/btrdb_v5_pb.ts";
import { encodeInsert } from "../../../src/kernel/wire.ts";
import { responseInSteps } from "../../../src/server/btrdb/insert_many.ts";
import { serve } from "../../../src/server/mod.ts";
import { columnsAt, columnsOf, createStream, uuidOf } from "../../support/engine.ts";
import { scriptedEndpoint } from "../../support/grpc/scripted_endpoint.ts";
import { RawClient } from "../../support/grpc_client.ts";

type Sent = readonly { readonly stream: number; readonly times: readonly number[] }[];

/** Code and minor version (its buffered points) of each insert of a message; with a gRPC status instead, its number. */
async function insertMany(raw: RawClient, inserts: Sent): Promise<[number, number][]> {
  const params = create(InsertManyParamsSchema, {
    inserts: inserts.map(({ stream, times }) =>
      encodeInsert({
        uuid: uuidOf(stream),
        columns: columnsOf(times.map((time) => [time, 1])),
        protocol: "v5",
      }) as Uint8Array<ArrayBuffer>
    ),
  });
  const message = toBinary(InsertManyParamsSchema, params);
  const { code, messages } = await raw.call("/btrdbdeno.Batches/InsertMany", message);
  assertEquals(code, 0);
  return fromBinary(InsertManyResponseSchema, messages[0]!).outcomes.map((outcome) => {
    if (outcome.code !== 0) return [outcome.code, -1];
    const { stat, versionMinor } = fromBinary(InsertResponseSchema, outcome.response);
    return [stat?.code ?? 0, Number(versionMinor)];
  });
}

async function withServer(
  streams: number,
  body: (engine: Engine, raw: RawClient) => Promise<void>,
): Promise<void> {
  await using engine = await openEngine({ maxInsertPoints: 50_000 });
  for (let i = 1; i <= streams; i++) await createStream(engine, i);
  await using server = await serve(engine, { port: 0 });
  using raw = new RawClient(server.address);
  await body(engine, raw);
}

const range = (n: number) => Array.from({ length: n }, (_, i) => i);

async function counts(engine: Engine, streams: number): Promise<number[]> {
  const all = range(streams).map((i) => columnsAt(engine, uuidOf(i + 1)));
  return (await Promise.all(all)).map(({ times }) => times.length);
}

Deno.test("InsertMany: all inserts of a message have as many points as one may have", async () => {
  // Each within its own limit, 16 messages of 16 MiB took 1.7 GB.
  await withServer(4, async (engine, raw) => {
    const sent: Sent = [
      { stream: 1, times: range(30_000) },
      { stream: 2, times: range(20_000) },
      { stream: 3, times: [1] },
      { stream: 4, times: [1] },
    ];
    assertEquals(await insertMany(raw, sent), [[0, 30_000], [0, 20_000], [414, 0], [414, 0]]);
    assertEquals(await counts(engine, 4), [30_000, 20_000, 0, 0]);
    assertEquals(await insertMany(raw, sent.slice(2)), [[0, 1], [0, 1]]);
  });
});

Deno.test("InsertMany: one stream again and again, and streams that are not there between", async () => {
  await withServer(1, async (engine, raw) => {
    const sent: Sent = range(4096).map((i) => ({ stream: i % 8 === 7 ? 99 : 1, times: [i] }));
    const outcomes = await insertMany(raw, sent);
    let minor = 0;
    const expected = range(4096).map((i) => i % 8 === 7 ? [404, 0] : [0, ++minor]);
    assertEquals(outcomes, expected);
    assertEquals(await counts(engine, 1), [3584]);
  });
});

// The response to 4,096 inserts was encoded at once, which took 10 to 15 ms with its garbage.
Deno.test("InsertMany: outcomes that are encoded in steps are those that are encoded at once", () => {
  for (const length of [0, 1, 127, 128, 129, 4_096]) {
    const outcomes = range(length).map((i) =>
      i % 3 === 0 ? { code: i, details: `insert ${i}` } : { response: Uint8Array.of(i, i >> 8) }
    );
    let read = 0;
    const watched = new Proxy(outcomes, {
      get(target, key) {
        if (/^\d+$/.test(String(key))) read++;
        return Reflect.get(target, key);
      },
    });
    const steps = responseInSteps(watched);
    let step = steps.next();
    for (let before = 0; !step.done; step = steps.next()) {
      assertLess(read - before, 129);
      before = read;
    }
    const whole = create(InsertManyResponseSchema, { outcomes });
    assertEquals(step.value, toBinary(InsertManyResponseSchema, whole));
  }
});

// All inserts of a message were decoded before the first was stored: 13 MB of objects waited for 4,096 of
// 255 points, and to copy them when garbage was collected took up to 12 ms.
Deno.test("InsertMany: no more inserts are decoded while 131,072 points wait to be stored", async () => {
  let begun = 0;
  const waiting: (() => void)[] = [];
  const full = Promise.withResolvers<void>();
  const endpoint = scriptedEndpoint({
    insert() {
      begun++;
      const { promise, resolve } = Promise.withResolvers<{ major: bigint; minor: bigint }>();
      waiting.push(() => resolve({ major: 10n, minor: 0n }));
      if (begun === 4) full.resolve();
      return promise;
    },
  });
  await using server = await serve(endpoint, { port: 0 });
  using raw = new RawClient(server.address);
  const times = range(32_768);
  const answer = insertMany(raw, range(6).map((i) => ({ stream: i + 1, times })));
  await full.promise;
  // Long enough for the others, if they did not wait.
  for (let turn = 0; turn < 1_000; turn++) await nextTurn();
  assertEquals(begun, 4);
  waiting.shift()!();
  while (begun < 5) await nextTurn();
  for (let turn = 0; turn < 1_000; turn++) await nextTurn();
  assertEquals(begun, 5);
  for (; begun < 6 || waiting.length > 0; await nextTurn()) waiting.shift()?.();
  assertEquals(await answer, new Array(6).fill([0, 0]));
});
