/**
 * The main job from end to end: `deno task demo [FILE.csv | FILE.csv.gz]`.
 *
 * Opens a database, creates streams, inserts, shows windows at two zoom levels and a plot, exports
 * CSV, opens the database again, and says where everything is and how long each step took. Without
 * a file it makes ten minutes of three-phase 120 Hz synchrophasors with a voltage sag in them; with
 * one it imports a file in BTrDB's own export format. It can be run again over its own results.
 *
 * `deno task demo live [--seconds N]` runs a simulated PMU, stores what it sends, and plots it as it
 * comes; the voltage sags and the frequency falls once in 20 s, the time it takes by default.
 *
 *     --db TARGET    any target of `connect`; default: a file in the output folder
 *     --out FOLDER   where files go; default: demo-out
 *
 * Exit codes: 0 done, 1 failed, 2 wrong arguments, 3 not found, 4 unreachable.
 *
 * @module
 */

import { type BTrDB, BTrDBError, connect, type Stream } from "@btrdb/btrdb";
import { plotTerminal } from "../src/plot/mod.ts";
import { forPlot, overview, type View, zoom } from "./demo/look.ts";
import { readRecording } from "./demo/csv_input.ts";
import { demoLive } from "./demo/live.ts";
import { extentOf, pointsOf, type Recording } from "./demo/recording.ts";
import { duration, Stopwatch, thousands, windowTable } from "./demo/report.ts";
import { makeSignals } from "./demo/signals.ts";
import { openStreams, store } from "./demo/store.ts";

const USAGE =
  "Usage: deno task demo [--db TARGET] [--out FOLDER] [FILE.csv | FILE.csv.gz | live [--seconds N]]";

/** Parsed arguments. */
interface Wishes {
  readonly input: string | undefined;
  readonly target: string;
  readonly folder: string;
  /** Beginning of the names of the files made. */
  readonly stem: string;
  /** Duration of the live demo, s. */
  readonly seconds: number;
}

/** A mistake in the arguments. */
class UsageError extends Error {}

function readArguments(args: readonly string[]): Wishes {
  const options = new Map<string, string>();
  const files: string[] = [];
  for (let i = 0; i < args.length; i++) {
    const arg = args[i]!;
    if (arg === "--db" || arg === "--out" || arg === "--seconds") {
      const value = args[++i];
      if (value === undefined) throw new UsageError(`${arg} needs a value`);
      options.set(arg, value);
    } else if (arg.startsWith("-")) throw new UsageError(`Unknown option ${arg}`);
    else files.push(arg);
  }
  if (files.length > 1) throw new UsageError(`Expected one file, got ${files.join(", ")}`);
  const folder = options.get("--out") ?? "demo-out";
  const name = files[0]?.replace(/^.*[/\\]/, "").replace(/\.csv(\.gz)?$/, "") || "feeder";
  const target = options.get("--db") ?? `file:${folder}/${name}.btrdb`;
  const seconds = Number(options.get("--seconds") ?? 21);
  if (!(seconds > 0 && seconds <= 86_400)) {
    throw new UsageError(`Cannot run for ${options.get("--seconds")} s, expected 1 to 86400`);
  }
  return { input: files[0], target, folder, stem: `${folder}/${name}`, seconds };
}

function say(text: string): void {
  const bytes = new TextEncoder().encode(text.endsWith("\n") ? text : `${text}\n`);
  for (let at = 0; at < bytes.length;) at += Deno.stdout.writeSync(bytes.subarray(at));
}

/** Creates the streams and inserts all points. */
async function write(db: BTrDB, recording: Recording, watch: Stopwatch): Promise<Stream[]> {
  const streams = await watch.time("create streams", 0, () => openStreams(db, recording));
  await watch.time("insert", pointsOf(recording), async () => {
    for (const [i, series] of recording.series.entries()) {
      await store(streams[i]!, series, (name, points, version) => {
        say(`  ${name}: ${thousands(points)} points acknowledged, version ${version}`);
      });
    }
  });
  await watch.time("flush", 0, async () => {
    for (const stream of streams) await stream.flush();
  });
  return streams;
}

/** The table of one zoom level. */
function showView(title: string, name: string, { width, windows }: View): void {
  say(`\n${title}: ${name}, ${windows.times.length} windows of ${duration(width)}`);
  say(windowTable(windows));
}

