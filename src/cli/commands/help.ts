/** `btrdb help`: prints the list of commands, or the help of one. @module */

import type { Command } from "../command.ts";
import { findCommand } from "../find_command.ts";
import { commandHelp, programHelp } from "../help.ts";

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
      context.print(programHelp(context.commands, context.style));
      return;
    }
    const { default: found } = await findCommand(name, context.commands).load();
    context.print(commandHelp(found, context.style));
  },
};

export default command;
