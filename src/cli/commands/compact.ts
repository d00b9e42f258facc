/** `btrdb compact`: makes a file smaller. @module */

import type { CompactOptions, CompactReport } from "../../../mod.ts";
import type { Command } from "../command.ts";
import type { Context } from "../context.ts";
import { filePath } from "../words/file_target.ts";
import { CliError, notFound, usageError } from "../errors.ts";
import { bytesText } from "../terminal/format.ts";

const command: Command = {
  name: "compact",
  args: "FILE",
  arity: [0, 1],
  summary: "Make a database file smaller",
  about: [
    "The space of expired points, pruned versions and removed streams is reused, but the file " +
    "keeps its size; this command returns the space to the file system. It works in small steps, " +
    "even while `btrdb serve` or another process writes and reads the file, and may be " +
    "interrupted at any time. A file from an earlier release must be rewritten once, with " +
    "--rewrite: that needs free disk space of twice the size of the data, no other process may " +
    "write the file meanwhile, and it cannot be interrupted. FILE is a path or a target, and can " +
    "be given with -d instead.",
  ],
  options: {
    rewrite: { about: "Rewrite the whole file if it cannot be compacted in steps" },
  },
  examples: [
    {
      line: "btrdb compact grid.btrdb",
      about: "In steps, beside other processes that use the file",
    },
    { line: "btrdb compact old.btrdb --rewrite", about: "A file of an earlier release, once" },
  ],
  json: "{ before, after, free } in bytes; free: space freed during the run",
  async run(context, args) {
    const path = pathOf(context, args.positionals[0]);
    const progress = context.progress("Compacting");
    const { compactFile } = await import("../../../mod.ts");
    let first: number | undefined;
    let reached = "before the first step";
    const options: CompactOptions = {
      signal: context.signal,
      rewrite: args.has("rewrite"),
      onProgress: ({ bytes, free }) => {
        first ??= free;
        reached = `at ${bytesText(bytes)}, ${bytesText(free)} of it free`;
        progress.update({ bytes, part: first === 0 ? 1 : 1 - free / first });
      },
    };
    const report = await compactFile(path, options).catch((error) => {
      progress.clear();
      if (context.signal.aborted) {
        context.talk(`Stopped ${reached}; run the same command again to continue`);
      }
      throw advised(error, path);
    });
    progress.clear();
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