/** Tables at two zoom levels, then a plot of each. */
async function show(streams: Stream[], recording: Recording, watch: Stopwatch): Promise<void> {
  const { start, end } = extentOf(recording);
  const [first] = streams as [Stream, ...Stream[]];
  const name = recording.series[0]!.name;
  const points = recording.series[0]!.columns.times.length;
  const all = await watch.time(
    "windows, whole range",
    points,
    () => overview(first, start, end),
  );
  showView("All of it", name, all);
  const close = await watch.time(
    "windows, zoomed in",
    ({ windows }) => Number(windows.count.reduce((sum, n) => sum + n, 0n)),
    () => zoom(first, all),
  );
  showView("Where it moves most", name, close);

  const color = Deno.stdout.isTerminal() && !Deno.env.get("NO_COLOR");
  const shown = recording.series.slice(0, 3).map((series, i) => ({ series, stream: streams[i]! }));
  const panels = await watch.time(
    "windows for the plots",
    points * shown.length,
    () =>
      Promise.all(shown.map(async ({ series, stream }) => ({
        label: series.unit === undefined ? series.name : `${series.name} (${series.unit})`,
        columns: await forPlot(stream, start, end, 136),
      }))),
  );
  say(plotTerminal(panels, { start, end, color, height: 8 * panels.length + 2 }));
  const detail = {
    label: `${name}, zoomed in`,
    columns: await forPlot(first, close.start, close.end, 136),
  };
  say(plotTerminal([detail], { start: close.start, end: close.end, color, height: 12 }));
}

/** Exports all streams as the server would, and without loss. */
async function exportCSV(
  db: BTrDB,
  streams: Stream[],
  recording: Recording,
  stem: string,
  watch: Stopwatch,
): Promise<string[]> {
  const { start, end } = extentOf(recording);
  const labelled = streams.map((stream, i) => ({ stream, label: recording.series[i]!.name }));
  const files: string[] = [];
  for (const numbers of ["shortest", "fixed6"] as const) {
    const path = `${stem}.${numbers}.csv`;
    await watch.time(
      `export CSV, ${numbers}`,
      pointsOf(recording),
      () => db.writeCSV(path, { queryType: "raw", start, end, streams: labelled, numbers }),
    );
    files.push(path);
  }
  return files;
}

/** Opens the database again and counts what is there. */
async function countAgain(target: string, recording: Recording): Promise<number> {
  await using db = await connect(target);
  const { start, end } = extentOf(recording);
  let points = 0;
  for (const stream of await openStreams(db, recording)) {
    for await (const batch of stream.rawValues(start, end)) points += batch.times.length;
  }
  return points;
}

async function demo({ input, target, folder, stem, seconds }: Wishes): Promise<void> {
  if (input === "live") {
    await Deno.mkdir(folder, { recursive: true });
    await demoLive({ target, seconds, say, isTerminal: Deno.stdout.isTerminal() });
    return;
  }
  const watch = new Stopwatch();
  const recording = await watch.time(
    input === undefined ? "make signals" : "read CSV",
    pointsOf,
    () => input === undefined ? makeSignals() : readRecording(input),
  );
  const total = pointsOf(recording);
  say(`${recording.source}: ${recording.series.length} streams, ${thousands(total)} points`);
  await Deno.mkdir(folder, { recursive: true });

  const db = await watch.time("open database", 0, () => connect(target));
  let files: string[];
  try {
    const streams = await write(db, recording, watch);
    await show(streams, recording, watch);
    files = await exportCSV(db, streams, recording, stem, watch);
  } finally {
    await watch.time("close database", 0, () => db.close());
  }
  if (target !== "memory:") {
    const again = await watch.time(
      "open again, read all",
      total,
      () => countAgain(target, recording),
    );
    say(`Opened again: ${thousands(again)} points are there`);
    if (again !== total) throw new Error(`Expected ${total} points after opening again`);
  }

  say(`\nHow long it took\n${watch.table()}`);
  say(`Where it is\n  database  ${target}, collection ${recording.collection}`);
  for (const file of files) say(`  CSV       ${file}`);
  if (target !== "memory:") {
    const stream = `${recording.collection}/${recording.series[0]!.name}`;
    const run = `npx -y deno@${Deno.version.deno} task btrdb`;
    say(`\nSee it in a browser\n  ${run} -d ${target} plot --web ${stream}`);
  }
}

/** The exit code for what went wrong. */
function exitCodeOf(error: unknown): number {
  if (error instanceof UsageError) return 2;
  if (error instanceof Deno.errors.NotFound) return 3;
  if (error instanceof BTrDBError && error.code === 0 && error.status === "UNAVAILABLE") return 4;
  return 1;
}

if (import.meta.main) {
  try {
    await demo(readArguments(Deno.args));
  } catch (error) {
    const code = exitCodeOf(error);
    if (error instanceof Deno.errors.BrokenPipe) Deno.exit(code); // who read has gone away
    console.error(`demo: ${error instanceof Error ? error.message : error}`);
    if (code === 2) console.error(USAGE);
    Deno.exit(code);
  }
}
