import {
  BTrDB,
  BTrDBError,
  connect,
  DAY,
  ErrorCode,
  MAX_TIME,
  MIN_TIME,
  SECOND,
  type Stream,
} from "@btrdb/btrdb";
import { distil, type DistilDefinition, listDistillates } from "@btrdb/btrdb/distil";
import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { endpointOf } from "../../../src/client/endpoint_of.ts";
import { uuidText } from "../../../src/core/uuid.ts";
import { openEngine } from "../../../src/engine/mod.ts";
import { withFolder } from "../../support/run.ts";
import { asV4, override } from "../../support/override_endpoint.ts";

type Pairs = readonly (readonly [bigint, number])[];

async function input(db: BTrDB, name: string, points: Pairs): Promise<Stream> {
  const stream = await db.create(crypto.randomUUID(), "in", { tags: { name } });
  if (points.length > 0) await stream.insert(points);
  return stream;
}

async function output(db: BTrDB, name: string): Promise<Stream> {
  const [stream] = await Array.fromAsync(db.lookupStreams("out", { tags: { name } }));
  return stream!;
}

async function pairsOf(stream: Stream): Promise<[bigint, number][]> {
  const { times, values } = await stream.rawValues(MIN_TIME, MAX_TIME).collect();
  return Array.from(times, (time, i) => [time, values[i]!]);
}

/** Waiting for a moment that the test chooses. */
function gate(): { open: () => void; passed: Promise<void> } {
  const { promise, resolve } = Promise.withResolvers<void>();
  return { open: resolve, passed: promise };
}

/** The input, doubled. */
function doubled(own: Partial<DistilDefinition> = {}): DistilDefinition {
  return {
    name: "doubled",
    version: "1",
    inputs: { a: "in/a" },
    outputs: { b: "out/b" },
    compute: ({ inputs }) => {
      const { times, values } = inputs["a"]!;
      return { b: { times, values: values.map((value) => 2 * value) } };
    },
    ...own,
  };
}

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

Deno.test("distil: after an error of compute the notes are as before, and the next run does it all", async () => {
  await using db = await connect("memory:");
  const a = await input(db, "a", [[1n, 1]]);
  let fails = false;
  const plain = doubled();
  const one = distil(db, {
    ...plain,
    compute: (range) => {
      if (fails) throw new Error("no luck");
      return plain.compute(range);
    },
  });
  await one.run();
  await a.insert([[2n, 2]]);
  fails = true;
  const error = await assertRejects(() => one.run(), Error, "compute failed: no luck");
  assertEquals((error.cause as Error).message, "no luck");
  assertEquals((await one.status()).lease, null, "the lease was given back");
  assertEquals(await pairsOf(await output(db, "b")), [[1n, 2]]);
  fails = false;
  await one.run();
  assertEquals(await pairsOf(await output(db, "b")), [[1n, 2], [2n, 4]]);
});

Deno.test("distil: an output belongs to one definition", async () => {
  await using db = await connect("memory:");
  await input(db, "a", [[1n, 1]]);
  const two = { b: "out/b", c: "out/c" };
  const compute: DistilDefinition["compute"] = ({ inputs: { a } }) => ({ b: a!, c: a! });
  await distil(db, doubled({ outputs: two, compute })).run();
  const refused = async (own: Partial<DistilDefinition>, text: string): Promise<void> => {
    const error = await assertRejects(() => distil(db, doubled(own)).run(), BTrDBError, text);
    assertEquals(error.code, ErrorCode.ObjectInUse);
  };
  await refused({ name: "other" }, 'belongs to "doubled"');
  await refused({ name: "other", outputs: { b: "out/c" } }, 'belongs to "doubled"');
  await refused({ name: "other", outputs: { d: "out/d", b: "out/c" } }, 'belongs to "doubled"');
  await refused({ name: "other", outputs: { d: "out/d", b: "out/b" } }, 'belongs to "doubled"');
  const known = await Array.fromAsync(listDistillates(db));
  assertEquals(known.map(({ name }) => name).sort(), ["doubled"]);
});

