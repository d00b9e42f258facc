/** `btrdb import --follow`, killed again and again while a log is written and rotated. */

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { connect } from "../../mod.ts";
import { delay } from "../../src/core/call.ts";
import { until } from "../support/until.ts";
import { btrdb, serveTarget, start, workspace } from "./support.ts";

const ROWS = 12_000;
const KILLS = 12;
/** Points that may be written and not stored yet. */
const AHEAD = 1_500;

/** A log that is written in pieces that end anywhere, and rotated in all ways. */
class Writer {
  readonly #path: string;
  #next = 1;
  #rotations = 0;

  constructor(path: string) {
    this.#path = path;
  }

  /** Points of the rows so far. */
  get points(): number {
    const rows = this.#next - 1;
    return 2 * rows - Math.floor(rows / 3);
  }

  get isDone(): boolean {
    return this.#next > ROWS;
  }

  async #append(text: string): Promise<void> {
    await Deno.writeTextFile(this.#path, text, { append: true });
  }

  /** Writes some rows, the last of them in two steps; times are not in order. */
  async step(): Promise<void> {
    if (this.isDone) return;
    if (this.#next % 900 < 20 && this.#next > 40) await this.#rotate();
    if (this.#next === 1) await this.#append("time,v,w\n");
    let text = "";
    for (let i = 0; i < 20 && !this.isDone; i++, this.#next++) {
      const time = 1_700_000_000_000 + this.#next * 10 + (this.#next * 7919) % 300;
      text += `${time},${this.#next},${this.#next % 3 === 0 ? "" : -this.#next}\n`;
    }
    const cut = text.length - 1 - (this.#next % 25);
    await this.#append(text.slice(0, cut));
    await delay(3);
    await this.#append(text.slice(cut));
  }

  async #rotate(): Promise<void> {
    const old = `${this.#path}.${++this.#rotations}`;
    if (this.#rotations % 2 === 0) await Deno.rename(this.#path, old);
    else {
      await Deno.copyFile(this.#path, old);
      await Deno.truncate(this.#path, 0);
    }
    await this.#append("time,v,w\n");
  }
}

/** The journal of what is followed, as text. */
async function journal(env: Record<string, string>): Promise<string> {
  const folder = env["BTRDB_STATE_DIR"]!;
  for await (const { name } of Deno.readDir(folder)) {
    if (name.endsWith(".jsonl")) return await Deno.readTextFile(`${folder}/${name}`);
  }
  return "";
}

/** Points that the journal says are stored. */
function pointsIn(text: string): number {
  const points = new Map<number, number>();
  for (const line of text.slice(0, text.lastIndexOf("\n") + 1).split("\n")) {
    if (line === "") continue;
    const { file, stored } = JSON.parse(line) as Record<string, { id: number; points: number }>;
    const state = file ?? stored;
    if (state !== undefined) points.set(state.id, state.points);
  }
  return [...points.values()].reduce((sum, n) => sum + n, 0);
}

/** Follows a log while it is written; kills the process after a number of lines in its journal. */
async function followKilled(target: string, env: Record<string, string>, log: string) {
  await Deno.mkdir(env["BTRDB_STATE_DIR"]!, { recursive: true });
  const writer = new Writer(log);
  await writer.step();
  const args = ["-d", target, "import", "--follow", log, "-i", "f"];
  let kills = 0;
  for (; kills < KILLS && !writer.isDone; kills++) {
    const child = start(args, { env });
    const output = child.output();
    let isOver = false;
    child.status.then(() => isOver = true);
    const before = (await journal(env)).length;
    await until("something is stored", async () => {
      assert(!isOver, isOver ? new TextDecoder().decode((await output).stderr) : "");
      const text = await journal(env);
      // A slow machine must not write everything before the command has begun to read.
      if (writer.points - pointsIn(text) < AHEAD) await writer.step();
      return writer.isDone || text.length > before + 300 * (1 + kills % 4);
    });
    child.kill("SIGKILL");
    await output;
    for (let i = 0; i < 5; i++) await writer.step();
  }
  assert(kills >= 3, `killed ${kills} times only`);
  while (!writer.isDone) await writer.step();
  const expected = ROWS + ROWS - ROWS / 3;
  const child = start(args, { env });
  const output = child.output();
  let isOver = false;
  child.status.then(() => isOver = true);
  const all = async () => isOver || pointsIn(await journal(env)) >= expected;
  await until("all is stored", all);
  if (!isOver) child.kill("SIGINT");
  const { code, stderr } = await output;
  assertEquals(code, 0, new TextDecoder().decode(stderr));
  assertStringIncludes(new TextDecoder().decode(stderr), "Stored ");
}

async function assertAll(target: string): Promise<void> {
  await using db = await connect(target);
  for (const [name, expected] of Object.entries(rowsByName())) {
    const [stream] = await Array.fromAsync(db.lookupStreams("f", { tags: { name } }));
    const { values } = await stream!.rawValues(-(1n << 60n), 3n << 60n).collect();
    const found = [...values].sort((a, b) => Math.abs(a) - Math.abs(b));
    assertEquals(found.length, expected.length);
    assert(found.every((value, i) => value === expected[i]));
  }
}

function rowsByName(): Record<string, number[]> {
  const all = Array.from({ length: ROWS }, (_, i) => i + 1);
  return { v: all, w: all.filter((n) => n % 3 !== 0).map((n) => -n) };
}

Deno.test("import --follow into a file, killed again and again: each row once", async () => {
  await using dir = await workspace();
  const target = `file:${dir.path}/a.btrdb`;
  await followKilled(target, dir.env, `${dir.path}/log.csv`);
  await assertAll(target);
});

Deno.test("import --follow into a server, killed again and again: each row once", async () => {
  await using dir = await workspace();
  await using server = await serveTarget("memory:");
  await followKilled(server.address, dir.env, `${dir.path}/log.csv`);
  await assertAll(server.address);
});

Deno.test("import --follow: a file of a folder that cannot be read ends it with status 1", async () => {
  await using dir = await workspace();
  const folder = `${dir.path}/in`;
  await Deno.mkdir(folder);
  await Deno.mkdir(dir.env["BTRDB_STATE_DIR"]!);
  await Deno.writeTextFile(`${folder}/a.csv`, "time,v\n1700000000,1\n1700000001,2\n1700000002,x\n");
  await Deno.writeTextFile(`${folder}/b.csv`, "time,v\n1700000000,1\n");
  const child = start(["-d", "memory:", "import", "--follow", folder], { env: dir.env });
  const output = child.output();
  await until("both are stored", async () => pointsIn(await journal(dir.env)) === 3);
  child.kill("SIGINT");
  const { code, stderr } = await output;
  const text = new TextDecoder().decode(stderr);
  assertEquals(code, 1, text);
  assertStringIncludes(text, 'line 4, column 2 ("v"): "x" is not a number');
  assertStringIncludes(text, "a.csv");
  assertStringIncludes(text, "Stored 3 points of 3 rows from 2 files");
});

Deno.test("import --follow refuses what has no meaning", async () => {
  await using dir = await workspace();
  const refused = async (args: readonly string[], text: string): Promise<void> => {
    const { code, stderr } = await btrdb(["-d", "memory:", "import", "--follow", ...args], {
      env: dir.env,
    });
    assertEquals(code, 2, stderr);
    assertStringIncludes(stderr, text);
  };
  await refused(["-"], "Cannot follow stdin");
  await refused(["a.csv", "b.csv"], "more than one file");
  await refused(["a.csv", "--explain"], "--explain and --follow");
  await refused(["a.csv", "--resume"], "--resume and --follow");
});
