/**
 * Upper bounds of what a query costs, found before it starts. SQLite cannot be interrupted here and
 * looks at the clock only between the rows of `streams`, so whatever it does between two looks must
 * be short by itself (docs/engine.md, "SQL").
 *
 * @module
 */

import type { Row } from "../file/sqlite.ts";

/** Most rows SQLite may have to visit for one query: about a second where each compares JSON. */
export const MAX_SQL_VISITS = 2_000_000;

/** Most instructions of SQLite's machine, rows times the length of the program: some seconds. */
const MAX_STEPS = 1_000_000_000;

/** Most rows under window functions, whose frames can make them look at every pair. */
const MAX_WINDOW_VISITS = 20_000;

/** Longest text a query may make on its way, bytes: any larger one would be a bomb. */
const MAX_TEXT = 1 << 20;

/** Bytes that all functions of one row may go through. */
const ROW_BYTES = 1 << 26;

/** Bytes that are compared for one row by functions that look for one text at every place of another. */
const SEARCH_BYTES = 5e10;

/** Characters that are compared for one row by functions that look at a pattern at every place. */
const PATTERN_CHARACTERS = 1e9;

/** Bytes that sorted and materialized rows and JSON of many rows may take, in memory. */
const TEMPORARY_BYTES = 2 ** 31;

const SEARCHING = /^(instr|replace)\(/;
const MATCHING = /^(like|glob|l?trim|rtrim)\(/;
const GATHERING = /^json_group_/;
const TEMPORARY = /^(USE TEMP B-TREE|MATERIALIZE)/;

/** Rows that the plan says a list of values has; the names that a query gives to tables can say so too. */
const COUNTED_ROWS = /^SCAN (\d+)(?: CONSTANT ROWS|-ROW VALUES CLAUSE)/;
const NAMED_AS_COUNTED = / CONSTANT ROWS|-ROW VALUES CLAUSE/;

/** Steps of a plan that do what is inside of them one after another. */
const SUM = /^(COMPOUND|MERGE)/;

/** Step of a plan. */
interface Step {
  readonly detail: string;
  /** Steps inside of it. */
  readonly inner: readonly Row[];
  /** Those of them that have been looked at, and the rows that they visit. */
  seen: number;
  visits: number;
  readonly isSum: boolean;
}

/** Upper bounds on the cost of a query. */
export interface SqlCost {
  /** Rows that SQLite visits. */
  readonly visits: number;
  /** Why that is too much; undefined if it is not. */
  readonly refusal: string | undefined;
  /** Longest text that may come up, bytes: the shorter, the more functions work on one row. */
  readonly maxText: number;
}

/**
 * Estimates the cost of a query.
 *
 * @param query The query.
 * @param plan Output of `EXPLAIN QUERY PLAN`.
 * @param program Output of `EXPLAIN`.
 * @param streams Number of streams.
 */
export function sqlCost(
  query: string,
  plan: readonly Row[],
  program: readonly Row[],
  streams: number,
): SqlCost {
  const visits = planCost(plan, streams, !NAMED_AS_COUNTED.test(query));
  const limits = [MAX_TEXT];
  const functions = program.map((row) => ({ code: String(row["opcode"]), name: String(row["p4"]) }))
    .filter(({ code }) => /^(Pure)?(Func|Function)$|^Agg(Step|Inverse)/.test(code));
  const count = (names: RegExp) => functions.filter(({ name }) => names.test(name)).length;
  limits.push(ROW_BYTES / functions.length);
  limits.push(Math.sqrt(SEARCH_BYTES / count(SEARCHING)));
  limits.push(Math.sqrt(PATTERN_CHARACTERS / count(MATCHING)));
  const isStored = plan.some((row) => TEMPORARY.test(String(row["detail"])));
  if (isStored || count(GATHERING) > 0) limits.push(Math.max(1024, TEMPORARY_BYTES / visits));
  const refusal = refusalOf(visits, program);
  return { visits, refusal, maxText: Math.floor(Math.min(...limits)) };
}

function refusalOf(visits: number, program: readonly Row[]): string | undefined {
  if (visits > MAX_SQL_VISITS) {
    const rows = Number.isFinite(visits) ? visits : "endlessly many";
    return `the query may visit ${rows} rows, at most ${MAX_SQL_VISITS} are allowed`;
  }
  const steps = visits * program.length;
  if (steps > MAX_STEPS) {
    return `the query may take ${steps} steps, at most ${MAX_STEPS} are allowed`;
  }
  const hasWindows = program.some((row) =>
    /^(AggValue|AggInverse|OpenDup)$/.test(String(row["opcode"]))
  );
  if (hasWindows && visits > MAX_WINDOW_VISITS) {
    return `the query has window functions over ${visits} rows, ` +
      `at most ${MAX_WINDOW_VISITS} are allowed`;
  }
  return undefined;
}

/**
 * An upper bound of the rows SQLite visits, from the output of `EXPLAIN QUERY PLAN`: loops at the
 * same level are nested, so their lengths multiply.
 *
 * @param plan Rows of id, parent and detail.
 * @param streams Number of streams.
 * @param countsValues True if the rows that the plan counts are those of lists of values, and not names
 *   from the query: "SCAN" is followed by either.
 */
export function planCost(plan: readonly Row[], streams: number, countsValues = true): number {
  const children = Map.groupBy(plan, (row) => Number(row["parent"]));
  const begin = (id: number, detail: string): Step => {
    const isSum = SUM.test(detail);
    return { detail, inner: children.get(id) ?? [], seen: 0, isSum, visits: isSum ? 0 : 1 };
  };
  let longest = Math.max(streams, 1);
  const visitsOf = ({ detail, visits }: Step): number => {
    const constants = countsValues ? COUNTED_ROWS.exec(detail) : null;
    if (constants !== null) return Number(constants[1]);
    if (/^(SCAN|SEARCH) /.test(detail)) return longest;
    if (!/^(MATERIALIZE|CO-ROUTINE) /.test(detail)) return visits;
    longest = Math.max(longest, visits);
    return 1;
  };
  // Each step is looked at once, and without recursion: a query may have thousands inside of each other.
  const outer: Step[] = [];
  for (let step = begin(0, "");;) {
    const row = step.inner[step.seen++];
    if (row !== undefined) {
      outer.push(step);
      step = begin(Number(row["id"]), String(row["detail"]));
      continue;
    }
    const parent = outer.pop();
    if (parent === undefined) return step.visits;
    const own = visitsOf(step);
    if (parent.isSum) parent.visits += Math.max(own, step.visits);
    else parent.visits *= own;
    step = parent;
  }
}
