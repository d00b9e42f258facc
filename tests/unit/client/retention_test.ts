import { assertEquals, assertRejects } from "@std/assert";
import { BTrDBError, compactFile, connect, DAY, type DurationLike } from "@btrdb/btrdb";
import { serve } from "@btrdb/btrdb/server";

Deno.test("setRetention: every form of an age; null and 0 remove a rule, Infinity keeps everything", async () => {
  await using db = await connect("memory:");
  const forms: DurationLike[] = [
    7n * DAY,
    Number(7n * DAY),
    "7d",
    "1w",
    Temporal.Duration.from({ days: 7 }),
  ];
  for (const form of forms) {
    await db.setRetention("pmu", form);
    assertEquals(await db.retention(), [{ prefix: "pmu", maxAge: 7n * DAY }]);
    for (const none of [null, 0, 0n, "0s"] as const) {
      await db.setRetention("pmu", form);
      await db.setRetention("pmu/", none);
      assertEquals(await db.retention(), []);
    }
  }
  await db.setRetention("", Infinity);
  assertEquals(await db.retention(), [{ prefix: "", maxAge: null }]);
});

Deno.test("setRetention, expire, compact: mistakes in arguments are named", async () => {
  await using db = await connect("memory:");
  await assertRejects(() => db.setRetention("pmu", 30), RangeError, "maxAge is 30 ns");
  await assertRejects(() => db.setRetention("pmu", -Infinity), RangeError, "maxAge is -Infinity");
  await assertRejects(() => db.setRetention(5 as never, "1d"), TypeError, "collectionPrefix");
  await assertRejects(() => db.setRetention("pmu", undefined as never), TypeError, "maxAge");
  await assertRejects(() => db.expire({ dryRun: 1 as never }), TypeError, "dryRun is 1");
  await assertRejects(() => db.expire({ rules: [] }), TypeError, "rules");
  await assertRejects(() => db.compact({ rewrite: "yes" as never }), TypeError, 'rewrite is "yes"');
  await assertRejects(() => db.compact({ onProgress: 1 as never }), TypeError, "onProgress is 1");
  await assertRejects(() => compactFile(1 as never), TypeError, "path");
  assertEquals(await db.retention(), []);
});

Deno.test("setRetention, expire, compact: over gRPC they are 501", async () => {
  await using db = await connect("memory:");
  await using server = await serve(db, { port: 0 });
  await using remote = await connect(server.address);
  const calls = [
    () => remote.setRetention("pmu", "1d"),
    () => remote.retention(),
    () => remote.expire(),
    () => remote.compact(),
  ];
  for (const call of calls) {
    const error = await assertRejects(call, BTrDBError, "only embedded databases can");
    assertEquals([error.code, error.status], [501, "NotImplemented"]);
  }
});