Deno.test("distil: outputs that were obliterated are made again, and marks left by them are old", async () => {
  await using db = await connect("memory:");
  await input(db, "a", [[1n, 1]]);
  const two = { b: "out/b", c: "out/c" };
  const compute: DistilDefinition["compute"] = ({ inputs: { a } }) => ({ b: a!, c: a! });
  const one = distil(db, doubled({ outputs: two, compute }));
  await one.run();
  for (const name of ["b", "c"]) {
    await (await output(db, name)).obliterate();
    assert((await one.run()).full, name);
    for (const name of ["b", "c"]) assertEquals(await pairsOf(await output(db, name)), [[1n, 1]]);
  }
  // An output that is given up by one definition may become the first one of another.
  await distil(db, doubled()).run();
  await distil(db, doubled({ name: "other", outputs: { b: "out/c" } })).run();
  assertEquals(await pairsOf(await output(db, "c")), [[1n, 2]]);
});

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
    const options = { intervalMs: 1, leaseMs: 5000, signal: stop.signal };
    for await (const _ of distil(own, plain).follow(options)) { /* It goes on until the end. */ }
  };
  const followers = [0, 1, 2].map((runner) =>
    follow(runner).catch((error) => {
      if (error !== stop.signal.reason) throw error;
    })
  );
  const all: [bigint, number][] = [[0n, 0]];
  for (let i = 1; i <= 60; i++) {
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
  while ((await one.status()).state !== "current") await new Promise((go) => setTimeout(go, 5));
  stop.abort(new Error("enough"));
  await Promise.all(followers);
  assertEquals(await pairsOf(await output(db, "b")), all.map(([time, value]) => [time, 2 * value]));
  assert(writers.size > 1, "more than one of them wrote");
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
  const running = first.run({ leaseMs: 1000 });
  await reached.passed;
  const error = await assertRejects(
    () => second.run({ leaseMs: 1000 }),
    BTrDBError,
    "has the lease",
  );
  assertEquals([error.status, error.retryable], ["LEASED", true]);
  assert((await second.status()).lease !== null);
  assertEquals((await second.status()).state, "unfinished");
  await assertRejects(() => first.run(), TypeError, "it is running already");
  // The first runner sleeps past the end of its lease, and the second one takes over and finishes.
  for await (const { written } of second.follow({ intervalMs: 20, leaseMs: 1000 })) {
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
  const running = distil(paused, doubled()).run({ leaseMs: 1000 });
  await reached.passed;
  const second = distil(db, doubled());
  for await (const _ of second.follow({ intervalMs: 20, leaseMs: 1000 })) break;
  assertEquals((await second.run()).current, true);
  go.open();
  await assertRejects(() => running, BTrDBError, "another runner has taken the lease");
  const b = await output(db, "b");
  assertEquals(await pairsOf(b), [[1n, 2], [1n, 2], [2n, 4], [2n, 4]], "the late insert");
  assertEquals((await second.run()).repaired, 1);
  assertEquals(await pairsOf(b), [[1n, 2], [2n, 4]]);
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

Deno.test("distil: annotations of others on the first output do not disturb a run", async () => {
  await using db = await connect("memory:");
  await input(db, "a", [[1n, 1]]);
  const plain = doubled();
  await distil(db, {
    ...plain,
    compute: async (range) => {
      await (await output(db, "b")).setAnnotations({ note: "busy" });
      return plain.compute(range);
    },
  }).run();
  const [annotations] = await (await output(db, "b")).annotations();
  assertEquals([annotations["note"], annotations["distil.lease"]], ["busy", undefined]);
});

Deno.test("distil: notes that are damaged lead to a full computation", async () => {
  await using db = await connect("memory:");
  await input(db, "a", [[1n, 1]]);
  await distil(db, doubled()).run();
  const b = await output(db, "b");
  const damages = {
    "distil.in.0": "a b",
    "distil.out.0": null,
    "distil.reach": "x y",
    "distil.at": "z",
  };
  for (const [key, value] of Object.entries(damages)) {
    await b.setAnnotations({ [key]: value });
    const { full, written } = await distil(db, doubled()).run();
    assertEquals([full, written], [true, 0], key);
  }
});

Deno.test("distil: notes that no run can have made lead to a full computation, and not to an error", async () => {
  await using db = await connect("memory:");
  const a = await input(db, "a", [[1n, 1]]);
  await distil(db, doubled()).run();
  await a.insert([[2n, 2]]);
  await distil(db, doubled()).run();
  const b = await output(db, "b");
  const [notes] = await b.annotations();
  const changed = (key: string, at: number, word: string) =>
    notes[key]!.split(" ").with(at, word).join(" ");
  const numbers = [
    "-1",
    "NaN",
    "1e3",
    "Infinity",
    String(2n ** 63n),
    String(2n ** 70n),
    "9".repeat(20),
  ];
  const forged: [string, string][] = [
    ...numbers.map((n): [string, string] => ["distil.in.0", changed("distil.in.0", 2, n)]),
    ...numbers.map((n): [string, string] => ["distil.in.0", changed("distil.in.0", 4, n)]),
    ...numbers.map((n): [string, string] => ["distil.out.0", changed("distil.out.0", 2, n)]),
    ...numbers.map((n): [string, string] => ["distil.at", n]),
    ["distil.at", String(MIN_TIME - 1n)],
    ["distil.at", String(MAX_TIME + 1n)],
    ["distil.reach", "-1 0"],
    ["distil.in.0", changed("distil.in.0", 3, "a".repeat(100))],
  ].filter(([, value]) => value !== "-1") as [string, string][];
  for (const [key, value] of forged) {
    await b.setAnnotations({ [key]: value });
    await a.insert([[3n, 3]]);
    await distil(db, doubled()).run();
    assertEquals((await pairsOf(b)).slice(0, 3), [[1n, 2], [2n, 4], [3n, 6]], `${key}: ${value}`);
    await a.deleteRange(3n, 4n);
    await distil(db, doubled()).run();
    assertEquals(await pairsOf(b), [[1n, 2], [2n, 4]], `${key}: ${value}`);
  }
  // A job whose target is before what was done.
  const [now] = await b.annotations();
  const words = now["distil.in.0"]!.split(" ");
  await b.setAnnotations({ "distil.in.0": words.with(4, "1").join(" "), "distil.at": "0" });
  await a.insert([[3n, 3]]);
  await distil(db, doubled()).run();
  assertEquals(await pairsOf(b), [[1n, 2], [2n, 4], [3n, 6]]);
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

Deno.test("distil: a database restored from a backup is computed anew, although its versions fit", async () => {
  await withFolder(async (folder) => {
    const path = `file:${folder}/a.btrdb`;
    {
      await using db = await connect(path);
      await input(db, "a", [[1n, 1]]);
      await distil(db, doubled()).run();
    }
    await Deno.copyFile(`${folder}/a.btrdb`, `${folder}/backup`);
    {
      await using db = await connect(path);
      const [a] = await Array.fromAsync(db.lookupStreams("in"));
      await a!.insert([[2n, 2]]);
      await distil(db, doubled()).run();
    }
    // The notes of the later state, on the inputs of the earlier one with another history.
    await using db = await connect(path);
    const notes = (await (await output(db, "b")).annotations())[0];
    await Deno.copyFile(`${folder}/backup`, `${folder}/b.btrdb`);
    await using old = await connect(`file:${folder}/b.btrdb`);
    const [a] = await Array.fromAsync(old.lookupStreams("in"));
    await a!.insert([[7n, 7]]);
    await a!.flush();
    await a!.insert([[8n, 8]]);
    const b = await output(old, "b");
    await b.insert([[2n, 4]]);
    await b.flush();
    await b.setAnnotations(notes);
    assert((await distil(old, doubled()).run()).full);
    assertEquals(await pairsOf(b), [[1n, 2], [7n, 14], [8n, 16]]);
  });
});

Deno.test("distil: versions that go back, and versions that were pruned, are computed anew", async () => {
  await using db = await connect("memory:");
  const a = await input(db, "a", [[1n, 1]]);
  const one = distil(db, doubled());
  await one.run();
  const b = await output(db, "b");
  const { "distil.in.0": note } = (await b.annotations())[0];
  await b.setAnnotations({ "distil.in.0": note!.replace(" 11 ", " 99 ") });
  assert((await distil(db, doubled()).run()).full);
  await a.insert([[2n, 2]]);
  await a.prune(await a.flush());
  assert((await one.run()).full);
  assertEquals(await pairsOf(b), [[1n, 2], [2n, 4]]);
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
