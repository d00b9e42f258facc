/**
 * Every command as a process on a file and on a server: what it prints, on stdout and stderr, and
 * how it exits. The transcripts are the same for both, and stand in snapshots/.
 */

import { assert, assertEquals } from "@std/assert";
import { mapConcurrently } from "../../src/core/concurrency.ts";
import {
  assertSnapshot,
  btrdb,
  normalized,
  type Outcome,
  serveTarget,
  transcript,
  words,
  workspace,
} from "./support.ts";

const U1 = "00000000-0000-4000-8000-000000000001";
const U2 = "00000000-0000-4000-8000-000000000002";

const CSV = `Timestamp (ns),Human-Readable Time (UTC),pmu/L1MAG,pmu/L1ANG
1700000000000000000,2023-11-14T22:13:20Z,7200.5,1.25
1700000000100000000,2023-11-14T22:13:20Z,7201.5,
1700000000200000000,2023-11-14T22:13:20Z,,1.5
1700000001000000000,2023-11-14T22:13:21Z,7199.25,1.75
`;

/** Command lines in groups; each group is a snapshot. */
const GROUPS: Readonly<Record<string, readonly string[]>> = {
  make: [
    `create pmu/L1MAG --unit volts --uuid ${U1}`,
    `create pmu/L1ANG -u degrees -t phase=A -a room=2.14 --uuid ${U2} --json`,
    `create pmu/L1MAG --uuid ${U1}`,
    "create nothing",
    "import pmu.csv",
    "import -q pmu.csv --merge equal --json",
    "import missing.csv",
    "import text.csv",
    "import bad.csv -i bad",
    "import bad.csv -i bad -c v",
    "import bad.csv -i bad -c v",
    "import bad.csv -i bad -c v --resume",
    "import bad.csv -i bad --resume",
    "import german.csv -i lab --time-format '%d.%m.%Y %H:%M:%S' --decimal , --tz Europe/Berlin --json",
    "import rate.csv -i rate --start 2024-01-01 --interval 20ms",
    "import stats.csv",
  ],
  look: [
    "ls",
    "ls pm --json",
    "ls -l",
    "ls -l --uuid pmu",
    "ls nowhere",
    "show pmu/L1MAG",
    `show ${U2} --json`,
    "show pmu/L1MGA",
    "show L1MAG",
    "show pum/L1MAG",
    "show 00000000-0000-4000-8000-00000000dead",
    "query pmu/L1MAG",
    "query pmu/L1MAG --tz Europe/Berlin -n 1",
    "query pmu/L1MAG --windows 2",
    "query pmu/L1MAG -w 500ms -s 1700000000000000000 -e +1s",
    "query pmu/L1MAG -p 1s",
    "query pmu/L1ANG --start last-1s --json",
    "query pmu/L1MAG -p 30 -w 1s",
    "query pmu/L1MAG --start yesterdy",
    "query pmu/L1MAG --start 2024-01-01 --end 2023-01-01",
    "query lab/volt --limit 2 --json",
    "plot pmu/L1MAG pmu/L1ANG --width 60 --height 18",
    "plot pmu/L1MAG --json --width 30 -s first -e +100ms",
    "gaps pmu/L1MAG",
    "gaps 'pmu/*' --rate 10 --list",
    "gaps pmu/L1MAG --rate 10 --zeros --low 7200 -s first -e +2s --json",
    "gaps pmu/L1MAG --rate 0",
    "gaps pmu/L1MAG --rate 10 --over 1ms",
    "tail pmu/L1MAG -n 2",
    "tail 'pmu/*' -n 1 --json",
  ],
  move: [
    "export pmu/L1MAG pmu/L1ANG",
    "export 'pmu/*' --label name --numbers fixed6 -s first -e +150ms",
    "export pmu/L1MAG -w 1s -f ndjson",
    "export pmu/L1MAG -p 29 --label uuid",
    "export pmu/L1MAG pmu/L1ANG --rate 10 -s first -e +500ms",
    "export pmu/L1MAG pmu/L1ANG --rate 4 --tolerance 60ms --fill linear --max-gap 1s -f ndjson",
    "export pmu/L1MAG --rate 10 --max-gap 1s",
    "export pmu/L1MAG --rate 10 -w 1s",
    "export pmu/L1MAG --tolerance 1ms",
    "export pmu/L1MAG -o out.csv --json",
    "export pmu/L1MAG -s 2030-01-01",
    "export pmu/L1MAG --json",
    "export 'nothing/*'",
  ],
  change: [
    "annotate pmu/L1MAG",
    "annotate pmu/L1MAG location=roof checked=yes",
    "annotate pmu/L1MAG -r checked --json",
    "annotate pmu/L1MAG broken",
    "tag pmu/L1MAG",
    "tag pmu/L1MAG phase=A",
    "tag pmu/L1MAG -r phase --collection pmu/sub --json",
    "ls",
    "tag pmu/sub/L1MAG --collection pmu",
    "delete-range pmu/L1MAG -s first",
    "delete-range pmu/L1MAG -s first -e +50ms",
    "delete-range pmu/L1MAG -s first -e +50ms --yes",
    "delete-range pmu/L1MAG -s first -e last+1ns --yes --json",
    "query pmu/L1MAG",
    "delete-range pmu/L1MAG -s first -e last+1ns --yes --json",
    "flush pmu/L1ANG",
    "flush --json --prefix rate",
    "verify -q",
    "verify pmu/L1ANG --json",
    "rm pmu/L1MAG",
    "rm pmu/L1MAG --yes",
    "rm 'lab/*' 'rate/*' --yes --json",
    "rm pmu/L1MAG --yes",
    "ls",
  ],
};

