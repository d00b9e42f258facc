/**
 * The process that compacts beside one that writes: `compact_loop.ts PATH FIRST` waits until the other
 * one has made stream FIRST, gives room back again and again, and prints a line for each step and at
 * the end of each time.
 */

import { DatabaseSync } from "node:sqlite";
import { compactFile } from "../../src/engine/mod.ts";
import { reclaimUuid } from "./reclaim_plan.ts";
import { sayLine } from "./say_line.ts";

const [path, first] = Deno.args as [string, string];

const db = new DatabaseSync(path, { readOnly: true });
// Stream FIRST itself may be gone before it is looked for; later ones have greater uuids.
const isMade = db.prepare("SELECT 1 FROM stream WHERE uuid >= ?");
while (isMade.get(reclaimUuid(Number(first))) === undefined) {
  await new Promise((resolve) => setTimeout(resolve, 5));
}
db.close();
for (;;) {
  await compactFile(path, { onProgress: ({ bytes }) => sayLine(`step ${bytes}`) });
  sayLine("end");
  await new Promise((resolve) => setTimeout(resolve, 5));
}
