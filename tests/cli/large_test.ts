/** Files that are large enough for threads: the same as small ones. */

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { Buffer } from "node:buffer";
import { gzipSync } from "node:zlib";
import { formatCsv } from "../../src/kernel/mod.ts";
import { btrdb, workspace } from "./support.ts";

const ROWS = 350_000;
const FILE_BYTES = 16 << 20;

/** A CSV of more than {@linkcode FILE_BYTES}, which begins in 2023. */
function table(): Uint8Array<ArrayBuffer> {
  const start = 1_700_000_000_000_000_000n;
  const times = BigInt64Array.from({ length: ROWS }, (_, i) => start + BigInt(i) * 8_333_333n);
  const value = (s: number) => Float64Array.from(times, (_, i) => Math.sin(i * 0.01 + s) * 1000);
  const columns = (s: number) => ({ times, values: value(s) });
  return formatCsv([
    { label: "pmu/a", columns: columns(0) },
    { label: "pmu/b", columns: columns(1) },
  ]);
}

Deno.test("a large table, plain and packed: in and out again, the same bytes", async () => {
  await using dir = await workspace();
  const { env, path: cwd } = dir;
  const bytes = table();
  assert(bytes.length > FILE_BYTES);
  // Random text at the end of the rows makes the packed file large too, and is no column.
  const piece = () => Buffer.from(crypto.getRandomValues(new Uint8Array(49_152)));
  const noise = Array.from({ length: 32 }, () => piece().toString("base64")).join("");
  const noisy = new TextDecoder().decode(bytes).trimEnd().split("\n").map((row, i) => {
    const at = i * 61 % (noise.length - 60);
    return `${row},${noise.slice(at, at + 60)}\n`;
  }).join("");
  await Deno.writeFile(`${cwd}/plain.csv`, bytes);
  await Deno.writeFile(`${cwd}/packed.csv.gz`, gzipSync(noisy, { level: 1 }));
  assert((await Deno.stat(`${cwd}/packed.csv.gz`)).size > FILE_BYTES);
  for (
    const [file, options] of [["plain.csv", []], ["packed.csv.gz", [
      "--column",
      "3",
      "--column",
      "4",
    ]]] as const
  ) {
    const target = `file:${cwd}/${file}.btrdb`;
    const args = ["-d", target, "import", file, ...options, "--json"];
    const { code, stdout, stderr } = await btrdb(args, { cwd, env });
    assertEquals(code, 0, stderr);
    assertEquals(JSON.parse(stdout).files[0].rows, ROWS);
    const out = ["export", "pmu/a", "pmu/b", "-o", "out.csv"];
    const exported = await btrdb(["-d", target, ...out], { cwd, env });
    assertEquals(exported.code, 0, exported.stderr);
    assertEquals(Buffer.compare(await Deno.readFile(`${cwd}/out.csv`), bytes), 0, file);
  }
});

Deno.test("a mistake far down in a large table is found, and what came before is stored", async () => {
  await using dir = await workspace();
  const { env, path: cwd } = dir;
  const text = new TextDecoder().decode(table());
  const at = text.lastIndexOf("\n", text.length - 2) + 1;
  await Deno.writeTextFile(`${cwd}/bad.csv`, `${text.slice(0, at)}1800000000000000000,,oops,1\n`);
  const target = ["-d", `file:${cwd}/a.btrdb`];
  const { code, stderr } = await btrdb([...target, "import", "bad.csv"], { cwd, env });
  assertEquals(code, 1);
  assertStringIncludes(
    stderr,
    `error: Cannot import bad.csv: line ${ROWS + 1}, column 3 ("pmu/a"): "oops" is not a number\n` +
      "hint: fix the row, or import only some columns with --column\n",
  );
  const told = Number(/Stopped: ([\d,]+) points/.exec(stderr)![1]!.replaceAll(",", ""));
  const { stdout } = await btrdb([...target, "ls", "-l", "--json"], { cwd, env });
  const { streams } = JSON.parse(stdout) as { streams: { count: string }[] };
  assertEquals(streams.reduce((sum, { count }) => sum + Number(count), 0), told);
  assert(told > 0);
});