/** Groups whose lines may run at the same time. */
const CHANGES_NOTHING: readonly string[] = ["look", "move"];

const FILES: Readonly<Record<string, string>> = {
  "pmu.csv": CSV,
  "text.csv": "a,b\nx,y\n",
  "bad.csv": "time (ns),v\n1,2\n2,zwei\n3,4\n",
  "german.csv": "Zeit;volt;Bemerkung\n01.07.2024 12:00:00;1,5;gut\n01.07.2024 12:00:01;-0,25;\n",
  "rate.csv": "v\n1\n2\n3\n",
  "stats.csv": "Timestamp (ns),Human-Readable Time (UTC),a (Min),a (Mean)\n1,x,1,2\n",
};

async function runGroups(
  target: string,
  cwd: string,
  env: Record<string, string>,
): Promise<Map<string, string>> {
  const texts = new Map<string, string>();
  for (const [group, lines] of Object.entries(GROUPS)) {
    const atOnce = CHANGES_NOTHING.includes(group) ? 3 : 1;
    const parts = await mapConcurrently(lines, atOnce, async (line) => {
      const outcome = await btrdb(["-d", target, ...words(line)], { cwd, env });
      return `${transcript(line, outcome)}\n`;
    });
    const text = parts.join("");
    texts.set(group, normalized(text, { [target]: "TARGET", [cwd]: "DIR" }));
  }
  return texts;
}

async function writeFiles(path: string): Promise<void> {
  for (const [name, text] of Object.entries(FILES)) {
    await Deno.writeTextFile(`${path}/${name}`, text);
  }
}

Deno.test("commands on a file", async () => {
  await using dir = await workspace();
  await writeFiles(dir.path);
  const texts = await runGroups(`file:${dir.path}/grid.btrdb`, dir.path, dir.env);
  for (const [group, text] of texts) await assertSnapshot(group, text);
});

Deno.test("commands on a server", async () => {
  await using dir = await workspace();
  await writeFiles(dir.path);
  await using server = await serveTarget("memory:");
  const texts = await runGroups(server.address, dir.path, dir.env);
  for (const [group, text] of texts) {
    if (Deno.env.get("UPDATE_SNAPSHOTS") !== "1") await assertSnapshot(group, text);
  }
  assertEquals(await server.stop(), 0);
});

