/**
 * Growth of cost along every axis of a database: versions, streams, buffered points, names; points are
 * in `scale_points_bench.ts`. Before and after a change, taking turns:
 *
 *     BENCH_BASE=/path/of/another/checkout deno task bench scale
 *
 * `BENCH_LARGE=1` adds the sizes that take minutes.
 */

import { DatabaseSync } from "node:sqlite";
import { type RawColumns, sliceRaw } from "../src/core/columns.ts";
import type { Engine } from "../src/engine/mod.ts";
import { MAX_TIME } from "../src/core/range.ts";
import { type Figures, growth } from "./support/growth.ts";
import { cpuMs, create, engineOf, LARGE, uuidOf, withPath } from "./support/scale.ts";
import { magnitudes } from "./support/synchrophasor.ts";

/** Makes versions of a stream, `points` new points each. */
async function versions(engine: Engine, stream: number, n: number, points: number): Promise<void> {
  const uuid = uuidOf(stream);
  for (let v = 0; v < n; v++) {
    await engine.insert({ uuid, columns: magnitudes(points, v * points) });
    await engine.flush(uuid);
  }
}

/** Tells, asked beside the writer, whether a query finds nothing. */
function findsNothing(path: string, sql: string): () => boolean {
  const db = new DatabaseSync(path, { readOnly: true });
  const statement = db.prepare(sql);
  return () => {
    const isOver = statement.get() === undefined;
    if (isOver) db.close();
    return isOver;
  };
}

const POINT: RawColumns = magnitudes(1, 0);

