/** `btrdb tag`: changes tags and collection. @module */

import { checkKnown, keyValues } from "../words/key_values.ts";
import type { Command } from "../command.ts";
import { resolveStream } from "../words/stream_names.ts";
import { properties } from "../terminal/print_table.ts";

const command: Command = {
  name: "tag",
  args: "STREAM [KEY=VALUE…]",
  arity: [1, Infinity],
  summary: "Show, set and remove tags, move to another collection",
  about: ["Servers of protocol v4 cannot change tags once a stream exists."],
  options: {
    remove: { short: "r", value: "KEY", multiple: true, about: "Remove this key; repeatable" },
    collection: { short: "c", value: "COLLECTION", about: "Move the stream to this collection" },
  },
  examples: [
    { line: "btrdb -d file:grid.btrdb tag pmu/L1MAG unit=volts phase=A", about: "Set two" },
    {
      line: "btrdb -d file:grid.btrdb tag pmu/L1MAG name=L1-MAG --collection pmu/substation-7",
      about: "Rename and move a stream",
    },
  ],
  json: "{ uuid, collection, tags }, after the change",
  async run(context, args) {
    const [text, ...words] = args.positionals;
    const tags: Record<string, string | null> = keyValues(words, "tag");
    for (const key of args.list("remove")) tags[key] = null;
    const collection = args.text("collection");
    const asked = Object.keys(tags).length > 0 || collection !== undefined;
    const db = await context.db(asked ? "write" : "read");
    const { stream, uuid } = await resolveStream(db, text!);
    if (asked) {
      checkKnown(args.list("remove"), await stream.tags(), "tag");
      await stream.setTags({ tags, ...(collection === undefined ? {} : { collection }) });
      await stream.refreshMeta();
    }
    const [now, place] = [await stream.tags(), await stream.collection()];
    if (context.json) {
      context.printJson({ uuid, collection: place, tags: now });
      return;
    }
    const pairs = Object.entries(now).sort(([a], [b]) => a < b ? -1 : 1);
    const lines = pairs.map(([key, value]): [string, string] => [key, value ?? ""]);
    context.print(properties([["(collection)", place], ...lines], context.style));
  },
};

export default command;
