import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { getPriority } from "node:os";
import { Worker } from "node:worker_threads";
import { type CallOptions, delay } from "../../../src/core/call.ts";
import { BTrDBError } from "../../../src/core/errors.ts";
import { type Engine, openEngine, verify } from "../../../src/engine/mod.ts";
import { Heartbeat, type SilenceLimits } from "../../../src/engine/readers/heartbeat.ts";
import { ReaderPool } from "../../../src/engine/readers/reader_pool.ts";
import { ReaderThread } from "../../../src/engine/readers/reader_thread.ts";
import type { Endpoint, Readers } from "../../../src/endpoint/endpoint.ts";
import { uuidOf } from "../../support/engine.ts";
import { until } from "../../support/until.ts";

const UUID = uuidOf(1);
const FILE = { cacheBytes: 1 << 20, cacheStreams: 100 };

async function withFile(work: (engine: Engine, path: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    const path = `${folder}/readers.btrdb`;
    await using engine = await openEngine({ path });
    await engine.create({ uuid: UUID, collection: "c", tags: new Map(), annotations: new Map() });
    await work(engine, path);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

function points(from: number, n: number) {
  return {
    times: BigInt64Array.from({ length: n }, (_, i) => BigInt(from + i)),
    values: Float64Array.from({ length: n }, (_, i) => (from + i) / 2),
  };
}

async function read(db: Pick<Endpoint, "rawValues">, version = 0n) {
  const times: bigint[] = [];
  const versions = new Set<string>();
  for await (
    const chunk of db.rawValues({ uuid: UUID, start: 0n, end: 1n << 40n, version })
  ) {
    times.push(...chunk.columns.times);
    versions.add(`${chunk.version.major}.${chunk.version.minor}`);
  }
  return { times, versions: [...versions] };
}

const REQUEST = { uuid: UUID, start: 0n, end: 1n << 40n, version: 0n };

Deno.test("ReaderPool: a read sees every insert, delete and commit that was acknowledged before", async () => {
  await withFile(async (engine, path) => {
    const readers = await engine.openReaders(2);
    for (let i = 0; i < 60; i++) {
      await engine.insert({ uuid: UUID, columns: points(i * 10, 10) });
      if (i % 7 === 3) await engine.flush(UUID);
      if (i % 11 === 5) {
        await engine.deleteRange({ uuid: UUID, start: BigInt(i), end: BigInt(i + 9) });
      }
      assertEquals(await read(readers), await read(engine));
      const windows = { ...REQUEST, end: 600n, width: 7n, depth: 0 };
      assertEquals(
        await Array.fromAsync(readers.windows(windows)),
        await Array.fromAsync(engine.windows(windows)),
      );
      const aligned = { ...REQUEST, pointwidth: 4 };
      assertEquals(
        await Array.fromAsync(readers.alignedWindows(aligned)),
        await Array.fromAsync(engine.alignedWindows(aligned)),
      );
      const changes = { uuid: UUID, from: 10n, to: 0n, resolution: 0 };
      assertEquals(
        await Array.fromAsync(readers.changes(changes)),
        await Array.fromAsync(engine.changes(changes)),
      );
    }
    await readers.close();
    await engine.close();
    assertEquals((await verify(path)).problems, []);
  });
});

Deno.test("ReaderPool: a read that is under way keeps its version while points are written", async () => {
  await withFile(async (engine) => {
    await engine.insert({ uuid: UUID, columns: points(0, 200_000) });
    const readers = await engine.openReaders(1);
    let n = 0;
    const versions = new Set<bigint>();
    for await (const { version, columns } of readers.rawValues(REQUEST)) {
      n += columns.times.length;
      versions.add(version.major);
      await engine.insert({ uuid: UUID, columns: points(n, 10), mergePolicy: "never" });
      await engine.flush(UUID);
    }
    assertEquals([n, versions.size], [200_000, 1]);
  });
});

Deno.test("ReaderPool: errors keep their class, code and text", async () => {
  await withFile(async (engine) => {
    const readers = await engine.openReaders(1);
    const same = async (ask: (db: Omit<Readers, "frames">) => Promise<unknown>) => {
      const errors = [];
      for (const db of [engine, readers]) {
        const error = await assertRejects(() => ask(db), Error) as BTrDBError;
        errors.push([error.constructor, error.message, error.code, error.status, error.uuid]);
      }
      assertEquals(errors[1], errors[0]);
    };
    const all = (source: AsyncIterable<unknown>) => Array.fromAsync(source);
    await same((db) => all(db.rawValues({ ...REQUEST, uuid: uuidOf(9) })));
    await same((db) => all(db.rawValues({ ...REQUEST, start: 5n, end: 1n })));
    await same((db) => all(db.windows({ ...REQUEST, width: 0n, depth: 0 })));
    await same((db) => all(db.alignedWindows({ ...REQUEST, pointwidth: 99 })));
    await engine.insert({ uuid: UUID, columns: points(0, 10) });
    await engine.flush(UUID);
    await same((db) => all(db.rawValues({ ...REQUEST, version: 99n })));
    await same((db) => all(db.changes({ uuid: UUID, from: 9n, to: 0n, resolution: 99 })));
  });
});

Deno.test("ReaderPool: aborts, deadlines and a break reach the thread", async () => {
  await withFile(async (engine, path) => {
    await engine.insert({ uuid: UUID, columns: points(0, 500_000) });
    const thread = new ReaderThread({ ...FILE, path });
    await thread.opened;
    const controller = new AbortController();
    const chunks = thread.read("rawValues", REQUEST, { signal: controller.signal });
    await chunks.next();
    const reason = new Error("enough");
    controller.abort(reason);
    assertEquals(await assertRejects(() => Array.fromAsync(chunks)), reason);
    assertEquals(thread.reads, 0);
    const late = thread.read("rawValues", REQUEST, { deadlineMs: Date.now() - 1 });
    assertEquals((await assertRejects(() => late.next(), BTrDBError)).status, "DEADLINE_EXCEEDED");
    for await (const _ of thread.read("rawValues", REQUEST)) break;
    assertEquals(thread.reads, 0);
    // The thread is free for what comes next.
    let n = 0;
    for await (
      const { columns } of thread.read<{ columns: { times: BigInt64Array } }>("rawValues", REQUEST)
    ) n += columns.times.length;
    assertEquals(n, 500_000);
    await thread.close();
  });
});

Deno.test("ReaderPool: calls of a thread that ends fail with UNAVAILABLE, and it is replaced", async () => {
  await withFile(async (engine, path) => {
    await engine.insert({ uuid: UUID, columns: points(0, 500_000) });
    const started: ReaderThread[] = [];
    const pool = new ReaderPool(1, { ...FILE, path }, () => {
      started.push(new ReaderThread({ ...FILE, path }));
      return started.at(-1)!;
    });
    await pool.opened();
    const under = pool.rawValues(REQUEST);
    await under.next();
    await started[0]!.end();
    const error = await assertRejects(() => Array.fromAsync(under), BTrDBError);
    assertEquals([error.status, error.retryable], ["UNAVAILABLE", true]);
    assertEquals((await read(pool)).times.length, 500_000);
    assertEquals(started.length, 2);
    await pool.close();
  });
});

/** A thread that opens its file, if it says so, and does nothing more: it runs in a circle. */
function stuckThread(
  says: string,
  limits: SilenceLimits = { pingMs: 20, pongMs: 20, openMs: says === "" ? 500 : 300_000 },
): ReaderThread {
  const program = `
    const { parentPort } = await import("node:worker_threads");
    parentPort.on("message", ({ type }) => {
      if (type === "open" && ${JSON.stringify(says)} === "opened") {
        return parentPort.postMessage({ type: "opened" });
      }
      for (;;);
    });`;
  const worker = new Worker(new URL(`data:text/javascript,${encodeURIComponent(program)}`));
  return new ReaderThread({ ...FILE, path: "none" }, worker, limits);
}

for (const says of ["opened", ""]) {
  const when = says === "" ? "while it opens the file" : "in a read";
  Deno.test(`ReaderPool: a thread that is stuck ${when} is UNAVAILABLE, ended and replaced`, async () => {
    await withFile(async (engine, path) => {
      await engine.insert({ uuid: UUID, columns: points(0, 1_000) });
      const started: ReaderThread[] = [];
      const pool = new ReaderPool(1, { ...FILE, path }, () => {
        const isFirst = started.length === 0;
        started.push(isFirst ? stuckThread(says) : new ReaderThread({ ...FILE, path }));
        return started.at(-1)!;
      });
      const reads = await Promise.allSettled(Array.from({ length: 20 }, () => read(pool)));
      for (const result of reads) {
        assert(result.status === "rejected" && result.reason instanceof BTrDBError);
        assertEquals([result.reason.status, result.reason.retryable], ["UNAVAILABLE", true]);
        assertStringIncludes(result.reason.message, "it has not answered for");
      }
      assertEquals((await read(pool)).times.length, 1_000);
      assertEquals(started.length, 2);
      await started[0]!.exited;
      await pool.close();
    });
  });
}

Deno.test("ReaderPool: no read waits for a thread that is stuck beside one that answers", async () => {
  // Of two threads the stuck one had fewer reads than the other: it got each next read until it had as
  // many, and all of them hung for the 40 s in which a thread is given up.
  await withFile(async (engine, path) => {
    await engine.insert({ uuid: UUID, columns: points(0, 1_000) });
    const limits = { pingMs: 20, pongMs: 10_000, openMs: 300_000 };
    const stuck = stuckThread("opened", limits);
    const threads = [stuck, new ReaderThread({ ...FILE, path })];
    const next = () => threads.shift() ?? new ReaderThread({ ...FILE, path });
    const pool = new ReaderPool(2, { ...FILE, path }, next);
    await pool.opened();
    const hung = assertRejects(() => Array.fromAsync(stuck.read("rawValues", REQUEST)), BTrDBError);
    await until("the thread is known to be silent", () => stuck.isSilent);
    const open = Array.from({ length: 4 }, () => pool.rawValues({ ...REQUEST, chunk: 100 }));
    for (const chunks of open) assertEquals((await chunks.next()).value.columns.times.length, 100);
    await Promise.all(open.map((chunks) => chunks.return!()));
    await pool.close();
    await hung;
  });
});

Deno.test("ReaderPool: no read waits for a thread that still opens the file beside one that has it open", async () => {
  // Reads that waited for a thread to begin were not counted as its reads. So after a thread had broken, all
  // reads waited for the one in its place, and none went to the others.
  await withFile(async (engine, path) => {
    await engine.insert({ uuid: UUID, columns: points(0, 1_000) });
    const limits = { pingMs: 20, pongMs: 20, openMs: 10_000 };
    const threads = [new ReaderThread({ ...FILE, path }), stuckThread("", limits)];
    const [open, stuck] = threads;
    const next = () => threads.shift() ?? new ReaderThread({ ...FILE, path });
    const pool = new ReaderPool(2, { ...FILE, path }, next);
    await open!.opened;
    const all = await Promise.all(Array.from({ length: 4 }, () => read(pool)));
    assertEquals(all.map(({ times }) => times.length), [1_000, 1_000, 1_000, 1_000]);
    await pool.close();
    await stuck!.exited;
  });
});

Deno.test("ReaderThread: is given up when it is stuck, though its reads are aborted sooner", async () => {
  // The wait for a sign of life began anew with each read: where clients gave up after less than 40 s, a thread
  // that was stuck took every second read for ever.
  const thread = stuckThread("opened", { pingMs: 5, pongMs: 200, openMs: 300_000 });
  await thread.opened;
  let aborted = 0;
  while (thread.isAlive) {
    const controller = new AbortController();
    const chunks = thread.read("rawValues", REQUEST, { signal: controller.signal });
    const failed = assertRejects(() => chunks.next());
    await delay(20);
    controller.abort(new Error("enough"));
    await failed;
    aborted++;
    assert(aborted < 1_000, "the thread is never given up");
  }
  await thread.exited;
});

Deno.test("Heartbeat: asks for one sign of life per silence, and is content with any report", async () => {
  const asked: string[] = [];
  const heartbeat: Heartbeat = new Heartbeat({ pingMs: 1, pongMs: 300_000, openMs: 300_000 }, {
    ping: () => void asked.push("ping"),
    giveUp: () => void asked.push("given up"),
  });
  heartbeat.start();
  await until("it is asked", () => asked.length > 0);
  assertEquals([heartbeat.isOverdue, asked.length], [true, 1]);
  // Nothing more is read, and it still has to answer.
  heartbeat.rest();
  assertEquals(heartbeat.isOverdue, true);
  heartbeat.heard();
  assertEquals([heartbeat.isOverdue, asked.length], [false, 1]);
  heartbeat.start();
  await until("it is asked again", () => asked.length > 1);
  heartbeat.stop();
  assertEquals(asked, ["ping", "ping"]);
});

Deno.test("ReaderPool: deadlines and aborts hold while a thread opens the file", async () => {
  const started: ReaderThread[] = [];
  const pool = new ReaderPool(1, { ...FILE, path: "none" }, () => {
    started.push(stuckThread(""));
    return started[0]!;
  });
  const reason = new Error("enough");
  const first = (options: CallOptions) => pool.rawValues(REQUEST, options).next();
  const aborted = first({ signal: AbortSignal.abort(reason) });
  assertEquals(await assertRejects(() => aborted), reason);
  const late = await assertRejects(() => first({ deadlineMs: Date.now() + 1 }), BTrDBError);
  assertEquals(late.status, "DEADLINE_EXCEEDED");
  await pool.close();
});

Deno.test("ReaderThread: a thread that cannot open its file is ended", async () => {
  // Each read began another one, and all stayed.
  const thread = new ReaderThread({ ...FILE, path: "/nowhere/none.btrdb" });
  await assertRejects(() => thread.opened, BTrDBError);
  await thread.exited;
  assertEquals(thread.isAlive, false);
});

Deno.test("ReaderPool: a slow reader has a chunk or two made ahead, no more", async () => {
  await withFile(async (engine) => {
    await engine.insert({ uuid: UUID, columns: points(0, 1_000_000) });
    const readers = await engine.openReaders(1);
    // Whoever reads one chunk of each of very many queries holds little: the threads wait.
    const open = Array.from({ length: 50 }, () => readers.rawValues({ ...REQUEST, chunk: 100 }));
    const first = await Promise.all(open.map((chunks) => chunks.next()));
    assert(first.every(({ value }) => value.columns.times.length <= 100));
    assertEquals((await read(readers)).times.length, 1_000_000);
    await Promise.all(open.map((chunks) => chunks.return!()));
  });
});

/** Priorities of all threads of this program, 0 to 19; larger numbers give way to smaller ones. */
function priorities(): number[] {
  return [...Deno.readDirSync("/proc/self/task")].flatMap(({ name }) => {
    try {
      const text = Deno.readTextFileSync(`/proc/self/task/${name}/stat`);
      // The name in brackets may hold anything.
      return [Number(text.slice(text.lastIndexOf(")") + 2).split(" ")[16])];
    } catch {
      return []; // It has ended meanwhile.
    }
  });
}

Deno.test({
  name: "ReaderPool: threads that read give way to the main thread",
  ignore: Deno.build.os !== "linux",
  fn: async () => {
    // Beside eight readers at full speed on two cores, small calls waited for threads of reads: the main
    // thread had work and no core for most of the time.
    await withFile(async (engine) => {
      const own = getPriority();
      const lower = () => priorities().filter((one) => one === Math.min(19, own + 10)).length;
      const readers = await engine.openReaders(2);
      // Threads of other tests may be about to end. Below the lowest priority there is none.
      await until("two threads have a lower priority", () => {
        return own === 19 ? lower() > 2 : lower() === 2;
      });
      assertEquals(getPriority(), own);
      await readers.close();
    });
  },
});

Deno.test("Engine.openReaders: closing the database ends the threads and their reads", async () => {
  await withFile(async (engine) => {
    await engine.insert({ uuid: UUID, columns: points(0, 500_000) });
    const readers = await engine.openReaders(2);
    const under = readers.rawValues(REQUEST);
    await under.next();
    await engine.close();
    assertEquals((await assertRejects(() => Array.fromAsync(under), BTrDBError)).status, "CLOSED");
    assertEquals((await assertRejects(() => read(readers), BTrDBError)).status, "CLOSED");
  });
});

Deno.test("Engine.openReaders: refuses a database in memory", async () => {
  await using engine = await openEngine();
  await assertRejects(() => engine.openReaders(2), TypeError, "the database is in memory");
});
