/** Files that are followed: rows as they are written, whatever happens to the file. */

import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { lchown } from "node:fs/promises";
import { gzipSync } from "node:zlib";
import { filesIn, followFile, type FollowOptions } from "../../../src/ingest/mod.ts";
import { Followed, rows, upTo } from "../../support/followed.ts";
import { until } from "../../support/until.ts";

Deno.test("followFile: rows as they are written, half a row waits for its end", async () => {
  await using followed = await Followed.make();
  await followed.write("log.csv", "time,v\n");
  followed.begin("log.csv");
  await followed.write("log.csv", "1700000001,1\n1700000002,");
  await followed.untilValues("f/v", [1]);
  await followed.write("log.csv", "2");
  await followed.write("log.csv", "\n1700000003,3\n");
  await followed.untilValues("f/v", [1, 2, 3]);
  const { fresh, rows: stored, created, files } = await followed.end();
  assertEquals([fresh, stored, created, files.length], [3, 3, 1, 1]);
  assertEquals(followed.warnings, []);
});

Deno.test("followFile: what was stored is not stored again by the next run", async () => {
  await using followed = await Followed.make();
  await followed.write("log.csv", "time,v\n" + rows(1, 5));
  followed.begin("log.csv");
  await followed.untilValues("f/v", upTo(5));
  await followed.end();
  await followed.write("log.csv", rows(6, 8));
  followed.begin("log.csv");
  await followed.untilValues("f/v", upTo(8));
  assertEquals((await followed.end()).fresh, 3);
  followed.begin("log.csv", { tz: "Europe/Berlin" });
  await assertRejects(() => followed.running, Error, "began with other options");
});

// One digit of the place that a damaged disk or an editor had changed was believed: rows were passed over,
// and nobody was told.
Deno.test("followFile: a journal of which a digit was changed is refused", async () => {
  await using followed = await Followed.make();
  await followed.write("log.csv", `time,v\n${rows(1, 4)}`);
  followed.begin("log.csv");
  await followed.untilValues("f/v", upTo(4));
  await followed.end();
  const lines = await followed.journalLines();
  const last = lines.at(-1)!;
  const offset = /"offset":(\d+)/.exec(last)![1]!;
  const changed = last.replace(
    `"offset":${offset}`,
    `"offset":${Number(offset) + rows(5, 5).length}`,
  );
  await followed.setJournal([...lines.slice(0, -1), changed]);
  await followed.write("log.csv", rows(5, 6));
  const stored = new AbortController();
  followed.begin("log.csv", { signal: stored.signal, onProgress: () => stored.abort() });
  await assertRejects(() => followed.running, Error, `line ${lines.length} of `);
  await followed.setJournal(lines);
  followed.begin("log.csv");
  await followed.untilValues("f/v", upTo(6));
  await followed.end();
});

// A journal that had lost its end, or was put back from a backup, was believed: all rows behind what it
// knew were stored twice, without a word.
Deno.test("followFile: a journal that lost lines at its end is refused, wherever it was cut", async () => {
  await using followed = await Followed.make();
  await followed.write("log.csv", "time,v,w\n");
  followed.begin("log.csv");
  for (let i = 1; i <= 3; i++) {
    await followed.write("log.csv", rows(i, i).replace("\n", `,${-i}\n`));
    await followed.untilValues("f/w", upTo(i).map((value) => -value));
  }
  await followed.end();
  const lines = await followed.journalLines();
  for (let count = lines.length - 2; count >= 0; count--) {
    await followed.setJournal(lines.slice(0, count));
    await followed.write("log.csv", `${1_700_000_100 - count},9,9\n`);
    const stored = new AbortController();
    const onProgress = () => stored.abort();
    followed.begin("log.csv", { signal: stored.signal, onProgress });
    await assertRejects(() => followed.running, Error, "Cannot go on", `${count} lines`);
  }
  await followed.setJournal(lines);
  followed.begin("log.csv");
  await followed.untilValues("f/v", [...upTo(3), ...lines.slice(1).map(() => 9)]);
  await followed.end();
});

Deno.test("followFile: points that another program added to its streams are no reason to stop", async () => {
  await using followed = await Followed.make();
  await followed.write("log.csv", "time,v\n" + rows(1, 5));
  followed.begin("log.csv");
  await followed.untilValues("f/v", upTo(5));
  await followed.end();
  const [stream] = await Array.fromAsync(followed.db.lookupStreams("f", {}));
  await stream!.insert([[1_700_000_010_000_000_000n, 10]]);
  await followed.write("log.csv", rows(6, 8));
  followed.begin("log.csv");
  await followed.untilValues("f/v", [...upTo(8), 10]);
  await followed.end();
});

