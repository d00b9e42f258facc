/** `btrdb plot`: plots streams in the terminal, in a browser, or as a picture. @module */

import type { Args } from "../words/parse_args.ts";
import type { Command } from "../command.ts";
import type { Context } from "../context.ts";
import { usageError } from "../errors.ts";
import { plotStreams } from "../plot_streams.ts";
import { RANGE_OPTIONS, resolveRange } from "../ranges.ts";
import { resolveStreams } from "../words/stream_names.ts";

const command: Command = {
  name: "plot",
  args: "STREAM…",
  arity: [1, 16],
  summary: "Plot streams in the terminal, in a browser (--web), or as SVG",
  about: [
    "Shows a band from min to max and a line for the mean, one window per column of dots. Each " +
    "stream has a panel of its own, or all share one (--overlay). The plot fits the terminal.",
    "--web opens the plotter, a page to pan and zoom, on any database. It is served to this " +
    "machine only, with a one-time key, until it is interrupted.",
  ],
  options: {
    ...RANGE_OPTIONS,
    overlay: { about: "All streams in one panel, distinguished by colour" },
    width: {
      value: "COLUMNS",
      about: "Characters per line, by default the width of the terminal; with --svg pixels",
    },
    height: {
      value: "LINES",
      about: "Lines in all, by default from the number of streams; with --svg pixels",
    },
    web: { about: "Open the plotter in a browser" },
    "no-open": { about: "With --web, print the address and open no browser" },
    svg: {
      value: "FILE",
      about: "Write a picture, for light and dark pages; - is stdout, .gz and .zst are compressed",
    },
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
    {
      line: "btrdb -d file:grid.btrdb plot --web pmu/L1MAG",
      about: "To pan and zoom in a browser",
    },
  ],
  json:
    "{ start, end, width, series: [{ uuid, label, windows: [{ time, min, mean, max, count }] }] }; " +
    "width of a window in ns, only windows with points; with --web { url }",
  async run(context: Context, args: Args) {
    const db = await context.db("read");
    const streams = await resolveStreams(db, args.positionals);
    const range = await resolveRange(context, args, streams.map(({ stream }) => stream));
    const overlay = args.has("overlay");
    if (args.has("web")) {
      for (const other of ["svg", "overlay", "width", "height"]) {
        if (args.has(other)) throw usageError(`Options --web and --${other} exclude each other`);
      }
      const { plotWeb } = await import("../plot_web.ts");
      return await plotWeb(context, db, streams, range, { noOpen: args.has("no-open") });
    }
    if (args.has("no-open")) throw usageError("Option --no-open needs --web");
    const path = args.text("svg");
    if (path !== undefined) {
      if (context.json) throw usageError("Options --svg and --json exclude each other");
      const { plotSvgFile } = await import("../plot_svg.ts");
      const size = {
        width: args.integer("width", 200, 10_000),
        height: args.integer("height", 120, 10_000),
      };
      return await plotSvgFile(context, streams, range, { path, overlay, ...size });
    }
    await plotStreams(context, streams, range, {
      overlay,
      width: args.integer("width", 30, 1000),
      height: args.integer("height", 6, 1000),
    });
  },
};

export default command;
