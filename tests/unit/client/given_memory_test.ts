/** Memory of points that callers write to before their insert has ended. */

import { assertEquals } from "@std/assert";
import { BTrDB, connect, type RawColumns, type Stream } from "@btrdb/btrdb";
import { openEngine } from "../../../src/engine/mod.ts";
import { LocalService } from "../../support/grpc/local_service.ts";
import { withScript } from "../../support/grpc/scripted_client.ts";
import { status } from "../../support/grpc/scripted_server.ts";
import { asV4 } from "../../support/override_endpoint.ts";

function ramp(n: number): RawColumns {
  return {
    times: BigInt64Array.from({ length: n }, (_, i) => BigInt(i)),
    values: Float64Array.from({ length: n }, (_, i) => i),
  };
}

/** Makes points what no insert may have: out of order, and no numbers. */
function spoil({ times, values }: RawColumns): void {
  times.reverse();
  values.fill(NaN);
}

async function assertStored(stream: Stream, n: number): Promise<void> {
  const { times, values } = await stream.rawValues(-10n, BigInt(n) + 10n).collect();
  assertEquals({ times, values }, ramp(n));
}

// Buffers that were filled again while an insert was under way were stored as they were by then: a file had
// NaN in it, and where the order of times had changed after the check, blocks that nobody could read.
for (const n of [3, 100_000]) {
  Deno.test(`Stream.insert: ${n} points are stored as they were given, though their memory is written to`, async () => {
    await using db = await connect("memory:");
    const stream = await db.create(crypto.randomUUID(), "given");
    const points = ramp(n);
    const inserted = stream.insert(points);
    spoil(points);
    const timer = setInterval(() => spoil(points));
    try {
      await inserted;
    } finally {
      clearInterval(timer);
    }
    await stream.flush();
    await assertStored(stream, n);
  });
}

Deno.test("Stream.insert: memory that is shared with threads is copied before it is checked", async () => {
  await using db = await connect("memory:");
  const stream = await db.create(crypto.randomUUID(), "given");
  const times = new BigInt64Array(new SharedArrayBuffer(24));
  const values = new Float64Array(new SharedArrayBuffer(24));
  times.set(ramp(3).times);
  values.set(ramp(3).values);
  const inserted = stream.insert({ times, values });
  spoil({ times, values });
  await inserted;
  await assertStored(stream, 3);
});

// It was looked for by points that it did not have: not found, it was made again, and was there twice.
Deno.test("Stream.insert: one whose answer is lost is looked for as it was given", async () => {
  const store = await openEngine();
  const service = new LocalService(store);
  let left = 1;
  try {
    await withScript(async (call) => {
      const { code, details, messages } = await service.call(call.path, call.request);
      if (call.rpc === "Insert" && left-- > 0) throw status(14, "gone");
      for (const message of messages) await call.send(message);
      if (code !== 0) throw status(code, details);
    }, async (endpoint) => {
      const stream = await new BTrDB(endpoint).create(crypto.randomUUID(), "given");
      const points = ramp(3);
      const inserted = stream.insert(points);
      points.times.fill(100n);
      await inserted;
      await assertStored(stream, 3);
    });
  } finally {
    await service.close();
  }
});

// What stood there was deleted, and other points than the caller's were put in its place.
Deno.test("Stream.patch: points are stored as they were given, though their memory is written to", async () => {
  const engine = await openEngine();
  await using db = new BTrDB(asV4(engine));
  const stream = await db.create(crypto.randomUUID(), "given");
  await stream.insert([[0n, -1], [1n, -1], [2n, -1]]);
  const points = ramp(3);
  const patched = stream.patch(points);
  points.times.fill(100n);
  points.values.fill(100);
  await patched;
  await assertStored(stream, 3);
});
