/** Logs that are followed while they are rotated, cut off or written anew. */

import { assert, assertEquals } from "@std/assert";
import { gzipSync } from "node:zlib";
import { isRotationOf, unrotatedName } from "../../../src/ingest/follow/rotated_names.ts";
import { Followed, rows, upTo } from "../../support/followed.ts";
import { until } from "../../support/until.ts";

Deno.test("followFile: a log that is renamed and begun anew", async () => {
  await using followed = await Followed.make();
  await followed.write("log.csv", "time,v\n" + rows(1, 3));
  followed.begin("log.csv");
  await followed.untilValues("f/v", upTo(3));
  // The program that writes it still has the old one open.
  using old = await Deno.open(followed.path("log.csv"), { append: true });
  await Deno.rename(followed.path("log.csv"), followed.path("log.csv.1"));
  await followed.write("log.csv", "time,v\n" + rows(5, 6));
  await old.write(new TextEncoder().encode(rows(4, 4)));
  await followed.untilValues("f/v", upTo(6));
  await Deno.rename(followed.path("log.csv.1"), followed.path("log.csv.2"));
  await Deno.rename(followed.path("log.csv"), followed.path("log.csv.1"));
  await followed.write("log.csv", "time,v\n" + rows(7, 7));
  await followed.untilValues("f/v", upTo(7));
  assertEquals((await followed.end()).fresh, 7);
});

Deno.test("followFile: a log that was rotated twice, and compressed, while nobody followed it", async () => {
  await using followed = await Followed.make();
  await followed.write("log.csv", "time,v\n" + rows(1, 3));
  followed.begin("log.csv");
  await followed.untilValues("f/v", upTo(3));
  await followed.end();
  await followed.write("log.csv", rows(4, 5));
  const bytes = await Deno.readFile(followed.path("log.csv"));
  await Deno.writeFile(followed.path("log.csv.2.gz"), gzipSync(bytes));
  await Deno.remove(followed.path("log.csv"));
  await followed.write("log.csv.1", "time,v\n" + rows(6, 8));
  await followed.write("log.csv", "time,v\n" + rows(9, 9));
  followed.begin("log.csv");
  await followed.untilValues("f/v", upTo(9));
  assertEquals((await followed.end()).fresh, 6);
});

// A log that was rotated twice between two looks is read when it has settled. Whoever was stopped before
// had forgotten it when it went on, and said nothing.
Deno.test("followFile: a log that was missed is still searched by the next run", async () => {
  await using followed = await Followed.make();
  await followed.write("log.csv", "time,v\n" + rows(1, 2));
  followed.begin("log.csv");
  await followed.untilValues("f/v", upTo(2));
  await followed.write("log.csv.1", "time,v\n" + rows(3, 4));
  await Deno.rename(followed.path("log.csv"), followed.path("log.csv.2"));
  await followed.write("log.csv", "time,v\n" + rows(5, 5));
  await until("the last row is stored", async () => (await followed.values("f/v")).includes(5));
  await followed.end();
  followed.begin("log.csv");
  await followed.untilValues("f/v", upTo(5));
  await followed.end();
  assertEquals(followed.warnings, []);
});

// "Cannot follow log.csv.1.gz: it is compressed with gzip" was the end of it.
Deno.test("followFile: a log that was missed and compressed", async () => {
  await using followed = await Followed.make();
  await followed.write("log.csv", "time,v\n" + rows(1, 2));
  followed.begin("log.csv");
  await followed.untilValues("f/v", upTo(2));
  const compressed = gzipSync("time,v\n" + rows(3, 4));
  await Deno.writeFile(followed.path("log.csv.1.gz"), compressed);
  await Deno.rename(followed.path("log.csv"), followed.path("log.csv.2"));
  await followed.write("log.csv", "time,v\n" + rows(5, 5));
  await followed.untilValues("f/v", upTo(5));
  assertEquals((await followed.end()).fresh, 5);
  followed.begin("log.csv");
  await followed.write("log.csv", rows(6, 6));
  await followed.untilValues("f/v", upTo(6));
  assertEquals((await followed.end()).fresh, 1);
});

// The journal knew nothing of it, and its rows were passed over.
Deno.test("followFile: a log that had no rows yet when it was seen, and was rotated while nobody followed it", async () => {
  await using followed = await Followed.make();
  await followed.write("log.csv", "time,v\n");
  followed.begin("log.csv");
  await until(
    "the log is noted",
    async () =>
      (await followed.journalLines().catch(() => [])).some((line) => line.startsWith('{"file"')),
  );
  await followed.end();
  await followed.write("log.csv", rows(1, 3));
  await Deno.rename(followed.path("log.csv"), followed.path("log.csv.1"));
  await followed.write("log.csv", "time,v\n" + rows(4, 4));
  followed.begin("log.csv");
  await followed.untilValues("f/v", upTo(4));
  await followed.end();
});

