/** The end of an ingest. */

import { assert, assertEquals } from "@std/assert";
import { connect } from "../../../../mod.ts";
import { LiveIngest } from "../../../../src/ingest/c37118/mod.ts";
import { PointSpool } from "../../../../src/ingest/c37118/point_spool.ts";

const FILES = 40;

/** A spool of files with one point each. */
async function filledSpool(): Promise<string> {
  const folder = await Deno.makeTempDir();
  for (let i = 0; i < FILES; i++) {
    await using spool = await PointSpool.open(folder, 1 << 20);
    const points = { times: BigInt64Array.of(BigInt(i) + 1n), values: Float64Array.of(i) };
    const column = { name: "FREQ", collection: "7_S", unit: "Hz" };
    assert(await spool.append([{ column, points }]));
  }
  return folder;
}

// An interrupt waited until the database had all of the spool, which after a long outage are 60 million
// points: supervisors killed the process before it was through.
Deno.test("LiveIngest: an interrupt does not wait for a full spool, and the next run goes on", async () => {
  const spoolFolder = await filledSpool();
  await using db = await connect("memory:");
  const target = "c37118+udp://127.0.0.1:0";
  const startMs = Date.now();
  /** A run that is interrupted at once, and whose every look at the clock takes so long. */
  const run = async (lookMs: number) => {
    const live = new LiveIngest(() => Promise.resolve(db), [target], { spoolFolder });
    const { now } = Date;
    let looks = 0;
    Date.now = () => startMs + lookMs * looks++;
    try {
      return await live.run(AbortSignal.abort());
    } finally {
      Date.now = now;
    }
  };
  const first = await run(200);
  assert(first.stored > 0 && first.spooled > 0, JSON.stringify(first));
  assertEquals(first.stored + first.spooled, FILES);
  const second = await run(0);
  assertEquals([second.stored, second.spooled], [first.spooled, 0]);
  await Deno.remove(spoolFolder, { recursive: true });
});
