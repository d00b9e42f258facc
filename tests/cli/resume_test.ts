/**
 * Work that is killed or interrupted in the middle and then goes on: nothing is lost, nothing is
 * doubled, the bytes are the same.
 */

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { BTrDB, connect } from "../../mod.ts";
import { openEngine } from "../../src/engine/mod.ts";
import { formatCsv } from "../../src/kernel/mod.ts";
import { serve, type Server } from "../../src/server/mod.ts";
import { override } from "../support/override_endpoint.ts";
import { until } from "../support/until.ts";
import { btrdb, commandLine, serveTarget, start, workspace } from "./support.ts";

const NAMES = ["pmu/a", "pmu/b", "pmu/c"];

/** Kills of a command before it may end. */
const KILLS = 5;

/** A CSV of some MB with gaps, rows out of order and equal rows. */
function table(rows: number): Uint8Array {
  const streams = NAMES.map((label, s) => {
    const times = BigInt64Array.from({ length: rows }, (_, i) => BigInt(i) * 8_333_333n);
    const values = Float64Array.from({ length: rows }, (_, i) => Math.sin(i * 0.01 + s) * 1000);
    return { label, columns: { times, values } };
  });
  return formatCsv(streams);
}

/**
 * Runs a command again and again and kills it as soon as there is more than before, a few times;
 * then lets it end. It must have been killed.
 *
 * @param progress Measure of the progress: bytes, points or a text.
 */
async function killUntilDone(
  args: readonly string[],
  env: Record<string, string>,
  progress: () => Promise<unknown>,
): Promise<void> {
  for (let killed = 0;;) {
    const before = await progress();
    const child = start(args, { env });
    let isOver = false;
    const output = child.output().finally(() => isOver = true);
    if (killed < KILLS) {
      await until("there is more", async () => isOver || await progress() !== before);
      if (!isOver) child.kill("SIGKILL");
    }
    const { code, signal, stderr } = await output;
    if (signal === "SIGKILL") {
      killed++;
      continue;
    }
    assertEquals(code, 0, new TextDecoder().decode(stderr));
    assert(killed > 0, "nothing was killed");
    return;
  }
}

/** Bytes of a file; `undefined` while it is not there. */
async function sizeOf(path: string): Promise<number | undefined> {
  return (await Deno.stat(path).catch(() => undefined))?.size;
}

/** All points of a database. */
async function countOf(db: BTrDB): Promise<bigint> {
  let sum = 0n;
  for await (const stream of db.lookupStreams("", { isCollectionPrefix: true })) {
    sum += await stream.count();
  }
  return sum;
}

/** The records of imports under way, as text. */
async function recordsOf(env: Record<string, string>): Promise<string> {
  const folder = env["BTRDB_STATE_DIR"]!;
  const entries = await Array.fromAsync(Deno.readDir(folder)).catch(() => []);
  const names = entries.map(({ name }) => name).filter((name) => name.endsWith(".json")).sort();
  const read = (name: string) => Deno.readTextFile(`${folder}/${name}`).catch(() => "");
  return (await Promise.all(names.map(read))).join("\n");
}

Deno.test("import, cp over gRPC and export, each killed in the middle: the same bytes", async () => {
  await using dir = await workspace();
  const { env, path } = dir;
  const bytes = table(300_000);
  await Deno.writeFile(`${path}/in.csv`, bytes);
  const file = `file:${path}/a.btrdb`;
  const importArgs = ["-d", file, "import", `${path}/in.csv`, "--resume"];
  await killUntilDone(importArgs, env, () => recordsOf(env));

  await using server = await serveTarget(`file:${path}/b.btrdb`);
  await using target = await connect(server.address);
  await killUntilDone(["cp", file, server.address], env, () => countOf(target));

  const out = `${path}/out.csv`;
  const exportArgs = ["-d", server.address, "export", ...NAMES, "-o", out, "--resume"];
  await killUntilDone(exportArgs, env, () => sizeOf(`${out}.part`));
  const result = await Deno.readFile(out);
  assertEquals(result.length, bytes.length);
  assert(result.every((byte, i) => byte === bytes[i]), "the bytes differ");
  assertEquals(await server.stop(), 0);
});

