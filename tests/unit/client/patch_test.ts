import { assert, assertEquals, assertRejects } from "@std/assert";
import fc from "fast-check";
import { BTrDB, BTrDBError, type Stream } from "@btrdb/btrdb";
import type { Endpoint } from "../../../src/endpoint/endpoint.ts";
import { openEngine } from "../../../src/engine/mod.ts";
import { asV4 } from "../../support/override_endpoint.ts";

type Pair = [bigint, number];

async function pairs(stream: Stream, version?: bigint): Promise<Pair[]> {
  const { times, values } = await stream.rawValues(-1000n, 1_000_000n, { version }).collect();
  return Array.from(times, (time, i): Pair => [time, values[i]!]);
}

/** A stream over the engine that passes for a v4 server. */
async function withStream(
  replace: (engine: Endpoint) => Partial<Endpoint>,
  use: (stream: Stream, other: Stream) => Promise<void>,
): Promise<void> {
  const engine = await openEngine();
  await using db = new BTrDB(asV4(engine, replace(engine)));
  const stream = await db.create(crypto.randomUUID(), "patch");
  await use(stream, new BTrDB(engine).streamFromUUID(stream.uuid));
}

Deno.test("Stream.patch: any patch of any stream: the patched times hold the patch, the others what they held", async () => {
  const point = fc.tuple(fc.bigInt(0n, 40n), fc.integer({ min: 0, max: 3 }));
  const points = fc.array(point, { maxLength: 30 });
  const engine = await openEngine();
  await using db = new BTrDB(asV4(engine));
  await fc.assert(
    fc.asyncProperty(points, points, points, fc.boolean(), async (first, second, patch, flush) => {
      const stream = await db.create(crypto.randomUUID(), crypto.randomUUID());
      await stream.insert(first);
      if (flush) await stream.flush();
      await stream.insert(second);
      const version = await stream.patch(patch);
      const named = new Map(patch);
      const kept = [...first, ...second].filter(([time]) => !named.has(time));
      const order = ([a]: Pair, [b]: Pair) => a < b ? -1 : a > b ? 1 : 0;
      assertEquals(await pairs(stream), [...kept, ...named].sort(order));
      assertEquals(version, await stream.version());
    }),
    { numRuns: 150 },
  );
});

Deno.test("Stream.patch: what another writer adds between the read and the delete is kept", async () => {
  let meanwhile: (() => Promise<unknown>) | undefined;
  await withStream((engine) => ({
    deleteRange: async (request, options) => {
      await meanwhile?.();
      meanwhile = undefined;
      return await engine.deleteRange(request, options);
    },
  }), async (stream, other) => {
    const ways = [[false, false], [false, true], [true, false], [true, true]] as const;
    for (const [flushBefore, flushMeanwhile] of ways) {
      await stream.deleteRange(-1000n, 1000n);
      await stream.insert([[10n, 1], [11n, 2], [14n, 3]]);
      if (flushBefore) await stream.flush();
      meanwhile = async () => {
        await other.insert([[12n, 77], [10n, 88]]);
        if (flushMeanwhile) await other.flush();
      };
      await stream.patch([[10n, 5], [11n, 6], [14n, 7]]);
      assertEquals(await pairs(stream), [[10n, 5], [11n, 6], [12n, 77], [14n, 7]]);
    }
  });
});

Deno.test("Stream.patch: the insert after a delete fails: the version before it is named, a repeat completes it", async () => {
  let fail = false;
  await withStream((engine) => ({
    insert: async (request, options) => {
      if (fail) throw new BTrDBError("connection lost", { status: "UNAVAILABLE" });
      return await engine.insert(request, options);
    },
  }), async (stream) => {
    const before: Pair[] = [[1n, 1], [2n, 2], [3n, 3]];
    await stream.insert(before);
    fail = true;
    const error = await assertRejects(() => stream.patch([[2n, 20], [4n, 40]]), BTrDBError);
    assertEquals([error.code, error.status, error.retryable], [0, "UNAVAILABLE", true]);
    const version = /version (\d+) still holds what stood there/.exec(error.message)?.[1];
    assert(version !== undefined, error.message);
    assertEquals(await pairs(stream, BigInt(version)), before);
    fail = false;
    await stream.patch([[2n, 20], [4n, 40]]);
    assertEquals(await pairs(stream), [[1n, 1], [2n, 20], [3n, 3], [4n, 40]]);
  });
});

