/** The demo as a process: good input twice, bad input of every kind. */

import { assertEquals, assertMatch } from "@std/assert";
import { connect } from "@btrdb/btrdb";
import { codeBlocks, readmeSection } from "../../support/readme.ts";
import { type Finished, runDeno, withFolder } from "../../support/run.ts";

const DEMO = new URL("../../../tools/demo.ts", import.meta.url).pathname;
const CLI = new URL("../../../src/cli/main.ts", import.meta.url).pathname;
const HEADER = "Timestamp (ns),Human-Readable Time (UTC),a,b\n";

/** Runs the demo with a folder of its own as the current one. */
function demo(folder: string, ...args: string[]): Promise<Finished> {
  return runDeno(["run", "-A", "--quiet", "--config", CONFIG, DEMO, ...args], { cwd: folder });
}

const CONFIG = new URL("../../../deno.json", import.meta.url).pathname;

/** Names of the files below a folder. */
async function filesIn(folder: string): Promise<string[]> {
  const names: string[] = [];
  try {
    for await (const entry of Deno.readDir(folder)) names.push(entry.name);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
  return names.sort();
}

/** Asserts that a run failed with one line that says this, and left no files. */
async function assertRefused(
  folder: string,
  finished: Finished,
  code: number,
  message: RegExp,
): Promise<void> {
  assertMatch(finished.stderr, message);
  assertEquals(finished.stderr.trimEnd().split("\n").length, 1, finished.stderr);
  assertEquals(finished.code, code);
  assertEquals(await filesIn(`${folder}/demo-out`), []);
}

Deno.test("demo: a CSV twice gives the same database contents", async () => {
  await withFolder(async (folder) => {
    const rows = ["1000,x,0.5,", "2000,x,,7", "3000,x,-1e-3,8", "3000,x,2,"];
    await Deno.writeTextFile(`${folder}/small.csv`, `${HEADER}${rows.join("\n")}\n`);
    for (const round of [1, 2]) {
      const { code, stdout, stderr } = await demo(folder, "small.csv");
      assertEquals({ round, code, stderr }, { round, code: 0, stderr: "" });
      assertMatch(stdout, /2 streams, 5 points/);
      assertMatch(stdout, /Opened again: 5 points are there/);
    }
    assertEquals(
      (await filesIn(`${folder}/demo-out`)).filter((name) => !/-(wal|shm|lock)$/.test(name)),
      ["small.btrdb", "small.fixed6.csv", "small.shortest.csv"],
    );
    const text = await Deno.readTextFile(`${folder}/demo-out/small.shortest.csv`);
    assertEquals(text.split("\n").map((line) => line.split(",").slice(2)), [
      ["a", "b"],
      ["0.5", ""],
      ["", "7"],
      ["-0.001", "8"],
      ["2", ""],
      [],
    ]);
  });
});

Deno.test("demo: gzipped input, and into memory", async () => {
  await withFolder(async (folder) => {
    const packed = new Blob([`${HEADER}5,x,1,2\n`]).stream()
      .pipeThrough(new CompressionStream("gzip"));
    await Deno.writeFile(`${folder}/packed.csv.gz`, packed);
    const { code, stdout, stderr } = await demo(folder, "--db", "memory:", "packed.csv.gz");
    assertEquals({ code, stderr }, { code: 0, stderr: "" });
    assertMatch(stdout, /2 streams, 2 points/);
  });
});

/** Asserts that the commands in the README's terminal session print what it shows. */
async function assertSession(folder: string): Promise<void> {
  const [session] = codeBlocks(await readmeSection("## The command line"), "console");
  const runs = session!.split(/^\$ btrdb /m).slice(1);
  assertEquals(runs.length > 0, true);
  for (const run of runs) {
    const [command, ...shown] = run.trimEnd().split("\n");
    const args = ["run", "-A", "--quiet", "--config", CONFIG, CLI, ...command!.split(" ")];
    const { stdout } = await runDeno(args, { cwd: folder, env: { COLUMNS: "80" } });
    assertEquals(stdout.trimEnd().split("\n"), shown);
  }
}

const BAD_FILES: readonly [string, string, RegExp][] = [
  ["a bad cell", `${HEADER}5,x,1,2\n6,x,1,two\n`, /^demo: bad\.csv: .*line 3, column 4 .*"two"/],
  ["a bad time", `${HEADER}noon,x,1,2\n`, /^demo: bad\.csv: .*line 2, column 1 .*"noon"/],
  ["a short row", `${HEADER}5,x\n`, /^demo: bad\.csv: .*line 2.*2 of 4 columns/],
  ["another header", "time,value\n1,2\n", /^demo: bad\.csv: .*line 1, column 1.*"time"/],
  ["no points", HEADER, /^demo: bad\.csv: holds no points/],
  ["nothing at all", "", /^demo: bad\.csv: .*line 1/],
  [
    "a time that no tree holds",
    `${HEADER}9223372036854775807,x,1,2\n`,
    /^demo: bad\.csv: "a" has a/,
  ],
];

for (const [what, text, message] of BAD_FILES) {
  Deno.test(`demo: a file with ${what} is refused with its place, nothing is written`, async () => {
    await withFolder(async (folder) => {
      await Deno.writeTextFile(`${folder}/bad.csv`, text);
      await assertRefused(folder, await demo(folder, "bad.csv"), 1, message);
    });
  });
}

Deno.test("demo: a file that is not there, a folder, a cut archive", async () => {
  await withFolder(async (folder) => {
    await assertRefused(
      folder,
      await demo(folder, "gone.csv"),
      3,
      /^demo: gone\.csv: no such file/,
    );
    await Deno.mkdir(`${folder}/dir.csv`);
    await assertRefused(folder, await demo(folder, "dir.csv"), 1, /^demo: dir\.csv: is a folder/);
    const packed = await new Response(
      new Blob([HEADER]).stream().pipeThrough(new CompressionStream("gzip")),
    ).bytes();
    await Deno.writeFile(`${folder}/cut.csv.gz`, packed.subarray(0, packed.length - 9));
    await assertRefused(
      folder,
      await demo(folder, "cut.csv.gz"),
      1,
      /^demo: cut\.csv\.gz: not a compl/,
    );
  });
});

Deno.test("demo: wrong arguments", async () => {
  await withFolder(async (folder) => {
    const { code, stderr } = await demo(folder, "--bd", "memory:");
    assertEquals(code, 2);
    assertMatch(stderr, /^demo: Unknown option --bd\nUsage: /);
  });
});

Deno.test("demo: a broken database file is named and left as it was", async () => {
  await withFolder(async (folder) => {
    await Deno.writeTextFile(`${folder}/small.csv`, `${HEADER}5,x,1,2\n`);
    const broken = new Uint8Array(8192).map((_, i) => i * 7);
    await Deno.writeFile(`${folder}/broken.btrdb`, broken);
    const { code, stderr } = await demo(folder, "--db", "file:broken.btrdb", "small.csv");
    assertEquals(code, 1);
    assertMatch(stderr, /^demo: .*broken\.btrdb/);
    assertEquals(stderr.trimEnd().split("\n").length, 1, stderr);
    assertEquals(await Deno.readFile(`${folder}/broken.btrdb`), broken);
  });
});

Deno.test("demo: wrong addresses and a port without a server are named", async () => {
  await withFolder(async (folder) => {
    await Deno.writeTextFile(`${folder}/small.csv`, `${HEADER}5,x,1,2\n`);
    const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    const { port } = listener.addr;
    listener.close();
    for (
      const [target, code] of [
        [`127.0.0.1:${port}`, 4],
        ["127.0.0.1:notaport", 1],
        ["127.0.0.1:99999", 1],
        ["no-such-host.invalid:4410", 4],
        ["file:", 1],
        ["gopher:what", 1],
      ] as const
    ) {
      const finished = await demo(folder, "--db", target, "small.csv");
      assertEquals(finished.stderr.includes(target), true, `${target}: ${finished.stderr}`);
      assertEquals(finished.stderr.trimEnd().split("\n").length, 1, finished.stderr);
      assertEquals([target, finished.code], [target, code]);
      assertEquals(await filesIn(`${folder}/demo-out`), []);
    }
  });
});

Deno.test("demo: made-up signals have the sag, and the command line shows what the README shows", async () => {
  await withFolder(async (folder) => {
    const { code, stdout, stderr } = await demo(folder);
    assertEquals({ code, stderr }, { code: 0, stderr: "" });
    assertMatch(stdout, /6 streams, 432,000 points/);
    await assertSession(folder);
    await using db = await connect(`file:${folder}/demo-out/feeder.btrdb`);
    const [stream] = await Array.fromAsync(
      db.lookupStreams("demo/feeder-12", { tags: { name: "L1MAG" } }),
    );
    const start = "2026-01-01T00:06:12Z";
    const { min, max } = await stream!.windows(start, "2026-01-01T00:06:13Z", 1_000_000_000n)
      .collect();
    assertEquals([min[0]! < 4300, min[0]! > 4000, max[0]! > 7100], [true, true, true]);
  });
});
