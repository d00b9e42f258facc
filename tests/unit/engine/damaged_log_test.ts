/**
 * Damage in the log of a writer that was killed. SQLite takes it for the end of the log: one turned bit
 * hid all that was acknowledged behind it, up to 4 MiB, and nobody was told, not even by `verify`.
 */

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { DatabaseSync } from "node:sqlite";
import { openEngine, verify } from "../../../src/engine/mod.ts";
import { columnsOf, createStream, pointsOf, rejection, uuidOf } from "../../support/engine.ts";
import { Random } from "../../support/random.ts";
import { withDirectory } from "../../support/database_file.ts";

/** Bytes of the log's header, of the header of each frame, and of a page (sqlite.org/fileformat2.html, 4.1). */
const HEADER = 32, FRAME = 24, PAGE = 16_384, STRIDE = FRAME + PAGE;

/** Inserts of a point each, and as many transactions. */
const INSERTS = 12;

type Durability = "full" | "relaxed";

/** The log of a writer that ended without closing its file, which lies at `${directory}/killed`. */
async function killedLog(directory: string, durability: Durability = "full"): Promise<Uint8Array> {
  const path = `${directory}/grid`;
  await using engine = await openEngine({ path, durability });
  const uuid = await createStream(engine);
  for (let i = 1; i <= INSERTS; i++) await engine.insert({ uuid, columns: columnsOf([[i, i]]) });
  await Deno.copyFile(path, `${directory}/killed`);
  return await Deno.readFile(`${path}-wal`);
}

/** Offsets of the frames that end a transaction. */
function commitsOf(log: Uint8Array): number[] {
  const view = new DataView(log.buffer);
  const commits: number[] = [];
  for (let at = HEADER; at + STRIDE <= log.length; at += STRIDE) {
    if (view.getBigUint64(at + 8) !== view.getBigUint64(16)) break; // Of the log before.
    if (view.getUint32(at + 4) > 0) commits.push(at);
  }
  return commits;
}

/** Puts the file and a log together, as they lay when their writer was killed, where they lay. */
async function putTogether(directory: string, log: Uint8Array): Promise<string> {
  const path = `${directory}/grid`;
  await Deno.remove(`${path}-shm`).catch(() => {});
  await Deno.copyFile(`${directory}/killed`, path);
  await Deno.writeFile(`${path}-wal`, log);
  return path;
}

/** Number of points that are there. */
async function countPoints(path: string, durability: Durability = "full"): Promise<number> {
  await using engine = await openEngine({ path, durability });
  return (await pointsOf(engine, uuidOf(1))).length;
}

async function assertRefused(path: string, problem: string): Promise<void> {
  const log = await Deno.readFile(`${path}-wal`);
  for (const readOnly of [true, false]) {
    const error = await rejection(openEngine({ path, readOnly }));
    assertEquals(error.status, "CORRUPT", error.message);
    assertStringIncludes(error.message, problem);
  }
  const error = await verify(path).then(({ problems }) => problems.join("\n"), String);
  assertStringIncludes(error, problem);
  assertEquals(await Deno.readFile(`${path}-wal`), log, "the log is as it was");
}

Deno.test("openEngine: a turned bit in the log of a killed writer is an error, in each of its transactions", async () => {
  await withDirectory(async (directory) => {
    const log = await killedLog(directory);
    const random = new Random(1);
    const frames = (log.length - HEADER) / STRIDE;
    assert(commitsOf(log).length >= INSERTS, "each insert has a transaction");
    for (let frame = 0; frame < frames; frame++) {
      for (const [from, to] of [[8, FRAME - 1], [FRAME, STRIDE - 1]] as const) {
        const damaged = log.slice();
        const at = HEADER + frame * STRIDE + random.int(from, to);
        damaged[at]! ^= 1 << random.int(0, 7);
        await assertRefused(
          await putTogether(directory, damaged),
          `its frame ${frame + 1} is damaged`,
        );
      }
    }
    for (let at = 4; at < HEADER; at += 5) {
      const damaged = log.slice();
      damaged[at]! ^= 1;
      await assertRefused(await putTogether(directory, damaged), "its header is damaged");
    }
    assertEquals(await countPoints(await putTogether(directory, log)), INSERTS);
  });
});

// A log that another program cut off has a hole before all that its writer, which had it open, wrote next.
Deno.test("openEngine: a hole in the log of a killed writer is an error", async () => {
  await withDirectory(async (directory) => {
    const log = await killedLog(directory);
    const commits = commitsOf(log);
    const [from, to] = [commits.at(-9)! + 500, commits.at(-3)!];
    assert(to - from > 5 * STRIDE);
    const path = await putTogether(directory, log.fill(0, from, to));
    await assertRefused(path, "at least 4 of its last transactions cannot be read");
  });
});

