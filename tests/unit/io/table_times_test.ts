/** Forms of the times of tables. */

import { assertEquals, assertRejects } from "@std/assert";
import { tableFromIPC } from "@uwdata/flechette";
import { parquetMetadata } from "hyparquet";
import { writeArrow } from "../../../src/io/arrow.ts";
import { openParquet, writeParquet } from "../../../src/io/parquet.ts";
import type { TimeOptions } from "../../../src/io/table_times.ts";
import { concatBytes } from "../../../src/core/bytes.ts";

/** An hour before and after the clocks of Berlin went back, and a ns. */
const TIMES = BigInt64Array.of(1_761_436_800_000_000_001n, 1_761_440_400_000_000_001n);
const TABLE = [{ label: "a", columns: { times: TIMES, values: Float64Array.of(1, 2) } }];
const HOUR = 3_600_000_000_000n;

const FORMS: [TimeOptions, boolean | undefined, string | null | undefined, bigint[]][] = [
  [{}, true, "UTC", [0n, 0n]],
  [{ times: "instant" }, true, "UTC", [0n, 0n]],
  [{ times: "local" }, false, null, [0n, 0n]],
  [{ times: "local", zone: "Europe/Berlin" }, false, null, [2n * HOUR, HOUR]],
  [{ times: "local", zone: "-03:00" }, false, null, [-3n * HOUR, -3n * HOUR]],
  [{ times: "ns" }, undefined, undefined, [0n, 0n]],
];

async function bytesOf(
  write: (sink: (bytes: Uint8Array) => void) => Promise<unknown>,
): Promise<Uint8Array<ArrayBuffer>> {
  const pieces: Uint8Array[] = [];
  await write((bytes) => void pieces.push(bytes.slice()));
  return concatBytes(pieces) as Uint8Array<ArrayBuffer>;
}

Deno.test("writeParquet, writeArrow: times as instants, as clocks show them, and as integers", async () => {
  for (const [options, isAdjustedToUTC, zone, shifts] of FORMS) {
    const right = Array.from(TIMES, (time, i) => time + shifts[i]!);
    const parquet = await bytesOf((sink) => writeParquet(sink, TABLE, options));
    const element = parquetMetadata(parquet.buffer).schema[1]!;
    const logical = element.logical_type as { isAdjustedToUTC?: boolean } | undefined;
    assertEquals([options, logical?.isAdjustedToUTC], [options, isAdjustedToUTC]);
    const source = {
      byteLength: parquet.length,
      slice: (start: number, end?: number) => Promise.resolve(parquet.slice(start, end).buffer),
    };
    if (isAdjustedToUTC !== false) {
      await using file = await openParquet(source);
      for await (const { columns } of file.batches()) assertEquals([...columns[0]!.times], right);
    }
    const arrow = await bytesOf((sink) => writeArrow(sink, TABLE, options));
    const table = tableFromIPC(arrow, { useBigInt: true, useBigIntTimestamp: true });
    const time = table.getChild("time");
    const { timezone } = time.type as { timezone?: string | null };
    assertEquals([options, timezone], [options, zone]);
    assertEquals([...time.toArray() as BigInt64Array], right);
  }
});

Deno.test("writeParquet, writeArrow: forms and zones that there are not are refused", async () => {
  const none = () => {};
  for (const write of [writeArrow, writeParquet]) {
    const refused = (options: TimeOptions, text: string) =>
      assertRejects(() => write(none, TABLE, options), RangeError, text);
    await refused({ times: "utc" as "ns" }, 'times is "utc", expected one of "instant", "local"');
    await refused({ times: "ns", zone: "UTC" }, 'zone is given, expected times to be "local"');
    await refused({ times: "local", zone: "Mars/Base" }, 'zone is "Mars/Base", expected a name');
    await refused({ times: "local", zone: "+24:00" }, 'zone is "+24:00"');
  }
});
