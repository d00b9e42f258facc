/**
 * The commit of an insert of a million points wrote 10 MB to the log, synced it and copied it to the file, all
 * within one turn of the event loop: 13 to 16 ms of CPU time, and all that time nobody else was served.
 */

import { assert, assertEquals, assertLess } from "@std/assert";
import { openEngine } from "../../../src/engine/mod.ts";
import { logFrames } from "../../../src/engine/file/checkpointer.ts";
import { type Database, type OpenDatabase, openSqlite } from "../../../src/engine/file/sqlite.ts";
import { columnsAt, columnsOf, createStream } from "../../support/engine.ts";

const POINTS = 400_000;

/** Points that do not compress. */
function noise(from: bigint): { times: BigInt64Array; values: Float64Array } {
  const times = new BigInt64Array(POINTS);
  const values = new Float64Array(POINTS);
  const bits = new Uint32Array(values.buffer);
  let state = 1;
  for (let i = 0; i < POINTS; i++) {
    state = Math.imul(state, 1_664_525) + 1_013_904_223 >>> 0;
    times[i] = from + BigInt(i) * 100_000n + BigInt(state % 100_000);
    bits[2 * i] = state;
    bits[2 * i + 1] = 0x3ff0_0000 | state >>> 12;
  }
  return { times, values };
}

const HOUR = 3_600_000_000_000n;

/**
 * Called with what begins, ends or copies a transaction: a prepared statement if it is one of a caller's
 * tasks.
 */
type Watcher = (sql: string, db: Database, isPrepared: boolean) => void;

/** Opens a database that tells before and after what begins, ends or copies a transaction. */
function watched(
  before: Watcher,
  after: Watcher = () => {},
): OpenDatabase {
  return (path, options) => {
    const db = openSqlite(path, options);
    const exec = db.exec.bind(db);
    db.exec = (sql) => {
      before(sql, db, false);
      exec(sql);
      after(sql, db, false);
    };
    const prepare = db.prepare.bind(db);
    db.prepare = (sql) => {
      const statement = prepare(sql);
      if (sql !== "BEGIN IMMEDIATE" && sql !== "COMMIT") return statement;
      const get = statement.get.bind(statement);
      statement.get = () => {
        before(sql, db, true);
        const row = get();
        after(sql, db, true);
        return row;
      };
      return statement;
    };
    return db;
  };
}

/** Pages of the log, and how many of them the file has. */
function framesOf(db: Database): [inLog: number, inFile: number] {
  const [, inLog, inFile] = Object.values(logFrames(db)!.get()!);
  return [Number(inLog), Number(inFile)];
}

async function withFolder(run: (path: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    await run(`${folder}/grid.btrdb`);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

Deno.test("openEngine: the commit of a long insert writes what is left of it, not all", async () => {
  await withFolder(async (path) => {
    const logBytes = () => Deno.statSync(`${path}-wal`).size;
    let bytes = 0;
    const written: number[] = [];
    await using engine = await openEngine({
      path,
      durability: "relaxed",
      openDatabase: watched(
        (sql) => sql === "COMMIT" && (bytes = logBytes()),
        (sql) => sql === "COMMIT" && written.push(logBytes() - bytes),
      ),
    });
    const uuid = await createStream(engine);
    written.length = 0;
    await engine.insert({ uuid, columns: noise(0n) });
    assert(logBytes() > 4_000_000, `the insert has ${logBytes()} bytes`);
    assertEquals(written.length, 1);
    assertLess(written[0]!, 2_500_000);
  });
});

Deno.test("openEngine: the log is copied to the file after callers are answered and before the next commit", async () => {
  await withFolder(async (path) => {
    const events: string[] = [];
    const leftInLog: number[] = [];
    const isCopied: boolean[] = [];
    await using engine = await openEngine({
      path,
      durability: "relaxed",
      openDatabase: watched((sql, db, isPrepared) => {
        if (sql.includes("checkpoint(PASSIVE)")) events.push("checkpoint");
        if (sql !== "BEGIN IMMEDIATE" || !isPrepared) return;
        const [inLog, inFile] = framesOf(db);
        leftInLog.push(inLog - inFile);
      }, (sql, db, isPrepared) => {
        if (sql !== "COMMIT" || !isPrepared) return;
        const [inLog, inFile] = framesOf(db);
        isCopied.push(inLog === inFile);
      }),
    });
    const uuid = await createStream(engine);
    events.length = leftInLog.length = isCopied.length = 0;
    for (let i = 0; i < 3; i++) {
      await engine.insert({ uuid, columns: noise(BigInt(i) * HOUR) });
      events.push("answered");
    }
    await engine.insert({ uuid, columns: columnsOf([[9n * HOUR, 1]]) });
    assertEquals(events, [
      "answered",
      "checkpoint",
      "answered",
      "checkpoint",
      "answered",
      "checkpoint",
    ]);
    assertEquals(isCopied.slice(0, 3), [false, false, false]);
    assertEquals(leftInLog.length, 4);
    for (const pages of leftInLog) assertLess(pages, 256);
  });
});

Deno.test("openEngine: a log that cannot be copied is kept, and copied after the next commit", async () => {
  await withFolder(async (path) => {
    let failures = 0;
    let mayCopy = true;
    let frames: [number, number] = [0, 0];
    const openDatabase = watched((sql, db) => {
      if (sql === "BEGIN IMMEDIATE") frames = framesOf(db);
      if (!sql.includes("checkpoint(PASSIVE)") || mayCopy) return;
      failures++;
      throw new Error("disk I/O error");
    });
    await using engine = await openEngine({ path, durability: "relaxed", openDatabase });
    const uuid = await createStream(engine);
    mayCopy = false;
    await engine.insert({ uuid, columns: noise(0n) });
    await engine.insert({ uuid, columns: columnsOf([[9n * HOUR, 1]]) });
    assert(frames[0] >= 256 && frames[1] < frames[0], `${frames}`);
    await engine.insert({ uuid, columns: columnsOf([[9n * HOUR + 1n, 1]]) });
    assertEquals(failures, 2);
    mayCopy = true;
    await engine.insert({ uuid, columns: columnsOf([[9n * HOUR + 2n, 1]]) });
    await engine.insert({ uuid, columns: columnsOf([[9n * HOUR + 3n, 1]]) });
    assertLess(frames[0], 256, "the log was begun anew");
    assertEquals((await columnsAt(engine, uuid)).times.length, POINTS + 4);
  });
});
