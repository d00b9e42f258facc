/** `btrdb help`: what there is, and how to use it. @module */

import type { Command } from "../command.ts";
import { usageError } from "../errors.ts";
import { commandHelp, programHelp } from "../help.ts";
import { nearest } from "../words/suggest.ts";
import { COMMANDS, findCommand } from "../commands.ts";

const command: Command = {
  name: "help",
  args: "[COMMAND]",
  arity: [0, 1],
  summary: "Show help",
  options: {},
  examples: [
    { line: "btrdb help", about: "All commands" },
    { line: "btrdb help import", about: "Options and examples of one" },
  ],
  async run(context, { positionals: [name] }) {
    if (name === undefined) {
      context.print(programHelp(context.style));
      return;
    }
    const entry = findCommand(name);
    if (entry === undefined) {
      const near = nearest(name, COMMANDS.map((one) => one.name), 3);
      throw usageError(
        `There is no command ${name}`,
        near.length > 0 ? `did you mean ${near.join(" or ")}?` : "`btrdb help` lists them all",
      );
    }
    const { default: found } = await entry.load();
    context.print(commandHelp(found, context.style));
  },
};

export default command;
