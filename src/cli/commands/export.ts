/** `btrdb export`: writes streams to files. @module */

import type { Args } from "../words/parse_args.ts";
import type { Command } from "../command.ts";
import type { Context } from "../context.ts";
import { notFound, usageError } from "../errors.ts";
import { GRID_OPTIONS, gridRules } from "../export/grid.ts";
import { type Destination, destination } from "../export/sink.ts";
import type { ComtradeForm } from "../export/comtrade.ts";
import type { Exported, ExportJob } from "../export/job.ts";
import { exportTimes, TIME_OPTIONS } from "../export/time_form.ts";
import { exportText } from "../export/text.ts";
import { chooseKind, KIND_OPTIONS, wholeWindows } from "../query_kind.ts";
import { RANGE_OPTIONS, resolveRange } from "../ranges.ts";
import { type NamedStream, resolveStreams } from "../words/stream_names.ts";
import { safeLabel } from "../../core/safe_label.ts";
import { lineOut } from "../terminal/escape.ts";
import { bytesText, plural, rough } from "../terminal/format.ts";

const FORMATS = ["csv", "ndjson", "parquet", "arrow", "comtrade"] as const;
type Format = typeof FORMATS[number];

const command: Command = {
  name: "export",
  args: "STREAM…",
  arity: [1, Infinity],
  summary: "Write points or windows as CSV, NDJSON, Parquet, Arrow or COMTRADE",
  about: [
    "CSV is in BTrDB's own format: a row per time and a column per stream (for windows four " +
    "columns: Min, Mean, Max, Count). NDJSON has one object per row and omits missing values. " +
    "Numbers read back as the same doubles.",
    "Output goes to FILE.part, which is renamed when it is complete; pipes and devices are " +
    "written directly. --tz writes the readable time column of CSV in that zone, with as many " +
    "fractional digits as each time has; --time-as writes a single time column instead of two. " +
    "With --rate there is a row at each time of that rate at which any stream has a value. Arrow " +
    "output is an IPC stream, for pyarrow.ipc.open_stream.",
  ],
  options: {
    ...RANGE_OPTIONS,
    ...KIND_OPTIONS,
    ...GRID_OPTIONS,
    ...TIME_OPTIONS,
    output: {
      short: "o",
      value: "FILE",
      about:
        "Write to FILE, compressed if its name ends with .gz or .zst; stdout without it or with -",
    },
    format: {
      short: "f",
      value: "FORMAT",
      choices: FORMATS,
      about: "Format of the output; by default from the file name, else csv",
    },
    type: {
      value: "FORM",
      choices: ["float32", "binary", "binary32", "ascii"],
      about: "Form of the samples of COMTRADE (.cfg and .dat, or .cff); float32 by default",
    },
    label: {
      value: "KIND",
      choices: ["path", "name", "uuid"],
      about: "Names of the columns; collection/name by default",
    },
    numbers: {
      value: "FORM",
      choices: ["shortest", "fixed6"],
      about: "Exact (shortest, the default), or six decimals as a BTrDB server writes CSV",
    },
    "include-versions": { about: "Add the version read to the names of CSV columns" },
    "safe-csv": {
      about:
        "Put an apostrophe before names in a CSV header that spreadsheets take for formulas: " +
        "those that begin with =, +, -, @, a tab or a line break",
    },
    resume: { about: "Continue FILE.part of an interrupted export to CSV or NDJSON" },
  },
  examples: [
    {
      line: "btrdb -d file:grid.btrdb export 'pmu/*' -o pmu.csv.gz",
      about: "All points of a collection",
    },
    {
      line: "btrdb -d grid.example:4410 export pmu/L1MAG -s 2024-03-01 -e +1d -w 1s -f ndjson",
      about: "A day in windows of a second, to stdout",
    },
    { line: "btrdb -d file:grid.btrdb export pmu/L1MAG -o l1.parquet", about: "For other tools" },
    {
      line: "btrdb -d file:grid.btrdb export 'dfr/sub7/*' -o out.cff --type binary32",
      about: "A record for programs that read COMTRADE",
    },
    {
      line:
        "btrdb -d file:grid.btrdb export 'pmu/*' -o day.csv --rate 30 --tolerance 0.5ms --fill linear --max-gap 1s",
      about: "Thirty rows a second, aligning streams with different times",
    },
    {
      line:
        "btrdb -d file:grid.btrdb export 'pmu/*' -o pmu.csv --time-as rfc3339 --tz Europe/Berlin",
      about: "One column of times, with the offset of Berlin's clocks",
    },
  ],
  json: "{ file, format, rows, bytes, seconds }; with -o only",
  async run(context, args) {
    const name = args.text("output");
    const output = name === undefined || name === "-" ? undefined : destination(name);
    const format = formatOf(args, output?.name);
    checkSinks(context, args, format, output);
    const grid = gridRules(args);
    const times = exportTimes(args, format, context.frame.tz);
    const db = await context.db("read");
    const streams = await resolveStreams(db, args.positionals);
    const range = await resolveRange(context, args, streams.map(({ stream }) => stream));
    if (range === undefined) {
      throw notFound(
        args.has("start") || args.has("end")
          ? "There are no points to export in this range"
          : "There are no points to export",
        "`btrdb ls -l` shows where points are",
      );
    }
    const kind = chooseKind(args, range);
    const progress = context.progress("Exporting");
    const job: ExportJob = {
      context,
      db,
      streams,
      labels: labelsOf(streams, format, args, output),
      range: wholeWindows(args, range, kind),
      kind,
      grid,
      output,
      times,
      resumable: grid === undefined && times.as === undefined && isResumable(format, output),
      numbers: (args.text("numbers") ?? "shortest") as "shortest" | "fixed6",
      includeVersions: args.has("include-versions"),
      resume: args.has("resume"),
      ndjson: format === "ndjson",
      progress,
    };
    const done = await exportAs(job, format, args);
    const { seconds } = progress;
    if (context.json && output !== undefined) {
      context.printJson({ file: output.name, format, ...done, seconds });
    }
    context.talk(
      `Wrote ${plural(done.rows, "row")}, ${bytesText(done.bytes)}, ${seconds.toFixed(1)} s, ` +
        `${rough(done.rows / Math.max(seconds, 1e-3))} rows/s`,
    );
  },
};

