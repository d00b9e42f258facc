/** `btrdb import`: stores files as streams. @module */

import type { BTrDB } from "../../../mod.ts";
import {
  explain,
  filesIn,
  followFile,
  importFile,
  type ImportOptions,
  type Plan,
  readColumnMeta,
  storedBefore,
  withoutCompanions,
} from "../../ingest/mod.ts";
import type { Args } from "../words/parse_args.ts";
import type { Command } from "../command.ts";
import type { Context } from "../context.ts";
import { CliError, Exit, notFound, usageError } from "../errors.ts";
import { planText } from "../plan_text.ts";
import { plural } from "../terminal/format.ts";
import { importOptions, targetName } from "../import/import_options.ts";
import { saySkipped, sayStored, sayTimes } from "../import/say_stored.ts";
import { plotImported } from "../import/plot_imported.ts";

const command: Command = {
  name: "import",
  args: "FILE…",
  arity: [1, Infinity],
  summary: "Store points from CSV, Parquet, Arrow, COMTRADE and other files, or captures",
  about: [
    "FILE is CSV, Parquet, Arrow or Feather, a capture of synchrophasors (pcap, pcapng, frames) or " +
    "sync_output of a µPMU, optionally compressed with gzip or zstd; the format is detected from the " +
    "content. Use - for stdin. " +
    "Tables may be BTrDB's own CSV or any other table with a header, a time column and columns " +
    "of numbers; anything not set by options is detected from the first rows. Empty cells, NaN, " +
    "NA, null and - make no points. Columns of text are left out; text among numbers is an " +
    "error. A last line without a line end may still be being written, and is left out; see " +
    "--complete.",
    "--explain stores nothing, and shows what would be stored and why.",
    "InfluxDB line protocol is recognised by .lp or .line, or selected with --format influx. It " +
    "fills the same streams as serve --influx. Its times are in ns, or in the unit of " +
    "--time-format.",
    "COMTRADE records are recognised by .cfg, .dat or .cff. Streams are named after the " +
    "channels, in the collection STATION/DEVICE or --into. Local times are in the zone --tz.",
    "A column whose name is COLLECTION/NAME or a uuid goes to that stream; any other goes to " +
    "the stream of its name in the collection --into. Streams that do not exist are created.",
    "--follow stores the rows of one FILE, or of the files of one folder, as they are written, " +
    "until it is interrupted. Each row is stored once, even if the command is killed and started " +
    "again, or the file is rotated or truncated. In a folder, files of formats that cannot grow " +
    "are imported when they are complete.",
    "--resume continues an interrupted import exactly where it stopped: nothing is lost or " +
    "duplicated, as long as no other program writes to the same streams. If the file is already " +
    "stored, it imports nothing, or, with --changed, the rows added since. Its records are in " +
    "$BTRDB_STATE_DIR, by default ~/.local/state/btrdb.",
  ],
  options: {
    into: {
      short: "i",
      value: "COLLECTION",
      about: "Collection of the streams; by default the file's name",
    },
    map: {
      short: "m",
      value: "COLUMN=STREAM",
      multiple: true,
      about: "Stream of a column, by name or number; repeatable",
    },
    unit: {
      short: "u",
      value: "UNIT",
      multiple: true,
      about: "Tag unit of new streams; or COLUMN=UNIT, repeatable",
    },
    column: {
      short: "c",
      value: "COLUMN",
      multiple: true,
      about: "Only this column, by name or number; repeatable",
    },
    time: { value: "COLUMN", about: "Column of the times, by name or number" },
    "time-format": {
      value: "FORMAT",
      about:
        "ns, us, ms, s, rfc3339, or a pattern like '%d.%m.%Y %H:%M:%S.%f'; local times are in " +
        "the zone --tz",
    },
    start: {
      value: "TIME",
      about: "Times are relative to this one; with --interval or --rate no time column is needed",
    },
    by: {
      value: "COLUMN",
      about: "A long table: the text in this column names the stream of each row",
    },
    rate: { value: "N", about: "Rows per second; times are snapped exactly to multiples of 1/N" },
    interval: { value: "DURATION", about: "Time between two rows, if there is no time column" },
    delimiter: {
      value: "CHAR",
      about:
        "Separator of cells; , ; | tab and blanks are detected; \\t is a tab, blanks any number " +
        "of spaces",
    },
    decimal: { value: "CHAR", choices: [".", ","], about: "Decimal point of the values" },
    "no-header": { about: "The first line is data; columns are column1, column2, …" },
    thousands: { value: "CHAR", about: "Mark before groups of three digits in values" },
    null: {
      value: "WORD",
      multiple: true,
      about: "Another word for a missing value; repeatable",
    },
    "bad-rows": {
      value: "FATE",
      choices: ["fail", "skip"],
      about: "Rows with too many or too few cells, or without a time: fail (the default) or skip",
    },
    "bad-cells": {
      value: "FATE",
      choices: ["fail", "skip"],
      about: "Cells that are not numbers: fail (the default) or skip",
    },
    comment: { value: "CHAR", about: "Beginning of comment lines; # is detected" },
    encoding: { value: "NAME", about: "Encoding of text, utf-8 by default, e.g. windows-1252" },
    complete: { about: "The file is complete: its last line counts even without a line end" },
    live: { about: "Store rows within a second of their arrival; for stdin and pipes" },
    follow: {
      about: "Continue with new rows and files until interrupted; for one file or folder",
    },
    skip: { value: "N", about: "Lines before the header" },
    influx: {
      value: "TEMPLATE",
      about:
        "Collections of line protocol: {bucket}/{measurement}/{tags}, where the bucket is --into",
    },
    format: {
      value: "FORMAT",
      about: "Format of the file; by default detected from its first bytes",
    },
    names: {
      value: "WAY",
      choices: ["btrdb", "plain"],
      about:
        "Names of streams of captures: as BTrDB's ingress (default), or VA magnitude, frequency",
    },
    freq: {
      value: "FORM",
      choices: ["auto", "actual", "deviation"],
      about: "Frequencies of captures; auto takes a float below 10 as deviation from nominal",
    },
    "exact-times": {
      about: "Keep the times of captures; do not move them to the grid of the data rate",
    },
    times: {
      value: "RULE",
      choices: ["auto", "rate", "stamps"],
      about:
        "Times of COMTRADE records: by rate, by stamps, or (auto) by the more reliable of the two",
    },
    values: {
      value: "SIDE",
      choices: ["as-is", "primary", "secondary"],
      about:
        "Side of the transformers for values of COMTRADE records; by default as they are stored",
    },
    status: {
      value: "WHICH",
      choices: ["changes", "all", "none"],
      about: "Points of status channels of COMTRADE records: first, changes and last (the default)",
    },
    skew: {
      value: "WAY",
      choices: ["ignore", "apply"],
      about:
        "Whether times of COMTRADE channels are shifted by their skew; by default they are not",
    },
    merge: {
      value: "POLICY",
      choices: ["never", "equal", "retain", "replace"],
      about:
        "Points at a time that is stored already: keep both (never, the default), drop equal ones, " +
        "keep the old, take the new; all but never need protocol v5 or an embedded database",
    },
    meta: {
      value: "FILE",
      about: "JSON or YAML: column to name, unit, tags and annotations of its stream",
    },
    explain: { about: "Store nothing; show what would be stored and why" },
    resume: { about: "Continue where an interrupted import stopped" },
    changed: {
      about:
        "With --resume: the file was changed since, but only after the place where the import stopped",
    },
    restart: { about: "Discard the record of an interrupted import, and import the whole file" },
    plot: {
      about: "Plot the imported streams, and a close-up of the beginning if there are many points",
    },
  },
  examples: [
    {
      line: "btrdb -d file:grid.btrdb import pmu.csv.gz",
      about: "A compressed CSV that BTrDB wrote",
    },
    {
      line: "btrdb -d file:lab.btrdb import log.csv -i lab/room2 --time Zeit --time-format " +
        "'%d.%m.%Y %H:%M:%S' --decimal , --tz Europe/Berlin",
      about: "A data logger's table in local time",
    },
    {
      line: "btrdb -d file:ekg.btrdb import ekg.csv.gz --plot",
      about: "From a file to a plot",
    },
    {
      line: "btrdb -d file:grid.btrdb import capture.pcapng -i wams",
      about: "Captured synchrophasors",
    },
    {
      line: "btrdb -d file:grid.btrdb import FAULT.CFG --values primary --tz America/Chicago",
      about: "A record of a relay, in primary values",
    },
    {
      line: "btrdb -d file:grid.btrdb import telegraf.lp.gz -i grid --time-format s",
      about: "Line protocol with times in seconds",
    },
    {
      line: "btrdb -d grid.example:4410 import --follow /var/log/meter.csv -i plant/meter",
      about: "A log that is being written, and rotated",
    },
    { line: "zcat pmu.csv.gz | btrdb -d grid.example:4410 import - -i pmu", about: "From stdin" },
  ],
  json:
    "{ files: [{ file, format, rows, points, fresh, first, last, resumed, created, added, streams: " +
    "[{ uuid, path, points }], omitted: [{ name, reason }], skipped: { rows, cells }, warnings, bytes, " +
    "seconds }] }; points: stored by all runs of the import together; --explain: { plans }; --follow, at the " +
    "end: { rows, fresh, first, last, created, files: [{ path, format, rows, points, fresh, problem }], " +
    "skipped, warnings, seconds }",
  async run(context, args) {
    const meta = args.text("meta");
    const options = {
      ...importOptions(context, args),
      ...(meta === undefined ? {} : { meta: await readColumnMeta(meta) }),
    };
    if (args.has("follow")) return await follow(context, args, options);
    const named: string[] = [];
    for (const name of args.positionals) named.push(...await filesOf(context, name));
    const names = withoutCompanions(named);
    if (args.has("explain")) return await explainAll(context, names, options);
    const db = await context.db("create");
    const files: unknown[] = [];
    for (const [i, file] of names.entries()) {
      try {
        files.push(await importOne(context, db, file, options, args));
      } catch (error) {
        if (names.length > 1) context.talk(`Stopped at ${file}, file ${i + 1} of ${names.length}`);
        throw error;
      }
    }
    if (context.json) context.printJson({ files });
  },
};

