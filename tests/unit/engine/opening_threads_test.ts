import { assertEquals } from "@std/assert";
import { openEngine } from "../../../src/engine/mod.ts";
import type { EngineOptions } from "../../../src/engine/options.ts";
import { build, withDirectory } from "../../support/database_file.ts";

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

/** Locks that SQLite has of a file in this process, as Linux lists them. */
async function sqliteLocks(path: string): Promise<string[]> {
  const { ino } = await Deno.stat(path);
  const lines = (await Deno.readTextFile("/proc/locks")).split("\n");
  return lines.filter((line) => line.includes(` ${Deno.pid} `) && line.includes(`:${ino} `))
    .map((line) => line.replace(/^\d+: /, "")).filter((line) => line.startsWith("POSIX"));
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
        const locks = await sqliteLocks(path);
        assertEquals(locks.length, 1);
        const other = `${directory}/link.btrdb`;
        if (link) await Deno.link(path, other);
        assertEquals(await openInThread({ path: link ? other : path, readOnly }), expected);
        assertEquals(await sqliteLocks(path), locks);
      }),
  });
}
