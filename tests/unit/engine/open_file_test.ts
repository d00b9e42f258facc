import { lchown } from "node:fs/promises";
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { DatabaseSync } from "node:sqlite";
import { openEngine, verify } from "../../../src/engine/mod.ts";
import { refuseRollbackJournal } from "../../../src/engine/file/rollback_journal.ts";
import { openSqlite } from "../../../src/engine/file/sqlite.ts";
import { build, files, rejection, withDirectory } from "../../support/database_file.ts";
import { HANG_MS } from "../../support/until.ts";

Deno.test("openEngine: opening something that is no database says so and leaves everything as it was", async () => {
  await withDirectory(async (directory) => {
    const path = `${directory}/notes.txt`;
    await Deno.writeTextFile(path, "not a database ".repeat(50));
    for (const readOnly of [false, true]) {
      const error = await rejection(openEngine({ path, readOnly }));
      assertEquals(error.status, "NOT_A_DATABASE");
      assertStringIncludes(error.message, path);
    }
    assertEquals(await Deno.readTextFile(path), "not a database ".repeat(50));
    assertEquals(files(directory), ["notes.txt"]);
  });
});

Deno.test("openEngine: opening a database of another application says so and leaves it as it was", async () => {
  await withDirectory(async (directory) => {
    const path = `${directory}/other.db`;
    const db = new DatabaseSync(path);
    db.exec("CREATE TABLE t (a)");
    db.close();
    const before = await Deno.readFile(path);
    const error = await rejection(openEngine({ path }));
    assertEquals(error.status, "NOT_A_DATABASE");
    assertStringIncludes(error.message, "another application");
    assertEquals(await Deno.readFile(path), before);
  });
});

for (const [version, status] of [[14, "SCHEMA_TOO_NEW"], [0, "SCHEMA_TOO_OLD"]] as const) {
  Deno.test(`openEngine: a schema of version ${version} is refused and left as it was`, async () => {
    await withDirectory(async (directory) => {
      const path = `${directory}/grid.btrdb`;
      await build(path);
      const db = new DatabaseSync(path);
      db.exec(`PRAGMA user_version = ${version}; PRAGMA wal_checkpoint(TRUNCATE)`);
      db.close();
      const before = await Deno.readFile(path);
      for (const readOnly of [false, true]) {
        const error = await rejection(openEngine({ path, readOnly }));
        assertEquals(error.status, status);
        assertStringIncludes(error.message, `version ${version}`);
      }
      assertEquals(await Deno.readFile(path), before);
    });
  });
}

Deno.test("openEngine: a folder that does not exist and a folder instead of a file are clear errors", async () => {
  await withDirectory(async (directory) => {
    for (const path of [`${directory}/none/grid.btrdb`, directory]) {
      const error = await rejection(openEngine({ path }));
      assertStringIncludes(error.message, path);
    }
    const path = `${directory}/none.btrdb`;
    assertEquals((await rejection(openEngine({ path, readOnly: true }))).status, "CANNOT_OPEN");
    assertEquals(files(directory), []);
  });
});

// A FIFO in the place of the rollback journal kept the process in one call of SQLite, which waited for
// someone to write to it: a server that opened such a file never answered again, and no signal ended it.
// Devices and folders were errors of a disk that has none.
Deno.test({
  name: "openEngine: whatever is no file in the place of a database or beside it is named",
  ignore: Deno.build.os === "windows",
  fn: async () => {
    await withDirectory(async (directory) => {
      const path = `${directory}/grid.btrdb`;
      await build(path);
      const { success } = await new Deno.Command("mkfifo", { args: [`${directory}/fifo`] })
        .output();
      assert(success);
      for (const readOnly of [false, true]) {
        for (const [other, kind] of [["/dev/null", "a device"], [`${directory}/fifo`, "a FIFO"]]) {
          const error = await rejection(openEngine({ path: other!, readOnly }));
          assertEquals(error.message, `Cannot open ${other}: it is ${kind}`);
        }
        for (const suffix of ["-lock", "-wal", "-shm", "-journal"]) {
          const beside = `${path}${suffix}`;
          await Deno.remove(beside).catch(() => {});
          await Deno.rename(`${directory}/fifo`, beside);
          const error = await rejection(openEngine({ path, readOnly }));
          await Deno.rename(beside, `${directory}/fifo`);
          assertEquals(error.message, `Cannot open ${path}: ${beside} is a FIFO; remove it`);
          assertEquals(error.status, "CANNOT_OPEN");
          await Deno.mkdir(beside);
          assertStringIncludes(
            (await rejection(openEngine({ path, readOnly }))).message,
            "a folder",
          );
          await Deno.remove(beside);
        }
      }
      await (await openEngine({ path })).close();
    });
  },
});

