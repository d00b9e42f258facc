/**
 * Each log has the first page of its file, with the epoch of its writer, from its first commit on. A
 * writer that ended within the first commit after the log was begun anew left a log that nobody could
 * tell from one of another file: a backup that was restored beside it became a mixture of both.
 */

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { openEngine } from "../../../src/engine/mod.ts";
import { columnsOf, createStream, pointsOf, rejection } from "../../support/engine.ts";

/** Bytes of the log's header, of the header of each frame, and of a page (sqlite.org/fileformat2.html, 4.1). */
const HEADER = 32, FRAME = 24, PAGE = 16_384;

/** The salts of a log, and the pages of each of its commits. */
function readLog(path: string): { salts: bigint; commits: number[][] } {
  const bytes = Deno.readFileSync(path);
  const log = new DataView(bytes.buffer);
  const salts = log.getBigUint64(16);
  const commits: number[][] = [[]];
  for (let at = HEADER; at + FRAME + PAGE <= bytes.length; at += FRAME + PAGE) {
    if (log.getBigUint64(at + 8) !== salts) break;
    commits.at(-1)!.push(log.getUint32(at));
    if (log.getUint32(at + 4) > 0) commits.push([]);
  }
  return { salts, commits: commits.slice(0, -1) };
}

/** The salts of a log, which another one has when it is begun anew. */
function saltsOf(path: string): bigint {
  using file = Deno.openSync(path);
  const header = new Uint8Array(HEADER);
  file.readSync(header);
  return new DataView(header.buffer).getBigUint64(16);
}

Deno.test("openEngine: each log has the first page of its file from its first commit on", async () => {
  const folder = await Deno.makeTempDir();
  try {
    const path = `${folder}/grid.btrdb`;
    await using engine = await openEngine({ path });
    const uuid = await createStream(engine);
    const logs = new Map<bigint, number[]>();
    for (let time = 1; time <= 1_000 && logs.size < 4; time++) {
      await engine.insert({ uuid, columns: columnsOf([[time, time]]) });
      const { salts, commits } = readLog(`${path}-wal`);
      if (!logs.has(salts)) logs.set(salts, commits[0]!);
    }
    assertEquals(logs.size, 4, "the log was begun anew three times");
    for (const pages of logs.values()) assert(pages.includes(1), `the first commit has ${pages}`);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

// The page that names the writer was not in the log yet, and the backup names none: the log was used.
Deno.test("openEngine: a log with nothing but its first commit is not used with a backup", async () => {
  const folder = await Deno.makeTempDir();
  try {
    const [path, backup] = [`${folder}/grid.btrdb`, `${folder}/backup.btrdb`];
    await (await openEngine({ path })).close();
    await Deno.copyFile(path, backup);
    await using engine = await openEngine({ path });
    const uuid = await createStream(engine);
    const first = readLog(`${path}-wal`).salts;
    for (let time = 1; readLog(`${path}-wal`).salts === first; time++) {
      await engine.insert({ uuid, columns: columnsOf([[time, time]]) });
    }
    assertEquals(readLog(`${path}-wal`).commits.length, 1);
    await Deno.copyFile(`${path}-wal`, `${backup}-wal`);
    for (const readOnly of [true, false]) {
      const error = await rejection(openEngine({ path: backup, readOnly }));
      assertEquals(error.status, "CORRUPT", error.message);
      assertStringIncludes(error.message, "the file was put in the place of another one");
    }
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

// A file that was copied alone while its writer had it open names that writer, as the log of the same
// writer does hours later: a copy that was restored beside that log was a mixture of both, in which
// streams were missing, and the log was lost to its own file once it was opened.
Deno.test("openEngine: a log is not used with an older copy of its own file, nor an older log with the file", async () => {
  const folder = await Deno.makeTempDir();
  try {
    const path = `${folder}/grid.btrdb`;
    await using engine = await openEngine({ path });
    const uuid = await createStream(engine);
    const copies: string[] = [];
    for (let time = 1; copies.length < 5; time++) {
      await engine.insert({ uuid, columns: columnsOf([[time, time]]) });
      const copy = `${folder}/${saltsOf(`${path}-wal`)}`;
      if (copies.includes(copy)) continue;
      copies.push(copy);
      await Deno.copyFile(path, copy);
      await Deno.copyFile(`${path}-wal`, `${copy}-wal`);
    }
    for (const [i, file] of copies.entries()) {
      for (const [j, log] of copies.entries()) {
        const pair = `${folder}/${i}-${j}`;
        await Deno.copyFile(file, pair);
        await Deno.copyFile(`${log}-wal`, `${pair}-wal`);
        if (j === i - 1) continue; // The beginning of a log of which the file has all.
        if (i === j) {
          await (await openEngine({ path: pair })).close();
          continue;
        }
        const error = await rejection(openEngine({ path: pair, readOnly: true }));
        assertEquals(error.status, "CORRUPT", `file ${i} with log ${j}: ${error.message}`);
        assertStringIncludes(error.message, "the log beside it");
      }
    }
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

// The file had all of a log whose beginning was put beside it, as by a backup that copies the log first. Its
// pages were read instead of those of the file: of 14,075 points 9,485 were gone, and verify found nothing.
Deno.test("openEngine: the beginning of a log is not used with a file that has the rest", async () => {
  const folder = await Deno.makeTempDir();
  try {
    const [path, backup] = [`${folder}/grid.btrdb`, `${folder}/backup.btrdb`];
    await using engine = await openEngine({ path });
    const uuid = await createStream(engine);
    let time = 0;
    const insert = () => engine.insert({ uuid, columns: columnsOf([[++time, time]]) });
    for (let i = 0; i < 10; i++) await insert();
    await Deno.copyFile(`${path}-wal`, `${backup}-wal`);
    const first = saltsOf(`${path}-wal`);
    while (saltsOf(`${path}-wal`) === first) await insert();
    await Deno.copyFile(path, backup);
    for (const readOnly of [true, false]) {
      const error = await rejection(openEngine({ path: backup, readOnly }));
      assertEquals(error.status, "CORRUPT", error.message);
      assertStringIncludes(error.message, "is older than the file");
    }
    // The log of the same moment is.
    await Deno.copyFile(`${path}-wal`, `${backup}-wal`);
    await using whole = await openEngine({ path: backup });
    assertEquals((await pointsOf(whole, uuid)).length, time);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