// Whoever cannot restore the log must be able to go on with what is before the damage.
Deno.test("openEngine: what is before the damage of a log is there once SQLite has copied it", async () => {
  await withDirectory(async (directory) => {
    const log = await killedLog(directory);
    log[commitsOf(log).at(-4)! + 1_000]! ^= 4;
    const path = await putTogether(directory, log);
    await assertRefused(
      path,
      "at least 4 of its last transactions cannot be read; restore both from a copy",
    );
    const shell = new DatabaseSync(path);
    shell.prepare("SELECT count(*) FROM setting").get();
    shell.close();
    await Deno.writeFile(`${path}-wal`, new Uint8Array());
    assertEquals(await countPoints(path), INSERTS - 4);
  });
});

/** Zeros, as a sector has that was not written before a power failure. */
function tear(log: Uint8Array, at: number): Uint8Array {
  const torn = log.slice();
  torn.fill(0, at + 8_192, at + 12_288);
  // A page of which that part was zero is whole: something else was to be there.
  torn[at + 8_192] = 1;
  torn[at + 8_200] = 2;
  return torn;
}

// A power failure leaves parts of the last transaction, which was not acknowledged, or of several where
// they are not synced. To refuse these would keep a good database from being opened.
Deno.test("openEngine: what a power failure leaves of a log is no damage", async () => {
  await withDirectory(async (directory) => {
    const log = await killedLog(directory);
    const last = commitsOf(log).at(-1)!;
    assertEquals(await countPoints(await putTogether(directory, tear(log, last))), INSERTS - 1);
    const cut = log.subarray(0, last + 1_000);
    assertEquals(await countPoints(await putTogether(directory, cut)), INSERTS - 1);
    const before = tear(log, commitsOf(log).at(-3)!);
    await assertRefused(
      await putTogether(directory, before),
      "at least 3 of its last transactions cannot be read",
    );
  });
  await withDirectory(async (directory) => {
    const log = await killedLog(directory, "relaxed");
    const torn = tear(log, commitsOf(log).at(-3)!);
    const path = await putTogether(directory, torn);
    assertEquals(await countPoints(path, "relaxed"), INSERTS - 3);
  });
});

// A writer with another durability than that of the one that was killed goes on with its file.
Deno.test("openEngine: the durability that counts for a log is that of its last writer", async () => {
  for (const [first, second] of [["relaxed", "full"], ["full", "relaxed"]] as const) {
    await withDirectory(async (directory) => {
      const path = await putTogether(directory, await killedLog(directory, first));
      const engine = await openEngine({ path, durability: second });
      const uuid = uuidOf(1);
      for (let i = 1; i <= 4; i++) {
        await engine.insert({ uuid, columns: columnsOf([[100 + i, i]]) });
      }
      await Deno.copyFile(path, `${directory}/killed`);
      const log = await Deno.readFile(`${path}-wal`);
      await engine.close();
      const torn = await putTogether(directory, tear(log, commitsOf(log).at(-2)!));
      if (second === "full") {
        await assertRefused(torn, "at least 2 of its last transactions cannot be read");
      } else assertEquals(await countPoints(torn, second), INSERTS + 2);
    });
  }
});

// A writer went on with a log of which another program had cut off the end, and acknowledged points that
// nobody could find later: the first page of the log was as before.
for (const isNew of [true, false]) {
  const when = isNew ? "is cut off" : "that was begun anew is cut off";
  Deno.test(`Engine.insert: nothing is acknowledged for long once the log ${when}`, () =>
    insertBesideCut(isNew));
}

/** @param isNew False if frames of an earlier log are behind those of the present one. */
async function insertBesideCut(isNew: boolean): Promise<void> {
  await withDirectory(async (directory) => {
    const path = `${directory}/grid`;
    const engine = await openEngine({ path });
    const uuid = await createStream(engine);
    let time = 0;
    const insert = () => engine.insert({ uuid, columns: columnsOf([[++time, time]]) });
    const insertLater = async () => {
      await new Promise((resolve) => setTimeout(resolve, 150)); // The names are looked at every 100 ms.
      await insert();
    };
    while ((await Deno.stat(`${path}-wal`)).size < HEADER + 20 * STRIDE) await insert();
    const { size } = await Deno.stat(`${path}-wal`);
    if (!isNew) {
      const db = new DatabaseSync(path);
      db.exec("PRAGMA wal_checkpoint(RESTART)");
      db.close();
      for (let i = 0; i < 4; i++) await insert();
      assertEquals((await Deno.stat(`${path}-wal`)).size, size);
    }
    await insertLater();
    await Deno.truncate(`${path}-wal`, isNew ? size - 10 * STRIDE : HEADER + 2 * STRIDE);
    const error = await rejection(insertLater());
    assertEquals(error.status, "MOVED", error.message);
    assertStringIncludes(error.message, "truncated");
    assertEquals((await rejection(engine.close())).status, "MOVED");
  });
}
