/**
 * A long run of mixed load: clients that insert, read, look up and vanish in the middle of it, and a
 * server that is stopped once and killed once.
 *
 *     SOAK_MINUTES=30 SOAK_CLIENTS=50 deno run -A tests/reliability/soak.ts
 *
 * Every client remembers which points were acknowledged; at the end all of them must be there. Prints
 * a line a minute and a summary as JSON; the exit code is 1 if a point is lost, the server complained,
 * a rejection went unhandled, or memory grew.
 */

import { type BTrDB, BTrDBError, connect, type Stream } from "../../mod.ts";
import { ServerProcess } from "./support/server_process.ts";

const MINUTES = Number(Deno.env.get("SOAK_MINUTES") ?? 30);
const CLIENTS = Number(Deno.env.get("SOAK_CLIENTS") ?? 50);
const PAUSE_MS = Number(Deno.env.get("SOAK_PAUSE_MS") ?? 100);
const STEP_NS = 1_000_000n;
const BASE = 1_600_000_000_000_000_000n;

const folder = await Deno.makeTempDir({ prefix: "btrdb-soak-" });
const target = `file:${folder}/soak.btrdb`;
const until = Date.now() + MINUTES * 60_000;
const counts = { inserts: 0, reads: 0, lookups: 0, disconnects: 0, refused: 0 };
const complaints: string[] = [];
const memory: number[] = [];
let unhandled = 0;

globalThis.addEventListener("unhandledrejection", (event) => {
  event.preventDefault();
  unhandled++;
  console.error("unhandled rejection:", event.reason);
});

let server = await ServerProcess.start(target);
const address = server.address;
const port = Number(address.slice(address.lastIndexOf(":") + 1));

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/** One user: a stream of its own, points in order, everything else at random. */
class User {
  readonly uuid = crypto.randomUUID();
  /** Points acknowledged, all of `[BASE, BASE + acknowledged · STEP)`. */
  acknowledged = 0;
  #db: BTrDB | undefined;

  async run(): Promise<void> {
    while (Date.now() < until) {
      try {
        await this.#turn();
      } catch (error) {
        if (!(error instanceof BTrDBError)) throw error;
        counts.refused++;
        await this.#disconnect();
        await pause(200);
      }
      await pause(Math.random() * PAUSE_MS);
    }
    await this.#disconnect();
  }

  /** Points that can be read back, and whether they are right. */
  async verify(db: BTrDB): Promise<{ lost: number; wrong: number }> {
    const stream = db.streamFromUUID(this.uuid);
    const seen = new Set<number>();
    let wrong = 0;
    for await (const { columns } of batches(stream, 0, Number.MAX_SAFE_INTEGER)) {
      columns.times.forEach((time, i) => {
        const index = Number((time - BASE) / STEP_NS);
        seen.add(index);
        if (columns.values[i] !== index) wrong++;
      });
    }
    let lost = 0;
    for (let i = 0; i < this.acknowledged; i++) if (!seen.has(i)) lost++;
    return { lost, wrong };
  }

