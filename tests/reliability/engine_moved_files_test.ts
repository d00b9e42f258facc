/**
 * Files of a database that are moved, replaced, truncated or removed while a writer has them open, as
 * restored backups, clean-up jobs and curious people do. The writer went on and acknowledged points
 * that nobody found again: SQLite itself writes on to files that have no name any more, and a new
 * database at the old path removed the log of the one that had been moved. A backup that was restored
 * beside the log of a killed writer became a mixture of both.
 */

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { openEngine, verify } from "../../src/engine/mod.ts";
import { rejection } from "../support/engine.ts";
import { LoneWriter } from "../support/lone_writer_process.ts";

/** Points in the file before. */
const EARLIER = 60;

interface Scene {
  /** A command in the folder of the files, while the writer runs. */
  act: string;
  /** True if the writer notices nothing, because nothing is wrong. */
  goesOn?: true;
  /** Errors of opening files after the end of the writer. */
  errors?: Record<string, [status: string, text: string]>;
  /** A command of the user after that. */
  repair?: string;
  /** The file that has all acknowledged points after that. */
  found?: string;
  /** The file that opens after that, although its last points are lost with its log. */
  opens?: string;
}

const MISSING: [string, string] = [
  "CORRUPT",
  "grid.btrdb-wal, the log with what it wrote last, is",
];
const STRAY: [string, string] = ["CANNOT_OPEN", "it is not there, but"];
const NOT_ITS_OWN: [string, string] = ["CORRUPT", "the file was put in the place of another one"];

const SCENES: Record<string, Scene> = {
  "the file is moved": {
    act: "mv grid.btrdb other.btrdb",
    errors: { "grid.btrdb": STRAY, "other.btrdb": ["LOCKED", "or the file back"] },
    repair: "mv other.btrdb grid.btrdb",
    found: "grid.btrdb",
  },
  "the file is moved, its log follows": {
    act: "mv grid.btrdb other.btrdb",
    repair: "mv grid.btrdb-wal other.btrdb-wal",
    found: "other.btrdb",
  },
  "the file is replaced by a backup": {
    act: "cp backup.btrdb new; ln grid.btrdb kept; mv new grid.btrdb",
    errors: { "grid.btrdb": NOT_ITS_OWN },
    repair: "mv kept grid.btrdb",
    found: "grid.btrdb",
  },
  "the file is moved away and another is put in its place": {
    act: "mv grid.btrdb old.btrdb; cp backup.btrdb grid.btrdb",
    errors: { "grid.btrdb": NOT_ITS_OWN, "old.btrdb": ["LOCKED", "open it by that path"] },
    repair: "mv old.btrdb grid.btrdb",
    found: "grid.btrdb",
  },
  "the file is removed": {
    act: "ln grid.btrdb kept; rm grid.btrdb",
    errors: { "grid.btrdb": STRAY },
    repair: "mv kept grid.btrdb",
    found: "grid.btrdb",
  },
  "the log is moved": {
    act: "mv grid.btrdb-wal log",
    errors: { "grid.btrdb": MISSING },
    repair: "mv log grid.btrdb-wal",
    found: "grid.btrdb",
  },
  "the log is removed": {
    act: "rm grid.btrdb-wal",
    errors: { "grid.btrdb": MISSING },
    repair: ": > grid.btrdb-wal",
    opens: "grid.btrdb",
  },
  "all files beside it are removed": {
    act: "rm grid.btrdb-*",
    // Elsewhere nobody knows that the writer has ended.
    ...(Deno.build.os === "linux"
      ? { errors: { "grid.btrdb": MISSING }, repair: ": > grid.btrdb-wal", opens: "grid.btrdb" }
      : {}),
  },
  "the log is truncated": {
    act: ": > grid.btrdb-wal",
    errors: { "grid.btrdb": MISSING },
    repair: ": > grid.btrdb-wal",
    opens: "grid.btrdb",
  },
  "the index of the log is removed": {
    act: "rm grid.btrdb-shm",
    goesOn: true,
    found: "grid.btrdb",
  },
  "the folder is moved": { act: "mv ../d ../e", goesOn: true, found: "../e/grid.btrdb" },
  "the folder is moved and another is put in its place": {
    act: "mv ../d ../e; mkdir ../d; cp ../e/backup.btrdb ../d/grid.btrdb",
    found: "../e/grid.btrdb",
  },
  "the folder above is moved and another is put in its place": {
    act: "mv ../../r ../../s; mkdir -p ../../r/d; cp ../../s/d/backup.btrdb ../../r/d/grid.btrdb",
    found: "../../s/d/grid.btrdb",
  },
};

async function run(folder: string, command: string): Promise<void> {
  const { success } = await new Deno.Command("sh", { args: ["-c", command], cwd: folder }).output();
  assert(success, command);
}

/** Numbers of points that two streams have. */
async function countPoints(path: string): Promise<number[]> {
  await using engine = await openEngine({ path });
  const counts: number[] = [];
  for (const byte of [1, 2]) {
    const uuid = new Uint8Array(16).fill(byte);
    let count = 0;
    for await (
      const { columns } of engine.rawValues({ uuid, start: 0n, end: 1n << 40n, version: 0n })
    ) count += columns.times.length;
    counts.push(count);
  }
  return counts;
}

async function assertRefused(path: string, [status, text]: [string, string]): Promise<void> {
  const error = await rejection(openEngine({ path }));
  assertEquals(error.status, status, error.message);
  assertStringIncludes(error.message, text);
  await rejection(openEngine({ path, readOnly: true }));
}

for (const [name, scene] of Object.entries(SCENES)) {
  Deno.test({
    name: `openEngine: no point is acknowledged and lost while ${name}`,
    ignore: Deno.build.os === "windows", // There nobody can move a file that is open.
    async fn() {
      const temporary = await Deno.makeTempDir();
      const root = `${temporary}/r`;
      const folder = `${root}/d`;
      let writer: LoneWriter | undefined;
      try {
        await Deno.mkdir(folder, { recursive: true });
        const path = `${folder}/grid.btrdb`;
        const earlier = new LoneWriter(path, 1);
        await earlier.until(EARLIER);
        await earlier.close();
        await Deno.copyFile(path, `${folder}/backup.btrdb`);
        writer = new LoneWriter(path, 2);
        await writer.until(70);
        await run(folder, scene.act);
        await writer.until(writer.acknowledged + (scene.goesOn === true ? 200 : 5_000));
        assertEquals(writer.end, scene.goesOn === true ? undefined : "MOVED");
        if (writer.end === undefined) await writer.kill();
        else await writer.close();
        for (const [file, error] of Object.entries(scene.errors ?? {})) {
          await assertRefused(`${folder}/${file}`, error);
        }
        if (scene.repair !== undefined) await run(folder, scene.repair);
        if (scene.found !== undefined) {
          const file = scene.found.replace(/^\.\./, root);
          const found = file.startsWith(root) ? file : `${folder}/${file}`;
          const [before, after] = await countPoints(found);
          assert(before! >= earlier.acknowledged, `${before} of ${earlier.acknowledged}`);
          assert(after! >= writer.acknowledged, `${after} of ${writer.acknowledged}`);
          assertEquals((await verify(found)).problems, []);
        }
        if (scene.opens !== undefined) await (await openEngine({ path })).close();
      } finally {
        if (writer?.end === undefined) await writer?.kill();
        await Deno.remove(temporary, { recursive: true });
      }
    },
  });
}
