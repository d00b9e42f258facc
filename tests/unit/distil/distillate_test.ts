/** Runs of a distillate: what they compute, what they refuse, how much they read. */

import {
  BTrDB,
  BTrDBError,
  connect,
  DAY,
  ErrorCode,
  MAX_TIME,
  MIN_TIME,
  SECOND,
} from "@btrdb/btrdb";
import { distil, type DistilDefinition } from "@btrdb/btrdb/distil";
import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { uuidText } from "../../../src/core/uuid.ts";
import { openEngine } from "../../../src/engine/mod.ts";
import { doubled, input, output, pairsOf } from "../../support/distil.ts";
import { asV4 } from "../../support/override_endpoint.ts";

Deno.test("distil: an argument that is wrong is named, before anything is asked", async () => {
  await using db = await connect("memory:");
  const wrong = (own: Record<string, unknown>, text: string, type = RangeError): void => {
    assertThrows(() => distil(db, doubled(own as Partial<DistilDefinition>)), type, text);
  };
  wrong({ name: "" }, 'name is "", expected 1 to 200 bytes');
  wrong({ version: 1 }, "version is 1, expected a string", TypeError);
  wrong({ inputs: {} }, "there are 0 inputs, expected 1 to 64");
  wrong({ inputs: { "a b": "in/a" } }, 'inputs has the name "a b"');
  wrong({ outputs: { b: 5 } }, "outputs.b is 5, expected a stream", TypeError);
  wrong({ lookback: 5 }, "lookback is 5, expected a bigint", TypeError);
  wrong({ lookahead: -1n }, "lookahead is -1, expected 0 to 2^62");
  wrong({ compute: "x" }, 'compute is "x", expected a function', TypeError);
  assertThrows(() => distil({} as BTrDB, doubled()), TypeError, "db is an object");
  const one = distil(db, doubled());
  await assertRejects(() => one.run({ maxPoints: 10 }), RangeError, "maxPoints is 10");
  await assertRejects(() => one.run({ leaseMs: 5 }), RangeError, "leaseMs is 5");
  assertThrows(() => one.follow({ intervalMs: 0 }), RangeError, "intervalMs is 0");
});

Deno.test("distil: an input that does not exist is 404 by its name, and nothing is made", async () => {
  await using db = await connect("memory:");
  const error = await assertRejects(
    () => distil(db, doubled()).run(),
    BTrDBError,
    'inputs.a is "in/a"',
  );
  assertEquals(error.code, ErrorCode.NoSuchStream);
  assertEquals(await Array.fromAsync(db.listCollections()), []);
});

Deno.test("distil: an output that is an input too is refused", async () => {
  await using db = await connect("memory:");
  await input(db, "a", [[1n, 1]]);
  const error = () => distil(db, doubled({ outputs: { b: "in/a" } })).run();
  await assertRejects(error, RangeError, "as inputs.a is, expected another stream");
});

Deno.test("distil: what is computed follows inserts, corrections, deletions, and deletion of everything", async () => {
  await using db = await connect("memory:");
  const a = await input(db, "a", []);
  const b = distil(db, doubled());
  const state = async () => (await b.status()).state;
  assertEquals(await state(), "new");
  await b.run();
  assertEquals(await pairsOf(await output(db, "b")), []);
  await a.insert([[1n, 1], [2n, 2], [1n << 58n, 3]]);
  assertEquals(await state(), "behind");
  await b.run();
  assertEquals(await pairsOf(await output(db, "b")), [[1n, 2], [2n, 4], [1n << 58n, 6]]);
  assertEquals(await state(), "current");
  await a.patch([[2n, 20]]);
  await a.deleteRange(1n, 2n);
  await b.run();
  assertEquals(await pairsOf(await output(db, "b")), [[2n, 40], [1n << 58n, 6]]);
  await a.deleteRange(MIN_TIME, MAX_TIME);
  await b.run();
  assertEquals(await pairsOf(await output(db, "b")), []);
  await a.insert([[7n, 7]]);
  await b.run();
  assertEquals(await pairsOf(await output(db, "b")), [[7n, 14]]);
});

