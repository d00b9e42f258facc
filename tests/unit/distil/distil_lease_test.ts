/** Several runners of one distillate: the lease, and writes of others. */

import { BTrDB, BTrDBError, connect, MAX_TIME, MIN_TIME } from "@btrdb/btrdb";
import { distil } from "@btrdb/btrdb/distil";
import { assert, assertEquals, assertRejects } from "@std/assert";
import { endpointOf } from "../../../src/client/endpoint_of.ts";
import { later } from "../../support/clock.ts";
import { doubled, gate, input, output, pairsOf } from "../../support/distil.ts";
import { override } from "../../support/override_endpoint.ts";
import { until } from "../../support/until.ts";

/** Length of a lease that no machine is too slow for. */
const LEASE_MS = 600_000;

Deno.test("distil: of many runners that follow, only one that has the lease ever writes", async () => {
  await using db = await connect("memory:");
  const a = await input(db, "a", [[0n, 0]]);
  const endpoint = endpointOf(db);
  const plain = doubled();
  const stop = new AbortController();
  const writers = new Set<string>();
  const follow = async (runner: number): Promise<void> => {
    let lease = "";
    const checked = async (): Promise<void> => {
      const [annotations] = await (await output(db, "b")).annotations();
      assertEquals(annotations["distil.lease"], lease, `runner ${runner} writes under its lease`);
      writers.add(lease.split(" ")[0]!);
    };
    const own = new BTrDB(override(endpoint, {
      async setAnnotations(request, options) {
        await endpoint.setAnnotations(request, options);
        lease = request.changes.get("distil.lease") ?? "";
      },
      async insert(request, options) {
        await checked();
        return await endpoint.insert(request, options);
      },
      async deleteRange(request, options) {
        await checked();
        return await endpoint.deleteRange(request, options);
      },
    }));
    const options = { intervalMs: 1, leaseMs: 600_000, signal: stop.signal };
    for await (const _ of distil(own, plain).follow(options)) { /* It goes on until the end. */ }
  };
  const followers = [0, 1, 2].map((runner) =>
    follow(runner).catch((error) => {
      if (error !== stop.signal.reason) throw error;
    })
  );
  const all: [bigint, number][] = [[0n, 0]];
  for (let i = 1; i <= 60 || writers.size < 2; i++) {
    assert(i < 10_000, "more than one of them writes");
    all.push([BigInt(i), i]);
    await a.insert([[BigInt(i), i]]);
    if (i % 7 === 0) {
      await a.deleteRange(BigInt(i - 3), BigInt(i - 1));
      const gone = (time: bigint) => time >= BigInt(i - 3) && time < BigInt(i - 1);
      all.splice(0, all.length, ...all.filter(([time]) => !gone(time)));
    }
    await new Promise((resolve) => setTimeout(resolve, i % 5));
  }
  const one = distil(db, plain);
  await until("everything is computed", async () => (await one.status()).state === "current");
  stop.abort(new Error("enough"));
  await Promise.all(followers);
  assertEquals(await pairsOf(await output(db, "b")), all.map(([time, value]) => [time, 2 * value]));
});

Deno.test("distil: while one runner has the lease another is told so, and takes over after its end", async () => {
  await using db = await connect("memory:");
  await input(db, "a", [[1n, 1]]);
  const [reached, go] = [gate(), gate()];
  const plain = doubled();
  const first = distil(db, {
    ...plain,
    compute: async (range) => {
      reached.open();
      await go.passed;
      return plain.compute(range);
    },
  });
  const second = distil(db, plain);
  const running = first.run({ leaseMs: LEASE_MS });
  await reached.passed;
  const error = await assertRejects(
    () => second.run({ leaseMs: LEASE_MS }),
    BTrDBError,
    "has the lease",
  );
  assertEquals([error.status, error.retryable], ["LEASED", true]);
  assert((await second.status()).lease !== null);
  assertEquals((await second.status()).state, "unfinished");
  await assertRejects(() => first.run(), TypeError, "it is running already");
  // The first runner sleeps past the end of its lease, and the second one takes over and finishes.
  using _clock = later(2 * LEASE_MS);
  for await (const { written } of second.follow({ intervalMs: 20, leaseMs: LEASE_MS })) {
    assertEquals(written, 1);
    break;
  }
  go.open();
  const lost = await assertRejects(() => running, BTrDBError, "another runner has taken the lease");
  assertEquals([lost.status, lost.retryable], ["LEASE_LOST", true]);
  assertEquals(await pairsOf(await output(db, "b")), [[1n, 2]]);
});

Deno.test("distil: an insert of a paused runner that arrives when another has taken over doubles nothing for long", async () => {
  // No database refuses a write that was sent under a lease that has ended since. The next run finds it.
  await using db = await connect("memory:");
  await input(db, "a", [[1n, 1], [2n, 2]]);
  const [reached, go] = [gate(), gate()];
  const endpoint = endpointOf(db);
  const paused = new BTrDB(override(endpoint, {
    async insert(request) {
      reached.open();
      await go.passed;
      return await endpoint.insert(request);
    },
  }));
  const running = distil(paused, doubled()).run({ leaseMs: LEASE_MS });
  await reached.passed;
  const second = distil(db, doubled());
  using _clock = later(2 * LEASE_MS);
  for await (const _ of second.follow({ intervalMs: 20, leaseMs: LEASE_MS })) break;
  assertEquals((await second.run()).current, true);
  go.open();
  await assertRejects(() => running, BTrDBError, "another runner has taken the lease");
  const b = await output(db, "b");
  assertEquals(await pairsOf(b), [[1n, 2], [1n, 2], [2n, 4], [2n, 4]], "the late insert");
  assertEquals((await second.run()).repaired, 1);
  assertEquals(await pairsOf(b), [[1n, 2], [2n, 4]]);
});

