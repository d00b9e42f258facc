/** Chunks of calls on several streams: their points are bounded, however many calls are not read. */

import { assert, assertEquals } from "@std/assert";
import { create, toBinary } from "@bufbuild/protobuf";
import { uuidText } from "../../../src/core/uuid.ts";
import { openEngine } from "../../../src/engine/mod.ts";
import * as pb from "../../../src/gen/btrdb_v5_pb.ts";
import { serve } from "../../../src/server/mod.ts";
import { OpenStreams } from "../../../src/server/open_streams.ts";
import { createFilled } from "../../support/engine.ts";
import { RawClient } from "../../support/grpc_client.ts";
import { override } from "../../support/override_endpoint.ts";
import { NO_TIMEOUT, TestCall } from "../../support/place_holder.ts";
import { until } from "../../support/until.ts";

const call = new TestCall();

/** Calls that have begun, and do not end until they are let go. */
class Stalled {
  /** Chunk of each call. */
  readonly chunks: (number | undefined)[] = [];
  readonly #gate: OpenStreams;
  readonly #runs: Promise<void>[] = [];
  #letGo!: () => void;
  readonly #held: Promise<void> = new Promise((resolve) => this.#letGo = resolve);

  constructor(gate: OpenStreams) {
    this.#gate = gate;
  }

  async begin(owner: unknown, streams: number, isWindows = false): Promise<number | undefined> {
    const run = this.#gate.of(owner);
    const before = this.chunks.length;
    const chunk = await new Promise<number | undefined>((resolve) => {
      this.#runs.push(run.run({ streams, isWindows }, call, async (chunk) => {
        resolve(chunk);
        await this.#held;
      }));
    });
    this.chunks[before] = chunk;
    return chunk;
  }

  async end(): Promise<void> {
    this.#letGo();
    await Promise.all(this.#runs);
  }
}

// Each call held up to 32 MiB of chunks, whatever others held: 66 calls on 300 streams that were not
// read took 4 GB.
Deno.test("OpenStreams: the chunks of calls that do not end do not add up", async () => {
  const gate = new OpenStreams(20_000, 10, NO_TIMEOUT);
  const stalled = new Stalled(gate);
  assertEquals(await stalled.begin(undefined, 300), Math.floor((2 << 20) / 300));
  for (let i = 1; i < 66; i++) await stalled.begin(undefined, 300);
  const points = stalled.chunks.map((chunk) => 300 * chunk!);
  const least = 300 * 256;
  assertEquals(points.at(-1), least);
  const all = points.reduce((sum, n) => sum + n);
  assert(all <= (8 << 20) + 66 * least, `${all} points`);
  await stalled.end();
  const later = new Stalled(gate);
  assertEquals(await later.begin(undefined, 300), Math.floor((2 << 20) / 300));
  await later.end();
});

Deno.test("OpenStreams: few streams have chunks of any size, windows a third of the points", async () => {
  const stalled = new Stalled(new OpenStreams(20_000, 10, NO_TIMEOUT));
  assertEquals(await stalled.begin(undefined, 1), undefined);
  assertEquals(await stalled.begin(undefined, 64), undefined);
  await stalled.end();
  const windows = new Stalled(new OpenStreams(20_000, 10, NO_TIMEOUT));
  assertEquals(await windows.begin(undefined, 300, true), Math.floor((2 << 20) / 3 / 300));
  await windows.end();
});

Deno.test("OpenStreams: one key's calls leave points to another's", async () => {
  const stalled = new Stalled(new OpenStreams(20_000, 10, NO_TIMEOUT));
  for (let i = 0; i < 40; i++) await stalled.begin("greedy", 300);
  assertEquals(stalled.chunks.at(-1), 256);
  const chunk = await stalled.begin("modest", 300);
  assert(chunk! > 1_700, `${chunk} points`);
  await stalled.end();
});

// The bound is of use only if each way to read several streams asks for such chunks.
Deno.test("serve: calls on several streams read in smaller chunks while others are not read", async () => {
  await using engine = await openEngine();
  const uuids = await createFilled(engine, 2);
  let release = () => {};
  const hold = new Promise<void>((resolve) => release = resolve);
  let held = 0;
  const chunks: (number | undefined)[] = [];
  const slow = override(engine, {
    async *rawValues(request, options) {
      if (request.end === 9n) {
        held++;
        await hold;
      } else chunks.push(request.chunk);
      yield* engine.rawValues(request, options);
    },
  });
  await using server = await serve(slow, { port: 0, hostname: "127.0.0.1", http: { port: 0 } });
  using client = new RawClient(server.address);
  const multi = (end: bigint) => {
    const fields = { uuid: uuids, start: 0n, end };
    const schema = pb.MultiRawValuesParamsSchema;
    return client.call("/v5api.BTrDB/MultiRawValues", toBinary(schema, create(schema, fields)));
  };
  const arrowSchema = pb.ArrowMultiValuesParamsSchema;
  const arrow = toBinary(
    arrowSchema,
    create(arrowSchema, { uuid: uuids, versionMajor: [0n, 0n], start: 0n, end: 8n }),
  );
  const csvSchema = pb.GenerateCSVParamsSchema;
  const csv = toBinary(
    csvSchema,
    create(csvSchema, {
      queryType: pb.GenerateCSVParams_QueryType.RAW_QUERY,
      startTime: 0n,
      endTime: 8n,
      streams: uuids.map((uuid) => ({ uuid, label: "x" })),
    }),
  );
  const names = uuids.map((uuid) => `stream=${uuidText(uuid)}`).join("&");
  const url = `http://127.0.0.1:${server.httpPort}/api/v1/data.csv?${names}&start=0&end=8`;
  const readAll = async () => {
    assertEquals((await multi(8n)).code, 0);
    assertEquals((await client.call("/v5api.BTrDB/ArrowMultiValues", arrow)).code, 0);
    assertEquals((await client.call("/v5api.BTrDB/GenerateCSV", csv)).code, 0);
    const response = await fetch(url);
    assertEquals([response.status, (await response.text()).split("\n").length], [200, 3]);
    return chunks.splice(0);
  };
  const none = undefined;
  assertEquals(await readAll(), [none, none, none, none, none, none, 8_192, 8_192]);
  const stalled = Array.from({ length: 30 }, () => multi(9n));
  await until("all calls wait", () => held === 60);
  assertEquals(await readAll(), new Array(8).fill(256));
  release();
  for (const call of stalled) assertEquals((await call).code, 0);
});
