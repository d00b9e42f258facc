/** Reads a Parquet file and prints its rows, and the most memory held before and after, MiB. */

import { openParquet } from "../../../src/io/parquet.ts";

async function held(): Promise<number> {
  const status = await Deno.readTextFile("/proc/self/status");
  return Number(/VmHWM:\s*(\d+)/.exec(status)![1]) / 1024;
}

await using file = await openParquet(Deno.args[0]!);
const before = await held();
let points = 0;
for await (const { columns } of file.batches()) {
  for (const { times } of columns) points += times.length;
}
console.log(JSON.stringify({ points, before, peak: await held() }));
