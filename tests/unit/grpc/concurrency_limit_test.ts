/** Many calls at once: most wait on our side, and whoever waits can give up. */

import { assertEquals, assertRejects } from "@std/assert";
import { BTrDBError } from "../../../src/core/errors.ts";
import { connectGrpc } from "../../../src/grpc/mod.ts";
import { ConcurrencyLimit } from "../../../src/grpc/transport/concurrency_limit.ts";
import type { Endpoint } from "../../../src/endpoint/endpoint.ts";
import {
  failure,
  info,
  nearest,
  raw,
  v4Server,
  versioned,
  windows,
} from "../../support/grpc/scripted_answers.ts";
import { ScriptedServer } from "../../support/grpc/scripted_server.ts";

const SPEC = { rpc: "Nearest", options: {} };

Deno.test("ConcurrencyLimit: turns are given in the order they are asked for", async () => {
  const turns = new ConcurrencyLimit(2);
  assertEquals([turns.take(SPEC), turns.take(SPEC)], [undefined, undefined]);
  const order: string[] = [];
  const first = turns.take(SPEC)!.then(() => order.push("first"));
  const second = turns.take(SPEC)!.then(() => order.push("second"));
  turns.release();
  await first;
  assertEquals(order, ["first"]);
  turns.release();
  await second;
  turns.release();
  turns.release();
  await turns.idle();
});

Deno.test("ConcurrencyLimit: whoever gives up waiting takes no turn", async () => {
  const turns = new ConcurrencyLimit(1);
  turns.take(SPEC);
  const reason = new Error("enough");
  const controller = new AbortController();
  const aborted = turns.take({ ...SPEC, options: { signal: controller.signal } })!;
  const late = turns.take({ ...SPEC, options: { deadlineMs: Date.now() + 5 } })!;
  const patient = turns.take(SPEC)!;
  controller.abort(reason);
  assertEquals(await assertRejects(() => aborted), reason);
  const error = await assertRejects(() => late, BTrDBError);
  assertEquals(error.status, "DEADLINE_EXCEEDED");
  turns.release();
  await patient;
  turns.release();
  await turns.idle();
});

Deno.test("ConcurrencyLimit: a thousand calls at once are never more than 128 on the wire; closing waits for them", async () => {
  let [now, most] = [0, 0];
  const full = Promise.withResolvers<void>();
  await using server = await ScriptedServer.start(v4Server("4.15.9-deno", {
    async Flush(call) {
      most = Math.max(most, ++now);
      if (now >= 128) full.resolve();
      await full.promise;
      now--;
      await call.send(new Uint8Array([0x10, 11]));
    },
  }));
  const endpoint = await connectGrpc({ addresses: [server.address] });
  const calls = Array.from({ length: 1000 }, () => endpoint.flush(new Uint8Array(16)));
  await endpoint.close();
  const versions = await Promise.all(calls);
  assertEquals(versions.filter(({ major }) => major === 11n).length, 1000);
  assertEquals(most, 128);
});

/** A server that works on 200 calls, lets 100 wait, and refuses the others, as 4.15 does. */
function crowdedServer(onRefusal: () => void): Promise<ScriptedServer> {
  let working = 0;
  return ScriptedServer.start(async (call) => {
    if (call.rpc === "Info") return await call.send(info("4.15.9-deno"));
    working++;
    try {
      if (working > 300) {
        onRefusal();
        return await call.send(failure(426, "The cluster is overwhelmed"));
      }
      await new Promise((resolve) => setTimeout(resolve, 1));
      const { answer } = KINDS.find(({ rpc }) => rpc === call.rpc)!;
      await call.send(answer);
    } finally {
      working--;
    }
  });
}

const uuid = new Uint8Array(16).fill(5);
const range = { uuid, start: 0n, end: 64n, version: 11n };
const none = new Map<string, string>();

/** Reads a streamed answer to its end. */
async function drain(source: AsyncIterable<unknown>): Promise<void> {
  for await (const _ of source);
}

