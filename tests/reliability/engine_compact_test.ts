/**
 * A process that compacts a file and the one that writes it are killed: what was acknowledged stays.
 * More often than the default:
 *
 *     COMPACT_KILLS=100 deno test -A tests/reliability/engine_compact_test.ts
 */

import { assert, assertEquals } from "@std/assert";
import { compactFile, openEngine, verify } from "../../src/engine/mod.ts";
import { pointsOf } from "../support/engine.ts";
import { runUntilKilled } from "../support/killed_writer.ts";
import { RECLAIM_COMMITS, reclaimPoints, reclaimUuid } from "../support/reclaim_plan.ts";

const KILLS = Number(Deno.env.get("COMPACT_KILLS") ?? 4);
const WRITER = new URL("../support/compact_writer.ts", import.meta.url).pathname;
const COMPACTOR = new URL("../support/compact_loop.ts", import.meta.url).pathname;

/** Streams that the writer fills before it is killed. */
const STREAMS = 4;

/** Last acknowledged commit of each stream, by the lines of the writer; none of those that may be gone. */
function acknowledged(lines: readonly string[]): Map<number, number> {
  const stored = new Map<number, number>();
  for (const line of lines) {
    const [what, stream, commit] = line.split(" ");
    if (what === "stored") stored.set(Number(stream), Number(commit));
    else stored.delete(Number(stream));
  }
  return stored;
}

Deno.test("compactFile: it and the writer beside it are killed, and nothing acknowledged is lost", async () => {
  const directory = await Deno.makeTempDir();
  const path = `${directory}/grid.btrdb`;
  const kept = new Map<number, number>();
  let first = 0, steps = 0;
  try {
    await (await openEngine({ path })).close();
    for (let kill = 0; kill < KILLS; kill++) {
      const writer = runUntilKilled(
        WRITER,
        [path, String(first)],
        STREAMS * RECLAIM_COMMITS + kill % 7,
      );
      // Killed once between two steps, or inside of the next one, while the other goes on.
      const compactor = runUntilKilled(COMPACTOR, [path, String(first)], 1 + kill * 7 % 30);
      const [lines, stepLines] = await Promise.all([writer, compactor]);
      steps += stepLines.filter((line) => line.startsWith("step")).length;
      assertEquals((await verify(path)).problems, []);
      for (const [stream, commit] of acknowledged(lines)) kept.set(stream, commit);
      await using engine = await openEngine({ path });
      for (const [stream, commit] of kept) {
        const { length } = await pointsOf(engine, reclaimUuid(stream), 0n);
        const least = reclaimPoints(stream) * (commit + 1);
        assert(length >= least, `stream ${stream}: ${length} points, ${least} acknowledged`);
        assertEquals(length % reclaimPoints(stream), 0);
      }
      // One more may have been made without having said so.
      first = Math.max(...lines.map((line) => Number(line.split(" ")[1]))) + 2;
    }
    assert(steps > 0, `${steps} steps`);
    await compactFile(path);
    assertEquals((await verify(path)).problems, []);
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
});
