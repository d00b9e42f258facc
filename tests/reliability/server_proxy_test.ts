/**
 * A server whose database is another server: three processes, the client's among them. Answers that
 * pass through are those of the server behind, and its death is not the proxy's.
 */

import { assertEquals, assertRejects } from "@std/assert";
import { BTrDBError, connect } from "@btrdb/btrdb";
import { freePort } from "../support/free_port.ts";
import { ServedDatabase } from "./support/served_database.ts";

const POINTS = 50_000;

async function withProxy(
  use: (proxy: ServedDatabase, behind: ServedDatabase) => Promise<void>,
): Promise<void> {
  const behind = await ServedDatabase.start("memory:");
  const proxy = await ServedDatabase.start(behind.address);
  try {
    await use(proxy, behind);
  } finally {
    const { code, errors } = await proxy.stop();
    await behind.kill();
    assertEquals([code, errors], [0, ""]);
  }
}

for (const protocol of ["v4", "v5"] as const) {
  Deno.test(`a proxy passes on what its server says: ${protocol}`, () =>
    withProxy(async (proxy, behind) => {
      await using direct = await connect(behind.address, { protocol });
      await using db = await connect(proxy.address, { protocol });
      const stream = await db.create(crypto.randomUUID(), "proxy", {
        tags: { name: "a" },
        annotations: { owner: "me" },
      });
      const same = direct.streamFromUUID(stream.uuid);
      await stream.insert({
        times: BigInt64Array.from({ length: POINTS }, (_, i) => BigInt(i) << 30n),
        values: Float64Array.from({ length: POINTS }, (_, i) => Math.sin(i)),
      });
      assertEquals(await stream.flush(), await same.version());
      const end = BigInt(POINTS) << 30n;
      for (const one of [stream, same]) assertEquals(await one.count(), BigInt(POINTS));
      assertEquals(
        await stream.rawValues(0n, end).collect(),
        await same.rawValues(0n, end).collect(),
      );
      assertEquals(
        await stream.windows(0n, end, 1n << 36n).collect(),
        await same.windows(0n, end, 1n << 36n).collect(),
      );
      assertEquals(
        await stream.alignedWindows(0n, end, 38).collect(),
        await same.alignedWindows(0n, end, 38).collect(),
      );
      assertEquals(await stream.nearest(7n), await same.nearest(7n));
      assertEquals(await Array.fromAsync(db.listCollections("pro")), ["proxy"]);
      await same.deleteRange(0n, 10n << 30n);
      assertEquals(await stream.count(), BigInt(POINTS - 10));
      const errors = await Promise.all(
        [db, direct].map((one) =>
          assertRejects(() => one.streamFromUUID(crypto.randomUUID()).count(), BTrDBError)
        ),
      );
      assertEquals(errors.map(({ code }) => code), [404, 404]);
    }));
}

Deno.test("serve: a proxy under load outlives its server and goes on with the next one", async () => {
  const folder = await Deno.makeTempDir();
  const target = `file:${folder}/a.btrdb`;
  let behind = await ServedDatabase.start(target, freePort());
  const proxy = await ServedDatabase.start(behind.address);
  const reads = [0, 0, 0, 0];
  let ended = false;
  const work = reads.map(async (_, i) => {
    await using db = await connect(proxy.address);
    const stream = await db.create(crypto.randomUUID(), `load/${i}`);
    await stream.insert({
      times: BigInt64Array.from({ length: POINTS }, (_, k) => BigInt(k)),
      values: new Float64Array(POINTS).fill(1 / 3),
    });
    await stream.flush();
    for (; !ended; reads[i]!++) {
      assertEquals(await stream.count(), BigInt(POINTS));
      for await (const _ of stream.rawValues(0n, 1n << 40n)) break;
    }
  });
  const everybodyReads = async () => {
    const before = [...reads];
    while (reads.some((n, i) => n < before[i]! + 3)) {
      await Promise.race([...work, new Promise((resolve) => setTimeout(resolve, 10))]);
    }
  };
  try {
    await everybodyReads();
    const port = Number(behind.address.split(":")[1]);
    await behind.kill();
    behind = await ServedDatabase.start(target, port);
    await everybodyReads();
    ended = true;
    await Promise.all(work);
  } finally {
    ended = true;
    await Promise.allSettled(work);
    const { code, errors } = await proxy.stop();
    await behind.kill();
    await Deno.remove(folder, { recursive: true });
    assertEquals([code, errors], [0, ""]);
  }
});
