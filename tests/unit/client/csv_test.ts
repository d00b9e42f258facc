import { assert, assertEquals, assertRejects, assertStrictEquals } from "@std/assert";
import { Buffer } from "node:buffer";
import { BTrDB, type ExportProgress, type WriteCsvOptions } from "../../../src/client/mod.ts";
import { BTrDBError } from "../../../src/core/errors.ts";
import { arena } from "../../../src/kernel/arena.ts";
import type { Endpoint } from "../../../src/endpoint/endpoint.ts";
import { toRaw } from "../../support/columns_arbitrary.ts";
import { scriptedEndpoint, streamed } from "../../support/grpc/scripted_endpoint.ts";
import { withFolder } from "../../support/run.ts";

const UUID = "00000000-0000-4000-8000-000000000001";
const HEADER = "Timestamp (ns),Human-Readable Time (UTC)";
const RAW: WriteCsvOptions = {
  queryType: "raw",
  start: 0n,
  end: 10n,
  streams: [{ stream: UUID, label: "a" }],
};
const version = { major: 11n, minor: 0n };

/** A database with three points in every stream, and what its endpoint was asked. */
function database(operations: Partial<Endpoint> = {}) {
  const asked: unknown[] = [];
  const endpoint = scriptedEndpoint({
    rawValues(request) {
      asked.push(request);
      return streamed({ version, columns: toRaw([[1n, 0.1], [1n, 2], [5n, 1e-7]]) });
    },
    ...operations,
  });
  return { db: new BTrDB(endpoint), asked };
}

/** A sink that keeps what it gets. */
function memorySink() {
  const pieces: Uint8Array[] = [];
  let end: unknown = "open";
  const stream = new WritableStream<Uint8Array>({
    write: (bytes) => void pieces.push(bytes),
    close: () => void (end = "closed"),
    abort: (reason) => void (end = reason),
  });
  const text = async () => await new Blob(pieces as BlobPart[]).text();
  return { stream, text, end: () => end, pieces };
}

const ROWS = "1,1970-01-01T00:00:00Z,0.1\n1,1970-01-01T00:00:00Z,2\n5,1970-01-01T00:00:00Z,1e-7\n";

Deno.test("BTrDB.writeCSV: to a stream: bytes, counts, progress, and the stream is closed", async () => {
  const { db, asked } = database();
  const sink = memorySink();
  const progress: unknown[] = [];
  const result = await db.writeCSV(sink.stream, { ...RAW, onProgress: (p) => progress.push(p) });
  const text = `${HEADER},a\n${ROWS}`;
  assertEquals(await sink.text(), text);
  assertEquals(result, { rows: 3, bytes: text.length, time: 5n });
  assertEquals(progress, [result]);
  assertEquals(sink.end(), "closed");
  assertEquals(asked, [{
    uuid: Uint8Array.of(0, 0, 0, 0, 0, 0, 64, 0, 128, 0, 0, 0, 0, 0, 0, 1),
    start: 0n,
    end: 10n,
    version: 0n,
  }]);
});

Deno.test("BTrDB.writeCSV: preventClose leaves the stream open and unlocked", async () => {
  const sink = memorySink();
  await database().db.rawValuesToCSV(sink.stream, { ...RAW, preventClose: true });
  assertEquals([sink.end(), sink.stream.locked], ["open", false]);
  await sink.stream.close();
});

Deno.test("BTrDB.writeCSV: options: label, version, numbers, digits, names with versions", async () => {
  const { db, asked } = database();
  const sink = memorySink();
  await db.rawValuesToCSV(sink.stream, {
    ...RAW,
    streams: [{ stream: db.streamFromUUID(UUID), version: 11n }],
    includeVersions: true,
    numbers: "fixed6",
    timeDigits: 9,
  });
  const [header, first] = (await sink.text()).split("\n");
  assertEquals(header, `${HEADER},"${UUID}, ver. 11"`);
  assertEquals(first, "1,1970-01-01T00:00:00.000000001Z,0.100000");
  assertEquals((asked[0] as { version: bigint }).version, 11n);
});