Deno.test("commands that need no database, and mistakes", async () => {
  const lines = [
    "",
    "--help",
    "help query",
    "cp --help",
    "--version",
    "help qeury",
    "qurey x",
    "ls --lnog",
    "ls a b",
    "show",
    "ls --tz Mars/Base",
    "ls --protocol v6",
    "-d nonsense ls",
    "-d grid.btrdb ls",
    "-d file:/nowhere/at/all.btrdb ls",
    "-d 127.0.0.1:1 ls --timeout 2s",
    "-d 127.0.0.1:1 ls --timeout 2s --json",
    "ls",
    "completions bash",
    "completions powershell",
    "serve",
    "serve memory: --listen nowhere",
    "serve memory: --read-only",
    "cp memory: memory:",
    "-d memory: info --json",
    "-d memory: ls",
    "-d memory: create a/b --json",
    "-d memory: bench -n 1000 -q --json",
  ];
  let text = "";
  for (const line of lines) {
    const outcome = await btrdb(words(line), { env: { HOME: "/nonexistent" } });
    text += `${transcript(line, withoutFigures(outcome))}\n`;
  }
  await assertSnapshot("without_database", normalized(text));
});

function withoutFigures(outcome: Outcome): Outcome {
  return { ...outcome, stdout: outcome.stdout.replace(/(Second|p50|p99)":[\d.]+/g, '$1":…') };
}

Deno.test("import from stdin into memory, to a plot", async () => {
  const { code, stdout } = await btrdb(
    ["-d", "memory:", "import", "-", "-i", "demo", "--plot"],
    { stdin: CSV },
  );
  assertEquals(code, 0);
  assert(stdout.includes("pmu/L1MAG"), stdout);
  assert(/[\u2801-\u28ff]/.test(stdout), stdout);
});

Deno.test("info of a server and of a file", async () => {
  await using dir = await workspace();
  await using server = await serveTarget(`file:${dir.path}/a.btrdb`);
  const { stdout } = await btrdb(["-d", server.address, "info", "--json"]);
  const info = JSON.parse(stdout) as { protocol: string; build: string };
  assert(info.protocol === "v4" || info.protocol === "v5", stdout);
  const people = await btrdb(["info"], { env: { BTRDB_ENDPOINTS: server.address } });
  assert(/^protocol +v[45]$/m.test(people.stdout), people.stdout);
  assertEquals(await server.stop(), 0);
  const file = await btrdb(["-d", `file:${dir.path}/a.btrdb`, "info"]);
  assert(/^protocol +embedded$/m.test(file.stdout), file.stdout);
});

Deno.test("--debug shows the chain of causes", async () => {
  const args = ["-d", "127.0.0.1:1", "ls", "--timeout", "60s", "--debug"];
  const { code, stderr } = await btrdb(args);
  assertEquals(code, 4);
  assert(
    /^error: /.test(stderr) && /\nhint: /.test(stderr) && /\nCaused by: /.test(stderr),
    stderr,
  );
});

Deno.test("a reader that goes away is no error", async () => {
  await using dir = await workspace();
  await writeFiles(dir.path);
  const target = `file:${dir.path}/grid.btrdb`;
  await btrdb(["-d", target, "import", "pmu.csv"], { cwd: dir.path, env: dir.env });
  const [program, ...args] = ["sh", "-c", `"$@" | head -c 10`, "sh"];
  const main = new URL("../../src/cli/main.ts", import.meta.url).pathname;
  const line = [Deno.execPath(), "run", "-A", main, "-d", target, "export", "pmu/L1MAG"];
  const { stdout, stderr } = await new Deno.Command(program!, { args: [...args, ...line] })
    .output();
  assertEquals(new TextDecoder().decode(stdout), "Timestamp ");
  assert(!new TextDecoder().decode(stderr).includes("error"), new TextDecoder().decode(stderr));
});