/** Follows a file or a folder until the user interrupts. */
async function follow(context: Context, args: Args, options: ImportOptions): Promise<number> {
  const [path] = args.positionals;
  for (const name of ["explain", "plot"]) {
    if (args.has(name)) throw usageError(`Cannot use --${name} and --follow together`);
  }
  if (args.positionals.length > 1) {
    throw usageError("Cannot follow more than one file", "follow their folder");
  }
  if (path === "-") throw usageError("Cannot follow stdin", "pipes are imported with --live");
  const db = await context.db("create");
  const summary = await followFile(db, path!, { ...options, target: targetName(context.target) });
  const { fresh, rows, files, created, seconds, first, last, skipped } = summary;
  if (context.json) context.reportJson(summary);
  const made = created > 0 ? `, ${plural(created, "new stream")}` : "";
  context.talk(
    `Stored ${plural(fresh, "point")} of ${plural(rows, "row")} from ` +
      `${plural(files.length, "file")}${made}, in ${seconds.toFixed(1)} s`,
  );
  sayTimes(context, first, last);
  saySkipped(context, skipped);
  const failed = files.filter(({ problem }) => problem !== undefined);
  if (failed.length === 0) return Exit.Done;
  context.warn(`Not read to the end: ${failed.map(({ path }) => path).join(", ")}`);
  return Exit.Failed;
}

