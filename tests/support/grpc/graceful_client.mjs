/**
 * A client of a server that stops again and again, in a process of its own, on Deno and on Node. It
 * prints a line whenever it got further, and ends with its standard input.
 *
 *     graceful_client.mjs idle|busy|subscribed|proxied HOST:PORT
 */

import process from "node:process";
import { createInterface } from "node:readline";
import { connect } from "@btrdb/btrdb";

const [kind, address] = process.argv.slice(2);
const db = await connect(address);
const say = (text) => process.stdout.write(`${text}\n`);
const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]();
let isOver = false;

/** Inserts one point after another. */
async function feed(stream, goesOn) {
  for (let value = 0; goesOn(); value++) await stream.insert([[BigInt(value), value]]);
}

const kinds = {
  /** Calls once for every line. */
  async idle() {
    const stream = await db.create(crypto.randomUUID(), "graceful/idle");
    await stream.insert([[1n, 1]]);
    say("ready");
    while (!(await lines.next()).done) say((await stream.nearest(0n)).value === 1 ? "ok" : "wrong");
  },

  /** Inserts and reads without a pause; at the end every point is there once. */
  async busy() {
    const stream = await db.create(crypto.randomUUID(), "graceful/busy");
    void lines.next().then(() => isOver = true);
    say("ready");
    let n = 0;
    while (!isOver) {
      const at = BigInt(n);
      await Promise.all([
        stream.insert([[at, n]]),
        stream.insert([[at + 1n, n + 1]]),
        stream.version(),
        stream.rawValues(0n, 100n).collect(),
      ]);
      n += 2;
      say("ok");
    }
    const count = await stream.count();
    say(count === BigInt(n) ? "all" : `${count} of ${n} points`);
  },

  /** Subscribes anew whenever a subscription ends. */
  async subscribed() {
    const stream = await db.create(crypto.randomUUID(), "graceful/subscribed");
    void lines.next().then(() => isOver = true);
    say("ready");
    const stop = new AbortController();
    while (!isOver) {
      try {
        const updates = db.subscribe([stream], { signal: stop.signal });
        const first = updates.next();
        let isFed = true;
        const feeding = feed(stream, () => isFed && !isOver);
        try {
          await first;
          say("ok");
          for await (const _ of updates) if (isOver) break;
        } finally {
          isFed = false;
          await feeding;
        }
      } catch (error) {
        if (error.status !== "UNAVAILABLE") throw error;
      }
    }
    stop.abort();
  },

  /** A server in front of the server; its port is in the first line. */
  async proxied() {
    const { serve } = await import("@btrdb/btrdb/server");
    const server = await serve(db, { port: 0 });
    say(`ready ${server.port}`);
    await lines.next();
    await server.stop();
  },
};

await kinds[kind]();
await db.close();
say("done");
process.exit(0);