/** A database where the answer to each of the first changes of annotations alone takes some leases. */
function slowRenewals(db: BTrDB, slow: number): { db: BTrDB } & Disposable {
  const endpoint = endpointOf(db);
  const clocks = new DisposableStack();
  const own = new BTrDB(override(endpoint, {
    async setAnnotations(request, options) {
      const answer = await endpoint.setAnnotations(request, options);
      const isRenewal = [...request.changes.keys()].join() === "distil.lease";
      if (isRenewal && slow-- > 0) clocks.use(later(2 * LEASE_MS));
      return answer;
    },
  }));
  return { db: own, [Symbol.dispose]: () => clocks.dispose() };
}

// On a machine so busy that making a lease of 1 s longer took 1 s, a run failed and said that another
// runner had taken it, though there was none.
Deno.test("distil: a lease that ends while it is made longer, and that nobody took, is made longer again", async () => {
  await using db = await connect("memory:");
  await input(db, "a", [[1n, 1], [2n, 2]]);
  const plain = doubled();
  const run = async (slow: number, version: string): Promise<number> => {
    using slowed = slowRenewals(db, slow);
    using clocks = new DisposableStack();
    const { written } = await distil(slowed.db, {
      ...plain,
      version,
      compute: (range) => {
        clocks.use(later(0.6 * LEASE_MS));
        return plain.compute(range);
      },
    }).run({ leaseMs: LEASE_MS });
    return written;
  };
  assertEquals(await run(3, "1"), 2);
  assertEquals(await pairsOf(await output(db, "b")), [[1n, 2], [2n, 4]]);
  await (await output(db, "b")).deleteRange(MIN_TIME, MAX_TIME);
  const error = await assertRejects(
    () => run(Infinity, "2"),
    BTrDBError,
    "before it is made longer",
  );
  assertEquals([error.status, error.retryable], ["LEASE_LOST", true]);
});

Deno.test("distil: a foreign write between the insert and its check is seen, and computed over", async () => {
  await using db = await connect("memory:");
  await input(db, "a", [[1n, 1], [9n, 9]]);
  const endpoint = endpointOf(db);
  let disturbances = 0;
  const disturbed = (most: number): BTrDB =>
    new BTrDB(override(endpoint, {
      async insert(request, options) {
        const version = await endpoint.insert(request, options);
        const columns = { times: BigInt64Array.of(5n), values: Float64Array.of(5) };
        if (disturbances++ < most) await endpoint.insert({ ...request, columns });
        return version;
      },
      async deleteRange(request, options) {
        const version = await endpoint.deleteRange(request, options);
        const columns = { times: BigInt64Array.of(5n), values: Float64Array.of(5) };
        if (disturbances++ < most) await endpoint.insert({ uuid: request.uuid, columns });
        return version;
      },
    }));
  await distil(disturbed(2), doubled()).run();
  assertEquals(await pairsOf(await output(db, "b")), [[1n, 2], [9n, 18]]);
  disturbances = 0;
  const again = distil(
    disturbed(Infinity),
    doubled({ version: "2", compute: ({ inputs: { a } }) => ({ b: a! }) }),
  );
  const error = await assertRejects(
    () => again.run(),
    BTrDBError,
    "holds other points than were written",
  );
  assertEquals(error.status, "FOREIGN_POINTS");
  assertEquals((await again.status()).lease, null);
  await distil(db, doubled()).run();
  assertEquals(await pairsOf(await output(db, "b")), [[1n, 2], [9n, 18]]);
});

Deno.test("distil: a lease that no runner can have taken keeps nobody out", async () => {
  await using db = await connect("memory:");
  await input(db, "a", [[1n, 1]]);
  await distil(db, doubled()).run();
  const b = await output(db, "b");
  const soon = Date.now() + 600_000;
  for (
    const lease of [
      `x 1 ${"9".repeat(20)}`,
      `x 1 ${2n ** 62n}`,
      `x 1 ${soon + 1e9}`,
      `x -5 ${soon}`,
      `x ${"9".repeat(20)} ${soon}`,
      `x ${2n ** 63n} ${soon}`,
      `x NaN ${soon}`,
    ]
  ) {
    await b.setAnnotations({ "distil.lease": lease });
    const { full } = await distil(db, doubled({ version: lease.slice(0, 50) })).run();
    assertEquals(full, true, lease);
  }
  // The last number that a lease can have, and one that is held: its epoch goes on from there.
  await b.setAnnotations({ "distil.lease": `x ${2n ** 63n - 1n} ${Date.now() - 100_000}` });
  let seen: string | null | undefined;
  const plain = doubled({ version: "2" });
  await distil(db, {
    ...plain,
    compute: async (range) => {
      seen = (await b.annotations())[0]["distil.lease"];
      return plain.compute(range);
    },
  }).run();
  assert(/^\S+ \d{1,19} \d+$/.test(seen ?? ""), String(seen));
  await b.setAnnotations({ "distil.lease": `x 7 ${soon}` });
  assertEquals(
    (await assertRejects(() => distil(db, doubled()).run(), BTrDBError)).status,
    "LEASED",
  );
});
