/**
 * Bits of keys, and of where a page has them. SQLite's search passes what is in the wrong order, so that
 * streams had a fourth of the points that were inserted last, or an older version, without an error: the
 * numbers of rows were as before.
 */

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { DatabaseSync } from "node:sqlite";
import { BTrDBError } from "../../../src/core/errors.ts";
import { openEngine, verify } from "../../../src/engine/mod.ts";
import { withDirectory } from "../../support/database_file.ts";
import { columnsOf, createStream, pointsOf, uuidOf } from "../../support/engine.ts";
import { Random } from "../../support/random.ts";

const STREAMS = 12;

/** More inserts than the latest ones, which the index of the journal does not have. */
const INSERTS = 4_200;

/** Makes a database with versions, and with points in both parts of the journal. */
async function buildJournal(path: string): Promise<void> {
  await using engine = await openEngine({ path });
  for (let byte = 1; byte <= STREAMS; byte++) {
    const uuid = await createStream(engine, byte);
    await engine.insert({ uuid, columns: columnsOf([[byte, byte]]) });
    await engine.flush(uuid);
  }
  await Promise.all(Array.from({ length: INSERTS }, (_, i) => {
    const uuid = uuidOf(1 + i % STREAMS);
    return engine.insert({ uuid, columns: columnsOf([[100 + i, i]]) });
  }));
}

/** Everything that can be found, as text. */
async function findAll(path: string): Promise<string> {
  await using engine = await openEngine({ path, readOnly: true });
  const parts: string[] = [];
  for (let byte = 1; byte <= STREAMS; byte++) {
    parts.push((await pointsOf(engine, uuidOf(byte))).join());
  }
  for (const isCollectionPrefix of [true, false]) {
    const tags = new Map([["name", "s3"]]);
    const query = { collection: "test", isCollectionPrefix, annotations: new Map() };
    for (const lookup of [{ ...query, tags }, { ...query, tags: new Map() }]) {
      const found = await Array.fromAsync(engine.lookupStreams(lookup));
      parts.push(found.flat().map(({ uuid }) => uuid[0]).join());
    }
  }
  parts.push((await Array.fromAsync(engine.listCollections({ prefix: "" }))).flat().join());
  return parts.join("\n");
}

/** Pages of a table or an index, by number. */
function pagesOf(path: string, name: string): number[] {
  const db = new DatabaseSync(path, { readOnly: true });
  const rows = db.prepare("SELECT pageno FROM dbstat WHERE name = ? AND ncell > 0").all(name);
  db.close();
  return rows.map(({ pageno }) => Number(pageno));
}

const NAMES = [
  "journal_index",
  "version",
  "property",
  "key_set",
  "collection",
  "sqlite_autoindex_stream_1",
  "sqlite_autoindex_stream_2",
];

Deno.test("openEngine: a turned bit of a key, or of its place in the page, hides nothing", async () => {
  await withDirectory(async (directory) => {
    const path = `${directory}/grid.btrdb`;
    await buildJournal(path);
    const whole = await Deno.readFile(path);
    const expected = await findAll(path);
    const random = new Random(1);
    const pageBytes = new DataView(whole.buffer).getUint16(16);
    for (const name of NAMES) {
      let refused = 0;
      const pages = pagesOf(path, name);
      for (let i = 0; i < 25; i++) {
        const page = (random.pick(pages) - 1) * pageBytes;
        const view = new DataView(whole.buffer, page);
        const isPlace = random.chance(0.5);
        const header = view.getUint8(0) < 10 ? 12 : 8;
        const from = isPlace ? header : view.getUint16(5);
        const to = isPlace ? header + 2 * view.getUint16(3) : pageBytes;
        const damaged = whole.slice();
        damaged[page + random.int(from, to - 1)]! ^= 1 << random.int(0, 7);
        await Deno.writeFile(path, damaged);
        const found = await findAll(path).catch((error) => error);
        if (found instanceof BTrDBError) {
          assertEquals(found.status, "CORRUPT", found.message);
          refused++;
        } else assert(found === expected, `${name}, flip ${i}: something else was found`);
      }
      assert(refused > 10, `${name}: ${refused} of 25 flips were refused`);
    }
    await Deno.writeFile(path, whole);
    assertEquals(await findAll(path), expected);
  });
});

Deno.test("verify: names keys that are not those which the file had when it was closed", async () => {
  await withDirectory(async (directory) => {
    const path = `${directory}/grid.btrdb`;
    await buildJournal(path);
    const db = new DatabaseSync(path);
    const first = "(SELECT seq FROM journal_index LIMIT 1)";
    db.exec(`UPDATE journal_index SET stream = 2 WHERE seq = ${first}`);
    db.close();
    const { problems } = await verify(path);
    assertStringIncludes(problems.join("\n"), "The sum of the keys of journal_index is");
  });
});
