/**
 * `btrdb distil` as a process: its output on a file and on a server, following, and what SIGKILL
 * leaves behind.
 */

import { connect, MAX_TIME, MIN_TIME, type Stream } from "@btrdb/btrdb";
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import {
  assertSnapshot,
  btrdb,
  normalized,
  serveTarget,
  start,
  transcript,
  words,
  workspace,
} from "./support.ts";

const CSV = `Timestamp (ns),Human-Readable Time (UTC),pmu/a,pmu/b
1700000000000000000,x,10,40
1700000000020000000,x,11,41
1700000000040000000,x,12,
1700000000060000000,x,-179,170
`;

const LATE = `Timestamp (ns),Human-Readable Time (UTC),pmu/b
1700000000040000000,x,50
`;

/** Two definitions, the second of which computes from the output of the first. */
const GRID = `
const map = (columns, convert) => ({ times: columns.times, values: columns.values.map(convert) });
export default (db) => [
  {
    name: "difference",
    version: "1",
    inputs: { a: "pmu/a", b: "pmu/b" },
    outputs: { difference: { path: "derived/difference", unit: "degrees" } },
    compute(range) {
      const { times, values } = range.rows();
      return { difference: { times, values: values.a.map((a, i) => values.b[i] - a) } };
    },
  },
  {
    name: "doubled",
    version: "1",
    inputs: { difference: "derived/difference" },
    outputs: { doubled: "derived/doubled" },
    compute: ({ inputs }) => ({ doubled: map(inputs.difference, (value) => 2 * value) }),
  },
];
`;

const FILES: Readonly<Record<string, string>> = {
  "pmu.csv": CSV,
  "late.csv": LATE,
  "grid.js": GRID,
  "empty.js": "export const x = 1;\n",
  "broken.js": "export default {\n",
  "twice.js": `const one = { name: "x", version: "1", inputs: { a: "pmu/a" }, outputs: { b: "c/d" },
    compute: () => ({}) };
export default [one, one];\n`,
  "throws.js": `export default { name: "throws", version: "1", inputs: { a: "pmu/a" },
    outputs: { b: "derived/b" }, compute() { throw new Error("no luck"); } };\n`,
};

const LINES = [
  "import -q pmu.csv",
  "distil ls grid.js",
  "distil status grid.js difference",
  "distil run grid.js",
  "query derived/difference",
  "query derived/doubled",
  "distil run grid.js",
  "import -q late.csv",
  "distil status grid.js",
  "distil run grid.js",
  "query derived/doubled",
  "delete-range pmu/a -s first -e +10ms --yes",
  "distil run grid.js --json",
  "distil ls",
  "distil ls --json",
  "distil status grid.js --json",
  "distil",
  "distil dance grid.js",
  "distil run",
  "distil run nowhere.js",
  "distil run grid.js nobody",
  "distil run empty.js",
  "distil run twice.js",
  "distil run throws.js",
  "distil run grid.js --max-points 5",
  "distil run grid.js --lease 1ms",
];

async function writeFiles(path: string): Promise<void> {
  for (const [name, text] of Object.entries(FILES)) {
    await Deno.writeTextFile(`${path}/${name}`, text);
  }
}

async function transcripts(
  target: string,
  cwd: string,
  env: Record<string, string>,
): Promise<string> {
  let text = "";
  for (const line of LINES) {
    const outcome = await btrdb(["-d", target, ...words(line)], { cwd, env });
    text += `${transcript(line, outcome)}\n`;
  }
  return normalized(text, { [target]: "TARGET", [cwd]: "DIR" });
}

Deno.test("distil: what it prints on a file", async () => {
  await using dir = await workspace();
  await writeFiles(dir.path);
  await assertSnapshot(
    "distil",
    await transcripts(`file:${dir.path}/grid.btrdb`, dir.path, dir.env),
  );
});

Deno.test("distil: what it prints on a server is the same", async () => {
  await using dir = await workspace();
  await writeFiles(dir.path);
  await using server = await serveTarget("memory:");
  const text = await transcripts(server.address, dir.path, dir.env);
  if (Deno.env.get("UPDATE_SNAPSHOTS") !== "1") await assertSnapshot("distil", text);
});

Deno.test("distil follow: works in what comes, until it is interrupted", async () => {
  await using dir = await workspace();
  await writeFiles(dir.path);
  await using server = await serveTarget("memory:");
  await btrdb(["-d", server.address, "import", "-q", "pmu.csv"], { cwd: dir.path, env: dir.env });
  const args = ["-d", server.address, "distil", "follow", "grid.js", "difference", "--json"];
  const child = start([...args, "--interval", "20ms", "-q"], { cwd: dir.path });
  const lines = child.stdout.pipeThrough(new TextDecoderStream()).getReader();
  const said = new Response(child.stderr).text();
  const next = async (): Promise<{ full: boolean; written: number }> => {
    let text = "";
    while (!text.endsWith("\n")) {
      const { value, done } = await lines.read();
      if (done) throw new Error(`It ended: ${text}`);
      text += value;
    }
    return JSON.parse(text);
  };
  const first = await next();
  assertEquals([first.full, first.written], [true, 3]);
  await btrdb(["-d", server.address, "import", "-q", "late.csv"], { cwd: dir.path, env: dir.env });
  const second = await next();
  assertEquals([second.full, second.written], [false, 1]);
  child.kill("SIGINT");
  assertEquals((await lines.read()).done, true);
  assertEquals((await child.status).code, 0, await said);
});

/** Points of the input of the runs that are killed. */
const POINTS = 20_000;

