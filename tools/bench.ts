// deno-lint-ignore-file no-console -- a command line tool
/**
 * Runs the benches of `bench/` and prints one table.
 *
 *     deno task bench [NAME…] [--filter TEXT] [--json | --markdown]
 *
 * A NAME is that of a suite (`kernel`, which is several files), or of a file, `NAME_bench.ts` or short;
 * without one all run. The entries of a job take turns, so that what else the machine does falls on
 * all of them; figures are medians.
 *
 * @module
 */

import { closeShared } from "../bench/support/at_end.ts";
import { type GrowthRow, growths, growthTable, measureGrowth } from "../bench/support/growth.ts";
import { jobs } from "../bench/support/job.ts";
import { measure } from "../bench/support/measure.ts";
import { machine, table } from "../bench/support/report.ts";

/** Suites of more than one file. */
const SUITES: Readonly<Record<string, readonly string[]>> = {
  kernel: ["kernel_bench.ts", "windows_bench.ts", "sort_bench.ts", "csv_bench.ts"],
  scale: ["scale_bench.ts", "scale_points_bench.ts"],
};

const BENCH = new URL("../bench/", import.meta.url);

/** Names of the files that hold the benches asked for. */
function filesOf(names: readonly string[]): string[] {
  const all = [...Deno.readDirSync(BENCH)].map(({ name }) => name)
    .filter((name) => name.endsWith("_bench.ts")).sort();
  if (names.length === 0) return all;
  return names.flatMap((name) => {
    const wanted = SUITES[name] ?? [name.endsWith("_bench.ts") ? name : `${name}_bench.ts`];
    const found = wanted.filter((file) => all.includes(file));
    if (found.length === 0) {
      throw new Error(`No bench is called ${name}, there are: ${Object.keys(SUITES)}, ${all}`);
    }
    return found;
  });
}

/** Splits the arguments. */
function readArguments(args: readonly string[]) {
  const at = args.indexOf("--filter");
  const filter = at < 0 ? "" : args[at + 1] ?? "";
  const names = args.filter((arg, i) => !arg.startsWith("--") && (at < 0 || i !== at + 1));
  return {
    names,
    filter,
    json: args.includes("--json"),
    markdown: args.includes("--markdown"),
  };
}

const { names, filter, json, markdown } = readArguments(Deno.args);
for (const file of filesOf(names)) await import(new URL(file, BENCH).href);
const results = [];
for (const job of jobs()) {
  if (!job.name.includes(filter)) continue;
  console.error(`… ${job.name}`);
  results.push(await measure(job));
}
const sources = new Map([["this", new URL("../", import.meta.url)]]);
const base = Deno.env.get("BENCH_BASE");
if (base !== undefined) sources.set("base", new URL(`file://${await Deno.realPath(base)}/`));
const growth: GrowthRow[] = [];
for (const one of growths()) {
  if (one.name.includes(filter)) growth.push(...await measureGrowth(one, sources));
}
if (json) console.log(JSON.stringify({ machine: await machine(), results, growth }, null, 2));
else {
  console.log(Object.entries(await machine()).map(([key, value]) => `${key}: ${value}`).join("\n"));
  if (results.length > 0) console.log(table(results, markdown));
  if (growth.length > 0) console.log(growthTable(growth));
}
await closeShared();
