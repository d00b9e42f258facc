/**
 * A process is killed while it prunes and obliterates: what must stay stays, what must go goes, and
 * nothing is left over. More often than the default:
 *
 *     RECLAIM_KILLS=200 deno test -A tests/reliability/engine_reclaim_test.ts
 */

import { assert, assertEquals } from "@std/assert";
import { type Engine, openEngine, verify } from "../../src/engine/mod.ts";
import { untilReclaimed } from "../support/old_file.ts";
import { pointsOf, rejection } from "../support/engine.ts";
import { runUntilKilled } from "../support/killed_writer.ts";
import {
  RECLAIM_COMMITS,
  RECLAIM_KEEP,
  reclaimPoints,
  reclaimUuid,
} from "../support/reclaim_plan.ts";

const KILLS = Number(Deno.env.get("RECLAIM_KILLS") ?? 12);
const WRITER = new URL("../support/reclaim_writer.ts", import.meta.url).pathname;

/** Calls of SQLite in which two streams are written, pruned and given back. */
const CALLS = 400;

/** Lets the writer run until it is killed, each time elsewhere; the lines it wrote. */
function runWriter(path: string, first: number, kill: number): Promise<string[]> {
  // From inside in front of a call of SQLite, from outside after so many lines.
  const isInside = kill % 3 !== 0;
  const args = [path, String(first), String(isInside ? (kill * 137) % CALLS : -1)];
  return runUntilKilled(WRITER, args, isInside ? Infinity : 1 + kill % 7);
}

async function assertPruned(engine: Engine, stream: number): Promise<void> {
  const uuid = reclaimUuid(stream);
  for (let version = 11n; version < 11n + BigInt(RECLAIM_COMMITS); version++) {
    const read = pointsOf(engine, uuid, version);
    if (version < RECLAIM_KEEP) assertEquals((await rejection(read)).code, 450);
    else assertEquals((await read).length, reclaimPoints(stream) * Number(version - 10n));
  }
}

Deno.test("prune, obliterate: a process that is killed while it gives back room keeps what it must", async () => {
  const directory = await Deno.makeTempDir();
  const path = `${directory}/grid.btrdb`;
  try {
    let first = 0, judged = 0;
    for (let kill = 0; kill < KILLS; kill++) {
      const lines = await runWriter(path, first, kill);
      assertEquals((await verify(path)).problems, []);
      const said = new Map(lines.map((line) => [Number(line.split(" ")[1]), line.split(" ")[0]!]));
      {
        await using engine = await openEngine({ path });
        for (const [stream, state] of said) {
          // The last one may be gone without having said so.
          const info = engine.streamInfo({
            uuid: reclaimUuid(stream),
            omitVersion: false,
            omitDescriptor: true,
          });
          const isThere = await info.then(() => true, () => false);
          assert(!isThere || state !== "gone", `stream ${stream}`);
          assert(isThere || stream % 2 === 0, `stream ${stream}`);
          if (isThere) await assertPruned(engine, stream);
          judged++;
        }
        await untilReclaimed(path);
      }
      assertEquals((await verify(path)).problems, []);
      first = Math.max(first, ...said.keys()) + 2;
    }
    assert(judged > 0);
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
});
