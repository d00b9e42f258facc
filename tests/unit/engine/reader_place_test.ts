/**
 * Files that take the place of one that is open for reading. A reader answered from the file that had
 * been replaced by a restored backup, or removed, for as long as it ran, and nobody was told that
 * nothing new could come.
 */

import { assertEquals, assertStringIncludes } from "@std/assert";
import { openEngine } from "../../../src/engine/mod.ts";
import { openSqlite } from "../../../src/engine/file/sqlite.ts";
import { build, columns, readAll, rejection, uuid } from "../../support/database_file.ts";

/** Changes of the files, and the error of a read after each. */
const SCENES: Record<string, { act: (folder: string) => Promise<void>; status?: string }> = {
  "another file takes its place": {
    act: (folder) => Deno.rename(`${folder}/new.btrdb`, `${folder}/grid.btrdb`),
    status: "MOVED",
  },
  "it is moved without its log": {
    act: (folder) => Deno.rename(`${folder}/grid.btrdb`, `${folder}/old.btrdb`),
    status: "MOVED",
  },
  "it is removed, and all beside it": {
    act: async (folder) => {
      for (const end of ["", "-wal", "-shm", "-lock"]) {
        await Deno.remove(`${folder}/grid.btrdb${end}`);
      }
    },
    status: "MOVED",
  },
  "its folder is moved": { act: (folder) => Deno.rename(folder, `${folder}-moved`) },
};

for (const [name, { act, status }] of Object.entries(SCENES)) {
  Deno.test(`openEngine for reading: ${name}`, async () => {
    const root = await Deno.makeTempDir();
    const folder = `${root}/d`;
    await Deno.mkdir(folder);
    try {
      await build(`${folder}/grid.btrdb`);
      await Deno.copyFile(`${folder}/grid.btrdb`, `${folder}/new.btrdb`);
      const path = `${folder}/grid.btrdb`;
      await using engine = await openEngine({ path, readOnly: true });
      const pool = await engine.openReaders(1);
      const before = await readAll(engine);
      await act(folder);
      const range = { uuid, start: 0n, end: 1n, version: 0n };
      const read = (from: Pick<typeof pool, "rawValues">) => Array.fromAsync(from.rawValues(range));
      if (status === undefined) {
        assertEquals(await readAll(engine), before);
        await read(pool);
        return;
      }
      for (const failed of [read(engine), read(pool), readAll(engine)]) {
        const error = await rejection(failed);
        assertEquals([error.status, error.retryable], [status, false]);
        assertStringIncludes(error.message, "open what is there now");
      }
    } finally {
      await Deno.remove(root, { recursive: true });
    }
  });
}

Deno.test("openEngine for reading: a symbolic link that leads elsewhere now", async () => {
  const folder = await Deno.makeTempDir();
  try {
    const [first, second, path] = ["a.btrdb", "b.btrdb", "grid"].map((name) => `${folder}/${name}`);
    await build(first!);
    await build(second!);
    await Deno.symlink(first!, path!);
    await using engine = await openEngine({ path: path!, readOnly: true });
    await readAll(engine);
    await Deno.remove(path!);
    await Deno.symlink(second!, path!);
    assertEquals((await rejection(readAll(engine))).status, "MOVED");
    await using again = await openEngine({ path: path!, readOnly: true });
    await readAll(again);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

// A server that opened a file in the very moment its writer took the file ended with "another process
// is using it": SQLite was not told to wait.
Deno.test("openEngine for reading: SQLite waits for a lock that is held for a short time", async () => {
  const folder = await Deno.makeTempDir();
  try {
    const path = `${folder}/grid.btrdb`;
    await build(path);
    const waits: unknown[] = [];
    const openDatabase: typeof openSqlite = (path, options) => {
      const db = openSqlite(path, options);
      const { exec } = db;
      db.exec = (sql) => {
        exec.call(db, sql);
        if (sql.includes("busy_timeout")) waits.push(db.prepare("PRAGMA busy_timeout").get());
      };
      return db;
    };
    await (await openEngine({ path, readOnly: true, openDatabase })).close();
    assertEquals(waits.map((row) => Object.values(row as object)), [[2000]]);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

// A subscription of a reader waited for ever: inserts are made in another process.
Deno.test("openEngine for reading: a subscription is refused at once", async () => {
  const folder = await Deno.makeTempDir();
  try {
    const path = `${folder}/grid.btrdb`;
    await build(path);
    await using writer = await openEngine({ path });
    await using reader = await openEngine({ path, readOnly: true });
    const subscribe = async () => {
      for await (const _ of reader.subscribe([uuid])) return;
    };
    const refused = rejection(subscribe());
    await writer.insert({ uuid, columns: columns(300_000, 1) });
    const error = await refused;
    assertEquals([error.code, error.retryable], [501, false]);
    assertEquals(reader.capabilities.subscribe, false);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
