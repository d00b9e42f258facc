/**
 * Records of COMTRADE with the Python package `comtrade`: it reads what is written here, and both
 * agree on records that it reads rightly.
 */

import { assertAlmostEquals, assertEquals } from "@std/assert";
import { openComtrade, writeComtrade } from "../../src/ingest/comtrade/mod.ts";
import { makeComtrade } from "../support/comtrade.ts";
import { pythonWith } from "./support/cache.ts";

const SCRIPT = new URL("python/comtrade_read.py", import.meta.url).pathname;
const START = 1_700_000_000_000_000_000n;

interface Found {
  station: string;
  ids: string[];
  samples: number;
  seconds: number[];
  analog: (number | null)[][];
  status: number[][];
}

async function readByPython(paths: readonly string[]): Promise<Found[]> {
  const python = await pythonWith("comtrade", ["comtrade==0.2.0", "numpy"]);
  const { success, stdout, stderr } = await new Deno.Command(python, { args: [SCRIPT, ...paths] })
    .output();
  if (!success) throw new Error(new TextDecoder().decode(stderr));
  return JSON.parse(new TextDecoder().decode(stdout));
}

Deno.test("comtrade of Python reads what writeComtrade writes, in every type", async () => {
  const folder = await Deno.makeTempDir();
  try {
    const regular = Array.from({ length: 500 }, (_, i) => START + BigInt(i) * 250_000n);
    const irregular = Array.from({ length: 500 }, (_, i) => START + BigInt(i * i) * 1000n);
    const expected: { times: bigint[]; values: number[]; resolution: number }[] = [];
    const paths: string[] = [];
    for (const type of ["float32", "binary", "binary32", "ascii"] as const) {
      for (const [name, list] of [["regular", regular], ["irregular", irregular]] as const) {
        for (const ending of ["cfg", "cff"]) {
          const times = BigInt64Array.from(list);
          const values = Float64Array.from(list, (_, i) => Math.fround(100 * Math.sin(i / 9)));
          const gaps = { times: times.slice(0, 100), values: values.slice(0, 100) };
          const path = `${folder}/${type}_${name}.${ending}`;
          const { resolution } = await writeComtrade(path, [
            { id: "VA", unit: "V", open: () => ({ times, values }) },
            { id: "VB", open: () => gaps },
          ], { type, station: "SUB" });
          paths.push(path);
          expected.push({ times: list, values: [...values], resolution: resolution[0]! });
        }
      }
    }
    for (const [i, found] of (await readByPython(paths)).entries()) {
      const { times, values, resolution } = expected[i]!;
      assertEquals([found.station, found.ids, found.samples], ["SUB", ["VA", "VB"], 500], paths[i]);
      // It has float32 for times.
      const last = Number(times.at(-1)! - START) / 1e9;
      assertAlmostEquals(found.seconds.at(-1)!, last, last * 2 ** -22);
      for (const [k, value] of values.entries()) {
        assertAlmostEquals(found.analog[0]![k]!, value, resolution + 1e-6 * Math.abs(value) + 1e-6);
        assertEquals(found.analog[1]![k] === null, k >= 100);
      }
    }
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("comtrade of Python and openComtrade agree on records of every edition and type", async () => {
  const folder = await Deno.makeTempDir();
  try {
    const paths: string[] = [];
    for (const type of ["ASCII", "BINARY", "BINARY32", "FLOAT32"]) {
      for (const revision of ["1999", "2013"]) {
        const made = makeComtrade({
          type,
          revision,
          analogs: ["1,VA,A,,V,0.25,-3,0,-9999,9999,100,1,S", "2,IA,A,,A,2,0,0,-9999,9999,1,1,P"],
          samples: [[1, -2, 300, 4], [5, 6, 7, 8]],
          states: Array.from({ length: 18 }, (_, i) => [i & 1, 1, 0, (i >> 1) & 1]),
        });
        const path = `${folder}/${type}_${revision}.cfg`;
        await Deno.writeFile(path, made.configuration);
        await Deno.writeFile(path.replace("cfg", "dat"), made.samples);
        paths.push(path);
      }
    }
    for (const [i, found] of (await readByPython(paths)).entries()) {
      await using record = await openComtrade(paths[i]!, { status: "all" });
      for await (const { columns } of record.batches()) {
        const values = columns.map((points) => [...points.values]);
        assertEquals(values.slice(2), found.status);
        for (const c of [0, 1]) {
          for (const [k, value] of values[c]!.entries()) {
            assertAlmostEquals(found.analog[c]![k]!, value, 1e-4);
          }
        }
        const seconds = [...columns[0]!.times].map((time) => Number(time - record.first) / 1e9);
        for (const [k, time] of seconds.entries()) {
          assertAlmostEquals(found.seconds[k]!, time, 1e-7);
        }
      }
    }
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
