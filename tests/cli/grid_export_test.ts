/**
 * `btrdb export --rate` in every format: the rows that `align` gives, read by readers of others where
 * there are any.
 */

import { align, connect, type Fill, MILLISECOND, SECOND } from "@btrdb/btrdb";
import { openComtrade } from "@btrdb/btrdb/comtrade";
import { assert, assertEquals } from "@std/assert";
import { tableFromIPC } from "@uwdata/flechette";
import { parquetReadObjects } from "hyparquet";
import { compressors } from "hyparquet-compressors";
import * as zlib from "node:zlib";
import { btrdb, workspace } from "./support.ts";

const START = 1_700_000_000n * SECOND;
const NAMES = ["a", "b", "c"];

type Row = [time: bigint, ...values: (number | null)[]];

/** Streams at 60 a second: one exact, one late with a gap, one that ends early; all have a gap at once. */
async function makeStreams(target: string): Promise<void> {
  await using db = await connect(target);
  for (const [s, name] of NAMES.entries()) {
    const stream = await db.create(crypto.randomUUID(), "pmu", { tags: { name, unit: "kV" } });
    const there = (i: number): boolean =>
      (i < 200 || i >= 220) && (s !== 1 || i < 60 || i >= 90) && (s !== 2 || i < 400);
    await stream.insert(
      Array.from({ length: 600 }, (_, i) => i).filter(there).map((i) => {
        const late = s === 1 ? BigInt(i % 7) * 50_000n : 0n;
        // Doubles that float32 holds exactly.
        return [START + BigInt(i) * SECOND / 60n + late, i / 8 - 20 * s] as const;
      }),
    );
  }
}

/** The rows that there must be; those without any value only if `all`. */
async function expectedRows(
  target: string,
  options: { rate: number; fill: Fill; maxGap: bigint | undefined },
  all: boolean,
): Promise<Row[]> {
  await using db = await connect(target, { embedded: { readOnly: true } });
  const streams = await Promise.all(NAMES.map(async (name) => {
    const [stream] = await Array.fromAsync(db.lookupStreams("pmu", { tags: { name } }));
    return stream!;
  }));
  const range = { start: START, end: START + 10n * SECOND, tolerance: MILLISECOND / 2n };
  const { times, values } = await align(streams, { ...range, ...options }).collect();
  return Array.from(times, (time, r): Row => [
    time,
    ...values.map((column) => Number.isNaN(column[r]) ? null : column[r]!),
  ]).filter(([, ...row]) => all || row.some((value) => value !== null));
}

/** Rows of a file, by its ending. */
async function readRows(path: string): Promise<Row[]> {
  const labels = NAMES.map((name) => `pmu/${name}`);
  if (path.endsWith(".csv")) {
    const lines = (await Deno.readTextFile(path)).trimEnd().split("\n");
    assertEquals(lines[0], `Timestamp (ns),Human-Readable Time (UTC),${labels}`);
    return lines.slice(1).map((line) => {
      const [time, , ...cells] = line.split(",");
      return [BigInt(time!), ...cells.map((cell) => cell === "" ? null : Number(cell))];
    });
  }
  if (path.endsWith(".ndjson")) {
    const lines = (await Deno.readTextFile(path)).trimEnd().split("\n");
    return lines.map((line) => JSON.parse(line)).map((row) => [
      BigInt(row.time),
      ...labels.map((label) => row[label] ?? null),
    ]);
  }
  const bytes = await Deno.readFile(path);
  if (path.endsWith(".arrow")) {
    const table = tableFromIPC(bytes);
    // As ms flechette's times are not exact; the ns are below.
    const times = table.getChild("time").data.flatMap(({ values }) => [...values as BigInt64Array]);
    return table.toArray().map((row, r) => [times[r]!, ...labels.map((label) => row[label])]);
  }
  const unpack = (input: Uint8Array) => new Uint8Array(zlib.zstdDecompressSync(input));
  const rows = await parquetReadObjects({
    file: bytes.slice().buffer,
    compressors: { ...compressors, ZSTD: unpack },
    parsers: { timestampFromNanoseconds: (ns: bigint) => ns } as never,
  });
  return rows.map((row) => [row["time"] as bigint, ...labels.map((label) => row[label] ?? null)]);
}

/** Points of a record by channel, and its number of samples. */
async function readRecord(
  path: string,
): Promise<{ points: string[][]; samples: number }> {
  await using record = await openComtrade(path, { values: "primary" });
  const points: string[][] = record.columns.map(() => []);
  for await (const { columns } of record.batches()) {
    for (const [c, { times, values }] of columns.entries()) {
      times.forEach((time, i) => points[c]!.push(`${time} ${values[i]}`));
    }
  }
  return { points, samples: record.configuration.rates[0]!.end };
}

const CASES = [
  { rate: 60, fill: "none", maxGap: undefined },
  { rate: 30, fill: "previous", maxGap: SECOND / 4n },
  { rate: 25, fill: "linear", maxGap: undefined },
  { rate: 29.97, fill: "linear", maxGap: SECOND },
] as const;

for (const options of CASES) {
  const { rate, fill, maxGap } = options;
  Deno.test(`export --rate ${rate} --fill ${fill}: every format has the rows of align`, async () => {
    await using dir = await workspace();
    const target = `file:${dir.path}/grid.btrdb`;
    await makeStreams(target);
    const wanted = await expectedRows(target, options, false);
    const all = await expectedRows(target, options, true);
    assert(
      fill !== "none" || (wanted.length < all.length && wanted.some((row) => row.includes(null))),
    );
    const args = ["--rate", String(rate), "--tolerance", "0.5ms", "--fill", fill];
    if (maxGap !== undefined) args.push("--max-gap", `${maxGap / MILLISECOND}ms`);
    const range = ["-s", String(START), "-e", "+10s"];
    const streams = NAMES.map((name) => `pmu/${name}`);
    const said = new Set<string>();
    for (const ending of ["csv", "ndjson", "parquet", "arrow", "cff", "cfg"]) {
      const path = `${dir.path}/out.${ending}`;
      const line = ["-d", target, "export", ...streams, ...args, ...range, "-o", path];
      const { code, stderr } = await btrdb(line, { env: dir.env });
      assertEquals(code, 0, stderr);
      // Each stream is told of once, in the same words, whatever the format.
      const counts = stderr.split("\n").filter((text) => text.includes(" left out"));
      said.add(counts.map((text) => text.replace("pmu/", "")).sort().join("\n"));
      assertEquals(counts.length, NAMES.length, stderr);
      if (!ending.startsWith("cf")) {
        assertEquals((await readRows(path)).map(String), wanted.map(String), ending);
        continue;
      }
      // A record keeps the rate, with the rows in which nothing has a value. Values are float32.
      const record = await readRecord(path);
      assertEquals(record.samples, all.length, ending);
      NAMES.forEach((_, c) => {
        const points = all.filter((row) => row[c + 1] !== null)
          .map((row) => `${row[0]} ${Math.fround(Number(row[c + 1]))}`);
        assertEquals(record.points[c], points, ending);
      });
    }
    assertEquals(said.size, 1, [...said].join("\n---\n"));
  });
}
