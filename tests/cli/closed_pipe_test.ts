/** Commands whose reader has closed the pipe, as `head` does, and disks that are full. */

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { connect } from "@btrdb/btrdb";
import { simulatePmu } from "../../src/ingest/c37118/mod.ts";
import { until } from "../support/until.ts";
import { btrdb, commandLine, start, withoutReader, workspace } from "./support.ts";

const ignore = { ignore: Deno.build.os === "windows" };

const UUID = "11111111-1111-4111-8111-111111111111";

async function databaseOf(target: string, value: number): Promise<void> {
  await using db = await connect(target);
  const stream = await db.create(UUID, "c", { tags: { name: "v" } });
  await stream.insert([[1n, 1], [2n, value]]);
}

// `btrdb diff a b | head -1` ended with 0, "no difference", because its reader had gone: a script that
// looked at the status of the pipeline took two different databases for the same.
Deno.test(
  "diff: a reader that goes away does not make two databases the same",
  ignore,
  async () => {
    await using dir = await workspace();
    const [a, b] = [`file:${dir.path}/a.btrdb`, `file:${dir.path}/b.btrdb`];
    await databaseOf(a, 2);
    await databaseOf(b, 3);
    for (const more of [[], ["--json"]]) {
      const { code, stderr } = await withoutReader(["diff", a, b, ...more], dir);
      assertEquals([code, stderr], [1, "They differ\n"]);
    }
    assertEquals((await withoutReader(["diff", a, a.replace("/a.", "/./a.")], dir)).code, 0);
  },
);

// The plot after the first file found no reader: the second file was not imported, with exit status 0.
Deno.test("import --plot: a reader that goes away does not end the import", ignore, async () => {
  await using dir = await workspace();
  const target = `file:${dir.path}/a.btrdb`;
  const files = ["a", "b"].map((name) => `${dir.path}/${name}.csv`);
  for (const file of files) await Deno.writeTextFile(file, "time (ns),v\n1,1\n2,2\n");
  const { code, stderr } = await withoutReader(["-d", target, "import", ...files, "--plot"], dir);
  assertEquals(code, 0, stderr);
  await using db = await connect(target);
  assertEquals((await Array.fromAsync(db.listCollections())).length, 2, stderr);
});

// `btrdb ingest … --json | head` died of an uncaught error at its second line, and stored nothing more.
Deno.test("ingest: goes on storing when nobody reads its reports any more", async () => {
  await using dir = await workspace();
  await using pmu = await simulatePmu({ id: 7, phasors: 3, rate: 100 });
  const child = start([
    ...["-d", `file:${dir.path}/g.btrdb`, "ingest", `c37118://${pmu.address}?id=7`, "--json"],
    ...["--every", "100ms", "--report", "100ms", "--metrics-port", "0"],
  ], { env: dir.env });
  const stderr = new Response(child.stderr).text();
  let ended = false;
  const status = child.status.then((status) => {
    ended = true;
    return status;
  });
  const reader = child.stdout.pipeThrough(new TextDecoderStream()).getReader();
  let metrics: string | undefined;
  for (let text = ""; metrics === undefined;) {
    const { value, done } = await reader.read();
    assert(!done, "ended at once");
    text += value;
    metrics = /"Metrics on ([^"]*)"/.exec(text)?.[1];
  }
  await reader.cancel();
  const stored = async (): Promise<number> => {
    if (ended) throw new Error(`ended: ${await stderr}`);
    const text = await (await fetch(metrics)).text();
    return Number(/^btrdb_ingest_stored_total (\d+)$/m.exec(text)![1]);
  };
  // Several reports: the first write to a pipe without a reader is the one that fails.
  let before = 0;
  for (let times = 0; times < 5; times++) {
    await until("more is stored", async () => await stored() > before + 300);
    before = await stored();
  }
  child.kill("SIGINT");
  assertEquals([(await status).code, await stderr.then((text) => text.includes("rror"))], [
    0,
    false,
  ]);
});

// The message was Deno's, with the advice to look for a fault of the program.
Deno.test("a full disk behind stdout is named", {
  ignore: Deno.build.os !== "linux",
}, async () => {
  await using dir = await workspace();
  const target = `file:${dir.path}/a.btrdb`;
  await databaseOf(target, 2);
  for (const args of [["ls"], ["export", "c/v"], ["tail", "c/v"]]) {
    const { code, stderr } = await new Deno.Command("sh", {
      args: ["-c", '"$@" > /dev/full', "sh", ...commandLine(["-d", target, ...args, "-q"])],
      env: { NO_COLOR: "", BTRDB_ENDPOINTS: "", ...dir.env },
    }).output();
    const said = new TextDecoder().decode(stderr);
    assertEquals(code, 1);
    assertStringIncludes(said, "error: Cannot write to stdout: No space left");
    assertStringIncludes(said, "hint: the output is not complete");
  }
});

// The picture that was there was cut to nothing before the new one was written: a full disk or a kill in
// between left half a file under its name.
Deno.test("plot --svg: a picture stays until the new one is complete", ignore, async () => {
  await using dir = await workspace();
  const target = `file:${dir.path}/a.btrdb`;
  await databaseOf(target, 2);
  const path = `${dir.path}/old.svg`;
  await Deno.writeTextFile(path, "old");
  await using kept = await Deno.open(path);
  const { code, stderr } = await btrdb(["-d", target, "plot", "c/v", "--svg", path], dir);
  assertEquals(code, 0, stderr);
  assertEquals(await new Response(kept.readable).text(), "old", "the open file was written over");
  assertStringIncludes(await Deno.readTextFile(path), "</svg>");
  const names = (await Array.fromAsync(Deno.readDir(dir.path))).map(({ name }) => name);
  assertEquals(names.filter((name) => name.includes(".part")), []);
});
