/**
 * `btrdb serve --read-only` as processes: servers that read the file that another one writes, while
 * that one is stopped, started, killed, and the file made smaller.
 */

import { BTrDBError, connect, type Stream, verifyFile } from "@btrdb/btrdb";
import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { btrdb, serveTarget, start, workspace } from "./support.ts";

const UUID = "00000000-0000-4000-8000-000000000001";
const END = 1n << 50n;

/** Points `from` to `from + n`, one a millisecond. */
function points(from: number, n: number) {
  return {
    times: BigInt64Array.from({ length: n }, (_, i) => BigInt(from + i) * 1_000_000n),
    values: Float64Array.from({ length: n }, (_, i) => from + i),
  };
}

/** All that a stream answers about its latest version, and about an older one. */
async function answers(stream: Stream, older: bigint): Promise<string> {
  const { major, minor } = await stream.fullVersion();
  const parts: unknown[] = [major, minor];
  for (const version of [0n, older]) {
    const raw = await stream.rawValues(0n, END, { version }).collect();
    parts.push(raw.version, raw.times.length, raw.values.reduce((sum, value) => sum + value, 0));
    const { times, mean, count } = await stream.windows(0n, 1n << 31n, 1n << 28n, { version })
      .collect();
    parts.push(times, mean, count);
  }
  for await (const { start, end } of stream.changes(older, 0n, 20)) parts.push(start, end);
  return parts.join(" ");
}

Deno.test("serve --read-only: options and targets that do not fit", async () => {
  await using dir = await workspace();
  const cases: [line: string[], code: number, text: string][] = [
    [["file:missing.btrdb"], 3, "There is no database in missing.btrdb"],
    [["memory:"], 2, "Cannot serve memory: with --read-only: it is not a file"],
    [["127.0.0.1:1"], 2, "it is not a file"],
    [
      ["file:missing.btrdb", "--http", "0", "--influx", "{bucket}"],
      2,
      "Options --read-only and --influx exclude each other",
    ],
  ];
  for (const [line, code, text] of cases) {
    const outcome = await btrdb(["serve", "--read-only", ...line], { cwd: dir.path });
    assertEquals(outcome.code, code, outcome.stderr);
    assertStringIncludes(outcome.stderr, text);
  }
  assertEquals([...Deno.readDirSync(dir.path)], []);
});

Deno.test("serve --read-only: says so, refuses to write, and writes nothing", async () => {
  await using dir = await workspace();
  const target = `file:${dir.path}/grid.btrdb`;
  await btrdb(["-d", target, "create", "pmu/a"]);
  const child = start(["serve", target, "--read-only", "--listen", "127.0.0.1:0", "--json"]);
  const output = child.stdout.pipeThrough(new TextDecoderStream()).getReader();
  const { value } = await output.read();
  const line = JSON.parse(value!) as { address: string; readOnly: boolean };
  assertEquals(line.readOnly, true);
  const made = await btrdb(["-d", line.address, "create", "pmu/b"]);
  assertEquals(made.code, 1);
  assertStringIncludes(made.stderr, "send writes to the server that writes it");
  child.kill("SIGINT");
  await output.cancel();
  const said = await new Response(child.stderr).text();
  assertStringIncludes(said, `Serving ${target} for reading only; interrupt to stop`);
  assertEquals((await child.status).code, 0);
  const listed = await btrdb(["-d", target, "ls", "--json"]);
  assertEquals(listed.stdout.includes("pmu/b"), false, listed.stdout);
});

Deno.test("serve --read-only: two servers see each acknowledged point at once, with its version", async () => {
  await using dir = await workspace();
  const target = `file:${dir.path}/grid.btrdb`;
  await using writing = await serveTarget(target);
  await using writer = await connect(writing.address);
  const stream = await writer.create(UUID, "pmu/a", { tags: { name: "a" } });
  await using plain = await serveTarget(target, ["--read-only"]);
  await using threaded = await serveTarget(target, ["--read-only", "--workers", "1"]);
  await using first = await connect(plain.address);
  await using second = await connect(threaded.address);
  const readers = [first, second].map((db) => db.streamFromUUID(UUID));
  for (let i = 0; i < 40; i++) {
    if (i % 10 === 7) await stream.deleteRange(0n, BigInt(i) * 1_000_000n);
    else await stream.insert(points(i * 50, 50));
    if (i % 4 === 3) await stream.flush();
    const older = BigInt(Math.max(10, 10 + (i >> 3)));
    const expected = await answers(stream, older);
    for (const reader of readers) assertEquals(await answers(reader, older), expected);
  }
  await stream.setAnnotations({ state: "done" });
  for (const reader of readers) {
    await reader.refreshMeta();
    assertEquals((await reader.annotations())[0], { state: "done" });
  }
  await stream.obliterate();
  for (const reader of readers) {
    const error = await assertRejects(() => reader.nearest(0n), BTrDBError);
    assertEquals(error.code, 404);
  }
});

