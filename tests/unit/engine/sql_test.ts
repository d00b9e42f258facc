import { Worker } from "node:worker_threads";
import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { BTrDBError } from "../../../src/core/errors.ts";
import { BTrDB } from "../../../src/client/btrdb.ts";
import { type Engine, openEngine } from "../../../src/engine/mod.ts";
import type { SqlOrder, SqlReport, StreamRow } from "../../../src/engine/metadata/sql_messages.ts";
import { withoutEnd } from "../../../src/engine/metadata/sql.ts";
import { planCost } from "../../../src/engine/metadata/sql_cost.ts";
import { cpuMs } from "../../support/cpu_ms.ts";
import { rejection, uuidOf } from "../../support/engine.ts";
import { CAN_LIST_PROCESSES, sqlProcesses } from "../../support/sql_processes.ts";
import { HANG_MS, until } from "../../support/until.ts";

async function fill(engine: Engine, n: number): Promise<void> {
  await Promise.all(Array.from({ length: n }, (_, i) => {
    const uuid = uuidOf(i & 0xff);
    uuid[0] = i >> 8;
    return engine.create({
      uuid,
      collection: `area/${i % 3}`,
      tags: new Map([["name", `s${i}`], ["unit", i % 2 ? "volts" : "amps"]]),
      annotations: new Map([["owner", i % 5 ? "me" : null]]),
    });
  }));
}

async function rows(engine: Engine, query: string, ...params: string[]): Promise<unknown[]> {
  const batches = await Array.fromAsync(engine.sqlQuery({ query, params }));
  return batches.flat().map((row) => JSON.parse(row));
}

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

/** Visits 1,000,000 pairs of streams, each with functions over long texts: minutes of work. */
const LONG = "SELECT count(*) AS n FROM streams a, streams b WHERE " +
  Array.from(
    { length: 10 },
    (_, i) => `instr(replace($1, 'a', a.name || ${i}), b.name || 'x') > 0`,
  ).join(" OR ");

