/**
 * Memory of a server whose callers read thousands of streams at once: bounded while they do, and given
 * back when they are gone. `MEMORY_STREAMS=10000` is the largest call there is.
 */

import { assert, assertEquals } from "@std/assert";
import { create, toBinary } from "@bufbuild/protobuf";
import { openEngine } from "../../src/engine/mod.ts";
import * as pb from "../../src/gen/btrdb_v5_pb.ts";
import { RawClient } from "../support/grpc_client.ts";
import { until } from "../support/until.ts";
import { ServedDatabase } from "./support/served_database.ts";

const STREAMS = Number(Deno.env.get("MEMORY_STREAMS") ?? 1_500);
/** Memory that the process may keep, MiB, however many streams were read. */
const KEPT = 200;
const POINTS = 1_200;
const START = 1_700_000_000_000_000_000n;

function uuidOf(stream: number): Uint8Array {
  const uuid = new Uint8Array(16);
  new DataView(uuid.buffer).setUint32(12, stream + 1);
  return uuid;
}

async function fill(path: string): Promise<void> {
  await using engine = await openEngine({ path });
  const times = BigInt64Array.from({ length: POINTS }, (_, i) => START + BigInt(i) * 10_000_000n);
  const none = new Map<string, string>();
  for (let stream = 0; stream < STREAMS; stream += 50) {
    await Promise.all(Array.from({ length: 50 }, async (_, i) => {
      const uuid = uuidOf(stream + i);
      const tags = new Map([["name", String(stream + i)]]);
      await engine.create({ uuid, collection: "many", tags, annotations: none });
      const values = Float64Array.from(times, () => Math.random());
      await engine.insert({ uuid, columns: { times, values } });
      await engine.flush(uuid);
    }));
  }
}

/** Reads an answer by gRPC. */
async function overGrpc(
  { address }: ServedDatabase,
  path: string,
  request: Uint8Array,
  got: (bytes: number) => void,
): Promise<void> {
  using client = new RawClient(address);
  const stream = client.open(path, request);
  stream.on("error", () => {});
  stream.on("data", (message: Uint8Array) => got(message.length));
  const code = await new Promise<number>((resolve) =>
    stream.on("status", ({ code }: { code: number }) => resolve(code))
  );
  assertEquals(code, 0);
}

/** Reads an answer by gRPC-Web. */
async function overWeb(
  { httpPort }: ServedDatabase,
  path: string,
  request: Uint8Array,
  got: (bytes: number) => void,
): Promise<void> {
  const body = new Uint8Array(5 + request.length);
  new DataView(body.buffer).setUint32(1, request.length);
  body.set(request, 5);
  const response = await fetch(`http://127.0.0.1:${httpPort}${path}`, {
    method: "POST",
    headers: { "content-type": "application/grpc-web+proto" },
    body,
  });
  assertEquals(response.status, 200);
  let last = new Uint8Array(0);
  for await (const piece of response.body!) {
    got(piece.length);
    last = piece;
  }
  const end = new TextDecoder().decode(last.subarray(-200));
  assert(/grpc-status: ?0/i.test(end), end);
}

Deno.test("serve: calls on thousands of streams take bounded memory and give it back", async () => {
  const folder = await Deno.makeTempDir();
  await fill(`${folder}/many.btrdb`);
  const server = await ServedDatabase.start(`file:${folder}/many.btrdb`, 0, 0);
  const uuid = Array.from({ length: STREAMS }, (_, i) => uuidOf(i));
  const range = { start: START, end: START + (1n << 40n) };
  const multi = create(pb.MultiRawValuesParamsSchema, { uuid, ...range });
  const csv = create(pb.GenerateCSVParamsSchema, {
    queryType: pb.GenerateCSVParams_QueryType.RAW_QUERY,
    startTime: range.start,
    endTime: range.end,
    streams: uuid.map((uuid) => ({ uuid, label: "x" })),
  });
  const before = (await server.memory())!.resident;
  let peak = 0;
  const watch = async () => peak = Math.max(peak, (await server.memory())?.resident ?? 0);
  const least = 8 * POINTS * STREAMS;
  const calls = [
    ["MultiRawValues", toBinary(pb.MultiRawValuesParamsSchema, multi)],
    ["GenerateCSV", toBinary(pb.GenerateCSVParamsSchema, csv)],
  ] as const;
  for (const [rpc, request] of calls) {
    for (const way of [overGrpc, overWeb]) {
      let bytes = 0;
      let watched = Promise.resolve(0);
      await way(server, `/v5api.BTrDB/${rpc}`, request, (length) => {
        const due = bytes >> 23 !== (bytes + length) >> 23;
        bytes += length;
        if (due) watched = watched.then(watch);
      });
      await watched;
      assert(bytes > least, `${rpc}, ${way.name}: ${bytes} bytes`);
    }
  }
  await watch();
  // Half a MiB a stream, 750 MiB here, is what chunks of the usual size would take.
  const most = 350 + STREAMS / 20;
  assert(peak - before < most, `from ${before} to ${peak} MiB, expected ${most} more at most`);
  await until(
    `memory is given back: ${before} MiB before, ${peak} at most, ${KEPT} more kept`,
    async () => (await server.memory())!.resident - before <= KEPT,
  );
  assertEquals((await server.stop()).code, 0);
  await Deno.remove(folder, { recursive: true });
});

// Each had too few streams to count as one of thousands: 1.9 GiB stayed with the process after 66 of them.
Deno.test("serve: many calls on hundreds of streams that nobody reads give their memory back", async () => {
  const folder = await Deno.makeTempDir();
  await fill(`${folder}/many.btrdb`);
  const server = await ServedDatabase.start(`file:${folder}/many.btrdb`);
  const before = (await server.memory())!.resident;
  const fields = { uuid: Array.from({ length: 300 }, (_, i) => uuidOf(i)), start: START };
  const schema = pb.MultiRawValuesParamsSchema;
  const request = toBinary(schema, create(schema, { ...fields, end: START + (1n << 40n) }));
  const clients = Array.from({ length: 60 }, () => new RawClient(server.address));
  await Promise.all(clients.map((client) => {
    const answer = client.open("/v5api.BTrDB/MultiRawValues", request);
    answer.on("error", () => {});
    return new Promise<void>((resolve) => answer.once("data", () => resolve(void answer.pause())));
  }));
  let peak = before;
  await until(() => `the calls take memory, not ${peak - before} MiB only`, async () => {
    peak = (await server.memory())!.resident;
    return peak - before > 2 * KEPT;
  });
  for (const { client } of clients) client.close();
  await until(
    `memory is given back: ${before} MiB before, ${peak} with the calls, ${KEPT} more kept`,
    async () => (await server.memory())!.resident - before <= KEPT,
  );
  assertEquals((await server.stop()).code, 0);
  await Deno.remove(folder, { recursive: true });
});