Deno.test("distil: points that vanish unreported are found: all deleted, and new ones beside them", async () => {
  // `changes` reports new nodes only; the node that held the deleted points is gone with them.
  await using db = await connect("memory:");
  const a = await input(db, "a", [[-19n << 50n, 1], [300n, 2]]);
  const b = distil(db, doubled());
  await b.run();
  const version = await a.version();
  await a.deleteRange(MIN_TIME, MAX_TIME);
  await a.insert([[300n, 5]]);
  const changed = await Array.fromAsync(a.changes(version, await a.flush(), 0));
  assert(changed.every(({ start }) => start > -19n << 50n), "the premise: it is not reported");
  await b.run();
  assertEquals(await pairsOf(await output(db, "b")), [[300n, 10]]);
});

Deno.test("distil: one late point in a year is worked in by less than a thousandth of the reading", async () => {
  await using db = await connect("memory:");
  // A year of a point every 15 s, and a moving range of 5 minutes.
  const [n, step, start] = [2_102_400, 15n * SECOND, 1_700_000_000n * SECOND];
  const a = await input(db, "a", []);
  await a.insert({
    times: BigInt64Array.from({ length: n }, (_, i) => start + BigInt(i) * step),
    values: Float64Array.from({ length: n }, (_, i) => i % 1000),
  });
  const lookback = 300n * SECOND;
  const one = distil(
    db,
    doubled({ lookback, compute: ({ inputs, clip }) => ({ b: clip(inputs["a"]!) }) }),
  );
  const full = await one.run();
  assertEquals([full.full, full.written], [true, n]);
  await a.insert([[start + 200n * DAY + 1n, 5]]);
  const { read, compared, written, full: again } = await one.run();
  assertEquals([again, written], [false, 1]);
  const part = (read + compared) / (full.read + full.compared);
  assert(part < 0.001, `read ${read} and ${compared} points, ${(100 * part).toFixed(4)} %`);
});

Deno.test("distil: another version of the code, reach or inputs computes everything anew", async () => {
  await using db = await connect("memory:");
  await input(db, "a", [[1n, 1], [2n, 2]]);
  await input(db, "c", [[5n, 5]]);
  await distil(db, doubled()).run();
  const tripled = doubled({
    version: "2",
    compute: ({ inputs }) => {
      const { times, values } = inputs["a"]!;
      return { b: { times, values: values.map((value) => 3 * value) } };
    },
  });
  assertEquals((await distil(db, tripled).status()).state, "changed");
  assert((await distil(db, tripled).run()).full);
  assertEquals(await pairsOf(await output(db, "b")), [[1n, 3], [2n, 6]]);
  assert((await distil(db, { ...tripled, lookback: 1n }).run()).full);
  assert((await distil(db, { ...tripled, lookback: 1n, inputs: { a: "in/c" } }).run()).full);
  assertEquals(await pairsOf(await output(db, "b")), [[5n, 15]]);
});

Deno.test("distil: NaN is left out and counted; infinity, wrong times and wrong shapes are errors", async () => {
  await using db = await connect("memory:");
  await input(db, "a", [[1n, 1], [2n, 2]]);
  const nan = doubled({
    compute: ({ inputs }) => {
      const { times } = inputs["a"]!;
      return { b: { times, values: Float64Array.of(NaN, 8) } };
    },
  });
  assertEquals((await distil(db, nan).run()).leftOut, 1);
  assertEquals(await pairsOf(await output(db, "b")), [[2n, 8]]);
  const columns = (times: bigint[], values: number[]) => ({
    times: BigInt64Array.from(times),
    values: Float64Array.from(values),
  });
  const wrong = async (result: unknown, text: string): Promise<void> => {
    const definition = doubled({ version: text.slice(0, 99), compute: () => result as never });
    await assertRejects(() => distil(db, definition).run(), Error, text);
  };
  await wrong({ b: columns([1n], [Infinity]) }, "values[0] of output b is Infinity");
  await wrong({ b: columns([0n], [1]) }, "times[0] of output b is 0");
  await wrong({ b: columns([1n, 3n], [1, 1]) }, "times[1] of output b is 3");
  await wrong({ b: columns([2n, 1n], [1, 1]) }, "times[1] of output b is 1, expected at least");
  await wrong({ b: columns([1n], []) }, "output b has 1 times and 0 values");
  await wrong({ b: { times: [1n], values: [1] } }, "output b is an object, expected { times");
  await wrong({}, "output b is undefined");
  await wrong({ b: columns([], []), c: columns([], []) }, 'compute returned "c"');
  await wrong(null, "compute returned null");
});

