/** Edge cases of the command: ends of ranges, unusual tables, unusual places for files. */

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { DatabaseSync } from "node:sqlite";
import { gzipSync } from "node:zlib";
import { LEAF } from "../../src/engine/tree/node.ts";
import {
  assertSnapshot,
  btrdb,
  commandLine,
  normalized,
  serveTarget,
  transcript,
  withoutReader,
  words,
  workspace,
} from "./support.ts";

const CSV = `time (ns),v
1700000000000000000,1
1700000000100000000,2
1700000001000000000,3
`;

Deno.test("windows reach the last point where no end is given", async () => {
  await using dir = await workspace();
  await using server = await serveTarget("memory:");
  const { env, path: cwd } = dir;
  await Deno.writeTextFile(`${cwd}/a.csv`, CSV);
  for (const target of [`file:${cwd}/a.btrdb`, server.address]) {
    const run = (line: string) => btrdb(["-d", target, ...words(line)], { cwd, env });
    await run("import a.csv");
    for (const kind of ["-p 1s", "-p 20", "-p 56", "-w 300ms", "--windows 3", "--windows 2"]) {
      const { stdout, stderr } = await run(`query a/v ${kind} --json`);
      const { points } = JSON.parse(stdout) as { points: { count: string; min: number | null }[] };
      const counts = points.map(({ count }) => Number(count));
      assertEquals(counts.reduce((sum, n) => sum + n, 0), 3, `${kind}: ${stderr}`);
      assert(points.every(({ count, min }) => (count === "0") === (min === null)), stdout);
      if (kind.startsWith("--windows")) assertEquals(points.length, Number(kind.split(" ")[1]));
      const csv = await run(`export a/v ${kind} --label name`);
      const exported = csv.stdout.trim().split("\n").slice(1).map((row) => row.split(",").at(-1));
      assertEquals(exported, counts.map(String), kind);
      const ndjson = await run(`export a/v ${kind} --label name -f ndjson`);
      for (const line of ndjson.stdout.trim().split("\n")) {
        const { "v (Count)": count, "v (Min)": min } = JSON.parse(line) as Record<string, number>;
        assertEquals(min === undefined, count === 0, line);
      }
    }
  }
});

Deno.test("an older version has the points that were removed since", async () => {
  await using dir = await workspace();
  await using server = await serveTarget("memory:");
  const { env, path: cwd } = dir;
  await Deno.writeTextFile(`${cwd}/a.csv`, CSV);
  for (const target of [`file:${cwd}/a.btrdb`, server.address]) {
    const run = (line: string) => btrdb(["-d", target, ...words(line)], { cwd, env });
    await run("import a.csv");
    const later = await run("query a/v --version 11");
    assertEquals(later.code, 3);
    assertStringIncludes(later.stderr, "There is no version 11 of a/v: the latest is 10");
    assertStringIncludes(later.stderr, "flush");
    await run("flush a/v");
    await run("delete-range a/v -s first -e last+1ns --yes");
    const { stdout, stderr } = await run("query a/v --version 11");
    assertStringIncludes(stderr, "3 points, version 11");
    assertStringIncludes(stdout, "2023-11-14T22:13:21.000Z");
    const none = await run("query a/v -s 1700000000");
    assertStringIncludes(none.stderr, "--start 1700000000 is 1970-01-01T00:00:01.700Z");
    assertStringIncludes(none.stderr, "There are no points of a/v in this range");
  }
});

Deno.test("exports go where they are told to", async () => {
  await using dir = await workspace();
  const { env, path: cwd } = dir;
  await Deno.writeTextFile(`${cwd}/a.csv`, CSV);
  const run = (line: string) => btrdb(["-d", `file:${cwd}/a.btrdb`, ...words(line)], { cwd, env });
  await run("import a.csv");
  const { stdout: expected } = await run("export a/v -o -");
  assert(expected.startsWith("Timestamp (ns)"), expected);

  await Deno.writeTextFile(`${cwd}/real.csv`, "old");
  await Deno.symlink("real.csv", `${cwd}/link.csv`);
  assertEquals((await run("export a/v -o link.csv")).code, 0);
  assertEquals(await Deno.readTextFile(`${cwd}/real.csv`), expected);
  assert((await Deno.lstat(`${cwd}/link.csv`)).isSymlink);

  const made = await new Deno.Command("mkfifo", { args: [`${cwd}/pipe`] }).output().catch(() => {});
  if (made?.success) {
    const read = Deno.readTextFile(`${cwd}/pipe`);
    assertEquals((await run("export a/v -o pipe")).code, 0);
    assertEquals(await read, expected);
    assert((await Deno.lstat(`${cwd}/pipe`)).isFifo, "a pipe was replaced");
  }

  for (
    const [file, code, message] of [
      ["nowhere/a.csv", 3, "Cannot write nowhere/a.csv: there is no directory nowhere"],
      [".", 2, "Cannot write .: it is a directory"],
      ["a.tsv", 2, "Cannot write .tsv"],
      ["a.feather", 2, "Cannot write .feather"],
      ["a.parquet.gz", 2, "Cannot compress a.parquet.gz: Parquet compresses its own data"],
    ] as const
  ) {
    const outcome = await run(`export a/v -o ${file}`);
    assertEquals(outcome.code, code, outcome.stderr);
    assertStringIncludes(outcome.stderr, message);
  }
  const left = [];
  for await (const { name } of Deno.readDir(cwd)) if (name.includes(".part")) left.push(name);
  assertEquals(left, []);
  // The note of an export that never began stayed beside it.
  for (const format of ["csv", "ndjson", "parquet", "arrow"]) {
    await Deno.mkdir(`${cwd}/full.${format}.part/a`, { recursive: true });
    const outcome = await run(`export a/v -o full.${format}`);
    assertEquals(outcome.code, 1, outcome.stderr);
    assertStringIncludes(outcome.stderr, `Cannot write full.${format}`);
    const names = [...Deno.readDirSync(cwd)].map(({ name }) => name);
    assertEquals(names.filter((name) => name.startsWith(`full.${format}`)), [
      `full.${format}.part`,
    ]);
  }
});