// A rollback journal of an older copy beside a file was copied into it by SQLite when the file was opened:
// acknowledged points were gone, and `verify` found a mixture of both states.
Deno.test("openEngine: a rollback journal beside a file is not rolled back into it", async () => {
  await withDirectory(async (directory) => {
    const path = `${directory}/grid.btrdb`, old = `${directory}/old.db`;
    await build(path);
    await Deno.copyFile(path, old);
    const db = new DatabaseSync(old);
    db.exec("PRAGMA journal_mode = DELETE; PRAGMA cache_size = 1; BEGIN; CREATE TABLE t (a)");
    // More than the cache has: the journal is synced, as it is when a process is killed.
    db.exec("UPDATE stream SET collection = 'x'; INSERT INTO t VALUES (zeroblob(5000000))");
    await Deno.copyFile(`${old}-journal`, `${path}-journal`);
    db.close();
    const before = await Deno.readFile(path);
    for (const readOnly of [true, false]) {
      const error = await rejection(openEngine({ path, readOnly }));
      assertEquals(error.status, "CANNOT_OPEN");
      assertStringIncludes(error.message, "-journal is a rollback journal");
    }
    assertEquals(await Deno.readFile(path), before);
    await Deno.truncate(`${path}-journal`, 0);
    await (await openEngine({ path, readOnly: true })).close();
    // What a crash left that came before the file had its first page is no obstacle.
    await Deno.rename(`${path}-journal`, `${directory}/new.btrdb-journal`);
    await Deno.writeFile(`${directory}/new.btrdb-journal`, before.subarray(0, 512));
    await Deno.writeFile(`${directory}/new.btrdb`, new Uint8Array(0));
    await (await openEngine({ path: `${directory}/new.btrdb` })).close();
  });
});

// The advice was to move a file called "-wal", of a writer "as ,".
Deno.test("openEngine: the mark of a writer that the file does not name is CORRUPT", async () => {
  await withDirectory(async (directory) => {
    const path = `${directory}/grid.btrdb`;
    await build(path);
    const db = new DatabaseSync(path);
    const { user_version } = db.prepare("PRAGMA user_version").get()!;
    db.exec(`PRAGMA user_version = ${Number(user_version) | 0x10}`);
    db.close();
    for (const readOnly of [true, false]) {
      const error = await rejection(openEngine({ path, readOnly }));
      assertEquals(error.status, "CORRUPT");
      assertStringIncludes(error.message, "another program has changed its user_version");
    }
  });
});

// A link in place of a file beside the database would have SQLite write to whatever it leads to.
Deno.test("openEngine: links in place of the files beside a database are not followed", async () => {
  await withDirectory(async (directory) => {
    const path = `${directory}/grid.btrdb`;
    await build(path);
    for (const suffix of ["-lock", "-wal", "-shm", "-journal"]) {
      for (const content of [undefined, "theirs"]) {
        const target = `${directory}/target`;
        if (content !== undefined) await Deno.writeTextFile(target, content);
        await Deno.remove(`${path}${suffix}`).catch(() => {});
        await Deno.symlink(target, `${path}${suffix}`);
        const refused = [rejection(openEngine({ path }))];
        if (suffix === "-wal" || suffix === "-shm") {
          refused.push(rejection(openEngine({ path, readOnly: true })), rejection(verify(path)));
        } else if (suffix === "-lock") {
          await (await openEngine({ path, readOnly: true })).close();
        }
        for (const { status } of await Promise.all(refused)) assertEquals(status, "CANNOT_OPEN");
        await Deno.remove(`${path}${suffix}`);
        assertEquals(await Deno.readTextFile(target).catch(() => undefined), content);
        await Deno.remove(target).catch(() => {});
      }
    }
  });
});

// The error was that the database is none, though it was whole: the file to be removed is the one beside it.
Deno.test("openEngine: something else in the place of the lock file is named", async () => {
  await withDirectory(async (directory) => {
    const path = `${directory}/grid.btrdb`;
    await build(path);
    await Deno.writeTextFile(`${path}-lock`, "theirs ".repeat(500));
    const { status, message } = await rejection(openEngine({ path }));
    assertEquals(status, "CANNOT_OPEN");
    assertStringIncludes(message, `${path}-lock is not the empty file that is its lock`);
    await Deno.remove(`${path}-lock`);
    await (await openEngine({ path })).close();
  });
});

