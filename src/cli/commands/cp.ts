/** `btrdb cp`: copies streams between databases. @module */

import type { Command } from "../command.ts";
import type { Context } from "../context.ts";
import { CliError, Exit, usageError, type Verdict, verdictOf } from "../errors.ts";
import { mapConcurrently } from "../../core/concurrency.ts";
import type { Progress } from "../terminal/progress.ts";
import { chosenStreams, type NamedStream } from "../words/stream_names.ts";
import { grouped, plural, rough } from "../terminal/format.ts";
import { table } from "../terminal/print_table.ts";
import { type CopyResult, copyStream } from "../sync/copy.ts";

/** Streams copied at the same time. */
const AT_ONCE = 4;

const command: Command = {
  name: "cp",
  args: "SRC DST [STREAM…]",
  arity: [2, Infinity],
  summary: "Copy streams from one database to another, verified",
  about: [
    "SRC and DST are targets as after -d. Collections, uuids, tags, annotations and points of the latest " +
    "version are copied; older versions are not. Existing points are kept, so an interrupted " +
    "copy continues where it stopped, and a repeated copy only adds new points. At the end all " +
    "points of both sides are read, and their numbers and checksums are compared.",
  ],
  options: {
    prefix: { value: "PREFIX", about: "Streams whose collection begins with this" },
    overwrite: { about: "Remove points that only the destination has" },
    "no-verify": { about: "Do not read everything back" },
  },
  examples: [
    {
      line: "btrdb cp file:grid.btrdb grid.example:4410",
      about: "Everything, from a file to a cluster",
    },
    {
      line: "btrdb cp grid.example:4410 file:sub7.btrdb --prefix pmu/substation-7",
      about: "Part of a cluster to a file",
    },
    { line: "btrdb cp file:a.btrdb file:b.btrdb pmu/L1MAG", about: "One stream" },
  ],
  json:
    "{ streams: [{ uuid, path, points, copied, removed, checksum, error }], seconds }; checksum null " +
    "without verification, error null on success",
  async run(context, args) {
    const [from, to, ...names] = args.positionals;
    if (from === to) throw usageError("Cannot copy a database to itself");
    const source = await context.connect(from!, "read");
    const streams = await chosenStreams(source, names, args.text("prefix"));
    const target = await context.connect(to!, "create");
    const progress = context.progress("Copying");
    const total = await countAll(context, streams);
    let settled = 0;
    const options = {
      signal: context.signal,
      overwrite: args.has("overwrite"),
      verify: !args.has("no-verify"),
      onPoints: (points: number) => {
        settled += points;
        const part = total === 0 ? 1 : settled / total;
        progress.update({ points: settled, part });
      },
    };
    const outcomes = await mapConcurrently(streams, AT_ONCE, async (stream): Promise<Outcome> => {
      context.signal.throwIfAborted();
      try {
        return { stream, result: await copyStream(stream, target, options), error: undefined };
      } catch (error) {
        if (context.signal.aborted) throw error;
        return { stream, result: undefined, error };
      }
    }).catch((error) => {
      progress.clear();
      context.talk(
        `Stopped after ${plural(settled, "point")}; run the same command again to continue`,
      );
      throw error;
    });
    progress.clear();
    return report(context, outcomes, progress);
  },
};

interface Outcome {
  stream: NamedStream;
  result: CopyResult | undefined;
  error: unknown;
}

/** Points to copy. One that cannot be asked, as it was obliterated meanwhile, fails when it is copied. */
async function countAll(context: Context, streams: readonly NamedStream[]): Promise<number> {
  const counts = await mapConcurrently(
    streams,
    8,
    ({ stream }) =>
      stream.count().catch((error) => {
        if (context.signal.aborted || verdictOf(error).exit !== Exit.NotFound) throw error;
        return 0n;
      }),
  );
  return Number(counts.reduce((sum, count) => sum + count, 0n));
}

function report(context: Context, outcomes: readonly Outcome[], progress: Progress): number {
  const { seconds } = progress;
  const failed = outcomes.filter(({ error }) => error !== undefined);
  if (context.json) {
    const streams = outcomes.map(({ stream: { uuid, path }, result, error }) => ({
      uuid,
      path,
      points: result?.points ?? null,
      copied: result?.copied ?? null,
      removed: result?.removed ?? null,
      checksum: result?.checksum ?? null,
      error: error === undefined ? null : verdictOf(error).message,
    }));
    context.reportJson({ streams, seconds });
  } else {
    const rows = outcomes.map(({ stream, result }) => [
      stream.path,
      result === undefined ? "-" : grouped(result.points),
      result === undefined ? "-" : grouped(result.copied),
      result === undefined
        ? context.style.red("failed")
        : result.checksum ?? context.style.yellow("not verified"),
    ]);
    const right = (title: string) => ({ title, right: true });
    const columns = [{ title: "stream" }, right("points"), right("copied"), { title: "checksum" }];
    context.report(table(columns, rows, context.style));
  }
  const copied = outcomes.reduce((sum, { result }) => sum + (result?.copied ?? 0), 0);
  const whole = failed.length === 0 ? "" : `${outcomes.length - failed.length} of `;
  context.talk(
    `Copied ${plural(copied, "point")} of ${whole}${plural(outcomes.length, "stream")}, ` +
      `${seconds.toFixed(1)} s, ${rough(copied / Math.max(seconds, 1e-3))} points/s`,
  );
  if (failed.length === 0) return 0;
  for (const outcome of failed.slice(1)) context.warn(failureOf(outcome).message);
  const first = failureOf(failed[0]!);
  const many = failed.length === 1 ? "" : `${failed.length} streams were not copied: `;
  throw new CliError(`${many}${first.message}`, { ...first, cause: failed[0]!.error });
}

/** Error of a stream that could not be copied, with the name of the stream. */
function failureOf({ stream: { path }, error }: Outcome): Verdict {
  const verdict = verdictOf(error);
  const { message } = verdict;
  return message.includes(path) ? verdict : { ...verdict, message: `${path}: ${message}` };
}

export default command;