Deno.test("an import into a server, killed between insert and record: no point twice", async () => {
  await using dir = await workspace();
  const { env, path } = dir;
  await Deno.writeFile(`${path}/in.csv`, table(120_000));
  await using server = await serveTarget("memory:");
  const args = ["-d", server.address, "import", `${path}/in.csv`, "--resume"];
  await using target = await connect(server.address);
  await killUntilDone(args, env, () => countOf(target));
  const { stdout } = await btrdb(["-d", server.address, "ls", "-l", "--json"], { env });
  const { streams } = JSON.parse(stdout) as { streams: { count: string }[] };
  assertEquals(streams.map(({ count }) => count), ["120000", "120000", "120000"]);
});

/** Line protocol of two hosts with two fields each; every hundredth line comes ten lines late. */
function lines(rows: number): string {
  const all: string[] = [];
  for (let i = 0; i < rows; i++) {
    for (const host of ["a", "b"]) {
      const load = i % 3 === 0 ? "" : `,load=${i * 0.25}`;
      all.push(`cpu,host=${host} busy=${host === "a" ? i : -i}i${load} ${i * 1_000_000}`);
    }
  }
  for (let i = 0; i + 10 < all.length; i += 100) all.splice(i + 10, 0, ...all.splice(i, 1));
  return all.join("\n") + "\n";
}

Deno.test("import of line protocol, killed in the middle: no point lost, none twice", async () => {
  await using dir = await workspace();
  const { env, path } = dir;
  const rows = 60_000;
  await Deno.writeTextFile(`${path}/in.lp`, lines(rows));
  await using server = await serveTarget("memory:");
  await using target = await connect(server.address);
  const rest = ["import", `${path}/in.lp`, "-i", "grid", "--resume"];
  await killUntilDone(["-d", server.address, ...rest], env, () => countOf(target));
  await killUntilDone(["-d", `file:${path}/a.btrdb`, ...rest], env, () => recordsOf(env));
  await using file = await connect(`file:${path}/a.btrdb`);
  for (const db of [target, file]) {
    const streams = await Array.fromAsync(db.lookupStreams("grid", { isCollectionPrefix: true }));
    assertEquals(streams.length, 4);
    for (const stream of streams) {
      const [collection, { name }] = [await stream.collection(), await stream.tags()];
      const wanted: [bigint, number][] = [];
      for (let i = 0; i < rows; i++) {
        if (name === "load" && i % 3 === 0) continue;
        const busy = collection.endsWith("a") ? i : -i;
        wanted.push([BigInt(i) * 1_000_000n, name === "load" ? i * 0.25 : busy]);
      }
      const { times, values } = await stream.rawValues(0n, 1n << 60n).collect();
      assertEquals(times.length, wanted.length, `${collection}/${name}`);
      assert(wanted.every(([time, value], i) => times[i] === time && values[i] === value));
    }
  }
});

Deno.test("rows out of order, equal rows, gaps: resumed from stdin, exactly", async () => {
  await using dir = await workspace();
  const { env, path } = dir;
  const lines = ["time (ns),v,w"];
  for (let i = 0; i < 3000; i++) {
    const t = (i * 7919) % 3000;
    lines.push(`${Math.floor(t / 2)},${i % 5},${i % 3 === 0 ? "" : i % 4}`);
  }
  const bytes = new TextEncoder().encode(lines.join("\n") + "\n");
  const target = `file:${path}/a.btrdb`;
  const args = ["-d", target, "import", "-", "-i", "s", "--resume"];
  const child = start(args, { env, stdin: "" });
  const writer = child.stdin.getWriter();
  // What has been read of it is in the pipe or the process; the rest does not come.
  await writer.write(bytes.subarray(0, 20_000) as Uint8Array<ArrayBuffer>);
  await until("the database is there", async () => await sizeOf(`${path}/a.btrdb`) !== undefined);
  child.kill("SIGINT");
  const { code } = await child.output();
  await writer.close().catch(() => {});
  assertEquals(code, 130);
  const again = await btrdb(args, { env, stdin: bytes });
  assertEquals(again.code, 0, again.stderr);
  const whole = await btrdb(["-d", "memory:", "import", "-", "-i", "s", "--json", "-q"], {
    env,
    stdin: bytes,
  });
  const expected = JSON.parse(whole.stdout).files[0].streams.map((s: { points: string }) =>
    s.points
  );
  const { stdout } = await btrdb(["-d", target, "ls", "-l", "--json"], { env });
  const { streams } = JSON.parse(stdout) as { streams: { count: string }[] };
  assertEquals(streams.map(({ count }) => count), expected);
});

