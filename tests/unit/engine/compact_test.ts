import { assert, assertEquals } from "@std/assert";
import { DatabaseSync } from "node:sqlite";
import { compactFile, type Engine, openEngine } from "../../../src/engine/mod.ts";
import { createStream, pointsOf, regular, rejection, uuidOf } from "../../support/engine.ts";
import { LoneWriter } from "../../support/lone_writer_process.ts";
import { unpackOldFile, untilReclaimed, verifiedBlocks } from "../../support/old_file.ts";

async function withPath(work: (path: string) => Promise<void>): Promise<void> {
  const directory = await Deno.makeTempDir();
  try {
    await work(`${directory}/grid.btrdb`);
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
}

/** Makes a file of three streams of which the first and largest is obliterated. */
async function fillAndObliterate(engine: Engine, path: string): Promise<void> {
  const one = await createStream(engine, 1);
  const two = await createStream(engine, 2);
  for (let i = 0n; i < 8n; i++) {
    await engine.insert({ uuid: one, columns: regular(100_000, i * 10n ** 12n) });
    await engine.insert({ uuid: two, columns: regular(2_000, i * 10n ** 12n) });
  }
  await engine.obliterate(one);
  await untilReclaimed(path);
}

function autoVacuumOf(path: string): number {
  const db = new DatabaseSync(path, { readOnly: true });
  const value = Number(db.prepare("PRAGMA auto_vacuum").get()!["auto_vacuum"]);
  db.close();
  return value;
}

Deno.test("compact: the file gets smaller by what nothing uses, in many steps, and has the same points", async () => {
  await withPath(async (path) => {
    await using engine = await openEngine({ path });
    await fillAndObliterate(engine, path);
    await using reader = await openEngine({ path, readOnly: true });
    const points = await pointsOf(reader, uuidOf(2));
    const sizes: number[] = [];
    const report = await engine.compact({ onProgress: ({ bytes }) => sizes.push(bytes) });
    assert(report.after < report.before / 2, JSON.stringify(report));
    assertEquals(report.free, 0);
    assert(sizes.length > 3, `${sizes.length} steps`);
    assertEquals(sizes, sizes.toSorted((a, b) => b - a));
    assertEquals(sizes.at(-1), report.after);
    assertEquals(Deno.statSync(path).size, report.after);
    assertEquals(await pointsOf(engine, uuidOf(2)), points);
    assertEquals(await pointsOf(reader, uuidOf(2)), points);
    await verifiedBlocks(path);
    assertEquals(await engine.compact(), { before: report.after, after: report.after, free: 0 });
  });
});

Deno.test("compact: an abort ends it between two steps, and the rest is given back the next time", async () => {
  await withPath(async (path) => {
    await using engine = await openEngine({ path });
    await fillAndObliterate(engine, path);
    const controller = new AbortController();
    const reason = new Error("enough");
    let steps = 0;
    const onProgress = () => void (++steps === 2 && controller.abort(reason));
    const error = await engine.compact({ signal: controller.signal, onProgress }).catch((e) => e);
    assertEquals(error, reason);
    assertEquals(steps, 2);
    await verifiedBlocks(path);
    const rest = await engine.compact();
    assert(rest.after < rest.before, JSON.stringify(rest));
    await verifiedBlocks(path);
  });
});

Deno.test("compactFile: beside the process that writes the file, what is inserted meanwhile stays", async () => {
  await withPath(async (path) => {
    await using engine = await openEngine({ path });
    await fillAndObliterate(engine, path);
    const uuid = uuidOf(2);
    const before = (await pointsOf(engine, uuid)).length;
    let isDone = false, inserted = 0;
    const compacted = compactFile(path).finally(() => isDone = true);
    while (!isDone) {
      await engine.insert({ uuid, columns: regular(10, 10n ** 15n + BigInt(inserted)) });
      inserted += 10;
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
    const report = await compacted;
    assert(report.after < report.before / 2, JSON.stringify(report));
    assert(inserted > 0);
    assertEquals((await pointsOf(engine, uuid)).length, before + inserted);
    await engine.flush(uuid);
    await verifiedBlocks(path);
    assertEquals((await rejection(compactFile(path, { rewrite: true }))).status, "LOCKED");
  });
});

Deno.test("compactFile: beside a writer that is killed, it leaves a file that can be opened", async () => {
  // SQLite removed the log with the last connection, and the file was refused for the lack of it. An empty
  // one was put in its place, unless compactFile was killed in between, as in one of 22 rounds.
  await withPath(async (path) => {
    {
      await using engine = await openEngine({ path });
      await fillAndObliterate(engine, path);
    }
    const writer = new LoneWriter(path, 7);
    await writer.until(1);
    const { ino } = await Deno.stat(`${path}-wal`);
    let killed: Promise<void> | undefined;
    await compactFile(path, { onProgress: () => void (killed ??= writer.kill()) });
    assert(killed !== undefined, "nothing was to be done");
    await killed;
    assertEquals((await Deno.stat(`${path}-wal`)).ino, ino);
    await using engine = await openEngine({ path });
    assert((await pointsOf(engine, uuidOf(7))).length >= writer.acknowledged);
  });
});

Deno.test("compactFile: a file of an earlier release is written anew only if that is asked for", async () => {
  await withPath(async (path) => {
    await unpackOldFile(5, path);
    const before = await verifiedOld(path);
    const error = await rejection(compactFile(path));
    assertEquals(error.status, "REWRITE_NEEDED");
    assertEquals(autoVacuumOf(path), 0);
    const report = await compactFile(path, { rewrite: true });
    assertEquals(autoVacuumOf(path), 2);
    assertEquals(report.free, 0);
    assertEquals(await verifiedBlocks(path), before);
    await using engine = await openEngine({ path });
    assertEquals((await pointsOf(engine, uuidOf(5), 12n)).length, 1400);
    await engine.obliterate(uuidOf(5));
    assert((await engine.compact()).after < report.after);
  });
});

/** The blocks of a file after it was brought up to date. */
async function verifiedOld(path: string): Promise<number> {
  await (await openEngine({ path })).close();
  return await verifiedBlocks(path);
}

Deno.test("openEngine: a new file has pages of 16 KiB, which can be given back", async () => {
  // They had 4 KiB: what looks whether others have the file open made the first page.
  await withPath(async (path) => {
    await (await openEngine({ path })).close();
    const db = new DatabaseSync(path, { readOnly: true });
    assertEquals(db.prepare("PRAGMA page_size").get()!["page_size"], 16_384);
    db.close();
    assertEquals(autoVacuumOf(path), 2);
  });
});

Deno.test("compactFile: what is not there, or no database, is an error and stays as it is", async () => {
  await withPath(async (path) => {
    assertEquals((await rejection(compactFile(path))).status, "CANNOT_OPEN");
    await Deno.writeTextFile(path, "not a database ".repeat(50));
    assertEquals((await rejection(compactFile(path))).status, "NOT_A_DATABASE");
    assertEquals(await Deno.readTextFile(path), "not a database ".repeat(50));
    // Whatever kept the file from being looked at, the error said that it was not there.
    const error = await rejection(compactFile(`${path}/grid.btrdb`));
    assertEquals(error.message, `Cannot open ${path}/grid.btrdb: a folder in it is a file`);
    assertEquals(error.status, "CANNOT_OPEN");
  });
});

Deno.test("compact: in memory too", async () => {
  await using engine = await openEngine();
  const uuid = await createStream(engine, 1);
  await engine.insert({ uuid, columns: regular(500_000) });
  await engine.obliterate(uuid);
  const { before, after } = await engine.compact();
  assert(after < before / 2, `${before} to ${after}`);
});
