/** `btrdb verify`: checks a database for damage. @module */

import { abortable } from "../../core/call.ts";
import type { Command } from "../command.ts";
import { filePath } from "../words/file_target.ts";
import type { Context } from "../context.ts";
import { Exit, verdictOf } from "../errors.ts";
import { chosenStreams, type NamedStream } from "../words/stream_names.ts";
import { plural } from "../terminal/format.ts";
import { verifyStream } from "../sync/verify_stream.ts";
import { lineOut } from "../terminal/escape.ts";

const command: Command = {
  name: "verify",
  args: "[STREAM…]",
  arity: [0, Infinity],
  summary: "Check the stored data for damage",
  about: [
    "For a file, every block and reference is checked first. Then, for any database, all points " +
    "of the streams are read: they must be in order and finite, and the windows that the " +
    "database reports must match its points. Exits with 1 if there is any error. Nothing is " +
    "changed.",
  ],
  options: {
    prefix: { value: "PREFIX", about: "Streams whose collection begins with this" },
    quick: { about: "Only the file, not the points" },
  },
  examples: [
    { line: "btrdb -d file:grid.btrdb verify", about: "Everything in a file" },
    { line: "btrdb -d grid.example:4410 verify pmu/L1MAG", about: "One stream of a cluster" },
  ],
  json: "{ ok, problems: [text…], streams, points }",
  async run(context, args) {
    const problems: string[] = [];
    const path = context.target === undefined ? undefined : filePath(context.target);
    const progress = context.progress("Verifying");
    let points = 0;
    let checked = 0;
    let isOpenable = true;
    if (path !== undefined) {
      const refusal = await context.db("read").then(() => context.close(), damageOf);
      const { verifyFile } = await import("../../../mod.ts");
      const report = await abortable(verifyFile(path), { signal: context.signal }, "verify");
      problems.push(...report.problems);
      if (refusal !== undefined && report.ok) problems.push(refusal);
      isOpenable = refusal === undefined;
    }
    if (isOpenable && !args.has("quick")) {
      const db = await context.db("read");
      const streams = await chosenStreams(db, args.positionals, args.text("prefix"));
      for (const named of streams) {
        const found = await verifyStream(named, context.signal, (n) => {
          points += n;
          progress.update({ points });
        }).catch((error) => [unreadable(context, named, error)]);
        problems.push(...found);
        checked++;
      }
    }
    progress.clear();
    const ok = problems.length === 0;
    if (context.json) context.reportJson({ ok, problems, streams: checked, points });
    else for (const problem of problems) context.report(`${lineOut(problem)}\n`);
    if (!isOpenable) context.talk("No points were read: the file cannot be opened");
    const what = args.has("quick") || !isOpenable
      ? "the file"
      : `${plural(checked, "stream")}, ${plural(points, "point")}`;
    context.talk(ok ? `Sound: ${what}` : `${plural(problems.length, "problem")} in ${what}`);
    return ok ? Exit.Done : Exit.Failed;
  },
};

/** The problem of a file that cannot be opened; throws if it is not damaged. */
function damageOf(error: unknown): string {
  const { status, message } = error as { status?: unknown; message: string };
  if (status !== "CORRUPT" && status !== "NOT_A_DATABASE") throw error;
  return message;
}

/** The problem of a stream that cannot be read; throws if it is no fault of what is stored. */
function unreadable({ signal }: Context, { path }: NamedStream, error: unknown): string {
  const { exit, message } = verdictOf(error);
  if (signal.aborted || exit !== Exit.Failed) throw error;
  return `${path}: ${message}`;
}

export default command;
