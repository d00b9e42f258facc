/**
 * `serve` over a file with eight streams, in a process of its own:
 *
 *     deno run -A bench/plotter/serve.ts POINTS [FILE]
 *
 * The database is made with so many points a stream unless FILE is there; without FILE it is taken
 * away at the end. Prints the HTTP port. Ends with its standard input.
 *
 * @module
 */

import { connect } from "../../mod.ts";
import { serve } from "../../src/server/mod.ts";
import { COLLECTION, START, STEP, STREAMS } from "./streams.ts";

/** Points inserted at once. */
const BATCH = 500_000;

const [points, file] = [Number(Deno.args[0]), Deno.args[1]];
const folder = await Deno.makeTempDir({ prefix: "btrdb-bench-" });
const path = file ?? `${folder}/plotter.btrdb`;
const isThere = await Deno.stat(path).then(() => true, () => false);
const db = await connect(`file:${path}`);
if (!isThere) await fill();
const server = await serve(db, { port: 0, http: { port: 0 } });
// deno-lint-ignore no-console -- whoever starts this waits for the port
console.log(server.httpPort);
for await (const _ of Deno.stdin.readable);
await server.stop({ graceful: false });
await db.close();
await Deno.remove(folder, { recursive: true });
Deno.exit(0);

/** Two sines and noise at 120 Hz; one sample of the first stream is far away. */
async function fill(): Promise<void> {
  const streams = [];
  for (let s = 0; s < STREAMS; s++) {
    const tags = { name: `phase-${s}`, unit: s < STREAMS / 2 ? "V" : "A" };
    streams.push(await db.create(crypto.randomUUID(), COLLECTION, { tags }));
  }
  const noise = Float64Array.from({ length: 1 << 16 }, (_, i) => ((i * 40_503) % 65_536) / 65_536);
  for (let at = 0; at < points; at += BATCH) {
    const length = Math.min(BATCH, points - at);
    const times = BigInt64Array.from({ length }, (_, i) => START + BigInt(at + i) * STEP);
    const values = new Float64Array(length);
    for (let s = 0; s < STREAMS; s++) {
      for (let i = 0; i < length; i++) {
        const k = at + i;
        const slow = 10 * Math.sin(k / (3e6 + s * 1e5)) + 3 * Math.sin(k / 9001 + s);
        values[i] = Math.fround(230 + slow + noise[(k * 7 + s * 13) & 0xffff]!);
      }
      if (s === 0 && at === 0) values[length >> 1] = 400;
      await streams[s]!.insert({ times, values });
    }
  }
  for (const stream of streams) await stream.flush();
}
