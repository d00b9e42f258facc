/** Expiry by age and smaller files, with the real command. */

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { connect, currentTime, DAY, SECOND } from "@btrdb/btrdb";
import { btrdb, words, workspace } from "./support.ts";
import { unpackOldFile } from "../support/old_file.ts";

/** A file with a point every hour of 100 days in two streams. */
async function makeFile(path: string): Promise<void> {
  await using db = await connect(`file:${path}`);
  const now = currentTime();
  for (const collection of ["pmu", "pmu/events"]) {
    const stream = await db.create(crypto.randomUUID(), collection, { tags: { name: "a" } });
    const times = BigInt64Array.from(
      { length: 2400 },
      (_, i) => now - BigInt(i) * 3600n * SECOND - SECOND,
    );
    await stream.insert({ times, values: Float64Array.from(times, Number) });
    await stream.flush();
  }
}

Deno.test("retain: sets, lists, counts, removes what is too old, and removes rules", async () => {
  await using dir = await workspace();
  const { env, path: cwd } = dir;
  await makeFile(`${cwd}/a.btrdb`);
  const run = (line: string) => btrdb(words(line), { cwd, env });

  const none = await run("retain file:a.btrdb");
  assertEquals([none.code, none.stdout], [0, ""]);
  assertStringIncludes(none.stderr, "There are no rules");

  const assumed = await run("retain file:a.btrdb pmu 10d --dry-run");
  assertEquals(assumed.code, 0);
  assertStringIncludes(assumed.stderr, "Would remove 4,320 points of 2 streams");
  assertEquals(JSON.parse((await run("retain file:a.btrdb --json")).stdout).rules, []);

  const asked = await run("retain file:a.btrdb pmu 10d");
  assertEquals(asked.code, 2);
  assertStringIncludes(asked.stderr, "let 4,320 points of 2 streams expire now");
  assertEquals(JSON.parse((await run("retain file:a.btrdb --json")).stdout).rules, []);

  assertEquals((await run("retain file:a.btrdb pmu/events/ never")).code, 0);
  const set = await run("retain file:a.btrdb pmu 10d --yes");
  assertEquals(set.code, 0);
  const lines = set.stdout.trimEnd().split("\n").map((line) => line.split(/\s{2,}/));
  assertEquals(
    lines,
    [["PREFIX", "AGE"], ["pmu", "10 d"], ["pmu/events", "never"]].map((row) => row),
  );
  const { rules } = JSON.parse((await run("-d file:a.btrdb retain --json")).stdout);
  assertEquals(rules, [
    { prefix: "pmu", maxAge: String(10n * DAY) },
    { prefix: "pmu/events", maxAge: null },
  ]);

  const done = await run("retain file:a.btrdb --run --json");
  assertEquals(done.code, 0);
  const { expired } = JSON.parse(done.stdout);
  // What was opened for writing before may have begun with it.
  assertEquals([expired.dryRun, expired.looked, expired.failed], [false, 1, []]);
  {
    await using db = await connect(`file:${cwd}/a.btrdb`, { embedded: { readOnly: true } });
    const counts: bigint[] = [];
    for (const collection of ["pmu", "pmu/events"]) {
      for await (const stream of db.lookupStreams(collection)) counts.push(await stream.count());
    }
    assertEquals(counts, [240n, 2400n]);
  }

  assertEquals((await run("retain file:a.btrdb pmu --remove")).code, 0);
  const gone = await run("retain file:a.btrdb pmu --remove");
  assertEquals(gone.code, 3);
  assertStringIncludes(gone.stderr, 'no rule of "pmu"');
});

Deno.test("retain, compact: mistakes on the command line say what is right", async () => {
  await using dir = await workspace();
  const { env, path: cwd } = dir;
  await makeFile(`${cwd}/a.btrdb`);
  const cases: [string, number, string][] = [
    ["retain", 2, "needs a database"],
    ["retain file:a.btrdb pmu", 2, 'needs an AGE for "pmu"'],
    ["retain file:a.btrdb pmu soon", 2, "soon: expected a duration"],
    ["retain file:a.btrdb pmu 30 --yes", 2, "maxAge is 30 ns, expected 1 s"],
    ["retain file:a.btrdb --remove", 2, "needs PREFIX"],
    ["retain file:a.btrdb pmu 1d --remove", 2, "takes no AGE"],
    ["retain file:a.btrdb --run --dry-run", 2, "exclude each other"],
    ["-d file:a.btrdb retain pmu 1d more", 2, "one argument too many"],
    ["retain file:none.btrdb", 3, "no database"],
    ["retain memory: pmu 1d --yes", 0, ""],
    ["compact", 2, "needs a file"],
    ["compact memory:", 2, "it is not a file"],
    ["compact none.btrdb", 3, "not there"],
  ];
  for (const [line, code, text] of cases) {
    const outcome = await btrdb(words(line), { cwd, env });
    assertEquals(outcome.code, code, `${line}: ${outcome.stderr}`);
    assertStringIncludes(outcome.stderr, text);
  }
});

Deno.test("compact: a file gets smaller, while it is open too, and one of an earlier release once it is rewritten", async () => {
  await using dir = await workspace();
  const { env, path: cwd } = dir;
  const run = (line: string) => btrdb(words(line), { cwd, env });
  {
    await using db = await connect(`file:${cwd}/a.btrdb`);
    const streams = [];
    for (const name of ["a", "b"]) {
      const stream = await db.create(crypto.randomUUID(), name);
      const times = BigInt64Array.from({ length: 300_000 }, (_, i) => BigInt(i) * SECOND);
      await stream.insert({ times, values: Float64Array.from(times, (_, i) => Math.sin(i)) });
      streams.push(stream);
    }
    // Only now, or some of the room would be used again for the other one.
    await streams[0]!.obliterate();
    await db.expire(); // Waits until the room can be used again.
    const { code, stdout, stderr } = await run("compact a.btrdb --json");
    assertEquals([code, stderr], [0, ""]);
    const { before, after } = JSON.parse(stdout);
    assert(after < before * 0.7, `${before} to ${after}`);
  }
  const again = await run("compact file:a.btrdb");
  assertEquals(again.code, 0);
  assertStringIncludes(again.stderr, "a.btrdb has ");
  assertEquals((await run("-d file:a.btrdb verify -q")).code, 0);

  await unpackOldFile(5, `${cwd}/old.btrdb`);
  const old = await run("compact old.btrdb");
  assertEquals(old.code, 1);
  assertStringIncludes(old.stderr, "compact old.btrdb --rewrite");
  assertEquals((await run("compact old.btrdb --rewrite")).code, 0);
  assertEquals((await run("-d file:old.btrdb verify -q")).code, 0);
  assert((await run("compact old.btrdb")).code === 0);
});