Deno.test("a record of a database that is gone counts for nothing", async () => {
  await using dir = await workspace();
  const { env, path } = dir;
  await Deno.writeTextFile(`${path}/in.csv`, "time (ns),v\n1,2\n");
  const args = ["-d", `file:${path}/a.btrdb`, "import", `${path}/in.csv`, "-i", "c"];
  const remove = async (): Promise<void> => {
    for (const ending of ["", "-wal", "-shm", "-lock"]) {
      await Deno.remove(`${path}/a.btrdb${ending}`).catch(() => {});
    }
  };
  assertEquals((await btrdb(args, { env })).code, 0);
  const again = await btrdb(args, { env });
  assertStringIncludes(again.stderr, "this will store its points a second time");
  await remove();
  const [record] = await Array.fromAsync(Deno.readDir(`${path}/state`));
  const file = `${path}/state/${record!.name}`;
  const { sum: _digest, ...known } = JSON.parse(await Deno.readTextFile(file));
  await Deno.writeTextFile(file, JSON.stringify({ ...known, done: false }));
  const fresh = await btrdb(args, { env });
  assertEquals(fresh.code, 0, fresh.stderr);
  assert(!fresh.stderr.includes("before"), fresh.stderr);
});

Deno.test("an import that was begun is not begun again unasked", async () => {
  await using dir = await workspace();
  const { env, path } = dir;
  const rows = Array.from({ length: 900_000 }, (_, i) => `${1_000_000 + i},${i % 7}\n`).join("");
  await Deno.writeTextFile(`${path}/in.csv`, `time (ns),v\n${rows}2000000,x\n`);
  const args = ["-d", `file:${path}/a.btrdb`, "import", `${path}/in.csv`, "-i", "c", "-c", "v"];
  const first = await btrdb(args, { env });
  assertEquals(first.code, 1);
  assertStringIncludes(first.stderr, "line 900002, column 2");
  const second = await btrdb(args, { env });
  const stored = Number(/Stopped: ([\d,]+) points/.exec(first.stderr)![1]!.replaceAll(",", ""));
  assert(stored > 0);
  assertStringIncludes(second.stderr, `was interrupted after ${stored} points`);
  await Deno.writeTextFile(`${path}/in.csv`, `time (ns),v\n${rows}2000000,1\n`);
  const changed = await btrdb([...args, "--resume"], { env });
  assertStringIncludes(changed.stderr, "was changed");
  const mended = await btrdb([...args, "--resume", "--changed"], { env });
  assertEquals(mended.code, 0, mended.stderr);
  const { stdout } = await btrdb([args[0]!, args[1]!, "show", "c/v", "--json"]);
  assertStringIncludes(stdout, '"count":"900001"');
  const other = await btrdb([...args, "--resume"], { env });
  assertStringIncludes(other.stderr, "Nothing new in ");
  await Deno.writeTextFile(`${path}/in.csv`, "3000000,1\n", { append: true });
  const longer = await btrdb([...args, "--resume", "--changed"], { env });
  assertStringIncludes(longer.stderr, "Resumed and stored 1 point ");
});

/** Runs a command line in a pseudo-terminal. */
function inTerminal(args: readonly string[], env: Record<string, string>): Deno.ChildProcess {
  const line = commandLine(args).map((word) => `'${word}'`).join(" ");
  return new Deno.Command("script", {
    args: ["-qefc", line, "/dev/null"],
    stdin: "piped",
    stdout: "piped",
    stderr: "null",
    env: { TERM: "xterm-256color", NO_COLOR: "", BTRDB_ENDPOINTS: "", ...env },
  }).spawn();
}

async function hasScript(): Promise<boolean> {
  try {
    return (await new Deno.Command("script", { args: ["--version"] }).output()).success;
  } catch {
    console.warn("no `script` (util-linux) here: the pseudo-terminal is not tested");
    return false;
  }
}

