/** `btrdb export --tz` and `--time-as`. */

import { connect } from "@btrdb/btrdb";
import { assertEquals, assertStringIncludes } from "@std/assert";
import { parquetMetadata } from "hyparquet";
import { btrdb, workspace } from "./support.ts";

/** The first of two equal hours of Berlin, and half a second into the second one. */
const TIMES = [1_761_436_800_000_000_001n, 1_761_440_400_500_000_000n];
const BERLIN = ["--tz", "Europe/Berlin"];

Deno.test("export --tz, --time-as: times in every form, and what cannot apply is refused", async () => {
  await using dir = await workspace();
  const { env, path: cwd } = dir;
  const target = `file:${cwd}/a.btrdb`;
  {
    await using db = await connect(target);
    const stream = await db.create(crypto.randomUUID(), "c", { tags: { name: "a" } });
    await stream.insert(TIMES.map((time, i) => [time, i + 1] as const));
  }
  const run = (...args: string[]) =>
    btrdb(["-d", target, "export", "c/a", "-q", ...args], { env, cwd });
  const OWN = "Timestamp (ns),Human-Readable Time";
  const right: [string[], string][] = [
    [
      [],
      `${OWN} (UTC),c/a\n${TIMES[0]},2025-10-26T00:00:00Z,1\n${TIMES[1]},2025-10-26T01:00:00Z,2\n`,
    ],
    [
      BERLIN,
      `${OWN} (Europe/Berlin),c/a\n${TIMES[0]},2025-10-26T02:00:00.000000001+02:00,1\n` +
      `${TIMES[1]},2025-10-26T02:00:00.5+01:00,2\n`,
    ],
    [
      [...BERLIN, "--time-as", "rfc3339"],
      "time,c/a\n2025-10-26T02:00:00.000000001+02:00,1\n2025-10-26T02:00:00.500000000+01:00,2\n",
    ],
    [["--time-as", "ns"], `time,c/a\n${TIMES[0]},1\n${TIMES[1]},2\n`],
    [
      [...BERLIN, "--time-as", "naive", "-f", "ndjson"],
      '{"time":"2025-10-26T02:00:00.000000001","c/a":1}\n' +
      '{"time":"2025-10-26T02:00:00.500000000","c/a":2}\n',
    ],
    [["-f", "ndjson"], `{"time":"${TIMES[0]}","c/a":1}\n{"time":"${TIMES[1]}","c/a":2}\n`],
  ];
  for (const [args, text] of right) assertEquals([args, (await run(...args)).stdout], [args, text]);

  const parquet = await run(...BERLIN, "--time-as", "naive", "-o", "a.parquet");
  assertEquals(parquet.code, 0, parquet.stderr);
  const { buffer } = await Deno.readFile(`${cwd}/a.parquet`);
  const logical = parquetMetadata(buffer).schema[1]!.logical_type as { isAdjustedToUTC: boolean };
  assertEquals(logical.isAdjustedToUTC, false);

  const refused: [string[], string][] = [
    [["-f", "parquet", "--time-as", "rfc3339"], "Cannot use --time-as rfc3339 with parquet"],
    [["-f", "arrow", "--time-as", "rfc3339"], "Cannot use --time-as rfc3339 with arrow"],
    [["-o", "a.cff", "--time-as", "ns"], "Cannot use --time-as with comtrade"],
    [["-o", "a.csv", "--resume", "--time-as", "ns"], "Cannot use --resume with --time-as"],
    [[...BERLIN, "--time-as", "ns"], "Cannot use --tz with --time-as ns"],
    [[...BERLIN, "-f", "ndjson"], "Cannot use --tz with ndjson"],
    [[...BERLIN, "-o", "b.parquet"], "Cannot use --tz with parquet"],
    [[...BERLIN, "-o", "a.cff"], "Cannot use --tz with comtrade"],
    [["--time-as", "utc"], "--time-as"],
    [["-f", "ndjson", "--include-versions"], "Cannot use --include-versions with ndjson"],
  ];
  for (const [args, text] of refused) {
    const { code, stderr } = await run(...args);
    assertEquals([args, code], [args, 2]);
    assertStringIncludes(stderr, text);
  }
});
