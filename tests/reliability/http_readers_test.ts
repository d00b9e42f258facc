/**
 * Hundreds of readers of data by URL that read nothing, at a server of its own process: its memory
 * stays where it was, others are served meanwhile, and the queries end with the readers. The points
 * are random: what compresses well would hide what is buffered.
 */

import { assert, assertEquals } from "@std/assert";
import { connect } from "@btrdb/btrdb";
import { delay } from "../../src/core/call.ts";
import { Random } from "../support/random.ts";
import { until } from "../support/until.ts";
import { ServedDatabase } from "./support/served_database.ts";

/** 150 of them keep places of the 200 that there are. */
const READERS = { csv: 50, arrow: 50, ndjson: 50, parquet: 100 };

/** Queries of them that go on: a file is complete before it is sent. */
const RUNNING = READERS.csv + READERS.arrow + READERS.ndjson;

const POINTS = 1_000_000;
const BATCH = 100_000;

/** Most memory that a reader may cost, MB: 0.6 as measured. */
const READER_MB = 2;

/** Most memory that may be gained while nothing is read, MB: garbage. */
const GROWTH_MB = 50;

/** Asks for data and reads no more than the head. */
async function ask(port: number, format: string): Promise<Deno.TcpConn> {
  const socket = await Deno.connect({ port });
  const request = `GET /api/v1/data.${format}?stream=c/s HTTP/1.1\r\nHost: localhost\r\n\r\n`;
  await socket.write(new TextEncoder().encode(request));
  const head = new Uint8Array(12);
  await socket.read(head);
  assertEquals(new TextDecoder().decode(head), "HTTP/1.1 200");
  return socket;
}

Deno.test("data by URL: hundreds of readers that read nothing keep memory flat", async () => {
  const server = await ServedDatabase.start("memory:", 0, 0);
  const sockets: Deno.TcpConn[] = [];
  try {
    await using db = await connect(server.address);
    const stream = await db.create(crypto.randomUUID(), "c", { tags: { name: "s" } });
    const random = new Random(7);
    for (let from = 0; from < POINTS; from += BATCH) {
      await stream.insert({
        times: BigInt64Array.from({ length: BATCH }, (_, i) => BigInt(from + i) * 1_000_003n),
        values: Float64Array.from({ length: BATCH }, () => random.next()),
      });
    }
    await stream.flush();
    const port = server.httpPort!;
    // What is loaded and compiled by the first reader is no reader's.
    for (const format of Object.keys(READERS)) (await ask(port, format)).close();
    const running = () => server.metric("btrdb_server_calls_running");
    await until("the first readers are gone", async () => await running() === 0);
    const before = (await server.memory())!.resident;
    for (const [format, count] of Object.entries(READERS)) {
      for (let i = 0; i < count; i++) sockets.push(await ask(port, format));
    }
    assertEquals(await running(), RUNNING);
    // An answer of the server between two looks means that all else had its turn too.
    let [held, looks] = [0, 0];
    await until("nothing more is buffered", async () => {
      await running();
      const { resident } = (await server.memory())!;
      looks = resident <= held ? looks + 1 : 0;
      held = Math.max(held, resident);
      return looks === 10;
    });
    assert(held - before < READER_MB * sockets.length, `${held - before} MB are held`);
    let most = held;
    for (let i = 0; i < 20; i++) {
      await delay(100);
      most = Math.max(most, (await server.memory())!.resident);
    }
    assert(most - held < GROWTH_MB, `grew from ${held} to ${most} MB`);
    const url = `http://127.0.0.1:${port}/api/v1/data.json?stream=c/s&end=first%2B1ns`;
    assertEquals((await (await fetch(url)).json()).length, 1);
    for (const socket of sockets.splice(0)) socket.close();
    await until("their queries end", async () => await running() === 0);
  } finally {
    for (const socket of sockets) socket.close();
    const { code, errors } = await server.stop();
    assertEquals([code, errors], [0, ""]);
  }
});
