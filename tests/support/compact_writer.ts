/**
 * The process that writes beside one that compacts: `compact_writer.ts PATH FIRST` makes streams from
 * number FIRST on, stores points in them commit by commit, obliterates every second one, and says so
 * line by line, after each is acknowledged.
 */

import { openEngine } from "../../src/engine/mod.ts";
import { writeReclaimStream } from "./reclaim_plan.ts";
import { sayLine } from "./say_line.ts";

const [path, first] = Deno.args;
const engine = await openEngine({ path });

for (let stream = Number(first);; stream++) {
  const isEven = (commit: number) => commit % 2 === 0;
  const uuid = await writeReclaimStream(
    engine,
    stream,
    isEven,
    (commit) => sayLine(`stored ${stream} ${commit}`),
  );
  if (stream % 2 === 1) continue;
  sayLine(`going ${stream}`);
  await engine.obliterate(uuid);
}