Deno.test("followFile: a file in UTF-16 and one in windows-1252, cell by cell", async () => {
  const utf16 = (text: string): Uint8Array<ArrayBuffer> =>
    Uint8Array.from([...text].flatMap((c) => [c.charCodeAt(0) & 255, c.charCodeAt(0) >> 8]));
  await using followed = await Followed.make();
  const path = followed.path("log.csv");
  await Deno.writeFile(path, utf16("\uFEFFtime,°C\n" + rows(1, 300)));
  followed.begin("log.csv");
  await followed.untilValues("f/°C", upTo(300));
  for (const byte of utf16("1700000301,301\n")) {
    await Deno.writeFile(path, Uint8Array.of(byte), { append: true });
  }
  await followed.untilValues("f/°C", upTo(301));
  await followed.end();
  const latin = "time;Temp \xb0C\n" + rows(1, 4).replaceAll(",", ";");
  const bytes = Uint8Array.from([...latin].map((c) => c.charCodeAt(0)));
  await Deno.writeFile(followed.path("b.csv"), bytes);
  followed.begin("b.csv", { encoding: "windows-1252" });
  await followed.untilValues("f/Temp °C", upTo(4));
  await followed.end();
});

Deno.test("followFile: a quoted cell that goes on in the next line waits", async () => {
  await using followed = await Followed.make();
  await followed.write("log.csv", 'time,note,v\n1700000001,"a\nb",1\n1700000002,"c\n');
  followed.begin("log.csv");
  await followed.untilValues("f/v", [1]);
  await followed.write("log.csv", 'd\n",2\n');
  await followed.untilValues("f/v", [1, 2]);
  await followed.end();
});

Deno.test("followFile: a folder, its new files, and one with an error beside the others", async () => {
  await using followed = await Followed.make();
  await followed.write("a.csv", "time,v\n" + rows(1, 2));
  followed.begin("", { into: undefined });
  await followed.untilValues("a/v", upTo(2));
  await followed.write("bad.csv", "time,v\n" + rows(1, 3) + "1700000004,oops\n" + rows(5, 5));
  await followed.untilValues("bad/v", upTo(3));
  await followed.write("b.csv.gz", "");
  const packed = gzipSync("time,v\n" + rows(1, 4));
  await Deno.writeFile(followed.path("b.csv.gz"), packed.subarray(0, 30));
  await followed.write("a.csv", rows(3, 3));
  await followed.untilValues("a/v", upTo(3));
  await Deno.writeFile(followed.path("b.csv.gz"), packed);
  await followed.untilValues("b/v", upTo(4));
  await until("the error is told", () => followed.warnings.some((text) => text.includes("oops")));
  const { files } = await followed.end();
  const bad = files.find(({ path }) => path.endsWith("bad.csv"))!;
  assertStringIncludes(bad.problem!, "5");
  assertStringIncludes(followed.warnings.find((text) => text.includes("oops"))!, "bad.csv");
  followed.begin("", { into: undefined });
  await followed.write("a.csv", rows(4, 4));
  await followed.untilValues("a/v", upTo(4));
  assertEquals((await followed.end()).fresh, 1);
  assertEquals(await followed.values("b/v"), upTo(4));
});

// Whoever could write to the folder ended the program that follows it with `ln -s a b; ln -s b a`.
Deno.test("followFile: links that lead nowhere in a folder do not end it", async () => {
  await using followed = await Followed.make();
  await followed.write("a.csv", "time,v\n" + rows(1, 2));
  followed.begin("", { into: undefined });
  await followed.untilValues("a/v", upTo(2));
  await Deno.symlink(followed.path("y.csv"), followed.path("x.csv"));
  await Deno.symlink(followed.path("x.csv"), followed.path("y.csv"));
  await Deno.symlink(followed.path("nothing.csv"), followed.path("z.csv"));
  await followed.write("b.csv", "time,v\n" + rows(1, 3));
  await followed.untilValues("b/v", upTo(3));
  assertEquals((await followed.end()).fresh, 5);
});

Deno.test("followFile: a record of COMTRADE whose samples come later than its configuration", async () => {
  await using followed = await Followed.make();
  followed.begin("", { into: "f" });
  const lines = [
    "S,D,1999",
    "1,1A,0D",
    "1,V,,,V,1,0,0,-99999,99999,1,1,P",
    "50",
    "1",
    "1000,2",
    "01/03/2026,00:00:00.000000",
    "01/03/2026,00:00:00.000000",
    "ASCII",
    "1",
  ];
  await followed.write("r.cfg", lines.map((line) => `${line}\r\n`).join(""));
  await until("the lack is told", () => followed.warnings.some((text) => text.includes("r.dat")));
  await followed.write("r.dat", "1,0,5\r\n2,1000,6\r\n");
  await followed.untilValues("f/V", [5, 6]);
  const { files } = await followed.end();
  assertEquals(files.map(({ problem }) => problem), [undefined]);
});