Deno.test("on a terminal: progress, Ctrl-C, summary, resume", async () => {
  if (!await hasScript()) return;
  await using dir = await workspace();
  const { env, path } = dir;
  await Deno.writeFile(`${path}/in.csv`, table(400_000));
  await using server = await serveTarget("memory:");
  const args = ["-d", server.address, "import", `${path}/in.csv`];
  const child = inTerminal(args, env);
  const writer = child.stdin.getWriter();
  let screen = "";
  let pressed = false;
  for await (const text of child.stdout.pipeThrough(new TextDecoderStream())) {
    screen += text;
    if (pressed || !/[1-9]\d* %/.test(screen)) continue;
    pressed = true;
    await writer.write(new TextEncoder().encode("\x03"));
  }
  const { code } = await child.status;
  await writer.close().catch(() => {});
  assert(pressed, screen);
  assertStringIncludes(screen, "points/s");
  assertStringIncludes(screen, "█");
  assertStringIncludes(screen, "\x1b[K");
  assertStringIncludes(screen, "with --resume to continue");
  assertEquals(code, 130, screen);
  const told = Number(/Stopped: ([\d,]+) points/.exec(screen)![1]!.replaceAll(",", ""));

  const count = async (): Promise<number[]> => {
    const { stdout } = await btrdb(["-d", server.address, "ls", "-l", "--json"], { env });
    const { streams } = JSON.parse(stdout) as { streams: { count: string }[] };
    return streams.map((stream) => Number(stream.count));
  };
  const stored = (await count()).reduce((sum, n) => sum + n, 0);
  assertEquals(stored, told, "the summary is not true");
  const resumed = await btrdb([...args, "--resume"], { env });
  assertEquals(resumed.code, 0, resumed.stderr);
  assertEquals(await count(), [400_000, 400_000, 400_000]);
});

// A service manager that ended an import could not tell that from someone at a terminal: both were 130.
Deno.test("import: SIGTERM ends with 143, and what was stored is named and continued", async () => {
  await using dir = await workspace();
  const { env, path } = dir;
  const rows = Array.from({ length: 2_000 }, (_, i) => `${i},${i % 5}\n`);
  const bytes = new TextEncoder().encode(`time (ns),v\n${rows.join("")}`);
  const target = `file:${path}/a.btrdb`;
  const args = ["-d", target, "import", "-", "-i", "s", "--resume"];
  const child = start(args, { env, stdin: "" });
  const writer = child.stdin.getWriter();
  await writer.write(bytes.subarray(0, 4_000));
  await until("the database is there", async () => await sizeOf(`${path}/a.btrdb`) !== undefined);
  child.kill("SIGTERM");
  const { code, stderr } = await child.output();
  await writer.close().catch(() => {});
  assertEquals(code, 143);
  assertStringIncludes(new TextDecoder().decode(stderr), "error: Terminated");
  const again = await btrdb(args, { env, stdin: bytes });
  assertEquals(again.code, 0, again.stderr);
  const { stdout } = await btrdb(["-d", target, "ls", "-l", "--json"], { env });
  assertEquals(JSON.parse(stdout).streams[0].count, "2000");
});

/** A server that makes every insert wait until it is let through. */
class HoldingServer implements AsyncDisposable {
  readonly db: BTrDB;
  readonly #server: Server;
  readonly #held: (() => void)[];

  private constructor(db: BTrDB, server: Server, held: (() => void)[]) {
    this.db = db;
    this.#server = server;
    this.#held = held;
  }

  static async start(): Promise<HoldingServer> {
    const engine = await openEngine();
    const held: (() => void)[] = [];
    const endpoint = override(engine, {
      async insert(request, options) {
        await new Promise<void>((resolve) => held.push(resolve));
        return await engine.insert(request, options);
      },
    });
    return new HoldingServer(new BTrDB(engine), await serve(endpoint, { port: 0 }), held);
  }

  get address(): string {
    return this.#server.address;
  }

  /** Lets those through that wait; tells how many they were. */
  letThrough(): number {
    const held = this.#held.splice(0);
    for (const go of held) go();
    return held.length;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server.stop();
    await this.db.close();
  }
}

// The copy was over before it was interrupted where the machine was slow to look, and nothing was tested.
Deno.test("cp: the summary of an interrupted copy is true", async () => {
  await using dir = await workspace();
  const { env, path } = dir;
  await Deno.writeFile(`${path}/in.csv`, table(400_000));
  const source = `file:${path}/a.btrdb`;
  assertEquals((await btrdb(["-d", source, "import", `${path}/in.csv`], { env })).code, 0);
  await using target = await HoldingServer.start();
  const child = start(["cp", source, target.address], { env });
  let isOver = false;
  const output = child.output().finally(() => isOver = true);
  await until("an insert waits", () => target.letThrough() > 0);
  await until("points are there", async () => await countOf(target.db) > 0n);
  await until("another insert waits", () => target.letThrough() > 0);
  child.kill("SIGINT");
  // Inserts that it had sent before it heard of that.
  await until("it ends", () => {
    target.letThrough();
    return isOver;
  });
  const { code, stderr } = await output;
  const text = new TextDecoder().decode(stderr);
  assertEquals(code, 130, text);
  const told = Number(/Stopped after ([\d,]+) points/.exec(text)![1]!.replaceAll(",", ""));
  assertEquals(BigInt(told), await countOf(target.db), "the summary is not true");
});

