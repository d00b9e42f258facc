/** `btrdb delete-range`: removes the points of a range of time. @module */

import type { Command } from "../command.ts";
import { usageError } from "../errors.ts";
import { noPoints, RANGE_OPTIONS, resolveRange } from "../ranges.ts";
import { resolveStream } from "../words/stream_names.ts";
import { plural } from "../terminal/format.ts";
import { formatTime } from "../words/times.ts";

const command: Command = {
  name: "delete-range",
  args: "STREAM",
  arity: [1, 1],
  summary: "Remove the points of a range of time",
  about: ["Older versions keep the points. Both --start and --end must be given."],
  options: { ...RANGE_OPTIONS, yes: { short: "y", about: "Do not ask" } },
  examples: [
    {
      line: "btrdb -d file:grid.btrdb delete-range pmu/L1MAG -s 2024-03-01T12:00 -e +5m",
      about: "Five minutes; asks first",
    },
    {
      line: "btrdb -d file:grid.btrdb delete-range pmu/L1MAG -s first -e last+1ns --yes",
      about: "All points, without a question",
    },
  ],
  json:
    "{ uuid, start, end, removed, version }, removed the number of points; start and end null " +
    "where there was nothing to remove",
  async run(context, args) {
    if (!args.has("start") || !args.has("end")) {
      throw usageError(
        "Command delete-range needs --start and --end",
        "see `btrdb help delete-range`",
      );
    }
    const db = await context.db("write");
    const { stream, uuid, path } = await resolveStream(db, args.positionals[0]!);
    const range = await resolveRange(context, args, [stream]);
    if (range === undefined) {
      context.talk(noPoints(args, path));
      if (!context.json) return;
      const version = await stream.version();
      context.printJson({ uuid, start: null, end: null, removed: 0n, version });
      return;
    }
    const { start, end } = range;
    const count = await stream.count({ start, end });
    const { tz } = context.frame;
    const where = `from ${formatTime(start, tz)} to ${formatTime(end, tz)}`;
    await context.confirm(`remove ${plural(count, "point")} of ${path} ${where}`, args.has("yes"));
    const version = await stream.deleteRange(start, end);
    if (context.json) context.printJson({ uuid, start, end, removed: count, version });
    else context.talk(`Removed ${plural(count, "point")} of ${path} ${where}; version ${version}`);
  },
};

export default command;