Deno.test("a reader that goes away ends every format quietly", async () => {
  await using dir = await workspace();
  const { env, path: cwd } = dir;
  const rows = Array.from({ length: 200_000 }, (_, i) => `${i},${i / 7}\n`);
  await Deno.writeTextFile(`${cwd}/a.csv`, `time (ns),v\n${rows.join("")}`);
  const target = `file:${cwd}/a.btrdb`;
  await btrdb(["-d", target, "import", "a.csv"], { cwd, env });
  for (const format of ["csv", "ndjson", "parquet", "arrow"]) {
    const line = commandLine(["-d", target, "export", "a/v", "-f", format]);
    const { stdout, stderr } = await new Deno.Command("sh", {
      args: ["-c", `"$@" | head -c 4`, "sh", ...line],
    }).output();
    assertEquals(stdout.length, 4);
    assertEquals(new TextDecoder().decode(stderr), "", format);
  }
});

const FILES: Readonly<Record<string, string | Uint8Array>> = {
  "bom.csv": "\uFEFFtime,volts\r\n2024-01-01T00:00:00Z,1\r\n2024-01-01T00:00:01Z,2\r\n",
  "quoted.csv": `"time (ns)","a ""q"" b","x, y"\n"1","2","3"\n2,4,"5"\n`,
  "empty.csv": "",
  "header.csv": "time,v\n",
  "twice.csv": "time,v,v\n1700000000,1,2\n",
  "gaps.csv": "time,v,w\n1700000000,NaN,1\n1700000001,,\n1700000002,nan,3\n",
  "again.csv": "time,v\n1700000000,1\ntime,v\n1700000001,2\n",
  "text.csv": "time,v\n1700000000,1\n1700000001,inf\n1700000002,3\n",
  "huge.csv": "time,v\n1700000000,1e309\n",
  "back.csv": "time,v\n1700000005,5\n1700000001,1\n1700000003,3\n1700000001,1.5\n",
  "commas.csv": "time;v\n2024-01-01 00:00:00;1,5\n",
  "comment.csv": "# made by x\n# yesterday\ntime,v\n1700000000,1\n",
  "zip.csv": gzipSync("time,v\n1700000000,1\n"),
  "plain.csv.gz": "time,v\n1700000000,1\n",
  "binary.csv": Uint8Array.of(1, 0, 2, 0, 3),
  "wide.csv": Uint8Array.of(0xff, 0xfe, 0x74, 0, 0x2c, 0),
};

Deno.test("odd tables", async () => {
  await using dir = await workspace();
  const { env, path: cwd } = dir;
  for (const [name, content] of Object.entries(FILES)) {
    const bytes = typeof content === "string" ? new TextEncoder().encode(content) : content;
    await Deno.writeFile(`${cwd}/${name}`, bytes);
  }
  const lines = [
    ...Object.keys(FILES).map((name) => `import ${name}`),
    "import twice.csv -m 3=a/b",
    "import twice.csv -c 3",
    "import twice.csv -c v",
    "import commas.csv --decimal ,",
    "import comment.csv --skip 2",
    "import back.csv --delimiter ab",
    "import back.csv --time-format %q",
    "import back.csv missing.csv",
    "import back.csv header.csv",
  ];
  let text = "";
  for (const line of lines) {
    const outcome = await btrdb(["-d", "memory:", ...words(line)], { cwd, env });
    text += `${transcript(line, outcome)}\n`;
  }
  const target = `file:${cwd}/a.btrdb`;
  for (
    const line of [
      "import huge.csv",
      "ls",
      "import bom.csv",
      "import bom.csv --merge equal",
      "ls -l",
    ]
  ) {
    const outcome = await btrdb(["-d", target, ...words(line)], { cwd, env });
    text += `${transcript(`-d TARGET ${line}`, outcome)}\n`;
  }
  await assertSnapshot("odd_tables", normalized(text));
});