Deno.test("distil: without flush, points count when they are committed", async () => {
  await using db = await connect("memory:");
  const a = await input(db, "a", [[1n, 1]]);
  const one = distil(db, doubled());
  await one.run({ flush: false });
  assertEquals(await pairsOf(await output(db, "b")), []);
  assertEquals((await a.fullVersion()).minor, 1n);
  assertEquals((await one.status()).state, "behind");
  await a.flush();
  await one.run({ flush: false });
  assertEquals(await pairsOf(await output(db, "b")), [[1n, 2]]);
});

Deno.test("distil: a delete that a 4.15 server does not report is found by the version after", async () => {
  const engine = await openEngine();
  // After a delete by another client it reports the version before, until points are committed.
  let [hidden, uuid] = [0n, ""];
  await using db = new BTrDB(asV4(engine, {
    async streamInfo(request, options) {
      const info = await engine.streamInfo(request, options);
      if (info.version === undefined || uuidText(request.uuid) !== uuid) return info;
      return {
        ...info,
        version: { major: info.version.major - hidden, minor: info.version.minor },
      };
    },
  }));
  const a = await input(db, "a", [[1n, 1], [2n, 2]]);
  const one = distil(db, doubled());
  await one.run();
  await new BTrDB(engine).streamFromUUID(a.uuid).deleteRange(1n, 2n);
  await new BTrDB(engine).streamFromUUID(a.uuid).deleteRange(5n, 6n);
  [hidden, uuid] = [2n, a.uuid];
  assertEquals(await a.version(), 11n, "the premise");
  const { inputs } = await one.run();
  assertEquals(inputs["a"], { from: 11n, to: 13n });
  assertEquals(await pairsOf(await output(db, "b")), [[2n, 4]]);
});

Deno.test("distil: memory is bounded: a long history is cut, and a reach that holds too much is an error", async () => {
  await using db = await connect("memory:");
  const n = 50_000;
  const a = await input(db, "a", []);
  await a.insert({
    times: BigInt64Array.from({ length: n }, (_, i) => BigInt(i)),
    values: new Float64Array(n).fill(1),
  });
  let most = 0;
  const plain = doubled();
  const counted = (own: Partial<DistilDefinition>): DistilDefinition => ({
    ...plain,
    ...own,
    compute: (range) => {
      most = Math.max(most, range.inputs["a"]!.times.length);
      return { b: range.clip(range.inputs["a"]!) };
    },
  });
  const parts: number[] = [];
  const onProgress = ({ part }: { part: number }) => parts.push(part);
  const { read } = await distil(db, counted({ lookback: 20n, lookahead: 20n })).run({
    maxPoints: 1000,
    onProgress,
  });
  assert(most < 10_000, `${most} points at a time`);
  assert(parts.length > 4 && parts.at(-1) === 1);
  assert(read < 2 * n + 20_000 * parts.length);
  assertEquals(await (await output(db, "b")).count(), BigInt(n));
  const wide = distil(db, counted({ lookahead: 40_000n }));
  await assertRejects(
    () => wide.run({ maxPoints: 1000 }),
    Error,
    "lookback and lookahead hold more than",
  );
});

Deno.test("distil: an abort ends a run with its reason, and follow ends when it is left", async () => {
  await using db = await connect("memory:");
  const a = await input(db, "a", [[1n, 1]]);
  const abort = new AbortController();
  const reason = new Error("enough");
  const one = distil(
    db,
    doubled({
      compute: () => {
        abort.abort(reason);
        throw new Error("stopped in the middle");
      },
    }),
  );
  assertEquals(await assertRejects(() => one.run({ signal: abort.signal }), Error), reason);
  assertEquals((await one.status()).lease, null);
  const two = distil(db, doubled());
  let runs = 0;
  for await (const { written } of two.follow({ intervalMs: 1 })) {
    assertEquals(written, 1);
    if (++runs === 3) break;
    await a.insert([[BigInt(runs + 1), 1]]);
  }
  await assertRejects(
    async () => {
      const signal = AbortSignal.abort(reason);
      for await (const _ of two.follow({ signal })) assert(false);
    },
    Error,
    "enough",
  );
});