for (const where of ["memory", "file"]) {
  Deno.test(`sqlQuery: a query that runs long ends at its deadline while reads go on, ${where}`, async () => {
    const folder = await Deno.makeTempDir();
    try {
      await using engine = await openEngine(
        where === "file" ? { path: `${folder}/a.btrdb` } : {},
      );
      await fill(engine, 1_000);
      const params = ["a".repeat(2_000)];
      const startMs = Date.now();
      const run = Array.fromAsync(
        engine.sqlQuery({ query: LONG, params }, { deadlineMs: startMs + 1_500 }),
      );
      run.catch(() => {});
      let turns = 0;
      const turn = setInterval(() => turns++, 10);
      const late = await rejection(run);
      clearInterval(turn);
      assertEquals((late as BTrDBError).status, "DEADLINE_EXCEEDED");
      assert(turns > 1, `the event loop turned ${turns} times`);
      const controller = new AbortController();
      const aborted = Array.fromAsync(
        engine.sqlQuery({ query: LONG, params }, { signal: controller.signal }),
      );
      const reason = new Error("enough");
      setTimeout(() => controller.abort(reason), 100);
      assertEquals(await aborted.then(() => undefined, (error: unknown) => error), reason);
      // The processes of both were killed; the next query is answered by another one.
      const answer = await rows(engine, "SELECT count(*) AS n FROM streams");
      assertEquals(sqlProcesses().length, CAN_LIST_PROCESSES ? 1 : 0);
      assertEquals(answer, [{ n: 1_000 }]);
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  });
}

const values = `(VALUES ${Array.from({ length: 499 }, (_, i) => `(${i})`).join(", ")})`;
const A = "'" + "a".repeat(300) + "'";
const long = `replace(replace(${A}, 'a', ${A}), 'a', 'aaaaa')`;

/** Queries whose work inside of one row, or on rows that are not of streams, used to take hours. */
const HEAVY: Record<string, string> = {
  "rows of VALUES": `SELECT count(*) AS n FROM ${values}, ${values}, ${values}, ${values}`,
  "VALUES and streams": `SELECT count(*) AS n FROM ${values} x, ${values} y, streams`,
  "instr of long texts":
    `SELECT instr(${long}, substr(${long}, 1, 200000) || 'b') AS n FROM streams`,
  "replace of long texts":
    `SELECT length(replace(${long}, substr(${long}, 1, 200000) || 'b', '')) AS n FROM streams`,
  "LIKE with many wildcards": `SELECT ${long} LIKE '${"%a".repeat(9_000)}b' AS n FROM streams`,
  "GLOB with many wildcards": `SELECT ${long} GLOB '${"*a".repeat(9_000)}b' AS n FROM streams`,
  "trim of long texts": `SELECT trim(${long} || 'b', ${long} || 'c') AS n FROM streams`,
  "thousands of functions": `SELECT ${
    Array.from({ length: 1_500 }, (_, i) => `instr($1, $2) AS n${i}`).join(", ")
  } FROM streams`,
  "JSON again and again": `SELECT ${
    Array.from({ length: 900 }, (_, i) => `json_extract($3, '$[${i}]')`).join(" + ")
  } AS n FROM streams`,
  "window functions over pairs": "SELECT max(a.name) OVER (ORDER BY b.name ROWS BETWEEN " +
    "UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING EXCLUDE CURRENT ROW) AS n FROM streams a, streams b",
  "long rows that are sorted":
    `SELECT 1 AS n FROM streams a, streams b ORDER BY $1 || a.name || b.name`,
  "long expressions over pairs": `SELECT sum(${
    Array.from({ length: 900 }, () => "length(a.name) * length(b.name)").join(" + ")
  }) AS n FROM streams a, streams b`,
};

/** Texts for the parameters that a query uses. */
function paramsOf(query: string): string[] {
  const all = ["a".repeat(30_000), "a".repeat(15_000) + "b", `[${"1,".repeat(9_000)}1]`];
  const used = all.map((_, i) => query.includes(`$${i + 1}`) ? i + 1 : 0);
  return all.slice(0, Math.max(0, ...used));
}

/** Asks a thread and waits until SQLite has ended, however late that is. */
async function askThread(query: string, params: string[], deadlineMs: number): Promise<SqlReport> {
  const worker = new Worker(new URL("../../../src/engine/metadata/sql_worker.ts", import.meta.url));
  const send = (order: SqlOrder) => worker.postMessage(order);
  const rows = Array.from({ length: 400 }, (_, i): StreamRow => {
    return [i, new Uint8Array(16).fill(i), "c", `{"name":"stream ${i}"}`, "{}", 1];
  });
  send({ type: "streams", first: true, rows });
  const report = new Promise<SqlReport>((resolve) => worker.once("message", resolve));
  send({ type: "query", request: { query, params }, deadlineMs });
  try {
    return await report;
  } finally {
    const closed = new Promise<void>((resolve) =>
      worker.on("message", (message) => message === "closed" && resolve())
    );
    send({ type: "close" });
    await closed;
    await worker.terminate();
  }
}

for (const [what, query] of Object.entries(HEAVY)) {
  Deno.test(`sqlQuery: ends by itself whatever it is asked: ${what}`, async () => {
    const report = await askThread(query, paramsOf(query), Date.now() + 500);
    if ("rows" in report) assertEquals(report.rows.length > 0, true);
    else assert(report.code === 441 || report.status === "DEADLINE_EXCEEDED", report.message);
  });
}

Deno.test("sqlQuery: whatever is given up no longer works, and the next query is answered", async () => {
  await using engine = await openEngine();
  await fill(engine, 400);
  for (const [what, query] of Object.entries(HEAVY)) {
    const controller = new AbortController();
    const request = { query, params: paramsOf(query) };
    const answer = Array.from({ length: 3 }, (_, owner) => {
      const options = { signal: controller.signal, owner };
      return Array.fromAsync(engine.sqlQuery(request, options)).then(
        () => "rows",
        (error) => error,
      );
    });
    setTimeout(() => controller.abort("enough"), 100);
    for (const error of await Promise.all(answer)) {
      const isExpected = error === "rows" || error === "enough" ||
        (error instanceof BTrDBError && error.code === 441);
      assert(isExpected, `${what}: ${error}`);
    }
    // A process that was killed is gone before the next two begin, so these cannot wait for it.
    assertEquals(await rows(engine, "SELECT count(*) AS n FROM streams"), [{ n: 400 }]);
    if (CAN_LIST_PROCESSES) await until(`${what}: killed`, () => sqlProcesses().length <= 2);
  }
  await engine.close();
  assertEquals(sqlProcesses(), []);
});

Deno.test("sqlQuery: turns go round among those who ask, who is busy twice keeps nobody out", async () => {
  await using engine = await openEngine();
  await fill(engine, 1_000);
  const params = ["a".repeat(2_000)];
  const controller = new AbortController();
  const { signal } = controller;
  const ask = (owner: string, query = LONG, limitMs = 1_000) =>
    Array.fromAsync(
      engine.sqlQuery(
        { query, params: query === LONG ? params : [] },
        { owner, limitMs, ...(query === LONG ? { signal } : {}) },
      ),
    ).then((batches) => batches.flat(), (error) => error);
  // Sixty heavy queries of two owners take a minute; each has a turn before the third.
  const heavy = ["a", "b"].flatMap((owner) => Array.from({ length: 30 }, () => ask(owner)));
  const ended: string[] = [];
  heavy.forEach((one) => void one.then(() => ended.push("heavy")));
  const light = await ask("c", "SELECT count(*) AS n FROM streams", HANG_MS);
  assertEquals(light, ['{"n":1000}']);
  // Two had begun; more of them may end while a slow machine starts a process for the third owner.
  assert(ended.length < heavy.length / 2, `${ended.length} heavy ones came first`);
  // An owner with one heavy query leaves room for others: nobody waits for it.
  controller.abort(new Error("enough"));
  await Promise.all(heavy);
  const most = Array.from({ length: 70 }, () => ask("d", "SELECT 1 AS one", HANG_MS));
  const codes = (await Promise.all(most)).filter((one) => one instanceof BTrDBError)
    .map(({ code }) => code);
  assertEquals(new Set(codes), new Set([426]));
  assert(codes.length < 10, `${codes.length} of 70 were refused`);
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
