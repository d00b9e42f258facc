/** `btrdb compact`: makes a file smaller. @module */

import type { CompactOptions, CompactReport } from "../../../mod.ts";
import type { Command } from "../command.ts";
import { type Context, filePath } from "../context.ts";
import { CliError, notFound, usageError } from "../errors.ts";
import { bytesText } from "../terminal/format.ts";

const command: Command = {
  name: "compact",
  args: "FILE",
  arity: [0, 1],
  summary: "Make a database file smaller: free unused room",
  about: [
    "Room of points that have expired, of versions that were pruned and of streams that were removed is used " +
    "again, but the file keeps its size; this gives the room back. It is done in small steps, also while " +
    "`btrdb serve` or another process writes and reads the file, and may be interrupted at any time. A file " +
    "made by a release that did not prepare it for this must be written anew once, with --rewrite: while no " +
    "other process writes it, with free disk space of twice the size of what is left, and without an " +
    "interrupt. FILE is a path, or a target as after -d, where it may be given instead.",
  ],
  options: {
    rewrite: { about: "Write the whole file anew if it was not prepared for steps" },
  },
  examples: [
    { line: "btrdb compact grid.btrdb", about: "In steps, beside whoever uses it" },
    { line: "btrdb compact old.btrdb --rewrite", about: "A file of an earlier release, once" },
  ],
  json: "{ before, after, free }, bytes; free is what was freed meanwhile",
  async run(context, args) {
    const path = pathOf(context, args.positionals[0]);
    const progress = context.progress("Compacting");
    const { compactFile } = await import("../../../mod.ts");
    let first: number | undefined;
    const options: CompactOptions = {
      signal: context.signal,
      rewrite: args.has("rewrite"),
      onProgress: ({ bytes, free }) => {
        first ??= free;
        progress.update({ bytes, part: first === 0 ? 1 : 1 - free / first });
      },
    };
    const report = await compactFile(path, options).catch((error) => {
      throw advised(error, path);
    }).finally(() => progress.clear());
    if (context.json) context.printJson({ ...report });
    else context.talk(textOf(path, report));
  },
};

function pathOf(context: Context, word: string | undefined): string {
  const text = word ?? context.target;
  if (text === undefined) {
    throw usageError("Command compact needs a file", "for example `btrdb compact grid.btrdb`");
  }
  if (word !== undefined && context.target !== undefined) {
    throw usageError(`Cannot use "${word}": -d ${context.target} names the file already`);
  }
  const isOther = /^(memory:|grpc-web|btrdb[+:])/.test(text);
  if (isOther) throw usageError(`Cannot compact ${text}: it is not a file`);
  return filePath(text) ?? text;
}

/** The same error, with advice where there is some. */
function advised(error: unknown, path: string): unknown {
  const status = (error as { status?: unknown }).status;
  const { message } = error as Error;
  if (status === "REWRITE_NEEDED") {
    const hint = `\`btrdb compact ${path} --rewrite\`, while no other process writes it`;
    return new CliError(message, { hint, cause: error });
  }
  if (status === "CANNOT_OPEN") return notFound(message, "check the path");
  return error;
}

function textOf(path: string, { before, after, free }: CompactReport): string {
  const left = free > 0 ? `, ${bytesText(free)} of it free` : "";
  if (after === before) return `${path} has ${bytesText(after)}${left}, as before`;
  return `${path} has ${bytesText(after)}${left}; it had ${bytesText(before)}`;
}

export default command;
