/** `btrdb annotate`: changes annotations. @module */

import { checkKnown, keyValues } from "../words/key_values.ts";
import type { Command } from "../command.ts";
import { resolveStream } from "../words/stream_names.ts";
import { properties } from "../terminal/print_table.ts";

const command: Command = {
  name: "annotate",
  args: "STREAM [KEY=VALUE…]",
  arity: [1, Infinity],
  summary: "Show, set and remove annotations",
  about: [
    "Without KEY=VALUE and --remove it shows them. All changes are made together, and only if " +
    "no other client has changed the annotations since they were read.",
  ],
  options: {
    remove: { short: "r", value: "KEY", multiple: true, about: "Remove this key; repeatable" },
  },
  examples: [
    {
      line: "btrdb -d file:grid.btrdb annotate pmu/L1MAG location=roof checked=2024-03-01",
      about: "Set two",
    },
    { line: "btrdb -d file:grid.btrdb annotate pmu/L1MAG -r checked", about: "Remove one" },
  ],
  json: "{ uuid, annotations, annotationVersion }, after the change",
  async run(context, args) {
    const [text, ...words] = args.positionals;
    const changes: Record<string, string | null> = keyValues(words, "annotation");
    for (const key of args.list("remove")) changes[key] = null;
    const asked = Object.keys(changes).length > 0;
    const db = await context.db(asked ? "write" : "read");
    const { stream, uuid } = await resolveStream(db, text!);
    if (asked) {
      const [known, expected] = await stream.annotations();
      checkKnown(args.list("remove"), known, "annotation");
      await stream.setAnnotations(changes, { expected });
    }
    const [annotations, annotationVersion] = await stream.annotations();
    if (context.json) {
      context.printJson({ uuid, annotations, annotationVersion });
      return;
    }
    const pairs = Object.entries(annotations).sort(([a], [b]) => a < b ? -1 : 1);
    context.print(properties(pairs.map(([key, value]) => [key, value ?? ""]), context.style));
    if (pairs.length === 0) context.talk("There are no annotations");
  },
};

export default command;
