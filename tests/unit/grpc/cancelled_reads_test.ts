/**
 * A loop that leaves 40 large reads one after another lost its connection, and other calls with it:
 * the HTTP/2 library takes what still comes of them for an attack.
 */

import { assertEquals } from "@std/assert";
import { BTrDB } from "../../../src/client/btrdb.ts";
import { connectGrpc } from "../../../src/grpc/mod.ts";
import { connect } from "../../../mod.ts";
import { serve } from "../../../src/server/mod.ts";
import { ramp } from "../../conformance/support.ts";

const MANY = 200_000;

Deno.test("connectGrpc: hundreds of large reads that are left do not cost the connection", async () => {
  await using served = await connect("memory:");
  await using server = await serve(served, { port: 0 });
  // Retries would hide it.
  const addresses = [`127.0.0.1:${server.port}`];
  await using db = new BTrDB(await connectGrpc({ addresses, retry: false }));
  const stream = await db.create(crypto.randomUUID(), "left", { tags: { name: "left" } });
  await stream.insert(ramp(0n, 1n, MANY));
  const whole = stream.rawValues(0n, BigInt(MANY));
  let points = 0;
  for await (const batch of whole) {
    points += batch.length;
    for (let i = 0; i < 10; i++) {
      for await (const _ of stream.rawValues(0n, BigInt(MANY))) break;
    }
  }
  for (let i = 0; i < 200; i++) for await (const _ of stream.rawValues(0n, BigInt(MANY))) break;
  assertEquals([points, await stream.count()], [MANY, BigInt(MANY)]);
});
