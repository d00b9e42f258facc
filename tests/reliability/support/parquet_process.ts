/**
 * Reads a Parquet file and prints its points, or with `fields` the rows of all its fields, and the most
 * memory held before and after, MiB.
 */

import { openParquet } from "../../../src/io/parquet.ts";
import { openParquetFile } from "../../../src/io/parquet_file.ts";

async function held(): Promise<number> {
  const status = await Deno.readTextFile("/proc/self/status");
  return Number(/VmHWM:\s*(\d+)/.exec(status)![1]) / 1024;
}

const [path, how] = Deno.args;
let points = 0;
let before: number;
if (how === "fields") {
  await using file = await openParquetFile(path!);
  before = await held();
  for await (const { rows } of file.read(file.fields.map(({ name }) => name))) points += rows;
} else {
  await using file = await openParquet(path!);
  before = await held();
  for await (const { columns } of file.batches()) {
    for (const { times } of columns) points += times.length;
  }
}
console.log(JSON.stringify({ points, before, peak: await held() }));
