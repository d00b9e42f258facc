/**
 * Answers over gRPC-Web that are broken off because nobody read them while others waited, and that their
 * client goes on to read later: it asks for the rest by itself. A program that was stopped in a debugger,
 * or on a suspended phone, must find each point once.
 */

import { assertEquals } from "@std/assert";
import { connect } from "@btrdb/btrdb/web";
import { openEngine } from "../../../src/engine/mod.ts";
import { serve, type Server } from "../../../src/server/mod.ts";
import { createStream } from "../../support/engine.ts";
import { NOISE_STEP, noisePoints } from "../../support/noise_points.ts";
import { RawClient } from "../../support/grpc_client.ts";
import { uuidText } from "../../../src/core/uuid.ts";
import { HANG_MS, until } from "../../support/until.ts";

/** So many that the answer is longer than all buffers between the two sides. */
const POINTS = 1 << 22;
/** Points of an insert. */
const INSERT = 1 << 20;

/** A call that needs the only place. */
async function waitForPlace(server: Server): Promise<number> {
  using client = new RawClient(server.address);
  const path = "/v5api.BTrDB/ListCollections";
  return (await client.call(path, new Uint8Array(0), { deadlineMs: Date.now() + HANG_MS })).code;
}

function ended(server: Server): number {
  return Number(/^btrdb_server_unread_answers_total (\d+)$/m.exec(server.metrics())![1]);
}

Deno.test("connect to ./web: an answer that was ended because it was not read is resumed, each point once", async () => {
  await using engine = await openEngine();
  const uuid = await createStream(engine);
  const columns = noisePoints(POINTS);
  for (let at = 0; at < POINTS; at += INSERT) {
    const times = columns.times.subarray(at, at + INSERT);
    await engine.insert({
      uuid,
      columns: { times, values: columns.values.subarray(at, at + INSERT) },
    });
  }
  await using server = await serve(engine, {
    port: 0,
    http: { port: 0 },
    limits: { concurrentCalls: 1, sendTimeoutMs: 50 },
  });
  let retries = 0;
  await using db = await connect(`http://127.0.0.1:${server.httpPort}`, {
    hooks: { onRetry: () => void retries++ },
  });
  let next = 0;
  let stops = 0;
  for await (const chunk of db.streamFromUUID(uuidText(uuid)).rawValues(0n, 1n << 60n)) {
    const { times, values } = chunk;
    for (let i = 0; i < times.length; i++, next++) {
      if (times[i] !== BigInt(next) * NOISE_STEP || values[i] !== columns.values[next]) {
        assertEquals([times[i], values[i]], [BigInt(next) * NOISE_STEP, columns.values[next]]);
      }
    }
    // While much of the answer is still to come, and after what had arrived before the last stop.
    if (stops === 2 || retries < stops) continue;
    stops++;
    assertEquals(await waitForPlace(server), 0);
    await until("the answer was ended", () => ended(server) === stops);
  }
  assertEquals(next, POINTS);
  assertEquals([retries, ended(server)], [2, 2]);
});
