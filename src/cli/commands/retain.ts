/** `btrdb retain`: sets the age at which points expire. @module */

import type { BTrDB, ExpireReport, RetentionRule } from "../../../mod.ts";
import type { Command } from "../command.ts";
import type { Context } from "../context.ts";
import { Exit, notFound, usageError } from "../errors.ts";
import { plural } from "../terminal/format.ts";
import { lineOut } from "../terminal/escape.ts";
import { table } from "../terminal/print_table.ts";
import { formatDuration, parseDuration } from "../words/durations.ts";
import type { Args } from "../words/parse_args.ts";

/** Age of points that never expire, as it is typed and shown. */
const NEVER = "never";

const command: Command = {
  name: "retain",
  args: "TARGET [PREFIX [AGE]]",
  arity: [0, 3],
  summary: "Let points expire by their age",
  about: [
    "Points older than AGE, in the collection PREFIX and all collections below it, are removed " +
    "from all versions in the background while the file is open for writing, also by `btrdb " +
    "serve`. The rule with the longest prefix applies: a rule for a/b covers a/b and a/b/c, but " +
    "not a/bc, and '' covers everything. AGE is a duration such as 90d, or never. Without PREFIX " +
    "the rules are listed. TARGET can be given with -d instead. Only files have rules: for a " +
    "server, set them on the machine with its file.",
  ],
  options: {
    remove: { about: "Remove the rule of PREFIX" },
    run: { about: "Remove expired points now, and wait until it is done" },
    "dry-run": { about: "Only count the points that would be removed now" },
    yes: { short: "y", about: "Do not ask" },
  },
  examples: [
    { line: "btrdb retain file:grid.btrdb", about: "The rules of a file" },
    {
      line: "btrdb retain file:grid.btrdb pmu 90d --dry-run",
      about: "What a rule would remove",
    },
    {
      line: "btrdb retain file:grid.btrdb pmu 90d",
      about: "Set it; asks if points would be removed",
    },
    {
      line: "btrdb retain file:grid.btrdb pmu/events never",
      about: "Keep one collection below it",
    },
    { line: "btrdb retain file:grid.btrdb pmu --remove", about: "Remove a rule" },
    { line: "btrdb retain file:grid.btrdb --run", about: "Remove expired points now" },
  ],
  json:
    "{ rules: [{ prefix, maxAge }], expired: { dryRun, looked, streams, points, failed: [{ uuid, " +
    "message }] } }, the rules after the change, maxAge in ns and null for never; expired null without " +
    "--run and --dry-run",
  async run(context, args) {
    const request = requestOf(context, args);
    const { change, isDry } = request;
    const isReading = isDry || (change === undefined && !args.has("run"));
    const db = await context.connect(request.target, isReading ? "read" : "write");
    const { signal } = context;
    const before = await db.retention({ signal });
    const after = change === undefined ? before : changed(before, change);
    let report: ExpireReport | undefined;
    if (isDry) report = await db.expire({ signal, dryRun: true, rules: after });
    else if (change !== undefined) await apply(context, db, args, change, after);
    if (!isDry && args.has("run")) report = await expire(context, db);
    // The database may have the prefix without the slash at its end.
    const rules = isDry || change === undefined ? after : await db.retention({ signal });
    if (context.json) {
      const expired = report === undefined ? null : { dryRun: isDry, ...report };
      context.reportJson({ rules, expired });
    } else {
      if (report === undefined || change !== undefined) show(context, rules);
      if (report !== undefined) say(context, report, isDry);
    }
    for (const { uuid, message } of report?.failed ?? []) context.warn(`${uuid}: ${message}`);
    return report !== undefined && report.failed.length > 0 ? Exit.Failed : Exit.Done;
  },
};

/** A rule to set or, without an age, to remove. */
interface Change {
  readonly prefix: string;
  readonly maxAge: bigint | null | undefined;
}

/** The rule and the way of the request. */
interface Request {
  readonly target: string;
  readonly change: Change | undefined;
  readonly isDry: boolean;
}

function requestOf(context: Context, args: Args): Request {
  const words = [...args.positionals];
  const target = context.target ?? words.shift();
  if (target === undefined) {
    throw usageError(
      "Command retain needs a database",
      "for example `btrdb retain file:grid.btrdb`",
    );
  }
  const [prefix, age, ...rest] = words;
  if (rest.length > 0) throw usageError(`Cannot use "${rest[0]}": it is one argument too many`);
  const isDry = args.has("dry-run");
  if (isDry && args.has("run")) throw usageError("Options --run and --dry-run exclude each other");
  if (args.has("remove")) {
    if (prefix === undefined) throw usageError("Option --remove needs PREFIX");
    if (age !== undefined) throw usageError(`Option --remove takes no AGE, which is "${age}"`);
    return { target, isDry, change: { prefix, maxAge: undefined } };
  }
  if (prefix === undefined) return { target, isDry, change: undefined };
  if (age === undefined) {
    throw usageError(
      `Command retain needs an AGE for "${prefix}"`,
      "for example 90d or never; --remove removes the rule",
    );
  }
  const maxAge = age === NEVER ? null : parseDuration(age, "AGE");
  return { target, isDry, change: { prefix, maxAge } };
}

/** The prefix as the database keeps it. */
function withoutSlash(prefix: string): string {
  return prefix.length > 1 && prefix.endsWith("/") ? prefix.slice(0, -1) : prefix;
}

/** Rules after a change. */
function changed(rules: readonly RetentionRule[], { prefix, maxAge }: Change): RetentionRule[] {
  const path = withoutSlash(prefix);
  const others = rules.filter((rule) => rule.prefix !== path);
  if (maxAge !== undefined) return [...others, { prefix: path, maxAge }];
  if (others.length < rules.length) return others;
  throw notFound(`There is no rule of "${prefix}"`, "`btrdb retain TARGET` lists the rules");
}

/** Makes a change, after a question if points would go by it. */
async function apply(
  context: Context,
  db: BTrDB,
  args: Args,
  { prefix, maxAge }: Change,
  rules: readonly RetentionRule[],
): Promise<void> {
  const { signal } = context;
  if (!args.has("yes")) {
    const { points, streams } = await db.expire({ signal, dryRun: true, rules });
    const what = `${plural(points, "point")} of ${plural(streams, "stream")}`;
    if (points > 0n) await context.confirm(`let ${what} expire now`, false);
  }
  const age = maxAge === undefined ? null : maxAge ?? Infinity;
  await db.setRetention(prefix, age, { signal });
}

async function expire(context: Context, db: BTrDB): Promise<ExpireReport> {
  const progress = context.progress("Expiring");
  try {
    return await db.expire({
      signal: context.signal,
      onProgress: ({ points }) => progress.update({ points: Number(points) }),
    });
  } finally {
    progress.clear();
  }
}

function show(context: Context, rules: readonly RetentionRule[]): void {
  if (rules.length === 0) return context.talk("There are no rules: points never expire");
  const rows = rules.map(({ prefix, maxAge }) => [
    prefix === "" ? "''" : lineOut(prefix),
    maxAge === null ? NEVER : formatDuration(maxAge),
  ]);
  context.report(table([{ title: "PREFIX" }, { title: "AGE", right: true }], rows, context.style));
}

function say(context: Context, { looked, streams, points }: ExpireReport, isDry: boolean): void {
  const what = `${plural(points, "point")} of ${plural(streams, "stream")}`;
  const verb = isDry ? "Would remove" : "Removed";
  context.talk(`${verb} ${what}; ${plural(looked, "stream")} with a rule`);
}

export default command;
