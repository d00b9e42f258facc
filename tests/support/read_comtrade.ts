/** Records of COMTRADE as points and remarks. */

import { type ComtradeBytes, type ComtradeOptions, openComtrade } from "@btrdb/btrdb/comtrade";
import { formatTime } from "@btrdb/btrdb";
import { type MadeRecord, makeComtrade } from "./comtrade.ts";

/** Points of every column by its name, and what was said. */
export async function readComtrade(
  input: string | ComtradeBytes,
  options: ComtradeOptions = {},
): Promise<{
  points: Record<string, [string, number][]>;
  notices: readonly string[];
  warnings: readonly string[];
}> {
  await using record = await openComtrade(input, options);
  const points: Record<string, [string, number][]> = {};
  for (const { name } of record.columns) points[name] = [];
  for await (const { columns } of record.batches()) {
    for (const [i, { times, values }] of columns.entries()) {
      for (const [k, time] of times.entries()) {
        points[record.columns[i]!.name]!.push([formatTime(time), values[k]!]);
      }
    }
  }
  return { points, notices: record.notices, warnings: record.warnings };
}

/** Seconds of the points of the first column after the first one. */
export async function secondsOf(record: MadeRecord, options?: ComtradeOptions): Promise<number[]> {
  const made = {
    samples: [Array.from({ length: record.stamps?.length ?? 4 }, (_, i) => i % 100)],
    ...record,
  };
  const { points } = await readComtrade(makeComtrade(made), options);
  const ns = Object.values(points)[0]!.map(([time]) =>
    Temporal.Instant.from(time).epochNanoseconds
  );
  return ns.map((time) => Number(time - ns[0]!) / 1e9);
}
