/** `btrdb plot`: plots streams in the terminal. @module */

import type { Args } from "../words/parse_args.ts";
import type { Command } from "../command.ts";
import type { Context } from "../context.ts";
import { plotStreams } from "../plot_streams.ts";
import { RANGE_OPTIONS, resolveRange } from "../ranges.ts";
import { resolveStreams } from "../words/stream_names.ts";

const command: Command = {
  name: "plot",
  args: "STREAM…",
  arity: [1, 16],
  summary: "Plot streams in the terminal",
  about: [
    "A band from min to max and the mean as a line, one window a column of dots. Every stream has a " +
    "panel of its own, or all share one (--overlay). The plot fits the terminal.",
  ],
  options: {
    ...RANGE_OPTIONS,
    overlay: { about: "All streams in one panel, told apart by colour" },
    width: { value: "COLUMNS", about: "Characters in a line; without it as wide as the terminal" },
    height: { value: "LINES", about: "Lines in all; without it by the number of streams" },
  },
  examples: [
    {
      line: "btrdb -d file:grid.btrdb plot pmu/L1MAG --start last-10s",
      about: "The last ten seconds",
    },
    {
      line:
        "btrdb -d grid.example:4410 plot pmu/L1MAG pmu/L1ANG -s 2024-03-01T12:00 -e +1h --tz local",
      about: "Two streams, an hour, in local time",
    },
  ],
  json:
    "{ start, end, width, series: [{ uuid, label, windows: [{ time, min, mean, max, count }] }] }; " +
    "width of a window in ns, only windows with points",
  async run(context: Context, args: Args) {
    const db = await context.db("read");
    const streams = await resolveStreams(db, args.positionals);
    const range = await resolveRange(context, args, streams.map(({ stream }) => stream));
    await plotStreams(context, streams, range, {
      overlay: args.has("overlay"),
      width: args.integer("width", 30, 1000),
      height: args.integer("height", 6, 1000),
    });
  },
};

export default command;
