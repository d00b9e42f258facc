/** `btrdb distil`: keeps derived streams up to date. @module */

import {
  type DistilFollowOptions,
  type DistilResult,
  type DistilStatus,
  listDistillates,
} from "../../distil/mod.ts";
import type { Command } from "../command.ts";
import type { Context } from "../context.ts";
import { usageError } from "../errors.ts";
import { grouped, plural } from "../terminal/format.ts";
import { table } from "../terminal/print_table.ts";
import { type DefinedDistillate, readDefinitions } from "../words/definition_file.ts";
import { parseDuration } from "../words/durations.ts";
import type { Args } from "../words/parse_args.ts";
import { formatTime } from "../words/times.ts";

/** Verbs of the command. */
const DISTIL_VERBS = ["run", "follow", "status", "ls"] as const;

const command: Command = {
  name: "distil",
  args: "VERB [FILE] [NAME…]",
  arity: [1, Infinity],
  summary: "Compute derived streams, and keep them up to date",
  about: [
    "VERB is run, follow, status or ls. FILE is a TypeScript or JavaScript module whose default export is a definition, a list of " +
    "them in the order in which they run, or a function of the database that returns either. It " +
    "is run with the permissions of this command. NAME chooses some of its definitions.",
    "run brings the outputs up to date: it computes only the ranges affected by changes of the " +
    "inputs. follow repeats that until it is interrupted. status shows which outputs are up to " +
    "date. ls lists the definitions of FILE, or without FILE the derived streams of the database.",
  ],
  options: {
    interval: { value: "DURATION", about: "follow: time between two checks; 1s by default" },
    "no-flush": { about: "Leave out points that are not committed yet" },
    "max-points": {
      value: "N",
      about: "Points in memory at a time, about; 1048576 by default",
    },
    lease: {
      value: "DURATION",
      about: "Time for which others wait after a crash; 30s by default",
    },
  },
  examples: [
    {
      line: "btrdb -d file:grid.btrdb distil run grid.ts",
      about: "Once, for example every night",
    },
    {
      line: "btrdb -d grid.example:4410 distil follow grid.ts",
      about: "Until it is interrupted",
    },
    { line: "btrdb -d grid.example:4410 distil ls", about: "The derived streams of a database" },
  ],
  json:
    "run: { runs: [{ name, current, full, inputs: { NAME: { from, to } }, ranges, repaired, read, written, " +
    "deleted, compared, leftOut }] }; follow: a line of one of them for each run; status: { definitions: [{ name, " +
    "state, version, lease, at, inputs, outputs }] }; ls: { definitions: [{ name, version, … }] }",
  async run(context, args) {
    const [verb, file, ...names] = args.positionals;
    if (!DISTIL_VERBS.includes(verb as typeof DISTIL_VERBS[number])) {
      throw usageError(
        `Unknown verb "${verb}": expected ${DISTIL_VERBS.join(", ")}`,
        "btrdb distil run FILE",
      );
    }
    if (verb === "ls" && file === undefined) return await printKnown(context);
    if (file === undefined) {
      throw usageError(`Command distil ${verb} needs FILE`, `btrdb distil ${verb} grid.ts`);
    }
    const writes = verb === "run" || verb === "follow";
    const db = await context.db(writes ? "write" : "read");
    const definitions = await readDefinitions(db, file, names);
    if (verb === "run") await runAll(context, args, definitions);
    else if (verb === "follow") await followAll(context, args, definitions);
    else if (verb === "status") await printStatus(context, definitions);
    else printDefinitions(context, definitions);
  },
};

function optionsOf(context: Context, args: Args): DistilFollowOptions {
  return {
    signal: context.signal,
    flush: !args.has("no-flush"),
    maxPoints: args.integer("max-points", 1000, Number.MAX_SAFE_INTEGER),
    leaseMs: milliseconds(args, "lease", "30s", 1000),
    intervalMs: milliseconds(args, "interval", "1s", 1),
  };
}

/** A duration from `least` ms to an hour. */
function milliseconds(args: Args, name: string, otherwise: string, least: number): number {
  const text = args.text(name) ?? otherwise;
  const ms = Number(parseDuration(text, `--${name}`) / 1_000_000n);
  if (ms >= least && ms <= 3_600_000) return ms;
  throw usageError(`Cannot use --${name} ${text}: expected ${least / 1000}s to 1h`);
}

async function runAll(
  context: Context,
  args: Args,
  definitions: readonly DefinedDistillate[],
): Promise<void> {
  const options = optionsOf(context, args);
  const results: DistilResult[] = [];
  for (const { distillate } of definitions) {
    const progress = context.progress(`Computing ${distillate.name}`);
    let done = 0;
    try {
      results.push(
        await distillate.run({
          ...options,
          onProgress: ({ written, part }) => {
            done = Number(written);
            progress.update({ points: written, part });
          },
        }),
      );
    } catch (error) {
      progress.clear();
      if (context.signal.aborted) {
        context.talk(
          `Stopped in ${distillate.name} after ${plural(done, "point")}; run the same command ` +
            "again to continue",
        );
      }
      throw error;
    }
    progress.clear();
  }
  if (context.json) return context.printJson({ runs: results });
  const right = (title: string) => ({ title, right: true });
  const columns = [
    { title: "name" },
    { title: "computed" },
    ...["ranges", "read", "written", "deleted"].map(right),
  ];
  const cells = results.map((result) => [
    result.name,
    extentOf(result),
    ...[result.ranges, result.read, result.written, result.deleted].map(grouped),
  ]);
  context.print(table(columns, cells, context.style));
  for (const result of results) sayMore(context, result);
}