Deno.test("followFile: what cannot grow, and options that mean nothing, are refused", async () => {
  await using followed = await Followed.make();
  await Deno.writeFile(followed.path("a.csv.gz"), gzipSync("time,v\n" + rows(1, 4)));
  const options = { stateFolder: followed.folder };
  const follow = (name: string, more: FollowOptions): Promise<unknown> =>
    followFile(followed.db, followed.path(name), { ...options, ...more });
  await assertRejects(() => follow("a.csv.gz", {}), Error, "compressed with gzip");
  await assertRejects(() => follow("nothing.csv", {}), Error, "There is no file");
  await assertRejects(() => follow("a.csv.gz", { live: true }), Error, "--live and --follow");
  await assertRejects(() => follow("a.csv.gz", { by: "x" }), Error, "--by and --follow");
  await assertRejects(() => follow("a.csv.gz", { settleMs: 1 }), Error, "settleMs is 1");
  await followed.write("bad.csv", "time,v\n" + rows(1, 3) + "1700000004,oops\n");
  await assertRejects(() => follow("bad.csv", { into: "f" }), Error, "oops");
  assertEquals(await followed.values("f/v"), upTo(3));
  assert(await followed.values("a/v").then(({ length }) => length === 0));
});

Deno.test("filesIn: links that another user planted in a folder that everyone may write to are left out", async () => {
  if (Deno.uid() !== 0) return console.warn("skipped, only root can give links to other users");
  const folder = await Deno.makeTempDir();
  try {
    const secret = `${folder}/secret`;
    await Deno.mkdir(`${folder}/in`);
    await Deno.writeTextFile(secret, "time,value\n2026-01-01T00:00:00Z,1\n");
    for (const name of ["own.csv", "planted.csv"]) {
      await Deno.symlink(secret, `${folder}/in/${name}`);
    }
    await lchown(`${folder}/in/planted.csv`, 12_345, 12_345);
    const names = async () => {
      const { files, omitted } = await filesIn(`${folder}/in`);
      return [files.map((file) => file.slice(folder.length)), omitted.map(({ name }) => name)];
    };
    // In a folder of one's own, links are what its owner wants.
    assertEquals(await names(), [["/in/own.csv", "/in/planted.csv"], []]);
    await Deno.chmod(`${folder}/in`, 0o777);
    assertEquals(await names(), [["/in/own.csv"], ["planted.csv"]]);
    await Deno.chmod(`${folder}/in`, 0o1777);
    assertEquals(await names(), [["/in/own.csv"], ["planted.csv"]]);
    // The owner of the folder may link what it likes.
    await Deno.chown(`${folder}/in`, 12_345, 12_345);
    assertEquals(await names(), [["/in/own.csv", "/in/planted.csv"], []]);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("followFile: a planted link is left out, said once, and not read", async () => {
  if (Deno.uid() !== 0) return console.warn("skipped, only root can give links to other users");
  await using followed = await Followed.make();
  const secret = await Deno.makeTempFile();
  await Deno.writeTextFile(secret, "time,stolen\n2026-01-01T00:00:00Z,1\n");
  await Deno.chmod(followed.folder, 0o777);
  await Deno.symlink(secret, followed.path("a.csv"));
  await lchown(followed.path("a.csv"), 12_345, 12_345);
  await Deno.writeTextFile(followed.path("b.csv"), "time,freq\n2026-01-01T00:00:00Z,1\n");
  const notices: string[] = [];
  followed.begin("", { onNotice: (text) => notices.push(text) });
  await until(
    "the other file is stored",
    async () => (await Array.fromAsync(followed.db.lookupStreams("f"))).length > 0,
  );
  await followed.end();
  const names = (await Array.fromAsync(followed.db.lookupStreams("f"))).map((stream) =>
    stream.tags()
  );
  assertEquals((await Promise.all(names)).map(({ name }) => name), ["freq"]);
  assertEquals(notices.filter((text) => text.includes("another user")).length, 1);
  await Deno.remove(secret);
});

Deno.test("followFile: times and numbers that are stored otherwise than written are told", async () => {
  await using log = await Followed.make();
  // Nothing was said of any of them, which `import` of the same file warns of.
  const time = "2016-12-31T23:59:5";
  await log.write("a.csv", `time,V\n${time}8Z,1\n${time}9.0000000001Z,2\n`);
  log.begin("a.csv");
  await log.untilValues("f/V", [1, 2]);
  await log.write("a.csv", "2016-12-31T23:59:60Z,3\n2017-01-01T00:00:01Z,9007199254740993\n");
  await log.untilValues("f/V", [1, 2, 3, 9007199254740992]);
  await log.write("a.csv", "2017-01-01T00:00:02.0000000001Z,5\n");
  await log.untilValues("f/V", [1, 2, 3, 9007199254740992, 5]);
  const { warnings } = await log.end();
  assertEquals(warnings.map((text) => text.replace(/^.*a\.csv: /, "")), [
    "1 time, in line 3, is given with digits below a nanosecond, which were cut",
    "1 time, in line 4, is a leap second, stored at the time of the second after",
    "1 whole number beyond 2^53, in line 5, is no double and rounded to the nearest one",
    "in all, 2 times are given with digits below a nanosecond, which were cut",
  ]);
});