async function exportAs(job: ExportJob, format: Format, args: Args): Promise<Exported> {
  if (format === "csv" || format === "ndjson") return await exportText(job);
  if (format === "comtrade") {
    const { exportComtrade } = await import("../export/comtrade.ts");
    return await exportComtrade(job, args.text("type") as ComtradeForm | undefined);
  }
  return await (await import("../export/columnar.ts")).exportColumnar(job, format);
}

/** Endings of files that a format is mostly found under. */
const ENDINGS: Readonly<Record<string, Format>> = {
  jsonl: "ndjson",
  json: "ndjson",
  pq: "parquet",
  arrows: "arrow",
  cfg: "comtrade",
  cff: "comtrade",
};

/** Endings that promise something else than this command writes. */
const FOREIGN = /^(tsv|tab|xlsx?|ods|feather|ipc|h5|hdf5?|mat|npy|npz|sqlite|db|duckdb)$/;

function formatOf(args: Args, name: string | undefined): Format {
  const said = args.text("format") as Format | undefined;
  if (said !== undefined) return said;
  const base = name?.replace(/\.(gz|zst)$/i, "") ?? "";
  const ending = /\.([^./\\]+)$/.exec(base)?.[1]?.toLowerCase() ?? "";
  if (FOREIGN.test(ending)) {
    throw usageError(
      `Cannot write .${ending}: expected ${FORMATS.join(", ")}`,
      "to use this name anyway, add --format",
    );
  }
  return ENDINGS[ending] ?? FORMATS.find((format) => format === ending) ?? "csv";
}

function isCompressed(output: Destination | undefined): boolean {
  return output !== undefined && /\.(gz|zst)$/i.test(output.name);
}

/** True if an interrupted export can be resumed. */
function isResumable(format: Format, output: Destination | undefined): boolean {
  return output !== undefined && !output.direct && !isCompressed(output) &&
    (format === "csv" || format === "ndjson");
}

/** Names of the columns; a record of COMTRADE says the collection elsewhere. */
function labelsOf(
  streams: readonly NamedStream[],
  format: Format,
  args: Args,
  output: Destination | undefined,
): string[] {
  const names = streams.map(({ name }) => name);
  const areDistinct = new Set(names).size === streams.length && !names.includes(undefined);
  if (format === "comtrade" && !args.has("label") && areDistinct) return names as string[];
  const labels = streams.map((stream) => labelOf(stream, args));
  const safe = args.has("safe-csv") ? labels.map(safeLabel) : labels;
  // The header of CSV on a terminal is one line.
  return format === "csv" && output === undefined ? safe.map(lineOut) : safe;
}

function labelOf({ path, name, uuid }: NamedStream, args: Args): string {
  const kind = args.text("label") ?? "path";
  return kind === "uuid" ? uuid : kind === "name" ? name ?? uuid : path;
}

function checkSinks(
  context: Context,
  args: Args,
  format: Format,
  output: Destination | undefined,
): void {
  for (const name of ["safe-csv", "include-versions"]) {
    if (!args.has(name) || format === "csv") continue;
    throw usageError(`Cannot use --${name} with ${format}: it is for CSV alone`);
  }
  const compressed = isCompressed(output);
  const columnar = format === "parquet" || format === "arrow";
  if (args.has("type") && format !== "comtrade") {
    throw usageError(`Cannot use --type with ${format}: only COMTRADE has forms of samples`);
  }
  if (format === "comtrade") {
    if (output === undefined || !/\.(cfg|cff)$/i.test(output.name)) {
      throw usageError(
        "Cannot write COMTRADE there: expected -o with a name ending with .cfg or .cff",
      );
    }
    if (output.direct) {
      throw usageError(`Cannot write COMTRADE to ${output.name}: it is not a plain file`);
    }
  }
  if (args.has("resume") && !isResumable(format, output)) {
    throw usageError("Cannot resume this export: only plain CSV and NDJSON files can be continued");
  }
  if (compressed && columnar) {
    const { name } = output!;
    const reason = format === "parquet"
      ? "Parquet compresses its own data"
      : "Arrow readers expect uncompressed files";
    throw usageError(
      `Cannot compress ${name}: ${reason}`,
      `drop the ${/\.\w+$/.exec(name)![0]}`,
    );
  }
  if (columnar && output === undefined && Deno.stdout.isTerminal()) {
    throw usageError(`Cannot print ${format} on a terminal`, "name a file with -o");
  }
  if (context.json && output === undefined) {
    throw usageError("Cannot use --json here: the data go to stdout", "see --format ndjson, or -o");
  }
}

export default command;
