import { assert, assertEquals } from "@std/assert";
import { openEngine } from "../../../src/engine/mod.ts";
import { countedSqlite } from "../../support/counting_sqlite.ts";
import { columnsOf, createStream, pointsOf, regular, uuidOf } from "../../support/engine.ts";

Deno.test("BufferFlusher: buffers of streams with the same rate are not committed together", async () => {
  // A thousand streams at 120 Hz once stalled for seconds: half of them were committed at once.
  let commits = 0;
  const streams = 100, points = 1024, rounds = 96;
  await using engine = await openEngine({
    openDatabase: countedSqlite({
      run: (sql) => commits += sql.startsWith("INSERT INTO version") ? 1 : 0,
    }),
  });
  for (let s = 1; s <= streams; s++) await createStream(engine, s);
  let most = 0, all = 0;
  for (let round = 0; round < rounds; round++) {
    commits = 0;
    const columns = regular(points, BigInt(round * points) * 1_000_000n);
    await Promise.all(
      Array.from({ length: streams }, (_, s) => engine.insert({ uuid: uuidOf(s + 1), columns })),
    );
    most = Math.max(most, commits);
    all += commits;
  }
  // The least possible is 3 commits of each stream, 3.1 a round.
  assert(all >= 200 && all < 800, `${all} commits`);
  assert(most <= 25, `${most} commits in one round`);
  assertEquals((await pointsOf(engine, uuidOf(50))).length, points * rounds);
});

Deno.test("BufferFlusher: few streams are committed when they are full, and not before", async () => {
  await using engine = await openEngine();
  for (let s = 1; s <= 30; s++) await createStream(engine, s);
  const insert = (n: number, from: number) =>
    Promise.all(
      Array.from({ length: 30 }, (_, s) =>
        engine.insert({ uuid: uuidOf(s + 1), columns: regular(n, BigInt(from) * 1_000_000n) })),
    );
  await insert(32_000, 0);
  const versions = await insert(767, 32_000);
  for (const version of versions) assertEquals(version, { major: 10n, minor: 32_767n });
  for (const version of await insert(1, 32_767)) assertEquals(version, { major: 11n, minor: 0n });
});

Deno.test("StreamRegistry: streams that were forgotten come back with what they had", async () => {
  const reads: string[] = [];
  await using engine = await openEngine({
    cacheStreams: 10,
    openDatabase: countedSqlite({ rows: (sql) => reads.push(sql) }),
  });
  const streams = 200;
  for (let s = 1; s <= streams; s++) await createStream(engine, s);
  for (let round = 0; round < 5; round++) {
    for (let s = 1; s <= streams; s++) {
      const time = BigInt(round);
      const version = await engine.insert({ uuid: uuidOf(s), columns: columnsOf([[time, s]]) });
      assertEquals(version, { major: 10n, minor: BigInt(round + 1) });
    }
  }
  reads.length = 0;
  assertEquals(await pointsOf(engine, uuidOf(7)), [0, 1, 2, 3, 4].map((time) => [time, 7]));
  assert(reads.some((sql) => sql.includes("FROM stream WHERE uuid")), "it was in memory");
  await engine.flush(uuidOf(8));
  await engine.obliterate(uuidOf(9));
  for (let s = 100; s <= streams; s++) await engine.flush(uuidOf(s));
  const info = await engine.streamInfo({
    uuid: uuidOf(8),
    omitVersion: false,
    omitDescriptor: true,
  });
  assertEquals(info.version, { major: 11n, minor: 0n });
  assertEquals((await pointsOf(engine, uuidOf(8))).length, 5);
});

Deno.test("StreamRegistry: of more streams than are kept, those with many inserts are committed", async () => {
  await using engine = await openEngine({ cacheStreams: 10 });
  const streams = 60, rounds = 40;
  for (let s = 1; s <= streams; s++) await createStream(engine, s);
  for (let round = 0; round < rounds; round++) {
    for (let s = 1; s <= streams; s++) {
      await engine.insert({ uuid: uuidOf(s), columns: columnsOf([[BigInt(round), s]]) });
    }
  }
  for (let s = 1; s <= streams; s++) {
    const { version } = await engine.streamInfo({
      uuid: uuidOf(s),
      omitVersion: false,
      omitDescriptor: true,
    });
    assert(version!.major > 10n && version!.minor <= 20n, `${version!.major}.${version!.minor}`);
    const points = await pointsOf(engine, uuidOf(s));
    assertEquals(points, Array.from({ length: rounds }, (_, time) => [time, s]));
  }
});