Deno.test("followFile: a log that is cut off, with a copy of what was in it", async () => {
  await using followed = await Followed.make();
  await followed.write("log.csv", "time,v\n" + rows(1, 3));
  followed.begin("log.csv");
  await followed.untilValues("f/v", upTo(3));
  await followed.end();
  await followed.write("log.csv", rows(4, 4));
  await Deno.copyFile(followed.path("log.csv"), followed.path("log.csv.1"));
  await followed.write("log.csv", "time,v\n" + rows(5, 9), false);
  followed.begin("log.csv");
  await followed.untilValues("f/v", upTo(9));
  await followed.write("log.csv", "time,v\n" + rows(10, 10), false);
  await followed.untilValues("f/v", upTo(10));
  await followed.end();
});

for (const isStored of [true, false]) {
  const what = isStored ? "after" : "before";
  Deno.test(`followFile: killed ${what} the first rows of a log are stored, which is cut off then`, async () => {
    await using followed = await Followed.make();
    await followed.write("log.csv", `time,v\n${rows(1, 5)}`);
    followed.begin("log.csv");
    await followed.untilValues("f/v", upTo(5));
    await followed.end();
    await followed.forgetLastNote();
    const [stream] = await Array.fromAsync(followed.db.lookupStreams("f"));
    if (!isStored) await stream!.deleteRange(0n, 2n ** 61n);
    await Deno.copyFile(followed.path("log.csv"), followed.path("log.csv.1"));
    // In its place are rows of another length: those up to the same byte end in the middle of one.
    await followed.write("log.csv", `time,v\n${rows(6, 12)}`, false);
    followed.begin("log.csv");
    await followed.untilValues("f/v", upTo(12));
    await followed.end();
    assertEquals(followed.warnings, []);
  });
}

Deno.test("followFile: a file that is written anew with more rows goes on", async () => {
  await using followed = await Followed.make();
  await followed.write("log.csv", "time,v\n" + rows(1, 3));
  followed.begin("log.csv");
  await followed.untilValues("f/v", upTo(3));
  await followed.write("new", "time,v\n" + rows(1, 5));
  await Deno.rename(followed.path("new"), followed.path("log.csv"));
  await followed.untilValues("f/v", upTo(5));
  await followed.write("log.csv", rows(6, 6));
  await followed.untilValues("f/v", upTo(6));
  assertEquals((await followed.end()).fresh, 6);
});

Deno.test("followFile: a log that goes on without its header has the columns that it had", async () => {
  await using followed = await Followed.make();
  await followed.write("log.csv", "time,v\n" + rows(1, 3));
  followed.begin("log.csv");
  await followed.untilValues("f/v", upTo(3));
  await Deno.rename(followed.path("log.csv"), followed.path("log.csv.1"));
  await followed.write("log.csv", rows(4, 8));
  await followed.untilValues("f/v", upTo(8));
  await followed.end();
});

Deno.test("followFile: rotation within a folder stores nothing twice", async () => {
  await using followed = await Followed.make();
  await followed.write("log.csv", "time,v\n" + rows(1, 3));
  followed.begin("", { into: undefined });
  await followed.untilValues("log/v", upTo(3));
  await Deno.rename(followed.path("log.csv"), followed.path("log.csv.1"));
  await followed.write("log.csv", "time,v\n" + rows(4, 6));
  await followed.untilValues("log/v", upTo(6));
  const bytes = await Deno.readFile(followed.path("log.csv.1"));
  await Deno.writeFile(followed.path("log.csv.1.gz"), gzipSync(bytes));
  await Deno.remove(followed.path("log.csv.1"));
  await followed.write("log.csv", rows(7, 7));
  await followed.untilValues("log/v", upTo(7));
  await followed.write("other.csv", "time,v\n" + rows(1, 1));
  await followed.untilValues("other/v", [1]);
  assertEquals((await followed.end()).fresh, 8);
});

Deno.test("isRotationOf: names of rotated logs", () => {
  const names = ["log.csv.1", "log.csv-20260301", "log.csv.2.gz", "log-20260301.csv", "log.1.csv"];
  for (const name of names) assert(isRotationOf(name, "log.csv"), name);
  for (const name of ["log.csv", "log2.csv", "blog.csv.1", "log.csv.cfg", "log.txt"]) {
    assert(!isRotationOf(name, "log.csv"), name);
  }
  assertEquals(unrotatedName("a/log.csv.1.gz"), "a/log.csv");
  assertEquals(unrotatedName("pmu-20260301.csv"), "pmu-20260301.csv");
});