Deno.test("a question can be interrupted, and a no is no mistake", async () => {
  if (!await hasScript()) return;
  await using dir = await workspace();
  const args = ["-d", `file:${dir.path}/a.btrdb`];
  await btrdb([...args, "create", "a/b"], { env: dir.env });
  const answer = async (keys: string): Promise<{ code: number; screen: string }> => {
    const child = inTerminal([...args, "rm", "a/b"], dir.env);
    const writer = child.stdin.getWriter();
    let screen = "";
    let asked = false;
    for await (const text of child.stdout.pipeThrough(new TextDecoderStream())) {
      screen += text;
      if (asked || !screen.includes("[y/N]")) continue;
      asked = true;
      await writer.write(new TextEncoder().encode(keys));
    }
    const { code } = await child.status;
    await writer.close().catch(() => {});
    return { code, screen };
  };
  const interrupted = await answer("\x03");
  assertEquals(interrupted.code, 130, interrupted.screen);
  const no = await answer("n\n");
  assertEquals(no.code, 1, no.screen);
  assertStringIncludes(no.screen, "Nothing was done");
  assertEquals((await answer("y\n")).code, 0);
});

Deno.test("colours on a terminal only", async () => {
  if (!await hasScript()) return;
  await using dir = await workspace();
  const args = ["-d", `file:${dir.path}/a.btrdb`];
  await btrdb([...args, "create", "a/b"], { env: dir.env });
  const look = async (env: Record<string, string>): Promise<string> => {
    const child = inTerminal([...args, "ls", "-l"], env);
    const closed = child.stdin.close();
    const { stdout } = await child.output();
    await closed;
    return new TextDecoder().decode(stdout);
  };
  assertStringIncludes(await look(dir.env), "\x1b[1m");
  assert(!(await look({ ...dir.env, NO_COLOR: "1" })).includes("\x1b["));
});

Deno.test("on a terminal nothing that a database says is obeyed; a pipe gets it unchanged", async () => {
  if (!await hasScript()) return;
  await using dir = await workspace();
  const path = `${dir.path}/a.btrdb`;
  // It clears the screen, sets the title, turns text around, forges a line and colours.
  const evil = "\x1b[2J\x1b]0;t\x07\x9b31m\u202eeven\nerror: forged\r\x1b[32m";
  {
    await using db = await connect(`file:${path}`);
    const stream = await db.create(crypto.randomUUID(), `c${evil}`, {
      tags: { name: `n${evil}`, unit: evil },
      annotations: { note: evil },
    });
    await stream.insert([[1n, 1], [2n, 2]]);
  }
  const target = ["-d", `file:${path}`];
  const { stdout: names } = await btrdb([...target, "ls", "-l", "--json"], { env: dir.env });
  const uuid = /[0-9a-f]{8}-[0-9a-f-]{27}/.exec(names)![0];
  const commands = [
    ["ls"],
    ["ls", "-l"],
    ["show", uuid],
    ["query", uuid],
    ["plot", uuid],
    ["tag", uuid],
    ["annotate", uuid],
    ["export", uuid],
    ["query", `c${evil}/none`],
    ["rm", uuid],
  ];
  for (const command of commands) {
    const child = inTerminal([...target, ...command], { ...dir.env, NO_COLOR: "1" });
    const closed = child.stdin.close();
    const screen = new TextDecoder().decode((await child.output()).stdout);
    await closed;
    // deno-lint-ignore no-control-regex
    const obeyed = /\x1b|\x9b|\u202e|\x07|^error: forged/m.exec(screen.replaceAll("\x1b[K", ""));
    // A line end within quotes is part of CSV.
    if (command[0] === "export" && obeyed?.[0] === "error: forged") continue;
    assertEquals(obeyed?.[0], undefined, `${command}: ${JSON.stringify(screen)}`);
  }
  const { stdout } = await btrdb([...target, "ls", "-l"], { env: dir.env });
  assertStringIncludes(stdout, evil);
});
