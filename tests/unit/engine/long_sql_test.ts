/** SQL that takes long: it ends in time, and keeps nobody out. */

import { Worker } from "node:worker_threads";
import { assert, assertEquals } from "@std/assert";
import { BTrDBError } from "../../../src/core/errors.ts";
import { openEngine } from "../../../src/engine/mod.ts";
import type { SqlOrder, SqlReport, StreamRow } from "../../../src/engine/metadata/sql_messages.ts";
import { rejection } from "../../support/engine.ts";
import { CAN_LIST_PROCESSES, sqlProcesses } from "../../support/sql_processes.ts";
import { fill, rows } from "../../support/sql_streams.ts";
import { HANG_MS, until } from "../../support/until.ts";

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

/** Common table expressions, each made of the one before. */
function chain(levels: number, next: (before: string) => string): string {
  const all = ["c0 AS (SELECT 1 AS x)"];
  for (let i = 1; i <= levels; i++) all.push(`c${i} AS (${next(`c${i - 1}`)})`);
  return `WITH ${all.join(", ")} SELECT x FROM c${levels} LIMIT 1`;
}

// SQLite puts the parts of a query into each other before it asks the authorizer or visits a row. 800
// characters took gigabytes of the program's memory and minutes in a thread, which nobody can stop.
for (
  const [what, query] of Object.entries({
    "each part twice": chain(
      15,
      (before) => `SELECT x FROM ${before} UNION ALL SELECT x FROM ${before}`,
    ),
    "each column twice": `SELECT x FROM ${"(SELECT x || x AS x FROM ".repeat(15)}` +
      `(SELECT collection AS x FROM streams)${")".repeat(15)} LIMIT 1`,
  })
) {
  Deno.test(`sqlQuery: a thread refuses a query that grows without bounds: ${what}`, async () => {
    const report = await askThread(query, [], Date.now() + 60_000);
    assert("message" in report && report.code === 441, JSON.stringify(report).slice(0, 200));
    assert(report.message.includes("tokens when its subqueries are put in"), report.message);
  });
}

// The plan says "SCAN 0 CONSTANT ROWS" of a table that the query calls "0 CONSTANT ROWS", and so the estimate
// was that it visits nothing. Joins of any size passed, which nobody can stop in a thread.
for (const name of ["0 CONSTANT ROWS", "1-ROW VALUES CLAUSE"]) {
  Deno.test(`sqlQuery: a thread refuses joins of tables that are named like the plan: ${name}`, async () => {
    const query = `WITH "${name}" AS MATERIALIZED (SELECT name FROM streams)
      SELECT count(*) AS n FROM "${name}", "${name}" AS "${name} ", "${name}" AS [${name}]`;
    const report = await askThread(query, [], Date.now() + 60_000);
    assert("message" in report && report.code === 441, JSON.stringify(report).slice(0, 200));
    assert(report.message.includes("may visit 64000000 rows"), report.message);
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
