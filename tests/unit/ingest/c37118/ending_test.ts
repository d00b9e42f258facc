/** The end of an ingest. */

import { assert, assertEquals } from "@std/assert";
import { type BTrDB, connect } from "../../../../mod.ts";
import { LiveIngest } from "../../../../src/ingest/c37118/mod.ts";
import { PointSpool } from "../../../../src/ingest/c37118/point_spool.ts";

const FILES = 40;

/** A spool of files with one point of each stream. */
async function filledSpool(files: number, streams: number): Promise<string> {
  const folder = await Deno.makeTempDir();
  for (let i = 0; i < files; i++) {
    await using spool = await PointSpool.open(folder, 1 << 20);
    const points = { times: BigInt64Array.of(BigInt(i) + 1n), values: Float64Array.of(i) };
    const columns = Array.from({ length: streams }, (_, k) => {
      return { column: { name: `AN${k}`, collection: "7_S", unit: "Hz" }, points };
    });
    assert(await spool.append(columns));
  }
  return folder;
}

/** A run that is interrupted at once, and whose every look at the clock takes so long. */
async function interruptedRun(db: BTrDB, spoolFolder: string, lookMs: number) {
  const target = "c37118+udp://127.0.0.1:0";
  const live = new LiveIngest(() => Promise.resolve(db), [target], { spoolFolder });
  const { now } = Date;
  const startMs = now();
  let looks = 0;
  Date.now = () => startMs + lookMs * looks++;
  try {
    return await live.run(AbortSignal.abort());
  } finally {
    Date.now = now;
  }
}

// An interrupt waited until the database had all of the spool, which after a long outage are 60 million
// points: supervisors killed the process before it was through.
Deno.test("LiveIngest: an interrupt does not wait for a full spool, and the next run goes on", async () => {
  const spoolFolder = await filledSpool(FILES, 1);
  await using db = await connect("memory:");
  const first = await interruptedRun(db, spoolFolder, 200);
  assert(first.stored > 0 && first.spooled > 0, JSON.stringify(first));
  assertEquals(first.stored + first.spooled, FILES);
  const second = await interruptedRun(db, spoolFolder, 0);
  assertEquals([second.stored, second.spooled], [first.spooled, 0]);
  await Deno.remove(spoolFolder, { recursive: true });
});

// Files of the spool that vanished were no longer counted anywhere.
Deno.test("LiveIngest: points of a file that is gone from the spool are counted as dropped", async () => {
  const spoolFolder = await filledSpool(3, 2);
  await using db = await connect("memory:");
  const messages: string[] = [];
  const live = new LiveIngest(
    async () => {
      await Deno.remove(`${spoolFolder}/0000000002.spool`);
      return db;
    },
    ["c37118+udp://127.0.0.1:0"],
    { spoolFolder, onEvent: (text) => messages.push(text) },
  );
  const { stored, dropped, spooled, databaseAway } = await live.run(AbortSignal.abort());
  assertEquals({ stored, dropped, spooled, databaseAway }, {
    stored: 4,
    dropped: 2,
    spooled: 0,
    databaseAway: false,
  });
  assertEquals(messages.filter((text) => text.includes("are gone")), [
    "Spool: 2 points of 0000000002.spool are gone, it was damaged",
  ]);
  await Deno.remove(spoolFolder, { recursive: true });
});

// A device with ever new names of stations makes 96,000 streams in a batch. An interrupt waited a minute
// until they were created.
Deno.test("LiveIngest: an interrupt does not wait for a batch of very many new streams", async () => {
  const spoolFolder = await filledSpool(1, 400);
  await using db = await connect("memory:");
  const first = await interruptedRun(db, spoolFolder, 20);
  assertEquals([first.stored, first.spooled, first.databaseAway], [0, 400, false]);
  const second = await interruptedRun(db, spoolFolder, 0);
  assertEquals([second.stored, second.spooled], [400, 0]);
  await Deno.remove(spoolFolder, { recursive: true });
});
