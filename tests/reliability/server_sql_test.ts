/**
 * A server under SQL that is meant to run for hours: whoever gives up, and however, the work ends;
 * everybody else is answered meanwhile; SIGTERM is heard.
 */

import { assert, assertEquals } from "@std/assert";
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { openEngine } from "../../src/engine/mod.ts";
import * as pb from "../../src/gen/btrdb_v5_pb.ts";
import { RawClient } from "../support/grpc_client.ts";
import { CAN_LIST_PROCESSES, sqlProcesses } from "../support/sql_processes.ts";
import { until } from "../support/until.ts";
import { ServedDatabase } from "./support/served_database.ts";

const STREAMS = 1_000;

function uuidOf(stream: number): Uint8Array {
  const uuid = new Uint8Array(16);
  new DataView(uuid.buffer).setUint32(12, stream + 1);
  return uuid;
}

async function fill(path: string): Promise<void> {
  await using engine = await openEngine({ path });
  for (let i = 0; i < STREAMS; i++) {
    const tags = new Map([["name", `s${i}`]]);
    const annotations = new Map([["x", "y".repeat(50)]]);
    await engine.create({ uuid: uuidOf(i), collection: "sql", tags, annotations });
  }
  await engine.insert({
    uuid: uuidOf(0),
    columns: { times: BigInt64Array.of(1n, 2n), values: Float64Array.of(1, 2) },
  });
}

const LONG = "a".repeat(30_000);
const PAIRS = "streams a, streams b";

/** Queries that work long between two looks at the clock, or in one function, or in sorting. */
const HEAVY: readonly (readonly [string, string])[] = [
  [
    `SELECT count(*) AS n FROM ${PAIRS} WHERE instr(replace($1, 'a', a.name), b.name || 'x') > 0`,
    LONG.slice(0, 2_000),
  ],
  [`SELECT sum(instr($1 || a.name, substr($1, 1, 15000) || 'b')) AS n FROM ${PAIRS}`, LONG],
  [`SELECT sum(length(replace($1, substr($1, 1, 15000) || a.name, ''))) AS n FROM ${PAIRS}`, LONG],
  [`SELECT sum($1 || a.name LIKE '${"%a".repeat(9_000)}b') AS n FROM ${PAIRS}`, LONG],
  [
    `SELECT sum(${
      Array.from({ length: 900 }, (_, i) => `json_extract($1, '$[${i}]')`).join(" + ")
    }) AS n FROM streams`,
    `[${"1,".repeat(9_000)}1]`,
  ],
  [`SELECT count(*) AS n FROM (SELECT $1 || a.name AS x FROM ${PAIRS} ORDER BY x)`, LONG],
  [
    `SELECT length(group_concat(a.annotations || b.name)) AS n FROM ${PAIRS} WHERE $1 <> a.name`,
    LONG,
  ],
];

const sqlBytes = (query: string, ...params: string[]): Uint8Array =>
  toBinary(pb.SQLQueryParamsSchema, create(pb.SQLQueryParamsSchema, { query, params }));

const PATH = "/v5api.BTrDB/SQLQuery";
const COUNT = sqlBytes("SELECT count(*) AS n FROM streams");
const NEAREST = toBinary(
  pb.NearestParamsSchema,
  create(pb.NearestParamsSchema, { uuid: uuidOf(0), time: 0n }),
);

/** Processor time of the queries of a process, in ticks. */
function ticks(parent: number): number {
  return sqlProcesses(parent).reduce((sum, pid) => {
    const fields = Deno.readTextFileSync(`/proc/${pid}/stat`).split(") ")[1]!.split(" ");
    return sum + Number(fields[11]) + Number(fields[12]);
  }, 0);
}

async function countIs(client: RawClient): Promise<void> {
  const { code, details, messages } = await client.call(PATH, COUNT);
  assertEquals([code, details], [0, "OK"]);
  const { SQLQueryRow } = fromBinary(pb.SQLQueryResponseSchema, messages[0]!);
  assertEquals(new TextDecoder().decode(SQLQueryRow[0]), `{"n":${STREAMS}}`);
}

Deno.test("serve: SQL that is given up ends, whoever gives it up, and keeps nobody waiting", async () => {
  const folder = await Deno.makeTempDir();
  await fill(`${folder}/a.btrdb`);
  const server = await ServedDatabase.start(`file:${folder}/a.btrdb`);
  {
    using attacker = new RawClient(server.address);
    using other = new RawClient(server.address);
    using honest = new RawClient(server.address);
    let answered = 0;
    for (const [query, text] of HEAVY) {
      const request = sqlBytes(query, text);
      // Both client calls run at once; one ends at its deadline, the other when its client is gone.
      const late = attacker.call(PATH, request, { deadlineMs: Date.now() + 500 });
      const gone = other.open(PATH, request);
      const ended = new Promise<void>((resolve) => gone.on("status", () => resolve()));
      gone.on("error", () => {});
      gone.on("data", () => {});
      let isOver = false;
      const over = late.then(() => isOver = true);
      while (!isOver) {
        assertEquals((await honest.call("/v5api.BTrDB/Nearest", NEAREST)).code, 0);
        answered++;
      }
      gone.cancel();
      await Promise.all([over, ended]);
      await countIs(honest);
    }
    assert(answered >= HEAVY.length, `${answered} answers meanwhile`);
    if (CAN_LIST_PROCESSES) {
      // Nothing works any more: the time that the processes have used stays as it is.
      let before = -1;
      await until("all work has ended", async () => {
        const now = ticks(server.pid);
        const isSame = now === before;
        before = now;
        if (!isSame) await new Promise((resolve) => setTimeout(resolve, 200));
        return isSame;
      });
      assert(sqlProcesses(server.pid).length <= 2);
    }
  }
  assertEquals(await server.stop(), { code: 0, errors: "" });
  await Deno.remove(folder, { recursive: true });
});