/** Says what would be stored; the database is looked at if there is one. */
async function explainAll(
  context: Context,
  files: readonly string[],
  options: ImportOptions,
): Promise<void> {
  const db = context.target === undefined ? undefined : await context.db("read").catch((error) => {
    if (error instanceof CliError && error.exit === Exit.NotFound) return undefined;
    throw error;
  });
  const plans: Plan[] = [];
  for (const file of files) {
    const plan = await explain(file === "-" ? readStdin() : file, { ...options, db });
    plans.push(plan);
    if (!context.json) context.print(`${planText(plan, context.frame.tz)}\n`);
  }
  if (context.json) context.printJson({ plans });
}

/** A file, or those of a folder. All are looked for before the first one is imported. */
async function filesOf(context: Context, name: string): Promise<readonly string[]> {
  if (name === "-") return [name];
  const info = await Deno.stat(name).catch((cause) => {
    if (!(cause instanceof Deno.errors.NotFound)) throw cause;
    throw notFound(`There is no file ${name}`);
  });
  if (!info.isDirectory) return [name];
  const { files, omitted } = await filesIn(name);
  for (const { name: left, reason } of omitted) context.talk(`Left out ${left}: ${reason}`);
  if (files.length === 0) throw new CliError(`Cannot import ${name}: it has no files`);
  return files;
}

async function importOne(
  context: Context,
  db: BTrDB,
  file: string,
  options: ImportOptions,
  args: Args,
): Promise<unknown> {
  if (file === "-" && Deno.stdin.isTerminal()) context.talk("Reading what is typed, up to Ctrl-D");
  // The database may have been made just now.
  const target = targetName(context.target);
  const progress = context.progress(`Importing ${file}`);
  const input = file === "-" ? readStdin() : file;
  try {
    const summary = await importFile(db, input, {
      ...options,
      target,
      onProgress: (state) => progress.update(state),
    });
    progress.clear();
    sayStored(context, file, summary);
    if (args.has("plot")) await plotImported(context, db, summary);
    return { file, ...summary };
  } catch (error) {
    progress.clear();
    const fresh = storedBefore(error);
    if (fresh !== undefined) {
      context.talk(
        `Stopped: ${plural(fresh, "point")} of this run are stored; run the same command ` +
          "with --resume to continue",
      );
    } else if (context.signal.aborted) {
      context.talk("Stopped: nothing was stored");
    }
    throw error;
  }
}

async function* readStdin(): AsyncGenerator<Uint8Array, void, void> {
  while (true) {
    const buffer = new Uint8Array(STDIN_BYTES);
    const n = await Deno.stdin.read(buffer);
    if (n === null) return;
    yield buffer.subarray(0, n);
  }
}

/** Bytes of one read of stdin. */
const STDIN_BYTES = 1 << 20;

export default command;
