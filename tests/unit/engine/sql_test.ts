/** SQL on streams: what is asked, refused and said. */

import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { BTrDBError } from "../../../src/core/errors.ts";
import { BTrDB } from "../../../src/client/btrdb.ts";
import { openEngine } from "../../../src/engine/mod.ts";
import { withoutEnd } from "../../../src/engine/metadata/sql.ts";
import { planCost } from "../../../src/engine/metadata/sql_cost.ts";
import { cpuMs } from "../../support/cpu_ms.ts";
import { rejection, uuidOf } from "../../support/engine.ts";
import { fill, rows } from "../../support/sql_streams.ts";

Deno.test("Engine.sql: reads the view of streams with parameters", async () => {
  await using engine = await openEngine();
  await fill(engine, 30);
  assertEquals(await rows(engine, "SELECT * FROM streams WHERE name = $1", "s7"), [{
    uuid: "00070707-0707-0707-0707-070707070707",
    collection: "area/1",
    name: "s7",
    unit: "volts",
    ingress: null,
    property_version: 1,
    tags: { name: "s7", unit: "volts" },
    annotations: { owner: "me" },
  }]);
  const counts = "SELECT unit, count(*) AS n FROM streams WHERE collection LIKE $1 GROUP BY unit";
  assertEquals(await rows(engine, counts, "area/%"), [
    { unit: "amps", n: 15 },
    { unit: "volts", n: 15 },
  ]);
  const owners = "SELECT count(*) AS n FROM streams WHERE annotations ->> 'owner' IS NULL";
  assertEquals(await rows(engine, owners), [{ n: 6 }]);
  assertEquals(await rows(engine, "SELECT name FROM streams WHERE 0"), []);
  assertEquals(await rows(engine, "SELECT 1 AS one; -- done\n"), [{ one: 1 }]);
});

// JSON.parse took the column `a\n` of one query for the column `a\` of one before, so that rows had
// columns that nobody had asked for.
Deno.test("BTrDB.sql: names of columns with escapes are told apart", async () => {
  await using engine = await openEngine();
  const db = new BTrDB(engine);
  for (const name of ["\\", "\n", "a\\", "a\n", "\\\\", "\\\n"]) {
    const rows = await Array.fromAsync(db.sql(`SELECT 1 AS x, 2 AS "${name}"`));
    assertEquals(rows, [{ x: 1, [name]: 2 }]);
  }
});

Deno.test("Engine.sql: of columns with one name the last counts, whatever the others are", async () => {
  await using engine = await openEngine();
  await fill(engine, 1);
  assertEquals(await rows(engine, "SELECT tags AS x, 'text' AS x, name AS tags FROM streams"), [
    { x: "text", tags: "s0" },
  ]);
});

// SQLite's authorizer is not asked about columns in USING: a full join gave out whole columns of other
// tables, such as the uuids of obliterated streams and the points of every stream in blocks.
const OTHER_TABLES = [
  "SELECT hex(uuid) FROM (SELECT 1 AS uuid) FULL JOIN tombstone USING (uuid)",
  "SELECT hex(data) FROM (SELECT 1 AS data) FULL JOIN block USING (data)",
  "SELECT hex(data) FROM (SELECT 1 AS data) FULL JOIN main.journal USING (data)",
  "SELECT hex(key) FROM (SELECT 1 AS key) FULL JOIN setting USING (key)",
  "SELECT hex(name) FROM (SELECT 1 AS name) FULL JOIN sqlite_schema USING (name)",
  "SELECT hex(name) FROM (SELECT 1 AS name) FULL JOIN pragma_module_list USING (name)",
  "SELECT hex(value) FROM (SELECT 1 AS value) FULL JOIN json_each('[1]') USING (value)",
  "SELECT count(*) FROM (SELECT x'02' AS uuid) NATURAL JOIN tombstone",
  "SELECT EXISTS (SELECT 1 FROM (SELECT 'next_block' AS key) JOIN setting USING (key))",
];