Deno.test("BTrDB.writeCSV: windows of both kinds ask for what was asked", async () => {
  const asked: unknown[] = [];
  const columns = {
    times: BigInt64Array.of(0n),
    min: Float64Array.of(1),
    mean: Float64Array.of(1.5),
    max: Float64Array.of(2),
    count: BigUint64Array.of(2n),
  };
  const answer = (request: unknown) => {
    asked.push(request);
    return streamed({ version, columns });
  };
  const { db } = database({ alignedWindows: answer, windows: answer });
  const aligned = memorySink();
  await db.alignedWindowsToCSV(aligned.stream, { ...RAW, end: 17n, pointwidth: 3 });
  const windows = memorySink();
  await db.windowsToCSV(windows.stream, { ...RAW, width: 4n });
  assertEquals(
    await aligned.text(),
    `${HEADER},a (Min),a (Mean),a (Max),a (Count)\n0,1970-01-01T00:00:00Z,1,1.5,2,2\n`,
  );
  assertEquals(await windows.text(), await aligned.text());
  const uuid = new Uint8Array(16);
  uuid.set([64, 0, 128, 0, 0, 0, 0, 0, 0, 1], 6);
  assertEquals(asked, [
    { uuid, start: 0n, end: 16n, version: 0n, pointwidth: 3 },
    { uuid, start: 0n, end: 8n, version: 0n, width: 4n, depth: 0 },
  ]);
});

Deno.test("BTrDB.writeCSV: to a path: the file appears whole, under its name, and replaces what was there", async () => {
  await withFolder(async (folder) => {
    const path = `${folder}/out.csv`;
    await Deno.writeTextFile(path, "old".repeat(10_000), { mode: 0o640 });
    const during: string[] = [];
    const { db } = database();
    const names = () => [...Deno.readDirSync(folder)].map(({ name }) => name).sort();
    await db.writeCSV(path, { ...RAW, onProgress: () => during.push(...names()) });
    assertEquals(await Deno.readTextFile(path), `${HEADER},a\n${ROWS}`);
    assertEquals(names(), ["out.csv"]);
    assertEquals(during.length, 2);
    assertEquals((await Deno.stat(path)).mode! & 0o777, 0o640);
    const url = new URL(`file://${folder}/with%20space.csv`);
    await db.writeCSV(url, RAW);
    assertEquals(names(), ["out.csv", "with space.csv"]);
  });
});

Deno.test("BTrDB.writeCSV: a failure leaves nothing and what was there stays", async () => {
  await withFolder(async (folder) => {
    const path = `${folder}/out.csv`;
    await Deno.writeTextFile(path, "old");
    const failing = database({
      rawValues: async function* () {
        yield await Promise.resolve({ version, columns: toRaw([[1n, 1]]) });
        throw new BTrDBError("lost", { status: "UNAVAILABLE" });
      },
    });
    await assertRejects(() => failing.db.writeCSV(path, RAW), BTrDBError, "lost");
    const unknown = database({
      rawValues: () => {
        throw new BTrDBError("stream not found", { code: 404 });
      },
    });
    await assertRejects(
      () => unknown.db.writeCSV(`${folder}/new.csv`, RAW),
      BTrDBError,
      "not found",
    );
    assertEquals([...Deno.readDirSync(folder)].map(({ name }) => name), ["out.csv"]);
    assertEquals(await Deno.readTextFile(path), "old");
    const sink = memorySink();
    const error = await failing.db.writeCSV(sink.stream, RAW).catch((e) => e);
    assertStrictEquals(sink.end(), error);
  });
});

Deno.test("BTrDB.writeCSV: an abort ends the export with its reason, at every stage", async () => {
  await withFolder(async (folder) => {
    const endless = (signal: AbortSignal) =>
      database({
        rawValues: async function* () {
          for (let i = 0n;; i++) {
            await new Promise((resolve) => setTimeout(resolve, 0));
            signal.throwIfAborted();
            yield { version, columns: toRaw([[i, 1]]) };
          }
        },
      }).db;
    for (const when of ["before", "progress"]) {
      const controller = new AbortController();
      if (when === "before") controller.abort("enough");
      const reason: unknown = await endless(controller.signal).writeCSV(`${folder}/x.csv`, {
        ...RAW,
        end: 1n << 40n,
        signal: controller.signal,
        onProgress: () => controller.abort("enough"),
      }).catch((e) => e);
      assertStrictEquals(reason, "enough");
    }
    assertEquals([...Deno.readDirSync(folder)], []);
  });
});

