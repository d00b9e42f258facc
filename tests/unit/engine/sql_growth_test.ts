import { assert, assertEquals, assertThrows } from "@std/assert";
import { DatabaseSync } from "node:sqlite";
import { BTrDBError } from "../../../src/core/errors.ts";
import { checkGrowth, grownTokens } from "../../../src/engine/metadata/sql_growth.ts";

/** Queries of so many levels, each of which makes the one before it larger. */
const GROWING: Record<string, (level: number) => string> = {
  "common table expressions": (n) =>
    chain(n, (c) => `SELECT x FROM ${c} UNION ALL SELECT x FROM ${c}`),
  "with quoted names": (n) =>
    chain(n, (c) => `SELECT x FROM "${c}" UNION ALL SELECT x FROM [${c}]`),
  "with other letters": (n) => chain(n, (c) => `SELECT o.X FROM ${c.toUpperCase()}, \`${c}\` AS o`),
  "as operands of IN": (n) => chain(n, (c) => `SELECT x FROM ${c} WHERE x IN ${c}`),
  "in scalar subqueries": (n) =>
    chain(n, (c) => `SELECT (SELECT x FROM ${c}) + (SELECT x FROM ${c}) AS x`),
  "of the two before": (n) =>
    `WITH c0 AS (SELECT 1 AS x), c1 AS (SELECT 1 AS x)${
      Array.from({ length: n }, (_, i) => `, c${i + 2} AS (SELECT a.x FROM c${i} a, c${i + 1} b)`)
        .join("")
    } SELECT x FROM c${n + 1}`,
  "columns": (n) => nested(n, "x || x AS x"),
  "columns in comments": (n) => nested(n, "x /* x */ || -- x\n x x"),
  "two columns": (n) =>
    chain(n, (c) => `SELECT y || z AS x FROM (SELECT x AS y, x AS z FROM ${c})`),
  "grouped by number": (n) =>
    chain(n, (c) => `SELECT x FROM (SELECT x || 1 AS x FROM ${c} GROUP BY 1, 1)`),
  "outer columns": (n) =>
    `SELECT (SELECT y FROM ${nestedIn(n, "y || y AS y", "(SELECT x AS y)")}) FROM ${
      nestedIn(n, "x || x AS x", "(SELECT 1 AS x)")
    }`,
};

function chain(levels: number, next: (before: string) => string): string {
  const all = ["c0 AS (SELECT 1 AS x)"];
  for (let i = 1; i <= levels; i++) all.push(`c${i} AS (${next(`c${i - 1}`)})`);
  return `WITH ${all.join(", ")} SELECT x FROM c${levels}`;
}

function nested(levels: number, columns: string): string {
  return `SELECT x FROM ${nestedIn(levels, columns, "(SELECT 1 AS x)")}`;
}

function nestedIn(levels: number, columns: string, inner: string): string {
  return `(SELECT ${columns} FROM `.repeat(levels) + inner + ")".repeat(levels);
}

for (const [what, query] of Object.entries(GROWING)) {
  Deno.test(`grownTokens grows by a factor with each level: ${what}`, () => {
    using db = new DatabaseSync(":memory:");
    db.prepare(query(2)); // SQLite takes it.
    for (let level = 2; level < 20; level++) {
      const [one, next] = [grownTokens(query(level)), grownTokens(query(level + 1))];
      assert(next > 1.5 * one || next === Infinity, `${one} and ${next} at level ${level}`);
    }
  });
}

Deno.test("checkGrowth lets pass what people ask", () => {
  for (
    const query of [
      "SELECT collection, count(*) AS n FROM streams GROUP BY collection ORDER BY n DESC LIMIT 10",
      "WITH units AS (SELECT collection, group_concat(DISTINCT unit) AS units FROM streams GROUP BY 1), " +
      "sizes AS (SELECT collection, count(*) AS size FROM streams GROUP BY collection), owners AS " +
      "(SELECT collection, max(annotations ->> 'owner') AS owner FROM streams GROUP BY collection) " +
      "SELECT u.collection, u.units, s.size, o.owner FROM units u JOIN sizes s ON s.collection = " +
      "u.collection LEFT JOIN owners o ON o.collection = u.collection WHERE s.size > 3 ORDER BY 3 DESC",
      "WITH a AS (SELECT collection, count(*) AS n FROM streams GROUP BY collection), b AS (SELECT " +
      "collection, n FROM a WHERE n > 10), c AS (SELECT a.collection, a.n - b.n AS d FROM a JOIN b ON " +
      "a.collection = b.collection) SELECT collection, d FROM c WHERE d > (SELECT avg(d) FROM c) ORDER BY d DESC",
      "SELECT s.collection, (SELECT count(*) FROM streams t WHERE t.collection = s.collection AND t.unit = " +
      "'V') AS volts FROM streams s WHERE EXISTS (SELECT 1 FROM streams u WHERE u.collection = s.collection " +
      "AND NOT EXISTS (SELECT 1 FROM streams v WHERE v.name = u.unit)) GROUP BY s.collection",
      `SELECT name FROM streams WHERE ${Array(900).fill("name = $1").join(" OR ")}`,
      `SELECT name FROM streams WHERE name IN (${
        Array.from({ length: 5_000 }, (_, i) => `'${i}'`)
      })`,
    ]
  ) checkGrowth(query);
});

Deno.test("grownTokens knows no bound for circles and deep nesting, and looks at everything once", () => {
  assertEquals(
    grownTokens("WITH a AS (SELECT b FROM b), b AS (SELECT a FROM a) SELECT * FROM a"),
    Infinity,
  );
  assertEquals(grownTokens("(SELECT ".repeat(8_000)), Infinity);
  for (const text of ["(", ")", "/*", "'", '"', "[", "a.", "--", "WITH a AS (SELECT a),"]) {
    const query = text.repeat(65_536 / text.length);
    assert(grownTokens(query) >= 0);
  }
});

// Names were followed by recursion. A query that uses each common table expression before it is defined ended
// as an internal error of the server, "Maximum call stack size exceeded".
Deno.test("grownTokens knows no bound for long chains of names, in whatever order they stand", () => {
  const links = (n: number) =>
    Array.from({ length: n }, (_, i) => `c${i + 1} AS (SELECT x FROM c${i})`);
  const query = (parts: string[]) => `WITH ${parts.join(", ")} SELECT x FROM c1`;
  const short = links(100);
  assertEquals(grownTokens(query(short)), grownTokens(query(short.toReversed())));
  assert(grownTokens(query(short.toReversed())) < 1 << 18);
  for (const parts of [links(3_000), links(3_000).toReversed()]) {
    const error = assertThrows(() => checkGrowth(query(parts)), BTrDBError, "at most 262144");
    assertEquals(error.code, 441);
  }
});