Deno.test("Engine.sql: no join reads another table of a file, and any join of streams is answered", async () => {
  const directory = await Deno.makeTempDir();
  try {
    await using engine = await openEngine({ path: `${directory}/grid.btrdb` });
    await fill(engine, 3);
    for (const query of OTHER_TABLES) {
      assertEquals([query, (await rejection(rows(engine, query))).code], [query, 441]);
    }
    const n = "SELECT count(*) AS n FROM";
    for (
      const query of [
        `${n} streams a JOIN streams b USING (uuid)`,
        `${n} streams a NATURAL JOIN (SELECT uuid FROM streams) b`,
        `${n} streams a FULL JOIN streams b USING (uuid)`,
        `${n} (SELECT collection, count(*) FROM streams GROUP BY 1) FULL JOIN streams USING (collection)`,
        `WITH block_ AS (SELECT uuid FROM streams) ${n} block_ NATURAL JOIN streams`,
        `${n} streams WHERE name IN (SELECT name FROM streams ORDER BY collection)`,
      ]
    ) assertEquals([query, await rows(engine, query)], [query, [{ n: 3 }]]);
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
});

const REFUSED = [
  "DELETE FROM streams",
  "INSERT INTO stream (uuid) VALUES (x'00')",
  "UPDATE stream SET collection = ''",
  "DROP VIEW streams",
  "CREATE TABLE t (a)",
  "CREATE TEMP TABLE t (a)",
  "ATTACH 'x.db' AS x",
  "DETACH main",
  "PRAGMA page_size",
  "VACUUM",
  "BEGIN",
  "SELECT * FROM stream",
  "SELECT data FROM block",
  "SELECT * FROM journal",
  "SELECT * FROM sqlite_schema",
  "SELECT count(*) FROM block",
  "SELECT count(*) FROM sqlite_schema",
  "SELECT * FROM pragma_table_list",
  "SELECT count(*) FROM pragma_table_list",
  "SELECT * FROM json_each('[1]')",
  "SELECT count(*) FROM json_each('[1]')",
  "WITH streams AS (SELECT data FROM block) SELECT * FROM streams",
  "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c) SELECT * FROM c",
  ...OTHER_TABLES,
  "SELECT zeroblob(1000000000)",
  "SELECT printf('%.*c', 1000000000, 'x')",
  "SELECT load_extension('x')",
  "SELECT randomblob(10)",
  "EXPLAIN SELECT 1",
  "SELECT 1; SELECT 2",
  "SELECT 1; DELETE FROM stream",
  "SELECT nothing FROM streams",
  "SELEC",
  "",
];

for (const query of REFUSED) {
  Deno.test(`Engine.sql: refuses ${query || "an empty text"}`, async () => {
    await using engine = await openEngine();
    await fill(engine, 3);
    const error = await rejection(rows(engine, query));
    assertEquals(error.code, 441);
    assertEquals(await rows(engine, "SELECT count(*) AS n FROM streams"), [{ n: 3 }]);
  });
}

Deno.test("Engine.sql: refuses what would take too long or return too much", async () => {
  await using engine = await openEngine();
  await fill(engine, 400);
  const three = "SELECT count(*) AS n FROM streams a, streams b, streams c";
  assertStringIncludes((await rejection(rows(engine, three))).message, "64000000 rows");
  const chain = "WITH x AS MATERIALIZED (SELECT a.uuid FROM streams a, streams b), " +
    "y AS MATERIALIZED (SELECT p.uuid FROM x p, x q) SELECT count(*) FROM y, y AS z";
  assertEquals((await rejection(rows(engine, chain))).code, 441);
  const many = "SELECT a.name FROM streams a, streams b";
  assertStringIncludes((await rejection(rows(engine, many))).message, "more than 100000 rows");
  assertEquals((await rows(engine, `${many} LIMIT 10`)).length, 10);
});

Deno.test("planCost: takes the product of nested loops as its cost and the sum of joined queries", () => {
  const plan = (...rows: [number, number, string][]) =>
    rows.map(([id, parent, detail]) => ({ id, parent, detail }));
  assertEquals(planCost(plan([1, 0, "SCAN stream"], [2, 0, "SEARCH stream"]), 10), 100);
  const union = plan(
    [1, 0, "COMPOUND QUERY"],
    [2, 1, "LEFT-MOST SUBQUERY"],
    [3, 2, "SCAN stream"],
    [4, 1, "UNION ALL"],
    [5, 4, "SCAN stream"],
  );
  assertEquals(planCost(union, 10), 20);
  const deep = plan([1, 0, "MATERIALIZE c"], [2, 1, "SCAN a"], [3, 1, "SCAN b"], [4, 0, "SCAN c"]);
  assertEquals(planCost(deep, 10), 100);
});

// Each compound query within another was added up twice, at every level: eight levels of UNION ALL, a query of
// 500 characters, kept a thread, which nobody can stop, busy for hours.
Deno.test("planCost: looks at each step once, however deep it is", () => {
  const levels = Array.from({ length: 20_000 }, (_, level) => [
    { id: 3 * level + 1, parent: 3 * level, detail: "MERGE (UNION)" },
    { id: 3 * level + 2, parent: 3 * level + 1, detail: "RIGHT" },
    { id: 3 * level + 3, parent: 3 * level + 1, detail: "LEFT" },
  ]);
  assertEquals(planCost(levels.flat(), 10), 20_001);
});

// "The query may visit Infinity rows" looked like a mistake of the database, not of the query.
Deno.test("Engine.sql: rows that cannot be counted are said in words", async () => {
  await using engine = await openEngine();
  await fill(engine, 40);
  const sums = Array.from({ length: 20 }, (_, i) => {
    return `${Array(20).fill("(SELECT count(*) FROM streams)").join(" + ")} AS n${i}`;
  });
  const error = await rejection(rows(engine, `SELECT ${sums.join(", ")}`));
  const text = "the query may visit endlessly many rows, at most 2000000 are allowed";
  assertEquals([error.code, error.message], [441, text]);
});

Deno.test("Engine.sql: compound queries are put into each other", async () => {
  await using engine = await openEngine();
  await fill(engine, 3);
  const levels = Array.from(
    { length: 8 },
    (_, i) => `c${i + 1} AS (SELECT name FROM c${i} UNION ALL SELECT name FROM c${i})`,
  );
  const query = `WITH c0 AS (SELECT name FROM streams), ${levels.join(", ")}
    SELECT name, count(*) AS n FROM c8 GROUP BY name`;
  assertEquals(
    await rows(engine, query),
    ["s0", "s1", "s2"].map((name) => ({ name, n: 256 })),
  );
});

Deno.test("Engine.sql: says what goes wrong while it runs, however much it has found before", async () => {
  await using engine = await openEngine();
  await fill(engine, 3);
  const late = "SELECT 1 AS a UNION ALL SELECT json_extract('[1', '$')";
  assertStringIncludes((await rejection(rows(engine, late))).message, "malformed JSON");
  const overflow = "SELECT abs(-9223372036854775807 - 1) FROM streams";
  assertEquals((await rejection(rows(engine, overflow))).code, 441);
  const large = "SELECT 9223372036854775807 AS n";
  assertEquals((await rejection(rows(engine, large))).code, 441);
});

const ten = "'aaaaaaaaaa'";
/** A text that each level makes ten times as long. */
const nested = (levels: number): string =>
  levels === 0 ? ten : `replace(${nested(levels - 1)}, 'a', ${ten})`;

Deno.test("Engine.sql: makes no long texts out of short ones", async () => {
  await using engine = await openEngine();
  await fill(engine, 3);
  assertEquals(await rows(engine, `SELECT length(${nested(4)}) AS n`), [{ n: 100_000 }]);
  for (const levels of [6, 8, 12]) {
    const error = await rejection(rows(engine, `SELECT length(${nested(levels)}) AS n`));
    assertEquals([error.code, error.message], [441, "string or blob too big"]);
  }
  const error = await rejection(rows(
    engine,
    `SELECT ${nested(3)}, ${nested(3)}, ${nested(3)} FROM streams a,
    streams b, streams c, streams d, streams e, streams f, streams g, (SELECT 1 UNION ALL SELECT 2)`,
  ));
  assertStringIncludes(error.message, "bytes, at most");
  assertEquals((await rows(engine, "SELECT name FROM streams")).length, 3);
});

Deno.test("Engine.sql: keeps order, names and a comment at the end", async () => {
  await using engine = await openEngine();
  await fill(engine, 12);
  const query = "SELECT name, tags FROM streams ORDER BY name DESC LIMIT 2; -- that is all";
  assertEquals(await rows(engine, query), [
    { name: "s9", tags: { name: "s9", unit: "volts" } },
    { name: "s8", tags: { name: "s8", unit: "amps" } },
  ]);
  const values = "WITH x AS (VALUES (1, 2), (3, 4)) SELECT * FROM x -- two";
  assertEquals(await rows(engine, values), [
    { column1: 1, column2: 2 },
    { column1: 3, column2: 4 },
  ]);
});

Deno.test("Engine.sql: stops when the call is aborted", async () => {
  await using engine = await openEngine();
  await fill(engine, 200);
  const reason = new Error("stop");
  const query = "SELECT a.name FROM streams a, streams b";
  const signal = AbortSignal.abort(reason);
  const error = await Array.fromAsync(engine.sqlQuery({ query, params: [] }, { signal }))
    .catch((error) => error);
  assert(error === reason);
});

Deno.test("runSql: comments and blanks of any number are passed over in linear time", async () => {
  // 245 bytes used to hang the process permanently, in a regular expression that backtracked.
  await using engine = await openEngine();
  const queries = [
    ["/**/".repeat(60) + "x", "the query is not a SELECT"],
    ["/* ".repeat(20_000), "the query is not a SELECT"],
    ["--\n".repeat(20_000) + "x", "the query is not a SELECT"],
    [" ".repeat(60_000) + "x", "the query is not a SELECT"],
    ["SELECT 1" + ";/**/ ".repeat(9_000) + "x", "more than one statement"],
    ["SELECT 1" + ";".repeat(60_000) + "x", "more than one statement"],
    ["x".repeat(70_000), "the query has 70000 characters"],
  ] as const;
  for (const [query, text] of queries) {
    const error = await assertRejects(
      () => Array.fromAsync(engine.sqlQuery({ query, params: [] })),
      BTrDBError,
      text,
    );
    assertEquals(error.code, 441);
  }
  for (const query of ["/**/-- x\n /**/select 1 AS a", "SELECT 1 AS a ;; -- end"]) {
    assertEquals(await Array.fromAsync(engine.sqlQuery({ query, params: [] })), [['{"a":1}']]);
  }
  const many = Array.from({ length: 2_000 }, () => "x");
  await assertRejects(
    () => Array.fromAsync(engine.sqlQuery({ query: "SELECT 1", params: many })),
    BTrDBError,
    "2000 parameters",
  );
});

Deno.test("sqlQuery: sees what was changed before it, in memory and in a file", async () => {
  const folder = await Deno.makeTempDir();
  try {
    for (const path of [undefined, `${folder}/a.btrdb`]) {
      await using engine = await openEngine(path === undefined ? {} : { path });
      const count = "SELECT count(*) AS n FROM streams";
      assertEquals(await rows(engine, count), [{ n: 0 }]);
      await fill(engine, 3);
      assertEquals(await rows(engine, count), [{ n: 3 }]);
      await engine.obliterate(uuidOf(0).fill(0, 0, 1));
      assertEquals(await rows(engine, count), [{ n: 2 }]);
    }
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

// Semicolons in a text were each tried as the end of the query: 64 KB of them took 40 s of a
// processor, for any caller who may read everything.
Deno.test("withoutEnd: semicolons are looked at once", async () => {
  const text = `${";".repeat(65_000)}x`;
  const query = `SELECT '${text}' AS a`;
  assert(cpuMs(() => assertEquals(withoutEnd(`${query}; ; `), query)) < 2_000);
  assertEquals(withoutEnd("SELECT 1"), "SELECT 1");
  await using engine = await openEngine();
  assertEquals(await rows(engine, `${query}; ; `), [{ a: text }]);
});