/** Most memory that a process of queries has held, MiB. */
function peakOf(pid: number): number {
  try {
    const status = Deno.readTextFileSync(`/proc/${pid}/status`);
    return Number(/VmHWM:\s+(\d+)/.exec(status)![1]) >> 10;
  } catch {
    return 0;
  }
}

/** Queries that keep more in memory than they return, however short their texts are. */
const GREEDY = [
  `SELECT length(json_group_object(a.name || b.name, $1)) AS n FROM ${PAIRS}`,
  `SELECT count(DISTINCT $1 || a.name || b.name) AS n FROM ${PAIRS}`,
];

// JSON of many rows is as long as they are before SQLite looks at its length: 1.3 GB in ten seconds.
Deno.test("serve: SQL that gathers many rows in memory fails at its bound", async () => {
  if (!CAN_LIST_PROCESSES) return console.warn("skipped, there is no /proc");
  const folder = await Deno.makeTempDir();
  await fill(`${folder}/a.btrdb`);
  const server = await ServedDatabase.start(`file:${folder}/a.btrdb`);
  {
    using client = new RawClient(server.address);
    for (const query of GREEDY) {
      let text = "";
      // A slow machine does not come that far before the minute that queries have: it tries again.
      await until(() => `${query}: fails at its bound, not with ${text}`, async () => {
        await countIs(client);
        const [pid] = sqlProcesses(server.pid);
        const { messages, details } = await client.call(PATH, sqlBytes(query, "y".repeat(1_900)));
        const peak = peakOf(pid!);
        assert(peak < 700, `${query}: ${peak} MiB`);
        text = `${details} ${new TextDecoder().decode(messages[0])}`;
        return !/deadline/i.test(text);
      });
      assert(/out of memory|takes more than/.test(text), `${query}: ${text}`);
    }
  }
  assertEquals(await server.stop(), { code: 0, errors: "" });
  await Deno.remove(folder, { recursive: true });
});

// Results of 60 MB, none of which was read, were kept for each of forty clients: 4.8 GB.
Deno.test("serve: results of SQL that nobody reads are bounded, and what is read arrives", async () => {
  const folder = await Deno.makeTempDir();
  await fill(`${folder}/a.btrdb`);
  const server = await ServedDatabase.start(`file:${folder}/a.btrdb`);
  const request = sqlBytes("SELECT $1 || name AS x FROM streams", LONG);
  const { resident } = (await server.memory())!;
  const clients = Array.from({ length: 12 }, () => new RawClient(server.address));
  for (const client of clients) {
    const answer = client.open(PATH, request);
    answer.on("error", () => {});
    // Its first message, and then no other.
    await new Promise<void>((resolve) => answer.once("data", () => resolve(void answer.pause())));
  }
  {
    using honest = new RawClient(server.address);
    const { code, messages } = await honest.call(PATH, request);
    assertEquals(code, 0);
    const rows = messages.flatMap((bytes) =>
      fromBinary(pb.SQLQueryResponseSchema, bytes).SQLQueryRow
    );
    assertEquals(rows.length, STREAMS);
    assert(messages.every(({ length }) => length < 400_000), "a message is longer than needed");
  }
  const grown = (await server.memory())!.resident - resident;
  assert(grown < 900, `grew by ${grown} MiB`);
  for (const client of clients) client[Symbol.dispose]();
  assertEquals(await server.stop(), { code: 0, errors: "" });
  await Deno.remove(folder, { recursive: true });
});

Deno.test("serve: SIGTERM under SQL ends the server and its queries", async () => {
  const folder = await Deno.makeTempDir();
  await fill(`${folder}/a.btrdb`);
  const server = await ServedDatabase.start(`file:${folder}/a.btrdb`);
  const clients = HEAVY.map(() => new RawClient(server.address));
  const calls = HEAVY.map(([query, text], i) => clients[i]!.call(PATH, sqlBytes(query, text)));
  let held: number[] = [];
  if (CAN_LIST_PROCESSES) {
    await until("queries run", () => (held = sqlProcesses(server.pid)).length > 0);
  }
  assertEquals(await server.stop(), { code: 0, errors: "" });
  for (const pid of held) {
    await until(`process ${pid} has ended`, () => {
      try {
        return /\nState:\tZ/.test(Deno.readTextFileSync(`/proc/${pid}/status`));
      } catch {
        return true;
      }
    });
  }
  await Promise.all(calls);
  for (const client of clients) client[Symbol.dispose]();
  // The queries let go of the file: what was written is whole, and no log is left beside it.
  const left = [...Deno.readDirSync(folder)].map(({ name }) => name).sort();
  assertEquals(left, ["a.btrdb", "a.btrdb-lock"]);
  await Deno.remove(folder, { recursive: true });
});