/** Inserts into a stream while something goes on; the slowest insert, ms. */
async function insertWhile(
  engine: Engine,
  stream: number,
  goesOn: () => boolean,
): Promise<{ slowest: number; inserts: number }> {
  let slowest = 0, inserts = 0;
  while (goesOn()) {
    const start = performance.now();
    await engine.insert({ uuid: uuidOf(stream), columns: POINT });
    slowest = Math.max(slowest, performance.now() - start);
    inserts++;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  return { slowest, inserts };
}

function logBytes(path: string): number {
  return Deno.statSync(`${path}-wal`).size;
}

growth({
  name: "give back the room of an obliterated stream",
  axis: "versions",
  sizes: LARGE ? [625, 2500, 10_000] : [625, 2500],
  run: (size, source) =>
    withPath(async (path): Promise<Figures> => {
      await using engine = await (await engineOf(source))({ path });
      await create(engine, 0, 2);
      await versions(engine, 0, size, 120);
      const done = findsNothing(path, "SELECT 1 FROM version LIMIT 1");
      const cpu = cpuMs();
      await engine.obliterate(uuidOf(0));
      const { slowest } = await insertWhile(engine, 1, () => !done());
      return { "CPU, ms": cpuMs() - cpu, "slowest insert elsewhere, ms": slowest };
    }),
});

growth({
  name: "prune all versions but the latest",
  axis: "versions of 32,768 points",
  sizes: LARGE ? [125, 500, 2000] : [125, 500],
  run: (size, source) =>
    withPath(async (path): Promise<Figures> => {
      await using engine = await (await engineOf(source))({ path, durability: "relaxed" });
      await create(engine, 0, 2);
      // The same times again and again: every version replaces what the one before has.
      for (let v = 0; v < size; v++) {
        const columns = magnitudes(32_768, 0);
        await engine.insert({ uuid: uuidOf(0), columns, mergePolicy: "replace" });
      }
      const { version } = await engine.streamInfo({
        uuid: uuidOf(0),
        omitVersion: false,
        omitDescriptor: true,
      });
      let isDone = false, log = 0;
      const cpu = cpuMs();
      const pruned = engine.prune(uuidOf(0), version!.major).then(() => isDone = true);
      const { slowest } = await insertWhile(engine, 1, () => {
        log = Math.max(log, logBytes(path));
        return !isDone;
      });
      await pruned;
      return {
        "CPU, ms": cpuMs() - cpu,
        "slowest insert elsewhere, ms": slowest,
        "log at most, MB": log / 1e6,
      };
    }),
});

growth({
  name: "open a file of 1,000 streams",
  axis: "versions",
  sizes: LARGE ? [10_000, 100_000, 1_000_000] : [10_000, 100_000],
  run: (size, source) =>
    withPath(async (path): Promise<Figures> => {
      const open = await engineOf(source);
      const engine = await open({ path, durability: "relaxed" });
      await create(engine, 0, 1000);
      await engine.insert({ uuid: uuidOf(0), columns: POINT });
      await engine.close();
      // Rows are what is looked at here: that their checksums do not fit is not noticed.
      const db = new DatabaseSync(path);
      db.exec(`WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < ${size - 1})
        INSERT INTO version SELECT i / ${size / 1000} + 1, i % ${size / 1000} + 11, i, 0 FROM n`);
      db.close();
      const start = performance.now();
      const again = await open({ path });
      const ms = performance.now() - start;
      await again.close();
      return { "open, ms": ms };
    }),
});

/** Makes a long journal: `rows` inserts of a point each, in streams that are not full by far. */
async function longJournal(engine: Engine, streams: number, rows: number): Promise<void> {
  for (let at = 0; at < rows; at += 4096) {
    await Promise.all(
      Array.from(
        { length: Math.min(4096, rows - at) },
        (_, i) => engine.insert({ uuid: uuidOf((at + i) % streams), columns: POINT }),
      ),
    );
  }
}

growth({
  name: "open, and read beside the writer, with a long journal of 1,000 streams",
  axis: "buffered inserts",
  sizes: LARGE ? [27_000, 270_000, 2_700_000] : [27_000, 270_000],
  run: (size, source) =>
    withPath(async (path): Promise<Figures> => {
      const open = await engineOf(source);
      const writer = await open({ path, durability: "relaxed" });
      await create(writer, 0, 1001);
      await longJournal(writer, 1000, size);
      const uuid = uuidOf(1000);
      await writer.insert({ uuid, columns: POINT });
      const reader = await open({ path, readOnly: true });
      let ms = 0;
      for (let i = 0; i < 10; i++) {
        await writer.insert({ uuid: uuidOf(i), columns: POINT });
        const start = performance.now();
        await reader.streamInfo({ uuid, omitVersion: false, omitDescriptor: true });
        ms += performance.now() - start;
      }
      await reader.close();
      await writer.close();
      const start = performance.now();
      const again = await open({ path });
      const openMs = performance.now() - start;
      await again.close();
      return { "a reader's call after a commit, ms": ms / 10, "open, ms": openMs };
    }),
});

const SECOND = 1_000_000_000n;

growth({
  name: "a second of raw points from each of many streams at once, as a merge reads them",
  axis: "streams",
  sizes: [100, 1000, 5000],
  async run(size, source): Promise<Figures> {
    await using engine = await (await engineOf(source))({});
    await create(engine, 0, size);
    const columns = magnitudes(1200, 0);
    for (let s = 0; s < size; s++) await engine.insert({ uuid: uuidOf(s), columns });
    const start = columns.times[0]!;
    const before = Deno.memoryUsage();
    const cpu = cpuMs();
    const open = Array.from({ length: size }, (_, s) => {
      const range = { uuid: uuidOf(s), start, end: start + SECOND, version: 0n };
      return engine.rawValues(range)[Symbol.asyncIterator]();
    });
    const chunks = await Promise.all(open.map((one) => one.next()));
    const after = Deno.memoryUsage();
    const us = (cpuMs() - cpu) / size * 1000;
    if (chunks.some(({ done }) => done)) throw new Error("there are no points");
    for (const one of open) await one.return!();
    return {
      "memory of columns, MB": (after.external - before.external) / 1e6,
      "CPU a stream, µs": us,
    };
  },
});

growth({
  name: "look streams up by tag and annotation",
  axis: "streams",
  sizes: LARGE ? [10_000, 100_000, 1_000_000] : [10_000, 100_000],
  run: (size, source) =>
    withPath(async (path): Promise<Figures> => {
      await using engine = await (await engineOf(source))({ path, durability: "relaxed" });
      const begin = cpuMs();
      await create(engine, 0, size);
      const creating = (cpuMs() - begin) / size * 1000;
      const find = async (tags: [string, string][], annotations: [string, string][]) => {
        const start = performance.now();
        let found = 0;
        const request = { collection: "bench", isCollectionPrefix: true };
        for await (
          const page of engine.lookupStreams({
            ...request,
            tags: new Map(tags),
            annotations: new Map(annotations),
          })
        ) found += page.length;
        return { ms: performance.now() - start, found };
      };
      const start = performance.now();
      await engine.metadataUsage("");
      const usage = performance.now() - start;
      const again = performance.now();
      await engine.metadataUsage("bench/1");
      const ofPrefix = performance.now() - again;
      const one = await find([["name", `s${size >> 1}`]], []);
      const many = await find([["unit", "volts"]], [["owner", "o7"]]);
      return {
        "create a stream, CPU µs": creating,
        "find one by tag, ms": one.ms,
        "find one in a thousand by annotation, ms": many.ms,
        "the same, µs a hit": many.ms / many.found * 1000,
        "count the keys of all, ms": usage,
        "count the keys of a prefix, ms": ofPrefix,
      };
    }),
});

growth({
  name: "300 s of points at 120 Hz, in inserts of a second",
  axis: "streams",
  sizes: LARGE ? [250, 500, 1000] : [250, 500],
  run: (size, source) =>
    withPath(async (path): Promise<Figures> => {
      await using engine = await (await engineOf(source))({ path, durability: "relaxed" });
      await create(engine, 0, size);
      const seconds: number[] = [];
      for (let second = 0; second < 300; second++) {
        const columns = magnitudes(120, second * 120);
        const cpu = cpuMs();
        await Promise.all(
          Array.from({ length: size }, (_, s) => engine.insert({ uuid: uuidOf(s), columns })),
        );
        // What is committed in the background belongs to the second that it delays.
        seconds.push(cpuMs() - cpu);
      }
      seconds.sort((a, b) => a - b);
      return {
        "worst second, CPU ms": seconds.at(-1)!,
        "middle second, CPU ms": seconds[seconds.length >> 1]!,
        "all, CPU ms": seconds.reduce((sum, ms) => sum + ms, 0),
      };
    }),
});

/** Resident memory of this process after a collection where there is one, MB. */
function residentMb(): number {
  (globalThis as { gc?: () => void }).gc?.();
  return Deno.memoryUsage().rss / 1e6;
}

growth({
  name: "keep a point each in the buffers of many streams",
  axis: "streams",
  sizes: LARGE ? [100_000, 300_000, 1_000_000, 3_000_000] : [30_000, 100_000, 300_000],
  run: (size, source) =>
    withPath(async (path): Promise<Figures> => {
      await using engine = await (await engineOf(source))({ path, durability: "relaxed" });
      await create(engine, 0, size);
      const before = residentMb();
      const start = cpuMs();
      let most = 0;
      for (let at = 0; at < size; at += 4096) {
        await Promise.all(Array.from({ length: Math.min(4096, size - at) }, (_, i) =>
          engine.insert({ uuid: uuidOf(at + i), columns: POINT })));
        most = Math.max(most, Deno.memoryUsage().rss / 1e6);
      }
      return {
        "resident at most, MB": most,
        "memory more, MB": residentMb() - before,
        "CPU an insert, µs": (cpuMs() - start) / size * 1000,
      };
    }),
});

/** Inserts that one client sends at once. */
const AT_ONCE = 10_000;

growth({
  name: "inserts of 12 points through one client of `serve`, 10,000 at once",
  axis: "inserts",
  sizes: LARGE ? [1000, 10_000, 400_000] : [1000, 10_000],
  run: (size, source) =>
    withPath(async (path): Promise<Figures> => {
      const { connect } = await import(
        new URL("mod.ts", source).href
      ) as typeof import("../mod.ts");
      const { serve } = await import(
        new URL("src/server/mod.ts", source).href
      ) as typeof import("../src/server/mod.ts");
      await using db = await connect(`file:${path}`);
      const server = await serve(db, { port: 0 });
      const client = await connect(`127.0.0.1:${server.port}`);
      const streams = await Promise.all(
        Array.from({ length: 1000 }, (_, i) => {
          return client.create(crypto.randomUUID(), "bench", { tags: { name: `s${i}` } });
        }),
      );
      const all = magnitudes(AT_ONCE + 12, 0);
      const cpu = cpuMs();
      for (let at = 0; at < size; at += AT_ONCE) {
        // One that is refused ends the bench.
        await Promise.all(
          Array.from(
            { length: Math.min(AT_ONCE, size - at) },
            (_, i) => streams[i % 1000]!.insert(sliceRaw(all, i, i + 12)),
          ),
        );
      }
      const us = (cpuMs() - cpu) / size * 1000;
      let points = 0;
      for (const stream of streams) {
        points += (await stream.rawValues(0n, MAX_TIME).collect()).length;
      }
      if (points !== 12 * size) throw new Error(`${points} points are there, not ${12 * size}`);
      await client.close();
      await server.stop({ graceful: false });
      return { "CPU an insert, client and server, µs": us };
    }),
});

growth({
  name: "`btrdb ls -l`, a process of its own",
  axis: "streams",
  sizes: [1000, 10_000, 100_000],
  run: (size, source) =>
    withPath(async (path): Promise<Figures> => {
      const engine = await (await engineOf(source))({ path, durability: "relaxed" });
      await create(engine, 0, size);
      await engine.close();
      const start = performance.now();
      const process = new Deno.Command(Deno.execPath(), {
        args: ["run", "-A", "--quiet", "src/cli/main.ts", "-d", `file:${path}`, "ls", "-l"],
        cwd: source,
        stdout: "piped",
      }).spawn();
      let first = 0;
      for await (const _ of process.stdout) first ||= performance.now() - start;
      if (!(await process.status).success) throw new Error("The command failed");
      return { "first lines, ms": first, "all, ms": performance.now() - start };
    }),
});
