/** `btrdb tail`: prints the last points of streams, and new ones as they arrive. @module */

import { emptyRaw } from "../../core/columns.ts";
import type { RawColumns, Stream } from "../../../mod.ts";
import { delay } from "../../core/call.ts";
import type { Command } from "../command.ts";
import type { Context } from "../context.ts";
import { parseDuration } from "../words/durations.ts";
import { Follower } from "../sync/follower.ts";
import { type NamedStream, resolveStreams } from "../words/stream_names.ts";
import { lineOut } from "../terminal/escape.ts";
import { jsonLine } from "../terminal/output.ts";
import { padded, visibleWidth } from "../terminal/print_table.ts";
import { formatTime } from "../words/times.ts";
import { LAST_TIME, MIN_TIME } from "../../core/range.ts";

const command: Command = {
  name: "tail",
  args: "STREAM…",
  arity: [1, Infinity],
  summary: "Print the last points, and with -f new ones as they arrive",
  about: [
    "With -f it checks the version of each stream every --interval, requests the changed " +
    "ranges, and prints new points, including late ones, until it is interrupted.",
  ],
  options: {
    follow: { short: "f", about: "Keep printing new points" },
    lines: { short: "n", value: "N", about: "Points to begin with; 10 by default" },
    interval: { value: "DURATION", about: "Time between two checks for new points; 1s by default" },
  },
  examples: [
    { line: "btrdb -d file:grid.btrdb tail pmu/L1MAG -n 20", about: "The last 20 points" },
    {
      line: "btrdb -d grid.example:4410 tail -f 'pmu/*'",
      about: "All streams of a collection, live",
    },
  ],
  json: "a line { uuid, path, time, value } for each point",
  async run(context, args) {
    const db = await context.db("read");
    const streams = await resolveStreams(db, args.positionals);
    const lines = args.integer("lines", 0, 1_000_000) ?? 10;
    const waitMs = Number(parseDuration(args.text("interval") ?? "1s", "--interval") / 1_000_000n);
    const follow = args.has("follow");
    const show = printer(context, streams);
    const followers: Follower[] = [];
    for (const named of streams) {
      if (follow) followers.push(await Follower.start(named.stream, context.signal));
      const last = await lastPoints(named.stream, lines, context.signal);
      show(named, last);
      followers.at(-1)?.seen(last);
    }
    try {
      while (follow) {
        await delay(waitMs, context);
        for (const [i, follower] of followers.entries()) show(streams[i]!, await follower.poll());
      }
    } catch (error) {
      if (!context.signal.aborted) throw error; // An interrupt is how it ends.
    }
  },
};

function printer(
  context: Context,
  streams: readonly NamedStream[],
): (named: NamedStream, points: RawColumns) => void {
  const { tz } = context.frame;
  const width = Math.max(...streams.map(({ path }) => visibleWidth(lineOut(path))));
  return ({ uuid, path }, { times, values }) => {
    let text = "";
    for (let i = 0; i < times.length; i++) {
      const [time, value] = [times[i]!, values[i]!];
      if (context.json) {
        text += jsonLine({ uuid, path, time, value });
      } else {
        const name = streams.length > 1
          ? `${context.style.cyan(padded(lineOut(path), width))}  `
          : "";
        text += `${name}${context.style.dim(formatTime(time, tz, 9))}  ${value}\n`;
      }
    }
    if (text !== "") context.print(text);
  };
}

/** The last `n` points: ranges from the end, each twice as long, until there are enough. */
async function lastPoints(stream: Stream, n: number, signal: AbortSignal): Promise<RawColumns> {
  const none = emptyRaw();
  const last = await stream.nearest(LAST_TIME, { backward: true, signal });
  if (last === null || n === 0) return none;
  const end = last.time + 1n;
  let span = 1_000_000n;
  let start = end - span;
  while (start > MIN_TIME && await stream.count({ start, end, signal }) < BigInt(n)) {
    span *= 2n;
    start = end - span;
  }
  if (start < MIN_TIME) start = MIN_TIME;
  const points = await stream.rawValues(start, end, { signal }).collect();
  const from = Math.max(0, points.times.length - n);
  return { times: points.times.subarray(from), values: points.values.subarray(from) };
}

export default command;