Deno.test("Stream.patch: a delete of which nobody knows may have emptied the range, and the error says so", async () => {
  let lose = false;
  await withStream((engine) => ({
    async deleteRange(request, options) {
      const version = await engine.deleteRange(request, options);
      if (lose) throw new BTrDBError("the answer was lost", { status: "UNKNOWN" });
      return version;
    },
  }), async (stream) => {
    await stream.insert([[1n, 1], [2n, 2], [3n, 3]]);
    lose = true;
    const patch: Pair[] = [[2n, 20]];
    const error = await assertRejects(() => stream.patch(patch), BTrDBError, "repeating the patch");
    assertEquals([error.code, error.status], [0, "UNKNOWN"]);
    lose = false;
    await stream.patch(patch);
    assertEquals(await pairs(stream), [[1n, 1], [2n, 20], [3n, 3]]);
  });
});

Deno.test("Stream.patch: an abort while a delete is under way, too, waits until the points are back", async () => {
  const abort = new AbortController();
  const reason = new Error("enough");
  await withStream((engine) => ({
    // As over a network: the server deletes, and a caller that gave up does not hear of it.
    async deleteRange(request, options) {
      abort.abort(reason);
      const version = await engine.deleteRange(request, {});
      options?.signal?.throwIfAborted();
      return version;
    },
  }), async (stream) => {
    await stream.insert([[10n, 1], [20n, 2], [30n, 3]]);
    const patch: Pair[] = [[10n, 5], [30n, 6]];
    const error = await stream.patch(patch, { signal: abort.signal }).catch((thrown) => thrown);
    assertEquals(error, reason);
    assertEquals(await pairs(stream), [[10n, 5], [20n, 2], [30n, 3]]);
  });
});

Deno.test("Stream.patch: an abort after a delete waits until the points are back", async () => {
  const abort = new AbortController();
  const reason = new Error("stop");
  await withStream((engine) => ({
    deleteRange: async (request, options) => {
      const version = await engine.deleteRange(request, options);
      abort.abort(reason);
      return version;
    },
  }), async (stream) => {
    await stream.insert([[1n, 1], [2n, 2], [3n, 3]]);
    const patch: Pair[] = [[1n, 10], [3n, 30]];
    const error = await stream.patch(patch, { signal: abort.signal }).catch((thrown) => thrown);
    assertEquals(error, reason);
    assertEquals(await pairs(stream), [[1n, 10], [2n, 2], [3n, 3]]);
  });
});

Deno.test("Stream.patch: a patch that changes nothing deletes nothing, one in a row is one delete", async () => {
  const deletes: [bigint, bigint][] = [];
  await withStream((engine) => ({
    deleteRange: (request, options) => {
      deletes.push([request.start, request.end]);
      return engine.deleteRange(request, options);
    },
  }), async (stream) => {
    const points = Array.from({ length: 1_000 }, (_, i): Pair => [BigInt(i), i]);
    await stream.insert(points);
    await stream.patch(points);
    assertEquals(deletes, []);
    await stream.patch(points.slice(100, 300).map(([time]): Pair => [time, -1]));
    assertEquals(deletes, [[100n, 300n]]);
    assertEquals(await stream.count(), 1_000n);
  });
});

Deno.test("Stream.patch: points that lie far apart do not read what lies between", async () => {
  let read = 0;
  await withStream((engine) => ({
    rawValues: async function* (request, options) {
      for await (const chunk of engine.rawValues(request, options)) {
        read += chunk.columns.times.length;
        yield chunk;
      }
    },
  }), async (stream) => {
    const points = Array.from({ length: 100_000 }, (_, i): Pair => [BigInt(i), i]);
    await stream.insert(points);
    await stream.patch([[5n, -1], [99_995n, -2]]);
    assert(read <= 4, `${read} points were read`);
    assertEquals((await stream.nearest(99_995n))?.value, -2);
  });
});
