/** Several streams merged into a CSV file and back, beside DuckDB and plain JavaScript. */

import { Buffer } from "node:buffer";
import { closeSync, openSync, writeSync } from "node:fs";
import type { RawColumns } from "../src/core/columns.ts";
import { sliceRaw } from "../src/core/columns.ts";
import { writeCSV } from "../src/client/csv.ts";
import type { Endpoint, RawChunk } from "../src/endpoint/endpoint.ts";
import {
  type CsvNumbers,
  CsvParser,
  formatCsv,
  mergeTimes,
  TableParser,
} from "../src/kernel/mod.ts";
import { START, STEP } from "./support/data.ts";
import { job } from "./support/job.ts";
import { missing, peer } from "./support/peers.ts";

const DUCKDB = peer("@duckdb/node-api");

const STREAMS = 8;
const POINTS = 1_000_000;
const LABELS = Array.from({ length: STREAMS }, (_, s) => `s${s}`);
const CHUNK = 65_536;

/** Every third time is shared by all streams, the others belong to one. Also made in SQL below. */
function stream(s: number): RawColumns {
  const columns = { times: new BigInt64Array(POINTS), values: new Float64Array(POINTS) };
  for (let i = 0; i < POINTS; i++) {
    columns.times[i] = START + BigInt(i) * STEP + (i % 3 === 0 ? 0n : BigInt(s + 1));
    columns.values[i] = 230 + 5 * Math.sin(i / 50) +
      ((i * 2_654_435_761 + s) % 4_294_967_296) / 4_294_967_296;
  }
  return columns;
}

const streams = () => LABELS.map((_, s) => stream(s));

/** An endpoint that has just these streams, uuid by number. */
function endpointOf(all: readonly RawColumns[]): Endpoint {
  return {
    async *rawValues({ uuid }): AsyncIterableIterator<RawChunk> {
      const columns = all[uuid[0]!]!;
      for (let at = 0; at < POINTS; at += CHUNK) {
        const piece = sliceRaw(columns, at, Math.min(POINTS, at + CHUNK));
        yield await Promise.resolve({ version: { major: 11n, minor: 0n }, columns: piece });
      }
    },
  } as Partial<Endpoint> as Endpoint;
}

function uuidOf(s: number): string {
  return `${s.toString(16).padStart(2, "0")}000000-0000-4000-8000-000000000000`;
}

/** The same as one would write it by hand: strings, `toFixed`, `toISOString`. */
function plainCsv(all: readonly RawColumns[], file: number): void {
  const at = new Int32Array(all.length);
  let text = `Timestamp (ns),Human-Readable Time (UTC),${LABELS.join(",")}\n`;
  for (;;) {
    let time: bigint | undefined;
    for (let s = 0; s < all.length; s++) {
      const head = all[s]!.times[at[s]!];
      if (head !== undefined && (time === undefined || head < time)) time = head;
    }
    if (time === undefined) break;
    text += `${time},${new Date(Number(time / 1_000_000n)).toISOString().slice(0, 19)}Z`;
    for (let s = 0; s < all.length; s++) {
      const { times, values } = all[s]!;
      text += times[at[s]!] === time ? `,${values[at[s]!++]!.toFixed(6)}` : ",";
    }
    text += "\n";
    if (text.length > 1 << 20) {
      writeSync(file, text);
      text = "";
    }
  }
  writeSync(file, text);
}

const COLUMNS = LABELS.map((label) => `printf('%.6f', ${label}.v) AS ${label}`).join(", ");
const JOIN = LABELS.map((label, s) => s === 0 ? label : `FULL JOIN ${label} USING (t)`).join(" ");

/** The outer join in SQL, in the same format, in order of time. */
const copySql = (path: string) =>
  `COPY (SELECT t AS "Timestamp (ns)", strftime(make_timestamp_ns(t), '%Y-%m-%dT%H:%M:%SZ') AS
   "Human-Readable Time (UTC)", ${COLUMNS} FROM ${JOIN} ORDER BY t) TO '${path}' (FORMAT csv, HEADER)`;

