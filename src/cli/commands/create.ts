/** `btrdb create`: creates a stream. @module */

import { keyValues } from "../words/key_values.ts";
import type { Command } from "../command.ts";
import { usageError } from "../errors.ts";
import { isUuid, splitPath } from "../words/stream_names.ts";

const command: Command = {
  name: "create",
  args: "COLLECTION/NAME",
  arity: [1, 1],
  summary: "Create a stream",
  about: ["Prints the uuid of the stream."],
  options: {
    unit: { short: "u", value: "UNIT", about: "Tag unit" },
    tag: { short: "t", value: "KEY=VALUE", multiple: true, about: "Another tag; repeatable" },
    annotation: {
      short: "a",
      value: "KEY=VALUE",
      multiple: true,
      about: "An annotation; repeatable",
    },
    uuid: { value: "UUID", about: "Its uuid; without it a random one" },
  },
  examples: [
    {
      line: "btrdb -d file:grid.btrdb create pmu/substation-7/L1MAG --unit volts",
      about: "A stream with name and unit",
    },
    {
      line: "btrdb -d grid.example:4410 create lab/temperature -t sensor=pt100 -a room=2.14",
      about: "Other tags and annotations",
    },
  ],
  json: "{ uuid, collection, tags, annotations }",
  async run(context, args) {
    const [first] = splitPath(args.positionals[0]!);
    if (first === undefined) {
      throw usageError(
        `Cannot create ${args.positionals[0]}: expected COLLECTION/NAME`,
        "the name becomes the tag name, what is before the last slash the collection",
      );
    }
    const uuid = args.text("uuid") ?? crypto.randomUUID();
    if (!isUuid(uuid)) throw usageError(`Cannot use --uuid ${uuid}: it is not a uuid`);
    const unit = args.text("unit");
    const tags = {
      name: first.name,
      ...(unit === undefined ? {} : { unit }),
      ...keyValues(args.list("tag"), "--tag"),
    };
    const annotations = keyValues(args.list("annotation"), "--annotation");
    const db = await context.db("create");
    const { collection } = first;
    const stream = await db.create(uuid, collection, { tags, annotations });
    if (context.json) context.printJson({ uuid: stream.uuid, collection, tags, annotations });
    else context.print(`${stream.uuid}\n`);
  },
};

export default command;