/** A call of every kind, and what the server says to it. */
const KINDS: {
  rpc: string;
  answer: Uint8Array;
  call: (endpoint: Endpoint, i: number) => Promise<unknown>;
}[] = [
  {
    rpc: "Create",
    answer: versioned(0n),
    call: (endpoint, i) => {
      const own = new Uint8Array(16);
      new DataView(own.buffer).setUint32(0, i);
      return endpoint.create({ uuid: own, collection: "c", tags: none, annotations: none });
    },
  },
  {
    rpc: "SetStreamAnnotations",
    answer: versioned(0n),
    call: (endpoint) =>
      endpoint.setAnnotations({ uuid, expected: 1n, changes: new Map([["a", "b"]]), removals: [] }),
  },
  { rpc: "Flush", answer: versioned(12n), call: (endpoint) => endpoint.flush(uuid) },
  {
    rpc: "Nearest",
    answer: nearest(0n),
    call: (endpoint) => endpoint.nearest({ uuid, time: 0n, version: 11n, backward: false }),
  },
  {
    rpc: "RawValues",
    answer: raw([]),
    call: (endpoint) => drain(endpoint.rawValues(range)),
  },
  {
    rpc: "Windows",
    answer: windows(Array.from({ length: 8 }, (_, i) => [8n * BigInt(i), 0n])),
    call: (endpoint) => drain(endpoint.windows({ ...range, width: 8n, depth: 0 })),
  },
  {
    rpc: "AlignedWindows",
    answer: windows([]),
    call: (endpoint) => drain(endpoint.alignedWindows({ ...range, pointwidth: 3 })),
  },
  {
    rpc: "LookupStreams",
    answer: versioned(0n),
    call: (endpoint) =>
      drain(
        endpoint.lookupStreams({
          collection: "c",
          isCollectionPrefix: true,
          tags: none,
          annotations: none,
        }),
      ),
  },
];

/** Several times what is on the wire of a connection at once. */
const CALLS = 1_000;

for (const { rpc, call } of KINDS) {
  Deno.test(`ConcurrencyLimit: ${CALLS} calls of ${rpc} at once succeed`, async () => {
    let refusals = 0;
    await using server = await crowdedServer(() => refusals++);
    const endpoint = await connectGrpc({ addresses: [server.address], protocol: "v4" });
    try {
      await Promise.all(Array.from({ length: CALLS }, (_, i) => call(endpoint, i)));
      assertEquals([server.count(rpc), refusals], [CALLS, 0]);
    } finally {
      await endpoint.close();
    }
  });
}

Deno.test("ConcurrencyLimit: 10,000 inserts of as many streams at once are all acknowledged", async () => {
  const { connect } = await import("@btrdb/btrdb");
  const { serve } = await import("@btrdb/btrdb/server");
  await using served = await connect("memory:");
  await using server = await serve(served, { port: 0 });
  await using db = await connect(`127.0.0.1:${server.port}`);
  const streams = await Promise.all(
    Array.from(
      { length: 1_000 },
      (_, i) => db.create(crypto.randomUUID(), "many", { tags: { name: `s${i}` } }),
    ),
  );
  const inserts = Array.from(
    { length: 10_000 },
    (_, i) => streams[i % 1_000]!.insert([[BigInt(i), i]]),
  );
  await Promise.all(inserts);
  const counts = await Promise.all(streams.map((stream) => stream.count()));
  assertEquals(counts.reduce((sum, count) => sum + count, 0n), 10_000n);
});

Deno.test("ConcurrencyLimit: streamed answers that nobody reads do not keep other calls waiting", async () => {
  const { connect } = await import("@btrdb/btrdb");
  const { serve } = await import("@btrdb/btrdb/server");
  await using served = await connect("memory:");
  await using server = await serve(served, { port: 0 });
  await using db = await connect(`127.0.0.1:${server.port}`);
  const stream = await db.create(crypto.randomUUID(), "slow");
  await stream.insert({
    times: BigInt64Array.from({ length: 10 }, (_, i) => BigInt(i)),
    values: new Float64Array(10),
  });
  const readers = Array.from(
    { length: 200 },
    () => stream.rawValues(0n, 100n)[Symbol.asyncIterator](),
  );
  await Promise.all(readers.map((reader) => reader.next()));
  assertEquals(await stream.count(), 10n);
  await Promise.all(readers.map((reader) => reader.return?.()));
});
