/**
 * The process that writes beside one that compacts: `compact_writer.ts PATH FIRST` makes streams from
 * number FIRST on, stores points in them commit by commit, obliterates every second one, and says so
 * line by line, after each is acknowledged.
 */

import { openEngine } from "../../src/engine/mod.ts";
import { RECLAIM_COMMITS, reclaimColumns, reclaimUuid } from "./reclaim_plan.ts";

const [path, first] = Deno.args;
const engine = await openEngine({ path });
const say = (line: string) => Deno.stdout.writeSync(new TextEncoder().encode(`${line}\n`));

for (let stream = Number(first);; stream++) {
  const uuid = reclaimUuid(stream);
  const tags = new Map([["name", `s${stream}`]]);
  await engine.create({ uuid, collection: `c${stream % 5}`, tags, annotations: new Map() });
  for (let i = 0; i < RECLAIM_COMMITS; i++) {
    await engine.insert({ uuid, columns: reclaimColumns(stream, i) });
    say(`stored ${stream} ${i}`);
    if (i % 2 === 0) await engine.flush(uuid);
  }
  if (stream % 2 === 1) continue;
  say(`going ${stream}`);
  await engine.obliterate(uuid);
}
