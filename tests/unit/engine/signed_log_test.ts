/**
 * Each log has the first page of its file, with the epoch of its writer, from its first commit on. A
 * writer that ended within the first commit after the log was begun anew left a log that nobody could
 * tell from one of another file: a backup that was restored beside it became a mixture of both.
 */

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { openEngine } from "../../../src/engine/mod.ts";
import { columnsOf, createStream, rejection } from "../../support/engine.ts";

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
