/** Files that are replaced, rewritten or cut while they are imported. */

import { assertEquals, assertRejects } from "@std/assert";
import { gzipSync } from "node:zlib";
import { connect } from "../../../mod.ts";
import { ImportError, importFile } from "../../../src/ingest/mod.ts";
import { openBytes } from "../../../src/ingest/bytes.ts";
import { FileChanges } from "../../../src/ingest/file_changes.ts";

const TABLE = "time,a,b,note\n1700000000,1,2,x\n1700000001,1,2,x\n";
/** The columns the other way round. */
const OTHER = "time,b,a,note\n1700000000,2,1,x\n1700000001,2,1,x\n";

async function inFolder(use: (path: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    await use(`${folder}/in.csv`);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

function replace(path: string, text: string): void {
  Deno.writeTextFileSync(`${path}.new`, text);
  Deno.renameSync(`${path}.new`, path);
}

// The points of b went to the stream a, and those of a to b.
Deno.test("importFile: a file that is replaced, rewritten or cut once its columns are known is refused", async () => {
  const changes: [change: (path: string) => void, message: string][] = [
    [(path) => replace(path, OTHER), "it was changed while it was read"],
    [(path) => Deno.writeTextFileSync(path, OTHER), "it was changed while it was read"],
    [(path) => Deno.truncateSync(path, TABLE.length / 2), "it became shorter while it was read"],
  ];
  for (const [change, message] of changes) {
    await inFolder(async (path) => {
      await using db = await connect("memory:");
      await Deno.writeTextFile(path, TABLE);
      // The notice about the text comes when the table was looked at, and none of its rows was read.
      const options = { into: "c", stateFolder: `${path}-state`, onNotice: () => change(path) };
      await assertRejects(() => importFile(db, path, options), ImportError, message);
      assertEquals(await Array.fromAsync(db.lookupStreams("c")), []);
    });
  }
});

Deno.test("importFile: a file that grows once its columns are known is read to its end", async () => {
  await inFolder(async (path) => {
    await using db = await connect("memory:");
    await Deno.writeTextFile(path, TABLE);
    const append = () =>
      Deno.writeTextFileSync(path, "1700000002,1,2,x\n", { append: true, create: false });
    const options = { into: "c", stateFolder: `${path}-state`, onNotice: append };
    assertEquals((await importFile(db, path, options)).points, 6n);
  });
});

Deno.test("FileChanges: a file that is rewritten while it is read is noticed, one that is rotated does no harm", async () => {
  await inFolder(async (path) => {
    const opened = async (): Promise<FileChanges> => {
      const bytes = await openBytes(path);
      const head = new TextEncoder().encode(TABLE);
      const changes = new FileChanges({
        bytes,
        head,
        all: () => [] as never,
        counter: { bytes: 0 },
      });
      await changes.checkBegun();
      return changes;
    };
    for (const pack of [(text: string) => new TextEncoder().encode(text), gzipSync]) {
      const write = (text: string) => Deno.writeFileSync(path, pack(text));
      write(TABLE);
      const changes = await opened();
      await changes.checkRead();
      write(OTHER);
      await assertRejects(() => changes.checkRead(), ImportError, "while it was read");
      write(TABLE);
      const rotated = await opened();
      replace(path, "");
      await rotated.checkRead();
      Deno.removeSync(path);
      await rotated.checkRead();
    }
  });
});
