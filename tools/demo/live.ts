/**
 * A simulated PMU, live ingest and a plot in the terminal, in one process.
 *
 * @module
 */

import { type BTrDB, connect, SECOND } from "@btrdb/btrdb";
import { LiveIngest, simulatePmu } from "@btrdb/btrdb/c37118";
import { plotTerminal } from "../../src/plot/mod.ts";
import { forPlot } from "./look.ts";
import { thousands } from "./report.ts";

/** Streams that are plotted, and their titles. */
const PLOTTED: readonly (readonly [name: string, title: string])[] = [
  ["PH0MAG VA", "VA (V)"],
  ["FREQ", "frequency (Hz)"],
];

/** Options of the live demo. */
export interface LiveWishes {
  /** Target of `connect`. */
  target: string;
  /** Duration, s; the simulated sag and excursion come every 20. */
  seconds: number;
  /** Receives text to print. */
  say: (text: string) => void;
  /** True if the output is a terminal that can be drawn over. */
  isTerminal: boolean;
}

/** Runs the demo; returns the points stored. */
export async function demoLive({ target, seconds, say, isTerminal }: LiveWishes): Promise<number> {
  await using db = await connect(target);
  await using pmu = await simulatePmu({ id: 7, station: "FEEDER 12", phasors: 3 });
  say(`Simulated PMU on c37118://${pmu.address}?id=7, 60 frames/s`);
  const begin = BigInt(Date.now()) * 1_000_000n;
  const address = `c37118://${pmu.address}?id=7`;
  const ingest = new LiveIngest(() => Promise.resolve(db), [address], {
    prefix: "live",
    everyMs: 250,
    onEvent: say,
  });
  const stop = new AbortController();
  const running = ingest.run(stop.signal);
  const drawing = setInterval(() => {
    if (isTerminal) draw(db, begin, say, isTerminal).catch(() => {});
  }, 1000);
  await new Promise((resolve) => setTimeout(resolve, seconds * 1000));
  clearInterval(drawing);
  stop.abort();
  const { stored, sources: [source] } = await running;
  await draw(db, begin, say, isTerminal);
  const { dataFrames, lost, late } = source!;
  say(
    `${thousands(dataFrames)} frames received, ${lost} lost, ${late} late; ` +
      `${thousands(stored)} points stored in collection live/7_FEEDER 12 of ${target}`,
  );
  return stored;
}

/** Plots what is there from `begin` on. */
async function draw(
  db: BTrDB,
  begin: bigint,
  say: (text: string) => void,
  isTerminal: boolean,
): Promise<void> {
  const panels = [];
  let end = begin + SECOND;
  for (const [name, label] of PLOTTED) {
    for await (const stream of db.lookupStreams("live/7_FEEDER 12", { tags: { name } })) {
      const last = await stream.latest();
      if (last !== null && last.time >= end) end = last.time + 1n;
      panels.push({ label, stream });
    }
  }
  if (panels.length === 0) return;
  const plotted = await Promise.all(panels.map(async ({ label, stream }) => ({
    label,
    columns: await forPlot(stream, begin, end, 136),
  })));
  const color = isTerminal && !Deno.env.get("NO_COLOR");
  const text = plotTerminal(plotted, { start: begin, end, color, height: 18 });
  say(isTerminal ? `\x1b[2J\x1b[H${text}` : text);
}