Deno.test("serve --read-only: the writer is stopped, killed and started again", async () => {
  await using dir = await workspace();
  const target = `file:${dir.path}/grid.btrdb`;
  await btrdb(["-d", target, "create", "pmu/a", "--uuid", UUID]);
  // It is there before the first writer.
  await using reading = await serveTarget(target, ["--read-only"]);
  await using db = await connect(reading.address);
  const reader = db.streamFromUUID(UUID);
  let expected = await answers(reader, 10n);
  for (let round = 0; round < 4; round++) {
    await using writing = await serveTarget(target);
    await using writer = await connect(writing.address);
    const stream = writer.streamFromUUID(UUID);
    assertEquals(await answers(reader, 10n), expected);
    for (let i = 0; i < 5; i++) {
      await stream.insert(points((round * 5 + i) * 100, 100));
      if (i === 2) await stream.flush();
    }
    expected = await answers(stream, 10n);
    assertEquals(await answers(reader, 10n), expected);
    if (round % 2 === 0) await writing.kill();
    else assertEquals(await writing.stop(), 0);
    // A writer that stops writes to the tree what was buffered; one that was killed left it in the log.
    if (round % 2 === 1) expected = await answers(reader, 10n);
    assertEquals(await answers(reader, 10n), expected);
    assertEquals((await reader.rawValues(0n, END).collect()).times.length, (round + 1) * 500);
  }
  assertEquals(await reading.stop(), 0);
  assertEquals((await verifyFile(`${dir.path}/grid.btrdb`)).problems, []);
});

Deno.test("serve --read-only: a killed reader is nothing to the writer", async () => {
  await using dir = await workspace();
  const target = `file:${dir.path}/grid.btrdb`;
  await using writing = await serveTarget(target);
  await using writer = await connect(writing.address);
  const stream = await writer.create(UUID, "pmu/a", { tags: { name: "a" } });
  for (let round = 0; round < 2; round++) {
    await stream.insert(points(round * 100, 100));
    await using reading = await serveTarget(target, ["--read-only"]);
    await using db = await connect(reading.address);
    const reader = db.streamFromUUID(UUID);
    assertEquals((await reader.rawValues(0n, END).collect()).times.length, (round + 1) * 100);
    await reading.kill();
    await stream.flush();
  }
  assertEquals(await writing.stop(), 0);
  assertEquals((await verifyFile(`${dir.path}/grid.btrdb`)).problems, []);
});

Deno.test("serve --read-only: the file is compacted meanwhile, and answers stay the same", async () => {
  await using dir = await workspace();
  const path = `${dir.path}/grid.btrdb`;
  const target = `file:${path}`;
  {
    await using db = await connect(target);
    const stream = await db.create(UUID, "pmu/a", { tags: { name: "a" } });
    const other = await db.create(crypto.randomUUID(), "pmu/b", { tags: { name: "b" } });
    for (let i = 0; i < 20; i++) {
      for (const one of [stream, other]) {
        await one.insert(points(i * 5_000, 5_000));
        await one.flush();
      }
    }
    await other.obliterate();
    await stream.prune(await stream.version());
  }
  await using writing = await serveTarget(target);
  await using reading = await serveTarget(target, ["--read-only"]);
  await using writer = await connect(writing.address);
  await using db = await connect(reading.address);
  const stream = writer.streamFromUUID(UUID);
  const reader = db.streamFromUUID(UUID);
  const older = await stream.version();
  const before = Deno.statSync(path).size;
  let isOver = false;
  const compaction = btrdb(["-d", target, "compact", "--json"]).finally(() => isOver = true);
  for (let i = 0; !isOver || i < 5; i++) {
    await stream.insert(points(100_000 + i * 10, 10));
    assertEquals(await answers(reader, older), await answers(stream, older));
  }
  const { code, stderr } = await compaction;
  assertEquals(code, 0, stderr);
  await stream.flush();
  assertEquals(await answers(reader, older), await answers(stream, older));
  assertEquals(await writing.stop(), 0);
  assertEquals(await reading.stop(), 0);
  assertEquals((await verifyFile(path)).problems, []);
  assert(Deno.statSync(path).size < before, `${Deno.statSync(path).size} of ${before}`);
});