Deno.test("BTrDB.writeCSV: a function gets every piece as it stands, and is waited for", async () => {
  const { db } = database();
  const whole = memorySink();
  await db.writeCSV(whole.stream, RAW);
  const pieces: Uint8Array[] = [];
  let waited = 0;
  const result = await db.writeCSV(async (bytes) => {
    pieces.push(bytes.slice());
    await new Promise((resolve) => setTimeout(resolve, 1));
    waited++;
  }, RAW);
  assertEquals(waited, pieces.length);
  const text = await new Blob(pieces as BlobPart[]).text();
  assertEquals(text, await whole.text());
  assertEquals(result.bytes, text.length);
});

Deno.test("BTrDB.writeCSV: a function that throws or never ends ends the export", async () => {
  const { db } = database();
  const full = new Error("full");
  assertStrictEquals(
    await db.writeCSV(() => {
      throw full;
    }, RAW).catch((error) => error),
    full,
  );
  const stuck = () => new Promise<void>(() => {});
  const error = await db.writeCSV(stuck, { ...RAW, timeoutMs: 20 }).catch((error) => error);
  assertEquals(error.status, "DEADLINE_EXCEEDED");
});

Deno.test("BTrDB.writeCSV: a sink that takes no more ends with the timeout", async () => {
  const stuck = new WritableStream<Uint8Array>({ write: () => new Promise(() => {}) });
  const error = await assertRejects(
    () => database().db.writeCSV(stuck, { ...RAW, timeoutMs: 20 }),
    BTrDBError,
  );
  assertEquals(error.status, "DEADLINE_EXCEEDED");
});

Deno.test("BTrDB.writeCSV: a sink that fails ends the export with its error", async () => {
  const full = new WritableStream<Uint8Array>({
    write: () => Promise.reject(new Error("no space")),
  });
  await assertRejects(() => database().db.writeCSV(full, RAW), Error, "no space");
  await withFolder(async (folder) => {
    await assertRejects(() => database().db.writeCSV(`${folder}/no/such/folder.csv`, RAW), Error);
    await assertRejects(() => database().db.writeCSV(folder, RAW), TypeError, "is a directory");
  });
});

Deno.test("BTrDB.writeCSV: what is no plain file is written as it is", async () => {
  const { rows } = await database().db.writeCSV("/dev/null", RAW);
  assertEquals(rows, 3);
  assert(!(await Deno.stat("/dev/null")).isFile);
});

Deno.test("BTrDB.writeCSV: mistakes in options are named before anything is asked", async () => {
  const { db, asked } = database();
  const bad: [Record<string, unknown>, string][] = [
    [{ queryType: "rows" }, 'queryType is "rows"'],
    [{ queryType: "aligned" }, "pointwidth is undefined"],
    [
      { queryType: "aligned", pointwidth: 64 },
      "pointwidth is 64, expected an integer from 0 to 63",
    ],
    [{ queryType: "windows" }, "width is undefined"],
    [{ queryType: "windows", width: 0n }, "width is 0, expected 1 to 2^63"],
    [{ queryType: "windows", width: 11n }, "width is 11, expected at most 10"],
    [{ queryType: "windows", width: 1n, depth: 64 }, "depth is 64"],
    [{ start: 10n }, "start is 10"],
    [{ streams: undefined }, "streams is undefined, expected an array"],
    [{ streams: [UUID] }, "streams[0] is"],
    [{ streams: [{ stream: "x" }] }, "streams[0].stream"],
    [{ streams: [{ stream: UUID, label: 5 }] }, "streams[0].label is 5"],
    [{ streams: [{ stream: UUID, version: 5 }] }, "streams[0].version is 5"],
    [{ numbers: "%f" }, 'numbers is "%f"'],
    [{ timeDigits: 3 }, "timeDigits is 3"],
  ];
  for (const [change, message] of bad) {
    const error = await db.writeCSV("/nowhere", { ...RAW, ...change } as WriteCsvOptions)
      .catch((e) => e);
    assert(error instanceof TypeError || error instanceof RangeError, message);
    assert(error.message.includes(message), `${error.message} has not ${message}`);
  }
  const sink = 5 as unknown as string;
  await assertRejects(() => db.writeCSV(sink, RAW), TypeError, "sink is 5");
  assertEquals(asked, []);
});