// Linux does not follow links that other users put into /tmp. The engine asked where the link leads and opened
// that: whoever planted it had the database of another user written, or a new one made anywhere.
Deno.test({
  name: "openEngine: links of other users in folders of everyone are refused",
  ignore: Deno.build.os === "windows",
  async fn() {
    if (Deno.uid() !== 0) return console.warn("skipped, only root can give links to other users");
    await withDirectory(async (directory) => {
      const [ours, shared] = [`${directory}/ours.btrdb`, `${directory}/shared`];
      await build(ours);
      await Deno.mkdir(shared);
      await Deno.chmod(shared, 0o1777);
      const names = [`${shared}/planted.btrdb`, `${directory}/link`, `${shared}/new.btrdb`];
      await Deno.symlink(ours, names[0]!);
      // Only what it leads to is another user's link.
      await Deno.symlink(names[0]!, names[1]!);
      await Deno.symlink(`${directory}/made.btrdb`, names[2]!);
      await (await openEngine({ path: names[0]! })).close();
      for (const name of [names[0]!, names[2]!]) await lchown(name, 12_345, 12_345);
      for (const path of names) {
        for (const readOnly of [false, true]) {
          const error = await rejection(openEngine({ path, readOnly }));
          assertEquals(error.status, "CANNOT_OPEN");
          assertStringIncludes(error.message, "is a link of another user");
        }
        assertStringIncludes((await rejection(verify(path))).message, "is a link of another user");
      }
      assert(!files(directory).includes("made.btrdb"));
      // Who may write to the folder alone is its owner.
      await Deno.chmod(shared, 0o755);
      await (await openEngine({ path: names[1]! })).close();
    });
  },
});

Deno.test("openEngine: durability decides when SQLite syncs its log", async () => {
  for (const [durability, synchronous] of [[undefined, 2], ["full", 2], ["relaxed", 1]] as const) {
    let actual: unknown;
    const engine = await openEngine({
      durability,
      openDatabase: (path, options) => {
        const db = openSqlite(path, options);
        return {
          exec: (sql) => db.exec(sql),
          prepare: (sql) => db.prepare(sql),
          close() {
            actual = db.prepare("PRAGMA synchronous").get()!["synchronous"];
            db.close();
          },
        };
      },
    });
    await engine.close();
    assertEquals(actual, synchronous);
  }
});

Deno.test("openEngine: a path that begins with file: is the name of a file, without options of SQLite", async () => {
  await withDirectory(async (directory) => {
    const name = "file:grid.btrdb?mode=memory";
    const program = `
      import { openEngine } from ${
      JSON.stringify(import.meta.resolve("../../../src/engine/mod.ts"))
    };
      await (await openEngine({ path: ${JSON.stringify(name)} })).close();`;
    const { code, stderr } = await new Deno.Command(Deno.execPath(), {
      args: [
        "run",
        "-A",
        "--no-check",
        "--quiet",
        `data:application/typescript,${encodeURIComponent(program)}`,
      ],
      cwd: directory,
    }).output();
    assertEquals(new TextDecoder().decode(stderr), "");
    assertEquals(code, 0);
    assert(files(directory).includes(name), `${files(directory)}`);
  });
});

Deno.test("refuseRollbackJournal: a journal that another process removes while it is looked at is none", async () => {
  // A writer that makes a file has a rollback journal for a moment. Whoever opened the file in that
  // moment was told "ENOENT" by the operating system, with no status and no name of the database.
  await withDirectory(async (directory) => {
    const path = `${directory}/grid.btrdb`;
    await build(path);
    const code = `
      for (;;) {
        Deno.writeTextFileSync(${JSON.stringify(`${path}-journal`)}, "\\0".repeat(512));
        Deno.removeSync(${JSON.stringify(`${path}-journal`)});
      }`;
    await using _busy = new Deno.Command(Deno.execPath(), { args: ["eval", code] }).spawn();
    const seen = new Set<boolean>();
    const end = performance.now() + HANG_MS;
    for (let looks = 0; (looks < 5_000 || seen.size < 2) && performance.now() < end; looks++) {
      seen.add(files(directory).includes("grid.btrdb-journal"));
      refuseRollbackJournal(path, path);
    }
    assertEquals(seen.size, 2, "the journal came and went");
  });
});
