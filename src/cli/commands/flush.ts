/** `btrdb flush`: commits buffered points. @module */

import type { Command } from "../command.ts";
import { mapConcurrently } from "../../core/concurrency.ts";
import { chosenStreams } from "../words/stream_names.ts";
import { plural } from "../terminal/format.ts";

const command: Command = {
  name: "flush",
  args: "[STREAM…]",
  arity: [0, Infinity],
  summary: "Commit buffered points",
  about: [
    "Buffered points are safe and seen by queries of the latest version before they are committed; " +
    "explicit versions have them only after it.",
  ],
  options: { prefix: { value: "PREFIX", about: "All streams whose collection begins with this" } },
  examples: [
    { line: "btrdb -d grid.example:4410 flush pmu/L1MAG", about: "One stream" },
    { line: "btrdb -d file:grid.btrdb flush", about: "All streams" },
  ],
  json: "{ streams: [{ uuid, version }] }",
  async run(context, args) {
    const db = await context.db("write");
    const named = await chosenStreams(db, args.positionals, args.text("prefix"));
    const streams = await mapConcurrently(named, 8, async ({ stream, uuid, path }) => {
      context.signal.throwIfAborted();
      return { uuid, path, version: await stream.flush() };
    });
    if (context.json) {
      context.printJson({ streams: streams.map(({ uuid, version }) => ({ uuid, version })) });
    } else if (streams.length <= 20) {
      for (const { path, version } of streams) context.talk(`${path} is at version ${version}`);
    } else {
      context.talk(`Flushed ${plural(streams.length, "stream")}`);
    }
  },
};

export default command;