  async #turn(): Promise<void> {
    const db = await this.#connected();
    const stream = db.streamFromUUID(this.uuid);
    const dice = Math.random();
    if (dice < 0.4) await this.#insert(stream);
    else if (dice < 0.7) await this.#read(stream);
    else if (dice < 0.8) {
      await stream.alignedWindows(BASE, BASE + 1_000_000n * STEP_NS, 36).collect();
    } else if (dice < 0.9) {
      await stream.nearest(BASE + BigInt(this.acknowledged) * STEP_NS, { backward: true });
    } else if (dice < 0.95) await this.#lookup(db);
    else await this.#disconnect();
  }

  async #connected(): Promise<BTrDB> {
    if (this.#db !== undefined) return this.#db;
    const protocol = Math.random() < 0.5 ? "v4" : "v5";
    this.#db = await connect(address, { protocol, timeoutMs: 5_000 });
    const stream = this.#db.streamFromUUID(this.uuid);
    if (!await stream.exists()) {
      await this.#db.create(this.uuid, "soak/users", { tags: { name: this.uuid } });
    }
    return this.#db;
  }

  async #insert(stream: Stream): Promise<void> {
    const n = 1 + Math.floor(Math.random() * 2_000);
    const from = this.acknowledged;
    const times = BigInt64Array.from({ length: n }, (_, i) => BASE + BigInt(from + i) * STEP_NS);
    const values = Float64Array.from({ length: n }, (_, i) => from + i);
    await stream.insert({ times, values });
    this.acknowledged += n;
    counts.inserts++;
    if (Math.random() < 0.05) await stream.flush();
  }

  /** Reads a part; one time in five it goes away in the middle. */
  async #read(stream: Stream): Promise<void> {
    const from = Math.floor(Math.random() * this.acknowledged);
    let left = Math.random() < 0.2 ? 1 : Infinity;
    counts.reads++;
    for await (const _ of batches(stream, from, from + 100_000)) {
      if (--left > 0) continue;
      await this.#disconnect();
      return;
    }
  }

  async #lookup(db: BTrDB): Promise<void> {
    counts.lookups++;
    for await (const _ of db.lookupStreams("soak", { isCollectionPrefix: true })) {
      if (Math.random() < 0.05) break;
    }
  }

  async #disconnect(): Promise<void> {
    const db = this.#db;
    this.#db = undefined;
    if (db === undefined) return;
    counts.disconnects++;
    await db.close();
  }
}

async function* batches(stream: Stream, from: number, to: number) {
  const end = to > 1e15 ? BASE + 1_000_000_000n * STEP_NS : BASE + BigInt(to) * STEP_NS;
  for await (const batch of stream.rawValues(BASE + BigInt(from) * STEP_NS, end + 1n)) {
    yield { columns: { times: batch.times, values: batch.values } };
  }
}

const users = Array.from({ length: CLIENTS }, () => new User());
const running = users.map((user) => user.run());

/** Restarts the server at a third (asked to stop) and at two thirds (killed) of the time. */
async function restarts(): Promise<void> {
  await pause(MINUTES * 20_000);
  const stopped = await server.stop();
  if (stopped.code !== 0) complaints.push(`exit code ${stopped.code} after SIGTERM`);
  complaints.push(...stopped.errors.split("\n").filter((line) => line !== ""));
  server = await ServerProcess.start(target, port);
  console.log("restarted after SIGTERM");
  await pause(MINUTES * 20_000);
  complaints.push(...(await server.kill()).split("\n").filter((line) => line !== ""));
  server = await ServerProcess.start(target, port);
  console.log("restarted after SIGKILL");
}

async function watch(): Promise<void> {
  const every = Math.min(60_000, MINUTES * 6_000);
  while (Date.now() < until) {
    await pause(Math.min(every, Math.max(1, until - Date.now())));
    memory.push(server.residentMb());
    const points = users.reduce((sum, user) => sum + user.acknowledged, 0);
    console.log(JSON.stringify({ points, ...counts, serverMb: memory.at(-1) }));
  }
}

await Promise.all([...running, restarts(), watch()]);

const db = await connect(address);
const results = [];
for (const user of users) results.push(await user.verify(db));
await db.close();
const last = await server.stop();
complaints.push(...last.errors.split("\n").filter((line) => line !== ""));
const summary = {
  minutes: MINUTES,
  clients: CLIENTS,
  acknowledged: users.reduce((sum, user) => sum + user.acknowledged, 0),
  lost: results.reduce((sum, { lost }) => sum + lost, 0),
  wrong: results.reduce((sum, { wrong }) => sum + wrong, 0),
  ...counts,
  unhandled,
  complaints,
  serverMb: memory,
};
console.log(JSON.stringify(summary));
await Deno.remove(folder, { recursive: true });
const failed = summary.lost + summary.wrong + unhandled + complaints.length > 0;
Deno.exit(failed ? 1 : 0);