Deno.test("tables that can be read only once", async () => {
  await using dir = await workspace();
  const { env, path: cwd } = dir;
  await Deno.writeTextFile(`${cwd}/a.csv`, CSV);
  const target = `file:${cwd}/a.btrdb`;
  await btrdb(["-d", target, "import", "a.csv"], { cwd, env });
  await btrdb(["-d", target, "export", "a/v", "-o", "a.parquet"], { cwd, env });
  const parquet = await Deno.readFile(`${cwd}/a.parquet`);
  await Deno.writeFile(`${cwd}/b.parquet.gz`, gzipSync(parquet));
  const options = { cwd, env };
  for (
    const [args, stdin] of [
      [["-"], parquet],
      [["-", "--format", "parquet"], gzipSync(parquet)],
      [["b.parquet.gz"], ""],
      [["/dev/stdin"], CSV],
      [["/dev/stdin"], gzipSync(CSV)],
    ] as const
  ) {
    const outcome = await btrdb(["-d", "memory:", "import", ...args, "--json"], {
      ...options,
      stdin: stdin as string | Uint8Array,
    });
    assertStringIncludes(outcome.stdout, '"rows":3,"points":"3"', outcome.stderr);
  }
});

Deno.test("tags, annotations and paths that are not there", async () => {
  await using dir = await workspace();
  const { env, path: cwd } = dir;
  const run = (line: string) => btrdb(["-d", `file:${cwd}/a.btrdb`, ...words(line)], { cwd, env });
  await run("create pmu/L1MAG -u volts -a room=3");
  let text = "";
  for (
    const line of [
      "create pmu/L1MAG -u volts",
      "tag pmu/L1MAG -r unti",
      "annotate pmu/L1MAG -r floor",
      "show pmu",
      "show pmu/",
      "ls pmu/L1MAG",
      "flush --prefix pnu",
      "verify --prefix nothing",
    ]
  ) text += `${transcript(line, await run(line))}\n`;
  for (const target of ["file:", "file:nowhere/a.btrdb"]) {
    const outcome = await btrdb(["-d", target, "create", "a/b"], { cwd, env });
    text += `${transcript(`-d ${target} create a/b`, outcome)}\n`;
  }
  const copy = `cp file:${cwd}/a.btrdb file:${cwd}/b.btrdb --prefix pnu`;
  text += transcript(copy, await btrdb(words(copy), { cwd, env }));
  assertEquals(await Deno.stat(`${cwd}/b.btrdb`).catch(() => "absent"), "absent");
  await assertSnapshot("not_there", normalized(text, { [cwd]: "DIR" }));
});

Deno.test("a damaged database: what is wrong, and the rest all the same", async () => {
  await using dir = await workspace();
  const { env, path: cwd } = dir;
  const rows = Array.from({ length: 5_000 }, (_, i) => `${i},${i},${i * 3}\n`);
  await Deno.writeTextFile(`${cwd}/a.csv`, `time (ns),u,v\n${rows.join("")}`);
  const run = (line: string) => btrdb(words(line), { cwd, env });
  await run("-d file:a.btrdb import a.csv");
  await run("-d file:a.btrdb flush");
  const { uuid } = JSON.parse((await run("-d file:a.btrdb flush a/v --json")).stdout).streams[0];
  damageLeaf(`${cwd}/a.btrdb`, uuid);

  const { code, stdout } = await run("-d file:a.btrdb verify --json -q");
  assertEquals(code, 1);
  const report = JSON.parse(stdout) as { ok: boolean; problems: string[]; streams: number };
  assertEquals([report.ok, report.streams], [false, 2]);
  assert(report.problems.some((problem) => problem.startsWith("a/v: The database is damaged")));
  const copied = await run("cp file:a.btrdb file:b.btrdb");
  assertEquals(copied.code, 1);
  assertStringIncludes(copied.stderr, "Copied 5,000 points of 1 of 2 streams");
  assertStringIncludes(copied.stderr, "error: a/v: The database is damaged");
  // Both ended with 0 when their reader had gone: damage, and a copy without a stream, passed for success.
  if (Deno.build.os !== "windows") {
    const target = `file:${cwd}/a.btrdb`;
    assertEquals((await withoutReader(["-d", target, "verify"], dir)).code, 1);
    const half = await withoutReader(["cp", target, `file:${cwd}/c.btrdb`], dir);
    assertEquals(half.code, 1, half.stderr);
  }
  const read = await run("-d file:a.btrdb export a/v -o v.csv");
  assertEquals(read.code, 1);
  assertStringIncludes(read.stderr, "hint: `btrdb verify`");
  assertEquals(await Deno.stat(`${cwd}/v.csv`).catch(() => "absent"), "absent");
});

