/**
 * Clients that watch live streams, each over a connection of its own:
 *
 *     deno run -A bench/support/watch_live.ts ADDRESS STREAMS DASHBOARDS SUBSCRIBERS
 *
 * A dashboard reads {@linkcode PANELS} times 300 windows of the last minute every second; a subscriber
 * has {@linkcode SUBSCRIBED} streams. Prints 0 (it has no port) when all have begun. Ends with its
 * standard input, and then prints the reads, the slowest percent of them (ms), reads that began late,
 * and the points that subscribers got.
 *
 * @module
 */

import { connect } from "../../mod.ts";
import { liveUuid, nowSecond, percentile } from "./live.ts";

/** Queries of a dashboard a second. */
const PANELS = 8;
/** Windows of each. */
const WINDOWS = 300;
/** Their width: a fifth of a second. */
const WIDTH_NS = 200_000_000n;
/** Streams of a subscriber. */
const SUBSCRIBED = 10;

const [address, ...rest] = Deno.args;
const [streams, dashboards, subscribers] = rest.map(Number) as [number, number, number];
const readMs: number[] = [];
let late = 0, points = 0, isOver = false, begun = 0;

/** Takes note that one more client has begun. */
function begin(): void {
  // deno-lint-ignore no-console -- whoever starts this waits for it
  if (++begun === dashboards + subscribers) console.log(0);
}

async function watch(which: number): Promise<void> {
  const db = await connect(address!);
  const panels = Array.from({ length: PANELS }, (_, i) => {
    return db.streamFromUUID(liveUuid((which * PANELS + i) % streams));
  });
  // Spread over the second, as screens are.
  await new Promise((resolve) => setTimeout(resolve, which * 1000 / dashboards));
  begin();
  for (let due = performance.now(); !isOver; due += 1000) {
    const wait = due - performance.now();
    if (wait > 0) await new Promise((resolve) => setTimeout(resolve, wait));
    else if (wait < -1000) late++;
    const end = nowSecond() * 1_000_000_000n;
    const start = performance.now();
    await Promise.all(panels.map(async (stream) => {
      const query = stream.windows(end - BigInt(WINDOWS) * WIDTH_NS, end, WIDTH_NS);
      const { times } = await query.collect();
      if (times.length !== WINDOWS) throw new Error(`${times.length} windows, not ${WINDOWS}`);
    }));
    readMs.push(performance.now() - start);
  }
}

async function subscribe(which: number): Promise<void> {
  const db = await connect(address!);
  const own = Array.from({ length: SUBSCRIBED }, (_, i) => {
    return db.streamFromUUID(liveUuid((which * SUBSCRIBED + i) % streams));
  });
  const updates = db.subscribe(own);
  const first = updates[Symbol.asyncIterator]();
  const next = first.next();
  begin();
  for (let step = await next; !step.done; step = await first.next()) {
    points += step.value.times.length;
  }
}

function failed(error: unknown): never {
  // deno-lint-ignore no-console -- a bench without its load must not pass for one
  console.error(error);
  Deno.exit(1);
}

for (let i = 0; i < dashboards; i++) watch(i).catch((error) => isOver || failed(error));
for (let i = 0; i < subscribers; i++) subscribe(i).catch((error) => isOver || failed(error));
for await (const _ of Deno.stdin.readable);
isOver = true;
// deno-lint-ignore no-console -- whoever started this reads it
console.log(readMs.length, percentile(readMs, 99), late, points);
Deno.exit(0);
