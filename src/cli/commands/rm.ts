/** `btrdb rm`: obliterates streams. @module */

import type { Command } from "../command.ts";
import { totals } from "../ranges.ts";
import { resolveStreams } from "../words/stream_names.ts";
import { plural } from "../terminal/format.ts";

const command: Command = {
  name: "rm",
  args: "STREAM…",
  arity: [1, Infinity],
  summary: "Remove streams permanently",
  about: [
    "Points, versions and metadata are gone, and the uuid can never be used again. To remove points " +
    "and keep older versions, use delete-range.",
  ],
  options: { yes: { short: "y", about: "Do not ask" } },
  examples: [
    { line: "btrdb -d file:grid.btrdb rm lab/test", about: "One stream; asks first" },
    { line: "btrdb -d file:grid.btrdb rm 'lab/*' --yes", about: "All streams of a collection" },
  ],
  json: "{ removed: [uuid…] }",
  async run(context, args) {
    const db = await context.db("write");
    const streams = await resolveStreams(db, args.positionals);
    let points = 0n;
    for (const { stream } of streams) points += (await totals(stream)).count;
    const what = streams.length === 1 ? streams[0]!.path : plural(streams.length, "stream");
    await context.confirm(
      `remove ${what} (${plural(points, "point")}) permanently`,
      args.has("yes"),
    );
    const removed: string[] = [];
    for (const { stream, uuid, path } of streams) {
      context.signal.throwIfAborted();
      await stream.obliterate();
      removed.push(uuid);
      context.talk(`Removed ${path} ${uuid}`);
    }
    if (context.json) context.printJson({ removed });
  },
};

export default command;
