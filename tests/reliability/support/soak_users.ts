/**
 * The users of one client process of the soak:
 *
 *     soak_users.ts ADDRESS HTTP_PORT UNTIL_MS PAUSE_MS UUID:ACKNOWLEDGED…
 *
 * Prints `ack UUID N` whenever points of a user were acknowledged, N in all, `took NAME MS` for calls
 * that were answered, and `count NAME` for everything else it does. An unhandled error ends it with code 70.
 */

import { type BTrDB, BTrDBError, connect, type Stream } from "../../../mod.ts";
import { BASE, pause, readFrom, STEP_NS } from "./soak_points.ts";

const [address, httpPort, untilMs, pauseMs, ...names] = Deno.args;
const until = Number(untilMs);

globalThis.addEventListener("unhandledrejection", (event) => {
  console.error("unhandled rejection:", event.reason);
  Deno.exit(70);
});

function count(name: string): void {
  console.log(`count ${name}`);
}

/** Says how long a call took that was answered. */
async function timed(name: string, call: Promise<unknown>): Promise<void> {
  const beganMs = performance.now();
  await call;
  console.log(`took ${name} ${(performance.now() - beganMs).toFixed(2)}`);
}

/** Points by URL that are not those that were acknowledged. */
class WrongAnswer extends Error {}

/** One user: a stream of its own, points in order, everything else at random. */
class User {
  readonly uuid: string;
  /** Points acknowledged, all of `[BASE, BASE + acknowledged · STEP)`. */
  acknowledged: number;
  #db: BTrDB | undefined;

  constructor(name: string) {
    const [uuid, acknowledged] = name.split(":");
    this.uuid = uuid!;
    this.acknowledged = Number(acknowledged);
  }

  async run(): Promise<void> {
    while (Date.now() < until) {
      try {
        await this.#turn();
      } catch (error) {
        if (!(error instanceof BTrDBError)) throw error;
        count("refused");
        await this.#disconnect();
        await pause(200);
      }
      await pause(Math.random() * Number(pauseMs));
    }
    await this.#disconnect();
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
      const end = BASE + BigInt(this.acknowledged) * STEP_NS;
      await timed("nearest", stream.nearest(end, { backward: true }));
    } else if (dice < 0.93) await this.#lookup(db);
    else if (dice < 0.97) await this.#readByUrl();
    else await this.#disconnect();
  }

  async #connected(): Promise<BTrDB> {
    if (this.#db !== undefined) return this.#db;
    const protocol = Math.random() < 0.5 ? "v4" : "v5";
    const target = Math.random() < 0.3 ? `grpc-web://127.0.0.1:${httpPort}` : address!;
    this.#db = await connect(target, { protocol, timeoutMs: 5_000 });
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
    await timed("insert", stream.insert({ times, values }));
    this.acknowledged += n;
    console.log(`ack ${this.uuid} ${this.acknowledged}`);
    count("inserts");
    if (Math.random() < 0.05) await stream.flush();
  }

  /** Reads a part; one time in five it goes away in the middle. */
  async #read(stream: Stream): Promise<void> {
    const from = Math.floor(Math.random() * this.acknowledged);
    let left = Math.random() < 0.2 ? 1 : Infinity;
    count("reads");
    for await (const _ of readFrom(stream, from, from + 100_000)) {
      if (--left > 0) continue;
      await this.#disconnect();
      return;
    }
  }

  /** Reads a part by URL, in any format; one time in five it goes away in the middle. */
  async #readByUrl(): Promise<void> {
    const formats = ["csv", "parquet", "arrow", "ndjson", "json"];
    const format = formats[Math.floor(Math.random() * formats.length)]!;
    const from = Math.floor(Math.random() * this.acknowledged);
    const [start, end] = [from, Math.min(this.acknowledged, from + 10_000)]
      .map((i) => BASE + BigInt(i) * STEP_NS);
    if (start === end) return;
    const query = `stream=${this.uuid}&start=${start}&end=${end}`;
    try {
      const response = await fetch(`http://127.0.0.1:${httpPort}/api/v1/data.${format}?${query}`, {
        signal: AbortSignal.timeout(20_000),
      });
      if (!response.ok) count(`url-${response.status}`);
      if (Math.random() < 0.2) await response.body!.cancel();
      else if (format === "ndjson" && response.ok) this.#check(await response.text(), from);
      else await response.arrayBuffer();
      count("urls");
    } catch (error) {
      if (error instanceof WrongAnswer) throw error;
      // The server may be killed at any moment.
      count("url-broken");
    }
  }

  /**
   * Checks that rows are those that were acknowledged, in order. Points of an insert whose fate was not
   * known, such as that of a client that was killed, may be there twice.
   */
  #check(text: string, from: number): void {
    const rows = text.trim().split("\n").map((line) => Object.values(JSON.parse(line))[1]);
    const right = Math.min(10_000, this.acknowledged - from);
    let next = from;
    const wrong = rows.findIndex((value) => {
      if (value === next) next++;
      else return value !== next - 1 || next === from;
      return false;
    });
    if (next - from !== right || wrong >= 0) {
      throw new WrongAnswer(`${next - from} of ${right} from ${from}, wrong from ${wrong} on`);
    }
  }

  async #lookup(db: BTrDB): Promise<void> {
    count("lookups");
    for await (const _ of db.lookupStreams("soak", { isCollectionPrefix: true })) {
      if (Math.random() < 0.05) break;
    }
  }

  async #disconnect(): Promise<void> {
    const db = this.#db;
    this.#db = undefined;
    if (db === undefined) return;
    count("disconnects");
    await db.close();
  }
}

await Promise.all(names.map((name) => new User(name).run()));
Deno.exit(0);
