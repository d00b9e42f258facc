/** `kill -9` during the demo's import: whatever it said was acknowledged is there. */

import { assert } from "@std/assert";
import { connect } from "@btrdb/btrdb";
import { withFolder } from "../support/run.ts";

const ROOT = new URL("../../", import.meta.url);

/** Starts the demo and kills it after so many acknowledgements; acknowledged points by stream. */
async function killAfter(folder: string, acknowledgements: number): Promise<Map<string, number>> {
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--quiet", "tools/demo.ts", "--out", folder],
    cwd: ROOT,
    stdout: "piped",
    stderr: "null",
  }).spawn();
  const acknowledged = new Map<string, number>();
  let seen = 0;
  let rest = "";
  for await (const text of child.stdout.pipeThrough(new TextDecoderStream())) {
    const lines = (rest + text).split("\n");
    rest = lines.pop()!;
    for (const line of lines) {
      const match = /^ {2}(\w+): ([\d,]+) points acknowledged/.exec(line);
      if (match === null) continue;
      acknowledged.set(match[1]!, Number(match[2]!.replaceAll(",", "")));
      if (++seen === acknowledgements) child.kill("SIGKILL");
    }
  }
  await child.status;
  return acknowledged;
}

/** Points by stream that the database holds, and whether they are the first ones of the recording. */
async function stored(folder: string): Promise<Map<string, number>> {
  await using db = await connect(`file:${folder}/feeder.btrdb`);
  const found = new Map<string, number>();
  const start = 1767225600n * 1_000_000_000n;
  for await (const stream of db.lookupStreams("demo/feeder-12")) {
    const { times } = await stream.rawValues(start, start + 3600n * 1_000_000_000n).collect();
    const isPrefix = times.every((time, i) => time === start + BigInt(i) * 1_000_000_000n / 120n);
    found.set((await stream.tags()).name!, isPrefix ? times.length : -1);
  }
  return found;
}

for (const acknowledgements of [1, 6, 13, 23]) {
  Deno.test(`demo: killed after ${acknowledgements} acknowledgements, nothing is lost`, async () => {
    await withFolder(async (folder) => {
      const acknowledged = await killAfter(folder, acknowledgements);
      assert(acknowledged.size > 0);
      const found = await stored(folder);
      for (const [name, points] of acknowledged) {
        const there = found.get(name) ?? 0;
        assert(there >= points, `${name}: ${points} acknowledged, ${there} there`);
      }
    });
  });
}
