/**
 * A long run of mixed load: client processes whose users insert, read, look up and vanish in the middle
 * of it, some of them killed, and a server that is stopped once and killed once.
 *
 *     SOAK_MINUTES=30 SOAK_CLIENTS=50 deno run -A tests/reliability/soak.ts
 *
 * Every acknowledged point is remembered; at the end all of them must be there. Prints a line a minute
 * and a summary as JSON; the exit code is 1 if a point is lost or wrong, the server complained, or
 * anything went unhandled.
 */

import { connect } from "../../mod.ts";
import { type Memory, ServedDatabase } from "./support/served_database.ts";
import { pause, verify } from "./support/soak_points.ts";

const MINUTES = Number(Deno.env.get("SOAK_MINUTES") ?? 30);
const CLIENTS = Number(Deno.env.get("SOAK_CLIENTS") ?? 50);
/** Longest pause of a user between two things it does, ms. */
const PAUSE_MS = Number(Deno.env.get("SOAK_PAUSE_MS") ?? 500);
const HOSTILE = Number(Deno.env.get("SOAK_HOSTILE") ?? Math.ceil(CLIENTS / 10));
const USERS_PER_PROCESS = 10;
const USERS = new URL("support/soak_users.ts", import.meta.url).pathname;
const HOSTILE_CLIENTS = new URL("support/soak_hostile.ts", import.meta.url).pathname;

const folder = await Deno.makeTempDir({ prefix: "btrdb-soak-" });
const target = `file:${folder}/soak.btrdb`;
const until = Date.now() + MINUTES * 60_000;
const acknowledged = new Map(
  Array.from({ length: CLIENTS }, () => [crypto.randomUUID() as string, 0]),
);
const counts: Record<string, number> = {};
const complaints: string[] = [];
const memory: (Memory | undefined)[] = [];
const children = new Set<Deno.ChildProcess>();

/** Times of calls, ms, without and with hostile clients. */
const took: Record<string, [number[], number[]]> = {};
let isHostile = false;

let server = await ServedDatabase.start(target, 0, 0);
const address = server.address;
const httpPort = server.httpPort!;
const port = Number(address.slice(address.lastIndexOf(":") + 1));

function count(name: string): void {
  counts[name] = (counts[name] ?? 0) + 1;
}

function complain(text: string): void {
  complaints.push(...text.split("\n").filter((line) => line !== ""));
}