Deno.test("BTrDB.writeCSV: exports that take turns do not disturb each other", async () => {
  const slow = (seed: bigint, chunks: number) =>
    database({
      rawValues: async function* () {
        for (let c = 0n; c < BigInt(chunks); c++) {
          if ((c + seed) % 3n === 0n) await new Promise((resolve) => setTimeout(resolve, 0));
          const pairs = Array.from({ length: 500 }, (_, i) =>
            [c * 1000n + BigInt(i), i / 8] as const);
          yield { version, columns: toRaw(pairs) };
        }
      },
    }).db;
  const run = async (seed: bigint) => {
    const sink = memorySink();
    const numbers = seed % 2n === 0n ? "fixed6" as const : "shortest" as const;
    const streams = [RAW.streams[0]!, RAW.streams[0]!];
    await slow(seed, 60).writeCSV(sink.stream, { ...RAW, end: 1n << 40n, streams, numbers });
    return await sink.text();
  };
  const alone = [await run(0n), await run(1n), await run(2n)];
  assertEquals(await Promise.all([run(0n), run(1n), run(2n)]), alone);
});

Deno.test("BTrDB.writeCSV: memory does not grow with the length of an export", async () => {
  const n = 4096;
  const values = new Float64Array(n).fill(1.5);
  const { db } = database({
    rawValues: async function* () {
      for (let c = 0n; c < 300n; c++) {
        const times = BigInt64Array.from({ length: n }, (_, i) => c * BigInt(n) + BigInt(i));
        yield await Promise.resolve({ version, columns: { times, values } });
      }
    },
  });
  const before = arena(0).capacity;
  let rows = 0;
  const streams = [RAW.streams[0]!, RAW.streams[0]!, RAW.streams[0]!];
  await db.writeCSV(new WritableStream(), {
    ...RAW,
    end: 1n << 40n,
    streams,
    onProgress: (progress) => rows = progress.rows,
  });
  assertEquals(rows, 300 * n);
  assertEquals(arena(0).capacity, before);
});

/** A database whose streams have `n` points; those of the second one are a little later. */
function longDatabase(n: bigint, given: () => void = () => {}) {
  const size = 4096;
  return database({
    rawValues: async function* ({ uuid }) {
      for (let at = 0n; at < n; at += BigInt(size)) {
        const first = at * 10n + BigInt(uuid[15]! - 1);
        const times = BigInt64Array.from({ length: size }, (_, i) => first + 10n * BigInt(i));
        const values = Float64Array.from(times, (time) => Number(time % 1000n) / 7);
        given();
        yield await Promise.resolve({ version, columns: { times, values } });
      }
    },
  }).db;
}

const LONG: WriteCsvOptions = {
  ...RAW,
  end: 1n << 40n,
  streams: [RAW.streams[0]!, { stream: UUID.replace(/1$/, "2"), label: "b" }],
};

Deno.test("BTrDB.writeCSV: a long export in a thread of its own is the same one", async () => {
  await withFolder(async (folder) => {
    const n = 400_000n;
    const progress: ExportProgress[] = [];
    const results = [
      await longDatabase(n).writeCSV(`${folder}/a.csv`, LONG),
      await longDatabase(n).writeCSV(`${folder}/b.csv`, {
        ...LONG,
        inThread: true,
        onProgress: (p) => progress.push(p),
      }),
    ];
    assertEquals(results[0], results[1]);
    assertEquals(progress.at(-1), results[1]);
    assert(progress.every((p, i) => i === 0 || p.rows > progress[i - 1]!.rows));
    const [a, b] = [await Deno.readFile(`${folder}/a.csv`), await Deno.readFile(`${folder}/b.csv`)];
    assertEquals(Buffer.compare(a, b), 0);
  });
});

Deno.test("BTrDB.writeCSV: an abort ends a long export in a thread, and what is read ahead stays little", async () => {
  const controller = new AbortController();
  let chunks = 0;
  let pieces = 0;
  const slow = async () => {
    if (++pieces === 40) return controller.abort("enough");
    await new Promise((resolve) => setTimeout(resolve, 5));
  };
  const reason = await longDatabase(1n << 40n, () => void chunks++).writeCSV(slow, {
    ...LONG,
    inThread: true,
    signal: controller.signal,
  }).catch((e) => e);
  assertEquals(reason, "enough");
  const rowsAPiece = 1e6 / 60;
  assert(chunks < 2 * (50 * rowsAPiece / 4096), `${chunks} chunks for 40 pieces`);
});