/** Turns some bits in the last leaf of a stream: blocks are made in the order of the streams. */
function damageLeaf(path: string, uuid: string): void {
  using db = new DatabaseSync(path);
  const bytes = Uint8Array.from(uuid.replaceAll("-", "").match(/../g)!, (hex) => parseInt(hex, 16));
  const sql = "SELECT v.root FROM version v JOIN stream s ON s.id = v.stream WHERE s.uuid = ? " +
    "ORDER BY v.major DESC";
  const { root } = db.prepare(sql).get(bytes) as { root: number };
  const leaf = db.prepare("SELECT id, data FROM block WHERE id < ? ORDER BY id DESC").iterate(root);
  for (const { id, data } of leaf as Iterable<{ id: number; data: Uint8Array }>) {
    if (data[4] !== LEAF) continue;
    data[data.length >> 1]! ^= 0x55;
    db.prepare("UPDATE block SET data = ? WHERE id = ?").run(data, id);
    return;
  }
}

/** Words of a command line being typed, as bash breaks them up, and what completes the last one. */
const TYPED: readonly (readonly [string, string])[] = [
  ["im", "import"],
  ["import --ma", "--map"],
  ["-d file : grid.btrdb ex", "export"],
  ["-d 127.0.0.1 : 4410 export --fo", "--format"],
  ["--database = file : x qu", "query"],
  ["export --format n", "ndjson"],
  ["export --format = p", "parquet"],
  ["--protocol v", "v4 v5"],
  ["completions ba", "bash"],
  ["help im", "import"],
  ["-d file : gr", ""],
];

Deno.test("completions, in bash and fish", async () => {
  await using dir = await workspace();
  const run = async (program: string, script: string): Promise<string | undefined> => {
    try {
      const { stdout, stderr } = await new Deno.Command(program, { args: ["-c", script] }).output();
      assertEquals(new TextDecoder().decode(stderr), "");
      return new TextDecoder().decode(stdout);
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
      console.warn(`no ${program} here: its completions are not tested`);
      return undefined;
    }
  };
  const bash = await btrdb(["completions", "bash"]);
  const calls = TYPED.map(([line]) =>
    `COMP_WORDS=(btrdb ${line}); COMP_CWORD=$((\${#COMP_WORDS[@]} - 1)); _btrdb; echo "\${COMPREPLY[*]}"\n`
  );
  const completed = await run("bash", `${bash.stdout}\n${calls.join("")}`);
  if (completed !== undefined) {
    assertEquals(completed.split("\n").slice(0, -1), TYPED.map(([, expected]) => expected));
  }
  const fish = await btrdb(["completions", "fish"]);
  await Deno.writeTextFile(`${dir.path}/btrdb.fish`, fish.stdout);
  const asked = ["btrdb -d file:x ex", "btrdb -d file:x export --fo", "btrdb completions z"];
  const answers = await run(
    "fish",
    `source ${dir.path}/btrdb.fish\n` +
      asked.map((line) => `complete -C"${line}" | string split -f1 \\t`).join("\n"),
  );
  if (answers !== undefined) assertEquals(answers, "export\n--format\nzsh\n");
});

// For a file that could not be opened the command said `btrdb verify` lists what is damaged, and so
// did `btrdb verify` itself, without a report.
Deno.test("verify: a file that cannot be opened is reported as damaged", async () => {
  await using dir = await workspace();
  const { env, path: cwd } = dir;
  await Deno.writeTextFile(`${cwd}/a.csv`, CSV);
  await btrdb(["-d", "file:a.btrdb", "import", "a.csv"], { cwd, env });
  const whole = await Deno.readFile(`${cwd}/a.btrdb`);
  for (const [from, length] of [[68, 1], [100, 4000]] as const) {
    const damaged = whole.slice();
    damaged.fill(0xff, from, from + length);
    await Deno.writeFile(`${cwd}/a.btrdb`, damaged);
    const run = (...more: string[]) =>
      btrdb(["-d", "file:a.btrdb", "verify", ...more], { cwd, env });
    const { code, stdout, stderr } = await run("--json");
    const { ok, problems, points } = JSON.parse(stdout);
    assertEquals([code, ok, problems.length, points], [1, false, 1, 0], stderr);
    const text = await run();
    assertEquals([text.code, text.stdout], [1, `${problems[0]}\n`]);
    assertStringIncludes(text.stderr, "No points were read: the file cannot be opened");
  }
});