/** Runs client processes for some users, one after another, until the time is over. */
async function clients(uuids: readonly string[]): Promise<void> {
  while (Date.now() < until) {
    const users = uuids.map((uuid) => `${uuid}:${acknowledged.get(uuid)}`);
    const child = new Deno.Command(Deno.execPath(), {
      args: [
        ...["run", "-A", "--no-check", "--no-lock", USERS],
        ...[address, String(httpPort), String(until), String(PAUSE_MS), ...users],
      ],
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    children.add(child);
    const errors = new Response(child.stderr).text();
    await follow(child.stdout);
    const { code, signal } = await child.status;
    children.delete(child);
    if (signal === "SIGKILL") count("clientsKilled");
    else if (signal !== null) count(`clients ended by ${signal}`);
    else if (code !== 0) complain(`a client ended with code ${code}:\n${await errors}`);
    await errors;
  }
}

/** Reads what the users of a process report. */
async function follow(output: ReadableStream<Uint8Array<ArrayBuffer>>): Promise<void> {
  let rest = "";
  for await (const text of output.pipeThrough(new TextDecoderStream())) {
    const lines = (rest + text).split("\n");
    rest = lines.pop()!;
    for (const line of lines) {
      const [what, name, value] = line.split(" ");
      if (what === "ack") acknowledged.set(name!, Number(value));
      else if (what === "count") count(name!);
      else if (what === "took") {
        const times = took[name!] ??= [[], []];
        times[Number(isHostile)]!.push(Number(value));
      }
    }
  }
}

/** Restarts the server at a third (asked to stop) and at two thirds (killed) of the time. */
async function restarts(): Promise<void> {
  await pause(MINUTES * 20_000);
  const stopped = await server.stop();
  if (stopped.code !== 0) complain(`exit code ${stopped.code} after SIGTERM`);
  complain(stopped.errors);
  server = await ServedDatabase.start(target, port, httpPort);
  console.log("restarted after SIGTERM");
  await pause(MINUTES * 20_000);
  complain(await server.kill());
  server = await ServedDatabase.start(target, port, httpPort);
  console.log("restarted after SIGKILL");
}

/** Hostile clients, in turns with none. */
async function hostiles(): Promise<void> {
  const turnMs = Math.min(60_000, MINUTES * 6_000);
  while (HOSTILE > 0 && Date.now() < until) {
    await pause(Math.min(turnMs, Math.max(1, until - Date.now())));
    if (Date.now() >= until) break;
    const child = new Deno.Command(Deno.execPath(), {
      args: [
        ...["run", "-A", "--no-check", "--no-lock", HOSTILE_CLIENTS],
        ...[address, String(httpPort), String(PAUSE_MS), String(HOSTILE)],
      ],
      stdin: "null",
      stdout: "piped",
      stderr: "inherit",
    }).spawn();
    const reading = follow(child.stdout);
    isHostile = true;
    await pause(Math.min(turnMs, Math.max(1, until - Date.now())));
    child.kill("SIGKILL");
    isHostile = false;
    await child.status;
    await reading;
  }
}

/** Median and 99th percentile, ms. */
function quantiles(times: number[]): { calls: number; p50: number; p99: number } {
  const sorted = times.sort((a, b) => a - b);
  const at = (part: number): number => sorted[Math.floor(part * (sorted.length - 1))] ?? NaN;
  return { calls: sorted.length, p50: at(0.5), p99: at(0.99) };
}

/** Kills a client process now and then. */
async function kills(): Promise<void> {
  while (Date.now() < until) {
    await pause(Math.min(20_000, Math.max(1, until - Date.now())));
    const victims = [...children];
    if (Date.now() < until - 5_000) {
      victims[Math.floor(Math.random() * victims.length)]?.kill("SIGKILL");
    }
  }
}

async function watch(): Promise<void> {
  const everyMs = Math.min(60_000, MINUTES * 6_000);
  while (Date.now() < until) {
    await pause(Math.min(everyMs, Math.max(1, until - Date.now())));
    memory.push(await server.memory());
    const points = [...acknowledged.values()].reduce((sum, n) => sum + n, 0);
    console.log(JSON.stringify({ points, ...counts, serverMb: memory.at(-1) }));
  }
}

const groups = [...acknowledged.keys()];
const running = [];
for (let at = 0; at < groups.length; at += USERS_PER_PROCESS) {
  running.push(clients(groups.slice(at, at + USERS_PER_PROCESS)));
}
await Promise.all([...running, restarts(), kills(), watch(), hostiles()]);

const db = await connect(address);
let lost = 0;
let wrong = 0;
for (const [uuid, n] of acknowledged) {
  if (n === 0) continue;
  const found = await verify(db.streamFromUUID(uuid), n);
  lost += found.lost;
  wrong += found.wrong;
}
await db.close();
complain((await server.stop()).errors);
console.log(JSON.stringify({
  minutes: MINUTES,
  clients: CLIENTS,
  acknowledged: [...acknowledged.values()].reduce((sum, n) => sum + n, 0),
  lost,
  wrong,
  ...counts,
  complaints,
  serverMb: memory,
  took: Object.fromEntries(
    Object.entries(took).map(([name, [alone, beside]]) => [name, {
      alone: quantiles(alone),
      besideHostile: quantiles(beside),
    }]),
  ),
}));
await Deno.remove(folder, { recursive: true });
Deno.exit(lost + wrong + complaints.length > 0 ? 1 : 0);
