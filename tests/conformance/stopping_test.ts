/**
 * Stopping a query stops the database: a watched endpoint behind `serve`, and directly, must see
 * its query closed soon after the reader has gone, having produced little more than was read.
 *
 * @module
 */

import { BTrDB, connect, type Stream } from "@btrdb/btrdb";
import { serve } from "@btrdb/btrdb/server";
import { assert, assertEquals } from "@std/assert";
import { throwIfOver } from "../../src/core/call.ts";
import type { CallOptions, Endpoint, RangeRequest, RawChunk } from "../../src/endpoint/endpoint.ts";
import { openEngine } from "../../src/engine/mod.ts";
import { override } from "../support/override_endpoint.ts";
import { until } from "../support/until.ts";

/** Points in an endless answer's chunk, incompressible so that buffers fill. */
const CHUNK = 5_000;

/** An endpoint whose raw queries never end by themselves, and what became of them. */
class Watched {
  open = 0;
  chunks = 0;
  readonly #values: Float64Array = Float64Array.from({ length: CHUNK }, () => Math.random());

  endpoint(engine: Endpoint): Endpoint {
    return override(engine, { rawValues: (request, options) => this.#endless(request, options) });
  }

  async *#endless(
    request: RangeRequest,
    options: CallOptions = {},
  ): AsyncIterableIterator<RawChunk> {
    this.open++;
    try {
      for (let at = request.start;; at += BigInt(CHUNK)) {
        await new Promise((resolve) => setTimeout(resolve));
        throwIfOver(options, "read raw values");
        const times = BigInt64Array.from({ length: CHUNK }, (_, i) => at + BigInt(i));
        this.chunks++;
        yield { version: { major: 11n, minor: 0n }, columns: { times, values: this.#values } };
      }
    } finally {
      this.open--;
    }
  }

  /** Waits until nothing is produced any more while a hundred other calls are answered. */
  still(call: () => Promise<unknown>): Promise<void> {
    return until("nothing is produced while nobody reads", async () => {
      const before = this.chunks;
      for (let i = 0; i < 100; i++) await call();
      assert(this.chunks * CHUNK * 16 < 64 << 20, `${this.chunks} chunks are buffered`);
      return this.chunks === before;
    });
  }

  /** Waits until no query is open. */
  closed(): Promise<void> {
    return until("the query is closed", () => this.open === 0);
  }
}

type Use = (watched: Watched, stream: Stream, db: BTrDB) => Promise<void>;

async function direct(use: Use): Promise<void> {
  const watched = new Watched();
  await using db = new BTrDB(watched.endpoint(await openEngine()));
  await use(watched, await db.create(crypto.randomUUID(), "stopping"), db);
}

function served(protocol: "v4" | "v5"): (use: Use) => Promise<void> {
  return async (use) => {
    const watched = new Watched();
    const engine = watched.endpoint(await openEngine());
    await using server = await serve(engine, { port: 0 });
    {
      await using db = await connect(`127.0.0.1:${server.port}`, { protocol });
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
      abort.abort(new Error("enough"));
      if (name !== "direct") await watched.closed();
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
      await watched.still(() => stream.version());
      await query.return?.();
      await watched.closed();
    }));
}
