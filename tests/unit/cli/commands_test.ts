import { assertEquals } from "@std/assert";
import { COMMANDS } from "../../../src/cli/commands.ts";

Deno.test("COMMANDS: each entry says of its command what the command says of itself", async () => {
  for (const { name, args, summary, load } of COMMANDS) {
    const { default: command } = await load();
    assertEquals({ name, args, summary }, {
      name: command.name,
      args: command.args,
      summary: command.summary,
    });
  }
});