/** A connection with the streams as tables, if DuckDB is here. */
async function duckdb() {
  if (DUCKDB === undefined) return undefined;
  const db = await (await DUCKDB.DuckDBInstance.create(":memory:", { threads: "1" })).connect();
  for (const [s, label] of LABELS.entries()) {
    await db.run(`CREATE TABLE ${label} AS SELECT ${START} + i * ${STEP} + CASE i % 3 WHEN 0 THEN 0
      ELSE ${s + 1} END AS t, 230 + 5 * sin(i / 50.0) + ((i * 2654435761 + ${s}) % 4294967296) /
      4294967296.0 AS v FROM range(${POINTS}) AS r(i)`);
  }
  return db;
}

/**
 * Writes a file that was not there and removes it: replacing one costs what the file system does to
 * keep the old one until the new one is on the disk, which is not what is compared here.
 */
async function newFile(directory: string, write: (path: string) => unknown): Promise<void> {
  const path = `${directory}/streams.csv`;
  await write(path);
  await Deno.remove(path);
}

interface State {
  directory: string;
  all: RawColumns[];
  // deno-lint-ignore no-explicit-any -- a module without types here
  db: any;
}

job<State>({
  name: `merge ${STREAMS} streams × ${
    POINTS / 1e6
  } M points, a third of the times shared, to a new CSV file`,
  work: { count: STREAMS * POINTS, unit: "points" },
  setup: async () => {
    const directory = await Deno.makeTempDir();
    return { directory, all: streams(), db: await duckdb() };
  },
  teardown: async ({ directory, db }) => {
    db?.closeSync();
    await Deno.remove(directory, { recursive: true });
  },
  ...(DUCKDB === undefined ? { note: missing(["DuckDB"]) } : {}),
  entries: [
    {
      name: "writeCSV, %f",
      run: ({ directory, all }) =>
        newFile(directory, (path) =>
          writeCSV(endpointOf(all), path, {
            queryType: "raw",
            start: START,
            end: START + STEP * BigInt(POINTS),
            streams: LABELS.map((label, s) => ({ stream: uuidOf(s), label })),
            numbers: "fixed6",
          })),
    },
    ...(DUCKDB === undefined ? [] : [{
      name: "DuckDB COPY of the outer join, 1 thread",
      run: ({ directory, db }: State) => newFile(directory, (path) => db.run(copySql(path))),
      atLeast: 10,
    }]),
    {
      name: "plain JavaScript",
      run: ({ directory, all }) =>
        newFile(directory, (path) => {
          const file = openSync(path, "w");
          plainCsv(all, file);
          closeSync(file);
        }),
      atLeast: 15,
    },
  ],
});

/** A quarter of the streams' points, for jobs without a file. */
function quarter(): RawColumns[] {
  return streams().map((columns) => sliceRaw(columns, 0, POINTS / 4));
}

job({
  name: "merge and write CSV to memory, 8 streams × 250 k points",
  work: { count: STREAMS * POINTS / 4, unit: "points" },
  note: "a number is some 12 ns of digits (shortest: 40 ns where it has 16 or 17 of them), a row " +
    "20 ns more for its times and for finding it; memcpy only moves what comes out",
  setup: () => {
    const all = quarter();
    const named = all.map((columns, s) => ({ label: LABELS[s]!, columns }));
    return { all, named, csv: formatCsv(named, { numbers: "fixed6" }) };
  },
  entries: [
    { name: "formatCsv, %f", run: ({ named }) => formatCsv(named, { numbers: "fixed6" }) },
    { name: "formatCsv, shortest", run: ({ named }) => formatCsv(named) },
    { name: "mergeTimes alone", run: ({ all }) => mergeTimes(all.map(({ times }) => times)) },
    {
      name: "memcpy of input and output",
      run: ({ all, csv }) => {
        for (const { times, values } of all) times.slice(), values.slice();
        csv.slice();
      },
    },
  ],
});