/** Dies at a call of `compute`, or some turns of the event loop later, amid the writes. */
const MORTAL = `
const [at, turns] = (Deno.env.get("KILL_AT") ?? "0 0").split(" ").map(Number);
let calls = 0;
const dieAfter = (turns) =>
  turns === 0 ? Deno.kill(Deno.pid, "SIGKILL") : setTimeout(() => dieAfter(turns - 1), 0);
export default {
  name: "mortal",
  version: Deno.env.get("CODE"),
  inputs: { a: "pmu/a" },
  outputs: { b: "derived/b", c: "derived/c" },
  lookback: 5n,
  compute({ inputs: { a }, clip }) {
    if (++calls === at) dieAfter(turns);
    const sums = a.values.map((_, i) => a.values.subarray(Math.max(0, i - 5), i + 1)
      .reduce((sum, value) => sum + value, 0) * Number(Deno.env.get("CODE")));
    return { b: clip({ times: a.times, values: sums }), c: clip(a) };
  },
};
`;

async function pairsOf(stream: Stream): Promise<string[]> {
  const { times, values } = await stream.rawValues(MIN_TIME, MAX_TIME).collect();
  return Array.from(times, (time, i) => `${time} ${values[i]}`);
}

/** Has the lease of the derived streams ended long ago. */
async function endLease(path: string): Promise<void> {
  await using db = await connect(`file:${path}`);
  const [b] = await Array.fromAsync(db.lookupStreams("derived", { tags: { name: "b" } }));
  const [owner, epoch] = (await b!.annotations())[0]["distil.lease"]!.split(" ");
  await b!.setAnnotations({ "distil.lease": `${owner} ${epoch} 0` });
}

// With a lease of 1 s that was waited for, a busy machine ended it before a write was over, and the run
// failed before it was killed.
Deno.test("distil run: SIGKILL at any point loses and doubles nothing", async () => {
  await using dir = await workspace();
  const path = `${dir.path}/grid.btrdb`;
  const times = BigInt64Array.from({ length: POINTS }, (_, i) => BigInt(i));
  const values = Float64Array.from({ length: POINTS }, (_, i) => (i * 7919) % 1000);
  {
    await using db = await connect(`file:${path}`);
    const a = await db.create(crypto.randomUUID(), "pmu", { tags: { name: "a" } });
    await a.insert({ times, values });
  }
  await Deno.writeTextFile(`${dir.path}/mortal.js`, MORTAL);
  const run = async (code: number, killAt: string): Promise<{ code: number; stderr: string }> => {
    const args = ["-d", `file:${path}`, "distil", "run", "mortal.js", "--max-points", "1000"];
    const env = { ...dir.env, CODE: String(code), KILL_AT: killAt };
    return await btrdb([...args, "--lease", "1h"], { cwd: dir.path, env });
  };
  /** Runs while the dead has the lease, and once more when that has ended. */
  const runAfterDeath = async (code: number, killAt: string): Promise<number> => {
    assertStringIncludes((await run(code, killAt)).stderr, "has the lease");
    await endLease(path);
    return (await run(code, killAt)).code;
  };
  assertEquals((await run(1, "1 0")).code, 137);
  for (const [i, killAt] of ["3 0", "4 1", "6 2", "2 3", "9 5"].entries()) {
    const code = 1 + ((i + 1) >> 1);
    assertEquals(await runAfterDeath(code, killAt), 137, `killed at ${killAt}`);
  }
  assertEquals(await runAfterDeath(3, "0 0"), 0);
  await using db = await connect(`file:${path}`);
  const [b] = await Array.fromAsync(db.lookupStreams("derived", { tags: { name: "b" } }));
  const [c] = await Array.fromAsync(db.lookupStreams("derived", { tags: { name: "c" } }));
  const expected = Array.from(times, (time, i) => {
    let sum = 0;
    for (let k = Math.max(0, i - 5); k <= i; k++) sum += values[k]!;
    return `${time} ${3 * sum}`;
  });
  assertEquals(await pairsOf(b!), expected);
  assertEquals(await pairsOf(c!), Array.from(times, (time, i) => `${time} ${values[i]}`));
  assert((await b!.annotations())[0]["distil.lease"] === undefined);
});

// It ended with "Interrupted" alone: nobody could tell whether outputs were left half done, and what to do.
Deno.test("distil run: SIGTERM ends with 143, says where it stopped, and a second run goes on", async () => {
  await using dir = await workspace();
  const { env, path: cwd } = dir;
  const args = ["-d", "file:a.btrdb"];
  await Deno.writeTextFile(`${cwd}/pmu.csv`, CSV);
  await Deno.writeTextFile(
    `${cwd}/slow.js`,
    `let calls = 0;
export default () => ({
  name: "slow",
  version: "1",
  inputs: { a: "pmu/a" },
  outputs: { slow: "derived/slow" },
  async compute({ inputs: { a } }) {
    if (Deno.env.get("STOPS") === "1" && calls++ === 0) {
      const came = new Promise((resolve) => Deno.addSignalListener("SIGTERM", resolve));
      Deno.kill(Deno.pid, "SIGTERM");
      await came;
    }
    return { slow: a };
  },
});
`,
  );
  assertEquals((await btrdb([...args, "import", "pmu.csv"], { cwd, env })).code, 0);
  const run = [...args, "distil", "run", "slow.js"];
  const stopped = await btrdb(run, { cwd, env: { ...env, STOPS: "1" } });
  assertEquals(stopped.code, 143, stopped.stderr);
  assertStringIncludes(
    stopped.stderr,
    "Stopped in slow after 0 points; run the same command again to continue\nerror: Terminated",
  );
  assertEquals((await btrdb(run, { cwd, env })).code, 0);
  await using db = await connect(`file:${cwd}/a.btrdb`);
  const [slow] = await Array.fromAsync(db.lookupStreams("derived"));
  assertEquals((await slow!.rawValues(MIN_TIME, MAX_TIME).collect()).values.length, 4);
});
