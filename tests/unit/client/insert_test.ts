import { assert, assertEquals, assertRejects, assertStrictEquals } from "@std/assert";
import { BTrDB, BTrDBError, type InsertProgress, type RawColumns } from "@btrdb/btrdb";
import type { Endpoint, InsertRequest } from "../../../src/endpoint/endpoint.ts";
import { openEngine } from "../../../src/engine/mod.ts";
import { asV4, override } from "../../support/override_endpoint.ts";

function ramp(n: number): RawColumns {
  return {
    times: BigInt64Array.from({ length: n }, (_, i) => BigInt(i)),
    values: Float64Array.from({ length: n }, (_, i) => i),
  };
}

/** A stream over the engine with some of its calls replaced. */
async function withStream(
  replace: (engine: Endpoint) => Endpoint,
  use: (stream: Awaited<ReturnType<BTrDB["create"]>>) => Promise<void>,
): Promise<void> {
  const engine = await openEngine();
  await using db = new BTrDB(replace(engine));
  await use(await db.create(crypto.randomUUID(), "insert"));
}

/** Counts requests under way. */
class Watch {
  now = 0;
  most = 0;
  sent: number[] = [];

  insert(engine: Endpoint): Endpoint["insert"] {
    return async (request: InsertRequest, options) => {
      this.most = Math.max(this.most, ++this.now);
      this.sent.push(request.columns.times.length);
      await new Promise((resolve) => setTimeout(resolve, 2));
      try {
        return await engine.insert(request, options);
      } finally {
        this.now--;
      }
    };
  }
}

Deno.test("Stream.insert: over gRPC a few requests are under way at a time, embedded one", async () => {
  for (const [pass, most] of [[asV4, 4], [override, 1]] as const) {
    const watch = new Watch();
    await withStream((engine) => pass(engine, { insert: watch.insert(engine) }), async (stream) => {
      await stream.insert(ramp(1_000), { maxPoints: 50 });
      assertEquals(await stream.count(), 1_000n);
    });
    assertEquals([watch.most, watch.now, watch.sent.length], [most, 0, 20]);
  }
});

Deno.test("Stream.insert: a request that goes on with the time of the last one waits for it", async () => {
  const watch = new Watch();
  await withStream((engine) => asV4(engine, { insert: watch.insert(engine) }), async (stream) => {
    const points = Array.from({ length: 200 }, (_, i): [bigint, number] => [7n, i]);
    await stream.insert(points, { maxPoints: 10 });
    const { values } = await stream.rawValues(0n, 9n).collect();
    assertEquals([...values], points.map(([, value]) => value));
  });
  assertEquals([watch.most, watch.sent.length], [1, 20]);
});

Deno.test("Stream.insert: no request is larger than the server takes", async () => {
  const watch = new Watch();
  await withStream((engine) => asV4(engine, { insert: watch.insert(engine) }), async (stream) => {
    await stream.insert(ramp(60_000), { maxPoints: 1_000_000 });
  });
  assertEquals(watch.sent, [25_000, 25_000, 10_000]);
});

Deno.test("Stream.insert: a failure says how many points are stored, and nothing more is sent", async () => {
  let calls = 0;
  const cause = new BTrDBError("the disk is full", {
    code: 434,
    rpc: "Insert",
    uuid: "u",
    retryable: true,
  });
  await withStream((engine) =>
    asV4(engine, {
      insert: async (request, options) => {
        if (++calls === 3) throw cause;
        return await engine.insert(request, options);
      },
    }), async (stream) => {
    const progress: InsertProgress[] = [];
    const error = await assertRejects(
      () => stream.insert(ramp(100), { maxPoints: 10, onProgress: (step) => progress.push(step) }),
      BTrDBError,
    );
    const stored = Number(await stream.count());
    assert(stored >= 20 && stored <= 50, `${stored}`);
    assertEquals(error.message, `the disk is full (${stored} of 100 points are stored)`);
    assertEquals([error.code, error.rpc, error.uuid, error.retryable], [434, "Insert", "u", true]);
    assertStrictEquals(error.cause, cause);
    assertEquals(progress.at(-1)?.stored, stored);
  });
});

Deno.test("Stream.insert: a failure of the first request is handed on as it is", async () => {
  const cause = new BTrDBError("no", { code: 404 });
  await withStream(
    (engine) => asV4(engine, { insert: () => Promise.reject(cause) }),
    async (stream) => {
      const error = await stream.insert([[1n, 1]]).catch((thrown) => thrown);
      assertStrictEquals(error, cause);
    },
  );
});

Deno.test("Stream.insert: a callback or a source that throws ends the insert with its error", async () => {
  await withStream((engine) => engine, async (stream) => {
    const oops = new Error("oops");
    const progress = () => {
      throw oops;
    };
    assertStrictEquals(
      await stream.insert([[1n, 1]], { onProgress: progress }).catch((thrown) => thrown),
      oops,
    );
    async function* source(): AsyncIterable<RawColumns> {
      yield await Promise.resolve(ramp(1));
      throw oops;
    }
    assertStrictEquals(await stream.insert(source()).catch((thrown) => thrown), oops);
  });
});

Deno.test("Stream.insert: options out of range are refused before anything is sent", async () => {
  await withStream((engine) => engine, async (stream) => {
    const wrong: [object, string][] = [
      [{ mergePolicy: "sum" }, 'mergePolicy is "sum", expected one of "never", "equal"'],
      [{ maxPoints: 0 }, "maxPoints is 0, expected an integer from 1"],
      [{ pointwidth: 64 }, "pointwidth is 64"],
      [{ roundBits: -1 }, "roundBits is -1"],
    ];
    for (const [options, message] of wrong) {
      await assertRejects(() => stream.insert([[1n, 1]], options), RangeError, message);
    }
    assertEquals(await stream.count(), 0n);
  });
});

// Columns over memory that the caller made smaller between two requests: what was left of them was stored
// as if it were all, and values that were gone were zeros.
Deno.test("Stream.insert: columns whose memory shrinks between two requests are an error, and no other points are stored", async () => {
  const n = 1000, requestPoints = 100;
  for (const shrunk of [["times"], ["values"], ["times", "values"]] as const) {
    for (const isTracking of [false, true]) {
      await using db = new BTrDB(await openEngine());
      const stream = await db.create(crypto.randomUUID(), "shrinks");
      const memory = {
        times: new ArrayBuffer(8 * n, { maxByteLength: 8 * n }),
        values: new ArrayBuffer(8 * n, { maxByteLength: 8 * n }),
      };
      const length = isTracking ? undefined : n;
      const columns = {
        times: new BigInt64Array(memory.times, 0, length),
        values: new Float64Array(memory.values, 0, length),
      };
      for (let i = 0; i < n; i++) [columns.times[i], columns.values[i]] = [BigInt(i), i + 1];
      const onProgress = () => {
        for (const name of shrunk) memory[name].resize(1200);
      };
      await assertRejects(
        () => stream.insert(columns, { maxPoints: requestPoints, onProgress }),
        TypeError,
        `values are left of ${n} points`,
      );
      const { times, values } = await stream.rawValues(0n, BigInt(n)).collect();
      assertEquals(times, BigInt64Array.from({ length: requestPoints }, (_, i) => BigInt(i)));
      assertEquals(values, Float64Array.from({ length: requestPoints }, (_, i) => i + 1));
    }
  }
});