/** Part that a run has computed, in a word. */
function extentOf({ current, full }: DistilResult): string {
  return current ? "nothing, is current" : full ? "everything" : "what changed";
}

function sayMore(context: Context, { name, leftOut, repaired }: DistilResult): void {
  if (leftOut > 0) context.talk(`${name}: left out ${plural(leftOut, "point")} of value NaN`);
  if (repaired > 0) {
    context.talk(
      `${name}: repaired ${plural(repaired, "range")} that a run left unfinished, or ` +
        `that another program changed`,
    );
  }
}

/** Follows all definitions until the user interrupts; a failure of one ends all. */
async function followAll(
  context: Context,
  args: Args,
  definitions: readonly DefinedDistillate[],
): Promise<void> {
  const failed = new AbortController();
  const signal = AbortSignal.any([context.signal, failed.signal]);
  const options = { ...optionsOf(context, args), signal };
  context.talk(`Following ${plural(definitions.length, "definition")}; interrupt to end`);
  const follow = async ({ distillate }: DefinedDistillate): Promise<void> => {
    let told = "";
    const onRetry = ({ message }: Error): void => {
      if (message !== told) context.warn(message);
      told = message;
    };
    try {
      for await (const result of distillate.follow({ ...options, onRetry })) {
        told = "";
        printRun(context, result);
      }
    } catch (error) {
      failed.abort(error);
      throw error;
    }
  };
  const [first] = (await Promise.allSettled(definitions.map(follow)))
    .filter((outcome) => outcome.status === "rejected");
  if (!context.signal.aborted && first !== undefined) throw failed.signal.reason ?? first.reason;
}

function printRun(context: Context, result: DistilResult): void {
  if (context.json) return context.reportJson(result);
  const { name, read, written, deleted } = result;
  const time = formatTime(Temporal.Now.instant().epochNanoseconds, context.frame.tz, 0);
  context.report(
    `${context.style.dim(time)}  ${name}  read ${grouped(read)}, wrote ${grouped(written)}, ` +
      `deleted ${grouped(deleted)}\n`,
  );
  sayMore(context, result);
}

async function printStatus(
  context: Context,
  definitions: readonly DefinedDistillate[],
): Promise<void> {
  const found: DistilStatus[] = [];
  for (const { distillate } of definitions) {
    found.push(await distillate.status({ signal: context.signal }));
  }
  if (context.json) return context.printJson({ definitions: found });
  const columns = ["name", "state", "version", "inputs", "runner"].map((title) => ({ title }));
  const cells = found.map(({ name, state, version, inputs, lease }) => [
    name,
    state,
    version ?? "-",
    inputs.map(stepOf).join(", ") || "-",
    lease?.owner ?? "-",
  ]);
  context.print(table(columns, cells, context.style));
}

/** Version of an input that was worked off, of those there are. */
function stepOf({ name, done, latest, buffered }: DistilStatus["inputs"][number]): string {
  const more = buffered === 0n ? "" : ` and ${plural(buffered, "point")}`;
  return `${name} ${done} of ${latest ?? "-"}${more}`;
}

function printDefinitions(context: Context, definitions: readonly DefinedDistillate[]): void {
  const pathOf = (stream: unknown): string => {
    if (typeof stream === "string") return stream;
    const { path, uuid } = stream as { path?: string; uuid?: string };
    return path ?? uuid ?? "-";
  };
  const found = definitions.map(({ definition: { name, version, inputs, outputs } }) => ({
    name,
    version,
    inputs: Object.values(inputs).map(pathOf),
    outputs: Object.values(outputs).map(pathOf),
  }));
  if (context.json) return context.printJson({ definitions: found });
  const columns = ["name", "version", "inputs", "outputs"].map((title) => ({ title }));
  const cells = found.map(({ name, version, inputs, outputs }) => [
    name,
    version,
    inputs.join(", "),
    outputs.join(", "),
  ]);
  context.print(table(columns, cells, context.style));
}

/** The derived streams of the database, by the notes of their runs. */
async function printKnown(context: Context): Promise<void> {
  const db = await context.db("read");
  const found = [];
  for await (const one of listDistillates(db, { signal: context.signal })) {
    const { stream, ...rest } = one;
    const { name = stream.uuid } = await stream.tags();
    found.push({ ...rest, uuid: stream.uuid, path: `${await stream.collection()}/${name}` });
  }
  // Lookups give them in the order of their uuids, which says nothing to people.
  const key = ({ name, path }: { name: string; path: string }): string => `${name}\0${path}`;
  found.sort((one, other) => key(one) < key(other) ? -1 : 1);
  if (context.json) return context.printJson({ definitions: found });
  const columns = ["name", "version", "first output", "runner"].map((title) => ({ title }));
  const cells = found.map(({ name, version, path, lease }) => [
    name,
    version ?? "-",
    path,
    lease?.owner ?? "-",
  ]);
  context.print(table(columns, cells, context.style));
}

export default command;
