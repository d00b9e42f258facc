/**
 * A process is killed while points expire: none that is young enough is lost, and after the next sweep
 * none that is too old is left in any version. More often than the default:
 *
 *     EXPIRY_KILLS=200 deno test -A tests/reliability/engine_expiry_test.ts
 */

import { assert, assertEquals } from "@std/assert";
import { ErrorCode } from "../../src/core/errors.ts";
import { type Engine, openEngine, verify } from "../../src/engine/mod.ts";
import {
  EXPIRY_STREAMS,
  expiryColumns,
  expiryCutoff,
  expiryNowMs,
  expiryUuid,
} from "../support/expiry_plan.ts";
import { runUntilKilled } from "../support/killed_writer.ts";
import { columnsAt } from "../support/engine.ts";

const KILLS = Number(Deno.env.get("EXPIRY_KILLS") ?? 12);
const WRITER = new URL("../support/expiry_writer.ts", import.meta.url).pathname;

/** Calls of SQLite in some ten rounds. */
const CALLS = 3000;

/** Lets the writer run until it is killed, each time elsewhere; the lines it wrote. */
function runWriter(path: string, first: number, kill: number): Promise<string[]> {
  // From inside in front of a call of SQLite, from outside after so many lines.
  const isInside = kill % 3 !== 0;
  const args = [path, String(first), String(isInside ? 20 + (kill * 397) % CALLS : -1)];
  return runUntilKilled(WRITER, args, isInside ? Infinity : 9 + kill % 17);
}

/** The rounds of a stream, which are in the values, with the points of each from a time on. */
async function roundsOf(
  engine: Engine,
  stream: number,
  from: bigint,
): Promise<Map<number, number>> {
  const { times, values } = await columnsAt(engine, expiryUuid(stream));
  const rounds = new Map<number, number>();
  times.forEach((time, i) => {
    const round = Math.floor(values[i]! / 10_000);
    if (time >= from) rounds.set(round, (rounds.get(round) ?? 0) + 1);
  });
  return rounds;
}

/** Fails if a version has a point before a time. */
async function assertNoneBefore(engine: Engine, stream: number, cutoff: bigint): Promise<void> {
  const uuid = expiryUuid(stream);
  const { version } = await engine.streamInfo({ uuid, omitVersion: false, omitDescriptor: true });
  for (let major = 11n; major <= version!.major; major++) {
    const columns = await columnsAt(engine, uuid, major).catch((error) => error);
    if (columns instanceof Error) {
      assertEquals((columns as Error & { code: number }).code, ErrorCode.VersionNotAvailable);
    } else assert(columns.times.every((time: bigint) => time >= cutoff), `version ${major}`);
  }
}

Deno.test("expire: a process that is killed meanwhile loses no young point and leaves no old one", async () => {
  const directory = await Deno.makeTempDir();
  const path = `${directory}/grid.btrdb`;
  /** Rounds that were acknowledged, by stream. */
  const acknowledged = Array.from({ length: EXPIRY_STREAMS }, () => new Set<number>());
  try {
    let first = 0, judged = 0;
    for (let kill = 0; kill < KILLS; kill++) {
      const lines = (await runWriter(path, first, kill)).map((line) => line.split(" "));
      assertEquals((await verify(path)).problems, []);
      let last = first, unsure: [number, number] | undefined;
      for (const [verb, round, stream] of lines) {
        last = Math.max(last, Number(round));
        if (verb === "inserting") unsure = [Number(round), Number(stream)];
        if (verb !== "inserted") continue;
        acknowledged[Number(stream)]!.add(Number(round));
        unsure = undefined;
      }
      const cutoff = expiryCutoff(last);
      await using engine = await openEngine({
        path,
        now: () => expiryNowMs(last),
        expiryTickMs: 1e9,
      });
      for (const isSwept of [false, true]) {
        if (isSwept) await engine.expire();
        for (let stream = 0; stream < EXPIRY_STREAMS; stream++) {
          const found = await roundsOf(engine, stream, cutoff);
          if (unsure?.[1] === stream && found.has(unsure[0])) {
            acknowledged[stream]!.add(unsure[0]); // Wholly, or not at all.
          }
          for (const round of acknowledged[stream]!) {
            const { times } = expiryColumns(stream, round);
            const expected = times.filter((time) => time >= cutoff).length;
            assertEquals(found.get(round) ?? 0, expected, `round ${round} of stream ${stream}`);
            judged++;
          }
          for (const round of found.keys()) assert(acknowledged[stream]!.has(round));
          if (isSwept) await assertNoneBefore(engine, stream, cutoff);
        }
      }
      assertEquals((await verify(path)).problems, []);
      first = last + 1;
    }
    assert(judged > 0);
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
});
