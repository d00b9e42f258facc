/** Memory of thousands of reads that wait for each other. */

import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { assert, assertEquals } from "@std/assert";
import { type Engine, openEngine } from "../../../src/engine/mod.ts";
import { columnsOf } from "../../support/engine.ts";

setFlagsFromString("--expose-gc");
const collect = runInNewContext("gc") as () => void;
setFlagsFromString("--no-expose-gc");

const STREAMS = 2_000;

const range = { start: 0n, end: 100n, version: 0n, chunk: 256 };

/** Bytes of objects that are in use. */
function bytesInUse(): number {
  collect();
  return Deno.memoryUsage().heapUsed;
}

async function filled(engine: Engine): Promise<Uint8Array[]> {
  const uuids = Array.from({ length: STREAMS }, () => crypto.getRandomValues(new Uint8Array(16)));
  const points = columnsOf([[1, 1], [2, 2], [60, 3]]);
  await Promise.all(uuids.map(async (uuid, i) => {
    const tags = new Map([["name", `s${i}`]]);
    await engine.create({ uuid, collection: "pmu", tags, annotations: new Map() });
    await engine.insert({ uuid, columns: points });
  }));
  return uuids;
}

/** Answers of which the first chunk was taken. */
async function begun<T>(
  uuids: readonly Uint8Array[],
  open: (uuid: Uint8Array) => AsyncIterator<T>,
) {
  const answers: AsyncIterator<T>[] = [];
  for (const uuid of uuids) {
    const answer = open(uuid);
    assertEquals((await answer.next()).done, false);
    answers.push(answer);
  }
  return answers;
}

// Five generators for each of 10,000 streams were 40 MB, which each collection of garbage copied: the
// event loop stood still for up to 190 ms.
Deno.test("rawValues, windows: a read in small chunks that waits is less than 1 KB", async () => {
  await using engine = await openEngine();
  const uuids = await filled(engine);
  const kinds = {
    rawValues: (uuid: Uint8Array) => engine.rawValues({ uuid, ...range }),
    windows: (uuid: Uint8Array) => engine.windows({ uuid, ...range, width: 50n, depth: 0 }),
    alignedWindows: (uuid: Uint8Array) => engine.alignedWindows({ uuid, ...range, pointwidth: 5 }),
  };
  for (const [name, open] of Object.entries(kinds)) {
    await begun<unknown>(uuids.slice(0, 100), open);
    const before = bytesInUse();
    const answers = await begun<unknown>(uuids, open);
    const each = (bytesInUse() - before) / STREAMS;
    assert(each < 1_000, `${name}: ${each} bytes`);
    for (const answer of answers) assertEquals((await answer.next()).done, true);
  }
});
