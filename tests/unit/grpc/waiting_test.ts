/** Writes wait for each other, but no longer than their calls last. */

import { assert, assertEquals, assertRejects } from "@std/assert";
import { WriteLedger } from "../../../src/grpc/write/ledger.ts";
import { until } from "../../support/until.ts";

const VERSION = { major: 11n, minor: 0n };
const look = () => Promise.resolve(VERSION);
const call = (signal?: AbortSignal) => ({
  rpc: "Insert",
  options: signal === undefined ? {} : { signal },
});

Deno.test("WriteLedger: an abort ends an insert that waits for another write, and a delete that waits for inserts", async () => {
  const writes = new WriteLedger();
  const reason = new Error("enough");
  await writes.begin(call(), look);

  const deleting = new AbortController();
  let deleted = false;
  const remove = writes.alone(call(deleting.signal), () => {
    deleted = true;
    return look();
  });
  deleting.abort(reason);
  assertEquals(await assertRejects(() => remove), reason);

  writes.stored(1, VERSION);
  const held = Promise.withResolvers<typeof VERSION>();
  const exclusive = writes.alone(call(), () => held.promise);
  const inserting = new AbortController();
  const insert = writes.begin(call(inserting.signal), look);
  inserting.abort(reason);
  assertEquals(await assertRejects(() => insert), reason);
  held.resolve(VERSION);
  await exclusive;
  assertEquals([deleted, writes.idle], [false, true]);
});

Deno.test("WriteLedger: inserts that go on without end do not keep a delete waiting without end", async () => {
  const writes = new WriteLedger();
  let stop = false;
  let inserts = 0;
  const insertOn = async () => {
    while (!stop) {
      await writes.begin(call(), look);
      inserts++;
      await new Promise((resolve) => setTimeout(resolve, 1));
      writes.stored(1, VERSION);
      assert(inserts < 10_000, "the delete starves");
    }
  };
  // They overlap, so that at no moment none is under way.
  const lanes = [insertOn(), insertOn(), insertOn()];
  await until("inserts are under way", () => inserts > 3);
  await writes.alone(call(), look);
  const before = inserts;
  await until("inserts go on", () => inserts > before);
  stop = true;
  await Promise.all(lanes);
});
