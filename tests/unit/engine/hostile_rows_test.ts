import { assert, assertEquals } from "@std/assert";
import { DatabaseSync } from "node:sqlite";
import { checkParts } from "../../../src/engine/file/checksum.ts";
import { forgetRows } from "../../../src/engine/file/row_counts.ts";
import { openEngine, verify } from "../../../src/engine/mod.ts";
import { columnsOf, createStream, pointsOf, rejection, uuidOf } from "../../support/engine.ts";
import { unpackOldFile } from "../../support/old_file.ts";
import { HANG_MS } from "../../support/until.ts";

async function withPath(work: (path: string) => Promise<void>): Promise<void> {
  const directory = await Deno.makeTempDir();
  try {
    await work(`${directory}/grid.btrdb`);
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
}

/** A file of two streams, changed by hand. */
async function withForged(
  forge: (db: DatabaseSync) => void,
  work: (path: string) => Promise<void>,
): Promise<void> {
  await withPath(async (path) => {
    {
      await using engine = await openEngine({ path });
      await createStream(engine, 1);
      await createStream(engine, 2);
    }
    const db = new DatabaseSync(path);
    forge(db);
    forgetRows(db);
    db.close();
    await work(path);
  });
}

/** Texts that are no object of texts, or no JSON. */
const NO_METADATA = ["", "null", "1", "[]", '"x"', '{"name":5}', '{"name":{}}', '{"name":'];

/** Texts that are no two lists of texts, or no JSON. */
const NO_KEYS = ["null", "1", "[]", "{}", '"xy"', '["a","b"]', "[[1],[2]]", '[["name"]]', "[["];

const ALL_OF_IT = { omitVersion: false, omitDescriptor: false };

const all = { collection: "", isCollectionPrefix: true, tags: new Map(), annotations: new Map() };

Deno.test("descriptorOf: metadata of forged streams that are none are CORRUPT, and verify ends", async () => {
  for (const tags of NO_METADATA) {
    const forge = (db: DatabaseSync) => {
      const sum = checkParts(uuidOf(2), ["test", tags, "{}", 1].join("\0"));
      db.prepare("UPDATE stream SET tags = ?, checksum = ? WHERE id = 2").run(tags, sum);
    };
    await withForged(forge, async (path) => {
      const { problems } = await verify(path);
      assert(problems.some((text) => text.includes("the metadata of stream")), `${tags}`);
      await using engine = await openEngine({ path });
      const uuid = uuidOf(2);
      assertEquals(
        (await rejection(engine.streamInfo({ uuid, ...ALL_OF_IT }))).status,
        "CORRUPT",
        tags,
      );
      const listed = Array.fromAsync(engine.lookupStreams(all));
      assertEquals((await rejection(listed)).status, "CORRUPT", tags);
      assertEquals((await rejection(engine.obliterate(uuid))).status, "CORRUPT", tags);
      assert(await engine.streamInfo({ uuid: uuidOf(1), ...ALL_OF_IT }));
    });
  }
});

Deno.test("Engine.sql: tags of a forged stream that are no JSON are CORRUPT", async () => {
  const forge = (db: DatabaseSync) => db.exec("UPDATE stream SET tags = '{' WHERE id = 2");
  await withForged(forge, async (path) => {
    await using engine = await openEngine({ path });
    const query = (sql: string) => Array.fromAsync(engine.sqlQuery({ query: sql, params: [] }));
    assertEquals((await rejection(query("SELECT tags FROM streams"))).status, "CORRUPT");
    assertEquals((await query("SELECT count(*) AS n FROM streams WHERE uuid > ''")).length, 1);
  });
});

// JSON.parse took the tag `a\n` of one stream for the tag `a\` of another.
Deno.test("Engine.sql: tags of forged streams are as they are written", async () => {
  const texts = ['{"name":"s1","a\\\\":"x"}', '{"name":"s2","a\\n":"x"}'];
  const forge = (db: DatabaseSync) => {
    const update = db.prepare("UPDATE stream SET tags = ? WHERE id = ?");
    for (const [i, text] of texts.entries()) update.run(text, i + 1);
  };
  await withForged(forge, async (path) => {
    await using engine = await openEngine({ path });
    const query = "SELECT tags, name FROM streams ORDER BY name";
    const rows = await Array.fromAsync(engine.sqlQuery({ query, params: [] }));
    assertEquals(rows.flat(), texts.map((text, i) => `{"tags":${text},"name":"s${i + 1}"}`));
  });
});

Deno.test("verify: a stream whose tags are no JSON does not keep it from the tables behind it", async () => {
  const forge = (db: DatabaseSync) => {
    db.exec("UPDATE stream SET tags = '{' WHERE id = 2");
    db.exec("INSERT INTO tombstone VALUES (x'00')");
  };
  await withForged(forge, async (path) => {
    const text = (await verify(path)).problems.join("\n");
    assert(text.includes("the metadata of stream"), text);
    assert(text.includes("The obliterated uuid 00 has 1 bytes"), text);
  });
});

Deno.test("Engine.metadataUsage: forged keys that are no lists of texts are CORRUPT", async () => {
  for (const keys of NO_KEYS) {
    const forge = (db: DatabaseSync) => {
      const { collection } = db.prepare("SELECT collection FROM key_set").get()!;
      const name = collection as Uint8Array;
      const sum = (checkParts(name, keys) + Math.imul(0x9e3779b1, 2)) >>> 0;
      db.prepare("UPDATE key_set SET keys = ?, checksum = ?").run(keys, sum);
    };
    await withForged(forge, async (path) => {
      assert(!(await verify(path)).ok, keys);
      await using engine = await openEngine({ path });
      assertEquals((await rejection(engine.metadataUsage(""))).status, "CORRUPT", keys);
    });
  }
});

Deno.test("Engine.obliterate: a number of streams beyond all integers is CORRUPT", async () => {
  const forge = (db: DatabaseSync) => db.exec(`UPDATE key_set SET streams = ${-(2n ** 63n)}`);
  await withForged(forge, async (path) => {
    await using engine = await openEngine({ path });
    assertEquals((await rejection(engine.obliterate(uuidOf(1)))).status, "CORRUPT");
  });
});

for (const damage of [`'{"name":'`, "replace(tags, 'name', 'nbme')", "'null'"]) {
  Deno.test(`openEngine: a file of schema 1 with a stream whose tags are ${damage} is brought up to date, all others can be read`, async () => {
    await withPath(async (path) => {
      await unpackOldFile(1, path);
      const db = new DatabaseSync(path);
      db.exec(`UPDATE stream SET tags = ${damage} WHERE id = 3`);
      db.close();
      {
        await using engine = await openEngine({ path });
        assertEquals((await pointsOf(engine, uuidOf(1))).length, 2850);
        assertEquals((await pointsOf(engine, uuidOf(3))).length, 50);
        assertEquals(
          (await engine.streamInfo({ uuid: uuidOf(1), ...ALL_OF_IT })).descriptor?.collection,
          "old/a",
        );
        const volts = (collection: string) =>
          Array.fromAsync(
            engine.lookupStreams({ ...all, collection, tags: new Map([["unit", "volts"]]) }),
          );
        // Nobody knows what tags it had, so nobody can say that it is not among these.
        assertEquals((await rejection(volts("old"))).status, "CORRUPT");
        assertEquals((await volts("new")).flat(), []);
        assertEquals(
          (await rejection(engine.streamInfo({ uuid: uuidOf(3), ...ALL_OF_IT }))).status,
          "CORRUPT",
        );
      }
      const { problems } = await verify(path);
      assertEquals(problems.length, 1, problems.join("\n"));
      assert(problems[0]!.includes("the metadata of stream 03030303"), problems[0]!);
    });
  });
}

// All versions of a stream that lives were removed, as those of an obliterated one are, once the file was
// opened: one turned bit of a number in that list sufficed for it, and the points were gone for good.
Deno.test("openEngine: versions of a stream that lives are not removed, whatever the list of those to remove has", async () => {
  for (const below of [BigInt(Number.MAX_SAFE_INTEGER), 12n]) {
    await withPath(async (path) => {
      {
        await using engine = await openEngine({ path });
        const uuid = await createStream(engine, 1);
        for (const time of [1, 2, 3]) {
          await engine.insert({ uuid, columns: columnsOf([[time, time]]) });
          await engine.flush(uuid);
        }
      }
      const db = new DatabaseSync(path);
      db.exec(`INSERT INTO reclaim VALUES (1, ${below})`);
      forgetRows(db);
      db.close();
      const engine = await openEngine({ path });
      await engine.compact();
      await engine.close();
      await using again = await openEngine({ path, readOnly: true });
      for (const version of [11n, 12n, 13n]) {
        assertEquals((await pointsOf(again, uuidOf(1), version)).length, Number(version) - 10);
      }
      assertEquals((await verify(path)).problems.length, 1);
    });
  }
});

Deno.test("Engine.compact: it and a prune end where the list of versions to remove has a row that nobody can read", async () => {
  const forge = (db: DatabaseSync) =>
    db.exec(`INSERT INTO reclaim VALUES (1, ${2n ** 60n}), (${2n ** 60n}, 12)`);
  await withForged(forge, async (path) => {
    assert(!(await verify(path)).ok);
    await using engine = await openEngine({ path });
    const insert = async (time: bigint) => {
      const columns = { times: BigInt64Array.of(time), values: Float64Array.of(1) };
      await engine.insert({ uuid: uuidOf(1), columns });
      await engine.flush(uuidOf(1));
    };
    for (const time of [1n, 2n, 3n]) await insert(time);
    // Without an end they were busy at it, and so was the process from the opening on.
    const signal = AbortSignal.timeout(HANG_MS);
    assertEquals((await rejection(engine.prune(uuidOf(1), 13n, { signal }))).status, "CORRUPT");
    await engine.compact({ signal });
    assertEquals((await pointsOf(engine, uuidOf(1))).length, 3);
  });
});

Deno.test("openEngine: settings that are no numbers are CORRUPT", async () => {
  // With such a place in the journal, every read left out what was in it, without an error.
  const forge = (db: DatabaseSync) => {
    // Missing in the types of this runtime, not in the runtime.
    assert("enableDefensive" in db && typeof db.enableDefensive === "function");
    db.enableDefensive(false);
    db.exec("PRAGMA writable_schema = ON");
    const table = "name = 'setting' AND type = 'table'";
    db.exec(`UPDATE sqlite_schema SET sql = replace(sql, 'STRICT, ', '') WHERE ${table}`);
    db.exec("PRAGMA writable_schema = RESET");
    db.exec("UPDATE setting SET value = x'ff0a' WHERE key = 'journal_tail'");
    db.exec("PRAGMA writable_schema = ON");
    db.exec(`UPDATE sqlite_schema SET sql = replace(sql, ') ', ') STRICT, ') WHERE ${table}`);
  };
  await withForged(forge, async (path) => {
    for (const readOnly of [true, false]) {
      const error = await rejection(openEngine({ path, readOnly }));
      assertEquals(error.status, "CORRUPT");
      const text = `the setting "journal_tail" is X'FF0A', expected 1 to 4503599627370496`;
      assert(error.message.includes(text), error.message);
    }
    assert(!(await verify(path)).ok);
  });
});

// A file that said that the last stream had the largest number there is was sound for `verify`, and no
// stream could be made in it any more, because "the disk is full".
Deno.test("openEngine: a number of the last stream that leaves none for the next is CORRUPT", async () => {
  const most = "4503599627370496";
  for (const seq of ["9223372036854775807", "9007199254740990", "-1", "'x'", "NULL"]) {
    await withForged((db) => db.exec(`UPDATE sqlite_sequence SET seq = ${seq}`), async (path) => {
      const text = `the number of its last stream is ${seq}, expected 0 to ${most}`;
      for (const readOnly of [true, false]) {
        const error = await rejection(openEngine({ path, readOnly }));
        assertEquals(error.status, "CORRUPT");
        assert(error.message.includes(text), error.message);
      }
      const { problems } = await verify(path);
      assert(problems.some((problem) => problem.endsWith(text.slice(1))), problems.join("; "));
    });
  }
});

// With a journal that was said to end just below 2^53, `verify` said ok and 80,000 points were
// acknowledged, under numbers that no later open could read: the whole file was lost. With such a
// number of the next block, every insert that filled a leaf failed.
Deno.test("openEngine: numbers of journal rows, blocks and streams from which none can follow are CORRUPT", async () => {
  const setting = (key: string) => `INSERT OR REPLACE INTO setting VALUES ('${key}', ?)`;
  const cases: [name: string, sql: string, blocksReaders: boolean][] = [
    ['the setting "journal_tail"', setting("journal_tail"), true],
    ['the setting "next_block"', setting("next_block"), true],
    ["the number of a block", "INSERT INTO block VALUES (?, x'00')", false],
    ["the number of a stream", "UPDATE stream SET id = ? WHERE id = 2", false],
    // The latest rows have the numbers behind the beginning of the tail.
    ["the number of a journal row", "INSERT INTO journal VALUES (?, 9, 1, 0, 0, x'00')", true],
  ];
  for (const [name, sql, blocksReaders] of cases) {
    for (const value of [(1n << 52n) + 1n, (1n << 53n) - 2n, (1n << 63n) - 1n]) {
      await withForged((db) => db.prepare(sql).run(value), async (path) => {
        const { ok } = await verify(path);
        assertEquals(ok, false, `${name} ${value}`);
        const error = await rejection(openEngine({ path }));
        assertEquals(error.status, "CORRUPT");
        assert(error.message.includes(`${name} is ${value}, expected`), error.message);
        const reader = openEngine({ path, readOnly: true });
        if (blocksReaders) await rejection(reader);
        // Beyond exact numbers some are found when they are reached.
        else {await reader.then((engine) =>
            engine.close(), (error) =>
            assert(value > 1n << 53n, error));}
      });
    }
    await withForged((db) => {
      db.prepare(sql).run(1n << 52n);
      if (sql.includes("journal VALUES")) db.prepare(setting("journal_tail")).run(1n << 52n);
    }, async (path) => {
      await using engine = await openEngine({ path });
      assert(await engine.streamInfo({ uuid: uuidOf(1), ...ALL_OF_IT }));
    });
  }
});

// Reads of the stream ended with CORRUPT, and `verify` said that the file was sound.
Deno.test("verify: journal rows of a time that is none, or that are in their index and behind it", async () => {
  const cases: [forge: string, problem: RegExp][] = [
    ["UPDATE journal SET at_ms = 9223372036854775807", /was written is none/],
    ["UPDATE journal SET at_ms = -9007199254740993", /was written is none/],
    ["INSERT INTO journal_index SELECT stream, seq FROM journal", /and behind it/],
  ];
  for (const [forge, problem] of cases) {
    await withPath(async (path) => {
      {
        await using engine = await openEngine({ path });
        const uuid = await createStream(engine, 1);
        await engine.insert({ uuid, columns: columnsOf([[1, 2]]) });
      }
      assertEquals((await verify(path)).problems, []);
      const db = new DatabaseSync(path);
      db.exec(forge);
      forgetRows(db);
      db.close();
      const { problems } = await verify(path);
      assert(problems.some((text) => problem.test(text)), `${forge}: ${problems.join("; ")}`);
      await using engine = await openEngine({ path, readOnly: true });
      assertEquals((await rejection(pointsOf(engine, uuidOf(1)))).status, "CORRUPT");
    });
  }
});

Deno.test("verify: what was deleted of a stream whose number is none is reported", async () => {
  await withForged((db) => db.exec("INSERT INTO deletion VALUES (-1, 5, 11, 0)"), async (path) => {
    const { problems } = await verify(path);
    assert(
      problems.some((text) => /stream number -1 has no stream/.test(text)),
      problems.join("; "),
    );
  });
});

// A new stream was given the number of an obliterated one, and the versions that were left of it.
Deno.test("openEngine: a number of the last stream that is too low is CORRUPT after a close, and verify knows it", async () => {
  for (const sql of ["DELETE FROM sqlite_sequence", "UPDATE sqlite_sequence SET seq = 1"]) {
    await withForged((db) => db.exec(sql), async (path) => {
      const { problems } = await verify(path);
      assert(problems.some((text) => /last stream has number 2/.test(text)), problems.join("; "));
    });
    await withPath(async (path) => {
      {
        await using engine = await openEngine({ path });
        await createStream(engine, 1);
      }
      const db = new DatabaseSync(path);
      db.exec("UPDATE sqlite_sequence SET seq = 0");
      db.close();
      for (const readOnly of [true, false]) {
        const error = await rejection(openEngine({ path, readOnly }));
        assertEquals(error.status, "CORRUPT");
        assert(
          error.message.includes("the number of the last stream is 0, and was 1"),
          error.message,
        );
      }
    });
  }
});