/** Bytes through a parser in pieces, as a file is read. */
function parse(csv: Uint8Array): void {
  const parser = new CsvParser();
  for (let at = 0; at < csv.length; at += 1 << 20) parser.push(csv.subarray(at, at + (1 << 20)));
  parser.finish();
}

/** Lines and cells with `split`, numbers with `Number`. */
function plainParse(csv: Uint8Array): { times: bigint[]; values: number[] }[] {
  const columns = LABELS.map(() => ({ times: [] as bigint[], values: [] as number[] }));
  for (const line of Buffer.from(csv).toString("latin1").split("\n").slice(1, -1)) {
    const cells = line.split(",");
    const time = BigInt(cells[0]!);
    columns.forEach(({ times, values }, s) => {
      const cell = cells[s + 2]!;
      if (cell === "") return;
      times.push(time);
      values.push(Number(cell));
    });
  }
  return columns;
}

job({
  name: "parse a CSV of 8 streams × 250 k points, six decimals",
  work: { count: STREAMS * POINTS / 4, unit: "points" },
  note:
    "every byte is looked at: 19 digits of time, the end of the human time, commas of empty cells",
  setup: () => {
    const named = quarter().map((columns, s) => ({ label: LABELS[s]!, columns }));
    return { named, csv: formatCsv(named, { numbers: "fixed6" }) };
  },
  entries: [
    { name: "CsvParser", run: ({ csv }) => parse(csv) },
    {
      name: "formatCsv, the way there",
      run: ({ named }) => formatCsv(named, { numbers: "fixed6" }),
      atLeast: 1,
    },
    { name: "plain JavaScript", run: ({ csv }) => plainParse(csv) },
  ],
});

const IMPORTED = 6;
const ROWS = 500_000;

/** The rows of BTrDB's CSV as `btrdb import` reads them, in batches of whole lines. */
function parseAsImport(csv: Uint8Array): void {
  const parser = new TableParser({
    columns: ["time", "skip", ...LABELS.slice(0, IMPORTED).map(() => "value" as const)],
    timeFormat: "ns",
  });
  for (let at = csv.indexOf(10) + 1; at < csv.length; at += parser.used) {
    const batch = csv.subarray(at, at + (8 << 20));
    parser.parse(batch.subarray(0, batch.lastIndexOf(10) + 1));
  }
}

/** The CSV of streams that have all their times in common, or a third of them. */
function importedCsv(shared: boolean, numbers: CsvNumbers): Uint8Array {
  const all = streams().slice(0, IMPORTED);
  const rows = shared ? ROWS : ROWS * 3 / (1 + 2 * IMPORTED);
  return formatCsv(
    all.map(({ times, values }, s) => ({
      label: LABELS[s]!,
      columns: sliceRaw({ times: shared ? all[0]!.times : times, values }, 0, Math.round(rows)),
    })),
    { numbers },
  );
}

/** Forms of a CSV, and the factor by which reading it for an import is meant to be faster. */
const FORMS = [
  { form: "no cell empty, six decimals", shared: true, numbers: "fixed6", atLeast: 1.2 },
  { form: "no cell empty, shortest numbers", shared: true, numbers: "shortest", atLeast: 1.2 },
  { form: "a third of the times shared", shared: false, numbers: "fixed6", atLeast: 0.85 },
] as const;

for (const { form, shared, numbers, atLeast } of FORMS) {
  job({
    name: `read BTrDB's CSV of ${IMPORTED} streams and ${ROWS / 1e3} k rows for an import, ${form}`,
    work: { count: ROWS, unit: "rows" },
    setup: () => ({ csv: importedCsv(shared, numbers) }),
    entries: [
      { name: "TableParser", run: ({ csv }) => parseAsImport(csv) },
      { name: "CsvParser", run: ({ csv }) => parse(csv), atLeast },
    ],
  });
}
