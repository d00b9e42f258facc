import { assertEquals } from "@std/assert";
import { openEngine } from "../../../src/engine/mod.ts";
import type { EngineOptions } from "../../../src/engine/options.ts";
import { build, withDirectory } from "../../support/database_file.ts";
import { locksOn } from "../../support/file_locks.ts";

/** Opens and closes a database in another thread; "open" or the status of the error. */
async function openInThread(options: EngineOptions): Promise<string> {
  const thread = new Worker(new URL("../../support/opening_thread.ts", import.meta.url), {
    type: "module",
  });
  try {
    return await new Promise((resolve, reject) => {
      thread.onmessage = ({ data }) => resolve(data);
      thread.onerror = (event) => reject(event.error ?? new Error(event.message));
      thread.postMessage(options);
    });
  } finally {
    thread.terminate();
  }
}

/** Locks that SQLite has of a file in this process. */
function sqliteLocks(path: string): string[] {
  return locksOn(path).filter((line) => line.startsWith("POSIX"));
}

// A thread that only read a database, or was refused it under another name, closed a descriptor of the
// file. That took back SQLite's locks of the thread that wrote it, so the next program with an SQLite
// before 3.51 that looked into the file removed its log: no more inserts, and a file that was CORRUPT
// until someone mended it by hand.
for (
  const [name, link, readOnly, expected] of [
    ["a thread that reads", false, true, "open"],
    ["a thread that may not write by a hard link", true, false, "LOCKED"],
    ["a thread that may not read by a hard link", true, true, "LOCKED"],
  ] as const
) {
  Deno.test({
    name: `openEngine: ${name} leaves SQLite's locks to the writer in another thread`,
    ignore: Deno.build.os !== "linux",
    fn: () =>
      withDirectory(async (directory) => {
        const path = `${directory}/grid.btrdb`;
        await build(path);
        await using _writer = await openEngine({ path });
        const locks = sqliteLocks(path);
        assertEquals(locks.length, 1);
        const other = `${directory}/link.btrdb`;
        if (link) await Deno.link(path, other);
        assertEquals(await openInThread({ path: link ? other : path, readOnly }), expected);
        assertEquals(sqliteLocks(path), locks);
      }),
  });
}
