/**
 * Results as people read them.
 *
 * @module
 */

import type { EntryResult, JobResult } from "./measure.ts";

/** Machine and versions on which the figures depend. */
export async function machine(): Promise<Record<string, string>> {
  const cpuinfo = await Deno.readTextFile("/proc/cpuinfo").catch(() => "");
  const model = /model name\s*:\s*(.+)/.exec(cpuinfo)?.[1] ?? Deno.build.arch;
  return {
    cpu: `${model}, ${navigator.hardwareConcurrency} cores`,
    os: `${Deno.build.os} ${Deno.osRelease()}`,
    memory: `${Math.round(Deno.systemMemoryInfo().total / 2 ** 30)} GiB`,
    deno: Deno.version.deno,
    v8: Deno.version.v8,
  };
}

/** A duration with three digits. */
export function duration(ns: number): string {
  const [value, unit] = ns < 1e3
    ? [ns, "ns"]
    : ns < 1e6
    ? [ns / 1e3, "µs"]
    : ns < 1e9
    ? [ns / 1e6, "ms"]
    : [ns / 1e9, "s"];
  return `${digits(value)} ${unit}`;
}

/** A rate with three digits. */
export function rate(perSecond: number, unit: string): string {
  const [value, prefix] = perSecond >= 1e9
    ? [perSecond / 1e9, "G "]
    : perSecond >= 1e6
    ? [perSecond / 1e6, "M "]
    : perSecond >= 1e3
    ? [perSecond / 1e3, "k "]
    : [perSecond, ""];
  return `${digits(value)} ${prefix}${unit}/s`;
}

function digits(value: number): string {
  return value >= 100 ? value.toFixed(0) : value >= 10 ? value.toFixed(1) : value.toFixed(2);
}

/** Goals of the first entry, and if they were reached. */
function goals({ goalMs, goalP99Ms }: JobResult, { medianNs, p99Ns }: EntryResult): string {
  const goal = (what: string, ms: number | undefined, ns: number | undefined) =>
    ms === undefined || ns === undefined
      ? []
      : [`${what} ${ms} ms${ns / 1e6 <= ms ? "" : ", missed"}`];
  return [...goal("goal", goalMs, medianNs), ...goal("p99 goal", goalP99Ms, p99Ns)].join(", ");
}

/** A factor and its goal. */
function factor(ratio: number, atLeast: number | undefined): string {
  const text = `${digits(ratio)} ×`;
  if (atLeast === undefined) return text;
  return `${text} (at least ${atLeast} ×${ratio >= atLeast ? "" : ", missed"})`;
}

/** Ratio of an entry to the first one, and its goal. */
function comparison(result: JobResult, entry: EntryResult, first: boolean): string {
  if (first) return goals(result, entry);
  const { ratio, atLeast, cpuRatio, atLeastCpu } = entry;
  const cpu = cpuRatio === undefined ? "" : `, CPU ${factor(cpuRatio, atLeastCpu)}`;
  return factor(ratio, atLeast) + cpu;
}

/** Times of a run. */
function timesOf({ medianNs, p99Ns, cpuMs }: EntryResult): string {
  const remarks = [
    ...(p99Ns === undefined ? [] : [`p99 ${duration(p99Ns)}`]),
    ...(cpuMs === undefined ? [] : [`CPU ${duration(cpuMs * 1e6)}`]),
  ];
  return duration(medianNs) + (remarks.length === 0 ? "" : ` (${remarks.join(", ")})`);
}

/**
 * One table of all results: the first entry of each job, then the others with how many times longer
 * they take.
 *
 * @param results Measured times.
 * @param markdown True for a Markdown table.
 */
export function table(results: readonly JobResult[], markdown = false): string {
  const rows: string[][] = [["job", "by", "median", "rate", "the first is faster by"]];
  for (const result of results) {
    result.entries.forEach((entry, i) => {
      rows.push([
        i === 0 ? result.name : "",
        entry.name,
        timesOf(entry),
        rate(entry.perSecond, result.work.unit),
        comparison(result, entry, i === 0),
      ]);
    });
  }
  const widths = rows[0]!.map((_, k) => Math.max(...rows.map((row) => row[k]!.length)));
  const line = (row: string[]) => row.map((cell, k) => cell.padEnd(widths[k]!));
  const notes = results.filter(({ note }) => note !== undefined)
    .map(({ name, note }) => `${markdown ? "* " : ""}${name}: ${note}`);
  const body = rows.map((row) => markdown ? `| ${line(row).join(" | ")} |` : line(row).join("  "));
  const rule = widths.map((width) => "-".repeat(width));
  body.splice(1, 0, markdown ? `| ${rule.join(" | ")} |` : rule.join("  "));
  return [...body, "", ...notes].join("\n");
}
