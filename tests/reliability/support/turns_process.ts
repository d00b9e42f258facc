/**
 * A server that measures each turn of its event loop, for `turns.ts`. Prints its ports when it is ready.
 * For each line of its standard input it prints the turns since the one before as a line of JSON; it
 * ends with its standard input.
 */

import { connect } from "../../../mod.ts";
import { serve } from "../../../src/server/mod.ts";
import { fillForTurns } from "./turns_data.ts";

/** A turn: CPU time and time of the clock, ms, and its end on the clock of the process. */
export type Turn = [cpuMs: number, wallMs: number, endMs: number];

/** Turns shorter than this are not kept, ms. */
const KEPT_MS = 5;

/** `CLOCK_THREAD_CPUTIME_ID` of Linux. */
const THREAD_CPU = 3;

const libc = Deno.dlopen("libc.so.6", {
  clock_gettime: { parameters: ["i32", "buffer"], result: "i32" },
});
const time = new Uint32Array(4);

/** CPU time of this thread, ms, which threads that collect garbage or compile do not lengthen. */
function threadMs(): number {
  libc.symbols.clock_gettime(THREAD_CPU, time);
  return time[0]! * 1e3 + time[2]! / 1e6;
}

const folder = await Deno.makeTempDir({ prefix: "btrdb-turns-" });
const db = await connect(`file:${folder}/turns.btrdb`);
await fillForTurns(db);
const server = await serve(db, {
  port: 0,
  http: { port: 0, write: { maxStreams: 200_000 } },
  limits: { sqlRows: 2_000_000, sqlTimeoutMs: 60_000 },
});

let turns: Turn[] = [];
let lastCpu = threadMs(), lastMs = performance.now();
function turn(): void {
  const cpu = threadMs(), now = performance.now();
  if (cpu - lastCpu > KEPT_MS) turns.push([cpu - lastCpu, now - lastMs, now]);
  lastCpu = cpu;
  lastMs = now;
  setImmediate(turn);
}

// A collection of garbage by which the times that V8 prints can be told from those of this clock.
const { gc } = globalThis as { gc?: () => void };
gc?.();
console.log(`${server.address.split(":").at(-1)} ${server.httpPort} ${performance.now()}`);
setImmediate(turn);
for await (const _ of Deno.stdin.readable) {
  console.log(JSON.stringify(turns));
  turns = [];
}
await server.stop({ graceMs: 0 });
await db.close();
await Deno.remove(folder, { recursive: true });
Deno.exit(0);
