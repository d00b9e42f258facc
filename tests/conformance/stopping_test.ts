/**
 * Stopping a query stops the database: a watched endpoint behind `serve`, and directly, must see
 * its query closed soon after the reader has gone, having produced little more than was read.
 *
 * @module
 */

import { BTrDB, connect, type Stream } from "@btrdb/btrdb";
import { serve } from "@btrdb/btrdb/server";
import { assertEquals } from "@std/assert";
import { openEngine } from "../../src/engine/mod.ts";
import { EndlessQueries } from "../support/endless_queries.ts";

/** Most bytes that are produced for a reader that has stopped: windows, sockets and a few messages. */
const MAX_BUFFERED = 64 << 20;

type Use = (watched: EndlessQueries, stream: Stream, db: BTrDB) => Promise<void>;

async function direct(use: Use): Promise<void> {
  const watched = new EndlessQueries();
  await using db = new BTrDB(watched.endpoint(await openEngine()));
  await use(watched, await db.create(crypto.randomUUID(), "stopping"), db);
}

function served(protocol: "v4" | "v5", isWeb = false): (use: Use) => Promise<void> {
  return async (use) => {
    const watched = new EndlessQueries();
    const engine = watched.endpoint(await openEngine());
    await using server = await serve(engine, { port: 0, http: { port: 0 } });
    {
      const target = `127.0.0.1:${server.port}`;
      const webTarget = `grpc-web://127.0.0.1:${server.httpPort}`;
      await using db = await connect(isWeb ? webTarget : target, { protocol });
      await use(watched, await db.create(crypto.randomUUID(), "stopping"), db);
    }
    await server.stop();
    await engine.close();
  };
}

const END = 1n << 60n;

for (
  const [name, open] of [
    ["direct", direct],
    ["gRPC v4", served("v4")],
    ["gRPC v5", served("v5")],
    ["gRPC-Web v4", served("v4", true)],
    ["gRPC-Web v5", served("v5", true)],
  ] as const
) {
  Deno.test(`stopping, ${name}: leaving a loop`, () =>
    open(async (watched, stream) => {
      for (let i = 0; i < 10; i++) {
        let read = 0;
        for await (const batch of stream.rawValues(0n, END)) if ((read += batch.length) > 0) break;
        await watched.closed();
      }
    }));

  Deno.test(`stopping, ${name}: an abort, also while nobody reads`, () =>
    open(async (watched, stream) => {
      const abort = new AbortController();
      const query = stream.rawValues(0n, END, { signal: abort.signal })[Symbol.asyncIterator]();
      await query.next();
      const leave = () => abort.abort(new Error("enough"));
      if (name === "direct") leave();
      else await watched.endsAfter(`an abort, ${name}`, leave);
      const error = await query.next().catch((thrown) => thrown);
      assertEquals(error, abort.signal.reason);
      await watched.closed();
    }));

  Deno.test(`stopping, ${name}: a timeout`, () =>
    open(async (watched, stream) => {
      const error = await (async () => {
        for await (const _ of stream.rawValues(0n, END, { timeoutMs: 80 })) { /* all of it */ }
      })().catch((thrown) => thrown);
      assertEquals([error.code, error.status], [0, "DEADLINE_EXCEEDED"]);
      await watched.closed();
    }));

  Deno.test(`stopping, ${name}: a slow reader holds the database up`, () =>
    open(async (watched, stream) => {
      const query = stream.rawValues(0n, END)[Symbol.asyncIterator]();
      await query.next();
      await watched.still(() => stream.version(), MAX_BUFFERED);
      await query.return?.();
      await watched.closed();
    }));
}
